// The tokenizer explorer's view: a text cut in four ways, the merges one by one, and how many tokens are left after each.

import { open, f32, number } from "./common.js";
import { drawing } from "./drawing.js";

// ---------------------------------------------------------------- mathematics

/** The first `limit` characters of a text that has no half surrogate pairs left. */
export function tidy(text, limit) {
  return [...text].slice(0, limit).join("").replace(/\p{Surrogate}/gu, "\ufffd");
}

/** From rows (left, right, joined): the bytes of each token, and pair → [number of the merge, joined]. */
export function grammar(rows) {
  const tokens = Array.from({ length: 256 }, (_, value) => [value]);
  const rules = new Map();
  for (let i = 0; i < rows.length; i += 3) {
    const [left, right, joined] = rows.slice(i, i + 3);
    tokens[joined] ??= [...tokens[left], ...tokens[right]];
    if (!rules.has(pair(left, right))) rules.set(pair(left, right), [i / 3, joined]);
  }
  return { tokens, rules };
}
const pair = (left, right) => left * 2 ** 24 + right;

/** Replace each occurrence of left, right by `joined`, from the left; occurrences do not overlap. */
function merge(ids, left, right, joined) {
  const merged = [];
  for (let i = 0; i < ids.length; i++) {
    const found = ids[i] === left && ids[i + 1] === right;
    merged.push(found ? joined : ids[i]);
    i += found;
  }
  return merged;
}

/**
 * Byte-pair encoding, step by step: each step carries out one merge in every place, the earliest learned one first. Steps are
 * {rule, left, right, joined, ids}; the first has rule -1 and the bytes, the last one the encoded text.
 */
export function steps(text, pattern, { rules }) {
  let words = (text.match(new RegExp(pattern, "gu")) ?? []).map((word) => [...new TextEncoder().encode(word)]);
  const done = [{ rule: -1, ids: words.flat() }];
  for (;;) {
    let best = null;
    for (const ids of words) {
      for (let i = 0; i + 1 < ids.length; i++) {
        const found = rules.get(pair(ids[i], ids[i + 1]));
        if (found && (!best || found[0] < best.rule)) best = { rule: found[0], left: ids[i], right: ids[i + 1], joined: found[1] };
      }
    }
    if (!best) return done;
    words = words.map((ids) => merge(ids, best.left, best.right, best.joined));
    done.push({ ...best, ids: words.flat() });
  }
}

/** The words of Keras's Tokenizer: lower case, marks become spaces, spaces separate. */
export function cutAtSpaces(text) {
  return text.toLowerCase().replace(/[!"#$%&()*+,\-./:;<=>?@[\\\]^_`{|}~\t\n]/g, " ").split(" ").filter(Boolean);
}

/** Bytes as runs of whole characters and single bytes that belong to none: [[text, true], [byte, false], …]. */
export function pieces(bytes) {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const found = [];
  for (let i = 0; i < bytes.length; ) {
    const size = bytes[i] < 0x80 ? 1 : bytes[i] < 0xe0 ? 2 : bytes[i] < 0xf0 ? 3 : 4;
    let character = null;
    try {
      character = decoder.decode(new Uint8Array(bytes.slice(i, i + size)));
    } catch {
      found.push([bytes[i], false]);
      i += 1;
      continue;
    }
    if (found.at(-1)?.[1]) found.at(-1)[0] += character;
    else found.push([character, true]);
    i += size;
  }
  return found;
}

const SIGNS = { " ": "␣", "\n": "⏎", "\t": "⇥", "\x7f": "␡" };
const JOINER = "\u200d";

/** A token's text for the eye: what would not be seen gets a sign or its number. */
export function legible(text) {
  const whole = [...text];
  return whole
    .map((c, i) => {
      const code = c.codePointAt(0);
      const inside = i > 0 && whole.length > 1;
      if (SIGNS[c]) return SIGNS[c];
      if (code < 32) return String.fromCodePoint(0x2400 + code);
      if ((inside && c === JOINER) || (inside && /\p{M}/u.test(c))) return c;
      if (/[\p{C}\p{Z}\ufe00-\ufe0f]/u.test(c)) return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
      return /\p{M}/u.test(c) ? `◌${c}` : c;
    })
    .join("");
}

// ---------------------------------------------------------------- view

const LIMIT = 300;
const TICK = 500;
const WAYS = [
  { key: "characters", en: "Characters", zh: "字符" },
  { key: "bytes", en: "Bytes", zh: "字节" },
  { key: "pairs", en: "Byte pairs, after these merges", zh: "字节对（做完这些合并）" },
  { key: "spaces", en: "Cut at spaces, as in the article", zh: "按空格切分（文章的做法）" },
];

function render({ model, el }) {
  const ui = open(model, el, { en: "Tokenizer explorer", zh: "分词探索器" });
  if (model.get("problem")) return ui.close;
  ui.style(`.lmw textarea { width: 100%; min-height: 3.2em; font: inherit; font-size: 1.1em; color: inherit; background: transparent; padding: 4px 8px; resize: vertical;
      border: 1px solid var(--lmw-line); border-radius: 4px; }
    .lmw .way { margin: 8px 0 0; } .lmw .way b { font-weight: 600; } .lmw .way b + span { margin-left: 10px; color: var(--lmw-muted); }
    .lmw .tokens { display: flex; flex-wrap: wrap; gap: 3px 2px; max-height: 8.5em; overflow-y: auto; margin: 2px 0 0; padding: 2px; }
    .lmw .tokens span { padding: 0 4px; border-radius: 3px; border: 1px solid transparent; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; min-height: 1.6em; }
    .lmw .tokens span:nth-child(4n+1) { background: rgba(0,114,178,.28); } .lmw .tokens span:nth-child(4n+2) { background: rgba(230,159,0,.34); }
    .lmw .tokens span:nth-child(4n+3) { background: rgba(0,158,115,.26); } .lmw .tokens span:nth-child(4n) { background: rgba(204,121,167,.34); }
    .lmw .tokens i { font: 0.82em var(--jp-code-font-family, monospace); border-bottom: 1px dotted currentColor; margin: 0 1px; }
    .lmw .tokens span.new { border-color: var(--lmw-text); } .lmw .facts { min-height: 1.5em; margin: 2px 0; }
    .lmw .control.long input[type=range] { width: 260px; }`);
  const { line, write, dot } = drawing(ui);
  const known = grammar(Array.from(f32(model.get("table"))));
  const pattern = model.get("pattern");
  const state = { typed: model.get("typed"), applied: 0, playing: false };
  let done = [];

  // ---- controls
  const box = ui.element(ui.root, "textarea", { label: { en: "Text", zh: "文本" }, rows: 2, spellcheck: "false" });
  box.value = state.typed;
  const note = ui.element(ui.root, "div", { className: "muted", role: "status" });
  const row = ui.element(ui.root, "div", { className: "row" });
  const play = ui.button(row, { text: "", label: "…", onClick: toggle });
  const slider = ui.range(row, {
    label: { en: "merges applied", zh: "已做的合并" }, min: 0, max: 1, step: 1, value: 0,
    format: (v) => `${v} / ${done.length - 1}`, onInput: (v) => change(v),
  });
  slider.element.classList.add("long");
  const facts = ui.element(ui.root, "div", { className: "facts" });

  // ---- the four ways
  const rows = Object.fromEntries(WAYS.map((way) => {
    const part = ui.element(ui.root, "div", { className: "way" });
    const head = ui.element(part, "div");
    ui.element(head, "b", { text: way });
    const count = ui.element(head, "span");
    return [way.key, { count, list: ui.element(part, "div", { className: "tokens", role: "group", tabindex: 0, label: way }) }];
  }));
  const plot = ui.canvas(ui.root, { height: 190, draw });
  plot.element.style.marginTop = "10px";

  function fill({ count, list }, tokens, fresh = () => false) {
    list.replaceChildren();
    for (const [place, token] of tokens.entries()) {
      const chip = ui.element(list, "span", { className: fresh(place) ? "new" : "" });
      for (const [piece, whole] of token) {
        if (whole) chip.append(legible(piece));
        else ui.element(chip, "i", { text: piece.toString(16).toUpperCase() });
      }
    }
    const characters = [...state.typed].length;
    const each = characters ? number(tokens.length / characters, 2) : "–";
    count.textContent = ui.t({ en: `${tokens.length} tokens, ${each} per character`, zh: `${tokens.length} 个词元，每字符 ${each} 个` });
  }
  const text = (word) => [[word, true]];
  const shown = (id) => pieces(known.tokens[id]);
  const spelled = (id) => `“${shown(id).map(([piece, whole]) => (whole ? legible(piece) : `⟨${piece.toString(16).toUpperCase()}⟩`)).join("")}”`;

  function cut() {
    fill(rows.characters, [...state.typed].map(text));
    fill(rows.bytes, done[0].ids.map(shown));
    fill(rows.spaces, cutAtSpaces(state.typed).map(text));
  }
  function show() {
    const now = done[state.applied];
    slider.input.max = Math.max(1, done.length - 1);
    slider.input.disabled = done.length < 2;
    slider.set(state.applied);
    fill(rows.pairs, now.ids.map(shown), (place) => now.ids[place] === now.joined);
    const places = now.ids.filter((id) => id === now.joined).length;
    facts.textContent = now.rule < 0
      ? ui.t({ en: "No merge yet: the tokens are the bytes.", zh: "还没有合并：词元就是字节。" })
      : ui.t({
        en: `Merge number ${now.rule + 1} of the table: ${spelled(now.left)} + ${spelled(now.right)} → ${spelled(now.joined)}, now in ${places} ${places === 1 ? "place" : "places"}. A vocabulary of ${257 + now.rule} has it.`,
        zh: `合并表第 ${now.rule + 1} 条：${spelled(now.left)} + ${spelled(now.right)} → ${spelled(now.joined)}，文本中现有 ${places} 处。词表达到 ${257 + now.rule} 就有它。`,
      });
    play.textContent = state.playing ? ui.t({ en: "❚❚ Pause", zh: "❚❚ 暂停" }) : ui.t({ en: "▶ Play", zh: "▶ 播放" });
    play.setAttribute("aria-label", ui.t(state.playing ? { en: "Pause", zh: "暂停" } : { en: "Play the merges", zh: "播放合并过程" }));
    play.disabled = done.length < 2;
    const said = ui.t({ en: `${now.ids.length} tokens after ${state.applied} of ${done.length - 1} merges. `, zh: `做完 ${done.length - 1} 次合并中的 ${state.applied} 次，剩 ${now.ids.length} 个词元。` });
    plot.label(ui.t({ en: "Tokens of this text by the size of the vocabulary. ", zh: "这段文本的词元数随词表大小的变化。" }) + said);
    plot.draw();
    return said + facts.textContent;
  }

  // ---- tokens over the size of the vocabulary
  const largest = () => Math.max(258, known.tokens.length);
  const frame = (w, h) => ({ left: 44, right: w - 16, top: 10, bottom: h - 34 });
  const across = (w, h, size) => {
    const { left, right } = frame(w, h);
    return left + (Math.log2(size / 256) / Math.log2(largest() / 256)) * (right - left);
  };
  function draw(g, w, h) {
    const c = ui.colours;
    const area = frame(w, h);
    const high = Math.max(1, done[0].ids.length) * 1.05;
    const px = (size) => across(w, h, size);
    const py = (n) => area.bottom - (n / high) * (area.bottom - area.top);
    const characters = [...state.typed].length;
    const size = (step) => 257 + step.rule;
    const below = done.at(-1).ids.length >= characters;
    const path = done.flatMap((step, i) => [[px(size(step)), py(step.ids.length)], [px(i + 1 < done.length ? size(done[i + 1]) : largest()), py(step.ids.length)]]);
    line(g, c.line, 1, [], [[area.left, area.top], [area.left, area.bottom], [area.right, area.bottom]]);
    line(g, c.orange, 1.5, [6, 4], [[area.left, py(characters)], [area.right, py(characters)]]);
    line(g, c.blue, 2, [], path);
    const now = done[state.applied];
    line(g, c.muted, 1, [2, 3], [[px(size(now)), area.top], [px(size(now)), area.bottom]]);
    dot(g, px(size(now)), py(now.ids.length), 6, c.text);
    for (let v = 256; v <= largest(); v *= 2) write(g, String(v), px(v), area.bottom + 5, "center", "top");
    for (const n of new Set([0, done[0].ids.length, characters])) write(g, String(n), area.left - 6, py(n), "right", "middle");
    write(g, ui.t({ en: "size of the vocabulary", zh: "词表大小" }), area.right, h - 2, "right", "bottom");
    write(g, ui.t({ en: "as many as characters", zh: "与字符一样多" }), area.right, py(characters) + (below ? 3 : -3), "right", below ? "top" : "bottom", c.orange);
    write(g, ui.t({ en: "tokens", zh: "词元数" }), area.left + 6, area.top - 6, "left", "top");
  }
  const seek = (x) => {
    let nearest = 0;
    done.forEach((step, i) => {
      if (Math.abs(across(plot.width, plot.height, 257 + step.rule) - x) <= Math.abs(across(plot.width, plot.height, 257 + done[nearest].rule) - x)) nearest = i;
    });
    if (nearest !== state.applied) change(nearest);
  };
  ui.drag(plot.element, { start: seek, move: seek });
  plot.element.style.cursor = "ew-resize";

  // ---- changes
  function change(applied, still = false) {
    state.applied = applied;
    state.playing &&= still;
    ui.announce(show());
    ui.set("applied", applied);
  }
  function toggle() {
    if (ui.calm) return change(done.length - 1);
    state.playing = !state.playing;
    if (state.playing && state.applied === done.length - 1) change(0, true);
    else show();
  }
  ui.every(TICK, () => {
    if (!state.playing) return;
    const last = state.applied + 1 >= done.length - 1;
    change(Math.min(state.applied + 1, done.length - 1), !last);
  });
  function encode() {
    done = steps(state.typed, pattern, known);
    cut();
  }
  ui.on(box, "input", () => {
    const all = state.applied === done.length - 1;
    state.typed = tidy(box.value, LIMIT);
    note.textContent = [...box.value].length > LIMIT ? ui.t({ en: `Only the first ${LIMIT} characters count.`, zh: `只看前 ${LIMIT} 个字符。` }) : "";
    state.playing = false;
    encode();
    model.set("typed", state.typed);
    change(all ? done.length - 1 : Math.min(state.applied, done.length - 1));
  });
  ui.onModel("change:typed", () => {
    if (state.typed === model.get("typed")) return;
    box.value = state.typed = model.get("typed");
    encode();
    state.applied = Math.min(model.get("applied"), done.length - 1);
    show();
  });
  ui.onModel("change:applied", () => {
    if (state.applied === Math.min(model.get("applied"), done.length - 1)) return;
    state.applied = Math.min(model.get("applied"), done.length - 1);
    show();
  });
  encode();
  state.applied = Math.min(model.get("applied"), done.length - 1);
  show();
  return ui.close;
}

export default { render };
