// Gradient flow's view: bands of activations and gradients over the steps, one row a layer. A record is step, loss and
// COLUMNS numbers for each layer; see gradient_watch.summarise. The record is kept and thinned here as in the kernel.

import { open, f32, number, ticks, superscript } from "./common.js";

const COLUMNS = 14;
const KEPT = 200;
const WORDS = [
  { en: "saturated", zh: "饱和" }, { en: "dead units", zh: "死单元" }, { en: "vanishing gradient", zh: "梯度消失" },
  { en: "exploding gradient", zh: "梯度爆炸" }, { en: "NaN or infinity", zh: "NaN 或无穷大" }, { en: "no gradient", zh: "没有梯度" },
];
const NAMES = 132;
const GAP = 58;
const TOP = 24;

function render({ model, el }) {
  const ui = open(model, el, { en: "Gradient flow", zh: "梯度流" });
  const { t, element } = ui;
  ui.style(`.lmw .hint { color: var(--lmw-muted); font-size: 12px; margin: 4px 0; } .lmw .flow input { width: 100%; margin: 0; accent-color: var(--lmw-blue); }`);
  const head = element(ui.root, "div", { className: "row" });
  const state = element(head, "span");
  const verdict = element(head, "span", { className: "muted" });
  let records = [];
  let every = 1;
  let offered = 0;
  let newest = null;
  let back = -1;

  const names = () => model.get("names");
  const tall = () => (names().length > 12 ? 34 : 48);
  const plot = ui.canvas(ui.root, { height: () => TOP + Math.max(1, names().length) * tall() + 24, draw, label: { en: "Activations and gradients of each layer", zh: "各层的激活与梯度" } });
  const line = element(ui.root, "div", { className: "flow" });
  const scrub = element(line, "input", { type: "range", min: 0, max: 0, value: 0, label: { en: "Look back through the training", zh: "回看训练过程" } });
  element(ui.root, "div", { className: "hint", text: {
    en: "Bands: 5–95 % and 25–75 % of a layer's values for one fixed batch, line: median. Gradients: of the loss, where the layer's output is; the number is the median of the step shown.",
    zh: "色带：固定的一批数据上该层数值的 5–95 % 与 25–75 %；线：中位数。梯度：损失对该层输出的梯度；数字是所示那一步的中位数。" } });

  function take(record) {
    if (records.length && record[0] < records[records.length - 1][0]) records = [];
    if (!records.length) [every, offered] = [1, 0];
    newest = record;
    if (offered++ % every === 0) records.push(record);
    if (records.length > KEPT) [records, every] = [records.filter((_, i) => i % 2 === 0), 2 * every];
    follow();
  }
  function takeAll() {
    const all = f32(model.get("history"));
    const length = 2 + COLUMNS * names().length;
    if (!all.length || all.length % length) return;
    records = Array.from({ length: all.length / length }, (_, i) => all.subarray(i * length, (i + 1) * length));
    newest = records[records.length - 1];
    follow();
  }
  function follow() {
    scrub.max = records.length - (records[records.length - 1] === newest);
    if (back < 0) scrub.value = scrub.max;
    show();
  }
  const shown = () => (back >= 0 ? records[back] : newest);

  function show() {
    const record = shown();
    if (!record) {
      state.textContent = t({ en: "Nothing watched yet: pass this to fit, callbacks=[flow].", zh: "还没有观察任何训练：请传给 fit，callbacks=[flow]。" });
      return;
    }
    state.textContent = t({ en: `step ${record[0]}   loss ${number(record[1])}`, zh: `第 ${record[0]} 步   损失 ${number(record[1])}` });
    const wrong = names().map((name, k) => [name, words(record, k)]).filter(([, found]) => found);
    const text = wrong.map(([name, found]) => `${name}: ${found}`).join("; ") || t({ en: "nothing out of the ordinary", zh: "没有异常" });
    verdict.textContent = wrong.length > 3 ? t({ en: `${wrong.length} layers with findings`, zh: `${wrong.length} 层有发现` }) : text;
    scrub.setAttribute("aria-valuetext", `${state.textContent}; ${text}`);
    plot.label(`${state.textContent}; ${text}`);
    ui.root.dataset.step = record[0];
    plot.request();
  }

  const at = (record, k, column) => record[2 + k * COLUMNS + column];
  function words(record, k) {
    const flags = at(record, k, 13);
    return WORDS.filter((_, bit) => flags & (1 << bit)).map((word, n, all) => {
      const share = word === WORDS[0] ? at(record, k, 12) : word === WORDS[1] ? at(record, k, 11) : NaN;
      return t(word) + (share === share ? ` ${Math.round(100 * share)} %` : "");
    }).join(t({ en: ", ", zh: "、" }));
  }

  function draw(g, width) {
    if (!records.length) return;
    const c = ui.colours;
    const margin = Math.min(NAMES, Math.max(118, width / 4));
    const wide = (width - margin - GAP - 58) / 2;
    const [first, last] = [records[0][0], Math.max(newest[0], records[0][0] + 1)];
    const x = (step, left) => left + ((step - first) / (last - first)) * wide;
    // From the lowest median: single examples go down to 1e-30, and nothing could be read on that scale.
    let [low, high] = [Infinity, -Infinity];
    for (const record of records) {
      for (let k = 0; k < names().length; k++) {
        if (at(record, k, 7) < low) low = at(record, k, 7);
        if (at(record, k, 9) > high) high = at(record, k, 9);
      }
    }
    [low, high] = low <= high ? [Math.floor(low) - 1, Math.ceil(high)] : [-1, 0];
    const lefts = [margin, margin + wide + GAP];
    g.textBaseline = "middle";
    g.fillStyle = c.muted;
    g.fillText(t({ en: "activations", zh: "激活" }), lefts[0], 10);
    const heads = [{ en: "size of the gradient, one scale for all", zh: "梯度大小，各层同一刻度" }, { en: "gradient size", zh: "梯度大小" }].map(t);
    g.fillText(heads.find((text) => g.measureText(text).width <= width - lefts[1]) ?? heads[1], lefts[1], 10);
    names().forEach((name, k) => {
      const [top, base] = [TOP + k * tall(), TOP + (k + 1) * tall() - 8];
      let range = 0;
      for (const record of records) range = Math.max(range, Math.abs(at(record, k, 0)) || 0, Math.abs(at(record, k, 4)) || 0);
      const scales = [(v) => (top + base) / 2 - ((v / (range || 1)) * (base - top)) / 2, (v) => base - ((Math.max(v, low) - low) / (high - low)) * (base - top)];
      const found = words(shown(), k);
      g.textAlign = "left";
      g.fillStyle = c.text;
      g.fillText(clip(g, name, margin - 12), 0, top + 9);
      g.fillStyle = c.orange;
      g.font = g.font.replace("12px", "11px");
      wrap(g, found, margin - 12).forEach((text, n) => g.fillText(text, 0, top + 23 + 12 * n));
      lefts.forEach((left, side) => {
        const y = scales[side];
        g.strokeStyle = c.faint;
        g.lineWidth = 1;
        g.strokeRect(left + 0.5, top + 0.5, wide, base - top);
        g.strokeStyle = c.line;
        if (!side) stroke(g, [[left, y(0)], [left + wide, y(0)]], 0.6);
        g.fillStyle = g.strokeStyle = side ? c.orange : c.blue;
        for (const [from, to, alpha] of [[0, 4, 0.18], [1, 3, 0.35]]) {
          g.globalAlpha = alpha;
          for (const run of runs(5 * side + from)) {
            g.beginPath();
            run.forEach((r) => g.lineTo(x(r[0], left), y(at(r, k, 5 * side + from))));
            [...run].reverse().forEach((r) => g.lineTo(x(r[0], left), y(at(r, k, 5 * side + to))));
            g.fill();
          }
        }
        g.globalAlpha = 1;
        for (const run of runs(5 * side + 2)) stroke(g, run.map((r) => [x(r[0], left), y(at(r, k, 5 * side + 2))]), 1.4);
        g.strokeStyle = c.text;
        if (back >= 0) stroke(g, [[x(shown()[0], left), top], [x(shown()[0], left), base]], 1);
        g.fillStyle = c.muted;
        if (!side) g.fillText(`±${number(range, 2)}`, left + wide + 5, (top + base) / 2);
        else {
          for (const v of [low, high]) g.fillText(`10${superscript(v)}`, left + wide + 5, y(v) + (v === low ? -4 : 4));
          const median = at(shown(), k, 7);
          g.fillStyle = c.orange;
          if (tall() > 40 && Number.isFinite(median)) g.fillText(number(10 ** median), left + wide + 5, (top + base) / 2);
        }
      });
      g.font = g.font.replace("11px", "12px");

      function runs(column) {
        const all = [[]];
        for (const record of records) {
          if (Number.isFinite(at(record, k, column))) all[all.length - 1].push(record);
          else if (all[all.length - 1].length) all.push([]);
        }
        return all.filter((run) => run.length);
      }
    });
    g.fillStyle = c.muted;
    g.textAlign = "center";
    for (const left of lefts) {
      for (const step of ticks(first, last, Math.max(2, Math.min(4, Math.round(wide / 50))))) g.fillText(step, x(step, left), TOP + names().length * tall() + 6);
    }
    g.textAlign = "left";
  }

  function stroke(g, points, width) {
    g.lineWidth = width;
    g.beginPath();
    for (const [px, py] of points) g.lineTo(px, py);
    g.stroke();
  }

  ui.on(scrub, "input", () => {
    back = +scrub.value < +scrub.max ? +scrub.value : -1;
    show();
    plot.draw();
    ui.announce(scrub.getAttribute("aria-valuetext"));
  });
  ui.onModel("change:latest", () => take(f32(model.get("latest"))));
  ui.onModel("change:history", takeAll);
  ui.onModel("change:names", () => {
    records = [];
    newest = null;
    plot.resize();
  });
  takeAll();
  show();
  return ui.close;
}

/** Text that fits the width, with an ellipsis where it was cut. */
function clip(g, text, width) {
  if (g.measureText(text).width <= width) return text;
  while (text && g.measureText(`${text}…`).width > width) text = text.slice(0, -1);
  return `${text}…`;
}

function wrap(g, text, width) {
  const lines = [];
  for (const part of text.split(/(?<=[,、]) ?/)) {
    const joined = lines.length ? `${lines[lines.length - 1]} ${part}` : part;
    if (lines.length && g.measureText(joined).width <= width) lines[lines.length - 1] = joined;
    else lines.push(part);
  }
  return lines;
}

export default { render };
