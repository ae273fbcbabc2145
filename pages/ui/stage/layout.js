// Where everything stands: columns from left to right on a wide page, rows from top to bottom on a narrow one.
const Layout = (() => {
  const NARROW = 700; // CSS pixels: below, the network runs from top to bottom
  const HEADER = 46, CHIPS = 18, SKIPS = 16, FOOTER = 40; // CSS pixels above and below the maps
  const WIDE_GAP = 44, MOST_GAP = 130, THIN_GAP = 9;
  const STRIP = 14, SCORES = 46, CLASSES = 218;
  const SCALES = [[20, 1], [11, 0.93], [6, 0.86], [0, 0.76]]; // by the side of the maps: pooling visibly shrinks

  const scale = (side) => SCALES.find(([least]) => side >= least)[1];
  const isMaps = (node) => node.shape.length === 3;

  function kind(node) {
    if (node.kind === "input" || node.kind === "softmax") return node.kind;
    if (node.scores) return "scores";
    if (node.templates) return "templates";
    return isMaps(node) ? "maps" : "strip";
  }

  // {columns, width, height, narrow, plan}: the first plan that fits; a fold that a person chose is kept.
  function arrange(frame, width, height, options, measure) {
    const narrow = width < NARROW;
    const plans = [];
    if (options.fold !== true && !narrow) plans.push({ fold: false, closeBlocks: false });
    if (options.fold !== false || narrow) plans.push({ fold: true, closeBlocks: false });
    plans.push({ fold: options.fold !== false || narrow, closeBlocks: true });
    const usable = narrow ? plans.slice(-1) : plans;
    let best = null;
    for (const plan of usable) {
      const shown = Data.visible(frame, { ...options, ...plan });
      const head = HEADER + (options.compact ? 0 : headRoom(frame, shown));
      best = narrow ? rows(frame, shown, width) : columns(frame, shown, width, height, head, measure, options);
      best.plan = plan;
      best.shown = shown;
      best.closed = new Set(frame.nodes.filter((node) => Data.closed(frame, shown, node)).map((node) => node.address));
      if (best.fits) break;
    }
    best.narrow = narrow;
    return best;
  }

  function size(node, area, narrow) {
    const rows = Math.max(node.rows, 5);
    const slot = Math.min(76, area / rows);
    const side = Math.max(8, Math.floor((slot - 5) * (isMaps(node) ? scale(Math.max(...node.shape.slice(1))) : 0.93)));
    return { slot, side, narrow };
  }

  // What chips and arcs of open residual blocks need above the maps.
  function headRoom(frame, shown) {
    const list = frame.nodes.filter((node) => shown.has(node.address));
    const folded = frame.nodes.some((node) => (node.thin && !node.skip && !shown.has(node.address)) || node.block !== null);
    return (folded ? CHIPS : 0) + (list.some((node) => node.kind === "add") ? SKIPS : 0);
  }

  function columns(frame, shown, width, height, header, measure, options) {
    const foot = options.compact ? (options.health ? 30 : 6) : FOOTER, area = height - header - foot;
    const list = frame.nodes.filter((node) => shown.has(node.address)).map((node) => {
      const shape = kind(node);
      const { slot, side } = size(node, area);
      const main = { input: Math.min(options.compact ? 76 : 118, area * 0.4), maps: side, templates: side + 9, strip: STRIP,
        scores: SCORES, softmax: options.compact ? 150 : CLASSES }[shape];
      return { node, shape, slot, side, main, text: measure(node, shape, options.compact ? "" : Data.folded(frame, shown, node)) };
    });
    const gaps = list.slice(1).map((column, place) => {
      const before = list[place];
      const wide = ["conv", "linear"].includes(column.node.kind) || column.node.block !== null && !frame.byAddress.get(column.node.address).links[0]?.edges && before.node.block !== column.node.block;
      const words = column.shape === "softmax" ? 0 : (before.text + column.text) / 2 + 7 - (before.main + column.main) / 2;
      return { wide, size: Math.max(column.shape === "softmax" ? 4 : wide ? WIDE_GAP : THIN_GAP, words) };
    });
    const used = () => list.reduce((sum, column) => sum + column.main, 0) + gaps.reduce((sum, gap) => sum + gap.size, 0);
    const margin = Math.max(0, (list[0].text - list[0].main) / 2);
    let left = width - used() - margin;
    const fits = left >= 0;
    for (const gap of gaps.filter((gap) => gap.wide)) {
      const share = Math.min(Math.max(0, left) / gaps.filter((other) => other.wide).length, MOST_GAP - gap.size);
      gap.extra = Math.max(0, share);
    }
    for (const gap of gaps) gap.size += gap.extra ?? 0;
    left = Math.max(0, width - used() - margin);
    if (gaps.length) for (const gap of gaps) gap.size += Math.min(left / gaps.length, 40);
    let x = margin;
    list.forEach((column, place) => {
      column.x = x;
      column.cells = cells(column, x, header, area);
      x += column.main + (gaps[place]?.size ?? 0);
    });
    return { columns: list, width: Math.max(width, used() + margin), height, fits, area: [header, height - foot] };
  }

  function cells(column, x, top, area) {
    const { node, shape, slot, side } = column;
    const middle = top + area / 2;
    if (shape === "input") return [{ x, y: middle - column.main / 2, w: column.main, h: column.main, index: 0 }];
    if (shape === "strip") {
      const each = Math.min(12, area / node.rows), first = middle - (each * node.rows) / 2;
      return range(node.rows).map((index) => ({ x, y: first + index * each, w: STRIP, h: each, index }));
    }
    const each = shape === "scores" || shape === "softmax" ? Math.min(42, area / node.rows) : slot;
    const first = middle - (each * node.rows) / 2;
    return range(node.rows).map((index) => {
      const y = first + index * each;
      if (shape === "scores" || shape === "softmax") return { x, y: y + 1, w: column.main, h: each - 2, index };
      return { x, y: y + (each - side) / 2, w: side, h: side, index };
    });
  }

  function rows(frame, shown, width) {
    const list = [];
    let y = 0;
    for (const node of frame.nodes.filter((item) => shown.has(item.address))) {
      const shape = kind(node);
      const side = Math.min(34, Math.floor(width / Math.max(node.rows, 8)) - 4);
      const main = { input: 110, maps: side, templates: side + 8, strip: 16, scores: 34, softmax: node.rows * 26 }[shape];
      const wide = ["conv", "linear"].includes(node.kind) || (node.block !== null);
      if (list.length) y += shape === "softmax" ? 8 : wide ? 30 : 10;
      const head = shape === "input" ? 0 : 17;
      const column = { node, shape, side, main, y, x: 0, text: 0 };
      column.cells = acrossCells(column, y + head, width);
      list.push(column);
      y += head + main;
    }
    return { columns: list, width, height: y + 4, fits: true, area: [0, y] };
  }

  function acrossCells({ node, shape, side, main }, y, width) {
    if (shape === "input") return [{ x: (width - main) / 2, y, w: main, h: main, index: 0 }];
    if (shape === "softmax") return range(node.rows).map((index) => ({ x: 0, y: y + index * 26, w: width, h: 24, index }));
    const each = shape === "strip" ? width / node.rows : Math.min(width / node.rows, shape === "scores" ? 40 : side + 5);
    const first = (width - each * node.rows) / 2;
    return range(node.rows).map((index) => {
      const gap = shape === "strip" ? 0 : shape === "scores" ? 1 : each - side;
      return { x: first + index * each + gap / 2, y, w: each - gap, h: shape === "maps" || shape === "templates" ? side : main, index };
    });
  }

  const range = (count) => Array.from({ length: count }, (_, index) => index);

  // Ends of a line between two cells.
  function ends(from, to, narrow) {
    if (narrow) return [from.x + from.w / 2, from.y + from.h, to.x + to.w / 2, to.y];
    return [from.x + from.w, from.y + from.h / 2, to.x, to.y + to.h / 2];
  }

  function hit(layout, x, y) {
    for (const column of layout.columns) {
      for (const cell of column.cells) {
        if (x < cell.x || x > cell.x + cell.w || y < cell.y || y > cell.y + cell.h) continue;
        if (column.shape !== "softmax") return { column, cell };
        const scores = layout.columns[layout.columns.length - 2]; // a probability is traced from its score
        return { column: scores, cell: scores.cells[cell.index] };
      }
    }
    return null;
  }

  return { arrange, ends, hit };
})();
