// The token sampler's view: the text so far, the best candidates as bars, what the three limits cut off, and a click to continue.

import { open, f32, number } from "./common.js";

// ---------------------------------------------------------------- mathematics

/**
 * Probabilities at a temperature, before and after top-k and top-p. `logits` are the highest, descending; `tail` holds pairs
 * (how many, mean logit), descending, for the rest. k = 0 switches top-k off. Returns {before, after, kept, mass, entropy}: both lists for
 * `logits`; how many tokens stay, their share before the cut, the entropy of the choice among them in bits.
 */
export function distribution(logits, tail, temperature, k, p) {
  const groups = Array.from(logits, (z) => [1, Math.exp((z - logits[0]) / temperature)]);
  for (let i = 0; i < tail.length; i += 2) groups.push([tail[i], Math.exp((tail[i + 1] - logits[0]) / temperature)]);
  const total = groups.reduce((sum, [count, e]) => sum + count * e, 0);
  let room = k || Infinity;
  const top = groups.map(([count, e]) => {
    const taken = Math.min(count, room);
    room -= taken;
    return [taken, e];
  });
  const reach = p * top.reduce((sum, [count, e]) => sum + count * e, 0);
  let sum = 0;
  let kept = 0;
  const left = top.map(([count, e]) => {
    // the smallest prefix that reaches p; inside a bin of the tail all tokens count as equal
    const taken = p >= 1 ? count : Math.max(kept ? 0 : 1, Math.min(count, Math.ceil((reach - sum) / e - 1e-9)));
    sum += taken * e;
    kept += taken;
    return [taken, e];
  });
  const entropy = left.reduce((bits, [count, e]) => (count && e ? bits - ((count * e) / sum) * Math.log2(e / sum) : bits), 0);
  const part = (list, all) => list.slice(0, logits.length).map(([count, e]) => (count * e) / all);
  return { before: part(groups, total), after: part(left, sum), kept, mass: sum / total, entropy };
}

// ---------------------------------------------------------------- view

const KS = [1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 0];

const visible = (token) => {
  const text = token.replace(/\n/g, "⏎").replace(/\t/g, "⇥");
  return /^[ ⏎⇥]*$/.test(text) ? text.replace(/ /g, "␣") || "∅" : text.replace(/^ /, "␣");
};

function render({ model, el }) {
  const ui = open(model, el, { en: "Token sampler", zh: "词元采样器" });
  if (!model.get("logits").byteLength) return ui.close;
  ui.style(`.lmw .text { margin: 2px 0 8px; padding: 6px 8px; border: 1px solid var(--lmw-line); border-radius: 4px; max-height: 11em; overflow-y: auto;
      white-space: pre-wrap; overflow-wrap: anywhere; font-family: var(--jp-code-font-family, monospace); }
    .lmw .text span.new:nth-child(odd) { background: var(--lmw-faint); } .lmw .text span.given { color: var(--lmw-muted); }
    .lmw .text span.new:last-child { outline: 1px solid var(--lmw-orange); }
    .lmw .candidates { display: flex; flex-direction: column; margin: 4px 0 0; }
    .lmw .candidates button { display: grid; grid-template-columns: 9em 1fr 6.5em 6.5em; gap: 8px; align-items: center; min-height: 19px; padding: 0 4px; border: 0; text-align: left; }
    .lmw .candidates button:hover:not(:disabled) { background: var(--lmw-faint); } .lmw .candidates code { overflow: hidden; text-overflow: ellipsis; white-space: pre; font: inherit; font-family: var(--jp-code-font-family, monospace); background: none; color: inherit; padding: 0; }
    .lmw .candidates button.cut { color: var(--lmw-muted); } .lmw .candidates button.cut code { text-decoration: line-through; }
    .lmw .candidates .bar { position: relative; height: 13px; } .lmw .candidates .bar i { position: absolute; left: 0; top: 0; bottom: 0; background: var(--lmw-line); opacity: .6; border-radius: 2px; }
    .lmw .candidates .bar i + i { top: 3px; bottom: 3px; background: var(--lmw-blue); opacity: 1; } .lmw .candidates .value { text-align: right; }
    .lmw .heading { display: grid; grid-template-columns: 9em 1fr 6.5em 6.5em; gap: 8px; padding: 0 4px; } .lmw .heading span:nth-child(n+3) { text-align: right; }
    .lmw .facts { min-height: 1.5em; margin: 2px 0 4px; }`);
  const state = { temperature: model.get("temperature"), top_k: model.get("top_k"), top_p: model.get("top_p") };
  const text = ui.element(ui.root, "div", { className: "text", tabindex: 0, role: "region", label: { en: "the text so far", zh: "目前的文本" } });
  const top = ui.element(ui.root, "div", { className: "row" });
  const controls = {};
  controls.temperature = ui.range(top, {
    label: { en: "temperature T", zh: "温度 T" }, min: Math.log2(0.1), max: 2, step: 0.02, value: Math.log2(state.temperature),
    format: (v) => number(2 ** v, 2), onInput: (v) => change("temperature", +(2 ** v).toFixed(3)),
  });
  const nearest = (k) => (k ? KS.reduce((best, v, i) => (v && Math.abs(Math.log(v / k)) < Math.abs(Math.log(KS[best] / k)) ? i : best), 0) : KS.length - 1);
  controls.top_k = ui.range(top, {
    label: "top-k", min: 0, max: KS.length - 1, step: 1, value: nearest(state.top_k),
    format: (i) => (KS[i] ? String(KS[i]) : ui.t({ en: "off", zh: "关" })), onInput: (i) => change("top_k", KS[i]),
  });
  controls.top_p = ui.range(top, {
    label: "top-p", min: 0.01, max: 1, step: 0.01, value: state.top_p,
    format: (v) => (v < 1 ? number(v, 2) : ui.t({ en: "off", zh: "关" })), onInput: (v) => change("top_p", v),
  });
  const row = ui.element(ui.root, "div", { className: "row" });
  const draw = ui.button(row, { text: { en: "draw a token", zh: "抽一个词元" }, onClick: () => kernel.ask("draw") });
  const undo = ui.button(row, { text: { en: "undo", zh: "撤销" }, onClick: () => kernel.ask("undo") });
  const note = ui.element(row, "span", { className: "muted", role: "status" });
  const facts = ui.element(ui.root, "div", { className: "facts" });
  const heading = ui.element(ui.root, "div", { className: "heading muted", "aria-hidden": "true" });
  for (const words of [{ en: "next token", zh: "下一个词元" }, "", { en: "before", zh: "截断前" }, { en: "after", zh: "截断后" }]) ui.element(heading, "span", { text: words });
  const list = ui.element(ui.root, "div", { className: "candidates", role: "group", label: { en: "candidates; click one to continue", zh: "候选词元；点击即可续写" } });
  let rows = [];
  let logits, tail;
  const kernel = ui.request({ button: draw, note, patience: 5000, silence: { en: "No answer from the kernel yet. The sliders work without it; to continue the text, run the cell again.", zh: "内核还没有回答。没有内核，滑块照样可用；要续写文本，请重新运行该单元格。" } });

  function read() {
    logits = f32(model.get("logits"));
    tail = f32(model.get("tail"));
    const labels = model.get("labels");
    while (rows.length < labels.length) {
      const place = rows.length;
      const button = ui.button(list, { text: "", label: "…", onClick: () => kernel.ask("take", { place }) });
      const name = ui.element(button, "code");
      const bar = ui.element(button, "span", { className: "bar" });
      const [whole, rest] = [ui.element(bar, "i"), ui.element(bar, "i")];
      rows.push({ button, name, whole, rest, before: ui.element(button, "span", { className: "value" }), after: ui.element(button, "span", { className: "value" }) });
    }
    labels.forEach((label, i) => (rows[i].name.textContent = visible(label)));
    text.replaceChildren();
    const given = model.get("given");
    model.get("pieces").forEach((piece, i) => ui.element(text, "span", { className: i < given ? "given" : "new", text: piece }));
    text.scrollTop = text.scrollHeight;
    undo.disabled = model.get("pieces").length <= given;
  }

  function show() {
    const found = distribution(logits, tail, state.temperature, state.top_k, state.top_p);
    const peak = Math.max(found.before[0], found.after[0]);
    const percent = (v) => (v ? `${number(100 * v, v < 0.1 ? 2 : 1)} %` : "–");
    rows.forEach(({ button, whole, rest, before, after, name }, i) => {
      const [b, a] = [found.before[i], found.after[i]];
      whole.style.width = `${(100 * b) / peak}%`;
      rest.style.width = `${(100 * a) / peak}%`;
      before.textContent = percent(b);
      after.textContent = a ? percent(a) : ui.t({ en: "cut off", zh: "截去" });
      button.className = a ? "" : "cut";
      button.setAttribute("aria-label", ui.t({
        en: `“${name.textContent}”, ${percent(b)} before, ${a ? percent(a) : "nothing"} after the cut`,
        zh: `“${name.textContent}”，截断前 ${percent(b)}，截断后 ${a ? percent(a) : "无"}`,
      }));
    });
    const all = model.get("vocabulary");
    const kept = Math.min(Math.round(found.kept), all);
    facts.textContent = ui.t({
      en: `${kept} of ${all} tokens can be drawn; cut off: ${number(100 * Math.max(0, 1 - found.mass), 1)} % of the probability. Entropy ${number(found.entropy, 2)} bits, as much choice as among ${number(2 ** found.entropy, 1)} equal tokens.`,
      zh: `${all} 个词元中可能抽到 ${kept} 个；截去的概率：${number(100 * Math.max(0, 1 - found.mass), 1)} %。熵 ${number(found.entropy, 2)} 比特，相当于在 ${number(2 ** found.entropy, 1)} 个等可能的词元中选择。`,
    });
    return facts.textContent;
  }

  function change(name, value) {
    state[name] = value;
    ui.announce(show());
    ui.set(name, value);
  }

  ui.onModel("change:step", () => {
    kernel.answered();
    read();
    const words = show();
    const pieces = model.get("pieces");
    ui.announce(`${ui.t({ en: "text ends with", zh: "文本末尾" })} “${visible(pieces[pieces.length - 1])}”. ${words}`);
  });
  for (const name of Object.keys(state)) {
    ui.onModel(`change:${name}`, () => {
      if (state[name] === model.get(name)) return;
      state[name] = model.get(name);
      controls[name].set({ temperature: Math.log2, top_k: nearest, top_p: (v) => v }[name](state[name]));
      show();
    });
  }
  read();
  show();
  return ui.close;
}

export default { render };
