// Tiles, strips, scores and lines on two canvases.
const Draw = (() => {
  const FADED = 0.26; // of what does not belong to the trace
  const AT_REST = 3; // lines into a tile, 1 into a cell of a long strip
  const REACH = [14, 3, 2, 2, 1, 1, 1, 1]; // inputs traced back, hop by hop
  const WAVE = 90; // ms from column to column when the network first appears

  function colours(element) {
    const style = getComputedStyle(element);
    const read = (name, fallback) => style.getPropertyValue(name).trim() || fallback;
    const page = read("--st-background-color", "#ffffff");
    const dark = luminance(page) < 0.4;
    const stops = read("--st-chart-sequential-colors", "").split(",").map((stop) => stop.trim()).filter(Boolean);
    let sequential = stops.length > 2 ? stops : ["#F1F5FB", "#97B7E8", "#2F62BD", "#11254C"];
    if (dark !== luminance(sequential[0]) < luminance(sequential[sequential.length - 1])) sequential = sequential.reverse();
    sequential = [dark ? "#0B1018" : "#FFFFFF", ...sequential.slice(1)];
    const diverging = dark
      ? ["#FFB27A", "#E8691C", "#8A3D10", "#161B24", "#1F4A8F", "#4A86E8", "#A9CBFF"]
      : ["#8A2F0C", "#C2570C", "#F1BE97", "#FFFFFF", "#A9C4EA", "#2F6CBF", "#16336B"];
    return {
      dark, page, text: read("--st-text-color", "#16202E"), border: read("--st-border-color", "#D8DEE8"),
      primary: read("--st-primary-color", "#2563EB"), raises: dark ? "#5B9BF5" : "#2563EB", lowers: dark ? "#F08A3C" : "#E8590C",
      mark: dark ? "#FACC15" : "#C026D3", sequential: ramp(sequential), diverging: ramp(diverging),
      right: dark ? "#2DD4BF" : "#0D9488", stops: { sequential, diverging },
    };
  }

  const rgb = (colour) => {
    const hex = colour.replace("#", "");
    const full = hex.length === 3 ? [...hex].map((digit) => digit + digit).join("") : hex;
    return [0, 2, 4].map((place) => parseInt(full.slice(place, place + 2), 16) || 0);
  };
  const luminance = (colour) => {
    const parts = colour.startsWith("rgb") ? colour.match(/\d+/g).map(Number) : rgb(colour);
    return (0.299 * parts[0] + 0.587 * parts[1] + 0.114 * parts[2]) / 255;
  };

  // 256 colours, evenly between the stops.
  function ramp(stops) {
    const parsed = stops.map(rgb);
    return Array.from({ length: 256 }, (_, place) => {
      const at = (place / 255) * (parsed.length - 1), low = Math.min(Math.floor(at), parsed.length - 2);
      return parsed[low].map((value, channel) => Math.round(value + (at - low) * (parsed[low + 1][channel] - value)));
    });
  }

  // Colour of a value: diverging around zero where values can be negative, else from low to high.
  function tint(palette, value, low, high, signed) {
    if (signed) {
      const most = Math.max(Math.abs(low), Math.abs(high), 1e-12);
      return palette.diverging[clamp(127.5 + (127.5 * value) / most)];
    }
    return palette.sequential[clamp((255 * (value - low)) / Math.max(high - low, 1e-12))];
  }

  const clamp = (value) => Math.max(0, Math.min(255, Math.round(value) || 0));
  const css = ([red, green, blue]) => `rgb(${red},${green},${blue})`;

  // One small canvas with the maps of a node one below the other, one pixel a value.
  function atlas(node, palette, own) {
    if (node.kind === "input") return imageAtlas(node.image);
    if (node.templates) return templateAtlas(node.templates, palette);
    const [count, height, width] = node.maps.shape;
    const pixels = new ImageData(width, height * count);
    for (let map = 0; map < count; map++) {
      const low = node.low.data[map], high = node.high.data[map];
      const [from, to] = own ? [node.signed ? low : Math.min(low, 0), high] : node.range;
      const table = Array.from({ length: 256 }, (_, q) => tint(palette, low + (q / 255) * (high - low), from, to, node.signed));
      fill(pixels, map * height * width, height * width, (place) => table[node.maps.data[map * height * width + place]]);
    }
    return surface(pixels, count);
  }

  function imageAtlas({ data, shape }) {
    const [channels, height, width] = shape, plane = height * width;
    const pixels = new ImageData(width, height);
    const at = (place, channel) => data[(channels === 1 ? 0 : channel) * plane + place];
    fill(pixels, 0, plane, (place) => [at(place, 0), at(place, 1), at(place, 2)]);
    return surface(pixels, 1);
  }

  function templateAtlas({ images }, palette) {
    const [count, height, width] = images.shape;
    const pixels = new ImageData(width, height * count);
    fill(pixels, 0, count * height * width, (place) => palette.diverging[images.data[place]]);
    return surface(pixels, count);
  }

  function fill(pixels, start, count, colour) {
    for (let place = 0; place < count; place++) {
      const [red, green, blue] = colour(place);
      pixels.data.set([red, green, blue, 255], (start + place) * 4);
    }
  }

  function surface(pixels, count) {
    const canvas = document.createElement("canvas");
    canvas.width = pixels.width;
    canvas.height = pixels.height;
    canvas.getContext("2d").putImageData(pixels, 0, 0);
    return { canvas, width: pixels.width, height: pixels.height / count };
  }

  // Everything but the lines. `trace`: what stays bright; `entered`: ms since the network appeared.
  function tiles(context, layout, palette, { trace = null, opened = null, entered = Infinity, hover = null } = {}) {
    layout.columns.forEach((column, place) => {
      const arrival = Math.max(0, Math.min(1, (entered - place * WAVE) / 260));
      for (const cell of column.cells) {
        const bright = !trace || trace.cells.has(key(column.node, cell.index));
        context.globalAlpha = arrival * (bright ? 1 : FADED);
        drawCell(context, column, cell, palette);
        context.globalAlpha = 1;
        const marked = opened && opened.address === column.node.address && opened.unit === unitOf(column.node, cell.index);
        if (marked) outline(context, cell, palette.mark, 3);
        else if (hover && hover.column.node === column.node && hover.cell.index === cell.index && column.shape !== "softmax") {
          outline(context, cell, palette.primary, 2.5);
        }
      }
    });
  }

  const key = (node, index) => `${node.address}|${index}`;
  const unitOf = (node, index) => node.shown.data[index];

  function drawCell(context, column, cell, palette) {
    const { node, shape } = column;
    const { x, y, w, h, index } = cell;
    if (shape === "softmax") return;
    if (shape === "strip" || shape === "scores") {
      context.fillStyle = css(tint(palette, node.values.data[index], node.low, node.high, node.low < 0));
      context.fillRect(x, y, w, Math.max(h, 1));
      if (shape === "scores") score(context, cell, node.values.data[index], context.fillStyle, palette);
      else if (h > 3 || index === 0) outline(context, { x, y, w, h }, palette.border, 0.5);
      return;
    }
    const image = column.atlas;
    const side = shape === "templates" ? Math.min(w, h) : w;
    context.imageSmoothingEnabled = image.width > side * 1.5;
    context.drawImage(image.canvas, 0, index * image.height, image.width, image.height, x, y, side, shape === "input" ? h : side);
    outline(context, { x, y, w: side, h: shape === "input" ? h : side }, palette.border, 1);
    if (shape === "templates") {
      context.fillStyle = css(tint(palette, node.values.data[index], node.low, node.high, true));
      context.fillRect(x + side + 2, y, 6, side);
    }
    if (node.dead?.data[index]) dead(context, cell, palette);
  }

  // A map that is zero everywhere: a diagonal line through it.
  function dead(context, { x, y, w, h }, palette) {
    context.strokeStyle = palette.lowers;
    context.lineWidth = 1.2;
    context.beginPath();
    context.moveTo(x + 3, y + h - 3);
    context.lineTo(x + w - 3, y + 3);
    context.stroke();
  }

  function score(context, { x, y, w, h }, value, ground, palette) {
    outline(context, { x, y, w, h }, palette.page, 1);
    context.fillStyle = luminance(ground) > 0.55 ? "#16202E" : "#FFFFFF";
    context.font = `600 ${Math.min(12, h * 0.6)}px ${palette.font ?? "sans-serif"}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    const text = value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) < 0.95 ? 2 : 1);
    context.fillText(text.replace("-", "−"), x + w / 2, y + h / 2 + 0.5);
  }

  function outline(context, { x, y, w, h }, colour, width) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.strokeRect(x - width / 2, y - width / 2, w + width, h + width);
  }

  // Lines at rest: the strongest few into each cell. [{from, to, strength, plain, skip}]
  function atRest(layout) {
    const lines = [];
    for (const column of layout.columns) {
      const few = column.shape === "strip" && column.cells.length > 40 ? 1 : AT_REST;
      for (const cell of column.cells) {
        for (const input of Data.strongest(column.links ?? [], cell.index, few)) {
          if (!input.skip || !layout.narrow) lines.push(line(layout, input, column, cell));
        }
      }
    }
    return lines.filter((one) => one && !one.skip);
  }

  function line(layout, input, column, cell) {
    const source = layout.columns.find((other) => other.node === input.from);
    const from = source?.cells[input.from.kind === "input" ? 0 : input.index];
    return from && { source, from, column, to: cell, strength: input.strength, plain: input.plain, skip: input.skip, index: input.index };
  }

  // What feeds a cell, back to the image, and where it goes: {lines, cells}.
  function traceOf(layout, column, cell) {
    const cells = new Set([key(column.node, cell.index)]), lines = [];
    let front = [[column, cell, 1]];
    for (let hop = 0; front.length && hop < 40; hop++) {
      const next = new Map();
      for (const [at, target, weight] of front) {
        for (const input of Data.strongest(at.links ?? [], target.index, REACH[Math.min(hop, REACH.length - 1)])) {
          const one = line(layout, input, at, target);
          if (!one) continue;
          lines.push({ ...one, weight });
          const name = key(input.from, one.from.index);
          if (!cells.has(name)) next.set(name, [one.source, one.from, weight * 0.88]);
          cells.add(name);
        }
      }
      front = [...next.values()].slice(0, 24);
    }
    for (const taker of layout.columns) forward(layout, column, cell, taker, lines, cells);
    return { lines, cells };
  }

  function forward(layout, column, cell, taker, lines, cells) {
    const found = [];
    for (const link of taker.links ?? []) {
      if (link.from !== column.node) continue;
      for (const target of taker.cells) {
        const strength = link.map ? Number(link.map[target.index] === cell.index)
          : link.matrix[target.index * link.columns + (link.from.kind === "input" ? 0 : cell.index)];
        if (Math.abs(strength) > 0.04) found.push({ source: column, from: cell, column: taker, to: target, strength, plain: Boolean(link.map), skip: link.skip, weight: 0.7 });
      }
    }
    found.sort((a, b) => Math.abs(b.strength) - Math.abs(a.strength));
    for (const one of found.slice(0, 10)) {
      lines.push(one);
      cells.add(key(taker.node, one.to.index));
    }
  }

  function lines(context, layout, list, palette, { bright = false, phase = 0, entered = Infinity } = {}) {
    context.lineCap = "round";
    for (const one of [...list].sort((a, b) => Math.abs(a.strength) - Math.abs(b.strength))) {
      const strength = Math.abs(one.strength);
      const place = layout.columns.indexOf(one.column);
      const arrival = Math.max(0, Math.min(1, (entered - place * WAVE) / 260));
      context.strokeStyle = one.plain && !bright ? palette.border : one.strength >= 0 ? palette.raises : palette.lowers;
      context.globalAlpha = arrival * (bright ? (one.weight ?? 1) * (0.5 + 0.5 * strength) : one.plain ? 0.9 : 0.16 + 0.5 * strength);
      context.lineWidth = one.plain ? (bright ? 1.6 : 1) : 0.6 + (bright ? 4.2 : 2.4) * strength;
      context.setLineDash([]);
      path(context, layout, one);
      context.stroke();
      if (bright && phase !== null && strength > 0.25) {
        context.strokeStyle = palette.page;
        context.globalAlpha = 0.75;
        context.lineWidth = 1.1;
        context.setLineDash([5, 16]);
        context.lineDashOffset = -phase;
        context.stroke();
      }
    }
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  function path(context, layout, { from, to, skip }) {
    const [x0, y0, x1, y1] = Layout.ends(from, to, layout.narrow);
    context.beginPath();
    context.moveTo(x0, y0);
    if (skip && !layout.narrow) {
      const top = layout.area[0] - 6;
      context.bezierCurveTo(x0 + 20, top, x1 - 20, top, x1, y1);
    } else if (layout.narrow) context.bezierCurveTo(x0, (y0 + y1) / 2, x1, (y0 + y1) / 2, x1, y1);
    else context.bezierCurveTo((x0 + x1) / 2, y0, (x0 + x1) / 2, y1, x1, y1);
  }

  return { colours, atlas, tiles, lines, atRest, traceOf, tint, css, unitOf, WAVE };
})();
