// Words around the drawing: headers of the columns, what is folded, the legend, the tip under the pointer.
const Labels = (() => {
  const number = (value) => {
    if (!Number.isFinite(value)) return "not a number";
    const size = Math.abs(value);
    const text = size >= 100 ? value.toFixed(0) : size >= 1 || value === 0 ? value.toFixed(2) : value.toPrecision(2);
    return text.replace("-", "−");
  };
  const count = (value) => (value >= 9950 ? `${Math.round(value / 1000)}k` : value.toLocaleString("en"));
  const sizes = (node) => node.shape.join("×");

  function name(node, layout) {
    if (node.kind === "softmax") return "Probability";
    return layout?.closed.has(node.address) && residual(node) ? "Residual" : node.name;
  }

  const residual = (node) => node.address.endsWith(".relu2");

  // Width in CSS pixels of the widest word above a column.
  function measure(element) {
    const context = document.createElement("canvas").getContext("2d"), family = getComputedStyle(element).fontFamily;
    const width = (text, font) => {
      context.font = `${font} ${family}`;
      return context.measureText(text).width;
    };
    return (node, shape, chip) => {
      if (shape === "softmax") return 0;
      const name = width(residual(node) ? "Residual" : node.name, "600 11px");
      return Math.max(name, node.parameters ? width(`${count(node.parameters)} params`, "10.5px") : 0, chip ? width(chip, "10px") + 14 : 0);
    };
  }

  function make(tag, className, text, title) {
    const element = document.createElement(tag);
    element.className = className;
    if (text !== undefined) element.textContent = text;
    if (title) element.title = title;
    return element;
  }

  function draw(stage) {
    const { layout, labels, entry } = stage;
    labels.replaceChildren();
    let before = null;
    for (const column of layout.columns) {
      const { node } = column;
      const head = make("div", "head");
      const changes = !before || String(before.shape) !== String(node.shape);
      head.append(make("b", "", name(node, layout), `${node.title}: ${sizes(node)}${node.parameters ? `, ${node.parameters.toLocaleString("en")} parameters` : ""}`));
      if (node.kind !== "softmax") {
        if (changes || layout.narrow) head.append(make("span", "", sizes(node)));
        if (node.parameters && !stage.compact) head.append(make("span", "", `${count(node.parameters)} params`));
        if (!stage.compact) chips(stage, column, head);
        if (layout.narrow) head.append(...more(stage, column));
      } else if (entry.measures && !stage.compact) head.append(make("span", "", "and F1 of the class"));
      put(head, column, layout);
      labels.append(head);
      if (!layout.narrow && (!stage.compact || entry.head.health)) footer(stage, column, labels);
      before = node;
    }
    skips(stage);
  }

  function put(head, column, layout) {
    if (layout.narrow) {
      Object.assign(head.style, { left: "0px", top: `${column.y}px`, width: `${layout.width}px` });
      head.classList.add("across");
      return;
    }
    const middle = column.x + column.main / 2;
    const left = column.shape === "softmax" ? column.x : middle;
    Object.assign(head.style, { left: `${left}px`, top: "0px" });
    head.classList.toggle("left", column.shape === "softmax");
  }

  // "+ ReLU" shows what is folded into a layer, "open" what is inside a residual block or branches.
  function chips(stage, column, head) {
    const { entry, layout, options } = stage, { node } = column;
    const nodes = entry.frame.nodes, at = nodes.indexOf(node);
    if (node.block !== null && nodes[at + 1]?.block !== node.block) {
      const closed = layout.closed.has(node.address);
      head.append(chip(closed ? "open" : "close", () => toggle(stage, options.opened, node.block)));
      return;
    }
    if (layout.narrow) return;
    const text = Data.folded(entry.frame, layout.shown, node);
    const unfold = () => toggle(stage, options.unfolded, node.address);
    if (text) head.append(chip(text, unfold));
    else if (options.unfolded.has(node.address) && Data.behind(entry.frame, node).length) head.append(chip("fold", unfold));
  }

  function chip(text, act) {
    const button = make("button", "chip", text);
    button.type = "button";
    button.addEventListener("click", (event) => {
      event.stopPropagation();
      act();
    });
    return button;
  }

  function toggle(stage, set, name) {
    if (!set.delete(name)) set.add(name);
    stage.arrange();
    if (set === stage.options.opened) stage.next(true);
  }

  // A button that shows all maps of a layer, where more exist than are drawn.
  function more(stage, { node, shape }) {
    const hidden = node.shape[0] - node.rows;
    if (hidden <= 0 || stage.compact || ["softmax", "scores", "input"].includes(shape)) return [];
    const button = chip(`+${hidden.toLocaleString("en")}`, () => stage.open(node.address, -1));
    button.title = `Show all ${node.shape[0].toLocaleString("en")}`;
    return [button];
  }

  // Under a column: how many more maps there are, and how the layer learns.
  function footer(stage, column, labels) {
    const { node } = column, { layout } = stage;
    const foot = make("div", "foot");
    foot.append(...more(stage, column));
    foot.append(...Health.lines(Health.of(stage, node)));
    const last = column.cells[column.cells.length - 1];
    Object.assign(foot.style, { left: `${column.x + column.main / 2}px`, top: `${Math.min(last.y + last.h + 3, layout.area[1] + 4)}px` });
    labels.append(foot);
  }

  // Arcs of residual blocks that are open.
  function skips(stage) {
    const { layout, palette } = stage;
    if (layout.narrow) return;
    const namespace = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(namespace, "svg");
    svg.setAttribute("class", "skips");
    for (const column of layout.columns.filter((one) => one.node.kind === "add")) {
      const link = column.links.find((one) => one.skip);
      const source = link && layout.columns.find((one) => one.node === link.from);
      if (!source) continue;
      const from = source.x + source.main / 2, to = column.x + column.main / 2, top = layout.area[0] - 2;
      const path = document.createElementNS(namespace, "path");
      path.setAttribute("d", `M${from} ${top + 12}v-6q0 -8 8 -8H${to - 8}q8 0 8 8v6`);
      path.setAttribute("stroke", palette.raises);
      svg.append(path);
      const text = make("span", "skip", link.matrix ? "skip through a 1×1 convolution" : "skip");
      Object.assign(text.style, { left: `${(from + to) / 2}px`, top: `${top - 9}px` });
      stage.labels.append(text);
    }
    stage.labels.append(svg);
  }

  function legend(stage) {
    const { palette, legend, own } = stage, bar = (stops) => `linear-gradient(90deg, ${stops.join(",")})`;
    const signed = stage.layout.columns.some((column) => column.node.maps && column.node.signed);
    const find = (selector) => legend.querySelector(selector);
    find(".sequential").style.background = bar(palette.stops.sequential);
    find(".diverging").style.background = bar(palette.stops.diverging);
    find(".diverging").parentElement.hidden = !signed;
    find(".scope").textContent = own ? "each map on its own scale" : "one scale a layer";
    find(".lowers").style.background = palette.lowers;
    find(".raises").style.background = palette.raises;
    stage.element.querySelector(".fold").setAttribute("aria-pressed", !stage.layout.plan.fold);
    stage.element.querySelector(".fold").hidden = stage.layout.narrow;
  }

  // What is under the pointer, in a line.
  function tip(stage, { column, cell }, event) {
    const { node } = column, unit = Draw.unitOf(node, cell.index), head = stage.entry.head;
    if (node.kind === "input") return `The image, ${sizes(node)} pixels`;
    if (node.kind === "softmax" || node.scores) {
      const probability = stage.entry.frame.probabilities.data[unit], score = stage.entry.frame.scores.values.data[cell.index];
      return `${head.names[unit]}: logit ${number(score)} → probability ${(100 * probability).toFixed(2)}%`;
    }
    if (node.shape.length === 1) return `Unit ${unit + 1} of ${node.title}: ${number(node.values.data[cell.index])}`;
    const low = node.low.data[cell.index], high = node.high.data[cell.index];
    const dead = node.dead.data[cell.index] ? ", zero everywhere for this image" : "";
    return `Map ${unit + 1} of ${node.title}: here ${number(under(stage, column, cell, event))}, from ${number(low)} to ${number(high)}${dead}`;
  }

  function under(stage, { node }, cell, event) {
    const box = stage.layers[0].getBoundingClientRect(), [, height, width] = node.maps.shape;
    const column = Math.min(width - 1, Math.max(0, Math.floor(((event.clientX - box.left - cell.x) / cell.w) * width)));
    const row = Math.min(height - 1, Math.max(0, Math.floor(((event.clientY - box.top - cell.y) / cell.h) * height)));
    const q = node.maps.data[(cell.index * height + row) * width + column];
    return node.low.data[cell.index] + (q / 255) * (node.high.data[cell.index] - node.low.data[cell.index]);
  }

  // What the panel may ask of the stage.
  function panelUi(stage) {
    const { palette } = stage;
    return {
      names: stage.entry.head.names,
      tint: (value, low, high, diverging) => Draw.tint(palette, value, low, high, diverging),
      ramp: (value, low, high, diverging) => Draw.css(Draw.tint(palette, value, low, high, diverging)),
      onClose: () => stage.close(),
      onOpen: (address, unit) => stage.open(address, unit),
      onStep: (delta) => {
        const node = stage.entry.frame.byAddress.get(stage.opened.address);
        const unit = stage.opened.unit + delta;
        if (node && unit >= 0 && unit < node.shape[0]) stage.open(node.address, unit);
      },
    };
  }

  return { draw, measure, legend, tip, panelUi, number };
})();
