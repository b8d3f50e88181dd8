// The model calculator's view: sliders for a shape, what it weighs, and what training it costs.

import { open, superscript } from "./common.js";
import { TRAINING, SERVING, parameters, total, active, trainingMemory, servingMemory, trainingFlops, trainingDays } from "./model_sizes.js";

// ---------------------------------------------------------------- numbers

/** Bytes for reading, in powers of 1000. */
export function bytes(size) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (size >= 1000 && unit < 4) {
    size /= 1000;
    unit++;
  }
  return `${size >= 1000 ? Math.round(size).toLocaleString("en") : +size.toPrecision(3)} ${units[unit]}`;
}

/** A large number as 1.24·10⁸. */
export function scientific(value) {
  const [mantissa, exponent] = value.toExponential(2).split("e");
  return `${mantissa}·10${superscript(+exponent)}`;
}

/** A length of time, given in days, in the unit that suits it: [number, {en, zh}]. */
export function duration(days) {
  const units = [[1 / 86400, { en: "seconds", zh: "秒" }], [1 / 24, { en: "hours", zh: "小时" }], [1, { en: "days", zh: "天" }], [365.25, { en: "years", zh: "年" }]];
  const [length, unit] = units.findLast(([length]) => days >= length) ?? units[0];
  const value = days / length;
  return [value >= 1000 ? Math.round(value).toLocaleString("en") : String(+value.toPrecision(3)), unit];
}

/** The divisor of `whole` that is nearest to `wanted`. */
export function divisor(whole, wanted) {
  let best = 1;
  for (let d = 1; d <= whole; d++) if (whole % d === 0 && Math.abs(d - wanted) < Math.abs(best - wanted)) best = d;
  return best;
}

/** The shape after a slider has moved: heads keep dividing the width, key-value heads the heads, and the ratios stay. */
export function moved(shape, name, value) {
  const next = { ...shape, [name]: value };
  if (name === "width") {
    next.hidden = Math.max(1, Math.round((shape.hidden / shape.width) * value));
    next.heads = divisor(value, shape.heads);
  }
  if (name === "heads") next.heads = divisor(next.width, value);
  if (name === "width" || name === "heads") {
    next.head_dim = next.width / next.heads;
    next.kv_heads = divisor(next.heads, (shape.kv_heads / shape.heads) * next.heads);
  }
  if (name === "kv_heads") next.kv_heads = divisor(next.heads, value);
  return next;
}

// ---------------------------------------------------------------- view

const powers = (low, high) => Array.from({ length: high - low + 1 }, (_, i) => 2 ** (low + i));
const WIDTHS = [64, 128, 256, 384, 512, 576, 768, 1024, 1280, 1536, 1600, 2048, 2560, 3072, 4096, 5120, 6144, 8192, 12288, 16384];
const VOCABULARIES = [0, 256, 1000, 4000, 8000, 16000, 30522, 32000, 49152, 50257, 64000, 100000, 128256, 151936, 256000];
const CONTEXTS = [...powers(5, 17)];
const TOKENS = Array.from({ length: 61 }, (_, i) => +(10 ** (7 + i / 8)).toPrecision(2));
const KINDS = { weights: { en: "weights", zh: "权重" }, gradients: { en: "gradients", zh: "梯度" }, adam: { en: "Adam", zh: "Adam" },
  activations: { en: "activations", zh: "激活值" }, cache: { en: "key-value cache", zh: "键值缓存" } };
const PARTS = { embedding: { en: "embedding", zh: "嵌入" }, attention: { en: "attention", zh: "注意力" }, feed_forward: { en: "feed-forward", zh: "前馈" },
  norms: { en: "norms", zh: "归一化" }, head: { en: "head", zh: "输出层" } };

function render({ model, el }) {
  const ui = open(model, el, { en: "Model calculator", zh: "模型计算器" });
  ui.style(`.lmw .grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(250px, 1fr)); gap: 2px 18px; margin: 4px 0; }
    .lmw .grid .control { display: grid; grid-template-columns: 7.2em 1fr 4.6em; } .lmw .grid .control input[type=range] { width: 100%; min-width: 0; }
    .lmw .grid .control select { grid-column: 2 / 4; min-width: 0; width: 100%; } .lmw .grid .control output { text-align: right; min-width: 0; white-space: nowrap; }
    .lmw .result { margin: 6px 0; } .lmw .result b { font-size: 1.25em; font-weight: 600; margin-right: .5em; } .lmw .result p { margin: 2px 0; }`);
  const NAMES = ["preset", "shape", "context", "batch", "precision", "serving", "attention", "tokens", "accelerator", "count", "utilisation", "price"];
  const state = {};
  const read = () => NAMES.forEach((name) => (state[name] = model.get(name)));
  read();
  const machines = model.get("accelerators");
  const presets = model.get("presets");
  const controls = [];

  // A slider over a list of values; a value that is not in the list gets a place of its own.
  const steps = (parent, label, values, get, onInput, format = (v) => v.toLocaleString("en")) => {
    let list = values;
    const control = ui.range(parent, { label, min: 0, max: 1, step: 1, value: 0, format: (i) => format(list[i]), onInput: (i) => onInput(list[i]) });
    const set = () => {
      list = values.includes(get()) ? values : [...values, get()].sort((a, b) => a - b);
      control.input.max = list.length - 1;
      control.set(list.indexOf(get()));
    };
    set();
    controls.push({ set });
    return control;
  };
  const choose = (parent, label, options, get, onChange) => {
    const control = ui.select(parent, { label, options, value: get(), onChange });
    controls.push({ set: () => control.set(get()) });
  };
  const own = (name) => ({ get: () => state[name], put: (v) => change({ [name]: v }) });
  const form = (name) => ({ get: () => state.shape[name], put: (v) => change({ shape: moved(state.shape, name, v), preset: "" }) });
  const slide = (parent, label, values, { get, put }, format) => steps(parent, label, values, get, put, format);

  const top = ui.element(ui.root, "div", { className: "row" });
  choose(top, { en: "model", zh: "模型" }, [{ value: "", en: "own shape", zh: "自定义" }, ...presets.map((p) => ({ value: p.name, en: p.name, zh: p.name }))],
    () => state.preset, (name) => {
      const found = presets.find((p) => p.name === name);
      if (found) change({ preset: name, shape: found.shape, context: found.context, tokens: found.tokens || 20 * active(found.shape) });
      else change({ preset: "" });
    });
  const source = ui.element(top, "span", { className: "muted" });

  const shape = ui.element(ui.root, "div", { className: "grid" });
  slide(shape, { en: "layers", zh: "层数" }, Array.from({ length: 128 }, (_, i) => i + 1), form("layers"));
  slide(shape, { en: "width", zh: "宽度" }, WIDTHS, form("width"));
  slide(shape, { en: "heads", zh: "头数" }, Array.from({ length: 128 }, (_, i) => i + 1), form("heads"));
  slide(shape, { en: "key-value heads", zh: "键值头数" }, Array.from({ length: 128 }, (_, i) => i + 1), form("kv_heads"));
  slide(shape, { en: "vocabulary", zh: "词表" }, VOCABULARIES, form("vocabulary"));
  slide(shape, { en: "context", zh: "上下文" }, CONTEXTS, own("context"));
  slide(shape, { en: "batch", zh: "批量大小" }, powers(0, 12), own("batch"));
  const options = (names, words = {}) => names.map((value) => ({ value, en: words[value]?.en ?? value, zh: words[value]?.zh ?? value }));
  choose(shape, { en: "training in", zh: "训练精度" }, options(Object.keys(TRAINING)), own("precision").get, own("precision").put);
  choose(shape, { en: "attention is", zh: "注意力" }, options(["kept", "fused", "recomputed"], { kept: { en: "kept", zh: "全部保留" }, fused: { en: "fused (not kept)", zh: "融合（不保留）" },
    recomputed: { en: "recomputed, as all layers", zh: "连同各层重算" } }), own("attention").get, own("attention").put);
  choose(shape, { en: "serving in", zh: "推理精度" }, options(Object.keys(SERVING)), own("serving").get, own("serving").put);

  const result = ui.element(ui.root, "div", { className: "result" });
  const says = ui.element(result, "p");
  const parts = ui.element(result, "p", { className: "muted" });
  const bars = ui.canvas(ui.root, { height: 150, draw: drawBars });
  const money = ui.element(ui.root, "div", { className: "grid" });
  slide(money, { en: "tokens", zh: "训练词元" }, TOKENS, own("tokens"), scientific);
  choose(money, { en: "accelerator", zh: "加速器" }, machines.map((m, value) => ({ value, en: m.name, zh: m.name })), () => state.accelerator, (v) => change({ accelerator: +v }));
  slide(money, { en: "how many", zh: "数量" }, powers(0, 15), own("count"));
  slide(money, { en: "of the peak", zh: "利用率" }, Array.from({ length: 20 }, (_, i) => (i + 1) / 20), own("utilisation"), (v) => `${Math.round(100 * v)}%`);
  slide(money, { en: "$ an hour each", zh: "每个每小时 $" }, Array.from({ length: 101 }, (_, i) => i / 10), own("price"), (v) => v.toFixed(1));
  const costs = ui.element(ui.root, "div", { className: "result" });
  const costSays = ui.element(costs, "p");
  const machineSays = ui.element(costs, "p", { className: "muted" });
  ui.element(costs, "p", { className: "muted", text: ui.t({
    en: "Price and share of the peak are assumptions: set your own. $2 is what DeepSeek-AI assume for an H800 (December 2024), 40% is near Llama 3's 38–43% (2024).",
    zh: "价格和利用率是假定值，请换成你自己的。2 美元是 DeepSeek-AI 对 H800 的假定（2024 年 12 月），40% 接近 Llama 3 的 38%–43%（2024 年）。" }) });

  function memories() {
    return [[{ en: "training", zh: "训练" }, trainingMemory(state.shape, state.context, state.batch, state.precision, state.attention)],
      [{ en: "serving", zh: "推理" }, servingMemory(state.shape, state.context, state.batch, state.serving)]];
  }
  function drawBars(g, w) {
    const c = ui.colours;
    const colour = { weights: c.blue, gradients: c.green, adam: c.orange, activations: c.red, cache: c.purple };
    const rows = memories();
    const sums = rows.map(([, m]) => Object.values(m).reduce((a, b) => a + b, 0));
    const room = machines[state.accelerator].memory;
    const largest = Math.max(...sums, room && room < 20 * Math.max(...sums) ? room : 0) * 1.02;
    const left = 60;
    const px = (v) => left + (v / largest) * (w - left - 10);
    rows.forEach(([name, memory], row) => {
      const y = 8 + row * 42;
      g.textBaseline = "middle";
      g.textAlign = "right";
      g.fillStyle = c.text;
      g.fillText(ui.t(name), left - 8, y + 15);
      let at = 0;
      for (const [kind, size] of Object.entries(memory)) {
        g.fillStyle = colour[kind];
        g.fillRect(px(at), y, Math.max(0, px(at + size) - px(at) - 1), 30);
        at += size;
      }
      g.textAlign = px(at) > w - 110 ? "right" : "left";
      g.fillStyle = px(at) > w - 110 ? c.page : c.text;
      g.fillText(bytes(at), px(at) + (px(at) > w - 110 ? -8 : 8), y + 15);
    });
    if (room && room <= largest) {
      g.strokeStyle = c.text;
      g.setLineDash([4, 3]);
      g.beginPath();
      g.moveTo(px(room), 2);
      g.lineTo(px(room), 88);
      g.stroke();
      g.setLineDash([]);
      g.fillStyle = c.muted;
      g.textAlign = px(room) > w / 2 ? "right" : "left";
      g.fillText(ui.t({ en: `one accelerator: ${bytes(room)}`, zh: `一个加速器：${bytes(room)}` }), px(room) + (px(room) > w / 2 ? -5 : 5), 98);
    }
    let at = left;
    let y = 120;
    g.textAlign = "left";
    for (const [kind, size] of Object.entries({ ...rows[0][1], cache: rows[1][1].cache })) {
      const text = `${ui.t(KINDS[kind])} ${bytes(size)}`;
      if (at + 22 + g.measureText(text).width > w) {
        at = left;
        y += 20;
      }
      g.fillStyle = colour[kind];
      g.fillRect(at, y - 5, 11, 11);
      g.fillStyle = c.text;
      g.fillText(text, at + 16, y);
      at += 34 + g.measureText(text).width;
    }
  }
  function speak() {
    const n = total(state.shape);
    const used = active(state.shape);
    const machine = machines[state.accelerator];
    says.replaceChildren();
    costSays.replaceChildren();
    ui.element(says, "b", { text: n.toLocaleString("en") });
    says.append(ui.t({ en: "parameters", zh: "个参数" }));
    if (used < n) says.append(ui.t({ en: `, ${used.toLocaleString("en")} of them active for each token`, zh: `，每个词元激活 ${used.toLocaleString("en")} 个` }));
    parts.textContent = Object.entries(parameters(state.shape)).map(([part, count]) => `${ui.t(PARTS[part])} ${((100 * count) / n).toFixed(1)}%`).join(" · ");
    const operations = trainingFlops(state.shape, state.context) * state.tokens;
    const days = trainingDays(state.shape, state.context, state.tokens, machine.peak, state.count, state.utilisation);
    const [length, unit] = duration(days);
    const price = Math.round(days * 24 * state.count * state.price).toLocaleString("en");
    ui.element(costSays, "b", { text: `${length} ${ui.t(unit)}, $${price}` });
    costSays.append(ui.t({ en: `for ${scientific(operations)} operations: ${scientific(trainingFlops(state.shape, state.context))} a token × ${scientific(state.tokens)} tokens`,
      zh: `共 ${scientific(operations)} 次运算：每个词元 ${scientific(trainingFlops(state.shape, state.context))} 次 × ${scientific(state.tokens)} 个词元` }));
    machineSays.textContent = `${machine.name}: ${scientific(machine.peak)} ${ui.t({ en: "operations a second", zh: "次运算/秒" })}${machine.source ? ` (${machine.source})` : ""}`;
    source.textContent = presets.find((p) => p.name === state.preset)?.source ?? "";
    const memory = memories().map(([name, m]) => `${ui.t(name)} ${Object.entries(m).map(([kind, size]) => `${ui.t(KINDS[kind])} ${bytes(size)}`).join(", ")}`).join("; ");
    bars.label(memory);
    return `${n.toLocaleString("en")} ${ui.t({ en: "parameters", zh: "个参数" })}; ${memory}; ${length} ${ui.t(unit)}`;
  }
  function draw() {
    for (const control of controls) control.set();
    bars.draw();
    return speak();
  }
  function change(values) {
    Object.assign(state, values);
    ui.announce(draw());
    for (const [name, value] of Object.entries(values)) model.set(name, value);
    model.save_changes();
  }
  for (const name of NAMES) {
    ui.onModel(`change:${name}`, () => {
      if (JSON.stringify(state[name]) === JSON.stringify(model.get(name))) return;
      read();
      draw();
    });
  }
  draw();
  return ui.close;
}

export default { render };
