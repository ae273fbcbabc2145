// Bars: what each input adds to a sum. Lying ones for single numbers, and upright ones for one place of a map.
const Bars = (() => {
  const { make, canvas, framed, precise } = Figures;

  // Rows [name, value, how it comes about], drawn from zero; `chosen`: the row that stands out.
  function lying(body, rows, chosen = -1) {
    const list = make("div", "barlist"), most = largest(rows.map(([, value]) => value));
    rows.forEach(([name, value, how], at) => {
      const row = make("div", at === chosen ? "bar chosen" : "bar"), bar = make("span", value >= 0 ? "raises" : "lowers"), track = make("span", "track");
      bar.style.width = `${Number.isFinite(value) ? (100 * Math.abs(value)) / most : 0}%`;
      track.append(bar);
      row.append(make("span", "name", name, name.replace(/\((\d+), (\d+)\)$/, "row $1, column $2")), make("span", "how", how), track, make("b", "", precise(value), String(value)));
      list.append(row);
    });
    body.append(list);
  }

  // The inputs of a linear layer that add most, as bars, and after a flatten as maps of products.
  function inputs(body, { close, ui }) {
    const found = Arithmetic.at(close), list = make("div", "terms bars");
    if (close.maps) {
      const [count, height, width] = close.products.shape, most = close.products.data.reduce((best, value) => Math.max(best, Math.abs(value)), 1e-12);
      const side = count > 3 ? 52 : 120, image = close.maps_from === "input";
      for (let at = 0; at < Math.min(count, 12); at++) {
        const map = close.maps.data[at], name = image ? (count > 1 ? `channel ${map + 1}` : "pixels") : `map ${map + 1}`;
        const products = canvas(close.products, side, ui, { offset: at * height * width, shape: [height, width], range: [-most, most], signed: true });
        list.append(framed(products, `${name}: ${precise(close.sums.data[at])}`, "", () => ui.onOpen(close.maps_from, map)));
      }
    }
    lying(body, Array.from(close.inputs.data, (input, at) => [inputName(close, input), found.products[at], `${precise(close.x.data[at])} × ${precise(close.w.data[at])}`])
      .concat(close.others ? [[`the other ${close.others}`, found.rest, "summed"]] : [], [["bias", found.bias, ""]]));
    if (close.maps) body.append(list);
  }

  // Behind a flatten the place, row and column, in the map that a number was written from.
  function inputName({ maps, products, maps_from: from, channels }, input) {
    if (!maps) return `unit ${input + 1}`;
    const [, height, width] = products.shape, map = Math.floor(input / (height * width)) + 1, at = input % (height * width);
    const place = `(${Math.floor(at / width) + 1}, ${(at % width) + 1})`;
    return `${from !== "input" ? `map ${map}` : channels > 1 ? `channel ${map}` : "pixel"} ${place}`;
  }

  // The most probable classes, and the one in question.
  function exponentials(body, { close, ui }) {
    const { powers, total } = Arithmetic.at(close);
    const rows = Array.from(close.inputs.data, (unit, at) => [ui.names[unit] ?? `class ${unit}`, powers[at] / total, `exp(${precise(close.x.data[at] - close.largest)}) = ${precise(powers[at])}`]);
    if (close.others) rows.push([`the other ${close.others}`, close.rest / total, `summed = ${precise(close.rest)}`]);
    lying(body, rows, close.inputs.data.indexOf(close.unit));
  }

  // Columns {name, title, value, className, choose} above and below one line of zero.
  function upright(host, columns, caption) {
    const figure = make("figure", "upright"), field = make("div", columns.length > 10 ? "columns many" : "columns");
    const values = columns.map(({ value }) => (Number.isFinite(value) ? value : 0));
    const low = Math.min(0, ...values), high = Math.max(0, ...values), span = Math.max(high - low, 1e-12);
    field.style.gridTemplateColumns = `repeat(${columns.length}, minmax(0, 1fr))`;
    columns.forEach(({ name, title, value, className = "", choose, pressed }, at) => {
      const column = make(choose ? "button" : "div", `column ${className}`, undefined, `${title}: ${value}`), area = make("span", "room"), bar = make("span", value >= 0 ? "raises" : "lowers");
      Object.assign(bar.style, { top: `${(100 * (high - Math.max(values[at], 0))) / span}%`, height: `${(100 * Math.abs(values[at])) / span}%` });
      area.style.setProperty("--zero", `${(100 * high) / span}%`);
      area.append(bar);
      column.append(make("span", "value", short(value)), area, make("span", "name", name));
      if (choose) {
        column.type = "button";
        column.dataset.part = `bar ${name}`;
        column.setAttribute("aria-pressed", pressed);
        column.setAttribute("aria-label", `${title}: ${precise(value)}`);
        column.addEventListener("click", choose);
      }
      field.append(column);
    });
    figure.append(field, make("figcaption", "", caption));
    host.append(figure);
  }

  // Two decimals, and nothing for what is as good as nothing.
  function short(value) {
    if (!Number.isFinite(value)) return "?";
    return Math.abs(value) < 0.005 ? "" : value.toFixed(Math.abs(value) >= 10 ? 0 : Math.abs(value) >= 1 ? 1 : 2).replace("-", "−");
  }

  const largest = (values) => values.filter(Number.isFinite).reduce((most, value) => Math.max(most, Math.abs(value)), 1e-12);

  return { inputs, exponentials, upright };
})();
