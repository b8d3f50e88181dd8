// The pipeline diagram's view: six boxes in a row, which wrap on a narrow page.

import { open } from "./common.js";

function render({ model, el }) {
  const ui = open(model, el, { en: "Pipeline", zh: "流水线" });
  ui.style(`.lmw ol { display: flex; flex-wrap: wrap; gap: 14px 26px; list-style: none; margin: 0; padding: 4px 0; }
    .lmw li { flex: 1 0 104px; position: relative; border: 1px solid var(--lmw-line); border-radius: 6px; padding: 8px 10px; text-align: center; margin: 0; min-height: 74px; }
    .lmw li.running { border-color: var(--lmw-orange); box-shadow: 0 0 0 1px var(--lmw-orange); }
    .lmw li.done { border-color: var(--lmw-blue); }
    .lmw li + li::before { content: "→"; position: absolute; left: -21px; top: 24px; color: var(--lmw-muted); }
    .lmw li b, .lmw li span { display: block; } .lmw li span { font-size: 12px; min-height: 18px; }`);
  const list = ui.element(ui.root, "ol");
  const draw = () => {
    const parts = model.get("boxes").map(({ name, state, count, seconds }) => {
      const item = document.createElement("li");
      item.className = state;
      for (const [tag, text] of [["b", name], ["span", count], ["span", seconds]]) {
        const part = document.createElement(tag);
        part.textContent = text;
        if (text === seconds) part.className = "muted";
        item.append(part);
      }
      return item;
    });
    list.replaceChildren(...parts);
  };
  ui.onModel("change:boxes", draw);
  draw();
  return ui.close;
}

export default { render };
