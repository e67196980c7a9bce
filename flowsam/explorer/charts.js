// Charts over time as SVG in strings: pure functions of a scene {state, model, ink, width}.

const MARGINS = [8, 10, 38, 62];
const decade = (k) => (k >= 0 && k < 3 ? 10 ** k : `10${[...String(k)].map((c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] || "⁻").join("")}`);
const steps = (low, high, every) => Array.from({ length: Math.floor((high - low) / every) + 1 }, (_, k) => low + k * every);
const drawn = (title, box, inner, words) => `<h2>${title}</h2><svg role="img" aria-label="${words}" viewBox="0 0 ${box.width} ${box.height}"
  height="${box.height}">${inner}${box.axes}</svg>`;

// A frame over time, and where rows of a run are in it
function timeFrame({ state, model, ink, width }, facts) {
  const { tauEnd, late, place } = model;
  const inTau = state.clock === "tau";
  const most = Math.floor(Math.log10(late * 1.01));
  const powers = steps(0, most, Math.max(1, Math.ceil(most / 6)));
  const xTicks = inTau ? ticks(0, tauEnd, 5).map((x) => [x / tauEnd, show(x)])
    : [[0, 0], ...powers.map((k) => [place(0, 10 ** k), decade(k)])];
  const names = [inTau ? "rescaled time τ" : "log(1 + t), log scale", facts.name || ""];
  const box = frame({ width, margins: MARGINS, x: [0, 1], ...facts, names, xTicks }, ink);
  return { ...box, at: ({ tau, T }) => box.px(place(tau, T)), now: upright(box, box.px(state.time), ink) };
}

// Ticks of sizes from 10^-4 to what the runs reach
function sizeAxis({ both }) {
  const largest = both.flatMap(({ rows }) => rows.map(({ beta }) => Math.log10(Math.max(...beta))));
  const top = clamp(Math.ceil(Math.max(...largest.filter((x) => x < 50))), 4, 44);
  return { range: [-4, top], marks: steps(-4, top, 2 * Math.ceil(top / 8)).map((k) => [k, decade(k)]) };
}

function shareChart(scene) {
  const { model: { problem, both, sam }, ink } = scene;
  const box = timeFrame(scene, { height: 46 + 52 * both.length, y: [0, both.length], yTicks: [] });
  const bands = both.map(({ shown: rows, problem: own }, k) => {
    const base = both.length - 1 - k;
    const parts = rows.map(({ beta }) => shares(beta));
    const edge = (j) => rows.map((row, n) => [box.at(row), box.py(base + 0.04 + 0.92 * total(parts[n].slice(0, j)))]);
    const areas = problem.mu.map((_, j) => `<polygon points="${points([...edge(j + 1), ...edge(j).reverse()].filter(finite))}"
      fill="${fill(j + 1, ink)}" stroke="${ink.ink}" stroke-width=".6"/>`);
    const y = box.py(base + 0.5) + 4;
    return areas.join("") + text(box.left - 6, y, RULES[own.rule], `text-anchor="end" font-size="12" fill="${ink.ink}"`);
  });
  const end = box.at({ tau: sam.path.last, T: sam.path.clock.at(-1) });
  if (sam.path.end.kind === "collapse" && end < box.right - 75) {
    bands.push(text(end + 6, box.py(both.length - 0.5) + 4, "collapsed", `font-size="12" fill="${ink.soft}"`));
  }
  const now = both.map((one) => `${RULES[one.problem.rule]}: ${shares(one.now.beta).map((x, j) => `feature ${j + 1} ${percent(x)}`).join(", ")}`);
  const legend = problem.mu.map((m, j) => `<span class="key"><svg width="11" height="11" aria-hidden="true"><rect width="11" height="11"
    fill="${fill(j + 1, ink)}"/></svg> feature ${j + 1} (μ = ${show(m)})</span>`);
  return drawn(`Shares |βⱼ| / Σ|β|: ${legend.join(", ")}`, box, bands.join("") + box.now, `Shares over time. Now ${now.join("; ")}`);
}

function sizeChart(scene) {
  const { state, model: { problem, both }, ink } = scene;
  const layers = state.view === "layers";
  const high = Math.max(2, 2 * Math.max(...state.layers.map(Math.abs)));
  const axis = layers ? { range: [-high / 2, high] } : sizeAxis(scene.model);
  const box = timeFrame(scene, { height: layers ? 300 : 170, y: axis.range, yTicks: axis.marks, name: layers ? "" : "size |βⱼ|" });
  const names = layers ? [problem.depth > 2 ? "β" : "β = uv", "u", "v"] : problem.mu.map((_, j) => `β${sub(j + 1)}`);
  const value = ({ beta, u, v }, j) => (layers ? [beta[0], u[0], v[0]][j] : Math.log10(Math.abs(beta[j])));
  const lines = both.flatMap(({ shown: rows, problem: own }, k) => names.map((_, j) => (layers && k && j ? ""
    : curve(rows.map((row) => [box.at(row), box.py(value(row, j))]).filter(finite),
      `stroke="${ink.lines[j]}" stroke-width="2" ${own.rule === "GD" ? 'stroke-dasharray="6 4"' : ""}`))));
  const words = names.map((name, j) => `<span style="color:${ink.lines[j]}">${name}</span>`).join(", ");
  const dashes = both.length > 1 ? `; solid ${RULES[state.rule]}, dashed GD` : "";
  return drawn(`Sizes over time: ${words}${dashes}`, box, clipped(box, lines.join("") + box.now), `Sizes over time: ${names.join(", ")}`);
}

function pathChart({ model, ink, width }) {
  const { range, marks } = sizeAxis(model);
  const names = ["β₁", "β₂"];
  const box = frame({ width, height: 210, margins: MARGINS, x: range, y: range, names, xTicks: marks, yTicks: marks }, ink);
  const at = ({ beta }) => [box.px(Math.log10(beta[0])), box.py(Math.log10(beta[1]))];
  const equal = curve(range.map((x) => [box.px(x), box.py(x)]), `stroke="${ink.grid}"`);
  const lines = model.both.map(({ rows, problem }) => curve(rows.map(at).filter(finite), ruleLine(ink, problem.rule)));
  const dots = model.both.map(({ now, problem }) => dot(at(now), problem.rule, ink));
  return drawn("The predictor's path, log axes (grey: β₁ = β₂)", box, clipped(box, equal + lines.join("") + dots.join("")),
    "Path of the predictor in the plane of beta 1 and beta 2");
}

function coneChart({ model, ink, width }) {
  const { problem: { mu }, sam: { path, now } } = model;
  const { nodes, end } = path;
  const order = [...mu.keys()].sort((a, b) => mu[a] - mu[b]);
  const sums = order.slice(1).map((k, n) => mu[k] + mu[order[n]]);
  const tau = now.tau < end.tau ? Math.max(now.tau, 0.75 * path.last) : path.last;
  const most = 1.15 * Math.max(...nodes.filter((node) => node.tau <= tau).map(({ a }) => a));
  const box = frame({ width, height: 210, margins: MARGINS, x: [0, most], y: [0, tau], names: ["A = ∫ρ/N dτ", "τ"] }, ink);
  const edges = [0, ...sums, 1e3 * Math.max(...mu)];
  const corner = (slope) => [box.px(most), box.py(slope * most)];
  const cones = order.map((k, n) => `<polygon points="${points([[box.px(0), box.py(0)], corner(edges[n]), corner(edges[n + 1])])}"
    fill="${fill(k + 1, ink)}"/>`);
  const names = sums.map((sum, n) => {
    const x = Math.min(0.93 * most, (0.9 * tau) / sum);
    return text(box.px(x), box.py(sum * x) - 4, `μ${sub(order[n] + 1)}+μ${sub(order[n + 1] + 1)}`, 'text-anchor="end"');
  });
  const line = curve(nodes.filter((node) => node.tau <= 1.2 * tau).map((node) => [box.px(node.a), box.py(node.tau)]), ruleLine(ink, "l2"));
  const here = now.tau < end.tau ? dot([box.px(path.damping(now.tau)), box.py(now.tau)], "l2", ink) : "";
  return drawn("Who leads: cones τ/A = μⱼ + μₖ, the same for every α, and this run in them", box,
    clipped(box, cones.join("") + line + bold(ink, names.join(""), 12) + here), "Cones of leadership in the plane of A and tau, with the run");
}
