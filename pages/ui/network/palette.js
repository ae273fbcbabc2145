// The menu of layers that can be added: families, each with its kinds; typing filters.
const Palette = (() => {
  // Opens in `host`; `choose` is called with the name of the kind.
  function open(host, palette, title, choose, close) {
    host.replaceChildren();
    host.hidden = false;
    const head = document.createElement("div"), search = document.createElement("input"), list = document.createElement("div");
    head.className = "menu-head";
    search.type = "search";
    search.placeholder = title;
    search.setAttribute("aria-label", `${title}: type to filter`);
    const cancel = document.createElement("button");
    cancel.type = "button";
    cancel.textContent = "Close";
    cancel.onclick = close;
    head.append(search, cancel);
    list.className = "menu-list";
    for (const { title: family, kinds } of palette) {
      const group = document.createElement("div"), name = document.createElement("b");
      group.className = "menu-group";
      name.textContent = family;
      group.append(name);
      for (const kind of kinds) {
        const button = document.createElement("button");
        button.type = "button";
        button.className = `kind ${kind.family}`;
        button.textContent = kind.title;
        button.title = kind.help;
        button.onclick = () => choose(kind.name);
        group.append(button);
      }
      list.append(group);
    }
    search.oninput = () => filter(list, search.value.trim().toLowerCase());
    host.onkeydown = (event) => {
      event.stopPropagation();
      if (event.key === "Escape") close();
      if (event.key === "Enter" && event.target === search) best(list, search.value.trim().toLowerCase())?.click();
    };
    host.append(head, list);
    search.focus();
  }

  function filter(list, word) {
    for (const group of list.children) {
      const kinds = [...group.querySelectorAll(".kind")];
      for (const kind of kinds) kind.hidden = !`${kind.textContent} ${kind.title}`.toLowerCase().includes(word);
      group.hidden = kinds.every((kind) => kind.hidden);
    }
  }

  // A kind whose title begins with the word, else one that has it in its title, else the first that is left.
  function best(list, word) {
    const left = [...list.querySelectorAll(".kind:not([hidden])")], title = (kind) => kind.textContent.toLowerCase();
    return left.find((kind) => title(kind).startsWith(word)) ?? left.find((kind) => title(kind).includes(word)) ?? left[0];
  }

  return { open };
})();
