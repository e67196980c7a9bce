// The mathematics of the explorer: no DOM. F holds the formulas that SymPy printed.
// A problem is {rule, rho, depth, mu, u, v}: u and v are layers 1 and 2 of every feature; at other
// depths all layers are u, or of one feature u, v and the further ones `rest`, larger than both by
// rho or more. Features have mu > 0.

export const BAND = 1e-9; // |log of a start's scale over the critical one| that is too close
const [LATE, HUGE] = [1e4, 1e40]; // log t from which a run may be left, once its winner leads
export const [OTHER, STALLED, TIE, SEPARATRIX, CLOSE] = [-5, -4, -3, -2, -9];
const EPS = 2 ** -52;
const total = (x) => x.reduce((a, b) => a + b, 0);
const softplus = (m) => (m > 0 ? m + Math.log1p(Math.exp(-m)) : Math.log1p(Math.exp(m)));
const logAdd = (a, b) => (a > b ? a : b) + Math.log1p(Math.exp(-Math.abs(a - b)));

const late = (winner, { beta, log }) => {
  const most = Math.max(...beta);
  return log > LATE && (most > HUGE || !(winner >= 1) || beta[winner - 1] === most);
};

export function bisect(isAbove, low, high, rounds = 60) {
  for (let k = 0; k < rounds; k++) {
    const middle = (low + high) / 2;
    if (isAbove(middle)) high = middle;
    else low = middle;
  }
  return (low + high) / 2;
}

// ---- Dormand and Prince's pair of order 5, error per step below tol * (1 + |y|)
const TABLEAU = [
  [1 / 5],
  [3 / 40, 9 / 40],
  [44 / 45, -56 / 15, 32 / 9],
  [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729],
  [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656],
  [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
];
const NODES = [0.2, 0.3, 0.8, 8 / 9, 1, 1];
const ERRORS = [71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40];

function step(f, x, y, h, k0) {
  const k = [k0];
  let next;
  for (let i = 0; i < 6; i++) {
    next = y.map((value, n) => {
      let sum = 0;
      for (let j = 0; j <= i; j++) sum += TABLEAU[i][j] * k[j][n];
      return value + h * sum;
    });
    k.push(f(x + NODES[i] * h, next));
  }
  let error = 0;
  for (let n = 0; n < y.length; n++) {
    let sum = 0;
    for (let j = 0; j < 7; j++) sum += ERRORS[j] * k[j][n];
    error = Math.max(error, Math.abs(h * sum) / (1 + Math.abs(next[n])));
  }
  return { y: next, slope: k[6], error };
}

export function march(f, y, done, tol = 1e-12, cap = 6000) {
  let x = 0;
  let h = 0.01;
  let slope = f(x, y);
  const nodes = [{ x, y }];
  while (!done(y) && nodes.length < cap) {
    const tried = step(f, x, y, h, slope);
    if (tried.error <= tol) {
      x += h;
      ({ y, slope } = tried);
      nodes.push({ x, y });
    }
    h *= Math.min(4, Math.max(0.2, 0.9 * (tol / (tried.error + 1e-30)) ** 0.2));
  }
  return nodes;
}

const advance = (f, x, y, h) => (h ? step(f, x, y, h, f(x, y)).y : y);

// ---- l_2 at L = 2: the whole flow is a curve (tau, A), here in a clock regular through collapse
function plane({ rho, mu, u, v }, shift = 0) {
  const scale = Math.exp(shift);
  const s = u.map((x, j) => scale * (x + v[j]));
  const e = u.map((x, j) => scale * (x - v[j]));
  const top = Math.max(...mu);
  const state = (tau, a) => {
    const at = { s: s.map((x, j) => F.grow(x, mu[j], tau, a)) };
    at.e = e.map((x, j) => x && F.fade(x, mu[j], tau, a));
    return { ...at, norm: normAt(tau, a) };
  };
  const normAt = (tau, a) => {
    let sum = 0;
    for (let j = 0; j < mu.length; j++) {
      sum += F.square(F.grow(s[j], mu[j], tau, a), e[j] && F.fade(e[j], mu[j], tau, a), mu[j]);
    }
    return Math.sqrt(sum);
  };
  const turn = ({ s, e, norm }) => total(mu.map((m, j) => F.turn(s[j], e[j], m, rho, norm)));
  const gate = rho * Math.min(...mu.filter((_, j) => s[j] !== 0));
  const clock = (_, [x, y]) => {
    const q = normAt(x / top, y / top ** 2) / (rho * top);
    return [q / (1 + q), 1 / (1 + q)];
  };
  return { top, state, normAt, turn, gate, clock };
}

// 1 escapes, 0 collapses: N' > 0 and N < rho min mu prove it; undefined where neither is seen
function proved(problem, shift, tol) {
  const { top, state, turn, gate, clock } = plane(problem, shift);
  let code;
  march(clock, [0, 0], ([x, y]) => {
    const at = state(x / top, y / top ** 2);
    if (!(at.norm > gate)) code = 0;
    else if (turn(at) > 0) code = 1;
    return code !== undefined;
  }, tol);
  return code;
}

function escapes(problem) {
  for (const [margin, tol] of [[1e-4, 1e-7], [BAND, 1e-13]]) {
    if (proved(problem, margin, tol) === 0) return 0;
    if (proved(problem, -margin, tol) === 1) return 1;
  }
  return CLOSE;
}

// ---- labels, as flowsam.limits gives them
function largest(scores, among, near) {
  const best = Math.max(...scores.filter((_, j) => among[j]));
  const ahead = scores.flatMap((x, j) => (among[j] && x >= best * (1 - near) ? [j + 1] : []));
  return ahead.length > 1 ? TIE : ahead[0];
}

export function label(problem) {
  const { rule, rho, depth, mu, u, v } = problem;
  if (depth === 1) return OTHER;
  if (rule === "asam") return asamLimit(problem).label;
  if (rule === "l2" && rho > 0) {
    const code = escapes(problem);
    return code === 1 ? largest(mu, mu.map((_, j) => u[j] + v[j] !== 0), 0) : code;
  }
  if (depth === 2 || problem.rest) { // the two smallest layers decide
    const over = mu.map((_, j) => conic(u[j], v[j], rho));
    if (over.some(Number.isNaN)) return CLOSE;
    if (over.some((x) => x > 0)) return largest(mu, over.map((x) => x > 0), 0);
    if (over.some((x) => x === 0)) return SEPARATRIX;
    return 0;
  }
  const above = u.map((a) => a > rho);
  if (!above.some(Boolean)) {
    if (depth % 2) return STALLED;
    return u.includes(rho) ? SEPARATRIX : 0;
  }
  const scores = mu.map((m, j) => (above[j] ? F.score(u[j], m, rho, depth) : 0));
  const found = largest(scores, above, 2 * EPS);
  return found === TIE || largest(scores, above, 1e-12) !== TIE ? found : CLOSE;
}

// Its sign says which side of the conic (u, v) is on; NaN where roundings could decide
function conic(u, v, rho) {
  const sum = u + v;
  if (rho === 0) return Math.abs(sum);
  if (u * v >= 0) {
    const part = sum - u;
    const lost = u - (sum - part) + (v - part); // by the rounding of the sum
    return Math.abs(sum) - 2 * rho + Math.sign(sum) * lost;
  }
  const over = F.excess(u, v, rho) / (8 * rho ** 2);
  return Math.abs(over) < 8 * EPS ? NaN : over;
}

// ---- runs: {end: {kind, tau}, breaks, last, state(tau) -> {w, s?, e?, beta, log (dt/dtau)}}
function balanced({ rho, depth, mu, u }) {
  const up = u.map((a) => a > rho);
  const ends = mu.map((m, j) => (depth > 2 && up[j] ? F.blowUp(u[j], m, rho, depth) : Infinity));
  const rests = mu.map((m, j) => {
    if (depth % 2 || u[j] >= rho) return Infinity;
    return depth === 2 ? F.rest2(u[j], m, rho) : F.rest(u[j], m, rho, depth);
  });
  const formula = { 1: F.size1, 2: F.size2 }[depth] || F.size;
  const blowUp = Math.min(...ends);
  const state = (tau) => {
    const time = Math.min(tau, blowUp);
    const w = mu.map((m, j) => {
      if (time >= rests[j]) return 0;
      return time === ends[j] ? Infinity : formula(u[j], m, rho, time, depth);
    });
    const parts = w.map((x, j) => F.margin(x, mu[j], rho, depth)); // of 0 too: that of the fall
    const margin = tau >= blowUp ? Infinity : total(parts);
    return { u: w, v: w, beta: w.map((x) => x ** depth), log: softplus(margin) };
  };
  const rested = Math.max(...rests);
  const kind = blowUp < Infinity ? "blow-up" : rested < Infinity ? "collapse" : "";
  const tau = Math.min(blowUp, rested);
  const slow = 1 / (Math.min(...mu) * Math.max(rho, ...u) ** Math.max(0, depth - 2));
  return { state, breaks: rests, slow, end: { kind, tau } };
}

function planar(problem, tol) {
  const { mu, rho } = problem;
  const { top, state, normAt, turn, clock } = plane(problem);
  const first = normAt(0, 0);
  const winner = mu.indexOf(Math.max(...mu)) + 1;
  const many = LATE * Math.min(...mu); // of N^2, before which log t is not late
  const about = ({ s, e, norm }) => ({
    u: s.map((x, j) => (x + e[j]) / 2),
    v: s.map((x, j) => (x - e[j]) / 2),
    beta: s.map((x, j) => F.product(x, e[j])),
    log: softplus(total(mu.map((m, j) => F.margin2(s[j], e[j], m, rho, norm)))),
  });
  const nodes = march(clock, [0, 0], ([x, y]) => {
    const at = [x / top, y / top ** 2];
    const norm = normAt(...at);
    return norm < 1e-10 * first || (norm ** 2 > many && late(winner, about(state(...at))));
  }, tol).map(({ y: [x, y] }) => ({ tau: x / top, a: y / top ** 2 }));
  const final = nodes[nodes.length - 1];
  const left = state(final.tau, final.a);
  const falls = left.norm < 1e-10 * first;
  if (falls) final.tau -= left.norm ** 2 / turn(left); // N falls to 0 along a line
  const pull = (tau, [a]) => [F.rate(rho, normAt(tau, a))];
  const damping = (tau) => {
    if (falls && tau >= final.tau) return Infinity;
    let low = 0;
    let high = nodes.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (nodes[middle].tau <= tau) low = middle;
      else high = middle;
    }
    const near = nodes[low];
    return advance(pull, near.tau, [near.a], tau - near.tau)[0];
  };
  const rest = mu.map(() => 0);
  return {
    nodes,
    damping,
    state: (tau) => {
      const a = damping(tau);
      if (a < Infinity) return about(state(tau, a));
      const last = final.tau * (1 - 1e-9); // the pace stays that of the fall
      return { u: rest, v: rest, beta: rest, log: about(state(last, damping(last))).log };
    },
    breaks: [],
    last: final.tau,
    end: falls ? { kind: "collapse", tau: final.tau } : { kind: "", tau: Infinity },
  };
}

// One feature at L = 2, any signs, under GD and l_inf: closed forms from quadrant to quadrant
function quadrants({ rho, mu: [mu], u: [u], v: [v] }) {
  const pieces = [];
  let tau = 0;
  while (pieces.length < 8 && tau < Infinity) {
    const piece = quadrant(u, v, mu, rho);
    pieces.push({ ...piece, tau });
    tau += piece.lasts;
    [u, v] = piece.at(piece.lasts);
    if (piece.exit) [u, v] = piece.exit(u, v);
  }
  const resting = pieces[pieces.length - 1].rests;
  const state = (time) => {
    let piece = pieces[0];
    for (const next of pieces) if (next.tau <= time) piece = next;
    const [x, y] = piece.at(time - piece.tau);
    return { u: [x], v: [y], beta: [x * y], log: piece.log(x, y) };
  };
  const ends = resting ? pieces[pieces.length - 1].tau : Infinity;
  return {
    state,
    pieces,
    breaks: pieces.map((piece) => piece.tau),
    slow: 1 / mu,
    end: resting ? { kind: "collapse", tau: ends } : { kind: "", tau: Infinity },
  };
}

// At L > 2 (u, v) goes the same way at another pace, the product of the further layers' hats, of
// which z_c^2 - z_u^2 is conserved; once a layer stays at 0, beta does
function layered(problem) {
  const { rho, depth, mu: [mu], rest } = problem;
  const { pieces } = quadrants(problem);
  const most = (label(problem) === 1 ? 99 : 9) / mu; // of the time x at L = 2
  const nodes = [];
  let [tau, c, held] = [0, rest];
  for (const piece of pieces) {
    const { at, side, lasts } = piece;
    if (!side) {
      held = piece;
      break;
    }
    const z = (x) => Math.abs(at(x)[0]) - rho * side;
    const gap = (c - rho * side) ** 2 - z(0) ** 2;
    const hat = (x) => Math.sqrt(z(x) ** 2 + gap);
    const end = Math.min(lasts, most);
    const f = (_, [x]) => [hat(Math.min(x, end + 1 / mu)) ** (depth - 2)]; // a trial may go far
    const about = (x) => {
      const [u, v] = at(x);
      const size = hat(x);
      const beta = [u * v * (size + rho * side) ** (depth - 2)];
      return { u: [u], v: [v], beta, log: piece.log(u, v, size ** (depth - 2)) };
    };
    const found = march(f, [0], ([x]) => x >= end || about(x).log > LATE);
    const past = found.at(-1).y[0] > lasts && found.pop();
    nodes.push(...found.map(({ x, y }) => ({ tau: tau + x, y, f, about })));
    if (!past) break;
    const last = found.at(-1);
    tau += last.x + bisect((h) => advance(f, 0, last.y, h)[0] > lasts, 0, past.x - last.x);
    c = hat(lasts) + rho * side;
  }
  if (held) {
    const [u, v] = held.at(0).map((x) => [x]);
    const about = () => ({ u, v, beta: [0], log: softplus(0) });
    nodes.push({ tau, y: [0], f: () => [0], about });
  }
  const state = (time) => {
    const near = nodes.findLast((node) => node.tau <= time);
    return near.about(advance(near.f, 0, near.y, time - near.tau)[0]);
  };
  return { nodes, state, breaks: [], end: held ? { kind: "collapse", tau } : { kind: "", tau: Infinity } };
}

function quadrant(u, v, mu, rho) {
  if (u === 0 && v === 0) {
    return { at: () => [0, 0], log: () => softplus(mu * rho ** 2), lasts: Infinity, rests: true };
  }
  const slides = rho > 0 && ((u === 0 && Math.abs(v) <= rho) || (v === 0 && Math.abs(u) <= rho));
  if (slides) {
    const size = Math.abs(u + v);
    const side = (x, sign) => softplus(mu * rho * (sign * rho - x));
    return {
      at: (tau) => [u, v].map((x) => Math.sign(x) * Math.max(0, size - mu * rho * tau) + 0),
      log: (x, y) => {
        const along = Math.abs(x + y);
        const share = (along + rho) / (2 * rho); // Filippov's, of the side where uv > 0
        return logAdd(Math.log(share) + side(along, 1), Math.log1p(-share) + side(along, -1));
      },
      lasts: size / (mu * rho),
      exit: () => [0, 0],
    };
  }
  const [a, b] = [Math.sign(u) || Math.sign(v), Math.sign(v) || Math.sign(u)]; // uv > 0 behind an axis
  const [c, k] = [rho * (a + b), rho * (b - a)];
  const at = (tau) => {
    const s = F.total(u + v, mu, tau, c);
    const e = F.difference(u - v, mu, tau, k);
    return [(s + e) / 2, (s - e) / 2];
  };
  // u = 0: (s - c) y^2 + (c + k) y + (e - k) = 0 with y = e^{mu tau} > 1; v = 0: e - k, k change sign
  const hits = [1, -1].map((sign) =>
    firstRoot(u + v - c, c + sign * k, sign * (u - v - k), (sign > 0 ? u : v) === 0));
  const [y, other] = hits[0] <= hits[1] ? [hits[0], 1] : [hits[1], 0];
  return {
    at,
    log: (x, y, more = 1) => softplus(mu * (x - rho * b) * (y - rho * a) * more),
    side: a * b,
    lasts: rho > 0 && y < Infinity ? Math.log(y) / mu : Infinity,
    exit: (x, y) => (other ? [0, y] : [x, 0]),
  };
}

function firstRoot(a, b, c, starts) {
  const root = Math.sqrt(b * b - 4 * a * c);
  if (!(root >= 0)) return Infinity;
  const half = -(b + (b < 0 ? -root : root)) / 2;
  const roots = [half / a, c / half].filter((y) => y > (starts ? 1 + 1e-12 : 1));
  return roots.length ? Math.min(...roots) : Infinity;
}

// ---- ASAM (p = 2) at L = 2, balanced: logs of the sizes
function asamLimit({ rho, mu }) {
  const filled = (level) => total(mu.map((m) => Math.max(0, 1 - level / m) ** 2));
  const level = bisect((x) => filled(x) < rho ** 2 / 2, -Math.max(...mu), Math.max(...mu));
  const lean = mu.map((m) => Math.max(0, 1 - level / m) / m);
  const size = total(lean);
  const kept = lean.filter((x) => x > 0).length;
  const close = mu.some((m) => Math.abs(m - level) < 1e-12 * Math.max(...mu)); // to leaving or staying
  return {
    label: close ? CLOSE : kept > 1 ? OTHER : lean.findIndex((x) => x > 0) + 1,
    shares: lean.map((x) => x / size),
  };
}

function adaptive({ rho, mu, u }) {
  const leans = (beta) => {
    const q = total(beta.map((x, j) => (mu[j] * x) ** 2));
    return beta.map((x, j) => F.lean(x, mu[j], q));
  };
  const sizes = (y) => y.map((x) => Math.exp(2 * x));
  const about = (y) => {
    const beta = sizes(y);
    const r = leans(beta);
    const w = y.map(Math.exp);
    return { u: w, v: w, beta, log: softplus(total(mu.map((m, j) => F.margin3(beta[j], m, rho, r[j])))) };
  };
  const f = (_, y) => leans(sizes(y)).map((r, j) => F.pace(mu[j], rho, r));
  const nodes = march(f, u.map(Math.log), (y) => about(y).log > LATE);
  const state = (tau) => {
    const near = nodes.findLast((node) => node.x <= tau);
    return about(advance(f, near.x, near.y, tau - near.x));
  };
  const last = nodes[nodes.length - 1].x;
  return { nodes: nodes.map(({ x }) => ({ tau: x })), state, breaks: [], last, end: { kind: "", tau: Infinity } };
}

// ---- a run with its nodes and both clocks
export function run(problem) {
  const { rule, rho, depth, u, v } = problem;
  const even = u.every((x, j) => x === v[j] && x > 0);
  const make = rho > 0 && rule === "l2" ? planar : rule === "asam" ? adaptive : problem.rest && depth > 2 ? layered : even ? balanced : quadrants;
  const made = make(problem);
  const times = made.nodes ? made.nodes.map(({ tau }) => tau) : spread(label(problem), made);
  const clock = [0];
  let before = made.state(0).log;
  for (let k = 1; k < times.length; k++) {
    const log = made.state(times[k]).log;
    const gain = integral(made, times[k - 1], times[k], before, log);
    clock.push(logAdd(clock[k - 1], gain));
    before = log;
  }
  const logTime = (tau) => {
    if (made.end.kind === "blow-up" && tau >= made.end.tau) return Infinity;
    const k = times.findLastIndex((x) => x <= tau);
    if (times[k] === tau) return clock[k];
    const ends = [times[k], tau].map((x) => made.state(x).log);
    return logAdd(clock[k], integral(made, times[k], tau, ...ends));
  };
  return { ...made, times, clock, logTime, last: times[times.length - 1] };
}

// Times for closed forms: even; in the logarithm of what is left before a blow-up, and in that of
// tau where the path comes to rest as tau -> inf
function spread(winner, { state, breaks, slow, end }) {
  const blows = end.kind === "blow-up";
  const rests = end.kind === "" && (winner === 0 || [STALLED, SEPARATRIX, CLOSE].includes(winner));
  const time = (x) => (blows ? -end.tau * Math.expm1(-x) : rests ? slow * Math.expm1(x) : x);
  const over = (x) => (blows ? state(time(x)).log > LATE : late(winner, state(x)));
  let most = blows ? 36 : 9 * slow;
  if (end.kind === "collapse") most = end.tau;
  else if (rests) most = 5;
  else {
    if (!blows) while (!over(most) && most < 9999 * slow) most *= 2;
    if (over(most)) most = bisect(over, 0, most);
  }
  const even = Array.from({ length: 241 }, (_, k) => time((most * k) / 240));
  const turns = breaks.filter((x) => x > 0).flatMap((x) => [x * (1 - 1e-13), x]).filter((x) => x <= even[240]);
  return [...even, ...turns].sort((a, b) => a - b).filter((x, k, all) => x !== all[k - 1]);
}

// log of the integral of dt/dtau: its log as a line on a panel and on both halves, extrapolated
function integral(path, a, b, first, last) {
  const middle = (a + b) / 2;
  const { log } = path.state(middle);
  const bend = Math.abs(log - (first + last) / 2);
  if (bend < 0.02 * Math.max(1, log / 2) || b - a < 1e-12 * b) {
    const half = (b - a) / 2;
    const two = logAdd(straight(half, first, log), straight(half, log, last));
    const one = straight(b - a, first, last) - two;
    return Math.abs(one) < 0.1 ? two - Math.expm1(one) / 3 : two;
  }
  if (last > log + 45 && log > first) return integral(path, middle, b, log, last);
  return logAdd(integral(path, a, middle, first, log), integral(path, middle, b, log, last));
}

function straight(h, a, b) {
  const rise = Math.abs(b - a);
  return Math.max(a, b) + Math.log(h) + (rise > 1e-8 ? Math.log(-Math.expm1(-rise) / rise) : -rise / 2);
}
