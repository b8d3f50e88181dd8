// The loss explorer's view: losses of a yes-or-no answer over its logit with their derivatives, and softmax with a temperature.

import { open, number, ticks } from "./common.js";
import { drawing } from "./drawing.js";

// ---------------------------------------------------------------- mathematics

/** {logits, naive, squared} → [loss, derivative] at the logit z for label 0 or 1; `naive` is rounded after each operation by `r`. */
export function losses(z, label, r = (v) => v) {
  const e = Math.exp(-Math.abs(z));
  const p = (z >= 0 ? 1 : e) / (1 + e);
  const q = (z >= 0 ? e : 1) / (1 + e);
  const n = r(1 / r(1 + r(Math.exp(-z))));
  const m = r(1 - n);
  const away = label ? -q : p;
  return {
    logits: [Math.max(z, 0) - label * z + Math.log1p(e), away],
    naive: [-r(Math.log(label ? n : m)), r(r(label ? -1 / n : 1 / m) * r(n * m))],
    squared: [away * away, 2 * away * p * q],
  };
}

/** Probabilities from logits divided by a temperature. */
export function softmax(logits, temperature) {
  const top = Math.max(...logits);
  const e = logits.map((z) => Math.exp((z - top) / temperature));
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((v) => v / sum);
}

/** -log of the target's probability, from the logits: finite where the probability underflows. */
export function crossEntropy(logits, target, temperature) {
  const top = Math.max(...logits);
  const sum = logits.reduce((s, z) => s + Math.exp((z - top) / temperature), 0);
  return Math.log(sum) - (logits[target] - top) / temperature;
}

// ---------------------------------------------------------------- view

const LIMIT = 45;
const NAMES = {
  logits: { en: "cross-entropy, from the logit", zh: "交叉熵，从 logit 计算" },
  naive: { en: "cross-entropy, as printed", zh: "交叉熵，照公式计算" },
  squared: { en: "squared error", zh: "平方误差" },
};
const X0 = 40;

function render({ model, el }) {
  const ui = open(model, el, { en: "Loss explorer", zh: "损失探索器" });
  const { line, write, dot } = drawing(ui);
  ui.style(`.lmw .two { display: flex; flex-wrap: wrap; gap: 4px 28px; } .lmw .two > div { flex: 1 1 340px; min-width: 0; }
    .lmw canvas.drag { cursor: ew-resize; } .lmw canvas.lift { cursor: ns-resize; } .lmw h4 { font-size: 13px; font-weight: 600; margin: 6px 0 2px; }
    .lmw table { border-collapse: collapse; margin: 4px 0 0; } .lmw td, .lmw th { text-align: right; padding: 1px 14px 1px 0; font-weight: 400; }
    .lmw th:first-child { text-align: left; } .lmw thead th { color: var(--lmw-muted); } .lmw .sum { margin: 4px 0 0; min-height: 1.5em; }`);
  const NAMED = ["view", "z", "label", "precision", "span", "logits", "target", "temperature"];
  const state = Object.fromEntries(NAMED.map((name) => [name, model.get(name)]));
  const rounding = () => (state.precision === "float32" ? Math.fround : (v) => v);

  const top = ui.element(ui.root, "div", { className: "row" });
  const controls = {};
  controls.view = ui.select(top, {
    label: { en: "answer", zh: "回答" }, value: state.view, onChange: (v) => change("view", v),
    options: [{ value: "binary", en: "yes or no", zh: "是或否" }, { value: "softmax", en: "one of several", zh: "多选一" }],
  });
  const pages = { binary: ui.element(ui.root, "div"), softmax: ui.element(ui.root, "div") };

  // ---- drawing
  const look = () => ({ logits: [ui.colours.blue, [], 2.4], naive: [ui.colours.orange, [7, 4], 1.8], squared: [ui.colours.purple, [2, 3], 2] });

  // ---- yes or no
  const rowA = ui.element(pages.binary, "div", { className: "row" });
  const digits = [0, 1].map((v) => ({ value: String(v), en: String(v), zh: String(v) }));
  controls.label = ui.select(rowA, { label: { en: "label y", zh: "标签 y" }, options: digits, value: String(state.label), onChange: (v) => change("label", +v) });
  controls.precision = ui.select(rowA, {
    label: { en: "as printed, in", zh: "照公式计算，精度" }, value: state.precision, onChange: (v) => change("precision", v),
    options: ["float64", "float32"].map((v) => ({ value: v, en: v, zh: v })),
  });
  controls.span = ui.select(rowA, {
    label: { en: "range", zh: "范围" }, value: String(state.span), onChange: (v) => change("span", +v),
    options: [6, 20, 45].map((v) => ({ value: String(v), en: `±${v}`, zh: `±${v}` })),
  });
  controls.z = ui.range(rowA, { label: { en: "logit z", zh: "logit z" }, min: -LIMIT, max: LIMIT, step: 0.01, value: state.z, onInput: (v) => change("z", v) });
  const two = ui.element(pages.binary, "div", { className: "two" });
  const plots = [{ en: "Loss", zh: "损失" }, { en: "Derivative dL/dz: the push on the logit", zh: "导数 dL/dz：对 logit 的推力" }].map((title, which) => {
    const side = ui.element(two, "div");
    ui.element(side, "h4", { text: title });
    const plot = ui.canvas(side, { height: 230, draw: (g, w, h) => drawCurves(g, w, h, which) });
    plot.element.classList.add("drag");
    const move = (at) => change("z", Math.round(Math.max(-state.span, Math.min(state.span, ((at - X0) / (plot.width - 8 - X0)) * 2 * state.span - state.span)) * 100) / 100);
    ui.drag(plot.element, { start: move, move });
    return plot;
  });
  const table = ui.element(pages.binary, "table");
  const head = ui.element(ui.element(table, "thead"), "tr");
  for (const words of ["", { en: "loss", zh: "损失" }, "dL/dz"]) ui.element(head, "th", { text: words });
  const body = ui.element(table, "tbody");
  const cells = Object.fromEntries(Object.keys(NAMES).map((name) => {
    const row = ui.element(body, "tr");
    ui.element(row, "th", { text: NAMES[name] });
    return [name, [ui.element(row, "td"), ui.element(row, "td")]];
  }));

  function drawCurves(g, w, h, which) {
    const c = ui.colours;
    const box = { left: X0, right: w - 8, top: 10, bottom: h - 26 };
    const [low, high] = which ? [-1.15, 1.15] : [-0.06 * state.span, 1.06 * state.span + 0.8];
    const px = (v) => box.left + ((v + state.span) / (2 * state.span)) * (box.right - box.left);
    const py = (v) => box.bottom - ((v - low) / (high - low)) * (box.bottom - box.top);
    for (const v of ticks(low, high, 5)) {
      const y = Math.round(py(v)) + 0.5;
      line(g, v === 0 ? c.line : c.faint, 1, [], [[box.left, y], [box.right, y]]);
      write(g, number(v, Number.isInteger(v) ? 0 : 1), box.left - 6, y, "right", "middle");
    }
    for (const v of ticks(-state.span, state.span, 6)) write(g, number(v, 0), px(v), box.bottom + 6, "center", "top");
    write(g, "z", box.right, box.bottom - 4, "right", "bottom");
    const zs = Array.from({ length: 481 }, (_, i) => -state.span + (2 * state.span * i) / 480);
    const found = zs.map((v) => losses(v, state.label, rounding()));
    const broken = zs.filter((_, i) => !Number.isFinite(found[i].naive[which]));
    g.save();
    g.beginPath();
    g.rect(box.left, box.top - 6, box.right - box.left + 2, box.bottom - box.top + 8);
    g.clip();
    if (broken.length) {
      g.globalAlpha = 0.16;
      g.fillStyle = c.orange;
      g.fillRect(px(broken[0]), box.top, px(broken.at(-1)) - px(broken[0]), box.bottom - box.top);
      g.globalAlpha = 1;
      write(g, which ? "NaN" : "∞", (px(broken[0]) + px(broken.at(-1))) / 2, 0.3 * box.top + 0.7 * box.bottom, "center", "middle", c.orange);
    }
    for (const [name, [colour, dash, width]] of Object.entries(look())) line(g, colour, width, dash, zs.map((v, i) => [px(v), py(found[i][name][which])]));
    line(g, c.line, 1, [2, 3], [[px(state.z), box.top], [px(state.z), box.bottom]]);
    const here = losses(state.z, state.label, rounding());
    for (const [name, [colour]] of Object.entries(look())) if (Number.isFinite(here[name][which])) dot(g, px(state.z), py(here[name][which]), name === "logits" ? 6 : 4, colour);
    g.restore();
  }
  function speakBinary() {
    const here = losses(state.z, state.label, rounding());
    const said = [];
    for (const [name, pair] of Object.entries(here)) {
      pair.forEach((v, i) => (cells[name][i].textContent = number(v)));
      cells[name][0].parentElement.firstChild.style.color = look()[name][0];
      said.push(`${ui.t(NAMES[name])}: ${number(pair[0])}, dL/dz ${number(pair[1])}`);
    }
    const words = `z = ${number(state.z, 2)}, y = ${state.label}. ${said.join("; ")}`;
    for (const plot of plots) plot.label(words);
    return words;
  }

  // ---- one of several
  const rowB = ui.element(pages.softmax, "div", { className: "row" });
  controls.temperature = ui.range(rowB, { label: { en: "temperature T", zh: "温度 T" }, min: 0.05, max: 5, step: 0.01, value: state.temperature, onInput: (v) => change("temperature", v) });
  const classes = state.logits.map((_, k) => ({ value: String(k), en: String(k), zh: String(k) }));
  controls.target = ui.select(rowB, { label: { en: "right class", zh: "正确类别" }, options: classes, value: String(state.target), onChange: (v) => change("target", +v) });
  const both = ui.element(pages.softmax, "div", { className: "two" });
  const bars = [{ en: "Logits z: drag a bar", zh: "logits z：可拖动" }, { en: "Probabilities softmax(z / T)", zh: "概率 softmax(z / T)" }].map((title, which) => {
    const side = ui.element(both, "div");
    ui.element(side, "h4", { text: title });
    return ui.canvas(side, { height: 210, draw: (g, w, h) => drawBars(g, w, h, which) });
  });
  bars[0].element.classList.add("lift");
  const rowC = ui.element(pages.softmax, "div", { className: "row" });
  const sliders = state.logits.map((v, k) => ui.range(rowC, { label: `z${k}`, min: -10, max: 10, step: 0.1, value: v, format: (x) => number(x, 1), onInput: (x) => lift(k, x) }));
  const sum = ui.element(pages.softmax, "p", { className: "sum" });
  let held = 0;
  const raise = (at) => lift(held, Math.round(Math.max(-10, Math.min(10, (1 - (at - 10) / (bars[0].height - 36)) * 20 - 10)) * 10) / 10);
  ui.drag(bars[0].element, {
    start: (x, y) => {
      held = Math.max(0, Math.min(state.logits.length - 1, Math.floor(((x - X0) / (bars[0].width - 8 - X0)) * state.logits.length)));
      raise(y);
    },
    move: (x, y) => raise(y),
  });
  function lift(k, value) {
    sliders[k].set(value);
    change("logits", state.logits.map((v, i) => (i === k ? value : v)));
  }

  function drawBars(g, w, h, which) {
    const c = ui.colours;
    const box = { left: X0, right: w - 8, top: 10, bottom: h - 26 };
    const [low, high] = which ? [0, 1] : [-10, 10];
    const values = which ? softmax(state.logits, state.temperature) : state.logits;
    const py = (v) => box.bottom - ((v - low) / (high - low)) * (box.bottom - box.top);
    for (const v of ticks(low, high, 4)) {
      const y = Math.round(py(v)) + 0.5;
      line(g, v === 0 ? c.line : c.faint, 1, [], [[box.left, y], [box.right, y]]);
      write(g, number(v, Number.isInteger(v) ? 0 : 1), box.left - 6, y, "right", "middle");
    }
    const pitch = (box.right - box.left) / values.length;
    values.forEach((v, k) => {
      const at = box.left + pitch * (k + 0.5);
      g.fillStyle = k === state.target ? c.orange : c.blue;
      g.fillRect(at - Math.min(26, pitch * 0.35), Math.min(py(v), py(0)), 2 * Math.min(26, pitch * 0.35), Math.max(1, Math.abs(py(v) - py(0))));
      write(g, number(v, which ? 3 : 1), at, v > 0.88 * high ? py(v) + 14 : Math.min(py(v), py(0)) - 3, "center", "bottom", v > 0.88 * high ? c.page : c.text);
      write(g, String(k), at, box.bottom + 6, "center", "top");
    });
  }
  function speakSoftmax() {
    const p = softmax(state.logits, state.temperature);
    const loss = crossEntropy(state.logits, state.target, state.temperature);
    const push = p.map((v, k) => number((v - (k === state.target)) / state.temperature));
    const words = `p = [${p.map((v) => number(v)).join(", ")}]. ` + ui.t({
      en: `Cross-entropy of class ${state.target}: ${number(loss)}. Derivatives (p − y)/T: [${push.join(", ")}]`,
      zh: `类别 ${state.target} 的交叉熵：${number(loss)}。导数 (p − y)/T：[${push.join(", ")}]`,
    });
    sum.textContent = words;
    for (const plot of bars) plot.label(words);
    return words;
  }

  // ---- both
  function draw() {
    const binary = state.view !== "softmax";
    pages.binary.hidden = !binary;
    pages.softmax.hidden = binary;
    for (const plot of binary ? plots : bars) plot.draw();
    return binary ? speakBinary() : speakSoftmax();
  }
  function change(name, value) {
    state[name] = value;
    if (name === "z") controls.z.set(value);
    ui.announce(draw());
    ui.set(name, value);
  }
  for (const name of NAMED) {
    ui.onModel(`change:${name}`, () => {
      if (state[name] === model.get(name)) return;
      state[name] = model.get(name);
      if (name === "logits") state.logits.forEach((v, k) => sliders[k]?.set(v));
      else controls[name].set(typeof state[name] === "number" && name !== "z" && name !== "temperature" ? String(state[name]) : state[name]);
      draw();
    });
  }
  ui.onTheme(() => speakBinary());
  draw();
  return ui.close;
}

export default { render };
