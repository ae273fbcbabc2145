// The editor: blocks from left to right (on a phone from top to bottom), a bar of actions, the menu of layers.
const ACTIONS = [
  ["undo", "↶", "Undo (Ctrl+Z)"], ["redo", "↷", "Redo (Ctrl+Y)"],
  ["add", "+ Add", "Add a layer after the one selected (A)"], ["earlier", "◀", "Move earlier (Alt+Left)"], ["later", "▶", "Move later (Alt+Right)"],
  ["duplicate", "Duplicate", "The same layer once more (D)"], ["remove", "Remove", "Remove what is selected (Delete)"],
  ["wrap", "Repeat", "Put what is selected into a repeated group (G). Shift+click selects several"],
  ["branch", "Branch", "Put what is selected on a branch beside one that hands on what comes in (B)"],
  ["unwrap", "Unwrap", "Take the layers out of a group, or write out a residual block (U)"],
];
const KEYS = { d: "duplicate", Delete: "remove", Backspace: "remove", g: "wrap", b: "branch", u: "unwrap" };
const places = new WeakMap(); // what is kept of an editor from one drawing to the next

export default function ({ data, parentElement, setTriggerValue }) {
  let state = places.get(parentElement);
  if (!state) {
    state = { root: Block.make("div", "net"), menu: Block.make("div", "menu"), scroll: 0, focus: null, count: 0 };
    state.menu.hidden = true;
    parentElement.append(state.root, state.menu);
    places.set(parentElement, state);
  }
  const act = (name, more = {}) => setTriggerValue("act", { name, path: data.selected || "0", to: data.last, ...more, count: ++state.count });
  const flat = blocksOf(data.blocks);
  const ui = { data, add: (path) => openMenu(path), label: (block) => label(block, flat) };

  function openMenu(path) {
    Palette.open(state.menu, data.palette, "Add a layer", (kind) => {
      closeMenu();
      state.focus = path;
      act("insert", { path, kind });
    }, closeMenu);
    state.menu.scrollIntoView({ block: "nearest" });
  }

  function closeMenu() {
    state.menu.hidden = true;
    focusOn(state.root, data.selected);
  }

  function run(name) {
    if (name === "add") return openMenu(after(data.selected, data.blocks.length));
    if (name === "remove") state.focus = "selected";
    act(name);
  }

  const had = state.root.contains(state.root.getRootNode().activeElement) || state.focus !== null;
  const bar = Block.make("div", "bar");
  bar.setAttribute("role", "toolbar");
  bar.setAttribute("aria-label", "Change the network");
  for (const [name, text, title] of ACTIONS) {
    const button = Block.make("button", name, text);
    Object.assign(button, { type: "button", title, disabled: !possible(name, data, flat), onclick: () => run(name) });
    button.setAttribute("aria-label", /[a-z]/i.test(text) ? `${text}. ${title}` : title);
    bar.append(button);
  }
  const strip = Block.make("div", "strip");
  strip.setAttribute("role", "listbox");
  strip.setAttribute("aria-multiselectable", "true");
  strip.setAttribute("aria-label", "Layers of the network. Arrow keys walk through them, A adds one, Delete removes.");
  const image = Block.make("div", "image"), shown = Block.make("i", "face");
  if (data.input.tile) shown.style.backgroundImage = `url(${data.input.tile})`;
  image.append(shown, Block.make("b", "name", "Image"), Block.make("span", "sizes", data.input.sizes));
  strip.append(image);
  const cut = data.split;
  strip.append(part("Feature extractor", data.blocks.slice(0, cut), 0, cut === data.blocks.length));
  if (cut < data.blocks.length) strip.append(part("Classifier", data.blocks.slice(cut), cut, true));

  function part(title, list, first, end) {
    const section = Block.make("section", "part"), row = Block.make("div", "row");
    section.setAttribute("role", "group");
    section.setAttribute("aria-label", title);
    Block.fill(row, list, "", ui, first, end);
    section.append(Block.make("header", "", title), row);
    return section;
  }

  state.scroll = state.root.querySelector(".strip")?.scrollLeft ?? 0;
  state.root.replaceChildren(bar, strip);
  strip.scrollLeft = state.scroll;
  const wanted = data.selected || "0";
  const current = strip.querySelector(`[data-path="${wanted}"]`) ?? strip.querySelector("[data-path]");
  if (current) current.tabIndex = 0;
  if (had) focusOn(state.root, wanted);
  state.focus = null;

  strip.onclick = (event) => {
    const block = event.target.closest("[data-path]");
    if (!block) return;
    block.focus();
    if (event.shiftKey && data.selected) act("select", { path: data.selected, to: block.dataset.path });
    else act("select", { path: block.dataset.path, to: block.dataset.path });
  };
  strip.onkeydown = (event) => press(event);
  drag(strip, act);

  function press(event) {
    const block = event.target.closest("[data-path]"), path = block?.dataset.path;
    if (!path) return;
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const held = event.ctrlKey || event.metaKey;
    if (held && "zy".includes(event.key.toLowerCase())) act(event.key.toLowerCase() === "y" || event.shiftKey ? "redo" : "undo");
    else if (held) return;
    else if (step && event.altKey) act(step > 0 ? "later" : "earlier", { path });
    else if (step && event.shiftKey) act("select", { path: data.selected || path, to: moved(data.last || path, step) });
    else if (step) {
      const next = flat[flat.findIndex((one) => one.path === path) + step];
      if (next) {
        focusOn(strip, next.path);
        act("select", { path: next.path, to: next.path });
      }
    } else if (event.key === "Enter" || event.key === " ") act("select", { path, to: path });
    else if (event.key.toLowerCase() === "a" || event.key === "Insert") openMenu(after(path, data.blocks.length));
    else if (KEYS[event.key] ?? KEYS[event.key.toLowerCase()]) {
      const inRange = Block.chosen(path, data);
      act(KEYS[event.key] ?? KEYS[event.key.toLowerCase()], inRange ? {} : { path, to: path });
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

const blocksOf = (list) => list.flatMap((block) => [block, ...(block.lists ?? []).flatMap(blocksOf)]);
const after = (path, length) => (path ? moved(path, 1) : String(length));

// The path of a neighbour in the same list.
function moved(path, step) {
  const cut = path.lastIndexOf(".") + 1;
  return path.slice(0, cut) + Math.max(0, Number(path.slice(cut)) + step);
}

function possible(name, data, flat) {
  if (name === "undo") return data.undo;
  if (name === "redo") return data.redo;
  const block = flat.find((one) => one.path === data.selected);
  if (name === "unwrap") return Boolean(block && (block.lists || block.kind === "residual"));
  return name === "add" || Boolean(block);
}

function label(block, flat) {
  const place = flat.indexOf(block) + 1;
  const says = block.mark ? `. ${block.mark === "error" ? "Error" : "Advice"}: ${block.says}` : "";
  return `Layer ${place} of ${flat.length}: ${block.title} ${block.detail}${block.sizes ? `, gives ${block.sizes}` : ""}${says}`;
}

function focusOn(root, path) {
  const block = root.querySelector(`[data-path="${path}"]`) ?? root.querySelector("[data-path]");
  block?.focus({ preventScroll: true });
  block?.scrollIntoView?.({ block: "nearest", inline: "nearest" });
}

// A block is dragged onto a place between two others.
function drag(strip, act) {
  let from = null;
  strip.ondragstart = (event) => {
    from = event.target.closest?.("[data-path]")?.dataset.path ?? null;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", from ?? "");
    strip.classList.add("dragging");
  };
  strip.ondragend = () => strip.classList.remove("dragging");
  strip.ondragover = (event) => {
    const place = target(event);
    if (from === null || !place) return;
    event.preventDefault();
    strip.querySelector(".gap.over")?.classList.remove("over");
    place.classList.add("over");
  };
  strip.ondrop = (event) => {
    const place = target(event);
    strip.classList.remove("dragging");
    if (from === null || !place) return;
    event.preventDefault();
    act("move", { path: from, to: place.dataset.to });
    from = null;
  };
}

// The gap under the pointer, or the one on its side of the block it is over.
function target(event) {
  const gap = event.target.closest(".gap");
  if (gap) return gap;
  const block = event.target.closest("[data-path]");
  if (!block) return null;
  const box = block.getBoundingClientRect(), late = event.clientX > box.x + box.width / 2;
  return late ? block.nextElementSibling : block.previousElementSibling;
}
