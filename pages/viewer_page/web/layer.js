import { tileSource } from "./tiles.js";

/** @import {Choices} from "./choices.js" */
/** @import {LayerSpec, Slide} from "./types.d.ts" */

/** @typedef {{on: boolean, opacity: number}} Choice */

/** One layer: at most two tiled images, the one seen and the one that is to replace it. */
export class Layer {
  #absent = false;
  #covered = false;

  /**
   * What is to replace the one that is seen, as soon as all of it is there: laid over it meanwhile
   * it would make the colours stronger for a moment.
   *
   * @type {OpenSeadragon.TiledImage | null}
   */
  #coming = null;

  /** Ids of the classes that were asked for last. */
  #show = "";

  /**
   * @param {OpenSeadragon.Viewer} osd the viewer
   * @param {Slide} slide
   * @param {Choices<Choice>} choices by the layers' ids
   * @param {LayerSpec} spec
   * @param {() => void} changed called when a tiled image has come or gone
   */
  constructor(osd, slide, choices, spec, changed) {
    this.osd = osd;
    this.slide = slide;
    this.choices = choices;
    this.spec = spec;
    this.changed = changed;
    /** @type {OpenSeadragon.TiledImage[]} */
    this.items = [];
    /** @type {string | null} */
    this.wanted = null;
  }

  /**
   * What Python says of it now; the picture changes when it is painted next.
   *
   * @param {LayerSpec} spec
   */
  describe(spec) {
    this.spec = spec;
  }

  get choice() {
    return { on: this.spec.on, opacity: this.spec.opacity, ...this.choices.get(this.spec.id) };
  }

  /** @param {Partial<Choice>} change */
  choose(change) {
    this.choices.set(this.spec.id, { ...this.choice, ...change });
    this.#see();
    this.changed();
  }

  /** Look as the choices say, which somebody else may have changed. */
  follow() {
    this.#see();
  }

  get opacity() {
    return this.choice.on ? this.choice.opacity : 0;
  }

  get #seenOpacity() {
    return this.#covered ? 0 : this.opacity;
  }

  /** Leave it to somebody else to show what this layer does. */
  disappear() {
    if (this.#absent) return;
    this.#absent = this.#covered = true;
    this.remove();
  }

  /**
   * Have the tiles loaded, not yet seen, to come back without a gap.
   *
   * @param {string} show
   */
  prepare(show) {
    if (!this.#absent) return;
    this.#absent = false;
    this.paint(show);
  }

  /** Are all tiles of the view there? */
  get isThere() {
    return this.items.length > 0 && this.items.every((item) => item.getFullyLoaded());
  }

  /** Let the tiles be seen again. */
  reappear() {
    if (!this.#covered) return;
    this.#absent = this.#covered = false;
    this.#see();
  }

  #see() {
    for (const item of this.items) {
      const hidden = item === this.#coming;
      item.setOpacity(hidden ? 0 : this.#seenOpacity);
      item.setPreload(hidden || this.#covered);
    }
  }

  /**
   * Paint the classes asked for; what is on the screen stays until the new tiles are there.
   *
   * @param {string} show ids of the classes, with commas
   */
  paint(show) {
    this.#show = show;
    const wanted = this.spec.url.replace("{show}", show);
    if (!this.choice.on || this.#absent || wanted === this.wanted) return;
    if (this.#coming) return; // once that is there: what grows all the time would never be seen
    this.wanted = wanted;
    this.osd.addTiledImage({
      tileSource: tileSource(this.slide, this.spec, show),
      width: 1,
      opacity: 0,
      preload: true,
      success: (/** @type {any} */ event) => {
        /** @type {OpenSeadragon.TiledImage} */
        const item = event.item;
        if (this.wanted !== wanted) return this.osd.world.removeItem(item);
        this.#coming = this.items.length && this.opacity ? item : null;
        this.items.push(item);
        this.#see();
        this.changed();
        return item.whenFullyLoaded(() => this.#replaceOlder(item));
      },
    });
  }

  /** @param {OpenSeadragon.TiledImage} item */
  #replaceOlder(item) {
    if (!this.items.includes(item)) return; // taken away meanwhile
    if (item === this.#coming) this.#coming = null;
    this.#drop(this.#olderThan(item));
    this.#see();
    this.paint(this.#show);
  }

  remove() {
    this.wanted = null;
    this.#coming = null;
    this.#drop([...this.items]);
  }

  /** @param {OpenSeadragon.TiledImage} item */
  #olderThan(item) {
    return this.items.slice(0, Math.max(0, this.items.indexOf(item)));
  }

  /** @param {OpenSeadragon.TiledImage[]} items */
  #drop(items) {
    this.items = this.items.filter((item) => !items.includes(item));
    for (const item of items) {
      this.osd.world.removeItem(item);
      // Whoever waits for its tiles would wait for ever.
      if (!item.getFullyLoaded()) item.raiseEvent("fully-loaded-change", { fullyLoaded: true });
    }
  }
}
