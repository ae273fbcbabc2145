// The arithmetic at one place in real numbers: patch × kernel = products → sum, or the formula of the kind.
const Steps = (() => {
  const { make, captioned, link, precise } = Figures;
  const KINDS = {
    conv: convolution, max_pool: pooling, avg_pool: pooling, adaptive_avg_pool: pooling, batch_norm: batchNorm,
    group_norm: batchNorm, layer_norm: batchNorm, add: addition, multiply: addition, concatenate: itself, softmax_layer: itself,
    linear, softmax, global_pool: globalPool, flatten, input,
  };
  const FORMULAS = {
    relu: (x) => `max(0, ${x})`,
    leaky_relu: (x, { slope }) => `max(${x}, ${slope} × ${x})`,
    sigmoid: (x) => `1 / (1 + exp(${negative(x)}))`,
    tanh: (x) => `tanh(${x})`,
    gelu: (x) => `${x} × Φ(${x})`,
    silu: (x) => `${x} / (1 + exp(${negative(x)}))`,
    hardswish: (x) => `${x} × min(max(${x} + 3, 0), 6) / 6`,
    elu: (x, { alpha }) => `${x} > 0 ? ${x} : ${alpha} × (exp(${x}) − 1)`,
    dropout: (x) => x,
    dropout2d: (x) => x,
  };

  function show(host, state, found) {
    host.replaceChildren();
    if (found.patch || typeof state.close.out === "object") host.append(make("p", "place", `At row ${state.row + 1}, column ${state.column + 1}`));
    (KINDS[state.close.kind] ?? activation)(host, state, found, state.ui);
  }

  // At most six characters: two or three decimals. The exact value is in the title.
  function cell(value, side) {
    if (value === 0 || !Number.isFinite(value)) return value === 0 ? "0" : "?";
    const size = Math.abs(value), decimals = size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 || side > 3 ? 2 : 3;
    return value.toFixed(decimals).replace("-", "−");
  }

  // A k×k grid of numbers; a null lies in the padding, where the value is `outside`.
  function grid(values, side, caption, ui, { signed = true, marked = -1, outside = "0" } = {}) {
    const most = Math.max(...values.filter(Number.isFinite).map(Math.abs), 1e-12);
    const figure = make("figure", "grid"), table = make("div", "cells");
    table.style.gridTemplateColumns = `repeat(${side}, minmax(0, 1fr))`;
    if (side > 3) figure.classList.add("small");
    values.forEach((value, at) => {
      const text = value === null ? outside : side > 5 ? "" : cell(value, side);
      const one = make("span", at === marked ? "won" : "", text, value === null ? `padding: ${outside}` : String(value));
      if (value === null) one.classList.add("padding");
      else {
        const colour = ui.tint(value, signed ? -most : 0, most, signed);
        one.style.background = `rgb(${colour})`;
        one.style.color = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2] > 140 ? "#16202E" : "#fff";
      }
      table.append(one);
    });
    figure.append(table, typeof caption === "string" ? captioned(caption) : caption);
    return figure;
  }

  const sign = (text) => make("i", "sign", text);
  const joined = (terms) => terms.join(" + ").replaceAll("+ −", "− ");
  const negative = (x) => (x.startsWith("−") ? x.slice(1) : `−${x}`);

  function row(host, ...parts) {
    const element = make("div", "row");
    element.append(...parts);
    host.append(element);
  }

  function total(value, caption) {
    const figure = make("figure", "total");
    figure.append(make("b", "", precise(value), String(value)), make("figcaption", "", caption));
    return figure;
  }

  // An arrow that stays with what it points to when a row wraps.
  function leadsTo(...figure) {
    const pair = make("div", "pair");
    pair.append(sign("→"), total(...figure));
    return pair;
  }

  function convolution(host, state, found, ui) {
    const { close } = state, part = found.parts[state.place(state)], side = close.kernel;
    const nameOf = (input) => `${close.from === "input" ? "channel" : "map"} ${input + 1}`;
    const padded = part.products.map((value, at) => (part.patch[at] === null ? null : value));
    const patch = captioned(`patch of ${nameOf(part.input)}`, () => ui.onOpen(close.from, part.input));
    row(host, grid(part.patch, side, patch, ui), sign("×"), grid(part.weights, side, "kernel", ui), sign("="), grid(padded, side, "products", ui), leadsTo(part.sum, "their sum"));
    const columns = found.parts.map(({ input, sum }) => ({
      name: input + 1, title: `${nameOf(input)} adds`, value: sum, choose: () => state.choose(input), pressed: input === part.input,
    }));
    if (close.others) columns.push({ name: `+${close.others}`, title: `the other ${close.others} add`, value: found.rest });
    columns.push({ name: "bias", title: "bias", value: found.bias }, { name: "sum", title: "sum", value: found.out, className: "whole" });
    Bars.upright(host, columns, `what each ${close.from === "input" ? "channel" : "map"} adds here`);
    equation(host, joined(terms(found, close)), found.out, state);
  }

  // The five that add most here, the others as one number, and the bias.
  function terms({ parts, rest, bias }, { others }) {
    const size = ({ sum }) => (Number.isFinite(sum) ? Math.abs(sum) : Infinity);
    const ordered = [...parts].sort((one, other) => size(other) - size(one)), more = ordered.slice(5);
    const count = more.length + others, summed = more.reduce((sum, part) => sum + part.sum, rest);
    return [...ordered.slice(0, 5).map(({ sum }) => precise(sum)), ...(count ? [`${precise(summed)} (the other ${count})`] : []), `${precise(bias)} (bias)`];
  }

  function equation(host, text, out, state) {
    const line = make("p", "equation", `${text} = `);
    line.append(make("b", "", precise(out), String(out)));
    for (const next of state.close.following) {
      const value = typeof next.out === "number" ? next.out : next.out.data[state.row * next.out.shape[1] + state.column];
      line.append(" → ", link(next.name, () => state.ui.onOpen(next.address, state.close.unit)), " ", make("b", "", precise(value), String(value)));
    }
    host.append(line);
  }

  function pooling(host, state, found, ui) {
    if (!found.patch) return itself(host, state, found); // windows of several sizes
    const { close } = state, max = close.kind === "max_pool", outside = max ? "−∞" : "0";
    const signed = close.x.data.some((value) => value < 0);
    row(host, grid(found.patch, close.kernel, "window", ui, { signed, marked: max ? found.winner : -1, outside }), leadsTo(found.out, max ? "the largest" : "the mean"));
    const values = found.patch.map((value) => (value === null ? outside : precise(value)));
    equation(host, values.length > 9 ? `${max ? "max" : "mean"} of ${values.length} values` : max ? `max(${values.join(", ")})` : `(${joined(values)}) / ${values.length}`, found.out, state);
  }

  function batchNorm(host, state, found) {
    const { close } = state, parts = [close.mean, close.var, close.weight, close.bias].map(precise);
    equation(host, `(${precise(found.x)} − ${parts[0]}) / √(${parts[1]} + ${close.eps}) × ${parts[2]} + ${parts[3]}`.replaceAll("− −", "+ ").replaceAll("+ −", "− "), found.out, state);
    row(host, total(close.mean, "running mean"), total(close.var, "running variance"), total(close.weight, "scale γ"), total(close.bias, "shift β"));
  }

  function addition(host, state, found) {
    equation(host, state.close.kind === "multiply" ? `${precise(found.x)} × ${precise(found.skip)}` : joined([precise(found.x), precise(found.skip)]), found.out, state);
  }

  function linear(host, state, found) {
    const { close } = state, sum = found.products.reduce((all, value) => all + value, 0), scaled = close.scale !== 1;
    const rest = close.others ? [`${precise(found.rest)} (the other ${close.others})`] : [];
    const text = joined([`${precise(sum)} (${found.products.length} inputs)`, ...rest, `${precise(found.bias)} (bias)`]);
    equation(host, scaled ? `(${text}) × ${close.scale} (scale)` : text, found.out, state);
  }

  function softmax(host, state, found) {
    equation(host, `${precise(found.powers[found.place])} / ${precise(found.total)}`, found.out, state);
    host.append(make("p", "place", "Exponentials of each logit less the largest: the same fractions, and no overflow."));
  }

  function itself(host, state, found) {
    equation(host, "the value itself", found.out, state);
  }

  function globalPool(host, state, found) {
    const [height, width] = state.close.x.shape;
    equation(host, `${state.close.mode === "max" ? "max" : "mean"} of ${height * width} values`, found.out, state);
  }

  function flatten(host, state, found) {
    const { close } = state;
    equation(host, `Number ${close.unit + 1} of the row is row ${close.row + 1}, column ${close.column + 1} of map ${close.map + 1}`, found.out, state);
  }

  function input(host, state, found) {
    const { close } = state;
    equation(host, `(${precise(found.x)} / 255 − ${precise(close.mean)}) / ${precise(close.std)}`.replaceAll("− −", "+ "), found.out, state);
  }

  // The curve of an activation with a dot at the value.
  function activation(host, state, found) {
    const { close } = state, apply = (x) => Arithmetic.ACTIVATIONS[close.kind](x, close), reach = Math.max(3, Number.isFinite(found.x) ? Math.abs(found.x) * 1.2 : 0);
    const points = Array.from({ length: 81 }, (_, at) => -reach + (at / 40) * reach).map((x) => [x, apply(x)]);
    const highest = Math.max(...points.map(([, y]) => Math.abs(y)), 1);
    const place = ([x, y]) => [90 + (80 * x) / reach, 60 - (52 * y) / highest];
    const svg = drawn("svg", { viewBox: "0 0 180 120", class: "activation", "aria-hidden": true });
    const [x, y] = place([found.x, found.out]);
    svg.append(drawn("path", { d: "M5 60H175M90 5V115", class: "axes" }));
    svg.append(drawn("path", { d: `M${points.map((point) => place(point).map((value) => value.toFixed(1)).join(" ")).join("L")}`, class: "curve" }));
    if (Number.isFinite(x + y)) svg.append(drawn("path", { d: `M${x} 60V${y}H90`, class: "to" }), drawn("circle", { cx: x, cy: y, r: 5 }));
    row(host, svg, total(found.x, "in"), leadsTo(found.out, "out"));
    equation(host, FORMULAS[close.kind](precise(found.x), close), found.out, state);
  }

  function drawn(tag, attributes) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
    return element;
  }

  return { show };
})();
