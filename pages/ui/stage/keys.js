// The keyboard: arrows walk from cell to cell, Enter opens, Escape closes; each step is spoken.
const Keys = (() => {
  function press(stage, event) {
    if (!stage.layout || event.target !== stage.area) return;
    const moves = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
    const move = moves[event.key];
    if (move) {
      event.preventDefault();
      walk(stage, ...(stage.layout.narrow ? [move[1], move[0]] : move));
    } else if (event.key === "Enter" && stage.hover) {
      stage.open(stage.hover.column.node.address, Draw.unitOf(stage.hover.column.node, stage.hover.cell.index));
    } else if (event.key === "Escape") {
      if (stage.opened) stage.close();
      else stage.setHover(null);
    }
  }

  function walk(stage, across, along) {
    const { columns } = stage.layout;
    const at = stage.hover ? columns.indexOf(stage.hover.column) : -1;
    const place = Math.min(Math.max(at + (at < 0 ? 1 : across), 0), columns.length - 1), column = columns[place];
    const fraction = stage.hover ? (stage.hover.cell.index + 0.5) / stage.hover.column.cells.length : 0;
    const index = across || at < 0 ? Math.floor(fraction * column.cells.length) : stage.hover.cell.index + along;
    const cell = column.cells[Math.min(Math.max(index, 0), column.cells.length - 1)];
    stage.setHover({ column, cell });
    const box = stage.layers[0].getBoundingClientRect();
    const point = { clientX: box.left + cell.x + cell.w / 2, clientY: box.top + cell.y + cell.h / 2 };
    const text = Labels.tip(stage, { column, cell }, point);
    stage.showTip(point, text);
    stage.spoken.textContent = text;
  }

  return { press };
})();
