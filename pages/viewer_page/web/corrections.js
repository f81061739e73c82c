import { fetch, throughChannel } from "./server.js";
import { pathOf, shape } from "./shapes.js";

/** @import {Hints} from "./hints.js" */
/** @import {ShapeLayer} from "./shapes.js" */
/** @import {Corner, Correcting, Point, Ring, Selected} from "./types.d.ts" */

/** How often to look whether somebody else, or a program, has given other names. */
const LOOK_MS = 4000;

/**
 * Nuclei that the reader selects and gives another class, or calls no nuclei.
 *
 * Each correction goes to the server on its own and is on its disk when it is answered; the page is
 * told afterwards, so that counts and layers follow. What is selected keeps its outline, in the new
 * colour, until then.
 */
export class Corrections extends EventTarget {
  /**
   * What is being selected or written: one after the other, so that a key pressed right after a
   * click means the nucleus clicked.
   *
   * @type {Promise<unknown>}
   */
  #queue = Promise.resolve();

  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;

  #sent = 0;

  /**
   * @param {ShapeLayer} layer
   * @param {Hints} hints
   * @param {() => number[]} shownClasses
   * @param {(version: string) => void} tell tells Python that nuclei are called something else
   */
  constructor(layer, hints, shownClasses, tell) {
    super();
    this.hints = hints;
    this.shownClasses = shownClasses;
    this.tell = tell;
    /** @type {Correcting | null} */
    this.spec = null;
    /** @type {Selected[]} */
    this.selected = [];
    this.active = false;
    /** @type {() => Selected | null} the nucleus that is told about, with which correcting begins */
    this.told = () => null;
    this.group = layer.group("corrections");
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  /** @param {Correcting | null} spec what Python says of it */
  update(spec) {
    const another = spec?.url !== this.spec?.url;
    this.spec = spec;
    if (another) this.#take([]);
    if (!spec) this.active = false;
    this.dispatchEvent(new Event("change"));
  }

  close() {
    clearInterval(this.#timer);
    this.spec = null;
  }

  /** Begin or end correcting; where the reader may not it is said why. */
  toggle() {
    const refused = this.spec ? this.spec.refused : "Analyse something first; then its nuclei can be corrected.";
    if (refused) return this.hints.tell(refused);
    this.active = !this.active;
    const told = this.active ? this.told() : null;
    this.#take(told ? [told] : []);
    return this.dispatchEvent(new Event("change"));
  }

  /**
   * Select the nucleus at a point; with `more` beside those selected, or no longer if it was.
   *
   * @param {Point} point
   */
  selectAt({ x, y }, more = false) {
    this.#next(async () => {
      const found = await this.#select({ point: [x, y] });
      this.#take(more ? either(this.selected, found) : found);
    });
  }

  /**
   * Select the nuclei whose centroids an outline holds.
   *
   * @param {Ring} ring
   */
  selectWithin(ring) {
    this.#next(async () => {
      this.#take(await this.#select({ ring }));
      if (!this.selected.length) this.hints.tell("There are no nuclei of the shown classes in it.");
    });
  }

  /**
   * Select the nucleus that the reader turns to; a key pressed meanwhile waits for it.
   *
   * @param {Promise<Selected | null>} nucleus
   */
  selectNext(nucleus) {
    if (!this.active) return;
    this.#next(async () => {
      const next = await nucleus;
      this.#take(next ? [next] : []);
    });
  }

  /** Select nothing; tells whether something was selected. */
  clear() {
    const some = this.selected.length > 0;
    this.#take([]);
    return some;
  }

  /**
   * Give the selected nuclei a class; null: they are no nuclei.
   *
   * @param {string | null} name
   */
  give(name) {
    this.#next(async () => {
      const { selected } = this;
      if (!selected.length) return this.hints.tell("Click a nucleus first, or select several.");
      await this.#write({ action: "correct", nuclei: selected.map(({ id }) => id), name });
      return this.#take(name === null ? [] : selected.map((each) => ({ ...each, name })));
    });
  }

  undo() {
    return this.#turn("undo", "There is no correction of yours to take back.");
  }

  redo() {
    return this.#turn("redo", "There is nothing that could be done again.");
  }

  /**
   * @param {"undo" | "redo"} action
   * @param {string} otherwise
   */
  #turn(action, otherwise) {
    this.#next(async () => {
      const { done } = await this.#write({ action });
      if (done) this.#take([]);
      else this.hints.tell(otherwise);
    });
    return true;
  }

  /**
   * @param {{point: Corner} | {ring: Ring}} where
   * @returns {Promise<Selected[]>}
   */
  async #select(where) {
    const { nuclei } = await this.#ask({ action: "select", ...where, classes: this.shownClasses() });
    return nuclei;
  }

  /** @param {() => Promise<unknown>} act */
  #next(act) {
    this.#queue = this.#queue.then(act).catch((error) => this.hints.tell(error.message));
  }

  /** @param {Record<string, unknown>} correction */
  async #write(correction) {
    const answer = await this.#ask(correction);
    if (answer.done) this.tell(answer.names);
    return answer;
  }

  /**
   * Sent again, under the same id, where no answer has come: the server does it once.
   *
   * @param {Record<string, unknown>} question
   */
  async #ask(question) {
    if (!this.spec) throw new Error("Nothing is analysed here any more.");
    const address = new URL(this.spec.url, document.baseURI);
    const body = JSON.stringify({ ...question, id: `${performance.timeOrigin} ${performance.now()} ${++this.#sent}` });
    const send = () => fetch(address, { method: "POST", body });
    const answer = await send().catch(send).catch(() => {
      throw new Error("The server does not answer; nothing was corrected.");
    });
    if (!answer.ok) throw new Error(capitalised(await answer.text()));
    return answer.json();
  }

  /** Look whether nuclei are called something else meanwhile, by another browser or program. */
  async #look() {
    const { spec } = this;
    if (!spec || document.hidden || throughChannel()) return; // there each look is a run of the page
    try {
      const answer = await fetch(new URL(spec.url, document.baseURI));
      const { names } = answer.ok ? await answer.json() : spec;
      if (this.spec === spec && names !== spec.names) this.tell(names);
    } catch {
      // the server has gone, which the page says itself
    }
  }

  /** @param {Selected[]} selected */
  #take(selected) {
    this.selected = selected;
    const names = new Set(selected.map(({ name }) => name));
    const colour = names.size === 1 ? this.#colourOf(selected[0].name) : undefined;
    const d = selected.map(({ ring }) => (ring ? pathOf([ring]) : "")).join("");
    const line = shape("path", { class: "line selected", d });
    if (colour) line.style.stroke = colour;
    this.group.replaceChildren(...(d ? [shape("path", { class: "casing", d }), line] : []));
    this.group.parentNode?.append(this.group); // above the outline of the nucleus that is told about
    this.dispatchEvent(new Event("change"));
  }

  /** @param {string} name */
  #colourOf(name) {
    return this.spec?.classes.find((each) => each.name === name)?.colour;
  }
}

/**
 * Those of both but for what is in both: a second click takes a nucleus out again.
 *
 * @param {Selected[]} one
 * @param {Selected[]} other
 */
export function either(one, other) {
  const [ids, otherIds] = [one, other].map((nuclei) => new Set(nuclei.map(({ id }) => id)));
  return [...one.filter(({ id }) => !otherIds.has(id)), ...other.filter(({ id }) => !ids.has(id))];
}

/** @param {string} sentence */
function capitalised(sentence) {
  return sentence.slice(0, 1).toUpperCase() + sentence.slice(1);
}
