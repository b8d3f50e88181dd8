// The chat box's view: the conversation, a message to write, stop, start over, temperature. Whatever anybody says is text, never HTML.

import { open, number } from "./common.js";

const PATIENCE = 5000;

function render({ model, el }) {
  const ui = open(model, el, { en: "Chat box", zh: "聊天框" });
  ui.root.classList.add("chat");
  ui.style(`.lmw.chat .log { display: flex; flex-direction: column; gap: 8px; min-height: 6em; max-height: 26em; overflow-y: auto; overscroll-behavior: contain;
      padding: 8px; margin: 2px 0 8px; border: 1px solid var(--lmw-line); border-radius: 6px; }
    .lmw.chat .turn { align-self: flex-start; max-width: 85%; padding: 4px 10px 6px; border: 1px solid var(--lmw-line); border-radius: 8px; }
    .lmw.chat .turn.user { align-self: flex-end; background: var(--lmw-faint); border-color: var(--lmw-faint); }
    .lmw.chat .who { display: block; color: var(--lmw-muted); font-size: 11px; }
    .lmw.chat .said { white-space: pre-wrap; overflow-wrap: anywhere; }
    .lmw.chat .turn.live .said::after { content: "▍"; color: var(--lmw-blue); }
    .lmw.chat textarea { display: block; width: 100%; margin: 0 0 6px; padding: 6px 8px; resize: vertical; font: inherit; color: inherit; background: transparent;
      border: 1px solid var(--lmw-line); border-radius: 6px; }`);
  const log = ui.element(ui.root, "div", { className: "log", tabindex: 0, role: "log", "aria-live": "off", label: { en: "the conversation", zh: "对话" } });
  const box = ui.element(ui.root, "textarea", {
    rows: 2, label: { en: "your message", zh: "你的消息" },
    placeholder: ui.t({ en: "Write a message. Enter sends it, Shift+Enter begins a new line.", zh: "输入消息。Enter 发送，Shift+Enter 换行。" }),
  });
  const row = ui.element(ui.root, "div", { className: "row" });
  const sendButton = ui.button(row, { text: { en: "Send", zh: "发送" }, onClick: send });
  const stopButton = ui.button(row, { text: { en: "Stop", zh: "停止" }, onClick: stop });
  ui.button(row, { text: { en: "Start over", zh: "重新开始" }, onClick: () => ask("reset") });
  const temperature = ui.range(row, {
    label: { en: "temperature T", zh: "温度 T" }, min: 0, max: 2, step: 0.05, value: model.get("temperature"),
    format: (v) => (v ? number(v, 2) : ui.t({ en: "0: always the likeliest", zh: "0：总取最可能的" })), onInput: (v) => ui.set("temperature", v),
  });
  const note = ui.element(ui.root, "div", { className: "muted", role: "status" });
  let waiting = 0;
  let asked = null;
  let live = null;

  function say({ role, content, stopped }) {
    const turn = ui.element(log, "div", { className: `turn ${role}` });
    const name = role === "user" ? { en: "You", zh: "你" } : { en: "Model", zh: "模型" };
    ui.element(turn, "span", { className: "who", text: ui.t(name) + (stopped ? ui.t({ en: ", stopped", zh: "，已停止" }) : "") });
    return { turn, said: ui.element(turn, "div", { className: "said", text: content }) };
  }

  // Keep the end in sight, unless the reader has scrolled back.
  function following(change) {
    const near = log.scrollHeight - log.scrollTop - log.clientHeight < 30;
    change();
    if (near) log.scrollTop = log.scrollHeight;
  }

  function show() {
    following(() => {
      log.replaceChildren();
      live = null;
      const messages = model.get("messages");
      messages.forEach(say);
      if (model.get("busy")) {
        const { turn, said } = say({ role: "assistant", content: model.get("writing") });
        turn.classList.add("live");
        live = said;
      } else if (!messages.length) ui.element(log, "span", { className: "muted", text: { en: "Nothing has been said yet.", zh: "还没有人说话。" } });
    });
    sendButton.disabled = model.get("busy");
    stopButton.disabled = !model.get("busy");
  }

  function ask(kind, content = {}) {
    clearTimeout(waiting);
    waiting = setTimeout(silent, PATIENCE);
    note.textContent = "";
    box.focus();
    ui.send(kind, content);
  }
  function send() {
    if (model.get("busy") || waiting) {
      note.textContent = ui.t({ en: "One reply at a time: wait until this one is written, or stop it.", zh: "一次只写一个回答：请等它写完，或者先停止。" });
      return;
    }
    asked = box.value;
    ask("send", { text: asked });
  }
  function stop() {
    ask("stop");
    note.textContent = ui.t({ en: "Stopping after this token.", zh: "写完这个词元就停。" });
  }
  function silent() {
    waiting = 0;
    note.textContent = ui.t({
      en: "No answer from the kernel yet. If it is busy with a cell, this waits for its end; if it was restarted, run the cells again.",
      zh: "内核还没有回答。如果内核正在运行单元格，运行完就会处理；如果内核重启过，请重新运行单元格。",
    });
  }

  ui.on(box, "keydown", (event) => {
    if (event.key !== "Enter") return;
    // JupyterLab would run the cell, and it keeps Shift+Enter from breaking the line; an input method ends a word with Enter
    event.stopPropagation();
    if (event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    if (event.shiftKey) box.setRangeText("\n", box.selectionStart, box.selectionEnd, "end");
    else send();
  });
  ui.onModel("change:messages", show);
  ui.onModel("change:busy", () => {
    show();
    const messages = model.get("messages");
    const last = messages[messages.length - 1];
    if (model.get("busy")) ui.announce(ui.t({ en: "The model is writing.", zh: "模型正在写。" }));
    else if (last) ui.announce(`${ui.t({ en: "Model:", zh: "模型：" })} ${last.content}`);
    if (!model.get("busy")) note.textContent = "";
  });
  ui.onModel("change:writing", () => following(() => live && (live.textContent = model.get("writing"))));
  ui.onModel("change:temperature", () => temperature.set(model.get("temperature")));
  ui.onModel("change:step", () => {
    clearTimeout(waiting);
    waiting = 0;
    note.textContent = "";
    const last = model.get("messages").at(-1);
    if (last?.role === "user" && last.content === asked && box.value === asked) box.value = "";
  });
  // A message that got no reply comes back to be changed.
  ui.onMessage("back", ({ text }) => (box.value ||= text));
  ui.onCleanup(() => clearTimeout(waiting));
  show();
  return ui.close;
}

export default { render };
