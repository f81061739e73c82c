import { pathOf, shape } from "./shapes.js";

/**
 * The picked nucleus, and those picked on other pages, with their outlines over the slide.
 *
 * A click asks Python for the nucleus whose outline holds the point; ← and → ask for the next of
 * its class in reading order.
 */
export class Nuclei {
  #asked = 0;
  #shown = null;

  /** @param {(question: object) => void} tell asks Python */
  constructor(layer, card, shownClasses, tell) {
    Object.assign(this, { layer, card, shownClasses, tell, nucleus: null });
    this.group = layer.group("nuclei");
    layer.frame.osd.addHandler("canvas-click", (event) => {
      if (!event.quick || !this.hasNuclei) return;
      const { x, y } = layer.frame.fromScreen(event.position);
      this.#ask({ x, y, classes: shownClasses() });
    });
    card.ask = (question) => this.#ask(question);
  }

  update(nucleus, picked, hasNuclei) {
    this.hasNuclei = hasNuclei;
    const stepped = this.nucleus && nucleus && this.nucleus.id !== nucleus.id;
    this.nucleus = nucleus;
    this.card.show(nucleus);
    const shown = JSON.stringify([nucleus?.ring, picked]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const outlines = picked.map((ring) => ["picked", ring]);
    if (nucleus) outlines.push(["chosen", nucleus.ring]);
    this.group.replaceChildren(...outlines.flatMap(([name, ring]) => outlined(name, ring)));
    if (stepped) this.#bringIntoView(nucleus);
  }

  /** ← and → while a nucleus is picked; Esc puts it away. */
  key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!this.nucleus || event.ctrlKey || event.metaKey || event.altKey) return false;
    if (step) this.#ask({ step });
    else if (event.key === "Escape") this.#ask({});
    else return false;
    return true;
  }

  #ask(question) {
    this.#asked += 1;
    this.tell({ ...question, number: `${performance.now()} ${this.#asked}` });
  }

  /** Only a nucleus outside the middle of the view moves the view. */
  #bringIntoView({ x, y }) {
    const { view } = this.layer.frame;
    const [dx, dy] = [(x - view.x) / view.width, (y - view.y) / view.height];
    if (Math.abs(dx - 0.5) > 0.3 || Math.abs(dy - 0.5) > 0.3) this.layer.frame.goTo({ x, y });
  }
}

function outlined(name, ring) {
  const d = pathOf([ring]);
  return [shape("path", { class: "casing", d }), shape("path", { class: `line ${name}`, d })];
}
