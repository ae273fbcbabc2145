// Hands what the server sends to the stage of the same channel, and requests of that stage back to the server.
const waiting = new WeakSet(); // places that have asked for their first payload

export default function ({ data, parentElement, setStateValue }) {
  if (!data) {
    if (!waiting.has(parentElement)) setStateValue("ask", { count: 0 });
    waiting.add(parentElement);
    return;
  }
  const post = (window.cnnPlaygroundStages ??= { stages: new Map(), letters: new Map() });
  const length = new DataView(data.buffer, data.byteOffset).getUint32(0, true);
  const { channel } = JSON.parse(new TextDecoder().decode(data.subarray(8, 8 + length)));
  const letter = { bytes: data, ask: (request) => setStateValue("ask", request) };
  post.letters.set(channel, letter);
  const stage = post.stages.get(channel);
  if (stage) post.deliver(stage, letter);
}
