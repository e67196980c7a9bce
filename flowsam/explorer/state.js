// What the explorer shows: a state from anywhere, the problem it poses, what is known of it.

const RULES = { GD: "GD", linf: "ℓ∞-SAM", l2: "ℓ₂-SAM", asam: "ASAM" };
const VIEWS = { plane: "Two features", layers: "Two layers", strip: "Minor first" };
const DRAWN = { plane: ["linf", "l2", "GD", "asam"], layers: ["linf", "l2", "GD"], strip: ["l2"] }; // rules of a view
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
const sub = (j) => "₀₁₂₃₄₅₆₇₈"[j] || j;
const clamp = (x, low, high) => Math.min(high, Math.max(low, x));
const show = (x) => (Math.abs(x) >= 1e4 || (x !== 0 && Math.abs(x) < 1e-3) ? x.toExponential(2) : String(+x.toPrecision(4)));
const percent = (x) => `${(100 * x).toFixed(x > 0.995 && x < 1 ? 2 : 0)} %`;
const tidy = (x) => +x.toPrecision(12);

// A state from anywhere: unknown words and numbers out of range give way to what was known
function clean(given, known = FIRST) {
  const state = { ...known };
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
  if (!DRAWN[state.view].includes(state.rule)) [state.rule] = DRAWN[state.view];
  if (state.view === "strip" || state.rule === "l2" || state.rule === "asam") state.depth = 2;
  if (state.view === "layers") state.depth = Math.max(2, state.depth);
  if (state.rule === "asam") state.rho = Math.min(state.rho, 1.4);
  return state;
}

// The problem a state poses, for its rule or for GD
function problemOf({ view, rule, rho, depth, mu, start, layers, alpha }) {
  const facts = { rule, rho: rule === "GD" ? 0 : rho, depth };
  const rest = rho + Math.max(...layers.map(Math.abs)); // size of layers 3 to L
  if (view === "layers") return { ...facts, mu: [mu[0]], u: [layers[0]], v: [layers[1]], rest };
  if (view === "strip") return { ...facts, mu, u: mu.map(() => alpha), v: mu.map(() => alpha) };
  const two = mu.length > 1 ? mu.slice(0, 2) : [mu[0], 2 * mu[0]];
  return { ...facts, mu: two, u: start, v: start };
}

function python(state) {
  const { rule, rho, depth, mu, u, v, rest } = problemOf(state);
  const made = { GD: "gradient_flow", linf: "linf", l2: "l2", asam: "asam" }[rule];
  const layers = state.view === "layers";
  const names = ["Flow", made, "limit", "single_example", ...(layers ? [] : ["balanced"])].sort();
  const start = layers ? `[[${u}], [${v}]${`, [${rest}]`.repeat(depth - 2)}]` : `balanced([${u.join(", ")}], ${depth})`;
  return [
    `from flowsam import ${names.join(", ")}`,
    "",
    `flow = Flow(single_example([${mu.join(", ")}]), ${made}(${rule === "GD" ? "" : rho}))`,
    `print(limit(flow, ${start}))`,
    "",
  ].join("\n");
}

// Points of a path for curves: its own steps, and more where those are long
function samples(path) {
  const { times, clock, last, end } = path;
  const every = Math.max(1, Math.floor(times.length / 100));
  const rows = [];
  for (let k = 0; k < times.length; k++) {
    const turns = path.breaks.includes(times[k]) || path.breaks.includes(times[k + 1]);
    if (k % every && !turns) continue;
    rows.push({ tau: times[k], T: clock[k], ...path.state(times[k]) });
    const gap = (times[k + every] ?? last) - times[k];
    const more = Math.min(30, Math.floor((gap / last) * 60));
    for (let n = 1; n <= more; n++) {
      const tau = times[k] + (gap * n) / (more + 1);
      rows.push({ tau, T: path.logTime(tau), ...path.state(tau) });
    }
  }
  if (end.kind !== "collapse") rows.push({ tau: last, T: clock.at(-1), ...path.state(last) });
  return rows;
}

// What is known of a state: its run and GD's, with labels, and both now; `place` maps times to
// [0, 1] in the clock that is shown
function compute(state, memo) {
  const problem = problemOf(state);
  const known = (name, one) => memo(name, one, () => {
    const path = run(one);
    return { problem: one, label: label(one), path, rows: samples(path) };
  });
  const sam = known("sam", problem);
  const gd = known("gd", { ...problem, rule: "GD", rho: 0 });
  const both = problem.rule === "GD" ? [sam] : [sam, gd];
  const tauEnd = Math.max(...both.map(({ path }) => path.last));
  const late = Math.max(...both.map(({ path }) => path.clock.at(-1)));
  const inTau = state.clock === "tau";
  const place = (tau, T) => (inTau ? tau / tauEnd : Math.log1p(T) / Math.log1p(late));
  const tauAt = ({ times, clock, end, last }) => {
    if (inTau) return state.time * tauEnd;
    const T = Math.expm1(state.time * Math.log1p(late));
    const k = clock.findLastIndex((value) => value <= T);
    if (k === clock.length - 1) return end.kind === "collapse" ? Infinity : last;
    return times[k] + ((T - clock[k]) / (clock[k + 1] - clock[k])) * (times[k + 1] - times[k]);
  };
  for (const one of [sam, gd]) {
    const { path } = one;
    const stays = path.end.kind === "" && path.clock.at(-1) < 100; // at rest, or nearly
    one.shown = stays ? [...one.rows, { ...one.rows.at(-1), tau: tauEnd, T: late }] : one.rows;
    const tau = tauAt(path);
    const seen = path.end.kind === "collapse" ? tau : Math.min(tau, path.last);
    one.now = { tau, ...path.state(seen), T: path.logTime(Math.min(tau, path.last)) };
  }
  return { problem, sam, gd, both, place, tauEnd, late };
}
