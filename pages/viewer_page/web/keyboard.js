/** What a key does in the viewer, and the words for it; buttons do the same by the same name. */
const KEYS = [
  [["+", "="], "zoom-in", "+", "Zoom in"],
  [["-", "_"], "zoom-out", "−", "Zoom out"],
  [["0"], "home", "0", "Whole slide"],
  [["1"], "5x", "1 2 3 4", "Magnification 5×, 10×, 20×, 40×"],
  [["2"], "10x"],
  [["3"], "20x"],
  [["4"], "40x"],
  [["g"], "go-to", "g", "Go to coordinates"],
  [["f"], "full-screen", "f", "Full screen"],
  [["r"], "rectangle", "r", "Draw a rectangle"],
  [["p"], "polygon", "p", "Draw a free outline"],
  [["v"], "take-view", "v", "Take the visible part as a region"],
  [["m"], "ruler", "m", "Measure a distance"],
  [["Delete"], "remove-region", "Del", "Remove the selected region"],
  [["?"], "help", "?", "This list"],
];

/** Keys that belong to more than one action, or to none here. */
const OTHER_KEYS = [
  ["← ↑ → ↓", "Move the slide, or a region that has the focus"],
  ["← →", "With a nucleus picked: the one before, the next of its class, in reading order"],
  ["Tab", "Next button, region or layer"],
  ["Enter", "Select the region, close an outline"],
  ["Ctrl + z", "Take back the last drawing"],
  ["Esc", "Put the tool or the nucleus away"],
];

export class Keyboard {
  /** @param {Object<string, () => void>} actions by name */
  constructor(actions, help) {
    this.actions = actions;
    const rows = KEYS.filter(([, , shown]) => shown).map(([, , shown, words]) => [shown, words]);
    help.querySelector("dl").replaceChildren(...[...rows, ...OTHER_KEYS].flatMap(row));
  }

  /** Do what a key is for; tells whether it is for anything. */
  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const action = KEYS.find(([keys]) => keys.includes(event.key))?.[1];
    if (action) this.actions[action]();
    return Boolean(action);
  }
}

function row([key, words]) {
  const [term, description] = [document.createElement("dt"), document.createElement("dd")];
  const shown = document.createElement("kbd");
  shown.textContent = key;
  term.append(shown);
  description.textContent = words;
  return [term, description];
}
