// Planes of starts: their regions and boundaries, the field in them, and who leads when.

// ---- regions of a plane of starts, each over those before it; label and corners (x, y)
export function regions({ rule, rho, depth, mu }, reach) {
  const whole = [[0, 0], [reach, 0], [reach, reach], [0, reach]];
  const winner = largest(mu, [true, true], 0);
  if (rule === "asam" || depth === 1) {
    const found = depth === 1 ? OTHER : asamLimit({ rho, mu }).label;
    return [{ label: found, points: whole }];
  }
  if (rule === "l2" && rho > 0) {
    return [{ label: winner, points: whole }, { label: 0, points: [[0, 0], ...separatrix(mu, rho)] }];
  }
  const box = (x, y, a, b) => [[x, y], [a, y], [a, b], [x, b]];
  const below = { label: depth % 2 ? STALLED : 0, points: box(0, 0, rho, rho) };
  if (depth === 2) {
    const first = { label: 1, points: box(rho, 0, reach, mu[0] > mu[1] ? reach : rho) };
    const second = { label: 2, points: box(0, rho, mu[1] > mu[0] ? reach : rho, reach) };
    return rho ? [{ label: winner, points: whole }, first, second, below] : [{ label: winner, points: whole }];
  }
  const slope = (mu[0] / mu[1]) ** (1 / (depth - 2)); // of the line of equal scores
  const far = Math.min(reach, rho + (reach - rho) / slope);
  const corner = [far, rho + slope * (far - rho)];
  const first = [[rho, 0], [reach, 0], [reach, Math.min(reach, corner[1])], corner, [rho, rho]];
  if (far < reach) first.splice(2, 1, [reach, reach]);
  return [{ label: 2, points: whole }, { label: 1, points: first }, ...(rho ? [below] : [])];
}

// The separatrix of balanced starts under l_2, from the axis of one feature to the other's
export function separatrix(mu, rho) {
  const [low, high] = mu[0] <= mu[1] ? [0, 1] : [1, 0];
  const m = mu[high] / mu[low];
  const first = -16;
  let path;
  if (m < 1.001) {
    path = Array.from({ length: 121 }, (_, k) => {
      const q = first / 2 + k / 7;
      const square = (m * Math.exp(q)) ** 2;
      return [q, (m * (m - 1) * square) / (1 + square) - Math.log1p(square) / 2]; // slow manifold
    });
  } else {
    const start = Math.log1p((-(m ** 2) / (2 * (2 * (m - 1) * m + 1))) * Math.exp(2 * first));
    const bend = (x, y) => [F.bend(F.pull(y[0], x + first, m), m)];
    const clock = (_, [x, y]) => [1, bend(x, [y])[0]];
    path = march(clock, [0, start], ([x]) => x > 24, 1e-9, 4e4).map(({ y: [x, y] }) => [x + first, y]);
  }
  const corner = rho / Math.SQRT2;
  const points = path.map(([q, x]) => {
    const point = [];
    point[low] = corner * Math.exp(x);
    point[high] = corner * Math.exp(x + q);
    return point;
  });
  return thin(points, rho / 200);
}

// Fewer points of a line: none nearer than `gap` to the one before
function thin(points, gap) {
  let last = points[0];
  return points.filter((point, k) => {
    const far = Math.hypot(point[0] - last[0], point[1] - last[1]) > gap;
    if (far) last = point;
    return far || k === 0 || k === points.length - 1;
  });
}

// Boundary of one feature's plane (u, v) in s = u + v over e = u - v: beyond it starts escape
export function layerEdge({ rule, rho }, reach) {
  if (rho === 0 || rule === "asam") return [[reach, -reach], [-reach, reach]];
  return Array.from({ length: 161 }, (_, k) => {
    const x = (k - 80) / 80;
    if (rule === "l2") {
      const ratio = Math.tan((x * Math.PI) / 2.02);
      const s = Math.SQRT2 * rho * carlson(1, 1, ratio);
      return [(s * (1 + ratio)) / 2, (s * (1 - ratio)) / 2];
    }
    const e = 2 * reach * x;
    const s = Math.abs(e) <= 2 * rho ? 2 * rho : (8 * rho ** 2) / (2 * rho + Math.abs(e));
    return [(s + e) / 2, (s - e) / 2];
  });
}

export function layerRegions(problem, reach) {
  const edge = layerEdge(problem, reach);
  const whole = [[-reach, -reach], [reach, -reach], [reach, reach], [-reach, reach]];
  const mirrored = edge.map(([u, v]) => [-u, -v]); // the other branch, on the way back
  return [{ label: 1, points: whole }, { label: 0, points: [...edge, ...mirrored] }];
}

// The velocity of a plane's point (x, y): two features' weights, or one feature's layers
export function velocityOf({ rule, rho, depth, mu }) {
  if (mu.length === 1) {
    const [m] = mu;
    if (rule !== "l2") return (x, y) => [F.push(x, y, m, rho), F.push(y, x, m, rho)];
    return (x, y) => {
      const norm = m * Math.hypot(x, y);
      return [F.push2(x, y, m, rho, norm), F.push2(y, x, m, rho, norm)];
    };
  }
  return (...w) => {
    if (rule === "l2") {
      const norm = Math.SQRT2 * Math.hypot(...w.map((x, j) => mu[j] * x));
      return w.map((x, j) => F.push2(x, x, mu[j], rho, norm));
    }
    if (rule !== "asam") return w.map((x, j) => F.velocity(x, mu[j], rho, depth));
    const q = total(w.map((x, j) => (mu[j] * x * x) ** 2));
    return w.map((x, j) => x * F.pace(mu[j], rho, F.lean(x * x, mu[j], q)));
  };
}

// Carlson's R_F(x, a + ib, a - ib) by duplication
function carlson(x, a, b) {
  for (let k = 0; k < 40; k++) {
    const size = Math.hypot(a, b);
    const real = Math.sqrt((size + a) / 2);
    const shift = 2 * Math.sqrt(x) * real + size;
    [x, a, b] = [(x + shift) / 4, (a + shift) / 4, b / 4];
  }
  return 1 / Math.sqrt(x);
}

// ---- who leads from uniform starts under l_2, L = 2: the largest mu tau - mu^2 A
export function leaders({ mu, rho }, alpha, times) {
  const u = mu.map(() => alpha);
  const path = rho > 0 ? planar({ mu, rho, u, v: u }, 1e-10) : { damping: () => 0 };
  return times.map((tau) => {
    const a = path.damping(tau);
    return a < Infinity ? leader({ mu, rho }, alpha, tau, a) : 0;
  });
}

// At a point of the plane (tau, A); at tau = 0 the one that will be ahead
export function leader({ mu, rho }, alpha, tau, a) {
  const norm = alpha * Math.SQRT2 * Math.hypot(...mu);
  const score = mu.map((m) => (tau > 0 ? m * tau - m * m * a : m - (m * m * rho) / norm));
  return score.indexOf(Math.max(...score)) + 1;
}

// falling, critical and a_1 < a_2 < ... of `flowsam.amplification.regimes`
export function thresholds(mu, rho) {
  const sizes = [...new Set(mu)].sort((a, b) => a - b);
  const norm = Math.SQRT2 * Math.hypot(...mu);
  const uniform = (x) => ({ mu, rho: 1, u: mu.map(() => x), v: mu.map(() => x) });
  const falling = sizes[0] / norm;
  const rises = total(mu.map((m) => m ** 4)) / total(mu.map((m) => m ** 3));
  const critical = bisect((x) => proved(uniform(x), 0, 1e-11) !== 0, falling, rises / norm, 40);
  const steps = sizes.slice(1).map((m, k) => {
    const sum = m + sizes[k];
    if (sum >= rises) return rho * (sum / norm);
    return rho * bisect((x) => lowest(uniform(x)) > sum, critical, rises / norm, 40);
  });
  return { falling: rho * falling, critical: rho * critical, steps };
}

// The minimum of tau/A along a run, where it equals N/rho
function lowest(problem) {
  const { top, state, gate, clock } = plane(problem);
  let gone;
  const past = ([x, y]) => {
    const { norm } = state(x / top, y / top ** 2);
    gone = norm < gate;
    return gone || norm * y > top * x * problem.rho;
  };
  const nodes = march(clock, [0, 0], (y) => y[0] > 0 && past(y), 1e-11);
  if (gone) return 0;
  const before = nodes[nodes.length - 2];
  const h = bisect((x) => past(advance(clock, 0, before.y, x)), 0, nodes[nodes.length - 1].x - before.x, 30);
  const [x, y] = advance(clock, 0, before.y, h);
  return (top * x) / y;
}
