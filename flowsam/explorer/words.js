// The explorer's sentences.

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
    if (rule === "asam") return "A part in 10¹² of μ₂/μ₁ decides whether both features stay. Change it a little.";
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
    return mu.length > 1 ? `No start weight is above ρ: each is pushed to 0${when}, and training stands still.` : `The start is inside the boundary: ${depth > 2 ? "a layer stays at 0, reached" : "both layers reach 0"}${when}.`;
  }
  if (mu.length === 1) return rule === "GD" ? "u + v is not 0." : "The start is outside the boundary.";
  if (rule === "l2") return "The start is outside the separatrix, and of the features that grow the one with the largest μ wins.";
  const score = depth === 2 ? "the largest μ" : `the largest score μⱼ${sam ? `(αⱼ − ρ)` : "αⱼ"}${depth > 3 ? `^${depth - 2}` : ""}`;
  const over = u.filter((x) => x > rho).length;
  if (sam && over < u.length) return over === 1 ? `Only α${sub(label)} is above ρ: the other feature dies or stays behind.` : `Of the features above ρ it has ${score}.`;
  return `It has ${score}${sam ? " of those above ρ" : ""}.`;
}

const shares = (beta) => {
  const sum = beta.reduce((a, b) => a + Math.abs(b), 0);
  return beta.map((x) => (sum > 0 ? Math.abs(x) / sum : 0));
};

function leaning({ beta }) {
  if (beta.length === 1) return `is β = ${show(beta[0])}`;
  const parts = shares(beta);
  const best = parts.indexOf(Math.max(...parts));
  return parts[best] ? `leans ${percent(parts[best])} on feature ${best + 1}` : "is 0, collapsed";
}

function succession({ problem, path }) {
  const order = path.nodes.map(({ tau, a }) => leader(problem, problem.u[0], tau, a));
  return order.filter((x, k) => x !== order[k - 1]).join(" → ");
}

// The sentences about a state, by the class of their place
function sentences({ view }, { problem, sam, gd, both }) {
  const who = RULES[problem.rule];
  const alone = both.length === 1;
  const { tau, T } = sam.now;
  const when = tau > sam.path.last ? "after the collapse" : `τ = ${show(tau)}, log(1+t) = ${show(T)}`;
  const also = sam.label === gd.label ? "So does GD." : `GD ${ending(gd.label, problem)}.`;
  const lines = alone ? "The line is its path" : `Lines: its path under ${who} (solid) and GD (dashed)`;
  return {
    verdict: `${who} ${ending(sam.label, problem)}. ${alone ? "" : also}`,
    why: reason(sam.label, problem, sam.path) + (view === "strip" ? ` Leaders: ${succession(sam)}.` : ""),
    now: `Now (${when}) the predictor ${leaning(sam.now)}${alone ? "" : `; under GD it ${leaning(gd.now)}`}.`,
    caption: {
      plane: `Colour: the limit of a start under ${who}. ${lines}. Arrows: where ${who} goes.`,
      layers: `Blue starts grow, grey ones do not${problem.rest && problem.depth > 2 ? `; layers 3 to L have size ${show(problem.rest)}` : ""}. ${lines}. Arrows: where ${who} goes.`,
      strip: "Across: the start; up: time. Below α* all collapses; from aₖ on leadership does not go down "
        + "to the k smallest μ. Right: under GD the major feature leads at once.",
    }[view],
    lead: {
      plane: "Two features, μ₁ and μ₂, compete. The point is where training starts; the colour under it says "
        + "which feature the predictor ends on. Sharpness-aware minimisation (SAM) can change the winner.",
      layers: "One feature, its two smallest layers u and v, any signs. In the grey region SAM kills the feature; gradient "
        + "descent (GD) never does, unless u + v = 0.",
      strip: "All features start at the same α. The colour says which one leads at time τ: close above α*, SAM "
        + "leans on minor features first and on the major one last.",
    }[view],
  };
}
