// The explorer's face: mount(element, state, onState) draws a state and reports every change of it.
// Everything is inside a shadow root: no ids, no globals, no address, so several fit on one page.

const THEMES = {
  light: {
    paper: "#ffffff", ink: "#1d1d1d", soft: "#595959", grid: "#d9d9d9", shade: 1, faint: 1,
    lines: ["#0072B2", "#946100", "#00735A", "#A8477D", "#6E6100", "#4054B2", "#B4501E", "#666666"],
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
input[type=range] { width: 100%; min-width: 0; accent-color: var(--link); height: 24px; margin: 0; }
input[type=number], input[type=text] { font: inherit; color: inherit; background: var(--paper); box-sizing: border-box;
  border: 1px solid var(--soft); padding: 2px 5px; width: 100%; min-width: 0; }
button { font: inherit; color: var(--ink); background: none; border: 1px solid var(--soft); padding: 4px 11px; cursor: pointer; }
a { color: var(--link); } svg { display: block; width: 100%; overflow: hidden; }
.handle { cursor: grab; touch-action: none; outline: none; } .ring { fill: var(--paper); stroke: var(--ink); } .hint { font: 600 14px system-ui, sans-serif; fill: var(--ink); stroke: var(--paper); stroke-width: 6; paint-order: stroke; }
.key { white-space: nowrap; } .key svg { display: inline; width: 11px; } .handle:focus-visible .ring { stroke-width: 5; }
.area { cursor: crosshair; } [hidden] { display: none !important; }
math { font-size: 16px; margin: 8px 0; font-family: "STIX Two Math", "Cambria Math", "Latin Modern Math", Georgia, serif; }
math * { font-size: inherit; } mfrac > * { padding: 2px 1px; } msub > :nth-child(2), msup > :nth-child(2) { font-size: max(12px, .75em); }
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
<div class="picture"><svg class="area" role="group"><g class="ground"></g><g class="lines"></g>
<g class="handle" role="slider" tabindex="0" aria-label="Start: drag it, or use the arrow keys"><circle r="24" fill="transparent"/>
<circle class="ring" r="10" stroke-width="3"/><circle r="3" fill="var(--ink)"/><text class="hint" x="14" y="-12">drag me</text></g></svg><p class="soft caption"></p></div>
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
<button class="png">Save PNG</button><span class="soft">flowsam ${FACTS.version}; runs are shown to log t = 10⁴, or until the winner leads</span></div><pre class="code" hidden></pre>
<details><summary>Formulas that this page runs</summary><div class="formulas"></div></details></footer>`;

export function mount(element, given, onState = () => {}) {
  const root = element.shadowRoot || element.attachShadow({ mode: "open" });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  root.innerHTML = `<style>${CSS}</style><div class="page">${LAYOUT}</div>`;
  const find = (name) => root.querySelector(name);
  const [page, area, ground, lines, handle, charts] = [".page", ".area", ".ground", ".lines", ".handle", ".charts"].map(find);
  const kept = new Map();
  const memo = (name, facts, make) => { // the last value made from the same facts
    const key = JSON.stringify(facts);
    if (kept.get(name)?.key !== key) kept.set(name, { key, value: make() });
    return kept.get(name).value;
  };
  let state = clean(given);
  let [ink, model, picture, playing, idle] = [];
  let [width, wide] = [600, 560];

  const written = new WeakMap();
  const write = (at, name, value) => { // only what has changed
    if (!written.has(at)) written.set(at, {});
    const before = written.get(at);
    if (before[name] === value) return;
    before[name] = value;
    if (["innerHTML", "textContent", "value"].includes(name)) at[name] = value;
    else at.setAttribute(name, value);
  };

  function draw() {
    const light = getComputedStyle(element).colorScheme === "light"; // of a page that has no dark
    ink = THEMES[dark.matches && !light ? "dark" : "light"];
    const { ink: front, paper, soft, grid } = ink;
    write(page, "style", `--ink:${front};--paper:${paper};--soft:${soft};--grid:${grid};--link:${ink.lines[0]}`);
    model = compute(state, memo);
    const strip = state.view === "strip";
    const scene = { state, model, ink, memo, width };
    picture = (strip ? stripPicture : planePicture)(scene);
    const { plot } = picture;
    write(area, "viewBox", `0 0 ${plot.width} ${plot.height}`);
    write(area, "height", plot.height);
    write(area, "aria-label", `${VIEWS[state.view]}: ${strip ? "who leads" : "limits"} by start`);
    write(area, "style", `max-width:${plot.width}px`);
    write(ground, "innerHTML", picture.ground);
    write(lines, "innerHTML", picture.lines);
    write(handle, "transform", `translate(${plot.px(picture.at[0]).toFixed(1)} ${plot.py(picture.at[1]).toFixed(1)})`);
    const left = plot.px(picture.at[0]) > plot.width / 2;
    write(find(".hint"), "x", left ? -14 : 14);
    write(find(".hint"), "text-anchor", left ? "end" : "start");
    write(handle, "aria-valuenow", show(picture.at[0]));
    write(handle, "aria-valuetext", picture.says);
    const made = state.view === "layers" ? [sizeChart] : [shareChart, sizeChart, strip ? coneChart : pathChart];
    write(charts, "innerHTML", made.map((make) => make({ ...scene, width: wide })).join(""));
    const says = sentences(state, model);
    for (const name of Object.keys(says)) write(find(`.${name}`), "textContent", says[name]);
    fillControls();
    if (strip && !idle && picture.table.cells.length < COLUMNS) {
      idle = setTimeout(() => {
        idle = 0;
        if (state.view !== "strip") return;
        fillStrip(picture.table, 12);
        draw();
      }, 30);
    }
  }

  const value = (name, x) => { const at = find(name); if (at !== root.activeElement) write(at, "value", String(x)); };
  const knobs = (name, slider, number, shown) => {
    find(`.knob.${name}`).hidden = !shown;
    if (!shown) return;
    value(`.knob.${name} [type=range]`, slider);
    value(`.knob.${name} [type=number]`, number);
  };

  function fillControls() {
    const { view, rule, rho, depth, mu, start, layers, alpha } = state;
    const [one, two] = model.problem.mu;
    knobs("ratio", Math.log10(two / one), tidy(two / one), view === "plane");
    knobs("rho", Math.log10(rho), rho, rule !== "GD");
    knobs("depth", depth, depth, view !== "strip" && (rule === "GD" || rule === "linf"));
    find(".knob.mu").hidden = view !== "strip";
    value(".mu [type=text]", mu.join(", "));
    for (const input of root.querySelectorAll("[type=radio]")) {
      input.checked = state[input.name] === input.value;
      input.disabled = input.name === "rule" && !DRAWN[view].includes(input.value);
    }
    const [names, at] = { plane: [["α₁", "α₂"], start], layers: [["u", "v"], layers], strip: [["α"], [alpha]] }[view];
    [".first", ".second"].forEach((name, k) => {
      find(name).parentElement.hidden = k >= at.length;
      if (k >= at.length) return;
      write(find(name).previousSibling, "textContent", `${names[k]} `);
      value(name, at[k]);
    });
    value(".clock", state.time);
    write(find(".clock"), "aria-valuetext", `τ = ${show(model.sam.now.tau)}`);
    find(".play").hidden = still.matches;
    if (!find(".code").hidden) write(find(".code"), "textContent", python(state));
    const power = `power${Math.min(depth, 3)}`;
    const shown = rule === "l2" || rule === "asam" ? rule : view === "layers" ? "layers" : power;
    write(find(".formulas"), "innerHTML", FACTS.formulas[shown]);
  }

  function set(change) {
    write(find(".hint"), "textContent", "");
    state = clean({ ...state, ...change }, state);
    draw();
    onState({ ...state });
  }

  // ---- hands
  function move(x, y) {
    const { tau, ...change } = picture.to(x, y);
    if (tau !== undefined) { // of the strip: the time at which the moved start is shown
      const next = compute(clean({ ...state, ...change }, state), memo);
      const { path } = next.sam;
      change.time = clamp(next.place(tau, path.logTime(Math.min(tau, path.last))), 0, 1);
    }
    set(change);
  }

  const here = (event) => {
    const box = area.getBoundingClientRect();
    const { plot } = picture;
    return [plot.x(((event.clientX - box.left) * plot.width) / box.width), plot.y(((event.clientY - box.top) * plot.width) / box.width)];
  };
  let [dragging, waiting] = [false, false];
  area.addEventListener("pointerdown", (event) => {
    dragging = event.pointerType !== "touch" || handle.contains(event.target);
    if (!dragging) return; // a finger beside the point scrolls; its tap is a click
    area.setPointerCapture(event.pointerId);
    handle.focus({ preventScroll: true });
    event.preventDefault();
    move(...here(event));
  });
  area.addEventListener("pointermove", (event) => {
    if (!dragging || waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      if (dragging) move(...here(event));
    });
  });
  area.addEventListener("pointerup", (event) => {
    if (dragging) move(...here(event));
    dragging = false;
  });
  area.addEventListener("pointercancel", () => { dragging = false; });
  area.addEventListener("click", (event) => { if (event.pointerType === "touch") move(...here(event)); });
  handle.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!by) return;
    event.preventDefault();
    const { plot, at } = picture;
    const pixels = ((event.shiftKey ? 20 : 2) * (plot.right - plot.left)) / 400;
    const [x, y] = [plot.px(at[0]) + by[0] * pixels, plot.py(at[1]) + by[1] * pixels];
    move(plot.x(x), plot.y(y));
  });

  root.addEventListener("change", ({ target }) => {
    if (target.type === "radio") set({ [target.name]: target.value });
    if (!target.matches(".mu [type=text]")) return;
    const mu = target.value.split(/[\s,;]+/).filter(Boolean).map(Number);
    target.setCustomValidity(clean({ mu }).mu === mu ? "" : "1 to 8 numbers from 0.01 to 100, e.g. 1, 1.5, 6");
    if (target.reportValidity()) set({ mu });
  });
  root.addEventListener("input", ({ target }) => {
    const x = Number(target.value);
    if (target.value === "" || !target.matches("[type=range], [type=number]")) return;
    written.delete(target);
    const name = target.closest(".knob")?.classList[1];
    const scaled = target.type === "range" && name !== "depth" ? +(10 ** x).toPrecision(3) : x;
    const [one] = model.problem.mu;
    const key = { plane: "start", layers: "layers", strip: "alpha" }[state.view];
    const place = +target.matches(".second");
    if (name === "ratio") set({ mu: [one, tidy(one * scaled)] });
    else if (name) set({ [name]: scaled });
    else if (target.matches(".clock")) set({ time: x });
    else set({ [key]: key === "alpha" ? x : state[key].map((old, k) => (k === place ? x : old)) });
  });
  const listen = (name, act) => find(name).addEventListener("click", act);
  listen(".presets", (event) => {
    const found = PRESETS.find(([name]) => name === event.target.textContent);
    if (!found) return;
    event.preventDefault();
    set(found[1]);
  });
  listen(".play", () => {
    cancelAnimationFrame(playing);
    const starts = find(".play").textContent === "Play";
    find(".play").textContent = starts ? "Pause" : "Play";
    if (!starts) return;
    if (state.time >= 1) set({ time: 0 });
    let before = performance.now();
    const tick = (at) => {
      set({ time: Math.min(1, state.time + (at - before) / 9000) });
      before = at;
      if (state.time < 1) playing = requestAnimationFrame(tick);
      else find(".play").textContent = "Play";
    };
    playing = requestAnimationFrame(tick);
  });
  listen(".copy", async () => {
    find(".code").hidden = false;
    find(".code").textContent = python(state);
    try {
      await navigator.clipboard.writeText(python(state));
      find(".copy").textContent = "Copied";
      setTimeout(() => { find(".copy").textContent = "Copy as Python"; }, 1500);
    } catch {
      getSelection().selectAllChildren(find(".code")); // no clipboard here: selected, to be copied
    }
  });
  listen(".svg", () => save("flowsam.svg", new Blob([svgFile(state, picture, ink, find(".verdict").textContent)], { type: "image/svg+xml" })));
  listen(".png", async () => save("flowsam.png", await pngFile(state, svgFile(state, picture, ink, find(".verdict").textContent))));

  const sizes = new ResizeObserver(() => {
    width = clamp(Math.round(area.parentElement.clientWidth), 240, 600);
    wide = Math.max(240, Math.round(charts.clientWidth));
    draw();
  });
  sizes.observe(page);
  dark.addEventListener("change", draw);
  return {
    set: (next) => { state = clean(next); draw(); },
    destroy: () => {
      sizes.disconnect();
      dark.removeEventListener("change", draw);
      cancelAnimationFrame(playing);
      clearTimeout(idle);
      root.innerHTML = "";
    },
  };
}
