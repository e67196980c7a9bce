// Pictures of planes as SVG in strings: pure functions of a scene {state, model, ink, memo, width}.

const text = (x, y, words, more = "") => `<text x="${x}" y="${y}" ${more}>${words}</text>`;
const points = (list) => list.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
const curve = (list, more) => `<polyline points="${points(list)}" fill="none" ${more}/>`;

function ticks(low, high, count) {
  const raw = (high - low) / count;
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = unit * [1, 2, 5, 10].find((x) => x * unit >= raw * 0.999);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, k) => tidy((first + k) * step));
}

// A frame: two maps from values to pixels, and the axes drawn around it
function frame({ width, height, x, y, names, xTicks, yTicks, margins = [8, 10, 38, 46] }, ink) {
  const [top, right, bottom, left] = margins;
  const map = ([low, high], from, to) => (value) => from + ((value - low) / (high - low)) * (to - from);
  const [px, py] = [map(x, left, width - right), map(y, height - bottom, top)];
  const inside = `x="${left}" y="${top}" width="${width - left - right}" height="${height - top - bottom}"`;
  const word = (tick) => (Array.isArray(tick) ? tick : [tick, show(tick)]);
  const marks = (xTicks || ticks(...x, 4)).map(word).map(([at, name]) =>
    text(px(at), height - bottom + 16, name, `text-anchor="middle"`)).join("")
    + (yTicks || ticks(...y, 4)).map(word).map(([at, name]) => text(left - 6, py(at) + 4, name, `text-anchor="end"`)).join("");
  const labels = text((left + width - right) / 2, height - 4, names[0], `text-anchor="middle"`)
    + text(12, (top + height - bottom) / 2, names[1], `text-anchor="middle" transform="rotate(-90 12 ${(top + height - bottom) / 2})"`);
  const axes = `<g font-size="12" fill="${ink.soft}">${marks}${labels}</g><rect ${inside} fill="none" stroke="${ink.soft}"/>`;
  const back = (map, pixel) => (pixel - map(0)) / (map(1) - map(0));
  const inverse = { x: (pixel) => back(px, pixel), y: (pixel) => back(py, pixel) };
  return { px, py, ...inverse, inside, axes, left, right: width - right, top, bottom: height - bottom, width, height };
}

const named = (value, view) => {
  if (value >= 1) return view === "layers" ? "grows" : `feature ${value} wins`;
  return { 0: view === "layers" ? "no escape" : "collapse", [OTHER]: "a mixture", [STALLED]: "stalls", [TIE]: "tie" }[value];
};
// The colour of a limit on a paper, opaque: regions lie over each other
function fill(value, { shade, faint, paper }) {
  const part = value ? shade : faint;
  const channels = (hex) => [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));
  const under = channels(paper);
  return `rgb(${channels(FACTS.colours[value]).map((x, k) => Math.round(part * x + (1 - part) * under[k]))})`;
}
const ruleLine = (ink, rule) => `stroke="${ink.rules[rule]}" stroke-width="2.4" ${rule === "GD" ? 'stroke-dasharray="7 4"' : ""}`;

// A name for each region, in the middle of its widest place
function nameRegions(parts, { px, py }, [low, high], view) {
  const cells = 14;
  const centre = (k) => low + ((high - low) * (k + 0.5)) / cells;
  const tops = Array.from({ length: cells ** 2 }, (_, k) => {
    const [i, j] = [k % cells, Math.floor(k / cells)];
    return { i, j, label: parts.findLast((part) => holds(part.points, centre(i), centre(j)))?.label };
  });
  return [...new Set(tops.map((top) => top.label))].map((value) => {
    const others = tops.filter((top) => top.label !== value);
    const room = ({ i, j }) => Math.min(i + 1, cells - i, 2 * j + 2, 2 * (cells - j),
      ...others.map((other) => Math.hypot(i - other.i, 2 * (j - other.j))));
    const own = tops.filter((top) => top.label === value);
    const worth = (top) => room(top) - top.j / 8; // rather low: starts are often above
    const best = Math.max(...own.map(worth));
    const places = own.filter((top) => worth(top) === best);
    const { i, j } = places[Math.floor(places.length / 2)];
    return own.length < 5 ? "" : text(px(centre(i)), py(centre(j)) + 5, named(value, view), 'text-anchor="middle"');
  }).join("");
}

function arrows({ px, py }, [low, high], problem, ink) {
  const velocity = velocityOf(problem);
  let path = "";
  for (let i = 0; i < 9; i++) {
    for (let j = 0; j < 9; j++) {
      const [x, y] = [i, j].map((k) => low + ((high - low) * (k + 0.5)) / 9);
      const [a, b] = velocity(x, y);
      const size = Math.hypot(a, b);
      if (!(size > 0)) continue;
      const [dx, dy] = [(7 * a) / size, (-7 * b) / size];
      const [X, Y] = [px(x) + dx, py(y) + dy];
      path += `M${(X - 2 * dx).toFixed(1)} ${(Y - 2 * dy).toFixed(1)}L${X.toFixed(1)} ${Y.toFixed(1)}`
        + `m${(-0.6 * dx - 0.4 * dy).toFixed(1)} ${(-0.6 * dy + 0.4 * dx).toFixed(1)}L${X.toFixed(1)} ${Y.toFixed(1)}`
        + `l${(-0.6 * dx + 0.4 * dy).toFixed(1)} ${(-0.6 * dy - 0.4 * dx).toFixed(1)}`;
    }
  }
  return `<path d="${path}" fill="none" stroke="${ink.ink}" stroke-opacity=".35"/>`;
}

const clipped = ({ left, top, right, bottom }, inner) =>
  `<svg x="${left}" y="${top}" width="${right - left}" height="${bottom - top}" viewBox="${left} ${top} ${right - left} ${bottom - top}" style="width:auto">${inner}</svg>`;
const bold = (ink, inner, size = 14) => `<g font-size="${size}" font-weight="600" fill="${ink.ink}" stroke="${ink.paper}"
  stroke-width="3" stroke-linejoin="round" paint-order="stroke">${inner}</g>`;
const upright = ({ top, bottom }, x, ink, more = 'stroke-width="1.5"') =>
  `<line x1="${x}" x2="${x}" y1="${top}" y2="${bottom}" stroke="${ink.ink}" ${more}/>`;
const finite = ([x, y]) => Math.abs(x) < 1e5 && Math.abs(y) < 1e5;
const dot = ([x, y], rule, ink) => (finite([x, y])
  ? `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="4.5" fill="${ink.rules[rule]}" stroke="${ink.paper}"/>` : "");


// A picture: {plot, ground, lines, at, says, to}. The ground changes less often than the lines; `at`
// is where the handle is, and `to(x, y)` the change of state that puts it there.
function planePicture({ state, model, ink, memo, width }) {
  const { view, rule, start, layers } = state;
  const { problem, both } = model;
  const two = view === "plane";
  const at = two ? start : layers;
  const least = (rule === "GD" ? 1 : problem.rho) * (two ? 1.6 : 3);
  const reach = 2 ** Math.ceil(Math.log2(Math.max(least, ...at.map(Math.abs))) - 1e-9);
  const range = [two ? 0 : -reach, reach];
  const names = two ? ["start weight α₁ of feature 1", "start weight α₂ of feature 2"] : ["layer 1: u", "layer 2: v"];
  const plot = frame({ width, height: width, x: range, y: range, names }, ink);
  const pixel = ([x, y]) => [plot.px(x), plot.py(y)];
  const here = ({ u, v }) => pixel(two ? u : [u[0], v[0]]);
  const ground = memo("ground", [view, problem.rule, problem.rho, problem.depth, problem.mu, reach, width, ink.paper], () => {
    const parts = two ? regions(problem, reach) : layerRegions(problem, reach);
    const shapes = parts.map((part) => `<polygon points="${points(part.points.map(pixel))}" fill="${fill(part.label, ink)}" stroke="${ink.ink}"/>`);
    const inner = shapes.join("") + arrows(plot, range, problem, ink) + bold(ink, nameRegions(parts, plot, range, view));
    return `<rect ${plot.inside} fill="${ink.paper}"/>${clipped(plot, inner)}${plot.axes}`;
  });
  const paths = both.map(({ rows, problem: own }) => curve(rows.map(here).filter(finite), ruleLine(ink, own.rule)));
  const dots = both.map(({ now, problem: own }) => dot(here(now), own.rule, ink));
  const to = (x, y) => {
    const unit = reach / 400;
    const next = [x, y].map((value) => tidy(clamp(Math.round(value / unit), two ? 1 : -400, 400) * unit));
    return two ? { start: next } : { layers: next };
  };
  const says = (two ? ["α₁", "α₂"] : ["u", "v"]).map((name, k) => `${name} ${show(at[k])}`).join(", ");
  return { plot, ground, lines: clipped(plot, [...paths.reverse(), ...dots].join("")), at, says, to };
}

function stripPicture({ state, model, ink, memo, width }) {
  const { mu, rho } = model.problem;
  const table = memo("strip", [mu, rho], () => stripTable(mu, rho));
  const { range, tall, gates } = table;
  const xTicks = ticks(...range.map(Math.exp), 5).map((x) => [Math.log(x), show(x)]).filter(([x]) => x > range[0]);
  const names = ["start weight α of every feature (log scale)", "rescaled time τ"];
  const size = { width, height: Math.min(width, 470), margins: [24, 78, 38, 46] };
  const plot = frame({ ...size, x: range, y: [0, tall], names, xTicks }, ink);
  const ground = memo("ground", [mu, rho, width, ink.paper, table.cells.length], () => {
    const small = `text-anchor="middle" font-size="12" fill="${ink.ink}"`;
    let taken = 0;
    const marks = [[gates.critical, "α*"], ...gates.steps.map((x, k) => [x, `a${sub(k + 1)}`])].map(([alpha, name]) => {
      const x = plot.px(Math.log(alpha));
      const free = x > taken + 20;
      if (free) taken = x;
      return upright(plot, x, ink, 'stroke-dasharray="2 3"') + (free ? text(x, plot.top - 8, name, small) : "");
    });
    const best = mu.indexOf(Math.max(...mu)) + 1;
    const side = plot.right + 14;
    const gd = `<rect x="${side}" y="${plot.top}" width="44" height="${plot.bottom - plot.top}" fill="${fill(best, ink)}" stroke="${ink.soft}"/>`
      + text(side + 22, plot.top - 8, "GD", small) + bold(ink, text(side + 22, (plot.top + plot.bottom) / 2, best, 'text-anchor="middle"'));
    return `<rect ${plot.inside} fill="${ink.paper}"/>${clipped(plot, stripShapes(table, plot, ink))}${marks.join("")}${gd}${plot.axes}`;
  });
  const { tau } = model.sam.now;
  const at = [clamp(Math.log(state.alpha), ...range), clamp(tau, 0, tall)];
  const to = (x, y) => ({ alpha: +Math.exp(clamp(x, ...range)).toPrecision(4), tau: clamp(y, 0, tall) });
  const lines = upright(plot, plot.px(at[0]), ink);
  return { plot, ground, lines, at, says: `α ${show(state.alpha)}, τ ${show(tau)}`, to, table };
}

// Leaders over (alpha, tau): columns are added by `fillStrip` when nothing else is to do
const [COLUMNS, ROWS] = [150, 150];
function stripTable(mu, rho) {
  const gates = thresholds(mu, rho);
  const major = gates.steps.at(-1) || gates.critical;
  const range = [0.6 * gates.critical, Math.max(1.2 * major, 1.6 * gates.critical)].map(Math.log);
  const u = mu.map(() => gates.critical * 1.06);
  const tall = run({ rule: "l2", rho, depth: 2, mu, u, v: u }).last;
  return { mu, rho, gates, range, tall, cells: [] };
}

function fillStrip({ mu, rho, range: [low, high], tall, cells }, milliseconds) {
  const until = performance.now() + milliseconds;
  const taus = Array.from({ length: ROWS }, (_, k) => (tall * (k + 0.5)) / ROWS);
  while (cells.length < COLUMNS && performance.now() < until) {
    cells.push(leaders({ mu, rho }, Math.exp(low + ((high - low) * (cells.length + 0.5)) / COLUMNS), taus));
  }
  return cells.length === COLUMNS;
}

function stripShapes({ cells }, plot, ink) {
  const [wide, high] = [(plot.right - plot.left) / COLUMNS, (plot.bottom - plot.top) / ROWS];
  const paths = {};
  const sums = {};
  cells.forEach((column, i) => {
    for (let j = 0, k; j < ROWS; j = k) {
      const leader = column[j];
      for (k = j; k < ROWS && column[k] === leader; k++);
      const box = [plot.left + i * wide, plot.bottom - k * high, wide + 0.3, (k - j) * high + 0.3].map((z) => z.toFixed(1));
      paths[leader] = `${paths[leader] || ""}M${box[0]} ${box[1]}h${box[2]}v${box[3]}h-${box[2]}z`;
      (sums[leader] ||= []).push([k - j, i, (j + k) / 2]);
    }
  });
  const shapes = Object.entries(paths).map(([leader, d]) =>
    `<path d="${d}" fill="${+leader ? fill(leader, ink) : ink.paper}"/>`);
  const names = cells.length < COLUMNS ? [] : Object.entries(sums).map(([leader, runs]) => {
    const count = total(runs.map(([size]) => size));
    const middle = total(runs.map(([size, i]) => size * i)) / count;
    const [, i, j] = runs.reduce((a, b) => (Math.abs(b[1] - middle) < Math.abs(a[1] - middle) ? b : a));
    const words = +leader ? `${leader} leads` : "collapsed";
    return count * wide * high < 6000 ? "" : text(plot.left + (i + 0.5) * wide, plot.bottom - j * high, words, 'text-anchor="middle"');
  });
  return shapes.join("") + bold(ink, names.join(""));
}

function holds(polygon, x, y) {
  let inside = false;
  polygon.forEach(([a, b], k) => {
    const [c, d] = polygon[(k + 1) % polygon.length];
    if (b > y !== d > y && x < ((c - a) * (y - b)) / (d - b) + a) inside = !inside;
  });
  return inside;
}
