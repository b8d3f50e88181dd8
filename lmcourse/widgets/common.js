// What every widget's view shares: theme, language, keys, controls, canvases, cleaning up.
//
//   import { open, f32, number } from "./common.js";
//   function render({ model, el }) {
//     const ui = open(model, el, { en: "Activation explorer", zh: "激活函数探索器" });
//     const plot = ui.canvas(ui.root, { height: 240, draw: (g, w, h) => { … } });   // CSS pixels, already cleared
//     const x = ui.range(ui.root, { label: { en: "point x", zh: "点 x" }, min: -6, max: 6, step: 0.01, value: model.get("x"),
//       onInput: (v) => { plot.draw(); ui.set("x", v); } });                         // draw first, then tell the kernel
//     ui.onModel("change:x", () => { x.set(model.get("x")); plot.draw(); });
//     return ui.close;
//   }
//   export default { render };
//
// Rules: comments stand on lines of their own and imports are written exactly as above (base.py drops both); text from
// the learner goes into textContent or fillText only; whatever is not registered through `ui` is undone with ui.onCleanup.
// Left out on purpose: a framework, animation, tooltips.

// ---------------------------------------------------------------- numbers and colours

/** The float32 values of a DataView (a Bytes trait, a message's buffer); it may be a window into a larger buffer. */
export function f32(view) {
  return new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

/** A number for reading: a true minus sign, NaN and infinity by name, powers of ten when it is very large or small. */
export function number(value, digits = 3) {
  if (Number.isNaN(value)) return "NaN";
  const sign = value < 0 ? "−" : "";
  const size = Math.abs(value);
  if (size === Infinity) return sign + "∞";
  if (size !== 0 && (size < 10 ** -digits || size >= 1e5)) {
    const [mantissa, exponent] = size.toExponential(1).split("e");
    return `${sign}${mantissa}·10${superscript(+exponent)}`;
  }
  const text = size.toFixed(digits);
  return (+text === 0 ? "" : sign) + text;
}

/** An integer in superscript digits, for powers. */
export function superscript(integer) {
  return [...String(integer)].map((c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[+c])).join("");
}

/** Round steps for an axis: [0, 0.5, 1, …] between low and high, about `count` of them. */
export function ticks(low, high, count = 5) {
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5].find((m) => m * power >= raw * 0.999) ?? 10);
  const result = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) result.push(+(i * step).toPrecision(12));
  return result;
}

export const BLUE = [0, 114, 178];
export const ORANGE = [230, 159, 0];
export const PURPLE = [204, 121, 167];

const LIGHT = { text: "#212121", muted: "#616161", line: "#bdbdbd", faint: "#ececec", page: "#ffffff", dark: false,
  blue: "#0072b2", orange: "#b86e00", green: "#00805d", red: "#c04a00", purple: "#a8457d", map: [[8, 69, 128], [77, 150, 204], [244, 244, 242], [242, 166, 60], [166, 76, 0]] };
const DARK = { text: "#e6e6e6", muted: "#a8a8a8", line: "#5c5c5c", faint: "#2c2c2c", page: "#111111", dark: true,
  blue: "#56b4e9", orange: "#f0ad2e", green: "#2ebf95", red: "#ff8547", purple: "#e08fbf", map: [[120, 200, 255], [30, 115, 175], [38, 38, 40], [178, 98, 10], [255, 190, 84]] };

/** A colour [r, g, b] for a value from -1 (blue) over 0 (the page's neutral) to 1 (orange); NaN is purple, infinities are clipped. */
export function diverging(value, colours) {
  if (Number.isNaN(value)) return PURPLE;
  const at = (Math.max(-1, Math.min(1, value)) + 1) * 2;
  const left = Math.min(3, Math.floor(at));
  return colours.map[left].map((c, i) => Math.round(c + (colours.map[left + 1][i] - c) * (at - left)));
}

/** As `diverging`, for values from 0 to 1: the page's neutral to blue. */
export function sequential(value, colours) {
  return Number.isNaN(value) ? PURPLE : diverging(-value, colours);
}

/** The same colours from a table of 512 between low and high: for pictures of many cells. */
export function quick(colour, low, high) {
  const table = Array.from({ length: 512 }, (_, i) => colour(low + ((high - low) * i) / 511));
  const unknown = colour(NaN);
  return (value) => (Number.isNaN(value) ? unknown : table[Math.max(0, Math.min(511, Math.round(((value - low) / (high - low)) * 511)))]);
}

/** Paint a matrix (row by row, `columns` wide) as cells into a rectangle; `colour(value)` gives [r, g, b]. */
export function heat(g, values, columns, colour, x, y, width, height) {
  const image = new ImageData(columns, values.length / columns);
  for (let i = 0; i < values.length; i++) {
    const rgb = colour(values[i]);
    image.data[4 * i] = rgb[0];
    image.data[4 * i + 1] = rgb[1];
    image.data[4 * i + 2] = rgb[2];
    image.data[4 * i + 3] = 255;
  }
  const tile = new OffscreenCanvas(image.width, image.height);
  tile.getContext("2d").putImageData(image, 0, 0);
  g.imageSmoothingEnabled = false;
  g.drawImage(tile, x, y, width, height);
}

// ---------------------------------------------------------------- one view

const STYLE = `
.lmw { color: var(--jp-content-font-color1, inherit); font: 13px/1.45 var(--jp-ui-font-family, system-ui, sans-serif);
  font-variant-numeric: tabular-nums; padding: 6px 8px 8px; max-width: 860px; box-sizing: border-box; }
.lmw * { box-sizing: border-box; }
.lmw canvas { display: block; width: 100%; touch-action: none; outline-offset: 2px; }
.lmw .row { display: flex; flex-wrap: wrap; gap: 6px 20px; align-items: center; margin: 4px 0 8px; }
.lmw .control { display: inline-flex; align-items: center; gap: 8px; min-height: 26px; }
.lmw .control input[type=range] { width: 150px; height: 24px; margin: 0; accent-color: var(--lmw-blue); }
.lmw .control output { min-width: 3.6em; }
.lmw select, .lmw button, .lmw input[type=number], .lmw input[type=text] { font: inherit; color: inherit; min-height: 26px; padding: 1px 8px;
  background: transparent; border: 1px solid var(--lmw-line); border-radius: 4px; }
.lmw select option { color: var(--lmw-text); background: var(--lmw-page); }
.lmw button { cursor: pointer; } .lmw button[aria-pressed=true] { background: var(--lmw-faint); border-color: var(--lmw-muted); }
.lmw button:disabled { opacity: .45; cursor: default; }
.lmw :focus-visible { outline: 2px solid var(--lmw-blue); outline-offset: 2px; }
.lmw .muted { color: var(--lmw-muted); }
.lmw .problem { border-left: 3px solid var(--lmw-orange); padding: 4px 10px; margin: 4px 0 8px; white-space: pre-wrap; overflow-wrap: anywhere; }
.lmw .problem:empty { display: none; }
.lmw .heard { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
`;
const USED = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown", " ", "Enter"]);

/**
 * Start a view of `model` inside `el`. Returns `ui`:
 *   root                     the view's element, a group labelled with `title` ({en, zh})
 *   t({en, zh})              the text in the widget's language
 *   colours                  text, muted, line, faint, page, blue, orange, green, red, purple (CSS), dark (boolean), map; follows the theme
 *   calm                     true when the learner asked the system for less motion
 *   element(parent, tag, {className, text, label, …attributes})   a child; `text` is never HTML
 *   style(css)               rules for this widget; start each with .lmw
 *   range(parent, {label, min, max, step, value, format, onInput})   → {input, set(value), element}
 *   select(parent, {label, options: [{value, en, zh}], value, onChange})   → {input, set(value), element}
 *   button(parent, {text, label, onClick})   → the button; texts are {en, zh} or strings
 *   canvas(parent, {height, label, draw(g, width, height), keyboard})   → {element, draw(), request(), label(text), width, height}
 *     `height` is CSS pixels or a function of the width; redrawn after resize and theme change; draw() is at once, request() at the next frame
 *   drag(element, {start(x, y, event), move(x, y, event), end()})    primary button; start may return false to let it pass
 *   hover(element, {move(x, y), leave()})
 *   set(name, value)         model.set + save_changes
 *   send(kind, content, buffers)   a message to Python's `receive`
 *   request({button, note, silence, patience})   → {ask(kind, content), answered()}: one question at a time to `receive`; the button rests
 *     meanwhile, and `note` shows the text `silence` when no answer came in `patience` milliseconds
 *   on(target, type, handler, options), onModel(event, handler), onMessage(kind, handler), onTheme(handler), onCleanup(handler)
 *   announce(text)           spoken by screen readers, at most twice a second
 *   every(milliseconds, handler)   a timer that ends with the view
 *   close()                  undo everything; return it from render
 */
export function open(model, el, title) {
  const language = model.get("language");
  const t = (text) => (typeof text === "string" ? text : text[language] ?? text.en);
  const undo = [];
  const themed = [];
  const ui = { t, colours: LIGHT, onCleanup: (f) => undo.push(f), onTheme: (f) => themed.push(f) };

  ui.on = (target, type, handler, options) => {
    target.addEventListener(type, handler, options);
    undo.push(() => target.removeEventListener(type, handler, options));
  };
  ui.onModel = (event, handler) => {
    model.on(event, handler);
    undo.push(() => model.off(event, handler));
  };
  ui.onMessage = (kind, handler) =>
    ui.onModel("msg:custom", (content, buffers) => content.kind === kind && handler(content, buffers ?? []));
  // A restarted kernel has no end for this model; the view stays usable, and what waits for an answer says that none comes.
  const reach = (call) => {
    try {
      call();
    } catch (error) {
      if (!/Cannot send|disposed|dead/i.test(String(error))) throw error;
    }
  };
  ui.set = (name, value) => {
    model.set(name, value);
    reach(() => model.save_changes());
  };
  ui.send = (kind, content = {}, buffers) => reach(() => model.send({ kind, ...content }, undefined, buffers));
  ui.request = ({ button, note, silence, patience }) => {
    let waiting = 0;
    const end = (words) => {
      clearTimeout(waiting);
      waiting = 0;
      button.disabled = false;
      note.textContent = words;
    };
    undo.push(() => clearTimeout(waiting));
    return {
      ask(kind, content) {
        if (waiting) return;
        end("");
        button.disabled = true;
        waiting = setTimeout(() => end(ui.t(silence)), patience);
        ui.send(kind, content);
      },
      answered: () => end(""),
    };
  };
  ui.every = (milliseconds, handler) => {
    const timer = setInterval(handler, milliseconds);
    undo.push(() => clearInterval(timer));
  };
  ui.element = (parent, tag, { className, text, label, ...attributes } = {}) => {
    const child = document.createElement(tag);
    if (className) child.className = className;
    if (text !== undefined) child.textContent = t(text);
    if (label) child.setAttribute("aria-label", t(label));
    for (const [name, value] of Object.entries(attributes)) child.setAttribute(name, value);
    parent.append(child);
    return child;
  };
  ui.root = ui.element(el, "div", { className: "lmw", label: title, role: "group", lang: language === "zh" ? "zh-CN" : "en" });
  undo.push(() => ui.root.remove());
  ui.style = (css) => (ui.element(ui.root, "style").textContent = css);
  ui.style(STYLE);

  // JupyterLab listens for its one-letter shortcuts while a key event bubbles; the keys a control uses stop here.
  ui.on(ui.root, "keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || (event.key === "Enter" && event.shiftKey)) return;
    const typing = event.target.matches("select, textarea, input:not([type=range]):not([type=checkbox])");
    if (USED.has(event.key) || (typing && event.key.length === 1) || (typing && /^(Backspace|Delete)$/.test(event.key))) event.stopPropagation();
  });

  // ---- theme: the colour that text inherits tells light from dark in every host
  const look = () => {
    const own = getComputedStyle(ui.root);
    const [red, green, blue] = (own.color.match(/[\d.]+/g) ?? [0, 0, 0]).map(Number);
    const base = 0.3 * red + 0.6 * green + 0.1 * blue > 128 ? DARK : LIGHT;
    const page = own.getPropertyValue("--jp-layout-color0").trim();
    ui.colours = { ...base, text: own.color, page: page || base.page };
    for (const name of ["text", "muted", "line", "faint", "page", "blue", "orange"]) ui.root.style.setProperty(`--lmw-${name}`, ui.colours[name]);
    for (const handler of themed) handler(ui.colours);
  };
  const soon = () => requestAnimationFrame(look);
  const watcher = new MutationObserver(soon);
  for (const node of [document.documentElement, document.body]) watcher.observe(node, { attributes: true, attributeFilter: ["class", "style", "data-jp-theme-name", "data-jp-theme-light"] });
  undo.push(() => watcher.disconnect());
  ui.on(matchMedia("(prefers-color-scheme: dark)"), "change", soon);
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  Object.defineProperty(ui, "calm", { get: () => still.matches });

  // ---- controls
  const labelled = (parent, label) => {
    const box = ui.element(parent, "label", { className: "control" });
    ui.element(box, "span", { text: label });
    return box;
  };
  ui.range = (parent, { label, min, max, step, value, format = (v) => number(v, 2), onInput }) => {
    const box = labelled(parent, label);
    const input = ui.element(box, "input", { type: "range", label, min, max, step });
    const shown = ui.element(box, "output");
    const show = () => {
      shown.textContent = format(+input.value);
      input.setAttribute("aria-valuetext", shown.textContent);
    };
    const set = (v) => {
      input.value = v;
      show();
    };
    set(value);
    ui.on(input, "input", () => {
      show();
      onInput(+input.value);
    });
    return { element: box, input, set };
  };
  ui.select = (parent, { label, options, value, onChange }) => {
    const box = labelled(parent, label);
    const input = ui.element(box, "select", { label });
    for (const option of options) ui.element(input, "option", { text: option, value: option.value });
    const set = (v) => (input.value = v);
    set(value);
    ui.on(input, "change", () => onChange(input.value));
    return { element: box, input, set };
  };
  ui.button = (parent, { text, label = text, onClick }) => {
    const button = ui.element(parent, "button", { text, label, type: "button" });
    ui.on(button, "click", onClick);
    return button;
  };

  // ---- canvases
  ui.canvas = (parent, { height, label, draw, keyboard = false }) => {
    const element = ui.element(parent, "canvas", { label: label ?? title, ...(keyboard ? { role: "application", tabindex: 0 } : { role: "img" }) });
    const g = element.getContext("2d");
    const plot = { element, width: 0, height: 0, label: (text) => element.setAttribute("aria-label", text) };
    const fit = () => {
      plot.width = element.clientWidth;
      plot.height = typeof height === "function" ? height(plot.width) : height;
      const density = window.devicePixelRatio || 1;
      element.style.height = `${plot.height}px`;
      element.width = Math.round(plot.width * density);
      element.height = Math.round(plot.height * density);
    };
    plot.draw = () => {
      if (!plot.width) return;
      const density = element.width / plot.width;
      g.setTransform(density, 0, 0, density, 0, 0);
      g.clearRect(0, 0, plot.width, plot.height);
      g.font = `12px ${getComputedStyle(ui.root).fontFamily}`;
      draw(g, plot.width, plot.height);
    };
    let waiting = 0;
    plot.request = () => {
      waiting ||= requestAnimationFrame(() => {
        waiting = 0;
        plot.draw();
      });
    };
    undo.push(() => cancelAnimationFrame(waiting));
    const resized = () => {
      if (element.clientWidth === plot.width && plot.width) return;
      fit();
      plot.draw();
    };
    plot.resize = () => {
      fit();
      plot.draw();
    };
    const observer = new ResizeObserver(resized);
    observer.observe(element);
    undo.push(() => observer.disconnect());
    ui.on(matchMedia(`(resolution: ${window.devicePixelRatio || 1}dppx)`), "change", plot.resize);
    ui.onTheme(plot.draw);
    return plot;
  };

  // ---- pointer
  const local = (element, event) => {
    const box = element.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  ui.drag = (element, { start = () => {}, move, end = () => {} }) => {
    let active = null;
    ui.on(element, "pointerdown", (event) => {
      if (event.button !== 0 || start(...local(element, event), event) === false) return;
      active = event.pointerId;
      element.setPointerCapture(active);
    });
    ui.on(element, "pointermove", (event) => event.pointerId === active && move(...local(element, event), event));
    for (const type of ["pointerup", "pointercancel"]) {
      ui.on(element, type, (event) => {
        if (event.pointerId !== active) return;
        active = null;
        end();
      });
    }
  };
  ui.hover = (element, { move, leave = () => {} }) => {
    ui.on(element, "pointermove", (event) => move(...local(element, event)));
    ui.on(element, "pointerleave", leave);
  };

  // ---- words
  const problem = ui.element(ui.root, "div", { className: "problem", role: "alert" });
  const complain = () => (problem.textContent = model.get("problem"));
  complain();
  ui.onModel("change:problem", complain);
  const heard = ui.element(ui.root, "div", { className: "heard", role: "status", "aria-live": "polite" });
  let speaking = 0;
  let words = "";
  ui.announce = (text) => {
    words = text;
    speaking ||= setTimeout(() => {
      speaking = 0;
      heard.textContent = words;
    }, 500);
  };
  undo.push(() => clearTimeout(speaking));

  ui.close = () => {
    for (const step of undo.splice(0).reverse()) step();
  };
  look();
  // In JupyterLab the element joins the page after render() returns; only then does it inherit the theme.
  requestAnimationFrame(look);
  return ui;
}
