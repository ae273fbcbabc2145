// The arithmetic at one place in real numbers: patch × kernel = products → sum, or the formula of the kind.
const Steps = (() => {
  const number = (value) => Labels.number(value);

  function show(host, state, found) {
    const { close, ui } = state;
    host.replaceChildren();
    if (typeof close.out === "object") host.append(Figures.make("p", "place", `At row ${state.row + 1}, column ${state.column + 1}`));
    const kinds = { conv: convolution, max_pool: pooling, avg_pool: pooling, batch_norm: batchNorm, add: addition, linear, softmax, global_pool: globalPool, input, flatten: () => {} };
    (kinds[close.kind] ?? activation)(host, state, found, ui);
  }

  // A k×k grid of numbers; a null lies in the padding.
  function grid(values, side, caption, ui, { range, signed = true, marked = -1 } = {}) {
    const known = values.filter((value) => value !== null);
    const most = range ?? Math.max(...known.map(Math.abs), 1e-12);
    const figure = Figures.make("figure", "grid"), table = Figures.make("div", "cells");
    table.style.gridTemplateColumns = `repeat(${side}, minmax(0, 1fr))`;
    if (side > 3) figure.classList.add("small");
    values.forEach((value, at) => {
      const cell = Figures.make("span", at === marked ? "won" : "", value === null ? "0" : side > 5 ? "" : number(value), value === null ? "padding" : String(value));
      if (value === null) cell.classList.add("padding");
      else {
        const colour = ui.tint(value, signed ? -most : 0, most, signed);
        cell.style.background = `rgb(${colour})`;
        cell.style.color = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2] > 140 ? "#16202E" : "#fff";
      }
      table.append(cell);
    });
    figure.append(table, Figures.make("figcaption", "", caption));
    return figure;
  }

  const sign = (text) => Figures.make("i", "sign", text);

  function row(host, ...parts) {
    const element = Figures.make("div", "row");
    element.append(...parts);
    host.append(element);
  }

  function total(value, caption) {
    const figure = Figures.make("figure", "total");
    figure.append(Figures.make("b", "", number(value), String(value)), Figures.make("figcaption", "", caption));
    return figure;
  }

  function convolution(host, state, found, ui) {
    const { close } = state, part = found.parts[state.chosen] ?? found.parts[0], side = close.kernel;
    const name = `${close.from === "input" ? "channel" : "map"} ${part.input + 1}`;
    row(host, grid(part.patch, side, `patch of ${name}`, ui), sign("×"), grid(part.weights, side, "kernel", ui), sign("="), grid(part.products, side, "products", ui), sign("→"), total(part.sum, "their sum"));
    const text = found.parts.slice(0, 5).map((one) => number(one.sum)).join(" + ").replaceAll("+ −", "− ");
    const others = found.parts.slice(5).reduce((sum, one) => sum + one.sum, found.rest);
    const more = found.parts.length - 5 + close.others;
    equation(host, text + (more > 0 ? ` + ${number(others)} (the other ${more})` : more + 5 > found.parts.length ? ` + ${number(found.rest)}` : "") + ` + ${number(found.bias)} (bias)`, found.out, state);
  }

  function equation(host, text, out, state) {
    const line = Figures.make("p", "equation", `${text.replaceAll("+ −", "− ")} = `);
    line.append(Figures.make("b", "", number(out), String(out)));
    for (const next of state.close.following) {
      const value = typeof next.out === "number" ? next.out : next.out.data[state.row * next.out.shape[1] + state.column];
      line.append(` → ${next.name} `, Figures.make("b", "", number(value), String(value)));
    }
    host.append(line);
  }

  function pooling(host, state, found, ui) {
    const { close } = state, max = close.kind === "max_pool";
    row(host, grid(found.patch, close.kernel, "window", ui, { signed: close.x.data.some((value) => value < 0), marked: max ? found.winner : -1 }), sign("→"), total(found.out, max ? "the largest" : "the mean"));
    const values = found.patch.map((value) => (value === null ? (max ? "padding" : "0") : number(value)));
    equation(host, values.length > 9 ? `${max ? "max" : "mean"} of ${values.length} values` : max ? `max(${values.join(", ")})` : `(${values.join(" + ")}) / ${values.length}`, found.out, state);
  }

  function batchNorm(host, state, found) {
    const { close } = state;
    equation(host, `(${number(found.x)} − ${number(close.mean)}) / √(${number(close.var)} + ${close.eps}) × ${number(close.weight)} + ${number(close.bias)}`.replaceAll("− −", "+ "), found.out, state);
    row(host, total(close.mean, "running mean"), total(close.var, "running variance"), total(close.weight, "scale γ"), total(close.bias, "shift β"));
  }

  function addition(host, state, found) {
    equation(host, `${number(found.x)} + ${number(found.skip)}`, found.out, state);
  }

  function linear(host, state, found) {
    const { close } = state, sum = found.products.reduce((all, value) => all + value, 0);
    const scaled = close.scale === 1 ? "" : ` × ${close.scale} (scale)`;
    equation(host, `${scaled ? "(" : ""}${number(sum)} + ${number(found.rest)} (the other ${close.others}) + ${number(found.bias)} (bias)${scaled ? ")" : ""}${scaled}`, found.out, state);
  }

  function softmax(host, state, found) {
    equation(host, `${number(found.powers[found.place])} / ${number(found.total)}`, found.out, state);
    host.append(Figures.make("p", "place", "Exponentials of each logit less the largest: the same fractions, and no overflow."));
  }

  function globalPool(host, state, found) {
    const [height, width] = state.close.x.shape;
    equation(host, `${state.close.mode === "max" ? "max" : "mean"} of ${height * width} values`, found.out, state);
  }

  function input(host, state, found) {
    const { close } = state;
    equation(host, `(${number(found.x)} / 255 − ${number(close.mean)}) / ${number(close.std)}`.replaceAll("− −", "+ "), found.out, state);
  }

  // The curve of an activation with a dot at the value.
  function activation(host, state, found) {
    const { close } = state, apply = (x) => Arithmetic.ACTIVATIONS[close.kind](x, close), reach = Math.max(3, Math.abs(found.x) * 1.2);
    const points = Array.from({ length: 81 }, (_, at) => -reach + (at / 40) * reach).map((x) => [x, apply(x)]);
    const highest = Math.max(...points.map(([, y]) => Math.abs(y)), 1);
    const place = ([x, y]) => [90 + (80 * x) / reach, 60 - (52 * y) / highest];
    const space = "http://www.w3.org/2000/svg", svg = document.createElementNS(space, "svg");
    svg.setAttribute("viewBox", "0 0 180 120");
    svg.setAttribute("class", "activation");
    const path = (d, className) => {
      const element = document.createElementNS(space, "path");
      element.setAttribute("d", d);
      element.setAttribute("class", className);
      svg.append(element);
    };
    path("M5 60H175M90 5V115", "axes");
    path(`M${points.map((point) => place(point).map((value) => value.toFixed(1)).join(" ")).join("L")}`, "curve");
    const dot = document.createElementNS(space, "circle"), [x, y] = place([found.x, found.out]);
    Object.entries({ cx: x, cy: y, r: 5 }).forEach(([name, value]) => dot.setAttribute(name, value));
    svg.append(dot);
    row(host, svg);
    equation(host, `${close.title}(${number(found.x)})`, found.out, state);
  }

  return { show };
})();
