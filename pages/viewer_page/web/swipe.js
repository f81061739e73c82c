import { Beside } from "./beside.js";
import { part } from "./element.js";

/** @import {Library} from "./library.js" */
/** @import {Overlays} from "./overlays.js" */

/**
 * Compares the bare slide, or another analysis, with the layers: they are shown to the right of a
 * line that is dragged.
 *
 * The line stands still on the screen while the slide moves under it, so what is seen of the layers
 * is cut anew whenever the view changes.
 */

const STEP = 0.02; // of the width, for the arrow keys

/** @type {Record<string, number | undefined>} */
const KEYS = { ArrowLeft: -STEP, ArrowRight: STEP, PageDown: -5 * STEP, PageUp: 5 * STEP };

/** @type {Record<string, number | undefined>} */
const ENDS = { Home: 0, End: 1 };

export class Swipe {
  /**
   * @param {Library} library
   * @param {OpenSeadragon.Viewer} osd the viewer
   * @param {Overlays} overlays
   * @param {ParentNode} root holds the line, the button and the stage
   * @param {(run: string | null) => void} choose tells Python what is to be seen on the other side
   */
  constructor(library, osd, overlays, root, choose) {
    this.library = library;
    this.osd = osd;
    this.overlays = overlays;
    this.line = part(root, ".swipe", HTMLElement);
    this.button = part(root, '[data-act="compare"]', HTMLElement);
    this.stage = part(root, ".stage", HTMLElement);
    this.sides = this.line.querySelectorAll("span");
    this.share = 0.5;
    this.beside = new Beside(overlays, root, choose, () => this.#cut());
    for (const event of /** @type {const} */ (["viewport-change", "resize", "open"])) {
      osd.addHandler(event, () => this.#cut());
    }
    overlays.onChange(() => this.#cut());
    this.line.onpointerdown = ({ pointerId }) => this.line.setPointerCapture(pointerId);
    this.line.onpointermove = (event) => this.#drag(event);
    this.line.onkeydown = (event) => this.#press(event);
  }

  get on() {
    return !this.line.hidden;
  }

  /** How much of the width shows the bare slide. */
  get cut() {
    return this.on ? this.share : 0;
  }

  toggle() {
    this.line.hidden = this.on;
    this.button.setAttribute("aria-pressed", String(this.on));
    this.beside.show(this.on);
    if (this.on) this.line.focus();
    this.#place(this.share);
  }

  /** @param {PointerEvent} event */
  #drag({ pointerId, clientX }) {
    if (!this.line.hasPointerCapture(pointerId)) return;
    const { left, width } = this.stage.getBoundingClientRect();
    this.#place((clientX - left) / width);
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const wanted = ENDS[event.key] ?? this.share + (KEYS[event.key] ?? NaN);
    if (Number.isNaN(wanted)) return;
    event.preventDefault();
    this.#place(wanted);
  }

  /** @param {number} share */
  #place(share) {
    this.share = Math.min(1, Math.max(0, share));
    this.line.style.left = `${this.share * 100}%`;
    this.line.setAttribute("aria-valuenow", String(Math.round(this.share * 100)));
    // Whatever is drawn over the slide by other means is cut by the style sheet.
    this.stage.style.setProperty("--swipe", this.on ? `${this.share * 100}%` : "0%");
    this.#cut();
    this.osd.forceRedraw(); // there may be no item, but lines
  }

  #cut() {
    if (!this.osd.isOpen()) return;
    for (const item of this.overlays.items) {
      const seen = this.on ? this.#partOf(item, true) : null;
      if (seen || item.getClip()) item.setClip(seen);
    }
    this.beside.items.forEach((item) => item.setClip(this.#partOf(item, false)));
    const words = this.beside.sides;
    this.sides.forEach((side, index) => {
      side.hidden = !words;
      side.textContent = words?.[index] ?? "";
    });
  }

  /**
   * What of a tiled image lies to the right of the line or to its left, in its own pixels.
   *
   * @param {OpenSeadragon.TiledImage} item
   * @param {boolean} right
   */
  #partOf(item, right) {
    const { Point, Rect } = this.library;
    const edge = new Point(this.share * this.stage.clientWidth, 0);
    const { x } = item.viewerElementToImageCoordinates(edge);
    const { x: width, y: height } = item.getContentSize();
    const left = Math.min(width, Math.max(0, x));
    return right ? new Rect(left, 0, width - left, height) : new Rect(0, 0, left, height);
  }
}
