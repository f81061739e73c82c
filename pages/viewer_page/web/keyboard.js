import { element, part } from "./element.js";

/**
 * What a key does in the viewer, and the words for it; buttons do the same by the same name.
 *
 * @type {[keys: string[], action: string, shown?: string, words?: string][]}
 */
const KEYS = [
  [["+", "="], "zoom-in", "+", "Zoom in"],
  [["-", "_"], "zoom-out", "−", "Zoom out"],
  [["0"], "home", "0", "Whole slide"],
  [["1"], "5x", "1 2 3 4", "Magnification 5×, 10×, 20×, 40×"],
  [["2"], "10x"],
  [["3"], "20x"],
  [["4"], "40x"],
  [["h"], "hide-layers", "h", "Hide all layers, show them again"],
  [["g"], "go-to", "g", "Go to coordinates"],
  [["f"], "full-screen", "f", "Full screen"],
  [["r"], "rectangle", "r", "Draw a rectangle"],
  [["e"], "ellipse", "e", "Draw an ellipse"],
  [["p"], "polygon", "p", "Draw a free outline"],
  [["b"], "brush", "b", "Paint a region"],
  [["v"], "take-view", "v", "Take the visible part as a region"],
  [["m"], "ruler", "m", "Measure distances"],
  [["c"], "correct", "c", "Correct nuclei, stop correcting"],
  [["Delete"], "remove-region", "Del", "Remove the selected region"],
  [["?"], "help", "?", "This list"],
];

/**
 * What other keys do while the reader corrects nuclei.
 *
 * @type {Record<string, string | undefined>}
 */
const CORRECTING_KEYS = { r: "select-rectangle", p: "select-outline" };

/**
 * Keys that belong to more than one action, or to none here.
 *
 * @type {[key: string, words: string][]}
 */
const OTHER_KEYS = [
  ["← ↑ → ↓", "Move the slide, or a region that has the focus"],
  ["← →", "With a nucleus picked: the one before, the next of its class, in reading order"],
  ["Shift + drag", "Move the selected region by its inside"],
  ["Tab", "Next button, region or layer"],
  ["Enter", "Select the region, close an outline"],
  ["[ ]", "With the brush: smaller, larger; Alt takes away"],
  ["1 … 9", "While correcting: call the selected nuclei so"],
  ["0", "While correcting: they are no nuclei"],
  ["r, p", "While correcting: select several by a rectangle, a free outline; Shift + click adds one"],
  ["Ctrl + z", "Take back the last drawing or, while correcting, correction"],
  ["Ctrl + Shift + z", "While correcting: do it again"],
  ["Esc", "Put the tool or the nucleus away"],
];

export class Keyboard {
  /**
   * @param {Record<string, () => void>} actions by name
   * @param {HTMLElement} help
   */
  constructor(actions, help) {
    this.actions = actions;
    this.correcting = false;
    const rows = KEYS.flatMap(([, , shown, words]) => (shown && words ? [row([shown, words])] : []));
    part(help, "dl", HTMLDListElement).replaceChildren(...[...rows, ...OTHER_KEYS.map(row)].flat());
  }

  /**
   * Do what a key is for; tells whether it is for anything.
   *
   * @param {KeyboardEvent} event
   */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const instead = this.correcting ? CORRECTING_KEYS[event.key] : undefined;
    const action = instead ?? KEYS.find(([keys]) => keys.includes(event.key))?.[1];
    if (action) this.actions[action]();
    return Boolean(action);
  }
}

/** @param {[key: string, words: string]} entry */
function row([key, words]) {
  const term = element("dt", {});
  term.append(element("kbd", { textContent: key }));
  return [term, element("dd", { textContent: words })];
}
