// How each layer learns: norms, update-to-weight ratio and dead units, while a run is watched.
const Health = (() => {
  const small = (value) => (value === null ? "not a number" : value === 0 ? "0" : value >= 0.01 && value < 1000 ? value.toPrecision(2) : value.toExponential(0).replace("e-", "e−").replace("e+", "e"));

  function line(name, text, title, alarming = false) {
    const element = document.createElement("span");
    element.className = alarming ? "health alarming" : "health";
    element.textContent = `${name} ${text}`;
    element.title = title;
    return element;
  }

  // {weight_norm, gradient_norm, update_ratio, dead_share} of a layer; what is missing has no line.
  function lines(health) {
    const found = [];
    if (health.update_ratio !== undefined && health.update_ratio !== null) {
      const ratio = health.update_ratio;
      found.push(line("Δw/w", small(ratio), `Update-to-weight ratio of the last step: ${ratio}. About 1e−3 is usual; weight norm ${small(health.weight_norm)}, gradient norm ${small(health.gradient_norm)}.`, ratio > 0.05));
    }
    if (health.dead_share !== undefined && health.dead_share !== null) {
      found.push(line("dead", `${(100 * health.dead_share).toFixed(0)}%`, "Share of units that are zero for every image of a small batch.", health.dead_share > 0.5));
    }
    return found;
  }

  // Of a layer, with the share of dead units of the ReLU that is folded into it.
  function of(stage, node) {
    const all = stage.entry.head.health;
    if (!all || node.kind === "softmax") return {};
    const hidden = Data.behind(stage.entry.frame, node).filter((thin) => !stage.layout.shown.has(thin.address));
    return Object.assign({}, ...hidden.map((thin) => ({ dead_share: all[thin.address]?.dead_share })), all[node.address]);
  }

  function show(host, head) {
    host.hidden = !head.live;
    if (head.live) host.textContent = `live · epoch ${head.live.epoch.toFixed(2)} · step ${head.live.step.toLocaleString("en")}`;
  }

  return { lines, of, show };
})();
