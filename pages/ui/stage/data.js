// What the server sends: unpacking, and the links between the nodes that are visible.
const Data = (() => {
  const TYPES = {
    uint8: Uint8Array, int8: Int8Array, uint16: Uint16Array, int16: Int16Array,
    uint32: Uint32Array, int32: Int32Array, float32: Float32Array,
  };

  // Bytes of cnn_core/inspection/stage/packing.py -> nested objects; an array becomes {data, shape}.
  function unpack(bytes) {
    const buffer = bytes.slice().buffer; // a copy: typed arrays need their own alignment
    const length = new DataView(buffer).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
    return revive(header, buffer, 8 + length);
  }

  function revive(value, buffer, start) {
    if (Array.isArray(value)) return value.map((item) => revive(item, buffer, start));
    if (value === null || typeof value !== "object") return value;
    if (value["@"]) {
      const [offset, shape, dtype] = value["@"];
      const count = shape.reduce((product, side) => product * side, 1);
      return { data: new TYPES[dtype](buffer, start + offset, count), shape };
    }
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, revive(item, buffer, start)]));
  }

  // What is no finite number comes as null.
  function numbers(close) {
    const revived = (part) => Object.fromEntries(Object.entries(part).map(([name, value]) => [name, value === null ? NaN : value]));
    return { ...revived(close), following: (close.following ?? []).map(revived) };
  }

  // A frame with its nodes by address and the image as a node of its own.
  function prepare(frame) {
    const input = {
      address: "input", kind: "input", name: "Input", title: "The image", shape: frame.image.shape, parameters: 0,
      shown: { data: Uint16Array.of(0), shape: [1] }, links: [], thin: false, block: null, skip: false,
    };
    const nodes = [input, ...frame.nodes];
    for (const node of nodes) node.rows = node.shown.data.length;
    const scores = nodes[nodes.length - 2];
    scores.scores = true;
    return { ...frame, nodes, byAddress: new Map(nodes.map((node) => [node.address, node])), scores };
  }

  // Which nodes have a column. `fold`: layers that keep each number apart are left out; `opened`: residual blocks drawn
  // with what is inside; `unfolded`: addresses whose following thin layers are drawn all the same.
  function visible(frame, { fold, closeBlocks, opened, unfolded }) {
    const shown = new Set();
    let leader = null;
    frame.nodes.forEach((node, place) => {
      if (node.skip) return;
      const last = node.block !== null && frame.nodes[place + 1]?.block !== node.block;
      const closed = node.block !== null && (closeBlocks !== opened.has(node.block)) && !node.scores;
      if (closed) {
        if (last) shown.add(node.address);
        return;
      }
      if (node.block !== null && !hasImages(node)) return;
      const hidden = fold && !node.scores && ((node.thin && !unfolded.has(leader)) || node.kind === "flatten");
      if (!hidden) shown.add(node.address);
      if (!node.thin) leader = node.address;
    });
    return shown;
  }

  const hasImages = (node) => node.shape.length === 1 || Boolean(node.maps) || node.kind === "input";

  // Whether a node is all that is drawn of the block it ends.
  const closed = (frame, shown, node) => node.block !== null && shown.has(node.address) &&
    !frame.nodes.some((other) => other !== node && other.block === node.block && shown.has(other.address));

  // The thin layers right after a node, and those of them that have no column.
  function behind(frame, node) {
    const found = [];
    for (let place = frame.nodes.indexOf(node) + 1; frame.nodes[place]?.thin && frame.nodes[place].block === node.block; place++) found.push(frame.nodes[place]);
    return found;
  }

  // What is folded into a node, in short: "+ Norm, ReLU".
  function folded(frame, shown, node) {
    if (node.thin || node.kind === "input" || node.kind === "softmax") return "";
    const names = behind(frame, node).filter((thin) => !shown.has(thin.address)).map((thin) => thin.name.replace("Batch norm", "Norm"));
    return names.length ? `+ ${names.join(", ")}` : "";
  }

  // Links of a visible node to visible nodes: [{from, skip, map | matrix}], through the hidden ones between.
  function resolve(frame, shown, node, cache = new Map()) {
    if (cache.has(node)) return cache.get(node);
    const found = [];
    node.links.forEach((link, place) => {
      const source = frame.byAddress.get(link.from);
      const own = step(node, source, link);
      if (!own) return;
      const skip = node.kind === "add" && place === 1;
      if (shown.has(source.address)) found.push({ from: source, skip, ...own });
      else {
        for (const further of resolve(frame, shown, source, cache)) {
          found.push({ from: further.from, skip: skip || further.skip, ...compose(node, source, further, own) });
        }
      }
    });
    cache.set(node, merge(found));
    return cache.get(node);
  }

  // One link as {map: Int16Array} (output i comes from input map[i], -1 from none) or {matrix, columns}.
  function step(node, source, link) {
    if (link.edges) {
      const matrix = Float32Array.from(link.edges.data, (value) => value / 127);
      return { matrix, columns: link.edges.shape[1] };
    }
    if (node.kind === "flatten") return null;
    const first = link.first ?? 0; // of what is concatenated
    return { map: Int16Array.from(node.shown.data, (unit) => source.shown.data.indexOf(unit - first)) };
  }

  function compose(node, between, further, own) {
    if (own.map && further.map) return { map: own.map.map((place) => (place < 0 ? -1 : further.map[place])) };
    const columns = further.matrix ? further.columns : further.from.rows;
    const matrix = new Float32Array(node.rows * columns);
    for (let i = 0; i < node.rows; i++) {
      for (let j = 0; j < between.rows; j++) {
        const strength = own.map ? Number(own.map[i] === j) : own.matrix[i * own.columns + j];
        if (!strength) continue;
        if (further.map) {
          if (further.map[j] >= 0) matrix[i * columns + further.map[j]] += strength;
        } else {
          for (let k = 0; k < columns; k++) matrix[i * columns + k] += strength * further.matrix[j * columns + k];
        }
      }
    }
    return { matrix: normalised(matrix), columns };
  }

  function normalised(matrix) {
    const largest = matrix.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-12);
    return matrix.map((value) => value / largest);
  }

  // Two ways from one node, of a closed residual block: the block's own matrix and its skip.
  function merge(links) {
    const matrices = links.filter((link) => link.matrix);
    return links.filter((link) => !(link.map && matrices.some((other) => other.from === link.from)));
  }

  // The strongest inputs of output i: [{from, index, strength, skip, plain}], strongest first.
  function strongest(links, i, most) {
    const found = [];
    for (const link of links) {
      if (link.map) {
        if (link.map[i] >= 0) found.push({ from: link.from, index: link.map[i], strength: 1, skip: link.skip, plain: true });
        continue;
      }
      for (let j = 0; j < link.columns; j++) {
        const strength = link.matrix[i * link.columns + j];
        if (Math.abs(strength) > 0.02) found.push({ from: link.from, index: j, strength, skip: link.skip, plain: false });
      }
    }
    return found.sort((a, b) => Math.abs(b.strength) - Math.abs(a.strength)).slice(0, most);
  }

  return { unpack, numbers, prepare, visible, closed, behind, folded, resolve, strongest };
})();
