import { pathOf, shape } from "./shapes.js";

/** @import {NucleusCard} from "./nucleus_card.js" */
/** @import {ShapeLayer} from "./shapes.js" */
/** @import {Nucleus, Pick, Point, Ring, Selected} from "./types.d.ts" */

const STEPS = new Map([
  ["ArrowLeft", -1],
  ["ArrowRight", 1],
]);

/** So long the next nucleus of a class may take to come. */
const NO_OTHER_MS = 3000;

/**
 * The picked nucleus, and those picked on other pages, with their outlines over the slide.
 *
 * A click asks Python for the nucleus whose outline holds the point; ← and → ask for the next of
 * its class in reading order.
 */
export class Nuclei {
  #asked = 0;

  /** @type {string | null} */
  #shown = null;

  /** @type {((next: Selected | null) => void) | undefined} */
  #arrived;

  /**
   * @param {ShapeLayer} layer
   * @param {NucleusCard} card
   * @param {() => number[]} shownClasses
   * @param {(question: Pick & {number: string}) => void} tell asks Python
   */
  constructor(layer, card, shownClasses, tell) {
    this.layer = layer;
    this.card = card;
    this.tell = tell;
    this.hasNuclei = false;
    /** @type {Nucleus | null} */
    this.nucleus = null;
    this.group = layer.group("nuclei");
    layer.frame.osd.addHandler("canvas-click", (event) => {
      if (!event.quick || !this.hasNuclei) return;
      const { x, y } = layer.frame.fromScreen(event.position);
      const more = "shiftKey" in event.originalEvent && event.originalEvent.shiftKey === true;
      this.clicked({ x, y }, more);
      if (!more) this.#ask({ x, y, classes: shownClasses() });
    });
    /** @type {(point: Point, more: boolean) => unknown} */
    this.clicked = () => {};
    /** @type {(next: Promise<Selected | null>) => unknown} */
    this.turned = () => {};
    card.ask = (question) => this.#ask(question);
  }

  /**
   * @param {Nucleus | null} nucleus
   * @param {Ring[]} picked
   * @param {boolean} hasNuclei
   */
  update(nucleus, picked, hasNuclei) {
    this.hasNuclei = hasNuclei;
    const before = this.nucleus;
    this.nucleus = nucleus;
    if (before?.id !== nucleus?.id) this.#arrived?.(this.told);
    this.card.show(nucleus);
    const shown = JSON.stringify([nucleus?.ring, picked]);
    if (shown === this.#shown) return;
    this.#shown = shown;
    const outlines = picked.flatMap((ring) => outlined("picked", ring));
    if (nucleus) outlines.push(...outlined("chosen", nucleus.ring));
    this.group.replaceChildren(...outlines);
    if (before && nucleus && before.id !== nucleus.id) this.#bringIntoView(nucleus);
  }

  /**
   * ← and → while a nucleus is picked; Esc puts it away.
   *
   * @param {KeyboardEvent} event
   */
  key(event) {
    const step = STEPS.get(event.key);
    if (!this.nucleus || event.ctrlKey || event.metaKey || event.altKey) return false;
    if (step) this.#ask({ step });
    else if (event.key === "Escape") this.#ask({});
    else return false;
    return true;
  }

  /** The nucleus that the card tells about, as one that is selected. */
  get told() {
    const { nucleus } = this;
    return nucleus && { id: nucleus.id, name: nucleus.class, ring: nucleus.ring };
  }

  /** @param {Pick} question */
  #ask(question) {
    this.#asked += 1;
    if (question.step) {
      this.turned(
        new Promise((resolve) => {
          this.#arrived = resolve;
          // the only one of its class: nothing else comes
          setTimeout(() => resolve(this.told), NO_OTHER_MS);
        }),
      );
    }
    this.tell({ ...question, number: `${performance.now()} ${this.#asked}` });
  }

  /**
   * Only a nucleus outside the middle of the view moves the view.
   *
   * @param {Nucleus} nucleus
   */
  #bringIntoView({ x, y }) {
    const { view } = this.layer.frame;
    const [dx, dy] = [(x - view.x) / view.width, (y - view.y) / view.height];
    if (Math.abs(dx - 0.5) > 0.3 || Math.abs(dy - 0.5) > 0.3) this.layer.frame.goTo({ x, y });
  }
}

/**
 * @param {string} name
 * @param {Ring} ring
 */
function outlined(name, ring) {
  const d = pathOf([ring]);
  return [shape("path", { class: "casing", d }), shape("path", { class: `line ${name}`, d })];
}
