// The roofline's view: a roof over operations per byte, layers under it, and how many tokens share one reading of the weights.

import { open, number, superscript } from "./common.js";

// ---------------------------------------------------------------- mathematics

/** Operations per byte of a layer {flops, moved, weights}, for so many tokens and bytes per value. */
export function intensity(layer, tokens, size) {
  return (layer.flops * tokens) / (size * (layer.moved * tokens + layer.weights));
}

/** The most operations a second at an intensity. */
export function attainable(x, peak, bandwidth) {
  return Math.min(peak, x * bandwidth);
}

// ---------------------------------------------------------------- view

const MOST = 16;
const HEIGHT = 320;
const short = (v) => {
  const exponent = Math.floor(Math.log10(v));
  return `${+(v / 10 ** exponent).toPrecision(3)}·10${superscript(exponent)}`;
};

function render({ model, el }) {
  const ui = open(model, el, { en: "Roofline", zh: "屋顶线" });
  ui.style(`.lmw table { border-collapse: collapse; margin: 4px 0; } .lmw td, .lmw th { padding: 1px 14px 1px 0; text-align: left; font-weight: 400; border: 0; background: none; }
    .lmw th { color: var(--lmw-muted); } .lmw .roof { min-height: 1.5em; margin: 2px 0; }`);
  const NAMES = ["tokens", "machine", "size"];
  const state = Object.fromEntries(NAMES.map((name) => [name, model.get(name)]));
  let [layers, measured, machines] = ["layers", "measured", "machines"].map((name) => model.get(name));

  const row = ui.element(ui.root, "div", { className: "row" });
  const machine = ui.select(row, { label: { en: "machine", zh: "机器" }, options: machines.map((m, value) => ({ value, en: m.name, zh: m.name })), value: state.machine,
    onChange: (v) => change("machine", +v) });
  const size = ui.select(row, { label: { en: "bytes per value", zh: "每个数的字节数" }, options: [4, 2, 1].map((value) => ({ value, en: String(value), zh: String(value) })), value: state.size,
    onChange: (v) => change("size", +v) });
  const tokens = ui.range(row, { label: { en: "tokens at a time", zh: "一次的词元数" }, min: 0, max: MOST, step: 1, value: Math.log2(state.tokens),
    format: (i) => (2 ** i).toLocaleString("en", { maximumFractionDigits: 0 }), onInput: (i) => change("tokens", 2 ** i) });
  const plot = ui.canvas(ui.root, { height: HEIGHT, draw: drawRoof });
  const roof = ui.element(ui.root, "p", { className: "roof muted" });
  const table = ui.element(ui.root, "table");

  const here = () => machines[state.machine];
  const points = () => layers.map((layer) => {
    const x = intensity(layer, state.tokens, state.size);
    return { name: layer.name, x, y: attainable(x, here().peak, here().bandwidth) };
  });

  function drawRoof(g, w, h) {
    const c = ui.colours;
    const { peak, bandwidth } = here();
    const ridge = peak / bandwidth;
    // The window is the same for every number of tokens, so that only the points move.
    const xs = layers.flatMap((layer) => [1, 2 ** MOST].map((t) => intensity(layer, t, state.size))).concat(ridge, measured.map((m) => m.intensity));
    const low = Math.floor(Math.log10(Math.min(...xs)) - 0.2);
    const high = Math.ceil(Math.log10(Math.max(...xs)) + 0.2);
    const ys = [peak, attainable(10 ** low, peak, bandwidth), ...measured.map((m) => m.rate)];
    const bottom = Math.floor(Math.log10(Math.min(...ys)));
    const top = Math.ceil(Math.log10(Math.max(...ys)) + 0.3);
    const box = { left: 52, right: w - 12, top: 10, bottom: h - 40 };
    const px = (x) => box.left + ((Math.log10(x) - low) / (high - low)) * (box.right - box.left);
    const py = (y) => box.bottom - ((Math.log10(y) - bottom) / (top - bottom)) * (box.bottom - box.top);
    const line = (points_, colour, width, dash = []) => {
      g.strokeStyle = colour;
      g.lineWidth = width;
      g.setLineDash(dash);
      g.beginPath();
      points_.forEach(([x, y], i) => (i ? g.lineTo(x, y) : g.moveTo(x, y)));
      g.stroke();
      g.setLineDash([]);
    };
    g.textBaseline = "middle";
    for (let e = low; e <= high; e++) {
      line([[px(10 ** e), box.top], [px(10 ** e), box.bottom]], c.faint, 1);
      g.fillStyle = c.muted;
      g.textAlign = "center";
      g.fillText(`10${superscript(e)}`, px(10 ** e), box.bottom + 12);
    }
    for (let e = bottom; e <= top; e++) {
      line([[box.left, py(10 ** e)], [box.right, py(10 ** e)]], c.faint, 1);
      g.fillStyle = c.muted;
      g.textAlign = "right";
      g.fillText(`10${superscript(e)}`, box.left - 6, py(10 ** e));
    }
    g.textAlign = "right";
    g.fillText(ui.t({ en: "operations per byte", zh: "每字节运算数" }), box.right, h - 10);
    g.textAlign = "left";
    g.fillText(ui.t({ en: "operations a second", zh: "每秒运算数" }), box.left + 6, box.top + 8);
    line([[px(ridge), py(peak)], [px(ridge), box.bottom]], c.line, 1, [3, 3]);
    line([10 ** low, ridge, 10 ** high].map((x) => [px(x), py(attainable(x, peak, bandwidth))]), c.text, 2.2);
    if (state.machine === 0 && !here().source) {
      for (const { intensity: x, rate } of measured) {
        line([[px(x) - 4, py(rate) - 4], [px(x) + 4, py(rate) + 4]], c.orange, 1.8);
        line([[px(x) - 4, py(rate) + 4], [px(x) + 4, py(rate) - 4]], c.orange, 1.8);
      }
    }
    // Layers of nearly one intensity share a label; their numbers are those of the table.
    const groups = [];
    for (const [i, { x, y }] of [...points().entries()].sort((a, b) => a[1].x - b[1].x)) {
      g.fillStyle = x < ridge ? c.blue : c.green;
      g.beginPath();
      g.arc(px(x), py(y), 5, 0, 2 * Math.PI);
      g.fill();
      const last = groups.at(-1);
      if (last && px(x) - last.x < 22) last.names.push(i + 1);
      else groups.push({ x: px(x), y: py(y), names: [i + 1], colour: g.fillStyle });
    }
    g.textAlign = "left";
    for (const { x, y, names, colour } of groups) {
      g.fillStyle = colour;
      g.fillText(names.sort((a, b) => a - b).join(", "), x + 4, y + 15);
    }
  }
  function speak() {
    const { name, peak, bandwidth, source } = here();
    const ridge = peak / bandwidth;
    const words = ui.t({ en: `${name}: ${short(peak)} operations and ${short(bandwidth)} bytes a second; the roof bends at ${number(ridge, 1)} operations per byte.`,
      zh: `${name}：每秒 ${short(peak)} 次运算、${short(bandwidth)} 字节；拐点在每字节 ${number(ridge, 1)} 次运算。` });
    const crosses = !source && measured.length ? ui.t({ en: " Crosses: measured.", zh: "叉号为实测。" }) : "";
    roof.textContent = source ? `${words} (${source})` : words + crosses;
    table.replaceChildren();
    const head = ui.element(table, "tr");
    for (const text of [{ en: "layer", zh: "层" }, { en: "operations per byte", zh: "每字节运算数" }, { en: "of the peak", zh: "占峰值" }, { en: "held by", zh: "受限于" }]) ui.element(head, "th", { text });
    const said = [];
    for (const [i, { name: layer, x, y }] of points().entries()) {
      const held = ui.t(x < ridge ? { en: "memory", zh: "内存带宽" } : { en: "the peak", zh: "峰值" });
      const share = `${((100 * y) / peak).toFixed(1)}%`;
      const line = ui.element(table, "tr");
      for (const text of [`${i + 1}  ${layer}`, number(x, 2), share, held]) ui.element(line, "td", { text });
      said.push(`${layer}: ${number(x, 2)}, ${share}, ${held}`);
    }
    plot.label(`${words} ${said.join("; ")}`);
    return said.join("; ");
  }
  function draw() {
    plot.draw();
    return speak();
  }
  function change(name, value) {
    state[name] = value;
    ui.announce(draw());
    ui.set(name, value);
  }
  const controls = { tokens: { set: (v) => tokens.set(Math.log2(v)) }, machine, size };
  for (const name of NAMES) {
    ui.onModel(`change:${name}`, () => {
      if (state[name] === model.get(name)) return;
      state[name] = model.get(name);
      controls[name].set(state[name]);
      draw();
    });
  }
  for (const name of ["layers", "measured", "machines"]) {
    ui.onModel(`change:${name}`, () => {
      [layers, measured, machines] = ["layers", "measured", "machines"].map((n) => model.get(n));
      draw();
    });
  }
  draw();
  return ui.close;
}

export default { render };
