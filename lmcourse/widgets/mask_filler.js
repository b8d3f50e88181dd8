// The mask filler's view: the text as a row of places shaded by surprise, the candidates of the chosen place as bars that can be put in.

import { open, number, sequential } from "./common.js";

/** Bits of surprise, -log2 p, at most 16; NaN for a token that the model does not know (p < 0). */
export function surprise(p) {
  return p < 0 ? NaN : -Math.log2(Math.max(p, 2 ** -16));
}

/** The text with another token at one place. */
export function replaced(pieces, place, token) {
  return [...pieces.slice(0, place), token, ...pieces.slice(place + 1)].join("");
}

function render({ model, el }) {
  const ui = open(model, el, { en: "Mask filler", zh: "填空器" });
  ui.style(`.lmw .entry { display: flex; gap: 8px; margin: 2px 0 8px; } .lmw .entry input { flex: 1; min-width: 0; }
    .lmw .places { display: flex; flex-wrap: wrap; gap: 2px; margin: 4px 0 8px; }
    .lmw .places button { min-width: 30px; min-height: 32px; padding: 0 3px; font-size: 17px; border: 2px solid transparent; border-radius: 3px; }
    .lmw .places button[aria-pressed=true] { border-color: var(--lmw-blue); background: var(--lmw-page); }
    .lmw .fills { display: flex; flex-direction: column; max-width: 520px; }
    .lmw .fills button { display: grid; grid-template-columns: 2.5em 1fr 5em; gap: 8px; align-items: center; min-height: 24px; padding: 0 4px; border: 0; text-align: left; }
    .lmw .fills button:hover:not(:disabled) { background: var(--lmw-faint); } .lmw .fills .name { font-size: 16px; } .lmw .fills .own { font-weight: bold; color: var(--lmw-orange); }
    .lmw .fills i { display: block; height: 12px; background: var(--lmw-blue); border-radius: 2px; } .lmw .fills .value { text-align: right; }
    .lmw .facts { min-height: 3em; margin: 2px 0 4px; }`);
  const form = ui.element(ui.root, "form", { className: "entry" });
  const input = ui.element(form, "input", { type: "text", label: { en: "your text", zh: "你的文本" } });
  const go = ui.element(form, "button", { type: "submit", text: { en: "read", zh: "读一读" } });
  const list = ui.element(ui.root, "div", { className: "places", role: "group", label: { en: "places; choose one to hide it", zh: "各个位置；选一个遮住" } });
  const row = ui.element(ui.root, "div", { className: "row" });
  const slider = ui.range(row, {
    label: { en: "hidden place", zh: "遮住的位置" }, min: 0, max: 1, step: 1, value: 0, format: (v) => String(v + 1), onInput: (v) => choose(v),
  });
  const note = ui.element(row, "span", { className: "muted", role: "status" });
  const facts = ui.element(ui.root, "div", { className: "facts" });
  const fills = ui.element(ui.root, "div", { className: "fills", role: "group", label: { en: "candidates; click one to put it in", zh: "候选；点击即可填入" } });
  const percent = (p) => `${number(100 * p, p < 0.1 ? 2 : 1)} %`;
  let place = model.get("place");
  let places = [];
  const kernel = ui.request({ button: go, note, patience: 8000, silence: { en: "No answer from the kernel yet. Places can be chosen without it; for another text, run the cell again.", zh: "内核还没有回答。没有内核也能选位置；要换文本，请重新运行该单元格。" } });
  const ask = (text) => kernel.ask("read", { text });

  function read() {
    const pieces = model.get("pieces");
    place = Math.min(place, Math.max(pieces.length - 1, 0));
    slider.input.max = Math.max(pieces.length - 1, 0);
    slider.element.hidden = !pieces.length;
    list.replaceChildren();
    places = pieces.map((piece, i) => {
      const p = model.get("own")[i];
      const words = p < 0 ? ui.t({ en: "unknown to the model", zh: "模型不认识" }) : percent(p);
      const button = ui.button(list, { text: piece === " " ? "␣" : piece, label: `${piece} ${words}`, onClick: () => choose(i) });
      button.title = words;
      return button;
    });
    if (!model.get("problem")) input.value = pieces.join("");
    show();
  }

  function paint() {
    const own = model.get("own");
    places.forEach((button, i) => {
      const chosen = i === place;
      button.setAttribute("aria-pressed", chosen);
      const [r, g, b] = sequential(Math.min(1, surprise(own[i]) / 10), ui.colours);
      button.style.background = chosen ? "" : `rgba(${r},${g},${b},.55)`;
    });
  }

  function show() {
    paint();
    fills.replaceChildren();
    facts.textContent = "";
    if (!places.length) return "";
    slider.set(place);
    const piece = model.get("pieces")[place];
    const p = model.get("own")[place];
    const rank = model.get("ranks")[place];
    const chances = model.get("chances")[place];
    model.get("candidates")[place].forEach((candidate, i) => {
      const own = candidate === piece;
      const button = ui.button(fills, { text: "", label: `${candidate} ${percent(chances[i])}`, onClick: () => ask(replaced(model.get("pieces"), place, candidate)) });
      ui.element(button, "span", { className: own ? "name own" : "name", text: candidate });
      ui.element(ui.element(button, "span"), "i").style.width = `${(100 * chances[i]) / chances[0]}%`;
      ui.element(button, "span", { className: "value", text: percent(chances[i]) });
    });
    facts.textContent = p < 0
      ? ui.t({ en: `“${piece}” is not among the characters that the model knows.`, zh: `“${piece}”不在模型认识的字里。` })
      : ui.t({
          en: `There stands “${piece}”: ${percent(p)}, place ${rank + 1} in the model's list, ${number(surprise(p), 1)} bits of surprise. The bluer a character, the less the model expected it.`,
          zh: `原处是“${piece}”：${percent(p)}，在模型的名单里排第 ${rank + 1}，意外程度 ${number(surprise(p), 1)} 比特。字的底色越蓝，模型越没想到。`,
        });
    return `${facts.textContent} ${ui.t({ en: "Best:", zh: "最佳：" })} ${model.get("candidates")[place].join(" ")}`;
  }

  function choose(i) {
    place = i;
    ui.announce(show());
    ui.set("place", i);
  }

  ui.on(form, "submit", (event) => {
    event.preventDefault();
    ask(input.value);
  });
  ui.onModel("change:step", () => {
    const focused = places.includes(document.activeElement) || fills.contains(document.activeElement);
    kernel.answered();
    read();
    if (focused) places[place]?.focus();
    ui.announce(show());
  });
  ui.onModel("change:place", () => {
    if (place === model.get("place")) return;
    place = model.get("place");
    show();
  });
  ui.onTheme(paint);
  read();
  return ui.close;
}

export default { render };
