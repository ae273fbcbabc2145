// Maps as small canvases with a caption; numbers; what keeps its place when content is drawn anew.
const Figures = (() => {
  // Three significant digits; what is not finite as JSON has it, null, is NaN by then.
  function precise(value) {
    if (!Number.isFinite(value)) return Labels.number(value);
    const size = Math.abs(value);
    const text = size >= 1e6 || (size > 0 && size < 1e-4) ? value.toExponential(2) : size >= 1000 ? value.toFixed(0) : value === 0 ? "0" : value.toPrecision(3);
    return text.replaceAll("-", "−");
  }

  function make(tag, className = "", text, title) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    if (title !== undefined) element.title = title;
    return element;
  }

  // A map as a canvas of `side` pixels, enlarged with nearest neighbour; `range` [low, high], signed or not.
  function canvas(map, side, ui, { range, signed, offset = 0, shape = map.shape } = {}) {
    const [height, width] = shape, element = make("canvas"), count = height * width;
    const values = map.data.subarray(offset, offset + count);
    const finite = values.filter(Number.isFinite);
    const low = range?.[0] ?? (finite.length ? finite.reduce((least, value) => Math.min(least, value)) : NaN);
    const high = range?.[1] ?? (finite.length ? finite.reduce((most, value) => Math.max(most, value)) : NaN);
    const diverging = signed ?? low < 0;
    element.width = width;
    element.height = height;
    const context = element.getContext("2d"), pixels = context.createImageData(width, height);
    values.forEach((value, at) => {
      const [red, green, blue] = ui.tint(value, diverging ? low : Math.min(0, low), high, diverging);
      pixels.data.set([red, green, blue, 255], at * 4);
    });
    context.putImageData(pixels, 0, 0);
    element.style.width = `${side}px`;
    element.style.height = `${(side * height) / width}px`;
    element.title = `${Labels.number(low)} to ${Labels.number(high)}`;
    return element;
  }

  // `open`: what a click on the caption does.
  function framed(child, caption, className = "", open = null) {
    const figure = make("figure", className), box = make("div", "box");
    box.append(child);
    figure.append(box, captioned(caption, open));
    return figure;
  }

  function captioned(caption, open = null) {
    const element = make("figcaption", "", open ? undefined : caption);
    if (open) element.append(link(caption, open));
    return element;
  }

  function link(text, open) {
    const element = make("button", "link", text, "Open its arithmetic");
    element.type = "button";
    element.dataset.part = `link ${text}`;
    element.addEventListener("click", open);
    return element;
  }

  // Draw anew what is inside, with the focus on the part of the same name as before, else on `otherwise`.
  function keepingFocus(root, act, otherwise = null) {
    const active = root.getRootNode().activeElement, inside = active && root.contains(active), part = inside && active.dataset.part;
    act();
    if (!inside || root.contains(root.getRootNode().activeElement)) return;
    const found = part && root.querySelector(`[data-part="${CSS.escape(part)}"]`);
    (found || (otherwise && root.querySelector(otherwise)))?.focus({ preventScroll: true });
  }

  return { make, canvas, framed, captioned, link, precise, keepingFocus };
})();
