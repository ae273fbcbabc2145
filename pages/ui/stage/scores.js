// Probabilities beside the scores, and the confusion matrix: what the network answers, for this image and for all.
const Scores = (() => {
  const percent = (value, digits = 1) => `${(100 * value).toFixed(digits)}%`;

  // One row a class: name, bar of the probability, and under it the F1 of the class at this epoch.
  function rows(host, column, entry, compact) {
    const { head, frame, measures } = entry;
    const shown = Array.from(column.node.shown.data);
    if (host.dataset.shown !== String(shown)) {
      host.dataset.shown = String(shown);
      host.replaceChildren(...shown.map(() => row()));
    }
    shown.forEach((unit, place) => {
      const element = host.children[place], cell = column.cells[place];
      const probability = frame.probabilities.data[unit];
      Object.assign(element.style, { left: `${cell.x}px`, top: `${cell.y}px`, width: `${cell.w}px`, height: `${cell.h}px` });
      element.className = `class ${unit === head.predicted ? "predicted" : ""} ${unit === head.truth ? "truth" : ""}`;
      const [name, bars, value] = element.children;
      name.textContent = head.names[unit] + (unit === head.truth ? " ✓" : "");
      name.title = head.names[unit] + (unit === head.truth ? ", the true class" : "");
      bars.children[0].firstChild.style.width = percent(probability, 2);
      const f1 = measures && !compact ? measures.f1.data[unit] : NaN;
      bars.children[1].hidden = !Number.isFinite(f1);
      bars.children[1].firstChild.style.width = Number.isFinite(f1) ? percent(f1, 2) : "0";
      bars.title = `Probability ${percent(probability, 2)}` + (Number.isFinite(f1) ? `, F1 ${f1.toFixed(3)} on ${measures.count} validation images` : "");
      value.textContent = percent(probability);
    });
  }

  function row() {
    const element = document.createElement("div");
    element.innerHTML = "<span class=name></span><span class=bars><i><b></b></i><i class=f1 hidden><b></b></i></span><span class=value></span>";
    return element;
  }

  // The confusion matrix as cells: a row is a true class, its cells sum to one.
  function matrix(host, entry, palette, onPoint) {
    const { measures, head } = entry;
    host.hidden = !measures?.confusion;
    if (host.hidden) return;
    const canvas = host.querySelector("canvas"), context = canvas.getContext("2d");
    const [classes] = measures.confusion.shape, counts = measures.confusion.data;
    const side = canvas.clientWidth || 132, ratio = window.devicePixelRatio || 1, cell = side / classes;
    canvas.width = canvas.height = side * ratio;
    context.scale(ratio, ratio);
    for (let truth = 0; truth < classes; truth++) {
      const total = counts.slice(truth * classes, (truth + 1) * classes).reduce((sum, count) => sum + count, 0);
      for (let guess = 0; guess < classes; guess++) {
        const rate = total ? counts[truth * classes + guess] / total : 0;
        const value = truth === guess ? rate : -Math.sqrt(rate); // mistakes are few: the root keeps them in sight
        context.fillStyle = Draw.css(Draw.tint(palette, value, -1, 1, true));
        context.fillRect(guess * cell, truth * cell, cell - 0.5, cell - 0.5);
      }
    }
    host.querySelector("b").textContent = percent(measures.accuracy);
    host.querySelector("span").textContent = `of ${measures.count.toLocaleString("en")} validation images`;
    canvas.onpointermove = (event) => {
      const box = canvas.getBoundingClientRect();
      const guess = Math.floor(((event.clientX - box.left) / box.width) * classes), truth = Math.floor(((event.clientY - box.top) / box.height) * classes);
      const names = measures.names, count = counts[truth * classes + guess];
      if (count === undefined) return;
      onPoint(event, truth === guess ? `${names[truth]}: ${count} right` : `${names[truth]} predicted as ${names[guess]}: ${count}`);
    };
    canvas.onpointerleave = () => onPoint(null);
  }

  // "Ankle boot", 97% confidence, right.
  function headline(host, { head, frame }) {
    const confidence = frame.probabilities.data[head.predicted];
    const known = head.truth !== null;
    const [name, share, verdict] = host.children;
    name.textContent = head.names[head.predicted] ?? "";
    share.textContent = `${percent(confidence, 0)} confidence`;
    verdict.className = !known ? "" : head.truth === head.predicted ? "right" : "wrong";
    verdict.textContent = !known ? "" : head.truth === head.predicted ? "✓ right" : `✗ it is ${head.names[head.truth]}`;
  }

  return { rows, matrix, headline, percent };
})();
