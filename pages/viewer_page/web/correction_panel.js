import { element, part } from "./element.js";

/** @import {Corrections} from "./corrections.js" */
/** @import {Selected} from "./types.d.ts" */

/** What the selected nuclei can be called, with the keys for it. */
export class CorrectionPanel {
  /**
   * @param {HTMLElement} panel
   * @param {HTMLElement} button which begins and ends correcting
   * @param {Corrections} corrections
   */
  constructor(panel, button, corrections) {
    this.panel = panel;
    this.button = button;
    this.corrections = corrections;
    this.drawn = "";
    corrections.addEventListener("change", () => this.#show());
  }

  /**
   * Digits name the selected nuclei while the reader corrects; Esc first selects nothing.
   *
   * @param {KeyboardEvent} event
   */
  key(event) {
    const { corrections } = this;
    if (!corrections.active || event.ctrlKey || event.metaKey || event.altKey) return false;
    const each = corrections.spec?.classes.find(({ key }) => key === event.key);
    if (event.key === "0") corrections.give(null);
    else if (/^[1-9]$/.test(event.key)) {
      if (each) corrections.give(each.name);
    } else if (event.key === "Escape") return corrections.clear();
    else return false;
    return true;
  }

  #show() {
    const { active, selected, spec } = this.corrections;
    this.panel.hidden = !active;
    this.button.setAttribute("aria-pressed", String(active));
    const classes = JSON.stringify(spec?.classes ?? []);
    if (classes !== this.drawn) {
      this.drawn = classes;
      part(this.panel, ".names", HTMLElement).replaceChildren(...this.#buttons());
    }
    part(this.panel, ".selected", HTMLElement).textContent = inWords(selected);
    // not disabled: a button that is loses the focus, and the keys that follow would go astray
    for (const button of this.panel.querySelectorAll(".names button")) {
      button.setAttribute("aria-disabled", String(!selected.length));
    }
  }

  #buttons() {
    const given = (this.corrections.spec?.classes ?? []).map(({ name, colour, key }) =>
      this.#button(key, name, colour, name),
    );
    return [...given, this.#button("0", "not a nucleus", "transparent", null)];
  }

  /**
   * @param {string} key
   * @param {string} label
   * @param {string} colour
   * @param {string | null} name
   */
  #button(key, label, colour, name) {
    const button = element("button", { type: "button", title: key ? `Call it so (${key})` : "Call it so" });
    const swatch = element("span", { className: "swatch" });
    swatch.style.background = colour;
    button.append(element("kbd", { textContent: key }), swatch, element("span", { textContent: label }));
    button.onclick = () => this.corrections.give(name);
    return button;
  }
}

/**
 * What is selected, by class.
 *
 * @param {Selected[]} selected
 */
export function inWords(selected) {
  if (!selected.length) return "Click a nucleus; Shift adds more.";
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { name } of selected) counts.set(name, (counts.get(name) ?? 0) + 1);
  const total = selected.length === 1 ? "1 nucleus" : `${selected.length.toLocaleString("en")} nuclei`;
  return `${total} selected: ${[...counts].map(([name, count]) => `${count.toLocaleString("en")} ${name}`).join(", ")}`;
}
