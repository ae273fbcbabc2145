// The epochs of a run: a slider over those whose weights are kept, with a play button and the curve behind it.
const Scrubber = (() => {
  const PLAY = 850; // ms an epoch

  function build(host, onChoose) {
    host.innerHTML = `<button class="play" type="button" aria-label="Play the epochs"><svg viewBox="0 0 24 24"><path/></svg></button>
      <div class="track"><svg class="curve" preserveAspectRatio="none" aria-hidden="true"><path class="fill"/><path class="line"/></svg>
      <div class="ticks" aria-hidden="true"></div><input type="range" step="1" aria-label="Epoch"></div>
      <div class="where"><b></b><span></span></div>`;
    const find = (selector) => host.querySelector(selector);
    const parts = { play: find(".play"), icon: find(".play path"), input: find("input"), ticks: find(".ticks"), fill: find(".fill"),
      line: find(".line"), curve: find(".curve"), where: find(".where b"), note: find(".where span") };
    const state = { epochs: [], timer: null, epoch: null };

    function show({ epochs, epoch, best, curve, note }) {
      const same = String(epochs) === String(state.epochs);
      Object.assign(state, { epochs, epoch });
      host.hidden = epochs.length < 2;
      parts.input.max = epochs.length - 1;
      parts.input.value = Math.max(0, epochs.indexOf(epoch));
      parts.input.setAttribute("aria-valuetext", `epoch ${epoch}`);
      parts.where.textContent = epoch === "live" ? "now" : `epoch ${epoch}`;
      parts.note.textContent = note + (epoch === best ? " · best" : "");
      icon();
      if (!same) ticks(epochs, best);
      draw(curve, epochs);
    }

    function ticks(epochs, best) {
      parts.ticks.replaceChildren(...(epochs.length > 60 ? [] : epochs).map((epoch, place) => {
        const tick = document.createElement("i");
        tick.style.left = `${(100 * place) / Math.max(1, epochs.length - 1)}%`;
        tick.className = epoch === best ? "best" : "";
        return tick;
      }));
    }

    // Accuracy by epoch, from a little below its lowest value to its highest; the x axis is the slider's.
    function draw(curve, epochs) {
      const last = epochs.filter((epoch) => epoch !== "live").slice(-1)[0] || 1;
      const kept = curve.filter(([epoch]) => epoch <= last), values = kept.map(([, value]) => value);
      const low = 0.9 * Math.min(...values, 1), high = Math.max(...values, low + 1e-6);
      const points = kept.map(([epoch, value]) => [100 * along(epoch, epochs), 29 - (27 * (value - low)) / (high - low)]);
      parts.curve.setAttribute("viewBox", "0 0 100 30");
      const line = points.map(([x, y]) => `${x.toFixed(2)} ${y.toFixed(2)}`).join("L");
      parts.line.setAttribute("d", points.length ? `M${line}` : "");
      parts.fill.setAttribute("d", points.length ? `M${points[0][0]} 30L${line}L${points[points.length - 1][0]} 30Z` : "");
    }

    function along(epoch, epochs) {
      const after = epochs.findIndex((kept) => kept === "live" || kept >= epoch);
      if (after <= 0) return after === 0 ? 0 : 1;
      const [low, high] = [epochs[after - 1], epochs[after] === "live" ? epoch : epochs[after]];
      return (after - 1 + (high > low ? (epoch - low) / (high - low) : 1)) / (epochs.length - 1);
    }

    function icon() {
      parts.icon.setAttribute("d", state.timer ? "M7 5h4v14H7zM13 5h4v14h-4z" : "M8 5v14l11-7z");
      parts.play.setAttribute("aria-label", state.timer ? "Pause" : "Play the epochs");
    }

    function toggle() {
      if (state.timer) return stop();
      const at = state.epochs.indexOf(state.epoch);
      if (at >= state.epochs.length - 1) onChoose(state.epochs[0]);
      state.timer = setInterval(() => {
        const next = state.epochs.indexOf(state.epoch) + 1;
        if (next >= state.epochs.length) stop();
        else onChoose(state.epochs[next], true);
      }, PLAY);
      icon();
    }

    function stop() {
      clearInterval(state.timer);
      state.timer = null;
      icon();
    }

    parts.play.addEventListener("click", toggle);
    parts.input.addEventListener("input", () => {
      stop();
      onChoose(state.epochs[Number(parts.input.value)]);
    });
    return { show, stop, playing: () => state.timer !== null };
  }

  return { build };
})();
