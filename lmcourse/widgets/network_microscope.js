// The network microscope's view. Every picture is computed here from the weights that the kernel sends; see
// Engine.frame in microscope_training.py for the numbers in a frame, Engine._begin for those in an example.

import { open, f32, number, diverging, PURPLE } from "./common.js";

const GRID = 32;
const BINS = 21;
const ROWS = 10;
const KEPT = 240;
const MAP = 236;
const RATES = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];
const BATCHES = [1, 4, 8, 16, 32, 64, 128, 256, 512];
const CLASSES = [[0, 114, 178], [230, 159, 0], [0, 158, 115], [204, 121, 167], [86, 180, 233], [213, 94, 0]];
const PHASES = [
  { en: "forward", zh: "前向" }, { en: "loss", zh: "损失" }, { en: "backward", zh: "反向" }, { en: "update", zh: "更新" },
];
const EDGES = [{ en: "weight", zh: "权重" }, { en: "gradient", zh: "梯度" }, { en: "update", zh: "更新量" }];

// ---------------------------------------------------------------- mathematics

const ACTIVATIONS = {
  linear: (z) => z,
  relu: (z) => (z < 0 ? 0 : z),
  leaky_relu: (z, stage) => (z < 0 ? stage.slope * z : z),
  elu: (z) => (z < 0 ? Math.expm1(z) : z),
  gelu: (z) => (z * (1 + erf(z / Math.SQRT2))) / 2,
  tanh: Math.tanh,
  sigmoid: (z) => 1 / (1 + Math.exp(-z)),
  silu: (z) => z / (1 + Math.exp(-z)),
  softplus: (z) => (z > 0 ? z : 0) + Math.log1p(Math.exp(-Math.abs(z))),
  softmax: (z) => z,
  table: (z, { table }) => {
    const at = Math.max(0, Math.min(table.length - 2, Math.floor((z + 8) * 128)));
    const low = table[at] ?? NaN;
    return low + ((table[at + 1] ?? NaN) - low) * ((z + 8) * 128 - at);
  },
};

// Abramowitz and Stegun 7.1.26: an error below 2e-7.
const erf = (x) => {
  const s = 1 / (1 + 0.3275911 * Math.abs(x));
  const sum = s * (0.254829592 + s * (-0.284496736 + s * (1.421413741 + s * (-1.453152027 + s * 1.061405429))));
  return Math.sign(x) * (1 - sum * Math.exp(-x * x));
};

/** The stages with the place of their weights among all of them. */
export function place(stages) {
  let at = 0;
  return stages.map((stage) => {
    const kernel = at;
    const bias = (at += stage.inputs * stage.units);
    if (stage.bias) at += stage.units;
    return { ...stage, kernel, biasAt: stage.bias ? bias : -1, end: at };
  });
}

/** Activations of each placed stage for `points` (two numbers each): Float32Arrays, point by point. */
export function forward(stages, weights, points) {
  const count = points.length / 2;
  let input = points;
  return stages.map((stage) => {
    const { units } = stage;
    const act = ACTIVATIONS[stage.activation];
    const output = weigh(stage, weights, input, count);
    for (let n = 0; n < output.length; n++) output[n] = act(output[n], stage);
    if (stage.activation === "softmax") for (let p = 0; p < count; p++) normalise(output.subarray(p * units, (p + 1) * units));
    return (input = output);
  });
}

/** Weighted sums of a stage; in a function of its own and without inner arrays, since it runs for every point of the plane. */
function weigh({ inputs, units, kernel, biasAt }, weights, input, count) {
  const output = new Float32Array(count * units);
  for (let j = 0; j < units; j++) {
    const bias = biasAt < 0 ? 0 : weights[biasAt + j];
    for (let p = 0, from = 0; p < count; p++) {
      let z = bias;
      for (let i = 0, at = kernel + j; i < inputs; i++, at += units) z += input[from++] * weights[at];
      output[p * units + j] = z;
    }
  }
  return output;
}

function normalise(scores) {
  const top = Math.max(...scores);
  let sum = 0;
  for (let j = 0; j < scores.length; j++) sum += scores[j] = Math.exp(scores[j] - top);
  for (let j = 0; j < scores.length; j++) scores[j] /= sum;
}

/** The slope of a stage's activation at z. */
export const slope = (stage, z) => {
  const act = ACTIVATIONS[stage.activation];
  return (act(z + 1e-4, stage) - act(z - 1e-4, stage)) / 2e-4;
};

/** The share of values in BINS bins between -top and top. */
function histogram(values, top) {
  const bins = new Float32Array(BINS);
  for (const v of values) bins[Math.max(0, Math.min(BINS - 1, Math.floor((v / top + 1) * (BINS / 2)))) || 0] += 1 / values.length;
  return bins;
}

const css = ([red, green, blue]) => `rgb(${red},${green},${blue})`;

// ---------------------------------------------------------------- the view

// One rule a line; each is meant for this widget alone.
const CSS = `.bar { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 8px; margin: 2px 0 10px; }
.bar .go { min-width: 84px; background: var(--lmw-blue); border-color: var(--lmw-blue); color: var(--lmw-page); }
.state { margin-left: auto; white-space: nowrap; }
.state span { margin-left: 14px; }
.chips span { padding: 2px 7px; border-bottom: 2px solid var(--lmw-faint); color: var(--lmw-muted); font-size: 12px; }
.chips .on { border-color: var(--lmw-orange); color: var(--lmw-text); }
.settings { display: grid; grid-template-columns: repeat(auto-fill, minmax(118px, 1fr)); gap: 8px 16px; padding: 8px 0 10px; border-top: 1px solid var(--lmw-faint); border-bottom: 1px solid var(--lmw-faint); }
.settings .control { display: grid; grid-template-columns: 1fr auto; gap: 0 6px; align-items: center; }
.settings .control span { grid-column: 1 / -1; font-size: 12px; color: var(--lmw-muted); }
.settings select { grid-column: 1 / -1; width: 100%; padding: 1px 4px; }
.settings input[type=range] { width: 100%; min-width: 0; }
.settings output { min-width: 2.6em; text-align: right; }
.stage { display: flex; flex-wrap: wrap; gap: 8px 24px; margin: 12px 0 4px; }
.net { position: relative; flex: 1 1 420px; min-width: 300px; }
.side { flex: 0 0 236px; }
.net > canvas { touch-action: auto; }
.neuron { position: absolute; padding: 0; min-height: 0; border: 1px solid var(--lmw-line); border-radius: 5px; overflow: hidden; background: var(--lmw-page); }
.neuron canvas { height: 100%; pointer-events: none; }
.neuron:hover { border-color: var(--lmw-text); }
.neuron[aria-pressed=true] { border-color: var(--lmw-text); box-shadow: 0 0 0 1px var(--lmw-text); }
.head { position: absolute; top: 0; transform: translateX(-50%); text-align: center; font-size: 12px; line-height: 1.3; color: var(--lmw-muted); white-space: nowrap; }
.tip { position: absolute; z-index: 3; padding: 3px 8px; font-size: 12px; white-space: nowrap; pointer-events: none; background: var(--lmw-page); border: 1px solid var(--lmw-line); border-radius: 4px; transform: translate(-50%, -130%); }
.tip.edit { pointer-events: auto; }
input[type=number] { width: 88px; height: 22px; min-height: 0; margin: 0; padding: 0 4px; text-align: right; vertical-align: middle; }
[hidden] { display: none; }
.small { font-size: 12px; color: var(--lmw-muted); margin: 4px 0; }
.side .small:first-child { margin: 0 0 4px; }
.tools { display: flex; gap: 5px; align-items: center; margin-top: 8px; }
.tools button { padding: 1px 7px; font-size: 12px; }
.tools .small { min-width: 40px; margin: 0; }
.time { display: grid; grid-template-columns: 1fr 150px; gap: 0 16px; align-items: center; margin-top: 6px; }
.time input { width: 100%; margin: 0; accent-color: var(--lmw-blue); }
.sums { display: flex; flex-wrap: wrap; gap: 8px 28px; border-top: 1px solid var(--lmw-faint); margin-top: 10px; padding-top: 8px; overflow-x: auto; align-items: start; }
h4 { margin: 0; font-size: 13px; font-weight: 600; flex: 1 0 100%; }
table { border-collapse: collapse; font-size: 12px; margin: 0; }
:is(td, th) { padding: 1px 8px; text-align: right; font-weight: normal; white-space: nowrap; background: none; border: 0; }
thead th { color: var(--lmw-muted); border-bottom: 1px solid var(--lmw-line); }
tr.total td { border-top: 1px solid var(--lmw-line); }
ol { flex: 1 1 240px; margin: 0; padding: 0; list-style: none; font-size: 12.5px; }
li { margin: 0 0 6px; color: var(--lmw-muted); }
li.on { color: var(--lmw-text); }
li b { font-weight: 600; }
pre { font: 12px/1.45 var(--jp-code-font-family, monospace); padding: 8px 10px; margin: 6px 0; overflow-x: auto; background: var(--lmw-faint); border-radius: 4px; color: inherit; }
details { margin-top: 8px; }
summary { cursor: pointer; }`;

function render({ model, el }) {
  const ui = open(model, el, { en: "Network microscope", zh: "网络显微镜" });
  const { t, element } = ui;
  const small = (parent, text, more) => element(parent, "div", { className: "small", text, ...more });
  ui.root.classList.add("micro");
  ui.root.style.maxWidth = "900px";
  ui.style(CSS.replace(/^/gm, ".lmw.micro "));

  let stages = [];
  let total = 0;
  let frames = [];
  let every = 1;
  let offered = 0;
  let latest = null;
  let back = -1;
  let frozen = false;
  let kind = 0;
  let pinned = null;
  let hovered = null;
  let near = null;
  let chosen = 0;
  let brush = -1;
  let data = new Float32Array(0);
  let points = new Float32Array(0);
  let noise = 0;
  let sketched = null;
  let box = { x: 0, y: 0, half: 1 };
  let grid = new Float32Array(0);
  let places = new Float32Array(0);
  let groups = new Map();
  const dots = document.createElement("canvas");
  let lut = new Uint32Array(257);
  let neurons = [];
  let columns = [];

  // ---- talking with the kernel
  let patience = 0;
  const tell = (what, content, buffers) => {
    clearTimeout(patience);
    patience = setTimeout(() => (silence.hidden = false), 5000);
    ui.send(what, content, buffers);
  };
  const change = (values) => tell("set", { values });
  ui.onMessage("done", () => {
    clearTimeout(patience);
    silence.hidden = true;
    if (sketched) adopt();
  });
  ui.onCleanup(() => clearTimeout(patience));

  // ---- commands
  const bar = element(ui.root, "div", { className: "bar" });
  const go = ui.button(bar, { text: { en: "▶ Train", zh: "▶ 训练" }, onClick: () => {
    if (model.get("playing") && !frozen) {
      frozen = true;
      tell("pause");
    } else {
      frozen = false;
      live();
      tell("play");
    }
    showState();
  } });
  go.classList.add("go");
  const command = (what, text, label) => ui.button(bar, { text, label, onClick: () => {
    live();
    tell(what);
  } });
  command("step", { en: "One step", zh: "一步" }, { en: "Train on one batch", zh: "用一批数据训练一步" });
  command("phase", { en: "One phase", zh: "一个阶段" }, { en: "Next phase of a step: forward, loss, backward, update", zh: "一步中的下一个阶段：前向、损失、反向、更新" });
  const chips = element(bar, "span", { className: "chips" });
  for (const text of PHASES) element(chips, "span", { text });
  command("reset", { en: "Reset", zh: "重置" }, { en: "Back to the first weights", zh: "回到最初的权重" });
  const state = element(bar, "span", { className: "state" });
  const silence = small(ui.root, {
    en: "The kernel does not answer: it is busy with a cell, or was restarted (then run this cell again).",
    zh: "内核没有应答：可能正忙于运行单元格，也可能已重启（若已重启，请重新运行此单元格）。" }, { role: "status" });
  silence.hidden = true;

  // ---- settings
  const settings = element(ui.root, "div", { className: "settings" });
  const options = (values, names = {}) => values.map((value) => ({ value, en: names[value]?.[0] ?? value, zh: names[value]?.[1] ?? value }));
  const fields = {};
  const choice = (key, label, list) =>
    (fields[key] = ui.select(settings, { label, options: list, value: "", onChange: (v) => change({ [key]: key === "speed" ? +v : v }) }));
  const slider = (key, label, list, atOnce = () => {}) => {
    const field = ui.range(settings, { label, min: 0, max: list.length - 1, step: 1, value: 0, format: (i) => String(list[i]), onInput: (i) => {
      atOnce(list[i]);
      change({ [key]: list[i] });
    } });
    fields[key] = { ...field, get: () => list[field.input.value], set: (v) => {
      const gaps = list.map((x) => Math.abs(Math.log((x + 1e-9) / (v + 1e-9))));
      field.set(gaps.indexOf(Math.min(...gaps)));
      field.element.querySelector("output").textContent = v;
    } };
  };
  choice("problem", { en: "problem", zh: "问题" }, options(["circle", "xor", "spirals", "blobs", "own"], {
    circle: ["circle", "圆环"], xor: ["xor", "异或"], spirals: ["spirals", "螺旋"], blobs: ["blobs", "两团"], own: ["own points", "自己画的点"] }));
  slider("noise", { en: "noise", zh: "噪声" }, [0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5], (v) => {
    noise = v;
    movePoints();
    paint(true);
  });
  slider("depth", { en: "hidden layers", zh: "隐藏层数" }, [0, 1, 2, 3, 4, 5], sketch);
  slider("width", { en: "neurons in each", zh: "每层神经元" }, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], sketch);
  choice("activation", { en: "activation", zh: "激活函数" }, options(["tanh", "relu", "sigmoid", "leaky_relu", "elu", "silu", "softplus", "linear"]));
  choice("initialisation", { en: "initialisation", zh: "初始化" }, options(["Glorot", "He", "LeCun", "tiny", "huge", "zeros"], {
    tiny: ["tiny", "极小"], huge: ["huge", "极大"], zeros: ["zeros", "全零"] }));
  choice("optimiser", { en: "optimiser", zh: "优化器" }, options(["SGD", "momentum", "RMSprop", "Adam", "own"], { momentum: ["momentum", "动量法"], own: ["the model's", "模型自带"] }));
  slider("rate", { en: "learning rate", zh: "学习率" }, RATES);
  slider("batch", { en: "batch size", zh: "批量大小" }, BATCHES);
  choice("speed", { en: "steps per second", zh: "每秒步数" }, options(["1", "10", "100", "0"], { 0: ["unlimited", "不限"] }));

  // ---- the picture
  const stageBox = element(ui.root, "div", { className: "stage" });
  const net = element(stageBox, "div", { className: "net" });
  const size = () => (Math.min(ROWS, Math.max(2, ...stages.map((s) => s.units))) > 8 ? 30 : 36);
  const pitch = () => size() + 7;
  const tall = () => Math.min(ROWS, Math.max(2, ...stages.map((s) => s.units))) * pitch();
  const wires = ui.canvas(net, { height: () => 40 + tall() + 112, label: { en: "Connections between the neurons", zh: "神经元之间的连接" }, draw: drawWires });
  const tip = element(net, "div", { className: "tip" });
  tip.hidden = true;
  const editor = element(net, "div", { className: "tip edit" });
  editor.hidden = true;
  const side = element(stageBox, "div", { className: "side" });
  const title = small(side);
  const map = ui.canvas(side, { height: MAP, keyboard: true, draw: drawMap });
  const tools = element(side, "div", { className: "tools" });
  small(tools, { en: "draw:", zh: "画点：" });
  const brushes = ["●", "●"].map((text, i) =>
    ui.button(tools, { text, onClick: () => setBrush(brush === i ? -1 : i), label: [{ en: "Draw blue points", zh: "画蓝点" }, { en: "Draw orange points", zh: "画橙点" }][i] }));
  ui.button(tools, { text: { en: "clear", zh: "清空" }, label: { en: "Remove all points", zh: "删除所有点" }, onClick: () => tell("points", { points: [] }) });
  const some = small(side);
  const kinds = element(side, "div", { className: "tools", role: "group", label: { en: "What the lines show", zh: "连线表示什么" } });
  small(kinds, { en: "lines:", zh: "连线：" });
  EDGES.forEach((text, i) => ui.button(kinds, { text, onClick: () => {
    kind = i;
    pressKind();
    paint();
  } }));
  const pressKind = () => [...kinds.querySelectorAll("button")].forEach((b, i) => b.setAttribute("aria-pressed", i === kind));
  const legend = small(side);

  const time = element(ui.root, "div", { className: "time" });
  const curve = ui.canvas(time, { height: 38, label: { en: "Loss over the run", zh: "训练过程中的损失" }, draw: drawCurve });
  const when = small(time);
  const scrub = element(time, "input", { type: "range", min: 0, max: 0, value: 0, label: { en: "Timeline: look back through the run", zh: "时间轴：回看训练过程" } });
  const again = ui.button(time, { text: { en: "Continue from here", zh: "从这里继续" }, label: { en: "Train on from the step shown; the optimiser's memory begins anew", zh: "从显示的这一步继续训练；优化器的记忆重新开始" }, onClick: () => {
    const frame = shown();
    frozen = false;
    live();
    tell("restore", {}, [frame.slice().buffer]);
    showState();
  } });
  const sums = element(ui.root, "div", { className: "sums" });
  const hint = small(ui.root, {
    en: "Click a neuron for its arithmetic, a line to change its weight, a point to follow it. Arrow keys move between neurons.",
    zh: "点击神经元查看它的算式，点击连线修改权重，点击一个点跟踪它。方向键可在神经元之间移动。" });
  const details = element(ui.root, "details");
  element(details, "summary", { text: { en: "Show code", zh: "显示代码" } });
  const code = element(details, "pre", { tabindex: 0 });
  ui.button(details, { text: { en: "Copy", zh: "复制" }, onClick: () => navigator.clipboard?.writeText(code.textContent) });
  const showCode = () => (code.textContent = model.get("code"));

  // ---- what the kernel says
  const shown = () => (back >= 0 ? frames[back] : latest);
  const live = () => {
    back = -1;
    scrub.value = scrub.max;
  };
  const part = (frame, n) => frame.subarray(3 + n * total, 3 + (n + 1) * total);

  function take(frame) {
    if (sketched || !stages.length || frame.length !== 3 + 3 * total + stages.length * (BINS + 1)) return;
    // A reset, or training on from an earlier step: what came after is no longer so.
    if (latest && frame[0] < latest[0]) {
      frames = frames.filter((f) => f[0] < frame[0]);
      live();
    }
    if (!frames.length) [every, offered] = [1, 0];
    latest = frame;
    if (offered++ % every === 0) frames.push(frame);
    if (frames.length > KEPT) [frames, every] = [frames.filter((_, i) => i % 2 === 0), 2 * every];
    showTimeline();
  }
  const showTimeline = () => {
    scrub.max = frames.length - (frames[frames.length - 1] === latest);
    if (back < 0) scrub.value = scrub.max;
  };
  ui.onModel("change:frame", () => {
    if (frozen) return;
    take(f32(model.get("frame")));
    request();
  });
  ui.onModel("change:playing", () => {
    if (!model.get("playing") && frozen) {
      frozen = false;
      take(f32(model.get("frame")));
    }
    showState();
    request();
  });
  ui.onModel("change:example", () => request());
  ui.onModel("change:code", showCode);
  ui.onModel("change:network", adopt);
  ui.onModel("change:data", () => {
    readPoints();
    request();
  });

  /** Show the kernel's network; not yet when a later one, drawn already without its weights, is still to come. */
  function adopt() {
    const real = model.get("network").stages ?? [];
    if (sketched && sketched !== shape(real)) return;
    sketched = null;
    forget();
    build(real);
    showSettings();
    take(f32(model.get("frame")));
    request();
  }
  const forget = () => {
    [frames, latest, maps, values] = [[], null, [], []];
    live();
  };
  const shape = (list) => list.map(({ units }) => units).join();

  /** The network that the sliders ask for, empty, at once; building the real one takes the kernel a while. */
  function sketch() {
    const [depth, width] = [fields.depth.get(), fields.width.get()];
    const { activation } = model.get("settings");
    const units = [...Array(depth).fill(width), 1];
    const wanted = units.map((n, k) => ({ units: n, inputs: k ? units[k - 1] : 2, bias: true, activation: k < depth ? activation : "sigmoid" }));
    sketched = shape(wanted);
    forget();
    build(wanted);
  }
  ui.onModel("change:settings", showSettings);
  ui.onMessage("history", ({ frames: count }, [buffer]) => {
    if (!count || !latest) return;
    const all = f32(buffer);
    const length = all.length / count;
    if (length !== latest.length) return;
    const old = Array.from({ length: count }, (_, i) => all.subarray(i * length, (i + 1) * length));
    frames = [...old.filter((f) => f[0] < (frames[0] ?? latest)[0]), ...frames];
    showTimeline();
    request();
  });

  let waiting = 0;
  function request() {
    waiting ||= requestAnimationFrame(() => {
      waiting = 0;
      paint();
    });
  }
  ui.onCleanup(() => cancelAnimationFrame(waiting));

  function showState() {
    const playing = model.get("playing") && !frozen;
    go.textContent = t(playing ? { en: "❚❚ Pause", zh: "❚❚ 暂停" } : { en: "▶ Train", zh: "▶ 训练" });
    go.setAttribute("aria-label", t(playing ? { en: "Pause", zh: "暂停" } : { en: "Train", zh: "训练" }));
  }

  function showSettings() {
    const now = model.get("settings");
    const { own, ownData } = model.get("network");
    for (const [key, field] of Object.entries(fields)) {
      if (document.activeElement !== field.input || field.input.type !== "range") field.set(now[key]);
      const fixed = (own && ["depth", "width", "activation", "initialisation"].includes(key)) || (ownData && ["problem", "noise"].includes(key));
      field.element.hidden = fixed;
    }
    if (document.activeElement !== fields.noise.input && now.noise !== noise) {
      noise = now.noise;
      movePoints();
      request();
    }
    for (const option of fields.optimiser.input.options) option.hidden = option.value === "own" && !(own && now.optimiser === "own");
    tools.hidden = ownData;
  }

  // ---- building the picture's parts
  function build(layers) {
    stages = place(layers);
    total = stages.length ? stages[stages.length - 1].end : 0;
    for (const node of net.querySelectorAll(".neuron, .head")) node.remove();
    neurons = [];
    columns = [{ units: 2 }, ...stages].map(({ units, activation }, k) => {
      const text = k === 0 ? { en: "input", zh: "输入" } : k === stages.length ? { en: "output", zh: "输出" } : { en: `hidden ${k}`, zh: `隐藏层 ${k}` };
      const head = element(net, "div", { className: "head", text });
      if (k) element(head, "div", { text: activation === "table" ? "f(z)" : activation });
      const count = Math.min(ROWS, units);
      if (units > count) head.lastChild.textContent += ` · ${count}/${units}`;
      return { head, text, units, nodes: Array.from({ length: count }, (_, j) => neuron(k, j)) };
    });
    for (const node of [stageBox, time, sums, hint, details]) node.hidden = !stages.length;
    if (pinned && (pinned[0] >= columns.length || pinned[1] >= columns[pinned[0]].nodes.length)) pinned = null;
    hovered = near = null;
    editor.hidden = tip.hidden = true;
    readPoints();
    buildSums();
    wires.resize();
  }

  const called = (k, j) => k === 0 ? `x${"₁₂"[j]}` : columns[k]?.units === 1 ? t(columns[k].text) : `${t(columns[k]?.text ?? "")} · ${t({ en: "neuron", zh: "神经元" })} ${j + 1}`;

  function neuron(k, j) {
    const button = element(net, "button", { className: "neuron", type: "button", tabindex: neurons.length ? -1 : 0, "aria-pressed": false });
    const canvas = element(button, "canvas", { width: GRID, height: GRID, "aria-hidden": true });
    const node = { k, j, button, g: canvas.getContext("2d"), image: new ImageData(GRID, GRID) };
    node.pixels = new Uint32Array(node.image.data.buffer);
    neurons.push(node);
    button.addEventListener("pointerenter", () => hover([k, j]));
    button.addEventListener("pointerleave", () => hover(null));
    button.addEventListener("focus", () => hover([k, j]));
    button.addEventListener("blur", () => hover(null));
    button.addEventListener("click", () => {
      pinned = pinned && pinned[0] === k && pinned[1] === j ? null : [k, j];
      buildSums();
      request();
    });
    button.addEventListener("keydown", (event) => {
      const [dk, dj] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [];
      if (dk === undefined) return;
      event.preventDefault();
      const column = columns[k + dk];
      const next = column?.nodes[Math.min(j + dj, column.nodes.length - 1)];
      if (!next) return;
      button.tabIndex = -1;
      next.button.tabIndex = 0;
      next.button.focus();
    });
    return node;
  }

  function hover(what) {
    hovered = what;
    request();
  }

  /** Where the points stand at the noise of now. The kernel sends places without noise and what noise 1 adds. */
  function movePoints() {
    points = new Float32Array((data.length / 5) * 3);
    for (let i = 0; i < points.length / 3; i++) {
      for (const c of [0, 1]) points[3 * i + c] = data[5 * i + c] + noise * data[5 * i + 3 + c];
      points[3 * i + 2] = data[5 * i + 2];
    }
    groupPoints();
  }

  function readPoints() {
    data = f32(model.get("data"));
    movePoints();
    chosen = Math.min(chosen, Math.max(0, points.length / 3 - 1));
    const { ownData, total: all } = model.get("network");
    box = { x: 0, y: 0, half: 1.3 };
    if (ownData && points.length) {
      const [low, high] = [[Infinity, Infinity], [-Infinity, -Infinity]];
      for (let i = 0; i < points.length; i++) {
        if (i % 3 === 2) continue;
        low[i % 3] = Math.min(low[i % 3], points[i]);
        high[i % 3] = Math.max(high[i % 3], points[i]);
      }
      box = { x: (low[0] + high[0]) / 2, y: (low[1] + high[1]) / 2, half: Math.max(1e-6, high[0] - low[0], high[1] - low[1]) * 0.54 };
    }
    grid = new Float32Array(2 * GRID * GRID);
    for (let i = 0; i < GRID * GRID; i++) {
      grid[2 * i] = box.x + box.half * ((2 * (i % GRID) + 1) / GRID - 1);
      grid[2 * i + 1] = box.y - box.half * ((2 * Math.floor(i / GRID) + 1) / GRID - 1);
    }
    const drawn = points.length / 3;
    some.textContent = all > drawn ? t({ en: `${drawn} of ${all} points are drawn; all of them train.`, zh: `共 ${all} 个点，画出 ${drawn} 个，全部参加训练。` }) : "";
  }

  // The ends of the colour map, which the maps leave to the points.
  const dotColour = (c) => (c > 1 ? CLASSES[c] : ui.colours.map[4 * c]);

  /** Points of one colour together: a class, or a step of the colour map where the labels are not classes. */
  function groupPoints() {
    dots.stale = true;
    places = Float32Array.from({ length: (points.length / 3) * 2 }, (_, i) => points[3 * (i >> 1) + (i & 1)]);
    groups = new Map();
    for (let i = 0; i < points.length / 3; i++) {
      const c = points[3 * i + 2];
      const colour = css(CLASSES[c] ? dotColour(c) : diverging(Math.round(8 * Math.tanh(c)) / 8, ui.colours));
      if (!groups.has(colour)) groups.set(colour, []);
      groups.get(colour).push(i);
    }
  }

  ui.onTheme(() => {
    groupPoints();
    brushes.forEach((b, i) => (b.style.color = css(dotColour(i))));
    for (let i = 0; i < 257; i++) {
      // Not to the ends of the colour map: the points must stand out.
      const [r, g, b] = i === 256 ? PURPLE : diverging(0.64 * (i / 127.5 - 1), ui.colours);
      lut[i] = (255 << 24) | (b << 16) | (g << 8) | r;
    }
    request();
  });

  // ---- painting
  let maps = [];
  let values = [];

  /** Everything anew; when only the points have moved, the neurons' maps stay. */
  function paint(pointsOnly = false) {
    const frame = shown();
    if (!frame || !stages.length) return;
    const weights = part(frame, 0);
    if (!pointsOnly) maps = [grid, ...forward(stages, weights, grid)];
    values = [places, ...forward(stages, weights, places)];
    for (const node of pointsOnly ? [] : neurons) {
      shade(node.pixels, node.k, node.j);
      node.g.putImageData(node.image, 0, 0);
      node.button.setAttribute("aria-pressed", !!pinned && pinned[0] === node.k && pinned[1] === node.j);
    }
    wires.draw();
    map.draw();
    curve.draw();
    showNumbers(frame);
    showSums(frame);
    ui.root.dataset.step = frame[0];
    ui.root.dataset.painted = 1 + (+ui.root.dataset.painted || 0);
  }

  /** The colours of a neuron's map; the output's middle is the boundary between the classes. */
  function shade(pixels, k, j) {
    const values = maps[k];
    const units = columns[k].units;
    const name = k ? stages[k - 1].activation : "input";
    const last = k === stages.length && name === "sigmoid";
    const bounded = /tanh|sigmoid|softmax/.test(name);
    for (let i = 0; i < pixels.length; i++) {
      let v = values[i * units + j];
      v = last ? 2 * v - 1 : bounded ? v : k ? Math.tanh(v) : (v - (j ? box.y : box.x)) / box.half;
      pixels[i] = lut[v !== v ? 256 : Math.round((Math.max(-1, Math.min(1, v)) + 1) * 127.5)];
    }
  }

  const x = (k) => 26 + (k * (wires.width - 52)) / (columns.length - 1);
  const y = (k, j) => 38 + tall() / 2 + (j - (columns[k].nodes.length - 1) / 2) * pitch();

  function drawWires(g, width) {
    if (!stages.length) return;
    const half = size() / 2;
    for (const { k, j, button } of neurons) {
      button.style.left = `${x(k) - half}px`;
      button.style.top = `${y(k, j) - half}px`;
      button.style.width = button.style.height = `${2 * half}px`;
      columns[k].head.style.left = `${x(k)}px`;
    }
    const frame = shown();
    const [strengths, weights] = frame ? [part(frame, kind), part(frame, 0)] : [new Float32Array(total), new Float32Array(total)];
    let top = 0;
    for (const v of strengths) if (Math.abs(v) > top && v < Infinity && v > -Infinity) top = Math.abs(v);
    g.lineCap = "round";
    edges((k, i, j, at) => {
      const v = strengths[at];
      const broken = !Number.isFinite(v) || !Number.isFinite(weights[at]);
      const part = broken ? 0.5 : top ? Math.abs(v) / top : 0;
      const picked = near?.at === at || (pinned && pinned[0] === k + 1 && pinned[1] === j) || (hovered && ((hovered[0] === k + 1 && hovered[1] === j) || (hovered[0] === k && hovered[1] === i)));
      g.strokeStyle = broken ? ui.colours.purple : v === 0 ? ui.colours.line : v > 0 ? ui.colours.orange : ui.colours.blue;
      g.globalAlpha = picked ? 1 : hovered || near ? 0.16 + 0.3 * part : 0.3 + 0.6 * part;
      g.lineWidth = 0.6 + 4.4 * part + (near?.at === at ? 1 : 0);
      g.setLineDash(broken ? [3, 4] : []);
      g.beginPath();
      const [x0, x1, y0, y1] = [x(k) + half, x(k + 1) - half, y(k, i), y(k + 1, j)];
      g.moveTo(x0, y0);
      g.bezierCurveTo((x0 + x1) / 2, y0, (x0 + x1) / 2, y1, x1, y1);
      g.stroke();
    });
    g.globalAlpha = 1;
    g.setLineDash([]);
    if (frame && maps.length) drawHistograms(g, frame, 40 + tall() + 16, width);
    legend.textContent = t({ en: `blue negative, orange positive; widest: ${number(top)}`, zh: `蓝色为负，橙色为正；最粗：${number(top)}` });
  }

  function edges(visit) {
    stages.forEach((stage, k) => {
      for (let i = 0; i < columns[k].nodes.length; i++) {
        for (let j = 0; j < columns[k + 1].nodes.length; j++) visit(k, i, j, stage.kernel + i * stage.units + j);
      }
    });
  }

  function drawHistograms(g, frame, top, width) {
    const wide = Math.min(84, (width - 52) / (columns.length - 1) - 14);
    const rows = [{ en: "activations", zh: "激活" }, { en: "gradients ∂L/∂z", zh: "梯度 ∂L/∂z" }];
    g.textBaseline = "alphabetic";
    g.font = g.font.replace("12px", "11px");
    stages.forEach((stage, k) => {
      const acts = values[k + 1];
      let largest = 0;
      for (const v of acts) if (!(Math.abs(v) <= largest)) largest = Math.abs(v);
      const at = 3 + 3 * total + k * (BINS + 1);
      const both = [[largest, histogram(acts, largest || 1)], [frame[at], frame.subarray(at + 1, at + 1 + BINS)]];
      both.forEach(([range, bins], row) => {
        const left = Math.min(x(k + 1) - wide / 2, width - wide - 2);
        const base = top + 26 + row * 46;
        const peak = Math.max(...bins, 1e-9);
        g.fillStyle = row ? ui.colours.orange : ui.colours.blue;
        bins.forEach((share, b) => g.fillRect(left + (b * wide) / BINS, base - (24 * share) / peak, wide / BINS - 0.6, (24 * share) / peak));
        g.fillStyle = ui.colours.line;
        g.fillRect(left, base, wide, 0.8);
        g.fillRect(left + wide / 2 - 0.4, base, 0.8, 3);
        g.fillStyle = ui.colours.muted;
        g.textAlign = "center";
        g.fillText(Number.isFinite(range) ? `±${number(range)}` : "NaN, ∞", left + wide / 2, base + 13);
        if (!k) {
          g.textAlign = "left";
          g.fillText(t(rows[row]), 0, base - 2);
        }
      });
    });
    g.textAlign = "left";
  }

  // Hundreds of circles cost more than all else in the picture: each is a copy of one, and all are kept for later frames.
  function drawDots(width, height) {
    const density = map.element.width / width;
    if (dots.width !== map.element.width) [dots.width, dots.height] = [map.element.width, map.element.height];
    dots.stale = false;
    const image = new ImageData(dots.width, dots.height);
    const pixels = new Uint32Array(image.data.buffer);
    for (const [colour, members] of groups) {
      const { side, ink } = stamp(colour, density);
      for (const i of members) {
        const [px, py] = toPixels(points[3 * i], points[3 * i + 1], width, height);
        copy(ink, side, pixels, dots.width, Math.round(px * density - side / 2), Math.round(py * density - side / 2));
      }
    }
    dots.getContext("2d").putImageData(image, 0, 0);
  }
  /** A square of pixels into a larger picture; the soft edge of a later dot cuts no hole into an earlier one. */
  function copy(ink, side, pixels, wide, left, top) {
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        const pixel = ink[row * side + column];
        const at = (top + row) * wide + left + column;
        if (pixel && left + column >= 0 && left + column < wide && (pixel >>> 24 === 255 || !pixels[at])) pixels[at] = pixel;
      }
    }
  }
  const stamps = {};
  const stamp = (colour, density) => (stamps[[colour, ui.colours.page, density]] ??= (() => {
    const side = Math.ceil(8 * density);
    const g = new OffscreenCanvas(side, side).getContext("2d");
    g.scale(density, density);
    [g.fillStyle, g.strokeStyle, g.lineWidth] = [colour, ui.colours.page, 0.8];
    g.arc(side / 2 / density, side / 2 / density, 2.6, 0, 7);
    g.fill();
    g.stroke();
    return { side, ink: new Uint32Array(g.getImageData(0, 0, side, side).data.buffer) };
  })());
  const toPixels = (a, b, width, height) => [(0.5 + (a - box.x) / box.half / 2) * width, (0.5 - (b - box.y) / box.half / 2) * height];

  const tile = document.createElement("canvas");
  tile.width = tile.height = GRID;
  const tileG = tile.getContext("2d");
  const tileImage = new ImageData(GRID, GRID);
  const tilePixels = new Uint32Array(tileImage.data.buffer);

  function drawMap(g, width, height) {
    if (!maps.length) return;
    const [k, j] = hovered ?? pinned ?? [stages.length, columns[stages.length].units > 1 ? -1 : 0];
    if (j < 0) shadeClasses(tilePixels);
    else shade(tilePixels, k, j);
    tileG.putImageData(tileImage, 0, 0);
    g.imageSmoothingEnabled = true;
    g.imageSmoothingQuality = model.get("playing") ? "low" : "high";
    g.globalAlpha = 0.85;
    g.drawImage(tile, 0, 0, width, height);
    g.globalAlpha = 1;
    if (dots.stale || dots.width !== map.element.width) drawDots(width, height);
    g.drawImage(dots, 0, 0, width, height);
    if (example() && pinned) {
      const [px, py] = toPixels(example()[0], example()[1], width, height);
      for (const [colour, thick] of [[ui.colours.page, 4], [ui.colours.text, 1.6]]) {
        g.strokeStyle = colour;
        g.lineWidth = thick;
        g.beginPath();
        g.arc(px, py, 6, 0, 7);
        g.stroke();
      }
    }
    if (cursor && brush >= 0 && document.activeElement === map.element) {
      g.strokeStyle = css(dotColour(brush));
      const [px, py] = toPixels(...cursor, width, height);
      g.strokeRect(px - 5, py - 5, 10, 10);
    }
    g.strokeStyle = ui.colours.line;
    g.lineWidth = 1;
    g.strokeRect(0.5, 0.5, width - 1, height - 1);
    title.textContent = j < 0 ? t({ en: "output: the likeliest class", zh: "输出：最可能的类别" }) : called(k, j);
  }

  function shadeClasses(pixels) {
    const units = columns[stages.length].units;
    const out = maps[stages.length];
    const page = ui.colours.map[2];
    for (let i = 0; i < pixels.length; i++) {
      let best = 0;
      for (let c = 1; c < units; c++) if (out[i * units + c] > out[i * units + best]) best = c;
      const colour = out[i * units] !== out[i * units] ? PURPLE : CLASSES[best % CLASSES.length];
      const [r, g, b] = colour.map((v, n) => Math.round(0.45 * v + 0.55 * page[n]));
      pixels[i] = (255 << 24) | (b << 16) | (g << 8) | r;
    }
  }

  function drawCurve(g, width, height) {
    // A running mean: the loss of single batches would jump about.
    let mean = NaN;
    const all = frames.filter((f) => Number.isFinite(f[1])).map((f) => [f[0], (mean = Number.isNaN(mean) ? f[1] : 0.85 * mean + 0.15 * f[1])]);
    if (all.length < 2) return;
    const top = Math.max(...all.map((f) => f[1]));
    const [first, last] = [frames[0][0], latest[0]];
    const px = (f) => 8 + ((f[0] - first) / Math.max(1, last - first)) * (width - 16);
    g.strokeStyle = ui.colours.blue;
    g.lineWidth = 1.4;
    g.beginPath();
    all.forEach((f, i) => g[i ? "lineTo" : "moveTo"](px(f), height - 2 - (f[1] / top) * (height - 8)));
    g.stroke();
    if (back >= 0) {
      g.fillStyle = ui.colours.orange;
      g.fillRect(px(shown()) - 0.8, 0, 1.6, height);
    }
  }

  function accuracy() {
    const count = points.length / 3;
    const { units, activation } = stages[stages.length - 1];
    const out = values[stages.length];
    let right = 0;
    for (let i = 0; i < count; i++) {
      const label = points[3 * i + 2];
      if (!Number.isInteger(label)) return NaN;
      let guess = 0;
      if (units > 1) for (let c = 1; c < units; c++) guess = out[i * units + c] > out[i * units + guess] ? c : guess;
      else guess = out[i] > (activation === "sigmoid" ? 0.5 : 0) ? 1 : 0;
      right += guess === (units > 1 ? label : +(label > 0));
    }
    return right / count;
  }

  let spoken = 0;
  function showNumbers(frame) {
    const right = accuracy();
    const words = [`${t({ en: "step", zh: "第" })} ${frame[0]}${t({ en: "", zh: " 步" })}`, `${t({ en: "loss", zh: "损失" })} ${Number.isNaN(frame[1]) && !frame[0] ? "–" : number(frame[1])}`];
    if (!Number.isNaN(right)) words.push(`${t({ en: "accuracy", zh: "准确率" })} ${(100 * right).toFixed(1)} %`);
    words.forEach((text, i) => (state.children[i] ?? element(state, "span")).textContent = text);
    while (state.children.length > words.length) state.lastChild.remove();
    map.label(`${title.textContent}; ${words.join(", ")}`);
    [...chips.children].forEach((chip, i) => chip.classList.toggle("on", frame[2] === i + 1));
    again.style.visibility = back >= 0 ? "" : "hidden";
    when.textContent = back >= 0
      ? t({ en: `looking back: step ${frame[0]} of ${latest[0]}`, zh: `回看：第 ${frame[0]} 步，共 ${latest[0]} 步` })
      : t({ en: "timeline", zh: "时间轴" });
    scrub.setAttribute("aria-valuetext", words.join(", "));
    if (!model.get("playing") || Date.now() - spoken > 5000) {
      spoken = Date.now();
      ui.announce(words.join(", "));
    }
  }

  // ---- looking back
  ui.on(scrub, "input", () => {
    back = +scrub.value < +scrub.max ? +scrub.value : -1;
    if (back >= 0 && model.get("playing") && !frozen) {
      frozen = true;
      tell("pause");
      showState();
    }
    editor.hidden = true;
    paint();
  });

  // ---- changing a weight
  const edit = (at, value) => {
    if (!Number.isFinite(value)) return;
    live();
    tell("edit", { at, value });
  };
  const field = (parent, at, label) => {
    const input = element(parent, "input", { type: "number", step: "any", label });
    input.addEventListener("change", () => edit(at, input.valueAsNumber));
    return input;
  };

  function nearest(px, py) {
    let best = null;
    let least = 49;
    const half = size() / 2;
    edges((k, i, j, at) => {
      const [x0, x1, y0, y1] = [x(k) + half, x(k + 1) - half, y(k, i), y(k + 1, j)];
      if (px < x0 || px > x1) return;
      for (let n = 0; n <= 24; n++) {
        const s = n / 24;
        const r = 1 - s;
        const bx = r * r * r * x0 + 1.5 * r * s * (x0 + x1) + s * s * s * x1;
        const by = (r * r * r + 3 * r * r * s) * y0 + (3 * r * s * s + s * s * s) * y1;
        const d = (bx - px) ** 2 + (by - py) ** 2;
        if (d < least) [least, best] = [d, { k, i, j, at, px, py }];
      }
    });
    return best;
  }
  ui.hover(wires.element, {
    move: (px, py) => {
      if (!stages.length || !latest) return;
      const before = near?.at;
      near = nearest(px, py);
      wires.element.style.cursor = near ? "pointer" : "";
      tip.hidden = !near || !editor.hidden;
      if (near) {
        const [w, gradient, update] = [0, 1, 2].map((n) => number(part(shown(), n)[near.at]));
        tip.textContent = `w ${w}   ∂L/∂w ${gradient}   Δw ${update}`;
        tip.style.left = `${Math.max(110, Math.min(wires.width - 110, px))}px`;
        tip.style.top = `${py}px`;
      }
      if (before !== near?.at) wires.request();
    },
    leave: () => {
      near = null;
      tip.hidden = true;
      wires.request();
    },
  });
  ui.on(wires.element, "click", () => {
    editor.hidden = !near || back >= 0;
    if (editor.hidden) return;
    tip.hidden = true;
    const { k, i, j, at, px, py } = near;
    const label = `${called(k, i)} → ${called(k + 1, j)}`;
    editor.replaceChildren();
    element(editor, "span", { text: "w = " });
    const input = field(editor, at, label);
    input.value = +part(latest, 0)[at].toPrecision(4);
    editor.style.left = `${Math.max(80, Math.min(wires.width - 80, px))}px`;
    editor.style.top = `${py}px`;
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === "Escape") editor.hidden = true;
    });
    input.focus();
    input.select();
  });

  // ---- one neuron's arithmetic
  let rows = [];
  let lines = [];
  let totals = null;

  /** The point whose numbers are spelled out: place, class, its loss, the batch's size; then z, a, dL/dz of each stage. */
  function example() {
    const sent = f32(model.get("example"));
    if (sent.length && back < 0) return sent;
    return points.length ? points.subarray(3 * chosen, 3 * chosen + 3) : null;
  }

  function buildSums() {
    sums.replaceChildren();
    rows = lines = [];
    hint.hidden = !!pinned?.[0] || !stages.length;
    sums.hidden = !pinned?.[0];
    if (sums.hidden) return;
    const [k, j] = pinned;
    const stage = stages[k - 1];
    element(sums, "h4", { text: called(k, j) });
    const table = element(sums, "table", { label: called(k, j) });
    const head = element(element(table, "thead"), "tr");
    for (const text of [{ en: "from", zh: "来自" }, { en: "input a", zh: "输入 a" }, { en: "weight w", zh: "权重 w" }, "a · w", "∂L/∂w", "Δw"]) element(head, "th", { text, scope: "col" });
    const body = element(table, "tbody");
    const row = (name, at, i) => {
      const line = element(body, "tr");
      element(line, "th", { text: name, scope: "row" });
      const first = element(line, "td");
      const input = field(element(line, "td"), at, `${name} → ${called(k, j)}`);
      return { i, at, cells: [first, ...[0, 0, 0].map(() => element(line, "td"))], input };
    };
    const from = (i) => (k === 1 ? `x${"₁₂"[i]}` : `${k - 1}.${i + 1}`);
    rows = Array.from({ length: Math.min(stage.inputs, 16) }, (_, i) => row(from(i), stage.kernel + i * stage.units + j, i));
    if (stage.bias) rows.push(row(t({ en: "bias", zh: "偏置" }), stage.biasAt + j, -1));
    const line = element(body, "tr", { className: "total" });
    for (let n = 0; n < 3; n++) element(line, "td", { text: n === 2 ? "z = Σ" : "" });
    totals = element(line, "td");
    for (let n = 0; n < 2; n++) element(line, "td");
    const list = element(sums, "ol");
    lines = PHASES.map((text) => {
      const item = element(list, "li");
      element(item, "b", { text });
      return { item, text: element(item, "div") };
    });
  }

  function showSums(frame) {
    if (!rows.length) return;
    const point = example();
    const [k, j] = pinned;
    const stage = stages[k - 1];
    const [weights, gradients, updates] = [0, 1, 2].map((n) => part(frame, n));
    const phase = back < 0 && point?.length > 3 ? frame[2] : 0;
    // In the update phase the weights are new already; the arithmetic is that of the weights before.
    const used = phase === 4 ? weights.map((w, n) => w - updates[n]) : weights;
    const place = new Float32Array(point ? point.subarray(0, 2) : [0, 0]);
    const acts = [place, ...forward(stages, used, place)];
    let z = 0;
    for (const { i, at, cells, input } of rows) {
      const a = i < 0 ? 1 : acts[k - 1][i];
      [a, a * used[at], gradients[at], updates[at]].forEach((v, n) => (cells[n].textContent = i < 0 && !n ? "1" : number(v)));
      if (document.activeElement !== input) input.value = +weights[at].toPrecision(4);
      input.disabled = back >= 0;
    }
    for (let i = 0; i < stage.inputs; i++) z += acts[k - 1][i] * used[stage.kernel + i * stage.units + j];
    if (stage.bias) z += used[stage.biasAt + j];
    totals.textContent = number(z);
    const name = stage.activation === "table" ? "f" : stage.activation;
    const words = [`a = ${name}(z) = ${name}(${number(z)}) = ${number(acts[k][j])}`, "", "", ""];
    if (phase >= 1) words.splice(1, 3, ...later(point, frame, k, j, z, acts[k][j], used));
    else words[1] = t({ en: "Press One phase to follow one batch through loss, backward and update.", zh: "按“一个阶段”，跟着一批数据走过损失、反向与更新。" });
    words.forEach((text, n) => {
      lines[n].text.textContent = phase > n || n < 2 ? text : "";
      lines[n].item.className = phase ? (phase > n ? "on" : "") : n ? "" : "on";
    });
  }

  /** Loss, backward and update in words and numbers; the ringed point is the first of the batch. */
  function later(point, frame, k, j, z, a, used) {
    const [, , label, lone, count] = point;
    let at = 5;
    const deltas = stages.map(({ units }) => {
      at += 3 * units;
      return point.subarray(at - units, at);
    });
    const delta = number(deltas[k - 1][j], 4);
    const stage = stages[k - 1];
    const { loss } = model.get("network");
    const { optimiser, rate } = model.get("settings");
    let how = `∂L/∂z = ${delta}`;
    if (k < stages.length) {
      const next = stages[k];
      let sum = 0;
      for (let n = 0; n < next.units; n++) sum += used[next.kernel + j * next.units + n] * deltas[k][n];
      how = `∂L/∂z = ${stage.activation}′(z) · Σ w · ∂L/∂z′ = ${number(slope(stage, z))} · ${number(sum, 4)} = ${delta}`;
    } else if (loss === "binary_crossentropy" && stage.activation === "sigmoid") {
      how = `∂L/∂z = (a − y) / ${count} = (${number(a)} − ${label}) / ${count} = ${delta}`;
    }
    const sum = t({ en: "; ∂L/∂w sums a · ∂L/∂z over the batch", zh: "；∂L/∂w 是 a · ∂L/∂z 在整批上的和" });
    return [
      t({ en: `${loss}: ${number(lone)} for the ringed point (y = ${label}); mean over ${count} points: ${number(frame[1])}`, zh: `${loss}：画圈的点（y = ${label}）为 ${number(lone)}；${count} 个点的平均：${number(frame[1])}` }),
      how + sum,
      optimiser === "SGD" ? `w ← w + Δw,  Δw = −${rate} · ∂L/∂w` : t({ en: `w ← w + Δw; ${optimiser} makes Δw from this and earlier gradients (rate ${rate})`, zh: `w ← w + Δw；${optimiser} 由这次与以往的梯度算出 Δw（学习率 ${rate}）` }),
    ];
  }

  // ---- points of one's own
  let cursor = [0, 0];
  let drawn = [];
  const toPlane = (px, py) => [box.x + (px / map.width - 0.5) * 2 * box.half, box.y - (py / map.height - 0.5) * 2 * box.half];
  function setBrush(value) {
    brush = value;
    brushes.forEach((b, i) => b.setAttribute("aria-pressed", i === brush));
    map.element.style.cursor = brush < 0 ? "" : "crosshair";
    ui.announce(brush < 0 ? "" : t({ en: "Arrow keys move the brush, space draws.", zh: "方向键移动画笔，空格键画点。" }));
  }
  const existing = () => model.get("settings").problem === "own" ? Array.from({ length: points.length / 3 }, (_, i) => [...points.subarray(3 * i, 3 * i + 3)]) : [];
  const dot = (px, py) => {
    const [a, b] = toPlane(px, py);
    const last = drawn[drawn.length - 1];
    if (Math.abs(a - box.x) > box.half || Math.abs(b - box.y) > box.half || (last && Math.hypot(last[0] - a, last[1] - b) < 0.06 * box.half)) return;
    drawn.push([a, b, brush]);
    points = new Float32Array(drawn.flat());
    groupPoints();
    paint();
  };
  ui.drag(map.element, {
    start: (px, py) => {
      if (brush < 0) {
        const [a, b] = toPlane(px, py);
        let least = Infinity;
        for (let i = 0; i < points.length / 3; i++) {
          const d = Math.hypot(points[3 * i] - a, points[3 * i + 1] - b);
          if (d < least) [least, chosen] = [d, i];
        }
        paint();
        return false;
      }
      drawn = existing();
      dot(px, py);
    },
    move: dot,
    end: () => tell("points", { points: drawn }),
  });
  ui.on(map.element, "keydown", (event) => {
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1], " ": [0, 0] }[event.key] ?? [];
    if (dx === undefined || brush < 0) return;
    event.preventDefault();
    cursor = [cursor[0] + 0.1 * dx * box.half, cursor[1] + 0.1 * dy * box.half];
    if (event.key === " ") tell("points", { points: [...existing(), [...cursor, brush]] });
    map.draw();
  });
  ui.on(ui.root, "keydown", (event) => {
    if (event.key !== "Escape") return;
    pinned = null;
    editor.hidden = true;
    setBrush(-1);
    buildSums();
    request();
  });

  pressKind();
  showState();
  showCode();
  build(model.get("network").stages ?? []);
  showSettings();
  take(f32(model.get("frame")));
  request();
  if (latest?.[0]) tell("history");
  return ui.close;
}

export default { render };
