// The optimiser race's view: four update rules run down one surface from one point, drawn as paths and as loss over steps.

import { open, number, superscript, ticks } from "./common.js";
import { drawing } from "./drawing.js";

// ---------------------------------------------------------------- mathematics

/** name → {label, box: [left, right, bottom, top], f, d, least}: a function of the plane, its gradient and its smallest value. */
export const SURFACES = {
  valley: { label: { en: "narrow valley", zh: "狭长山谷" }, box: [-3, 3, -1.6, 1.6], least: 0,
    f: (x, y) => 0.5 * (x * x + 25 * y * y), d: (x, y) => [x, 25 * y] },
  bend: { label: { en: "bent valley", zh: "弯曲山谷" }, box: [-2, 2, -1, 3], least: 0,
    f: (x, y) => (1 - x) ** 2 + 10 * (y - x * x) ** 2, d: (x, y) => [-2 * (1 - x) - 40 * x * (y - x * x), 20 * (y - x * x)] },
  saddle: { label: { en: "saddle", zh: "鞍面" }, box: [-2, 2, -1.6, 1.6], least: -0.25,
    f: (x, y) => 0.5 * x * x - 0.5 * y * y + 0.25 * y ** 4, d: (x, y) => [x, y ** 3 - y] },
  plain: { label: { en: "plain with a hole", zh: "平地上的坑" }, box: [-3, 3, -2, 2], least: 0,
    f: (x, y) => 1 - Math.exp(-(x * x + y * y)), d: (x, y) => [2 * x * Math.exp(-(x * x + y * y)), 2 * y * Math.exp(-(x * x + y * y))] },
};

/**
 * name → {label, dash, step(memory, gradient, {rate, momentum, decay}, t)}: the change of one coordinate in step t = 1, 2, … as Keras
 * makes it. `momentum` is also Adam's first decay; `decay` its second, 0.999 if left out.
 */
export const RULES = {
  gd: { label: { en: "GD", zh: "GD" }, dash: [], step: (memory, g, { rate }) => -rate * g },
  momentum: { label: { en: "momentum", zh: "动量" }, dash: [9, 4],
    step: (memory, g, { rate, momentum }) => (memory.v = momentum * (memory.v ?? 0) - rate * g) },
  rmsprop: { label: { en: "RMSProp", zh: "RMSProp" }, dash: [2, 3],
    step: (memory, g, { rate }) => {
      memory.s = 0.9 * (memory.s ?? 0) + (1 - 0.9) * g * g;
      return (-rate * g) / Math.sqrt(memory.s + 1e-7);
    } },
  adam: { label: { en: "Adam", zh: "Adam" }, dash: [10, 3, 2, 3],
    step: (memory, g, { rate, momentum, decay = 0.999 }, t) => {
      memory.m = momentum * (memory.m ?? 0) + (1 - momentum) * g;
      memory.s = decay * (memory.s ?? 0) + (1 - decay) * g * g;
      return (((-rate * Math.sqrt(1 - decay ** t)) / (1 - momentum ** t)) * memory.m) / (Math.sqrt(memory.s) + 1e-7);
    } },
};

/** Standard normal numbers, the same ones for every rule: mulberry32 and Box–Muller. */
export function normals(seed) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** One rule's run: [[x, y, loss], …] from the start on; shorter where it leaves the plane for good. */
export function run(name, surface, [x, y], settings) {
  const { f, d } = SURFACES[surface];
  const { noise, steps, seed } = settings;
  const draw = normals(seed);
  const memories = [{}, {}];
  const path = [[x, y, f(x, y)]];
  for (let t = 1; t <= steps; t++) {
    const g = d(x, y).map((slope) => slope + noise * draw());
    x += RULES[name].step(memories[0], g[0], settings, t);
    y += RULES[name].step(memories[1], g[1], settings, t);
    if (!(Math.abs(x) < 1e3 && Math.abs(y) < 1e3)) break;
    path.push([x, y, f(x, y)]);
  }
  return path;
}

/** Line segments [x1, y1, x2, y2, …] where f equals `level`, on a grid over the box (marching squares). */
export function contour(f, [left, right, bottom, top], level, columns = 72, rows = 54) {
  const found = [];
  const at = (i, j) => [left + ((right - left) * i) / columns, bottom + ((top - bottom) * j) / rows];
  const values = Array.from({ length: (columns + 1) * (rows + 1) }, (_, n) => f(...at(n % (columns + 1), Math.floor(n / (columns + 1)))) - level);
  for (let j = 0; j < rows; j++) {
    for (let i = 0; i < columns; i++) {
      const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]];
      const crossings = [];
      corners.forEach(([a, b], k) => {
        const [c, e] = corners[(k + 1) % 4];
        const [p, q] = [values[b * (columns + 1) + a], values[e * (columns + 1) + c]];
        if (p < 0 === q < 0) return;
        const share = p / (p - q);
        crossings.push(...at(a + (c - a) * share, b + (e - b) * share));
      });
      for (let k = 0; k + 3 < crossings.length; k += 4) found.push(crossings.slice(k, k + 4));
    }
  }
  return found.flat();
}

// ---------------------------------------------------------------- view

const NUMBERS = ["x", "y", "rate", "momentum", "noise"];
const FLOOR = 1e-6;

function render({ model, el }) {
  const ui = open(model, el, { en: "Optimiser race", zh: "优化器赛跑" });
  const { line, write, dot } = drawing(ui);
  ui.style(`.lmw .two { display: flex; flex-wrap: wrap; gap: 4px 24px; } .lmw .two > div { flex: 1 1 340px; min-width: 0; }
    .lmw canvas.plane { cursor: crosshair; } .lmw h4 { font-size: 13px; font-weight: 600; margin: 6px 0 2px; }
    .lmw ul { list-style: none; padding: 0; margin: 4px 0 0; display: flex; flex-wrap: wrap; gap: 2px 22px; } .lmw ul canvas { display: inline-block; width: 34px; height: 10px; vertical-align: middle; margin-right: 6px; }`);
  const state = Object.fromEntries(["surface", "steps", "seed", ...NUMBERS].map((name) => [name, model.get(name)]));
  let shown = state.steps;
  let runs = {};
  let lines = [];
  const colour = (name) => ui.colours[{ gd: "blue", momentum: "orange", rmsprop: "green", adam: "purple" }[name]];
  const surface = () => SURFACES[state.surface];

  // ---- controls
  const top = ui.element(ui.root, "div", { className: "row" });
  const choice = ui.select(top, { label: { en: "surface", zh: "曲面" }, value: state.surface, onChange: (v) => change({ surface: v }),
    options: Object.entries(SURFACES).map(([value, { label }]) => ({ value, ...label })) });
  const rate = ui.range(top, { label: { en: "rate", zh: "学习率" }, min: -3, max: 0.5, step: 0.01, value: Math.log10(state.rate),
    format: (v) => (10 ** v).toPrecision(3), onInput: (v) => change({ rate: +(10 ** v).toPrecision(3) }) });
  const momentum = ui.range(top, { label: { en: "momentum", zh: "动量" }, min: 0, max: 0.99, step: 0.01, value: state.momentum, onInput: (v) => change({ momentum: v }) });
  const noise = ui.range(top, { label: { en: "noise", zh: "噪声" }, min: 0, max: 5, step: 0.1, value: state.noise, format: (v) => number(v, 1), onInput: (v) => change({ noise: v }) });
  const two = ui.element(ui.root, "div", { className: "two" });
  const left = ui.element(two, "div");
  const right = ui.element(two, "div");
  ui.element(left, "h4", { text: { en: "Paths from the start (drag it)", zh: "从起点出发的路径（可拖动起点）" } });
  const plane = ui.canvas(left, { height: (w) => Math.round(Math.min(330, 0.72 * w)), draw: drawPlane, keyboard: true });
  plane.element.classList.add("plane");
  ui.element(right, "h4", { text: { en: "Height above the lowest point", zh: "离最低点的高度" } });
  const heights = ui.canvas(right, { height: (w) => Math.round(Math.min(330, 0.72 * w)), draw: drawHeights });
  const bottom = ui.element(ui.root, "div", { className: "row" });
  const play = ui.button(bottom, { text: { en: "▶ Race", zh: "▶ 开跑" }, onClick: race });
  const step = ui.range(bottom, { label: { en: "step", zh: "步" }, min: 0, max: state.steps, step: 1, value: shown, format: String, onInput: (v) => show(v, true) });
  const list = ui.element(ui.root, "ul", { label: { en: "Result of each rule", zh: "各方法的结果" } });
  const results = Object.keys(RULES).map((name) => {
    const item = ui.element(list, "li");
    const key = ui.element(item, "canvas", { "aria-hidden": "true", width: 68, height: 20 });
    return { name, key, text: ui.element(item, "span") };
  });
  const tint = () => results.forEach(({ name, key }) => {
    const g = key.getContext("2d");
    g.setTransform(2, 0, 0, 2, 0, 0);
    g.clearRect(0, 0, 34, 10);
    line(g, colour(name), 2.4, RULES[name].dash, [[0, 5], [34, 5]]);
  });
  ui.onTheme(tint);

  // ---- drawing
  const frame = (w, h) => ({ left: 44, right: w - 16, top: 8, bottom: h - 32 });
  const toPlane = (w, h) => {
    const [a, b, c, d] = surface().box;
    const box = frame(w, h);
    return [(x) => box.left + ((x - a) / (b - a)) * (box.right - box.left), (y) => box.bottom - ((y - c) / (d - c)) * (box.bottom - box.top)];
  };
  function inside(g, box, paint) {
    g.save();
    g.beginPath();
    g.rect(box.left, box.top, box.right - box.left, box.bottom - box.top);
    g.clip();
    paint();
    g.restore();
  }

  function drawPlane(g, w, h) {
    const box = frame(w, h);
    const [px, py] = toPlane(w, h);
    const [a, b, c, d] = surface().box;
    inside(g, box, () => {
      g.strokeStyle = ui.colours.line;
      g.lineWidth = 1;
      g.beginPath();
      for (let i = 0; i < lines.length; i += 4) {
        g.moveTo(px(lines[i]), py(lines[i + 1]));
        g.lineTo(px(lines[i + 2]), py(lines[i + 3]));
      }
      g.stroke();
      for (const name of Object.keys(RULES)) line(g, colour(name), 2, RULES[name].dash, runs[name].slice(0, shown + 1).map(([x, y]) => [px(x), py(y)]));
      for (const name of Object.keys(RULES)) {
        const [x, y] = runs[name][Math.min(shown, runs[name].length - 1)];
        dot(g, px(x), py(y), 4.5, colour(name));
      }
    });
    dot(g, px(state.x), py(state.y), 7, ui.colours.text);
    for (const v of ticks(a, b, 6)) write(g, number(v, 0), px(v), box.bottom + 5, "center", "top");
    for (const v of ticks(c, d, 5)) write(g, number(v, 1), box.left - 6, py(v), "right", "middle");
    write(g, "x", box.right, h - 2, "right", "bottom");
    write(g, "y", 2, box.top, "left", "top");
  }

  const height = (loss) => Math.log10(Math.max(FLOOR, loss - surface().least));
  function drawHeights(g, w, h) {
    const box = frame(w, h);
    const all = Object.values(runs).flatMap((path) => path.map((p) => height(p[2])));
    const [low, high] = [Math.floor(Math.min(-1, ...all)), Math.min(4, Math.ceil(Math.max(0, ...all)))];
    const px = (t) => box.left + (t / state.steps) * (box.right - box.left);
    const py = (v) => box.bottom - ((v - low) / (high - low)) * (box.bottom - box.top);
    for (let v = low; v <= high; v++) {
      line(g, ui.colours.faint, 1, [], [[box.left, py(v)], [box.right, py(v)]]);
      write(g, v === 0 ? "1" : `10${superscript(v)}`, box.left - 6, py(v), "right", "middle");
    }
    for (const t of ticks(0, state.steps, 5)) write(g, String(t), px(t), box.bottom + 5, "center", "top");
    write(g, ui.t({ en: "step", zh: "步" }), box.right, h - 2, "right", "bottom");
    inside(g, { ...box, top: box.top - 4, bottom: box.bottom + 2 }, () => {
      for (const name of Object.keys(RULES)) line(g, colour(name), 2, RULES[name].dash, runs[name].slice(0, shown + 1).map((p, t) => [px(t), py(height(p[2]))]));
      line(g, ui.colours.muted, 1, [2, 3], [[px(shown), box.top], [px(shown), box.bottom]]);
    });
  }

  // ---- state
  function compute() {
    const { f, box, least } = surface();
    runs = Object.fromEntries(Object.keys(RULES).map((name) => [name, run(name, state.surface, [state.x, state.y], state)]));
    const highest = Math.max(f(box[0], box[2]), f(box[1], box[3]), f(box[0], box[3]), f(box[1], box[2])) - least;
    lines = Array.from({ length: 12 }, (_, k) => contour(f, box, least + highest * ((k + 0.5) / 12) ** 2.5)).flat();
  }
  function speak() {
    const said = results.map(({ name, text }) => {
      const label = ui.t(RULES[name].label);
      const path = runs[name];
      const gone = path.length <= Math.min(shown, state.steps);
      text.textContent = gone
        ? ui.t({ en: `${label}: diverges at step ${path.length}`, zh: `${label}：第 ${path.length} 步发散` })
        : ui.t({ en: `${label}: ${number(path[shown][2] - surface().least)}`, zh: `${label}：${number(path[shown][2] - surface().least)}` });
      return text.textContent;
    });
    const where = ui.t({ en: `Start (${number(state.x, 2)}, ${number(state.y, 2)}), step ${shown}. `, zh: `起点（${number(state.x, 2)}，${number(state.y, 2)}），第 ${shown} 步。` });
    plane.label(where + ui.t({ en: "Arrow keys move the start. ", zh: "方向键移动起点。" }) + said.join("; "));
    heights.label(where + said.join("; "));
    return where + said.join("; ");
  }
  function show(k, aloud) {
    shown = k;
    step.set(k);
    plane.draw();
    heights.draw();
    const words = speak();
    if (aloud) ui.announce(words);
  }
  /** Compute and draw anew; `changes` are told to the kernel. */
  function change(changes) {
    Object.assign(state, changes);
    if ("surface" in changes) Object.assign(state, nearest(state.x, state.y));
    racing = false;
    compute();
    show(state.steps, true);
    for (const name of ["surface", ...NUMBERS]) if (model.get(name) !== state[name]) model.set(name, state[name]);
    model.save_changes();
  }
  const nearest = (x, y) => {
    const [a, b, c, d] = surface().box;
    const within = (v, low, high) => +Math.max(low, Math.min(high, v)).toFixed(2);
    return { x: within(x, a, b), y: within(y, c, d) };
  };

  // ---- the race
  let racing = false;
  function race() {
    if (ui.calm) return show(state.steps, true);
    racing = !racing;
    if (racing) show(0);
  }
  ui.every(40, () => {
    if (!racing) return;
    show(Math.min(state.steps, shown + 2), shown + 2 >= state.steps);
    if (shown === state.steps) racing = false;
  });

  // ---- the start
  const move = (mouseX, mouseY) => {
    const [a, b, c, d] = surface().box;
    const box = frame(plane.width, plane.height);
    change(nearest(a + ((mouseX - box.left) / (box.right - box.left)) * (b - a), c + ((box.bottom - mouseY) / (box.bottom - box.top)) * (d - c)));
  };
  ui.drag(plane.element, { start: move, move });
  ui.on(plane.element, "keydown", (event) => {
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? [];
    if (dx === undefined) return;
    event.preventDefault();
    const far = event.shiftKey ? 0.5 : 0.05;
    change(nearest(state.x + far * dx, state.y + far * dy));
  });

  for (const name of ["surface", ...NUMBERS]) {
    ui.onModel(`change:${name}`, () => {
      if (state[name] === model.get(name)) return;
      state[name] = model.get(name);
      const control = { surface: choice, rate, momentum, noise }[name];
      control?.set(name === "rate" ? Math.log10(state.rate) : state[name]);
      compute();
      show(state.steps);
    });
  }
  tint();
  compute();
  show(state.steps);
  return ui.close;
}

export default { render };
