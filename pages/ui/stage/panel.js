// The panel: how one map or unit comes about, in maps and in numbers. A window walks over the output.
const Panel = (() => {
  const states = new WeakMap();
  const TITLES = {
    conv: "each input map through a kernel of its own, summed up, plus a bias",
    max_pool: "the largest value of each window", avg_pool: "the mean of each window",
    batch_norm: "less the running mean, over the running deviation, times a learned scale, plus a learned shift",
    relu: "what is negative becomes zero", leaky_relu: "what is negative is made small", sigmoid: "squeezed into 0 to 1",
    tanh: "squeezed into −1 to 1", gelu: "each value times Φ of it, the fraction of a normal distribution that lies below it", dropout: "hands everything on when it is not training",
    silu: "each value times its sigmoid", hardswish: "SiLU in straight pieces", elu: "what is negative levels off",
    dropout2d: "hands everything on when it is not training", adaptive_avg_pool: "the mean of each window",
    group_norm: "less the mean of its group of maps, over their deviation, times a learned scale, plus a learned shift",
    layer_norm: "less the mean of all numbers, over their deviation, times a learned scale, plus a learned shift",
    add: "what the branches have computed, added up", multiply: "what the branches have computed, multiplied",
    concatenate: "the maps of all branches, one after the other", softmax_layer: "exponentials over their sum", global_pool: "one number of the whole map",
    flatten: "maps written into one row of numbers", linear: "every input times a weight, summed up, plus a bias",
    softmax: "exponentials over their sum", input: "each pixel over 255, less the mean, over the deviation",
  };

  const { make, canvas, framed, precise, keepingFocus } = Figures;
  const isMap = (value) => typeof value === "object" && value.shape.length === 2;

  // Into `host`, in place of what it held. The same map with new numbers keeps window, chosen input, focus and scrolling.
  function draw(host, content, ui) {
    const scrolled = [...host.querySelectorAll(".panel, .terms")].map((element) => element.scrollTop);
    const before = states.get(host), same = before && before.address === content.address && before.unit === content.unit;
    keepingFocus(host, () => fill(host, Arithmetic.known(content), ui, same ? before : null), "[role=application]");
    if (same) host.querySelectorAll(".panel, .terms").forEach((element, at) => (element.scrollTop = scrolled[at] ?? 0));
    else if (!content.every) host.querySelector("[role=application]")?.focus({ preventScroll: true });
  }

  function fill(host, close, ui, before) {
    const state = before ?? { address: close.address, unit: close.unit, row: null, column: null, chosen: null, timer: null };
    if (!before) clearInterval(states.get(host)?.timer);
    Object.assign(state, { close, ui, host });
    states.set(host, state);
    host.replaceChildren();
    const card = make("section", "panel");
    card.setAttribute("aria-label", "Arithmetic");
    card.addEventListener("keydown", (event) => press(state, event));
    host.append(card);
    head(card, state);
    const body = make("div", "body");
    card.append(body);
    if (close.every) {
      every(body, state);
      host.panel = { every: close.every };
      return;
    }
    place(state);
    state.windows = [];
    (close.kind === "conv" ? terms : close.kind === "linear" ? Bars.inputs : close.kind === "softmax" ? Bars.exponentials : plain)(body, state);
    outputs(body, state);
    state.numbers = make("div", "numbers");
    body.append(state.numbers);
    state.spoken = make("div", "spoken");
    state.spoken.setAttribute("aria-live", "polite");
    card.append(state.spoken);
    host.panel = { at: (row, column) => Arithmetic.at(close, row, column), move: (row, column) => move(state, row, column), state };
    update(state, false);
  }

  function clear(host) {
    clearInterval(states.get(host)?.timer);
    states.delete(host);
    host.panel = undefined;
    host.replaceChildren();
  }

  // The window begins where the output is strongest.
  function place(state) {
    const { out } = state.close;
    if (!isMap(out)) return Object.assign(state, { row: 0, column: 0 });
    const [height, width] = out.shape, size = (value) => (Number.isFinite(value) ? Math.abs(value) : -1);
    if (state.row !== null && state.row < height && state.column < width) return state;
    const most = out.data.reduce((best, value, at) => (size(value) > size(out.data[best]) ? at : best), 0);
    return Object.assign(state, { row: Math.floor(most / width), column: most % width });
  }

  function head(card, state) {
    const { close, ui } = state, bar = make("header");
    const name = close.kind === "softmax" ? `the probability of ${ui.names[close.unit] ?? `class ${close.unit}`}`
      : close.last ? `the logit of ${ui.names[close.unit] ?? `class ${close.unit}`}` : `${isMap(close.out) ? "map" : "unit"} ${close.unit + 1}`;
    const thing = close.every ? "All of this layer" : close.kind === "input" ? "How the image goes in" : `How ${name} comes about`;
    bar.append(make("b", "", thing), make("span", "", close.every ? "click one for its arithmetic" : `${close.title}: ${TITLES[close.kind]}`));
    const tools = make("div", "tools");
    if (!close.every) {
      if (isMap(close.out)) tools.append(button("animate", "Let the window walk over the output", () => animate(state), "walk"));
      tools.querySelector(".walk")?.setAttribute("aria-pressed", Boolean(state.timer));
      const one = isMap(close.out) ? "map" : close.last || close.kind === "softmax" ? "class" : "unit";
      tools.append(button("‹", `Previous ${one}`, () => ui.onStep(-1)), button("›", `Next ${one}`, () => ui.onStep(1)));
    }
    if (["conv", "linear"].includes(close.kind)) tools.append(link(close));
    tools.append(button("✕", "Close", () => ui.onClose()));
    bar.append(tools);
    card.append(bar);
  }

  // To the view of the images that excite this map, on the same page.
  function link(close) {
    const address = new URL(location.href), element = make("a", "", "what excites it", "Images that excite this map, and one made for it");
    element.dataset.part = "excites";
    for (const [name, value] of Object.entries({ view: "excites", layer: close.address, map: close.unit + (close.last ? 0 : 1) })) address.searchParams.set(name, value);
    element.href = address.href;
    return element;
  }

  function button(text, title, act, className = "") {
    const element = make("button", className, text, title);
    element.type = "button";
    element.dataset.part = text;
    element.setAttribute("aria-label", title);
    element.addEventListener("click", act);
    return element;
  }

  // Input maps ∗ kernels = what each adds.
  function terms(body, state) {
    const { close, ui } = state, [count, height, width] = close.x.shape, { kernel } = close;
    const list = make("div", "terms");
    const parts = Array.from({ length: count }, (_, at) => Arithmetic.contribution(close, at));
    const most = Math.max(...parts.map((part) => part.data.reduce((best, value) => Math.max(best, Math.abs(value)), 0)), 1e-12);
    const heaviest = close.w.data.reduce((best, value) => Math.max(best, Math.abs(value)), 1e-12);
    parts.forEach((part, at) => {
      const term = make("button", "term");
      term.type = "button";
      term.dataset.part = `term ${close.inputs.data[at]}`;
      term.dataset.input = close.inputs.data[at];
      const input = framed(canvas(close.x, 44, ui, { offset: at * height * width, shape: [height, width] }), `${close.from === "input" ? "channel" : "map"} ${close.inputs.data[at] + 1}`);
      const weights = framed(canvas(close.w, 32, ui, { offset: at * kernel * kernel, shape: [kernel, kernel], range: [-heaviest, heaviest], signed: true }), "");
      const gives = framed(canvas(part, 44, ui, { range: [-most, most], signed: true }), "");
      term.append(input, make("i", "", "∗"), weights, make("i", "", "="), gives);
      term.addEventListener("click", () => choose(state, close.inputs.data[at]));
      list.append(term);
      state.windows.push([input.firstChild, "in"], [gives.firstChild, "out"]);
    });
    if (close.others) list.append(framed(canvas(close.rest, 44, ui, { range: [-most, most], signed: true }), `the other ${close.others}, summed`, "rest"));
    body.append(list);
  }

  // Input map `input` is the one whose patch is shown. One that adds too little in new numbers comes back later.
  function choose(state, input) {
    state.chosen = input;
    update(state, false);
  }

  function chosenOf({ close, chosen }) {
    return Math.max(0, close.inputs.data.indexOf(chosen));
  }

  // One input map, for every kind that keeps maps apart.
  function plain(body, state) {
    const { close, ui } = state;
    if (!isMap(close.x)) return;
    const before = close.kind !== "input" && (() => ui.onOpen(close.from, close.map ?? close.unit));
    const input = framed(canvas(close.x, 150, ui), close.skip !== undefined ? "computed by the block" : close.kind === "input" ? "pixels" : close.map !== undefined ? `map ${close.map + 1}` : "in", "", before);
    if (close.kind === "global_pool" || close.kind === "flatten") mark(input.firstChild, close, Arithmetic.at(close));
    else state.windows.push([input.firstChild, "in"]);
    body.append(input);
    if (close.skip === undefined) return;
    const sign = make("i", "sign", close.kind === "add" ? "+" : "×");
    if (!isMap(close.skip)) return body.append(sign, make("span", "factor", precise(close.skip)));
    const skip = framed(canvas(close.skip, 150, ui), "what came in", "", () => ui.onOpen(close.skip_from, close.unit));
    state.windows.push([skip.firstChild, "out"]);
    body.append(sign, skip);
  }

  function mark(box, close, { winner }) {
    const [height, width] = close.x.shape, at = close.kind === "flatten" ? close.row * width + close.column : winner;
    if (at >= 0) frame(box, Math.floor(at / width), at % width, 1, [height, width]);
  }

  // The output, over which the window is moved, and what follows.
  function outputs(body, state) {
    const { close, ui } = state, row = make("div", close.kind === "conv" ? "outputs sum" : "outputs");
    if (!isMap(close.out)) return;
    const whole = framed(canvas(close.out, 150, ui), close.kind === "conv" ? `the sum, with bias ${precise(close.bias)}` : "out", "whole");
    const box = whole.firstChild;
    box.tabIndex = 0;
    box.dataset.part = "output";
    box.setAttribute("role", "application");
    box.setAttribute("aria-label", "Output. Arrow keys move the window.");
    box.addEventListener("pointermove", (event) => point(state, event, box));
    box.addEventListener("pointerdown", (event) => point(state, event, box));
    state.windows.push([box, "out"]);
    row.append(make("i", "sign", close.kind === "conv" ? "Σ" : "→"), whole);
    const then = make("div", "then");
    for (const next of close.following) {
      const after = framed(canvas(next.out, close.kind === "conv" ? 62 : 84, ui), next.name, "", () => ui.onOpen(next.address, close.unit));
      state.windows.push([after.firstChild, "out"]);
      then.append(make("i", "sign", "→"), after);
    }
    if (close.following.length) row.append(then);
    body.append(row);
  }

  function point(state, event, box) {
    const bounds = box.getBoundingClientRect(), [height, width] = state.close.out.shape;
    stop(state);
    move(state, Math.floor(((event.clientY - bounds.top) / bounds.height) * height), Math.floor(((event.clientX - bounds.left) / bounds.width) * width), false);
  }

  // Only what the keyboard did is spoken: a pointer or the animation would never let the voice finish.
  function move(state, row, column, speak = true) {
    const { out } = state.close;
    if (!isMap(out)) return;
    state.row = Math.min(Math.max(row, 0), out.shape[0] - 1);
    state.column = Math.min(Math.max(column, 0), out.shape[1] - 1);
    update(state, speak);
  }

  function press(state, event) {
    const moves = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
    if (event.key === "Escape") return state.ui.onClose();
    if (!moves[event.key] || event.target.getAttribute("role") !== "application") return undefined;
    event.preventDefault();
    stop(state);
    return move(state, state.row + moves[event.key][0], state.column + moves[event.key][1]);
  }

  function animate(state) {
    if (state.timer) return stop(state);
    const [height, width] = state.close.out.shape;
    const step = matchMedia("(prefers-reduced-motion: reduce)").matches ? 900 : 130;
    state.timer = setInterval(() => {
      if (!state.host.isConnected) return stop(state);
      const next = (state.row * width + state.column + 1) % (height * width);
      return move(state, Math.floor(next / width), next % width, false);
    }, step);
    state.host.querySelector(".walk").setAttribute("aria-pressed", true);
    return undefined;
  }

  function stop(state) {
    clearInterval(state.timer);
    state.timer = null;
    state.host.querySelector(".walk")?.setAttribute("aria-pressed", false);
  }

  function frame(box, row, column, size, [height, width]) {
    const window = box.querySelector(".window") ?? box.appendChild(make("div", "window"));
    Object.assign(window.style, { top: `${(100 * row) / height}%`, left: `${(100 * column) / width}%`, width: `${(100 * size) / width}%`, height: `${(100 * size) / height}%` });
  }

  // Windows and numbers for the place where the window is.
  function update(state, speak = true) {
    const { close, row, column } = state, found = Arithmetic.at(close, row, column);
    for (const [box, side] of state.windows) {
      const map = box.firstChild, shape = [map.height, map.width];
      if (side === "out" || !close.kernel) frame(box, row, column, 1, shape);
      else frame(box, row * close.stride - close.padding, column * close.stride - close.padding, close.kernel, shape);
    }
    if (close.kind === "conv") {
      const chosen = close.inputs.data[chosenOf(state)];
      state.host.querySelectorAll(".term").forEach((term) => term.setAttribute("aria-pressed", Number(term.dataset.input) === chosen));
    }
    keepingFocus(state.numbers, () => Steps.show(state.numbers, { ...state, place: chosenOf, choose: (input) => choose(state, input) }, found));
    if (speak && isMap(close.out)) state.spoken.textContent = `Row ${row + 1}, column ${column + 1}: ${precise(found.out)}`;
  }

  function every(body, state) {
    const { close, ui } = state, { every } = close, list = make("div", "every");
    const count = every.maps ? every.maps.shape[0] : every.values.shape[0];
    for (let unit = 0; unit < count; unit++) {
      const tile = button("", `${unit + 1}`, () => ui.onOpen(close.address, unit), "");
      if (every.maps) {
        const [, height, width] = every.maps.shape, low = every.low.data[unit], high = every.high.data[unit];
        const data = Float32Array.from(every.maps.data.subarray(unit * height * width, (unit + 1) * height * width), (q) => low + (q / 255) * (high - low));
        tile.append(canvas({ data, shape: [height, width] }, 36, ui, { range: every.range, signed: every.signed }));
      } else {
        tile.style.background = ui.ramp(every.values.data[unit], every.low, every.high, every.low < 0);
        tile.className = "unit";
      }
      tile.title = `${unit + 1}` + (every.values ? `: ${precise(every.values.data[unit])}` : "");
      list.append(tile);
    }
    body.append(list);
  }

  return { draw, clear };
})();
