// The explorer's face: mount(element, state, onState) draws a state and reports every change of it.
// Everything is inside a shadow root: no ids, no globals, no address, so several fit on one page.

const RULES = { GD: "GD", linf: "ℓ∞-SAM", l2: "ℓ₂-SAM", asam: "ASAM" };
const VIEWS = { plane: "Two features", layers: "Two layers", strip: "Minor first" };
const FIRST = {
  view: "plane", rule: "linf", rho: 1, depth: 2, mu: [1, 2], start: [1.5, 0.6],
  layers: [-0.7, 2.4], alpha: 0.467, time: 0.4, clock: "tau",
};
const PRESETS = [
  ["GD and SAM part here", { ...FIRST }],
  ["Minor first", { ...FIRST, view: "strip", rule: "l2", mu: [1, 2, 3], alpha: 0.46, time: 0.25 }],
  ["The descent 2-1-2-3", { ...FIRST, view: "strip", rule: "l2", mu: [1, 1.5, 6], time: 0.1 }],
  ["Collapse", { ...FIRST, start: [0.5, 0.6], time: 0.1 }],
  ["ASAM shares", { ...FIRST, rule: "asam", mu: [1, 1.3], rho: 0.8, start: [0.3, 0.9], time: 0.6 }],
];
const THEMES = {
  light: {
    paper: "#ffffff", ink: "#1d1d1d", soft: "#595959", grid: "#d9d9d9", shade: 1, faint: 1,
    lines: ["#0072B2", "#A86A00", "#00735A", "#A8477D", "#6E6100", "#4054B2", "#B4501E", "#666666"],
    rules: { GD: "#000000", linf: "#0072B2", l2: "#C24E00", asam: "#00735A" },
  },
  dark: {
    paper: "#15181c", ink: "#f0f0f0", soft: "#b4b8bd", grid: "#3c4148", shade: 0.5, faint: 0.2,
    lines: ["#74BCEB", "#F6CF6B", "#3CC79B", "#E5A9CC", "#F3EC8A", "#A5B2FF", "#F0A070", "#C4C4C4"],
    rules: { GD: "#ffffff", linf: "#74BCEB", l2: "#FF9A55", asam: "#3CC79B" },
  },
};
const CSS = `
:host { display: block; container-type: inline-size; }
.page { font: 15px/1.45 system-ui, "Helvetica Neue", Arial, sans-serif; color: var(--ink);
  background: var(--paper); max-width: 1240px; margin: 0 auto; padding: 12px 16px 24px;
  display: grid; gap: 6px 28px; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
  grid-template-areas: "head head" "picture say" "picture time" "picture charts" "knobs charts" "foot foot";
  grid-template-rows: auto auto auto auto 1fr auto; }
.head { grid-area: head } .picture { grid-area: picture } .knobs { grid-area: knobs } .say { grid-area: say }
.time { grid-area: time } .charts { grid-area: charts } .foot { grid-area: foot }
h1 { font-size: 21px; line-height: 1.25; margin: 0 0 2px; } p { margin: 4px 0; }
.soft, .charts h2 { color: var(--soft); } .caption { font-size: 13px; } .say { min-height: 7.5em; } .say .verdict { font-size: 18px; font-weight: 600; }
h2 { font-size: 13px; font-weight: 600; margin: 8px 0 0; }
.row { display: flex; flex-wrap: wrap; gap: 4px 12px; align-items: center; margin: 4px 0; }
.pick { display: inline-flex; flex-wrap: wrap; border: 0; padding: 0; margin: 0; }
.pick label { border: 1px solid var(--soft); margin-left: -1px; padding: 4px 11px; cursor: pointer; }
.pick input { position: absolute; opacity: 0; } .pick label:has(:checked) { background: var(--ink); color: var(--paper); }
.pick label:has(:disabled) { opacity: .45; cursor: default; } .pick label:has(:focus-visible) { outline: 3px solid #0072B2; }
.knob { display: grid; grid-template-columns: 9.5em 1fr 5.4em; gap: 10px; align-items: center; margin: 3px 0; }
input[type=range] { width: 100%; min-width: 0; accent-color: var(--accent); height: 24px; margin: 0; }
input[type=number], input[type=text] { font: inherit; color: inherit; background: var(--paper); box-sizing: border-box;
  border: 1px solid var(--soft); padding: 2px 5px; width: 100%; min-width: 0; }
button { font: inherit; color: var(--ink); background: none; border: 1px solid var(--soft); padding: 4px 11px; cursor: pointer; }
a { color: var(--link); } svg { display: block; width: 100%; overflow: hidden; }
.handle { cursor: grab; touch-action: none; outline: none; } .handle:focus-visible .ring { stroke-width: 5; }
.area { cursor: crosshair; } [hidden] { display: none !important; }
math { font-size: 16px; margin: 8px 0; font-family: "STIX Two Math", "Cambria Math", "Latin Modern Math", Georgia, serif; }
.formulas { overflow-x: auto; } pre { font-size: 12px; overflow: auto; border: 1px solid var(--grid); padding: 8px; margin: 4px 0; }
@container (max-width: 760px) {
  .page { grid-template-columns: minmax(0, 1fr); grid-template-rows: none; padding: 8px 12px 20px;
    grid-template-areas: "head" "picture" "say" "time" "knobs" "charts" "foot"; }
  .knob { grid-template-columns: 7.4em 1fr 4.8em; } h1 { font-size: 18px; } .say { min-height: 9em; }
}`;

const radios = (name, options, title) => `<fieldset class="pick" aria-label="${title}">${Object.entries(options)
  .map(([value, words]) => `<label><input type="radio" name="${name}" value="${value}">${words}</label>`).join("")}</fieldset>`;
const knob = (name, words, low, high, step) => `<label class="knob ${name}"><span>${words}</span>
  <input type="range" min="${low}" max="${high}" step="${step}" aria-label="${words}">
  <input type="number" step="any" aria-label="${words}, typed"></label>`;
const LAYOUT = `
<header class="head"><h1>Drag the start, see where training ends</h1>
<p class="soft lead"></p><div class="row">${radios("view", VIEWS, "Picture")}</div>
<p class="presets">Examples: ${PRESETS.map(([name, to]) =>
  `<a href="#${encodeURIComponent(JSON.stringify(to))}">${name}</a>`).join(" · ")}</p></header>
<div class="picture"><svg class="area" role="group"><g class="scene"></g>
<g class="handle" role="slider" tabindex="0"><circle r="24" fill="transparent"/>
<circle class="ring" r="10" stroke-width="3"/><circle r="3"/><text class="hint" x="14" y="30" font-size="14" font-weight="600" stroke-width="6" paint-order="stroke">drag me</text></g></svg><p class="soft caption"></p></div>
<div class="knobs"><div class="row">${radios("rule", RULES, "Rule")}</div>
${knob("ratio", "μ₂ / μ₁", -1.1, 1.1, 0.01)}${knob("rho", "radius ρ", -1.1, 0.7, 0.01)}${knob("depth", "layers L", 1, 6, 1)}
<label class="knob mu"><span>features μ</span><input type="text" aria-label="features mu, up to 8 numbers" style="grid-column: 2 / 4"></label>
<div class="row starts">start <label>α₁ <input type="number" step="any" class="first" style="width: 6em"></label>
<label>α₂ <input type="number" step="any" class="second" style="width: 6em"></label></div></div>
<section class="say" aria-label="What happens"><p class="verdict" aria-live="polite"></p><p class="why"></p><p class="now"></p></section>
<div class="time"><label class="row"><span>time</span><input class="clock" type="range" min="0" max="1" step="0.001" style="flex: 1" aria-label="time"></label>
<div class="row"><button class="play">Play</button>${radios("clock", { tau: "rescaled τ", log: "log(1+t)" }, "Clock")}</div></div>
<div class="charts"></div>
<footer class="foot"><div class="row"><button class="copy">Copy as Python</button><button class="svg">Save SVG</button>
<button class="png">Save PNG</button><span class="soft">flowsam ${FACTS.version}</span></div><pre class="code" hidden></pre>
<details><summary>Formulas that this page runs</summary><div class="formulas"></div></details></footer>`;

const sub = (j) => "₀₁₂₃₄₅₆₇₈"[j] || j;
const clamp = (x, low, high) => Math.min(high, Math.max(low, x));
const show = (x) => (Math.abs(x) >= 1e4 || (x !== 0 && Math.abs(x) < 1e-3) ? x.toExponential(2) : String(+x.toPrecision(4)));
const percent = (x) => `${(100 * x).toFixed(x > 0.995 && x < 1 ? 2 : 0)} %`;
const tidy = (x) => +x.toPrecision(12);

// A state from anywhere: unknown words and numbers out of range give way to the first state's
function clean(given) {
  const state = { ...FIRST };
  const number = (x, low, high) => typeof x === "number" && x >= low && x <= high;
  const put = (name, fits) => { if (given && name in given && fits(given[name])) state[name] = given[name]; };
  const list = (x, few, many, fits) => Array.isArray(x) && x.length >= few && x.length <= many && x.every(fits);
  put("view", (x) => Object.hasOwn(VIEWS, x));
  put("rule", (x) => Object.hasOwn(RULES, x));
  put("rho", (x) => number(x, 1e-3, 1e3));
  put("depth", (x) => Number.isInteger(x) && number(x, 1, 6));
  put("mu", (x) => list(x, 1, 8, (m) => number(m, 1e-2, 1e2)));
  put("start", (x) => list(x, 2, 2, (a) => number(a, 1e-6, 1e4)));
  put("layers", (x) => list(x, 2, 2, (a) => number(a, -1e4, 1e4)));
  put("alpha", (x) => number(x, 1e-6, 1e4));
  put("time", (x) => number(x, 0, 1));
  put("clock", (x) => x === "tau" || x === "log");
  if (state.view === "layers" && state.rule === "asam") state.rule = "linf";
  if (state.view === "strip") state.rule = "l2";
  if (state.view !== "plane" || state.rule === "l2" || state.rule === "asam") state.depth = 2;
  if (state.rule === "asam") state.rho = Math.min(state.rho, 1.4);
  return state;
}

// The problem a state poses, for its rule or for GD
function problemOf({ view, rule, rho, depth, mu, start, layers, alpha }) {
  const facts = { rule, rho: rule === "GD" ? 0 : rho, depth };
  if (view === "layers") return { ...facts, mu: [mu[0]], u: [layers[0]], v: [layers[1]] };
  if (view === "strip") return { ...facts, mu, u: mu.map(() => alpha), v: mu.map(() => alpha) };
  const two = mu.length > 1 ? mu.slice(0, 2) : [mu[0], 2 * mu[0]];
  return { ...facts, mu: two, u: start, v: start };
}

function python(state) {
  const { rule, rho, depth, mu, u, v } = problemOf(state);
  const made = { GD: "gradient_flow", linf: "linf", l2: "l2", asam: "asam" }[rule];
  const layers = state.view === "layers";
  const names = ["Flow", made, "limit", "single_example", ...(layers ? [] : ["balanced"])].sort((a, b) =>
    a.toLowerCase() < b.toLowerCase() ? -1 : 1);
  const start = layers ? `[[${u}], [${v}]]` : `balanced([${u.join(", ")}], ${depth})`;
  return `from flowsam import ${names.join(", ")}

flow = Flow(single_example([${mu.join(", ")}]), ${made}(${rule === "GD" ? "" : rho}))
print(limit(flow, ${start}))
`;
}

// ---- words
const ordinal = (mu, label) => {
  if (mu.length < 2) return "";
  if (mu[label - 1] === Math.max(...mu)) return ", the major one";
  return mu[label - 1] === Math.min(...mu) ? ", the minor one" : "";
};

function ending(label, problem) {
  const { mu } = problem;
  if (label >= 1) {
    return mu.length > 1 ? `ends on feature ${label}${ordinal(mu, label)}` : "escapes: the predictor grows for ever";
  }
  return {
    0: "collapses to 0",
    [OTHER]: "ends in a mixture of the features",
    [STALLED]: "stalls at a finite predictor",
    [TIE]: "ends in a tie: the leading features share the predictor",
    [SEPARATRIX]: "stays on the separatrix",
    [CLOSE]: "is too close to the boundary to tell",
  }[label];
}

function reason(label, problem, path) {
  const { rule, rho, depth, mu, u, v } = problem;
  const sam = rule === "linf" && rho > 0;
  if (label === CLOSE) {
    return depth === 2 ? `The start is nearer to the separatrix than this page can compute (${BAND} of its scale). Move it a little.`
      : "The scores of the two features differ by less than a part in 10¹². Move it a little.";
  }
  if (depth === 1) return "With one layer every rule moves along μ: the direction tends to μ/‖μ‖ from any start.";
  if (rule === "asam") {
    const shares = asamLimit(problem).shares.map((x, j) => `feature ${j + 1}: ${percent(x)}`).join(", ");
    return `ASAM's limit does not depend on the start: ${shares} of the predictor.`;
  }
  if (label === TIE) return "Their scores are equal, so none of them gets ahead of the other.";
  if (label === SEPARATRIX) {
    return mu.length > 1 ? "A start weight equals ρ exactly and none is larger: an unstable equilibrium. The smallest push decides."
      : rho ? "The start is exactly on the boundary: it tends to an unstable equilibrium." : "u + v = 0: it decays to 0 without ever reaching it.";
  }
  if (label === STALLED) return `No start weight is above ρ, and with an odd number of layers the weights tend to ρ: each βⱼ tends to at most ρ^${depth}.`;
  if (label === 0) {
    const when = path.end.tau < Infinity ? ` at τ = ${show(path.end.tau)}` : "";
    if (rule === "l2") return `The start is inside the separatrix: every weight falls to 0${when}.`;
    return mu.length > 1 ? `No start weight is above ρ: each is pushed to 0${when}, and training stands still.` : `The start is inside the boundary: both layers reach 0${when}.`;
  }
  if (mu.length === 1) return rule === "GD" ? "u + v is not 0." : "The start is outside the boundary.";
  if (rule === "l2") return "The start is outside the separatrix, and of the features that grow the one with the largest μ wins.";
  const score = depth === 2 ? "the largest μ" : `the largest score μⱼ${sam ? `(αⱼ − ρ)` : "αⱼ"}${depth > 3 ? `^${depth - 2}` : ""}`;
  const over = u.filter((x) => x > rho).length;
  if (sam && over < u.length) return over === 1 ? `Only α${sub(label)} is above ρ: the other feature dies or stays behind.` : `Of the features above ρ it has ${score}.`;
  return `It has ${score}${sam ? " of those above ρ" : ""}.`;
}

// ---- SVG in strings
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
  return { px, py, inside, axes, left, right: width - right, top, bottom: height - bottom, width, height };
}

export function mount(element, given, onState = () => {}) {
  const root = element.shadowRoot || element.attachShadow({ mode: "open" });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  root.innerHTML = `<style>${CSS}</style><div class="page">${LAYOUT}</div>`;
  const find = (name) => root.querySelector(name);
  const [area, scene, handle, charts] = [".area", ".scene", ".handle", ".charts"].map(find);
  let state = clean(given);
  let ink, model, plot, playing, idle;
  const kept = new Map();
  const memo = (name, facts, make) => { // the last value made from the same facts
    const key = JSON.stringify(facts);
    if (kept.get(name)?.key !== key) kept.set(name, { key, value: make() });
    return kept.get(name).value;
  };

  // ---- what is known of a state
  const samples = (path) => {
    const { times, clock, last, end } = path;
    const every = Math.max(1, Math.floor(times.length / 150));
    const rows = [];
    for (let k = 0; k < times.length; k += every) {
      rows.push({ tau: times[k], T: clock[k], ...path.state(times[k]) });
      const gap = (times[k + every] ?? last) - times[k];
      const more = Math.min(40, Math.floor((gap / last) * 90)); // where the path's own steps are long
      for (let n = 1; n <= more; n++) {
        const tau = times[k] + (gap * n) / (more + 1);
        rows.push({ tau, T: path.logTime(tau), ...path.state(tau) });
      }
    }
    if (end.kind !== "collapse") rows.push({ tau: last, T: clock.at(-1), ...path.state(last) });
    return rows;
  };

  function compute() {
    const problem = problemOf(state);
    const gd = { ...problem, rule: "GD", rho: 0 };
    const known = (name, one) => memo(name, one, () => {
      const path = run(one);
      return { problem: one, label: label(one), path, rows: samples(path) };
    });
    const [sam, plain] = [known("sam", problem), known("gd", gd)];
    const lasts = [sam, plain].map(({ path }) => path.last);
    const late = Math.max(...[sam, plain].map(({ path }) => path.clock[path.clock.length - 1]));
    const tauEnd = Math.max(...lasts);
    const inTau = state.clock === "tau";
    const place = (tau, T) => (inTau ? tau / tauEnd : Math.log1p(T) / Math.log1p(late));
    const tauAt = (path, x) => {
      if (inTau) return x * tauEnd;
      const T = Math.expm1(x * Math.log1p(late));
      const k = path.clock.findLastIndex((value) => value <= T);
      if (k === path.clock.length - 1) return path.end.kind === "collapse" ? Infinity : path.last;
      const part = (T - path.clock[k]) / (path.clock[k + 1] - path.clock[k]);
      return path.times[k] + part * (path.times[k + 1] - path.times[k]);
    };
    const now = [sam, plain].map(({ path }) => {
      const tau = tauAt(path, state.time);
      const seen = path.end.kind === "collapse" ? tau : Math.min(tau, path.last);
      return { tau, ...path.state(seen), T: path.logTime(Math.min(seen, path.last)) };
    });
    return { problem, sam, plain, now, place, tauEnd, late };
  }

  // ---- the picture
  const named = (value) => {
    if (value >= 1) return state.view === "layers" ? "grows" : `feature ${value} wins`;
    return { 0: "collapse", [OTHER]: "a mixture", [STALLED]: "stalls", [TIE]: "tie" }[value];
  };
  const fill = (value) => FACTS.colours[value] || FACTS.colours[1];
  const ruleLine = (rule) => `stroke="${ink.rules[rule]}" stroke-width="2.4" ${rule === "GD" ? 'stroke-dasharray="7 4"' : ""}`;

  // A name for each region, in the middle of its widest place
  function nameRegions(parts, { px, py }, low, high) {
    const cells = 18;
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
      const best = Math.max(...own.map(room));
      const places = own.filter((top) => room(top) === best);
      const { i, j } = places[Math.floor(places.length / 2)];
      return own.length < 8 ? "" : text(px(centre(i)), py(centre(j)) + 5, named(value), 'text-anchor="middle"');
    }).join("");
  }

  function arrows({ px, py }, low, high) {
    const velocity = velocityOf(model.problem);
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
  const bold = (inner, size = 14) => `<g font-size="${size}" font-weight="600" fill="${ink.ink}" stroke="${ink.paper}"
    stroke-width="3" stroke-linejoin="round" paint-order="stroke">${inner}</g>`;

  function planePicture(width) {
    const { view, rule, start, layers } = state;
    const { problem, sam, plain, now } = model;
    const twoFeatures = view === "plane";
    const size = Math.max(...(twoFeatures ? start : layers.map(Math.abs)), (rule === "GD" ? 1 : problem.rho) * (twoFeatures ? 1.6 : 3));
    const reach = 2 ** Math.ceil(Math.log2(size) - 1e-9);
    const range = twoFeatures ? [0, reach] : [-reach, reach];
    const names = twoFeatures ? ["start weight α₁ of feature 1", "start weight α₂ of feature 2"] : ["layer 1: u", "layer 2: v"];
    plot = frame({ width, height: width, x: range, y: range, names }, ink);
    plot.move = (x, y) => {
      const unit = reach / 400;
      const [a, b] = [x, y].map((value) => tidy(clamp(Math.round(value / unit), twoFeatures ? 1 : -400, 400) * unit));
      set(twoFeatures ? { start: [a, b] } : { layers: [a, b] });
    };
    plot.at = twoFeatures ? start : layers;
    plot.says = twoFeatures ? `α₁ ${show(start[0])}, α₂ ${show(start[1])}` : `u ${show(layers[0])}, v ${show(layers[1])}`;
    const facts = [view, rule, problem.rho, problem.depth, problem.mu, reach];
    const parts = memo("parts", facts, () => (twoFeatures ? regions(problem, reach) : layerRegions(problem, reach)));
    const at = ([x, y]) => [plot.px(x), plot.py(y)];
    const shapes = parts.map((part) =>
      `<polygon points="${points(part.points.map(at))}" fill="${fill(part.label)}" fill-opacity="${part.label ? ink.shade : ink.faint}" stroke="${ink.ink}" stroke-width="1"/>`);
    const names_ = memo("names", [...facts, width], () => nameRegions(parts, plot, ...range));
    const path = ({ rows, problem: own }) => curve(rows.map(({ u, v }) => at(twoFeatures ? u : [u[0], v[0]])).filter(finite), ruleLine(own.rule));
    const dots = now.map(({ u, v }, k) => dot(at(twoFeatures ? u : [u[0], v[0]]), [sam, plain][k].problem.rule));
    return `<rect ${plot.inside} fill="${ink.paper}"/>` + clipped(plot, shapes.join("") + arrows(plot, ...range)
      + (rule === "GD" ? "" : path(plain)) + path(sam) + dots.join("") + bold(names_)) + plot.axes;
  }
  const finite = ([x, y]) => Math.abs(x) < 1e5 && Math.abs(y) < 1e5;
  const dot = ([x, y], rule) => (finite([x, y]) ? `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="4.5" fill="${ink.rules[rule]}" stroke="${ink.paper}"/>` : "");

  function stripPicture(width) {
    const { mu, rho } = model.problem;
    const gates = memo("gates", [mu, rho], () => thresholds(mu, rho));
    const major = gates.steps[gates.steps.length - 1] || gates.critical;
    const range = [0.6 * gates.critical, Math.max(1.2 * major, 1.6 * gates.critical)].map(Math.log);
    const tall = memo("tall", [mu, rho], () => {
      const u = mu.map(() => gates.critical * 1.06);
      return run({ rule: "l2", rho, depth: 2, mu, u, v: u }).last;
    });
    const marks = [[gates.critical, "α*"], ...gates.steps.map((x, k) => [x, `a${sub(k + 1)}`])];
    const xTicks = ticks(Math.exp(range[0]), Math.exp(range[1]), 5).map((x) => [Math.log(x), show(x)]).filter(([x]) => x > range[0]);
    const names = ["start weight α of every feature (log scale)", "rescaled time τ"];
    const margins = [24, 78, 38, 46];
    plot = frame({ width, height: Math.min(width, 470), x: range, y: [0, tall], names, xTicks, margins }, ink);
    plot.move = (x, y) => {
      state = clean({ ...state, alpha: +Math.exp(clamp(x, ...range)).toPrecision(4) });
      model = compute();
      const tau = clamp(y, 0, tall);
      const { path } = model.sam;
      set({ time: clamp(model.place(tau, path.logTime(Math.min(tau, path.last))), 0, 1) });
    };
    plot.at = [clamp(Math.log(state.alpha), ...range), clamp(model.now[0].tau, 0, tall)];
    plot.says = `α ${show(state.alpha)}, τ ${show(model.now[0].tau)}`;
    const table = strip(mu, rho, range, tall);
    const [columns, rows] = [table.alphas.length, table.taus.length];
    const [wide, high] = [(plot.right - plot.left) / columns, (plot.bottom - plot.top) / rows];
    const shapes = memo("shapes", [mu, rho, width, table.cells.length, dark.matches], () => {
      const paths = {};
      table.cells.forEach((cells, i) => {
        for (let j = 0, k; j < rows; j = k) {
          for (k = j; k < rows && cells[k] === cells[j]; k++);
          const [x, y, w, h] = [plot.left + i * wide, plot.bottom - k * high, wide + 0.3, (k - j) * high + 0.3].map((z) => z.toFixed(1));
          paths[cells[j]] = `${paths[cells[j]] || ""}M${x} ${y}h${w}v${h}h-${w}z`;
        }
      });
      const filled = Object.entries(paths).map(([leader, d]) =>
        `<path d="${d}" fill="${+leader ? fill(leader) : ink.paper}" fill-opacity="${ink.shade}"/>`);
      return filled.join("") + bold(leaderNames(table, wide, high));
    });
    const lines = marks.map(([x, name]) => `<line x1="${plot.px(Math.log(x))}" x2="${plot.px(Math.log(x))}" y1="${plot.top}" y2="${plot.bottom}" stroke="${ink.ink}" stroke-dasharray="2 3"/>`
      + text(plot.px(Math.log(x)), plot.top - 8, name, `text-anchor="middle" font-size="12" fill="${ink.ink}"`));
    const best = mu.indexOf(Math.max(...mu)) + 1;
    const side = plot.right + 14;
    const gd = `<rect x="${side}" y="${plot.top}" width="44" height="${plot.bottom - plot.top}" fill="${fill(best)}" fill-opacity="${ink.shade}" stroke="${ink.soft}"/>`
      + text(side + 22, plot.top - 8, "GD", `text-anchor="middle" font-size="12" fill="${ink.ink}"`) + bold(text(side + 22, (plot.top + plot.bottom) / 2, best, 'text-anchor="middle"'));
    const x = plot.px(plot.at[0]);
    const cursor = `<line x1="${x}" x2="${x}" y1="${plot.top}" y2="${plot.bottom}" stroke="${ink.ink}" stroke-width="1.5"/>`;
    return `<rect ${plot.inside} fill="${ink.paper}"/>` + clipped(plot, shapes + cursor) + lines.join("") + gd + plot.axes;
  }

  // Columns of leaders, made when nothing else is to do
  function strip(mu, rho, range, tall) {
    const table = memo("strip", [mu, rho], () => {
      const [columns, rows] = [150, 150];
      const alphas = Array.from({ length: columns }, (_, k) => Math.exp(range[0] + ((range[1] - range[0]) * (k + 0.5)) / columns));
      const taus = Array.from({ length: rows }, (_, k) => (tall * (k + 0.5)) / rows);
      return { alphas, taus, cells: [] };
    });
    const more = () => {
      const until = performance.now() + 10;
      while (table.cells.length < table.alphas.length && performance.now() < until) {
        table.cells.push(leaders({ mu, rho }, table.alphas[table.cells.length], table.taus));
      }
      idle = 0;
      if (state.view === "strip") draw();
    };
    if (table.cells.length < table.alphas.length && !idle) idle = setTimeout(more, 20);
    return table;
  }

  function leaderNames({ cells }, wide, high) {
    const sums = {};
    cells.forEach((column, i) => column.forEach((leader, j) => {
      const sum = (sums[leader] ||= [0, 0, 0]);
      [1, i, j].forEach((x, k) => { sum[k] += x; });
    }));
    return Object.entries(sums).filter(([, [count]]) => count > 300).map(([leader, [count, i, j]]) => {
      const at = cells.flatMap((column, a) => column.flatMap((value, b) => (value === +leader ? [[a, b]] : [])))
        .reduce((best, [a, b]) => { const far = Math.hypot(a - i / count, b - j / count); return far < best[0] ? [far, a, b] : best; }, [Infinity]);
      const words = +leader ? `${leader} leads` : "collapsed";
      return text(plot.left + (at[1] + 0.5) * wide, plot.bottom - at[2] * high, words, 'text-anchor="middle"');
    }).join("");
  }

  // ---- the charts beside it
  const timeTicks = () => {
    if (state.clock === "tau") return ticks(0, model.tauEnd, 5).map((x) => [x / model.tauEnd, show(x)]);
    const most = Math.floor(Math.log10(model.late * 1.01));
    const every = Math.max(1, Math.ceil(most / 6));
    const powers = Array.from({ length: Math.floor(most / every) + 1 }, (_, k) => k * every);
    return [[0, 0], ...powers.map((k) => [model.place(0, 10 ** k), power(k)])];
  };
  const power = (k) => (k >= 0 && k < 3 ? 10 ** k : `10${[...String(k)].map((c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] || "⁻").join("")}`);
  const sizeTicks = (top) => { const every = 2 * Math.ceil(top / 8); return Array.from({ length: Math.floor((top + 4) / every) + 1 }, (_, k) => [k * every - 4, power(k * every - 4)]); };
  const topSize = () => Math.min(44, Math.max(4, ...[model.sam, model.plain].flatMap(({ rows }) => rows.map(({ beta }) => Math.ceil(Math.log10(Math.max(...beta)))).filter((x) => x < 50))));
  const timeName = () => (state.clock === "tau" ? "rescaled time τ" : "log(1 + t), log scale");
  const nowLine = (box) => `<line x1="${box.px(state.time)}" x2="${box.px(state.time)}" y1="${box.top}" y2="${box.bottom}" stroke="${ink.ink}" stroke-width="1.5"/>`;
  const figure = (title, box, inner, words) => `<h2>${title}</h2><svg role="img" aria-label="${words}" viewBox="0 0 ${box.width} ${box.height}" height="${box.height}">${inner}</svg>`;

  function shareChart(width) {
    const both = state.rule === "GD" ? [model.sam] : [model.sam, model.plain];
    const box = frame({ width, height: 44 + 52 * both.length, x: [0, 1], y: [0, both.length], names: [timeName(), ""], xTicks: timeTicks(), yTicks: [], margins: [4, 10, 38, 62] }, ink);
    let inner = "";
    both.forEach(({ rows, problem }, k) => {
      const base = both.length - 1 - k;
      let below = rows.map(() => 0);
      problem.mu.forEach((_, j) => {
        const above = rows.map(({ beta }, n) => below[n] + Math.abs(beta[j]) / beta.reduce((a, b) => a + Math.abs(b), 0));
        const edge = (list) => rows.map(({ tau, T }, n) => [box.px(model.place(tau, T)), box.py(base + 0.04 + 0.92 * list[n])]).filter(finite);
        inner += `<polygon points="${points([...edge(above), ...edge(below).reverse()])}" fill="${fill(j + 1)}" fill-opacity="${ink.shade}" stroke="${ink.ink}" stroke-width=".6"/>`;
        below = above;
      });
      inner += text(box.left - 6, box.py(base + 0.5) + 4, RULES[problem.rule], `text-anchor="end" font-size="12" fill="${ink.ink}"`);
      if (model.sam.path.end.kind === "collapse" && k === 0) {
        const x = box.px(model.place(model.sam.path.end.tau, model.sam.path.clock.at(-1)));
        if (x < box.right - 70) inner += text(x + 6, box.py(base + 0.5) + 4, "collapsed", `font-size="12" fill="${ink.soft}"`);
      }
    });
    const words = both.map(({ problem }, k) => `${RULES[problem.rule]}: ${shares(model.now[k].beta).map((x, j) => `feature ${j + 1} ${percent(x)}`).join(", ")}`).join("; ");
    return figure(`Shares |βⱼ| / Σ|β|: ${legend()}`, box, inner + nowLine(box) + box.axes, `Shares of the predictor over time. Now ${words}`);
  }
  const legend = () => model.problem.mu.map((m, j) => `<span style="white-space:nowrap"><svg style="display:inline;width:11px" width="11" height="11" aria-hidden="true"><rect width="11" height="11" fill="${fill(j + 1)}"/></svg> feature ${j + 1} (μ = ${show(m)})</span>`).join(", ");

  function sizeChart(width) {
    const layers = state.view === "layers";
    const high = layers ? Math.max(2, 2 * Math.max(...state.layers.map(Math.abs))) : 4;
    const y = layers ? [-high / 2, high] : [-4, topSize()];
    const yTicks = layers ? undefined : sizeTicks(y[1]);
    const box = frame({ width, height: layers ? 300 : 170, x: [0, 1], y, names: [timeName(), layers ? "" : "size |βⱼ|"], xTicks: timeTicks(), yTicks, margins: [8, 10, 38, 62] }, ink);
    const value = (row, j) => (layers ? [row.beta[0], row.u[0], row.v[0]][j] : Math.log10(Math.abs(row.beta[j])));
    const line = ({ rows, problem }, j, more) => curve(rows.map((row) => [box.px(model.place(row.tau, row.T)), box.py(value(row, j))])
      .filter(finite), `stroke="${ink.lines[j]}" stroke-width="2" ${problem.rule === "GD" ? 'stroke-dasharray="6 4"' : ""} ${more || ""}`);
    let inner = "";
    const names = layers ? ["β = uv", "u", "v"] : model.problem.mu.map((_, j) => `β${sub(j + 1)}`);
    names.forEach((_, j) => {
      inner += line(model.sam, j);
      if (state.rule !== "GD" && !(layers && j)) inner += line(model.plain, j, 'opacity=".75"');
    });
    const words = names.map((name, j) => `<span style="color:${ink.lines[j]}">${name}</span>`).join(", ");
    const dashed = state.rule === "GD" ? "" : `; solid ${RULES[state.rule]}, dashed GD`;
    return figure(`Sizes over time: ${words}${dashed}`, box, clipped(box, inner + nowLine(box)) + box.axes, "Sizes of the predictor's entries over time");
  }

  function pathChart(width) {
    const top = topSize();
    const tick = sizeTicks(top);
    const box = frame({ width, height: 210, x: [-4, top], y: [-4, top], names: ["β₁", "β₂"], xTicks: tick, yTicks: tick, margins: [8, 10, 38, 62] }, ink);
    const at = ({ beta }) => [box.px(Math.log10(beta[0])), box.py(Math.log10(beta[1]))];
    const equal = `<line x1="${box.px(-4)}" y1="${box.py(-4)}" x2="${box.px(top)}" y2="${box.py(top)}" stroke="${ink.grid}"/>`;
    const both = state.rule === "GD" ? [model.sam] : [model.plain, model.sam];
    const lines = both.map(({ rows, problem }) => curve(rows.map(at).filter(finite), ruleLine(problem.rule)));
    const dots = model.now.map((row, k) => dot(at(row), [model.sam, model.plain][k].problem.rule));
    return figure("The predictor's path, log axes (grey: β₁ = β₂)", box, clipped(box, equal + lines.join("") + dots.join("")) + box.axes, "Path of the predictor in the plane of beta 1 and beta 2");
  }

  function coneChart(width) {
    const { mu } = model.problem;
    const { nodes, end, damping } = model.sam.path;
    const order = [...mu.keys()].sort((a, b) => mu[a] - mu[b]);
    const rays = order.slice(1).map((k, n) => [mu[k] + mu[order[n]], `μ${sub(order[n] + 1)}+μ${sub(k + 1)}`]);
    const tau = Math.max(model.now[0].tau < Infinity ? model.now[0].tau : 0, 0.75 * nodes[nodes.length - 1].tau);
    const a = Math.max(...nodes.filter((node) => node.tau <= tau).map((node) => node.a)) * 1.15;
    const box = frame({ width, height: 210, x: [0, a], y: [0, tau], names: ["A = ∫ρ/N dτ", "τ"], margins: [8, 10, 38, 62] }, ink);
    const wedge = (low, high) => [[0, 0], [a, low * a], [a, high * a]].map(([x, y]) => [box.px(x), box.py(y)]);
    const edges = [0, ...rays.map(([sum]) => sum), 1e3 * mu[order[mu.length - 1]]];
    const cones = order.map((k, n) => `<polygon points="${points(wedge(edges[n], edges[n + 1]))}" fill="${fill(k + 1)}" fill-opacity="${ink.shade}"/>`);
    const names = rays.map(([sum, name]) => {
      const x = Math.min(0.93 * a, (0.9 * tau) / sum);
      return text(box.px(x), box.py(sum * x) - 4, name, 'text-anchor="end"');
    });
    const line = curve(nodes.filter((node) => node.tau <= tau * 1.2).map((node) => [box.px(node.a), box.py(node.tau)]), ruleLine("l2"));
    const here = model.now[0].tau < end.tau ? dot([box.px(damping(model.now[0].tau)), box.py(model.now[0].tau)], "l2") : "";
    return figure("Who leads: cones τ/A = μⱼ + μₖ, the same for every α, and this run in them", box, clipped(box, cones.join("") + line + bold(names.join(""), 12) + here) + box.axes, "Cones of leadership in the plane of A and tau, with the run");
  }

  // ---- words
  const shares = (beta) => {
    const sum = beta.reduce((a, b) => a + Math.abs(b), 0);
    return beta.map((x) => (sum > 0 ? Math.abs(x) / sum : 0));
  };
  const put = (name, words) => { const at = find(name); if (at.textContent !== words) at.textContent = words; };

  function speak() {
    const { problem, sam, plain, now } = model;
    const who = RULES[problem.rule];
    const same = sam.label === plain.label;
    const beside = problem.rule === "GD" ? "" : same ? " So does GD." : ` GD ${ending(plain.label, plain.problem)}.`;
    put(".verdict", `${who} ${ending(sam.label, problem)}.${beside}`);
    put(".why", reason(sam.label, problem, sam.path) + (state.view === "strip" ? ` Leaders: ${order(sam)}.` : ""));
    const [first, second] = now;
    const leans = ({ beta }) => {
      const parts = shares(beta);
      const best = parts.indexOf(Math.max(...parts));
      return parts[best] ? `leans ${percent(parts[best])} on feature ${best + 1}` : "is 0, collapsed";
    };
    const clock = first.tau < Infinity ? `τ = ${show(first.tau)}${first.T < Infinity && first.tau <= sam.path.last ? `, log(1+t) = ${show(first.T)}` : ""}` : "after the collapse";
    const beta = ({ beta: [x] }) => `is β = ${show(x)}`;
    const says = problem.mu.length > 1 ? leans : beta;
    put(".now", `Now (${clock}) the predictor ${says(first)}${problem.rule === "GD" ? "" : `; under GD it ${says(second)}`}.`);
    put(".caption", {
      plane: `Colour: the limit of a start under ${who}. ${problem.rule === "GD" ? "Line" : "Lines"} from the start: its weights under ${problem.rule === "GD" ? "GD" : `${who} (solid) and GD (dashed)`}. Arrows: where ${who} goes.`,
      layers: `Blue starts grow, grey ones collapse. ${problem.rule === "GD" ? "Line" : "Lines"} from the start: its path under ${problem.rule === "GD" ? "GD" : `${who} (solid) and GD (dashed)`}. Arrows: where ${who} goes.`,
      strip: "Across: the start; up: time. Below α* all collapses; from aₖ on leadership does not go down to the k smallest μ. Right: under GD the major feature leads at once.",
    }[state.view]);
    put(".lead", {
      plane: "Two features, μ₁ and μ₂, compete. The point is where training starts; the colour under it says which feature the predictor ends on. Sharpness-aware minimisation (SAM) can change the winner.",
      layers: "One feature, two layers u and v, any signs. Inside the grey region SAM kills the feature; plain gradient descent (GD) never does unless u + v = 0.",
      strip: "All features start at the same α. The colour says which feature leads at time τ: close above α*, SAM leans on minor features first and on the major one last.",
    }[state.view]);
  }
  const order = ({ problem, path }) => {
    const at = path.nodes.map(({ tau, a }) => leader(problem, state.alpha, tau, a));
    return at.filter((x, k) => x !== at[k - 1]).join(" → ");
  };

  // ---- drawing everything
  function draw() {
    ink = THEMES[dark.matches ? "dark" : "light"];
    const page = find(".page");
    for (const name of ["ink", "paper", "soft", "grid"]) page.style.setProperty(`--${name}`, ink[name]);
    page.style.setProperty("--link", ink.lines[0]);
    page.style.setProperty("--accent", ink.lines[0]);
    model = compute();
    const width = Math.round(area.parentElement.clientWidth) || 360;
    scene.innerHTML = state.view === "strip" ? stripPicture(Math.min(width, 600)) : planePicture(Math.min(width, 600));
    area.setAttribute("viewBox", `0 0 ${plot.width} ${plot.height}`);
    area.setAttribute("height", plot.height);
    area.setAttribute("aria-label", `${VIEWS[state.view]}: ${state.view === "strip" ? "who leads" : "limits"} by start`);
    area.style.maxWidth = `${plot.width}px`;
    handle.setAttribute("transform", `translate(${plot.px(plot.at[0])} ${plot.py(plot.at[1])})`);
    handle.setAttribute("fill", ink.ink);
    find(".ring").setAttribute("fill", ink.paper);
    find(".hint").setAttribute("stroke", ink.paper);
    find(".ring").setAttribute("stroke", ink.ink);
    handle.setAttribute("aria-label", "Start: drag it, or use the arrow keys");
    handle.setAttribute("aria-valuenow", show(plot.at[0]));
    handle.setAttribute("aria-valuetext", plot.says);
    const wide = Math.round(charts.clientWidth) || 360;
    const drawn = state.view === "layers" ? [sizeChart] : [shareChart, sizeChart, state.view === "strip" ? coneChart : pathChart];
    charts.innerHTML = drawn.map((make) => make(wide)).join("");
    speak();
    fillControls();
  }

  function fillControls() {
    const { view, rule, rho, depth, mu, start, layers, alpha } = state;
    const value = (name, x) => { const at = find(name); if (at !== root.activeElement) at.value = x; };
    const knob = (name, slider, number, shown) => {
      find(`.knob.${name}`).hidden = !shown;
      if (!shown) return;
      value(`.knob.${name} [type=range]`, slider);
      value(`.knob.${name} [type=number]`, number);
    };
    const two = model.problem.mu;
    knob("ratio", Math.log10(two[1] / two[0]), two[1] && tidy(two[1] / two[0]), view === "plane");
    knob("rho", Math.log10(rho), rho, rule !== "GD");
    knob("depth", depth, depth, view === "plane" && (rule === "GD" || rule === "linf"));
    find(".knob.mu").hidden = view !== "strip";
    value(".mu [type=text]", mu.join(", "));
    for (const input of root.querySelectorAll("[type=radio]")) {
      input.checked = state[input.name] === input.value;
      if (input.name === "rule") input.disabled = (view === "strip" && input.value !== "l2") || (view === "layers" && input.value === "asam");
    }
    const [names, at] = { plane: [["α₁", "α₂"], start], layers: [["u", "v"], layers], strip: [["α"], [alpha]] }[view];
    [".first", ".second"].forEach((name, k) => {
      find(name).parentElement.hidden = k >= at.length;
      if (k < at.length) find(name).previousSibling.textContent = `${names[k]} `;
      if (k < at.length) value(name, at[k]);
    });
    value(".clock", state.time);
    find(".clock").setAttribute("aria-valuetext", `τ = ${show(model.now[0].tau)}`);
    find(".play").hidden = still.matches;
    if (!find(".code").hidden) find(".code").textContent = python(state);
    const shown = view === "layers" ? (rule === "l2" ? "l2" : "layers") : { l2: "l2", asam: "asam" }[rule] || `power${Math.min(depth, 3)}`;
    if (find(".formulas").dataset.shown !== shown) {
      find(".formulas").innerHTML = FACTS.formulas[shown];
      find(".formulas").dataset.shown = shown;
    }
  }

  function set(change) {
    state = clean({ ...state, ...change });
    draw();
    onState({ ...state });
  }

  // ---- hands
  const listen = (name, kind, act) => find(name).addEventListener(kind, act);
  const toData = (event) => {
    const box = area.getBoundingClientRect();
    const scale = plot.width / box.width;
    const inverse = (map, pixel) => pixel / (map(1) - map(0)) - map(0) / (map(1) - map(0));
    return [inverse(plot.px, (event.clientX - box.left) * scale), inverse(plot.py, (event.clientY - box.top) * scale)];
  };
  let dragging = false;
  let waiting = false;
  area.addEventListener("pointerdown", (event) => {
    find(".hint").textContent = "";
    dragging = event.pointerType !== "touch" || handle.contains(event.target);
    if (!dragging) return; // a finger beside the point scrolls; its tap is a click
    area.setPointerCapture(event.pointerId);
    handle.focus({ preventScroll: true });
    event.preventDefault();
    plot.move(...toData(event));
  });
  area.addEventListener("pointermove", (event) => {
    if (!dragging || waiting) return;
    waiting = true;
    const to = toData(event);
    requestAnimationFrame(() => { waiting = false; if (dragging) plot.move(...to); });
  });
  for (const kind of ["pointerup", "pointercancel"]) {
    area.addEventListener(kind, (event) => { if (dragging && kind === "pointerup") plot.move(...toData(event)); dragging = false; });
  }
  area.addEventListener("click", (event) => { if (event.pointerType === "touch") plot.move(...toData(event)); });
  handle.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!by) return;
    event.preventDefault();
    find(".hint").textContent = "";
    const pace = (event.shiftKey ? 0.05 : 0.005) * (state.view === "layers" ? 2 : 1);
    const size = [plot.px, plot.py].map((map, k) => [plot.right - plot.left, plot.bottom - plot.top][k] / Math.abs(map(1) - map(0)));
    plot.move(plot.at[0] + by[0] * pace * size[0], plot.at[1] + by[1] * pace * size[1]);
  });
  root.addEventListener("change", ({ target }) => {
    if (target.type === "radio") set({ [target.name]: target.value });
    if (target.matches(".mu [type=text]")) {
      const mu = target.value.split(/[\s,;]+/).filter(Boolean).map(Number);
      target.setCustomValidity(clean({ mu }).mu === mu ? "" : "1 to 8 numbers from 0.01 to 100, e.g. 1, 1.5, 6");
      if (target.reportValidity()) set({ mu });
    }
  });
  root.addEventListener("input", ({ target }) => {
    const name = target.closest(".knob")?.classList[1];
    const x = Number(target.value);
    if (target.type === "text" || target.type === "radio" || target.value === "") return;
    if (target.matches(".clock")) set({ time: x });
    const slides = target.type === "range";
    const scaled = slides && name !== "depth" ? +(10 ** x).toPrecision(3) : x;
    if (name === "ratio") set({ mu: [model.problem.mu[0], tidy(model.problem.mu[0] * scaled)] });
    if (name === "rho") set({ rho: scaled });
    if (name === "depth") set({ depth: scaled });
    const second = target.matches(".second");
    if (!second && !target.matches(".first")) return;
    if (state.view === "strip") set({ alpha: x });
    else {
      const key = state.view === "plane" ? "start" : "layers";
      set({ [key]: state[key].map((old, k) => (k === +second ? x : old)) });
    }
  });
  listen(".presets", "click", (event) => {
    const found = PRESETS.find(([name]) => name === event.target.textContent);
    if (!found) return;
    event.preventDefault();
    set(found[1]);
  });
  listen(".play", "click", () => {
    cancelAnimationFrame(playing);
    find(".play").textContent = find(".play").textContent === "Play" ? "Pause" : "Play";
    if (find(".play").textContent === "Play") return;
    if (state.time >= 1) set({ time: 0 });
    let before = performance.now();
    const step = (at) => {
      set({ time: Math.min(1, state.time + (at - before) / 9000) });
      before = at;
      if (state.time < 1) playing = requestAnimationFrame(step);
      else find(".play").textContent = "Play";
    };
    playing = requestAnimationFrame(step);
  });
  listen(".copy", "click", async () => {
    find(".code").hidden = false;
    find(".code").textContent = python(state);
    try {
      await navigator.clipboard.writeText(python(state));
      put(".copy", "Copied");
    } catch {
      getSelection().selectAllChildren(find(".code")); // no clipboard here: selected, to be copied
    }
    setTimeout(() => put(".copy", "Copy as Python"), 1500);
  });

  // ---- the picture as a file, with its state and version
  function picture() {
    const facts = { flowsam: FACTS.version, ...state };
    const [width, height] = [plot.width, plot.height + 58];
    const words = [find(".verdict").textContent, `flowsam ${FACTS.version} ${JSON.stringify(state)}`];
    const lines = words.map((line, k) => text(8, plot.height + 20 + 18 * k, line.replace(/&/g, "&amp;").replace(/</g, "&lt;"),
      `font-size="${k ? 7 : 12}" fill="${ink.ink}" ${line.length * (k ? 3.6 : 6.2) > width - 16 ? `textLength="${width - 16}" lengthAdjust="spacingAndGlyphs"` : ""}`));
    const start = `<g transform="${handle.getAttribute("transform")}"><circle r="8" fill="${ink.paper}" stroke="${ink.ink}" stroke-width="3"/></g>`;
    const data = JSON.stringify(facts).replace(/</g, "\\u003c");
    return { facts, width, height, text: `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, Arial, sans-serif">`
      + `<metadata>${data}</metadata><rect width="100%" height="100%" fill="${ink.paper}"/>${scene.innerHTML}${start}${lines.join("")}</svg>` };
  }
  function save(name, url) {
    const link = document.createElement("a");
    link.href = url;
    link.download = name;
    link.click();
  }
  listen(".svg", "click", () => save("flowsam.svg", `data:image/svg+xml;charset=utf-8,${encodeURIComponent(picture().text)}`));
  listen(".png", "click", async () => {
    const { text: source, width, height, facts } = picture();
    const image = new Image();
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(source)}`;
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [2 * width, 2 * height];
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => canvas.toBlob(done));
    save("flowsam.png", URL.createObjectURL(await withText(blob, JSON.stringify(facts))));
  });

  const sizes = new ResizeObserver(() => draw());
  sizes.observe(find(".page"));
  dark.addEventListener("change", draw);
  return {
    set: (next) => { state = clean({ ...state, ...next }); draw(); },
    destroy: () => { sizes.disconnect(); dark.removeEventListener("change", draw); cancelAnimationFrame(playing); clearTimeout(idle); root.innerHTML = ""; },
  };
}

function holds(polygon, x, y) {
  let inside = false;
  polygon.forEach(([a, b], k) => {
    const [c, d] = polygon[(k + 1) % polygon.length];
    if (b > y !== d > y && x < ((c - a) * (y - b)) / (d - b) + a) inside = !inside;
  });
  return inside;
}

// A PNG with a text chunk: its state, readable by any image library
async function withText(blob, words) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const body = new TextEncoder().encode(`tEXtflowsam\0${words}`);
  let crc = -1;
  for (const byte of body) {
    crc ^= byte;
    for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  const number = (x) => new Uint8Array([x >>> 24, x >>> 16, x >>> 8, x]);
  const end = bytes.length - 12; // before the last chunk
  return new Blob([bytes.slice(0, end), number(body.length - 4), body, number(~crc), bytes.slice(end)], { type: "image/png" });
}
