// The attention viewer's view: a small picture of every head, one head large, one row and one column in numbers.

import { open, f32, heat, number, quick, sequential } from "./common.js";

// ---------------------------------------------------------------- mathematics

/** p^(1/T), renormalised per row: the softmax of the same scores divided by T. Zeros stay zero. */
export function temper(weights, time, temperature) {
  if (temperature === 1) return weights;
  const result = new Float32Array(weights.length);
  for (let row = 0; row < weights.length; row += time) {
    let largest = 0;
    for (let i = row; i < row + time; i++) largest = Math.max(largest, weights[i]);
    let sum = 0;
    let before = 0;
    for (let i = row; i < row + time; i++) {
      before += weights[i];
      result[i] = weights[i] === 0 ? 0 : (weights[i] / largest) ** (1 / temperature);
      sum += result[i];
    }
    if (sum > 0 || Number.isNaN(sum)) for (let i = row; i < row + time; i++) result[i] *= before / sum;
  }
  return result;
}

// ---------------------------------------------------------------- view

const SHOWN = 10;

/** A token as a short visible label. */
function short(token, length = 12) {
  const visible = token.replace(/\n/g, "⏎").replace(/\t/g, "⇥").replace(/^ | $/g, "␣") || "∅";
  const characters = [...visible];
  return characters.length > length ? characters.slice(0, length - 1).join("") + "…" : visible;
}

function render({ model, el }) {
  const ui = open(model, el, { en: "Attention viewer", zh: "注意力查看器" });
  const weights = f32(model.get("weights"));
  if (!weights.length) return ui.close;
  ui.style(`.lmw .heads { display: flex; flex-wrap: wrap; gap: 6px; margin: 2px 0 12px; }
    .lmw .heads button { padding: 3px; width: 66px; line-height: 1.2; color: var(--lmw-muted); border-color: transparent; }
    .lmw .heads button[aria-pressed=true] { color: inherit; border-color: var(--lmw-blue); background: transparent; }
    .lmw .heads canvas { margin-top: 2px; touch-action: auto; }
    .lmw .two { display: flex; flex-wrap: wrap; gap: 8px 28px; align-items: flex-start; }
    .lmw .two > .large { flex: 1 1 380px; min-width: 0; max-width: 540px; } .lmw .two > .lists { flex: 1 1 240px; min-width: 0; }
    .lmw canvas.cells { cursor: crosshair; }`);
  const [layers, heads, time] = model.get("shape");
  const tokens = model.get("tokens");
  const names = ["layer", "head", "query", "key", "temperature"];
  const state = Object.fromEntries(names.map((name) => [name, model.get(name)]));
  const size = time * time;
  let hovered = null;
  let matrices = [];

  const compute = () => {
    const first = state.layer * heads * size;
    matrices = Array.from({ length: heads }, (_, head) => temper(weights.subarray(first + head * size, first + (head + 1) * size), time, state.temperature));
  };
  const focus = () => hovered ?? [state.query, state.key];
  const quoted = (i) => `“${short(tokens[i])}”`;
  const largest = (matrix) => matrix.reduce((high, v) => (v > high ? v : high), 1e-9);
  // Square roots, or a single weight of 1 would leave the fine patterns of a long text blank; the scale below says so.
  const colour = (high) => quick((v) => sequential(Math.sqrt(v / high), ui.colours), 0, high);

  // ---- controls
  const top = ui.element(ui.root, "div", { className: "row" });
  const controls = {};
  if (layers > 1) {
    const options = Array.from({ length: layers }, (_, i) => ({ value: i, en: String(i), zh: String(i) }));
    controls.layer = ui.select(top, { label: { en: "layer", zh: "层" }, options, value: state.layer, onChange: (v) => change("layer", +v) });
  }
  const slider = ui.range(top, {
    label: { en: "temperature T", zh: "温度 T" }, min: -3, max: 3, step: 0.05, value: Math.log2(state.temperature),
    format: (v) => number(2 ** v, 2), onInput: (v) => change("temperature", +(2 ** v).toPrecision(4)),
  });
  controls.temperature = { set: (v) => slider.set(Math.log2(v)) };
  const grid = ui.element(ui.root, "div", { className: "heads", role: "group", label: { en: "heads", zh: "注意力头" } });
  const small = Array.from({ length: heads }, (_, head) => {
    const name = { en: `head ${head}`, zh: `头 ${head}` };
    const button = ui.button(grid, { text: name, onClick: () => change("head", head) });
    const plot = ui.canvas(button, { height: (w) => w, label: name, draw: (g, w, h) => heat(g, matrices[head], time, colour(largest(matrices[head])), 0, 0, w, h) });
    plot.element.setAttribute("aria-hidden", "true");
    return { button, plot };
  });
  controls.head = { set: press };
  function press() {
    small.forEach(({ button }, head) => button.setAttribute("aria-pressed", head === state.head));
  }

  const two = ui.element(ui.root, "div", { className: "two" });
  const large = ui.canvas(ui.element(two, "div", { className: "large" }), { height: (w) => layout(w).height, draw: drawLarge, keyboard: true });
  large.element.classList.add("cells");
  const listed = Math.min(SHOWN, time);
  const lists = ui.canvas(ui.element(two, "div", { className: "lists" }), { height: 2 * (34 + 19 * listed), draw: drawLists });

  // ---- the large head
  let side = 0;
  function layout(w) {
    if (!side && w) {
      const pen = document.createElement("canvas").getContext("2d");
      pen.font = `12px ${getComputedStyle(ui.root).fontFamily}`;
      side = Math.max(...tokens.map((token) => pen.measureText(short(token)).width));
    }
    const room = w - side - 14;
    const upright = (room - 4) / time >= side + 6;
    const slanted = upright ? 0 : side * 0.62 + 4;
    const cell = Math.max(1, Math.min(46, (room - (upright ? 4 : slanted * 0.8)) / time));
    const head = upright ? 20 : side * 0.8 + 14;
    return { cell, left: side + 10, top: head + 20, upright, height: Math.ceil(head + 20 + cell * time + 40) };
  }

  function drawLarge(g, w) {
    const c = ui.colours;
    const { cell, left, top: high, upright } = layout(w);
    const matrix = matrices[state.head];
    const peak = largest(matrix);
    const [query, key] = focus();
    const extent = cell * time;
    heat(g, matrix, time, colour(peak), left, high, extent, extent);
    g.strokeStyle = c.line;
    g.lineWidth = 1;
    g.strokeRect(left - 0.5, high - 0.5, extent + 1, extent + 1);
    const every = Math.ceil((upright ? 11 : 15) / cell);
    tokens.forEach((token, i) => {
      if (i % every && i !== query && i !== key) return;
      g.textBaseline = "middle";
      g.textAlign = "right";
      if (i % every === 0 || i === query) {
        g.fillStyle = i === query ? c.text : c.muted;
        g.font = `${i === query ? "600 " : ""}12px ${g.font.split("px ")[1]}`;
        g.fillText(short(token), left - 7, high + cell * (i + 0.5));
      }
      if (i % every && i !== key) return;
      g.fillStyle = i === key ? c.text : c.muted;
      g.font = `${i === key ? "600 " : ""}12px ${g.font.split("px ")[1]}`;
      g.save();
      g.translate(left + cell * (i + 0.5), high - 8);
      if (!upright) g.rotate(-0.9);
      g.textAlign = upright ? "center" : "left";
      g.fillText(short(token), 0, 0);
      g.restore();
    });
    g.font = `12px ${g.font.split("px ")[1]}`;
    g.strokeStyle = c.orange;
    g.lineWidth = cell < 10 ? 1 : 1.5;
    g.strokeRect(left, high + cell * query, extent, cell);
    g.strokeRect(left + cell * key, high, cell, extent);
    g.lineWidth *= 2;
    g.strokeRect(left + cell * key, high + cell * query, cell, cell);
    g.fillStyle = c.muted;
    g.textAlign = "left";
    g.textBaseline = "top";
    g.fillText(ui.t({ en: "rows look (queries), columns are looked at (keys)", zh: "行在看（查询），列被看（键）" }), 0, 0);
    // the scale below: from 0 to the head's largest weight
    const y = high + extent + 20;
    heat(g, Array.from({ length: 64 }, (_, i) => (i * peak) / 63), 64, colour(peak), left + 16, y - 4, 90, 8);
    g.textBaseline = "middle";
    g.fillText("0", left, y);
    g.fillText(number(peak, 2), left + 112, y);
  }

  // ---- one row and one column
  function drawLists(g, w) {
    const c = ui.colours;
    const matrix = matrices[state.head];
    const [query, key] = focus();
    const block = (title, values, marked, y) => {
      g.textBaseline = "middle";
      g.textAlign = "left";
      g.fillStyle = c.text;
      g.font = `600 12px ${g.font.split("px ")[1]}`;
      g.fillText(title, 0, y);
      g.font = `12px ${g.font.split("px ")[1]}`;
      let order = values.map((_, i) => i);
      if (time > SHOWN) order = order.sort((a, b) => values[b] - values[a] || a - b).slice(0, SHOWN);
      const name = Math.min(side, 0.4 * w);
      const peak = Math.max(1e-9, ...values.filter(Number.isFinite));
      order.forEach((i, line) => {
        const at = y + 20 + 19 * line;
        g.textAlign = "right";
        g.fillStyle = i === marked ? c.text : c.muted;
        g.fillText(short(tokens[i]), name, at, name);
        g.fillStyle = Number.isNaN(values[i]) ? c.purple : i === marked ? c.orange : c.blue;
        g.fillRect(name + 8, at - 5, Math.max(1, ((values[i] || 0) / peak) * (w - name - 62)), 10);
        g.textAlign = "right";
        g.fillStyle = i === marked ? c.text : c.muted;
        g.fillText(number(values[i], 3), w, at);
      });
    };
    const more = time > SHOWN ? ui.t({ en: `, ${SHOWN} largest`, zh: `，最大的 ${SHOWN} 个` }) : "";
    block(ui.t({ en: `${quoted(query)} looks at`, zh: `${quoted(query)}在看` }) + more, row(matrix, query), key, 10);
    block(ui.t({ en: `${quoted(key)} is looked at by`, zh: `在看${quoted(key)}的词元` }) + more, column(matrix, key), query, 10 + 34 + 19 * listed);
  }
  const row = (matrix, query) => Array.from(matrix.subarray(query * time, (query + 1) * time));
  const column = (matrix, key) => Array.from({ length: time }, (_, i) => matrix[i * time + key]);

  // ---- words and changes
  function speak() {
    const [query, key] = focus();
    const value = number(matrices[state.head][query * time + key], 3);
    const text = ui.t({
      en: `layer ${state.layer}, head ${state.head}: ${quoted(query)} looks at ${quoted(key)} with weight ${value}`,
      zh: `第 ${state.layer} 层，头 ${state.head}：${quoted(query)}看${quoted(key)}的权重为 ${value}`,
    });
    large.label(`${text}. ${ui.t({ en: "Arrow keys move.", zh: "方向键移动。" })}`);
    const seen = (i, values) => values.map((v, j) => `${short(tokens[j])} ${number(v, 3)}`).slice(0, 24).join(", ");
    lists.label(`${text}. ${seen(query, row(matrices[state.head], query))}`);
    return text;
  }
  function draw() {
    large.draw();
    lists.draw();
    return speak();
  }
  function change(name, value) {
    state[name] = value;
    if (name === "layer" || name === "temperature") refresh();
    if (name === "head") press();
    ui.announce(draw());
    ui.set(name, value);
  }
  function refresh() {
    compute();
    for (const { plot } of small) plot.request();
  }
  for (const name of names) {
    ui.onModel(`change:${name}`, () => {
      if (state[name] === model.get(name)) return;
      state[name] = model.get(name);
      controls[name]?.set(state[name]);
      refresh();
      draw();
    });
  }
  const cellAt = (x, y) => {
    const { cell, left, top: high } = layout(large.width);
    const clip = (v) => Math.max(0, Math.min(time - 1, Math.floor(v / cell)));
    const [query, key] = [clip(y - high), clip(x - left)];
    // over a label, its own token on both sides: a word's row and its column
    return x < left ? [query, query] : y < high ? [key, key] : [query, key];
  };
  function pin([query, key]) {
    Object.assign(state, { query, key });
    hovered = null;
    ui.announce(draw());
    model.set({ query, key });
    model.save_changes();
  }
  ui.drag(large.element, { start: (x, y) => pin(cellAt(x, y)), move: (x, y) => pin(cellAt(x, y)) });
  ui.hover(large.element, {
    move: (x, y) => {
      hovered = cellAt(x, y);
      draw();
    },
    leave: () => {
      hovered = null;
      draw();
    },
  });
  ui.on(large.element, "keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Home: [0, -time], End: [0, time], PageUp: [-time, 0], PageDown: [time, 0] }[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const clip = (v) => Math.max(0, Math.min(time - 1, v));
    pin([clip(state.query + step[0]), clip(state.key + step[1])]);
  });
  compute();
  press();
  large.resize();
  lists.resize();
  for (const { plot } of small) plot.resize();
  speak();
  return ui.close;
}

export default { render };
