// The activation explorer's view: the functions, a curve with a tangent, and derivatives multiplied layer by layer.

import { open, f32, number, superscript, ticks } from "./common.js";
import { drawing } from "./drawing.js";

// ---------------------------------------------------------------- mathematics

/** The error function, by the series erf(x) = 2/√π · exp(-x²) · Σ 2ⁿ x²ⁿ⁺¹ / (1·3·5·…·(2n+1)), whose terms are all positive. */
export function erf(x) {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const normal = (x) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
const cdf = (x) => (1 + erf(x / Math.SQRT2)) / 2;
const C = Math.sqrt(2 / Math.PI);
const inner = (x) => Math.tanh(C * (x + 0.044715 * x ** 3));

/** name → {label, f, d}: the function and its derivative. Where a kink has none, d is what TensorFlow takes: the left slope. */
export const ACTIVATIONS = {
  sigmoid: { label: "sigmoid", f: sigmoid, d: (x) => sigmoid(x) * (1 - sigmoid(x)) },
  tanh: { label: "tanh", f: Math.tanh, d: (x) => 1 - Math.tanh(x) ** 2 },
  relu: { label: "ReLU", f: (x) => Math.max(0, x), d: (x) => (x > 0 ? 1 : 0) },
  leaky_relu: { label: "leaky ReLU (0.2)", f: (x) => (x > 0 ? x : 0.2 * x), d: (x) => (x > 0 ? 1 : 0.2) },
  gelu: { label: "GELU", f: (x) => x * cdf(x), d: (x) => cdf(x) + x * normal(x) },
  gelu_tanh: {
    label: "GELU (tanh)",
    f: (x) => 0.5 * x * (1 + inner(x)),
    d: (x) => 0.5 * (1 + inner(x)) + 0.5 * x * (1 - inner(x) ** 2) * C * (1 + 3 * 0.044715 * x * x),
  },
  silu: { label: "SiLU (swish)", f: (x) => x * sigmoid(x), d: (x) => sigmoid(x) * (1 + x * (1 - sigmoid(x))) },
  softplus: { label: "softplus", f: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), d: sigmoid },
};

/** A function known only at equally spaced points from -limit to limit: straight lines between them. */
export function sampled(values, limit) {
  return (x) => {
    const at = ((x + limit) / (2 * limit)) * (values.length - 1);
    const left = Math.min(values.length - 2, Math.max(0, Math.floor(at)));
    return at === left ? values[left] : values[left] + (values[left + 1] - values[left]) * (at - left);
  };
}

/** log10 of |factor|ᵏ for k = 1 … depth. */
export function powers(factor, depth) {
  return Array.from({ length: depth }, (_, k) => (k + 1) * Math.log10(Math.abs(factor)));
}

// ---------------------------------------------------------------- view

const LIMIT = 6;
const VERDICTS = {
  dead: { en: "Nothing passes: the gradient is zero.", zh: "梯度为零，什么也传不过去。" },
  vanishes: { en: "The gradient vanishes: the first layers hardly learn.", zh: "梯度消失：靠前的层几乎学不到东西。" },
  explodes: { en: "The gradient explodes: training becomes unstable.", zh: "梯度爆炸：训练变得不稳定。" },
  usable: { en: "The gradient stays in a usable range.", zh: "梯度保持在可用的范围内。" },
  unknown: { en: "The derivative is not a number here.", zh: "此处的导数不是一个数。" },
};

/** What becomes of a gradient whose size is 10 to the `exponent`: one of the verdicts' names. */
export function verdict(exponent) {
  if (Number.isNaN(exponent)) return "unknown";
  if (exponent === -Infinity) return "dead";
  return exponent < -3 ? "vanishes" : exponent > 3 ? "explodes" : "usable";
}

/** 10 to a power that a number may be too small or too large to hold. */
function power(exponent, negative) {
  if (!Number.isFinite(exponent)) return exponent > 0 ? "∞" : exponent < 0 ? "0" : "NaN";
  const sign = negative ? "−" : "";
  if (Math.abs(exponent) < 3) return sign + number(10 ** exponent, exponent < -1 ? 4 : 3);
  const whole = Math.floor(exponent + 0.02);
  return `${sign}${(10 ** (exponent - whole)).toFixed(1)}·10${superscript(whole)}`;
}

function render({ model, el }) {
  const ui = open(model, el, { en: "Activation explorer", zh: "激活函数探索器" });
  const { line, write, dot } = drawing(ui);
  ui.style(`.lmw .two { display: flex; flex-wrap: wrap; gap: 4px 28px; } .lmw .two > div { flex: 1 1 340px; min-width: 0; }
    .lmw .two canvas.point { cursor: ew-resize; } .lmw .says { min-height: 3em; margin: 2px 0 0; }
    .lmw .says b { font-weight: 600; margin-right: 1.2em; } .lmw .two .control input[type=range] { width: 100px; } .lmw .two .control output { min-width: 2.6em; }
    .lmw .two .row { gap: 4px 12px; } .lmw h4 { font-size: 13px; font-weight: 600; margin: 6px 0 2px; }`);
  const state = Object.fromEntries(["function", "x", "depth", "weight"].map((name) => [name, model.get(name)]));
  let own = null;
  let curve = null;

  const read = () => {
    const samples = f32(model.get("samples"));
    const half = samples.length / 2;
    own = half ? { label: model.get("name"), f: sampled(samples.subarray(0, half), LIMIT), d: sampled(samples.subarray(half), LIMIT) } : null;
  };
  const chosen = () => (state.function === "own" && own) || ACTIVATIONS[state.function] || ACTIVATIONS.sigmoid;
  const trace = () => {
    const { f, d } = chosen();
    const xs = Array.from({ length: 481 }, (_, i) => -LIMIT + (2 * LIMIT * i) / 480);
    const [ys, ds] = [xs.map(f), xs.map(d)];
    // A jump's slope is huge; it must not flatten the curve.
    const values = [0, 1, ...ys.filter(Number.isFinite)];
    const reach = Math.max(...values) - Math.min(...values);
    const low = Math.min(...values, ...ds.filter((v) => Math.abs(v) <= reach));
    const high = Math.max(...values, ...ds.filter((v) => Math.abs(v) <= reach));
    const room = 0.08 * (high - low);
    curve = { xs, ys, ds, low: low - room, high: high + room };
  };
  read();
  trace();

  const top = ui.element(ui.root, "div", { className: "row" });
  const options = Object.entries(ACTIVATIONS).map(([value, { label }]) => ({ value, en: label, zh: label }));
  if (own) options.unshift({ value: "own", en: own.label, zh: own.label });
  const choice = ui.select(top, { label: { en: "function", zh: "函数" }, options, value: state.function, onChange: (v) => change("function", v) });
  const two = ui.element(ui.root, "div", { className: "two" });
  const left = ui.element(two, "div");
  const right = ui.element(two, "div");

  ui.element(left, "h4", { text: { en: "Value and slope", zh: "函数值与斜率" } });
  const plot = ui.canvas(left, { height: 250, draw: drawCurve });
  plot.element.classList.add("point");
  const rowLeft = ui.element(left, "div", { className: "row" });
  const x = ui.range(rowLeft, { label: "x", min: -LIMIT, max: LIMIT, step: 0.01, value: state.x, onInput: (v) => change("x", v) });
  const saysLeft = ui.element(left, "p", { className: "says" });

  ui.element(right, "h4", { text: { en: "The slope, multiplied layer after layer", zh: "斜率逐层相乘" } });
  const bars = ui.canvas(right, { height: 250, draw: drawBars });
  const rowRight = ui.element(right, "div", { className: "row" });
  const depth = ui.range(rowRight, { label: { en: "layers", zh: "层数" }, min: 1, max: 50, step: 1, value: state.depth, format: String, onInput: (v) => change("depth", v) });
  const weight = ui.range(rowRight, { label: { en: "weight w", zh: "权重 w" }, min: 0.1, max: 5, step: 0.05, value: state.weight, onInput: (v) => change("weight", v) });
  const saysRight = ui.element(right, "p", { className: "says" });

  // ---- drawing
  const X0 = 40;
  const frame = (w, h) => ({ left: X0, right: w - 8, top: 12, bottom: h - 34 });
  const toX = (w) => (v) => X0 + ((v + LIMIT) / (2 * LIMIT)) * (w - 8 - X0);

  function drawCurve(g, w, h) {
    const c = ui.colours;
    const box = frame(w, h);
    const px = toX(w);
    const py = (v) => box.bottom - ((v - curve.low) / (curve.high - curve.low)) * (box.bottom - box.top);
    for (const v of ticks(curve.low, curve.high, 5)) {
      const y = Math.round(py(v)) + 0.5;
      line(g, v === 0 ? c.line : c.faint, 1, [], [[box.left, y], [box.right, y]]);
      write(g, number(v, Number.isInteger(v) ? 0 : 1), box.left - 6, y, "right", "middle");
    }
    for (const v of [-6, -4, -2, 0, 2, 4, 6]) {
      const at = Math.round(px(v)) + 0.5;
      if (v === 0) line(g, c.line, 1, [], [[at, box.top], [at, box.bottom]]);
      write(g, number(v, 0), at, box.bottom + 6, "center", "top");
    }
    write(g, "x", box.right, h - 2, "right", "bottom");
    const { f, d } = chosen();
    const [value, slope] = [f(state.x), d(state.x)];
    g.save();
    g.beginPath();
    g.rect(box.left, box.top - 6, box.right - box.left + 6, box.bottom - box.top + 12);
    g.clip();
    const at = px(state.x);
    line(g, c.line, 1, [2, 3], [[at, box.top], [at, box.bottom]]);
    line(g, c.orange, 1.8, [6, 4], curve.xs.map((v, i) => [px(v), py(curve.ds[i])]));
    line(g, c.blue, 2.2, [], curve.xs.map((v, i) => [px(v), py(curve.ys[i])]));
    if (Number.isFinite(value) && Number.isFinite(slope)) {
      const reach = 1.8 / Math.hypot(1, slope * ((box.bottom - box.top) / (curve.high - curve.low)) * ((2 * LIMIT) / (box.right - box.left)));
      line(g, c.text, 1.4, [], [-reach, reach].map((r) => [px(state.x + r), py(value + slope * r)]));
    }
    for (const [v, colour, radius] of [[slope, c.orange, 4], [value, c.blue, 6.5]]) {
      if (Number.isFinite(v)) dot(g, at, py(v), radius, colour);
    }
    g.restore();
    legend(g, box);
  }
  function legend(g, box) {
    const c = ui.colours;
    let at = box.left + 10;
    for (const [text, colour, dash] of [["f(x)", c.blue, []], ["f′(x)", c.orange, [6, 4]], [ui.t({ en: "tangent", zh: "切线" }), c.text, []]]) {
      line(g, colour, 2, dash, [[at, box.bottom + 26], [at + 18, box.bottom + 26]]);
      write(g, text, at + 23, box.bottom + 26, "left", "middle");
      at += 38 + g.measureText(text).width;
    }
  }

  function drawBars(g, w, h) {
    const c = ui.colours;
    const heights = powers(state.weight * chosen().d(state.x), state.depth);
    const finite = heights.filter(Number.isFinite);
    const nice = (v) => [1, 2, 5, 10, 20, 50, 100, 200, 500].find((n) => n >= v) ?? 1000;
    const low = heights.includes(-Infinity) ? -10 : -nice(Math.max(0, -Math.min(0, ...finite)));
    const high = nice(Math.max(0, ...finite));
    const box = frame(w, h);
    box.top += 16;
    box.left += 8;
    const py = (v) => box.bottom - ((v - low) / (high - low)) * (box.bottom - box.top);
    for (const v of ticks(low, high, 6).filter(Number.isInteger)) {
      const y = Math.round(py(v)) + 0.5;
      line(g, v === 0 ? c.line : c.faint, 1, [], [[box.left, y], [box.right, y]]);
      write(g, v === 0 ? "1" : `10${superscript(v)}`, box.left - 6, y, "right", "middle");
    }
    const pitch = (box.right - box.left) / state.depth;
    const wide = Math.max(1, Math.min(28, pitch - Math.max(1, pitch * 0.25)));
    heights.forEach((v, k) => {
      const y = py(Number.isFinite(v) ? v : low);
      g.fillStyle = Number.isNaN(v) ? c.purple : v < 0 ? c.blue : c.orange;
      g.fillRect(box.left + pitch * (k + 0.5) - wide / 2, Math.min(y, py(0)), wide, Math.max(1.5, Math.abs(y - py(0))));
    });
    const every = [1, 2, 5, 10].find((n) => state.depth / n <= 10);
    for (let k = 1; k <= state.depth; k++) if (k === 1 || k % every === 0) write(g, String(k), box.left + pitch * (k - 0.5), box.bottom + 6, "center", "top");
    write(g, "k", box.right, h - 2, "right", "bottom");
    write(g, ui.t({ en: "|w·f′(x)|ᵏ after k layers", zh: "经过 k 层后的 |w·f′(x)|ᵏ" }), box.left, 2, "left", "top");
  }

  // ---- words
  function speak() {
    const { f, d, label } = chosen();
    const [value, slope] = [f(state.x), d(state.x)];
    const factor = state.weight * slope;
    const exponent = powers(factor, state.depth).at(-1);
    const here = [`f(${number(state.x, 2)}) = ${number(value)}`, `f′(${number(state.x, 2)}) = ${number(slope)}`];
    const product = `(${number(state.weight, 2)} × ${number(slope)})${superscript(state.depth)} = ${power(exponent, factor < 0 && state.depth % 2)}`;
    const outcome = ui.t(VERDICTS[verdict(exponent)]);
    saysLeft.replaceChildren();
    saysRight.replaceChildren();
    for (const text of here) ui.element(saysLeft, "b", { text });
    ui.element(saysRight, "b", { text: product });
    saysRight.append(outcome);
    plot.label(`${label}: ${here.join(", ")}`);
    bars.label(`${product}. ${outcome}`);
    return `${here.join(", ")}. ${product}. ${outcome}`;
  }
  function draw() {
    plot.draw();
    bars.draw();
    return speak();
  }
  function change(name, value) {
    state[name] = value;
    if (name === "function") trace();
    if (name === "x") x.set(value);
    ui.announce(draw());
    ui.set(name, value);
  }
  const controls = { function: choice, x, depth, weight };
  for (const [name, control] of Object.entries(controls)) {
    ui.onModel(`change:${name}`, () => {
      if (state[name] === model.get(name)) return;
      state[name] = model.get(name);
      control.set(state[name]);
      trace();
      draw();
    });
  }
  const move = (at) => {
    const value = ((at - X0) / (plot.width - 8 - X0)) * 2 * LIMIT - LIMIT;
    change("x", Math.round(Math.max(-LIMIT, Math.min(LIMIT, value)) * 100) / 100);
  };
  ui.drag(plot.element, { start: move, move });
  draw();
  return ui.close;
}

export default { render };
