// One layer as a block: its maps where there are some, its name, its size; layers inside it within its border.
const Block = (() => {
  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  // `ui`: {data, add(path), label(block)}.
  function draw(block, ui) {
    const button = make("div", `block ${block.family}${block.thin ? " thin" : ""}`);
    button.dataset.path = block.path;
    button.tabIndex = -1;
    button.draggable = true;
    button.setAttribute("role", "option");
    button.setAttribute("aria-label", ui.label(block));
    button.setAttribute("aria-selected", String(chosen(block.path, ui.data)));
    button.title = `${block.title} ${block.detail}${block.says ? `\n${block.says}` : ""}`;
    if (block.mark) button.classList.add(block.mark);
    if (block.lists) button.append(...inside(block, ui));
    else button.append(face(block));
    button.append(make("b", "name", block.short), make("span", "detail", block.detail), make("span", "sizes", block.sizes));
    if (block.mark) button.append(make("span", "mark", block.mark === "error" ? "!" : "?"));
    return button;
  }

  function face(block) {
    const face = make("i", "face");
    face.style.setProperty("--high", `${block.high}px`);
    face.style.setProperty("--wide", `${block.thin ? 12 : Math.max(block.wide, block.tile ? block.high : 0)}px`);
    if (block.tile && !block.thin) face.style.backgroundImage = `url(${block.tile})`;
    return face;
  }

  function inside(block, ui) {
    const lanes = make("div", `lanes ${block.kind}`);
    block.lists.forEach((list, which) => {
      const lane = make("div", "lane");
      fill(lane, list, `${block.path}.${which}`, ui);
      if (!list.length && block.kind === "branches") lane.prepend(make("span", "identity", "as it is"));
      lanes.append(lane);
    });
    return [make("span", "sign", block.sign), lanes];
  }

  // The blocks of a list with a place to add one before each and after the last.
  function fill(host, list, prefix, ui, first = 0, end = true) {
    list.forEach((block, place) => {
      const path = prefix === "" ? String(first + place) : `${prefix}.${first + place}`;
      host.append(gap(path, `Add a layer before ${block.title}`, ui), draw(block, ui));
    });
    if (end) host.append(gap(prefix === "" ? String(first + list.length) : `${prefix}.${first + list.length}`, "Add a layer at the end", ui));
  }

  function gap(path, label, ui) {
    const button = make("button", "gap", "+");
    button.type = "button";
    button.tabIndex = -1;
    button.dataset.to = path;
    button.title = label;
    button.setAttribute("aria-label", label);
    button.onclick = (event) => {
      event.stopPropagation();
      ui.add(path);
    };
    return button;
  }

  // Whether a block lies between the two ends of what is selected.
  function chosen(path, { selected, last }) {
    if (path === selected || path === last) return true;
    const parts = (text) => [text.slice(0, text.lastIndexOf(".") + 1), Number(text.slice(text.lastIndexOf(".") + 1))];
    const [list, place] = parts(path), [first, from] = parts(selected || " "), [second, to] = parts(last || " ");
    return list === first && list === second && place >= Math.min(from, to) && place <= Math.max(from, to) && Boolean(selected);
  }

  return { make, draw, fill, chosen };
})();
