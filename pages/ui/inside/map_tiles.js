// The maps of a layer as small tiles: a click, or Enter on the focused one, chooses it.
export default function ({ parentElement, data, setTriggerValue }) {
  const box = parentElement.querySelector(".tiles");
  const focused = parentElement.activeElement?.dataset.unit; // a redraw keeps the place of the keyboard
  const rows = Math.ceil(data.units.length / data.columns), across = Math.max(1, data.columns - 1);
  const tiles = data.units.map((unit, place) => {
    const tile = document.createElement("button"), image = document.createElement("i"), name = document.createElement("span");
    tile.type = "button";
    tile.dataset.unit = unit;
    tile.setAttribute("aria-pressed", unit === data.chosen);
    tile.setAttribute("aria-label", data.labels[place]);
    tile.title = data.labels[place];
    tile.classList.toggle("edited", data.edited.includes(unit));
    image.style.backgroundImage = `url(${data.sprite})`;
    image.style.backgroundSize = `${data.columns * 100}% ${rows * 100}%`;
    const x = ((place % data.columns) / across) * 100, y = (Math.floor(place / data.columns) / Math.max(1, rows - 1)) * 100;
    image.style.backgroundPosition = `${x}% ${y}%`;
    name.textContent = unit + 1;
    tile.append(image, name);
    tile.onclick = () => setTriggerValue("unit", unit);
    return tile;
  });
  box.replaceChildren(...tiles);
  tiles.find((tile) => tile.dataset.unit === focused)?.focus();
}
