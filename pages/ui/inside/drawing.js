// A canvas to draw on: pen, eraser, thickness, clear. What is drawn goes to the server while it is drawn.
const EVERY = 140; // ms between two images sent
const canvases = new WeakMap();

export default function ({ data, parentElement, setStateValue }) {
  const known = canvases.get(parentElement);
  if (known) {
    known.send = (png) => setStateValue("png", png);
    known.ground(data.dark);
    return known.end;
  }
  const drawing = build(parentElement, data);
  drawing.send = (png) => setStateValue("png", png);
  canvases.set(parentElement, drawing);
  return drawing.end;
}

function build(root, { side, dark }) {
  const host = document.createElement("div");
  host.className = "drawing";
  host.innerHTML = `<canvas width="${side}" height="${side}" role="img" aria-label="Canvas to draw on with the pointer"></canvas>
    <div class="tools"><div class="row"><button type="button" class="pen" aria-pressed="true">Pen</button><button type="button" class="eraser" aria-pressed="false">Eraser</button>
    <button type="button" class="clear">Clear</button></div><label class="row">Thickness <input type="range" min="6" max="52" value="24"></label>
    <p>Draw with the mouse or a finger. The network answers while you draw.</p></div>`;
  root.append(host);
  const find = (selector) => host.querySelector(selector);
  const canvas = find("canvas"), context = canvas.getContext("2d"), width = find("input");
  const drawing = { end: () => host.remove(), ground, send: () => {} };
  let erasing = false, last = null, ink = !dark, sent = 0, timer = null, empty = true;

  function ground(isDark) {
    if (ink === isDark) return;
    ink = isDark;
    if (empty) return clear(false);
    const pixels = context.getImageData(0, 0, side, side);
    for (let place = 0; place < pixels.data.length; place++) if (place % 4 !== 3) pixels.data[place] = 255 - pixels.data[place];
    context.putImageData(pixels, 0, 0);
    tell();
  }

  function clear(telling = true) {
    context.fillStyle = ink ? "#000" : "#fff";
    context.fillRect(0, 0, side, side);
    empty = true;
    if (telling) drawing.send("");
  }

  function stroke(event) {
    const box = canvas.getBoundingClientRect();
    const point = [((event.clientX - box.left) / box.width) * side, ((event.clientY - box.top) / box.height) * side];
    context.strokeStyle = ink !== erasing ? "#fff" : "#000";
    context.lineWidth = Number(width.value);
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    context.moveTo(...(last ?? point));
    context.lineTo(...point);
    context.stroke();
    last = point;
    empty = false;
    tell();
  }

  // At most every EVERY ms, and always the last state.
  function tell() {
    clearTimeout(timer);
    const wait = Math.max(0, sent + EVERY - performance.now());
    timer = setTimeout(() => {
      sent = performance.now();
      drawing.send(canvas.toDataURL("image/png"));
    }, wait);
  }

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    last = null;
    stroke(event);
  });
  canvas.addEventListener("pointermove", (event) => last && stroke(event));
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => (last = null));
  const choose = (eraser) => {
    erasing = eraser;
    find(".pen").setAttribute("aria-pressed", !eraser);
    find(".eraser").setAttribute("aria-pressed", eraser);
  };
  find(".pen").addEventListener("click", () => choose(false));
  find(".eraser").addEventListener("click", () => choose(true));
  find(".clear").addEventListener("click", () => clear());
  ground(dark);
  return drawing;
}
