// The stage on a page: one instance for each place it is mounted in.
const FADE = 380; // ms from one frame to the next
const KEPT = 80; // frames kept in the browser
const IDLE = 350; // ms before the next epoch is fetched ahead
const PATIENCE = 8000; // ms until a request without an answer counts as lost
const AREA = 480, DOCKED = 292, COMPACT = 310; // CSS pixels high, with nothing opened, with the panel, on other pages

class Stage {
  constructor(root, settings) {
    this.settings = settings;
    this.compact = Boolean(settings.compact);
    this.options = { fold: null, opened: new Set(), unfolded: new Set(), compact: this.compact };
    this.own = false;
    this.frames = new Map();
    this.entry = this.layout = this.hover = this.trace = this.opened = this.pending = null;
    this.calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.build(root);
    this.observer = new ResizeObserver(() => this.entry && this.arrange());
    this.observer.observe(this.element);
  }

  build(root) {
    this.element = document.createElement("div");
    this.element.className = `stage${this.compact ? " compact" : ""}`;
    this.element.innerHTML = SKELETON;
    root.append(this.element);
    const find = (name) => this.element.querySelector(`.${name}`);
    for (const name of ["headline", "legend", "area", "labels", "tip", "dock", "classes", "matrix", "spoken", "waiting", "live"]) this[name] = find(name);
    this.layers = ["lines", "tiles", "fade"].map((name) => find(name));
    this.scrubber = Scrubber.build(find("scrubber"), (epoch) => this.choose(epoch));
    find("own").addEventListener("click", () => this.setOwn(!this.own));
    find("fold").addEventListener("click", () => this.setFold(!this.layout.plan.fold));
    const area = this.area;
    area.addEventListener("pointermove", (event) => event.pointerType === "mouse" && this.point(event));
    area.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && this.setHover(null));
    area.addEventListener("click", (event) => this.click(event));
    area.addEventListener("keydown", (event) => Keys.press(this, event));
  }

  // A payload of the server; `ask` hands a request back to it.
  receive(payload, ask) {
    this.ask = ask;
    this.pending = null;
    const key = payload.key, answer = payload.answers === this.count;
    if (key !== this.key) {
      this.frames.clear();
      if (this.opened && this.key && key.split(":")[0] !== this.key.split(":")[0]) this.shut(); // another network
      this.key = key;
      this.wanted = payload.epoch;
    }
    // What was asked for cannot be had, such as an epoch whose weights are damaged: what came instead is shown
    if (!payload.epochs.includes(this.wanted) || (answer && this.asked === this.wanted)) this.wanted = payload.epoch;
    if (answer && this.opened && this.askedOpen && !payload.close) this.shut();
    const entry = { head: payload, frame: Data.prepare({ ...payload.frame }), measures: payload.measures };
    entry.frame.nodes[0].image = payload.frame.image;
    this.frames.delete(payload.epoch);
    this.frames.set(payload.epoch, entry);
    if (this.frames.size > KEPT) this.frames.delete(this.frames.keys().next().value);
    if (payload.epoch === this.wanted) this.show(entry);
    if (payload.close && this.opened && payload.epoch === this.wanted) this.drawPanel(payload.close);
    this.next();
  }

  choose(epoch) {
    this.wanted = epoch;
    const entry = this.frames.get(epoch);
    if (entry) this.show(entry);
    this.next(!entry || Boolean(this.opened));
  }

  // What to ask the server for: what is wanted and not here, else after a while an epoch ahead.
  next(now = false) {
    clearTimeout(this.timer);
    if (!this.ask || (this.pending && performance.now() - this.pending < PATIENCE)) return;
    const missing = !this.frames.has(this.wanted) || (this.opened && this.panelAt !== this.panelKey());
    if (now || missing) return this.request(this.wanted);
    this.timer = setTimeout(() => {
      if (this.told !== this.wanted) return this.request(this.wanted);
      const head = this.entry?.head;
      if (!head || head.live || document.hidden || head.epochs.length > KEPT) return;
      const ahead = head.epochs.find((epoch) => epoch > this.wanted && !this.frames.has(epoch)) ?? head.epochs.find((epoch) => !this.frames.has(epoch));
      if (ahead !== undefined) this.request(ahead);
    }, IDLE);
  }

  request(epoch) {
    this.pending = performance.now();
    this.told = this.wanted;
    this.count = (this.count ?? 0) + 1;
    const open = this.opened && [this.opened.address, this.opened.unit];
    Object.assign(this, { asked: epoch, askedOpen: Boolean(open) });
    this.ask({ count: this.count, key: this.key, epoch, show: this.wanted, open, blocks: [...this.options.opened] });
  }

  panelKey() {
    return this.opened && `${this.key}|${this.wanted}|${this.opened.address}|${this.opened.unit}`;
  }

  show(entry) {
    const first = !this.entry;
    if (!first && !this.calm) this.snapshot();
    this.entry = entry;
    this.arrange();
    Scores.headline(this.headline, entry);
    Scores.matrix(this.matrix, entry, this.palette, (event, text) => this.showTip(event, text));
    this.scrubber.show({ ...entry.head, note: entry.head.note ?? "" });
    Health.show(this.live, entry.head);
    this.waiting.hidden = true;
    if (first && !this.calm) this.enter();
  }

  // Place everything for the width there is, and draw.
  arrange() {
    this.palette = Draw.colours(this.element);
    this.palette.font = getComputedStyle(this.element).fontFamily;
    const width = Math.floor(this.area.clientWidth), frame = this.entry.frame;
    if (!width) return;
    this.options.health = Boolean(this.entry.head.health);
    const height = this.compact ? COMPACT : this.opened ? DOCKED : AREA;
    this.layout = Layout.arrange(frame, width, height, this.options, Labels.measure(this.element));
    const cache = new Map();
    for (const column of this.layout.columns) {
      column.links = Data.resolve(frame, this.layout.shown, column.node, cache);
      if (["maps", "input", "templates"].includes(column.shape)) column.atlas = Draw.atlas(column.node, this.palette, this.own);
    }
    this.area.style.height = `${this.layout.height}px`;
    const inner = this.area.firstElementChild;
    inner.style.width = `${this.layout.width}px`;
    this.ratio = window.devicePixelRatio || 1;
    for (const canvas of this.layers) {
      if (canvas.width === Math.round(this.layout.width * this.ratio) && canvas.height === Math.round(this.layout.height * this.ratio)) continue;
      canvas.width = Math.round(this.layout.width * this.ratio);
      canvas.height = Math.round(this.layout.height * this.ratio);
      Object.assign(canvas.style, { width: `${this.layout.width}px`, height: `${this.layout.height}px` });
    }
    this.resting = Draw.atRest(this.layout);
    Labels.draw(this);
    const softmax = this.layout.columns[this.layout.columns.length - 1];
    Scores.rows(this.classes, softmax, this.entry, this.compact);
    Labels.legend(this);
    this.refind();
    this.draw();
  }

  // The same cell as before under the pointer, in the new layout.
  refind() {
    if (!this.hover) return;
    const column = this.layout.columns.find((one) => one.node.address === this.hover.column.node.address);
    const cell = column?.cells[this.hover.cell.index];
    this.hover = cell ? { column, cell } : null;
    this.trace = cell ? Draw.traceOf(this.layout, column, cell) : null;
  }

  draw(entered = Infinity) {
    const [lines, tiles] = this.layers.map((canvas) => this.fresh(canvas));
    Draw.lines(lines, this.layout, this.trace ? this.trace.lines : this.resting, this.palette, { bright: Boolean(this.trace), phase: this.calm ? null : 0, entered });
    Draw.tiles(tiles, this.layout, this.palette, { trace: this.trace, opened: this.opened, hover: this.hover, entered });
    this.element.classList.toggle("traced", Boolean(this.trace));
  }

  fresh(canvas) {
    const context = canvas.getContext("2d");
    context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    context.clearRect(0, 0, this.layout.width, this.layout.height);
    return context;
  }

  // Keep what is drawn above the new frame and let it fade.
  snapshot() {
    const [, tiles, fade] = this.layers;
    if (!tiles.width) return;
    fade.width = tiles.width;
    fade.height = tiles.height;
    fade.getContext("2d").drawImage(tiles, 0, 0);
    fade.getAnimations().forEach((animation) => animation.cancel());
    fade.animate([{ opacity: 1 }, { opacity: 0 }], { duration: FADE, fill: "forwards" });
  }

  enter() {
    const start = performance.now(), whole = this.layout.columns.length * Draw.WAVE + 300;
    const step = (now) => {
      if (!this.element.isConnected || this.trace) return this.draw();
      this.draw(now - start);
      if (now - start < whole) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  // Dashes run along the traced lines, 30 times a second.
  animate() {
    if (this.running || this.calm) return;
    this.running = true;
    let last = 0;
    const step = (now) => {
      if (!this.trace || !this.element.isConnected) {
        this.running = false;
        return;
      }
      if (now - last > 33) {
        last = now;
        Draw.lines(this.fresh(this.layers[0]), this.layout, this.trace.lines, this.palette, { bright: true, phase: now / 28 });
      }
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  place(event) {
    const box = this.layers[0].getBoundingClientRect();
    return Layout.hit(this.layout, event.clientX - box.left, event.clientY - box.top);
  }

  point(event) {
    if (!this.layout) return;
    const found = this.place(event);
    if (found?.cell !== this.hover?.cell) this.setHover(found);
    this.showTip(found && event, found && Labels.tip(this, found, event));
  }

  setHover(found) {
    this.hover = found;
    this.trace = found ? Draw.traceOf(this.layout, found.column, found.cell) : null;
    if (!found) this.showTip(null);
    if (this.layout) this.draw();
    if (found) this.animate();
  }

  showTip(event, text) {
    this.tip.hidden = !event;
    if (!event) return;
    this.tip.textContent = text;
    const box = this.element.getBoundingClientRect();
    const left = Math.min(Math.max(4, event.clientX - box.left + 14), box.width - this.tip.offsetWidth - 6);
    Object.assign(this.tip.style, { left: `${left}px`, top: `${event.clientY - box.top + 18}px` });
  }

  click(event) {
    const found = this.layout && this.place(event);
    if (!found) return this.setHover(null);
    const again = this.hover?.cell === found.cell;
    if (event.pointerType && event.pointerType !== "mouse" && !again) {
      this.setHover(found);
      return this.showTip(event, `${Labels.tip(this, found, event)}, tap again for its arithmetic`);
    }
    this.open(found.column.node.address, Draw.unitOf(found.column.node, found.cell.index));
  }

  open(address, unit) {
    if (this.compact) return;
    const same = this.opened && this.opened.address === address && this.opened.unit === unit;
    if (same) return this.close();
    this.opened = { address, unit };
    this.showTip(null);
    this.dock.hidden = false;
    this.element.classList.add("docked");
    this.arrange();
    this.next(true);
  }

  shut() {
    this.opened = this.panelAt = null;
    this.dock.hidden = true;
    this.element.classList.remove("docked");
    Panel.clear(this.dock);
  }

  close() {
    this.shut();
    this.arrange();
    this.next(true);
    this.area.focus({ preventScroll: true });
  }

  drawPanel(close) {
    this.panelAt = this.panelKey();
    Panel.draw(this.dock, Data.numbers(close), Labels.panelUi(this));
  }

  setOwn(own) {
    this.own = own;
    this.element.querySelector(".own").setAttribute("aria-pressed", own);
    this.arrange();
  }

  setFold(fold) {
    this.options.fold = fold;
    this.options.unfolded.clear();
    this.arrange();
  }

  end() {
    this.observer.disconnect();
    this.scrubber.stop();
    clearTimeout(this.timer);
    this.element.remove();
  }
}
