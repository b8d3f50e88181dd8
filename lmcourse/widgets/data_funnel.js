// The data funnel's view: one row a step, examples of what it dropped, and a threshold for near copies.

import { open, number } from "./common.js";

// ---------------------------------------------------------------- mathematics

/** How many texts go when the later one of each pair [i, j, similarity, …] at or above the threshold does. */
export function dropped(pairs, threshold) {
  return new Set(pairs.filter((pair) => pair[2] >= threshold).map((pair) => pair[1])).size;
}

/** Two texts as runs [characters, whether both have them], by the longest common subsequence. */
export function compare(a, b) {
  const [first, second] = [[...a], [...b]];
  const width = second.length + 1;
  const table = new Uint16Array((first.length + 1) * width);
  for (let i = first.length - 1; i >= 0; i--)
    for (let j = second.length - 1; j >= 0; j--)
      table[i * width + j] = first[i] === second[j] ? table[(i + 1) * width + j + 1] + 1 : Math.max(table[(i + 1) * width + j], table[i * width + j + 1]);
  const runs = [[], []];
  const add = (side, character, common) => {
    const last = runs[side].at(-1);
    if (last && last[1] === common) last[0] += character;
    else runs[side].push([character, common]);
  };
  let i = 0;
  let j = 0;
  while (i < first.length || j < second.length) {
    if (i < first.length && j < second.length && first[i] === second[j]) {
      add(0, first[i++], true);
      add(1, second[j++], true);
    } else if (j === second.length || (i < first.length && table[(i + 1) * width + j] >= table[i * width + j + 1])) add(0, first[i++], false);
    else add(1, second[j++], false);
  }
  return runs;
}

// ---------------------------------------------------------------- view

const LOWEST = 0.3;
const BINS = 28;
const PAGE = 6;
const EACH_SIDE = 3;

function render({ model, el }) {
  const ui = open(model, el, { en: "Data funnel", zh: "数据漏斗" });
  const counts = model.get("counts");
  if (!counts.length) return ui.close;
  ui.style(`.lmw .steps { display: grid; gap: 2px; margin: 2px 0 10px; }
    .lmw .steps button { display: grid; grid-template-columns: 9.5em 1fr 5em 6.5em; gap: 10px; align-items: center; text-align: left; border-color: transparent; }
    .lmw .steps button[aria-pressed=true] { border-color: var(--lmw-blue); background: transparent; }
    .lmw .steps .raw { cursor: default; opacity: 1; }
    .lmw .steps i { display: block; height: 12px; background: var(--lmw-blue); border-radius: 2px; }
    .lmw .steps b { font-weight: 600; text-align: right; } .lmw .steps em { font-style: normal; color: var(--lmw-muted); text-align: right; }
    .lmw ul { margin: 4px 0; padding: 0; list-style: none; } .lmw li { border-top: 1px solid var(--lmw-faint); padding: 4px 0; overflow-wrap: anywhere; }
    .lmw li mark { color: inherit; background: transparent; font-weight: 600; border-bottom: 2px solid var(--lmw-orange); }
    .lmw li.pair { display: grid; grid-template-columns: 3.6em 1fr; gap: 0 10px; } .lmw li.pair p { margin: 0; grid-column: 2; }
    .lmw li.pair strong { grid-row: span 2; } .lmw h4 { margin: 8px 0 2px; font-size: 1em; }`);
  const pairs = model.get("pairs");
  const examples = model.get("examples");
  const names = [{ en: "raw", zh: "原始" }, ...model.get("names"), { en: "near copies", zh: "近似重复" }];
  const last = names.length - 2;
  const state = { step: model.get("step"), threshold: model.get("threshold"), from: 0 };
  const grouped = (n) => n.toLocaleString("en");
  const left = () => [...counts, counts.at(-1) - dropped(pairs, state.threshold)];

  // ---- the steps
  const list = ui.element(ui.root, "div", { className: "steps", role: "group", label: { en: "steps", zh: "步骤" } });
  const rows = names.map((name, row) => {
    const button = ui.button(list, { text: "", label: name, onClick: () => change("step", row - 1) });
    if (!row) {
      button.disabled = true;
      button.className = "raw";
    }
    ui.element(button, "span", { text: name });
    const bar = ui.element(ui.element(button, "span"), "i");
    return { button, bar, kept: ui.element(button, "b"), gone: ui.element(button, "em") };
  });
  function drawSteps() {
    const now = left();
    rows.forEach(({ button, bar, kept, gone }, row) => {
      bar.style.width = `${(100 * now[row]) / now[0]}%`;
      kept.textContent = grouped(now[row]);
      gone.textContent = row ? `− ${grouped(now[row - 1] - now[row])}` : "";
      button.setAttribute("aria-pressed", row === state.step + 1);
      if (row) button.setAttribute("aria-label", words(row, now));
    });
    return words(state.step + 1, now);
  }
  const words = (row, now) =>
    ui.t({
      en: `${ui.t(names[row])}: ${grouped(now[row])} left, ${grouped(now[row - 1] - now[row])} dropped`,
      zh: `${ui.t(names[row])}：剩 ${grouped(now[row])}，去掉 ${grouped(now[row - 1] - now[row])}`,
    });

  // ---- examples of a step
  const plain = ui.element(ui.root, "div");
  const head = ui.element(plain, "div", { className: "row" });
  const title = ui.element(head, "strong");
  const more = ui.button(head, { text: { en: "other examples", zh: "换一批" }, onClick: () => {
    state.from = (state.from + PAGE) % examples[state.step].length;
    drawExamples();
  } });
  const shown = ui.element(plain, "ul");
  function drawExamples() {
    const all = examples[state.step];
    title.textContent = ui.t(all.length ? { en: "Dropped, for example:", zh: "去掉的，例如：" } : { en: "This step drops nothing.", zh: "这一步没有去掉任何文本。" });
    more.hidden = all.length <= PAGE;
    shown.replaceChildren();
    for (const text of all.slice(state.from, state.from + PAGE)) ui.element(shown, "li", { text });
  }

  // ---- near copies
  const near = ui.element(ui.root, "div");
  const slider = ui.range(ui.element(near, "div", { className: "row" }), {
    label: { en: "similarity from which a pair counts", zh: "相似度达到多少算近似重复" }, min: LOWEST, max: 1, step: 0.01,
    value: state.threshold, format: (v) => number(v, 2), onInput: (v) => change("threshold", v),
  });
  const bins = new Array(BINS).fill(0);
  for (const pair of pairs) if (pair[2] >= LOWEST) bins[Math.min(BINS - 1, Math.floor(((pair[2] - LOWEST) / (1 - LOWEST)) * BINS + 1e-9))]++;
  const plot = ui.canvas(near, { height: 110, draw: drawHistogram });
  const told = ui.element(near, "p");
  const above = ui.element(near, "h4", { text: { en: "The last that count as copies", zh: "刚好算作重复的" } });
  const inside = ui.element(near, "ul");
  const below = ui.element(near, "h4", { text: { en: "The first that do not", zh: "刚好不算的" } });
  const outside = ui.element(near, "ul");

  function drawHistogram(g, w, h) {
    const c = ui.colours;
    const px = (v) => 30 + ((v - LOWEST) / (1 - LOWEST)) * (w - 40);
    const high = Math.max(1, ...bins);
    bins.forEach((n, i) => {
      const [x, next] = [px(LOWEST + ((1 - LOWEST) * i) / BINS), px(LOWEST + ((1 - LOWEST) * (i + 1)) / BINS)];
      g.fillStyle = LOWEST + ((1 - LOWEST) * (i + 0.5)) / BINS >= state.threshold ? c.orange : c.blue;
      g.fillRect(x + 1, h - 20 - ((h - 34) * n) / high, next - x - 2, ((h - 34) * n) / high);
    });
    g.strokeStyle = c.text;
    g.lineWidth = 1.5;
    g.beginPath();
    g.moveTo(px(state.threshold), 4);
    g.lineTo(px(state.threshold), h - 20);
    g.stroke();
    g.fillStyle = c.muted;
    g.textAlign = "center";
    g.textBaseline = "top";
    for (let v = 3; v <= 10; v++) g.fillText(number(v / 10, 1), px(v / 10), h - 16);
    g.textAlign = "right";
    g.textBaseline = "middle";
    g.fillText(String(high), 26, 14);
  }
  function fill(parent, some) {
    parent.replaceChildren();
    for (const [, , value, a, b, markA, markB] of some) {
      const item = ui.element(parent, "li", { className: "pair" });
      ui.element(item, "strong", { text: number(value, 2) });
      compare(a, b).forEach((runs, side) => {
        const line = ui.element(item, "p", { text: `${[markA, markB][side]} ` });
        for (const [text, common] of runs) ui.element(line, common ? "span" : "mark", { text });
      });
    }
  }
  function drawNear() {
    const cut = pairs.findIndex((pair) => pair[2] < state.threshold);
    const at = cut < 0 ? pairs.length : cut;
    const against = pairs.slice(0, at).filter((pair) => pair[5] !== pair[6]).length;
    told.textContent = ui.t({
      en: `${at} pairs count, ${dropped(pairs, state.threshold)} texts are dropped: the later one of each pair. In ${against} of the pairs the two marks differ.`,
      zh: `${at} 对算作重复，去掉 ${dropped(pairs, state.threshold)} 条：每对中靠后的一条。其中 ${against} 对的标记不同。`,
    });
    fill(inside, pairs.slice(Math.max(0, at - EACH_SIDE), at));
    fill(outside, pairs.slice(at, at + EACH_SIDE));
    above.hidden = at === 0;
    below.hidden = at === pairs.length;
    plot.label(ui.t({ en: `Histogram of ${pairs.length} pairs by similarity. `, zh: `${pairs.length} 对文本的相似度直方图。` }) + told.textContent);
    plot.draw();
  }

  // ---- changes
  function draw() {
    const near_ = state.step === last;
    plain.hidden = near_;
    near.hidden = !near_;
    if (near_) drawNear();
    else drawExamples();
    return drawSteps();
  }
  function change(name, value) {
    state[name] = value;
    if (name === "step") state.from = 0;
    const said = draw();
    if (name === "step" && state.step === last) plot.resize();
    ui.announce(said);
    ui.set(name, value);
  }
  for (const name of ["step", "threshold"]) {
    ui.onModel(`change:${name}`, () => {
      if (state[name] === model.get(name)) return;
      state[name] = model.get(name);
      state.from = 0;
      if (name === "threshold") slider.set(state.threshold);
      draw();
      if (state.step === last) plot.resize();
    });
  }
  draw();
  if (state.step === last) plot.resize();
  return ui.close;
}

export default { render };
