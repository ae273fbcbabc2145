// The component's entry: one stage for each place on a page, and a mailbox through which the feed reaches it.
const SKELETON = `
  <div class="top">
    <div class="headline"><b></b> <span></span> <em></em></div>
    <div class="live" hidden></div>
    <div class="legend">
      <span><i class="bar sequential"></i>low to high</span><span><i class="bar diverging"></i>− 0 +</span><span class="scope"></span>
      <span title="Lines: how much an input adds to a map for this image (root mean square of its part of the sum), and whether it raises or lowers it"><i class="lowers"></i>lowers <i class="raises"></i>raises</span>
    </div>
    <div class="switches">
      <button type="button" class="own" aria-pressed="false" title="Weak maps become visible, but colours no longer compare">own scale</button>
      <button type="button" class="fold" aria-pressed="false" title="Show norms and activations as columns of their own">every layer</button>
    </div>
  </div>
  <div class="area" tabindex="0" role="application" aria-label="The network at work on the image. Arrow keys walk through the maps, Enter opens the arithmetic of one.">
    <div class="inner"><canvas class="lines"></canvas><canvas class="tiles"></canvas><canvas class="fade"></canvas><div class="labels"></div><div class="classes"></div></div>
  </div>
  <div class="bottom">
    <div class="scrubber" hidden></div>
    <div class="matrix" hidden><canvas role="img" aria-label="Confusion matrix: true classes down, predicted across"></canvas><p><b></b><span></span></p></div>
  </div>
  <div class="dock" hidden></div>
  <div class="tip" hidden></div>
  <div class="waiting">Computing the first image…</div>
  <div class="spoken" aria-live="polite"></div>`;

const post = (window.cnnPlaygroundStages ??= { stages: new Map(), letters: new Map() });
const instances = new WeakMap();

export default function ({ data, parentElement }) {
  let stage = instances.get(parentElement);
  if (!stage) {
    stage = new Stage(parentElement, data);
    instances.set(parentElement, stage);
    post.stages.set(data.channel, stage);
    const letter = post.letters.get(data.channel);
    if (letter) deliver(stage, letter);
  } else if (stage.entry) stage.arrange(); // the theme may have changed
  return () => {
    stage.end();
    instances.delete(parentElement);
    if (post.stages.get(data.channel) === stage) post.stages.delete(data.channel);
    post.letters.delete(data.channel);
  };
}

function deliver(stage, { bytes, ask }) {
  const payload = Data.unpack(bytes);
  stage.receive({ ...payload, frame: Data.unpack(payload.frame.data) }, ask);
}

post.deliver = deliver;
