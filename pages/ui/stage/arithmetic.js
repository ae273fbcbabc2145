// The arithmetic of one map or unit, redone from the numbers that the server sent. `close` is what
// cnn_core/inspection/stage/arithmetic.py describes; an array is {data, shape}.
const Arithmetic = (() => {
  const cell = (map, row, column) => map.data[row * map.shape[1] + column];

  // The k×k window of a map (H, W) whose output is at (row, column); what lies outside is null.
  function patch(map, offset, shape, { kernel, stride, padding, dilation = 1 }, row, column) {
    const [height, width] = shape, found = [];
    for (let y = 0; y < kernel; y++) {
      for (let x = 0; x < kernel; x++) {
        const at = row * stride - padding + y * dilation, left = column * stride - padding + x * dilation;
        const inside = at >= 0 && left >= 0 && at < height && left < width;
        found.push(inside ? map.data[offset + at * width + left] : null);
      }
    }
    return found;
  }

  function convolution(close, row, column) {
    const { x, w, rest, bias, kernel } = close, [, height, width] = x.shape, square = kernel * kernel;
    const parts = Array.from(close.inputs.data, (input, place) => {
      const values = patch(x, place * height * width, [height, width], close, row, column);
      const weights = Array.from(w.data.slice(place * square, (place + 1) * square));
      const products = weights.map((weight, at) => weight * (values[at] ?? 0));
      return { input, patch: values, weights, products, sum: sum(products) };
    });
    const others = cell(rest, row, column);
    return { parts, rest: others, bias, out: sum(parts.map((part) => part.sum)) + others + bias };
  }

  // What input `place` adds, as a map.
  function contribution(close, place) {
    const [height, width] = close.out.shape, data = new Float32Array(height * width);
    const { x, w, kernel, stride, padding, dilation = 1 } = close, [, high, wide] = x.shape;
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        let total = 0;
        for (let dy = 0; dy < kernel; dy++) {
          const at = row * stride - padding + dy * dilation;
          if (at < 0 || at >= high) continue;
          for (let dx = 0; dx < kernel; dx++) {
            const left = column * stride - padding + dx * dilation;
            if (left >= 0 && left < wide) total += x.data[(place * high + at) * wide + left] * w.data[(place * kernel + dy) * kernel + dx];
          }
        }
        data[row * width + column] = total;
      }
    }
    return { data, shape: [height, width] };
  }

  function pooling(close, row, column) {
    const values = patch(close.x, 0, close.x.shape, close, row, column);
    if (close.kind !== "max_pool") return { patch: values, out: sum(values.map((value) => value ?? 0)) / values.length };
    const out = Math.max(...values.filter((value) => value !== null));
    return { patch: values, winner: values.indexOf(out), out };
  }

  const ACTIVATIONS = {
    relu: (x) => Math.max(0, x),
    leaky_relu: (x, { slope }) => (x >= 0 ? x : slope * x),
    sigmoid: (x) => 1 / (1 + Math.exp(-x)),
    tanh: Math.tanh,
    gelu: (x) => x * 0.5 * (1 + erf(x / Math.SQRT2)),
    silu: (x) => x / (1 + Math.exp(-x)),
    hardswish: (x) => (x * Math.min(Math.max(x + 3, 0), 6)) / 6,
    elu: (x, { alpha }) => (x > 0 ? x : alpha * Math.expm1(x)),
    dropout: (x) => x,
    dropout2d: (x) => x,
  };

  // Abramowitz and Stegun 7.1.26: the error is below 1.5e-7.
  function erf(x) {
    const t = 1 / (1 + 0.3275911 * Math.abs(x));
    const series = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
    return Math.sign(x) * (1 - series * Math.exp(-x * x));
  }

  function linear(close) {
    const products = Array.from(close.w.data, (weight, place) => weight * close.x.data[place]);
    return { products, rest: close.rest, bias: close.bias, out: (sum(products) + close.rest + close.bias) * close.scale };
  }

  function softmax(close) {
    const powers = Array.from(close.x.data, (logit) => Math.exp(logit - close.largest));
    const total = sum(powers) + close.rest, place = close.inputs.data.indexOf(close.unit);
    return { powers, total, place, out: powers[place] / total };
  }

  function globalPool(close) {
    const values = close.x.data;
    const out = close.mode === "max" ? values.reduce((most, value) => Math.max(most, value), -Infinity) : sum(values) / values.length;
    return { out, winner: close.mode === "max" ? values.indexOf(out) : -1 };
  }

  const normalise = (close, x) => ((x - close.mean) / Math.sqrt(close.var + close.eps)) * close.weight + close.bias;
  const sum = (values) => values.reduce((total, value) => total + value, 0);

  // What is not a finite number is null in JSON, and null times a weight would be zero.
  function known(close) {
    const numbers = (about) => Object.fromEntries(Object.entries(about).map(([name, value]) => [name, value === null ? NaN : value]));
    return close.following ? { ...numbers(close), following: close.following.map(numbers) } : close;
  }

  // Output at a place of the map, and what it is made of. Of a single number the place does not matter.
  function at(close, row = 0, column = 0) {
    const number = (value) => (typeof value === "number" ? value : cell(value, row, column));
    const x = () => number(close.x), out = () => number(close.out);
    switch (close.kind) {
      case "conv": return convolution(close, row, column);
      case "max_pool": case "avg_pool": return pooling(close, row, column);
      case "adaptive_avg_pool": return close.kernel ? pooling(close, row, column) : { out: out() };
      case "batch_norm": case "group_norm": case "layer_norm": return { x: x(), out: normalise(close, x()) };
      case "add": return { x: x(), skip: number(close.skip), out: x() + number(close.skip) };
      case "multiply": return { x: x(), skip: number(close.skip), out: x() * number(close.skip) };
      case "concatenate": return { x: x(), out: x() };
      case "global_pool": return globalPool(close);
      case "flatten": return { out: cell(close.x, close.row, close.column) };
      case "linear": return linear(close);
      case "softmax": return softmax(close);
      case "input": return { x: x(), out: (x() / 255 - close.mean) / close.std };
      default: return ACTIVATIONS[close.kind] ? { x: x(), out: ACTIVATIONS[close.kind](x(), close) } : { out: out() };
    }
  }

  return { at, known, contribution, ACTIVATIONS };
})();
