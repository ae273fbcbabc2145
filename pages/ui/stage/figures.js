// Maps as small canvases with a caption.
const Figures = (() => {
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
    const low = range?.[0] ?? values.reduce((least, value) => Math.min(least, value), Infinity);
    const high = range?.[1] ?? values.reduce((most, value) => Math.max(most, value), -Infinity);
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

  function framed(child, caption, className = "") {
    const figure = make("figure", className), box = make("div", "box");
    box.append(child);
    figure.append(box, make("figcaption", "", caption));
    return figure;
  }

  return { make, canvas, framed };
})();
