import { element, part } from "./element.js";
import { Layer } from "./layer.js";

/** @import {Overlays} from "./overlays.js" */
/** @import {BesideSpec} from "./types.d.ts" */

/** @type {BesideSpec} */
const NOTHING = { others: [], chosen: null, shownTitle: "", layers: [], classes: [] };

/**
 * Another analysis of the slide, seen to the left of the line that compares.
 *
 * Its layers follow the switches of the analysis that is shown: both sides show the same layers and
 * classes, each as its own analysis has them.
 */
export class Beside {
  #spec = NOTHING;
  #on = false;

  /** @type {Layer[]} */
  #layers = [];

  /**
   * @param {Overlays} overlays of the analysis that is shown
   * @param {ParentNode} root holds the list of the others
   * @param {(run: string | null) => void} choose tells Python which one is to be seen
   * @param {() => void} changed called when a tiled image has come or gone
   */
  constructor(overlays, root, choose, changed) {
    this.overlays = overlays;
    this.changed = changed;
    this.row = part(root, ".beside", HTMLElement);
    this.list = part(this.row, "select", HTMLSelectElement);
    this.list.onchange = () => choose(this.list.value || null);
    overlays.onChange(() => this.#paint());
  }

  /** Tiled images of its layers. */
  get items() {
    return this.#layers.flatMap((layer) => layer.items);
  }

  /** What is seen on the two sides of the line, in words; null where one side is the bare slide. */
  get sides() {
    const { others, chosen, shownTitle } = this.#spec;
    const other = others.find(({ id }) => id === chosen);
    return other ? [other.title, shownTitle] : null;
  }

  /** @param {BesideSpec | null} spec */
  update(spec) {
    const { layers } = this.#spec;
    this.#spec = spec ?? NOTHING;
    this.#drawList();
    if (JSON.stringify(layers) !== JSON.stringify(this.#spec.layers)) this.#renew();
    this.changed();
  }

  /** @param {boolean} on whether the line is there */
  show(on) {
    this.#on = on;
    this.#drawList();
    if (on) this.row.scrollIntoView({ block: "nearest" }); // on a low screen the panel scrolls
    this.#renew();
  }

  #renew() {
    const { osd, slide, layerChoices } = this.overlays;
    this.#layers.forEach((layer) => layer.remove());
    const specs = this.#on ? this.#spec.layers : [];
    this.#layers = specs.map((spec) => new Layer(osd, slide, layerChoices, spec, this.changed));
    this.#paint();
  }

  #paint() {
    for (const layer of this.#layers) {
      layer.follow();
      layer.paint(this.#shown);
    }
  }

  /** Ids of the classes to paint: all but those that are switched off by their name. */
  get #shown() {
    const { classes, shownClasses } = this.overlays;
    const off = classes.filter((each) => !shownClasses.includes(each)).map(({ name }) => name);
    return this.#spec.classes.filter(({ name }) => !off.includes(name)).map(({ id }) => id).join(",");
  }

  #drawList() {
    const { others, chosen } = this.#spec;
    this.row.hidden = !this.#on || others.length === 0;
    const bare = element("option", { value: "", textContent: "The slide alone" });
    const options = others.map(({ id, title }) => element("option", { value: id, textContent: title }));
    this.list.replaceChildren(bare, ...options);
    this.list.value = chosen ?? "";
  }
}
