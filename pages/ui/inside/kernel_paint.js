// A kernel painted by hand: cells that take the value of the brush under a pointer, or step by step from the keyboard.
const BRUSHES = [-1, -0.5, 0, 0.5, 1], STEP = 0.25, QUIET = 250; // ms after the last key until Python is told
const kernels = new WeakMap();

const text = (value) => (Math.round(value * 100) / 100).toString().replace("-", "−");

function colour(value, knots) {
  const place = ((value + 1) / 2) * (knots.length - 1), low = Math.min(Math.floor(place), knots.length - 2);
  const mixed = [1, 3, 5].map((at) => {
    const [a, b] = [knots[low], knots[low + 1]].map((knot) => parseInt(knot.slice(at, at + 2), 16));
    return Math.round(a + (b - a) * (place - low));
  });
  const light = (0.299 * mixed[0] + 0.587 * mixed[1] + 0.114 * mixed[2]) / 255;
  return [`rgb(${mixed})`, light > 0.55 ? "#16202E" : "#FFFFFF"];
}

function shade(button, value, knots) {
  [button.style.background, button.style.color] = colour(value, knots);
  button.textContent = text(value);
}

function build(root, data) {
  const kernel = { values: [...data.values], brush: 1, told: null, tell: () => {} };
  const grid = root.querySelector(".grid"), brushes = root.querySelector(".brushes");
  grid.style.setProperty("--side", data.side);
  const cells = kernel.values.map((_, place) => {
    const cell = document.createElement("button");
    cell.type = "button";
    cell.tabIndex = place ? -1 : 0;
    cell.dataset.place = place;
    return cell;
  });
  const choices = BRUSHES.map((value) => {
    const choice = document.createElement("button");
    choice.type = "button";
    choice.onclick = () => choose(value);
    shade(choice, value, data.colours);
    choice.setAttribute("aria-label", `Brush ${text(value)}`);
    return choice;
  });

  function choose(value) {
    kernel.brush = value;
    choices.forEach((choice, place) => choice.setAttribute("aria-pressed", BRUSHES[place] === value));
  }
  function draw(place) {
    const row = Math.floor(place / data.side) + 1, column = (place % data.side) + 1;
    shade(cells[place], kernel.values[place], data.colours);
    cells[place].setAttribute("aria-label", `Row ${row}, column ${column}: ${text(kernel.values[place])}`);
  }
  function paint(place, value) {
    kernel.values[place] = Math.max(-1, Math.min(1, value));
    draw(place);
  }
  function later() {
    clearTimeout(kernel.told);
    kernel.told = setTimeout(() => kernel.tell([...kernel.values]), QUIET);
  }
  function under(event) {
    const cell = root.elementFromPoint(event.clientX, event.clientY);
    return cell && grid.contains(cell) ? cell.dataset.place : undefined;
  }

  grid.onpointerdown = (event) => {
    const place = under(event);
    if (place === undefined) return;
    grid.setPointerCapture(event.pointerId);
    paint(+place, kernel.brush);
  };
  grid.onpointermove = (event) => {
    const place = grid.hasPointerCapture(event.pointerId) ? under(event) : undefined;
    if (place !== undefined) paint(+place, kernel.brush);
  };
  grid.onpointerup = grid.onpointercancel = later;
  grid.onkeydown = (event) => {
    const place = cells.indexOf(event.target), side = data.side;
    if (place < 0) return;
    const column = place % side;
    const moves = {
      ArrowLeft: column ? -1 : 0, ArrowRight: column < side - 1 ? 1 : 0,
      ArrowUp: place >= side ? -side : 0, ArrowDown: place < side * (side - 1) ? side : 0,
    };
    const now = kernel.values[place];
    const values = { "+": now + STEP, "=": now + STEP, "-": now - STEP, 0: 0, Delete: 0, Enter: kernel.brush, " ": kernel.brush };
    if (event.key in moves) {
      cells[place].tabIndex = -1;
      cells[place + moves[event.key]].tabIndex = 0;
      cells[place + moves[event.key]].focus();
    } else if (event.key in values) {
      paint(place, values[event.key]);
      later();
    } else return;
    event.preventDefault();
  };
  root.querySelector(".clear").onclick = () => {
    cells.forEach((_, place) => paint(place, 0));
    later();
  };
  grid.replaceChildren(...cells);
  brushes.replaceChildren(...choices);
  cells.forEach((_, place) => draw(place));
  choose(1);
  return kernel;
}

export default function ({ parentElement, data, setStateValue }) {
  if (!kernels.has(parentElement)) kernels.set(parentElement, build(parentElement, data));
  const kernel = kernels.get(parentElement);
  kernel.tell = (values) => setStateValue("values", values);
  return () => {
    clearTimeout(kernel.told);
    kernels.delete(parentElement);
  };
}
