/**
 * Compares the bare slide with its layers: they are shown to the right of a line that is dragged.
 *
 * The line stands still on the screen while the slide moves under it, so what is seen of the layers
 * is cut anew whenever the view changes.
 */

const STEP = 0.02; // of the width, for the arrow keys
const KEYS = { ArrowLeft: -STEP, ArrowRight: STEP, PageDown: -5 * STEP, PageUp: 5 * STEP };

export class Swipe {
  /**
   * @param {object} OpenSeadragon
   * @param {object} osd the viewer
   * @param {Overlays} overlays
   * @param {ParentNode} root holds the line, the button and the stage
   */
  constructor(OpenSeadragon, osd, overlays, root) {
    Object.assign(this, { OpenSeadragon, osd, overlays });
    this.line = root.querySelector(".swipe");
    this.button = root.querySelector('[data-act="compare"]');
    this.stage = root.querySelector(".stage");
    this.share = 0.5;
    for (const event of ["viewport-change", "resize", "open"]) {
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
    if (this.on) this.line.focus();
    this.#place(this.share);
  }

  #drag({ pointerId, clientX }) {
    if (!this.line.hasPointerCapture(pointerId)) return;
    const { left, width } = this.stage.getBoundingClientRect();
    this.#place((clientX - left) / width);
  }

  #press(event) {
    const wanted = { Home: 0, End: 1 }[event.key] ?? this.share + (KEYS[event.key] ?? NaN);
    if (Number.isNaN(wanted)) return;
    event.preventDefault();
    this.#place(wanted);
  }

  #place(share) {
    this.share = Math.min(1, Math.max(0, share));
    this.line.style.left = `${this.share * 100}%`;
    this.line.setAttribute("aria-valuenow", Math.round(this.share * 100));
    // Whatever is drawn over the slide by other means is cut by the style sheet.
    this.stage.style.setProperty("--swipe", this.on ? `${this.share * 100}%` : "0%");
    this.#cut();
    this.osd.forceRedraw(); // there may be no item, but lines
  }

  #cut() {
    if (!this.osd.isOpen()) return;
    for (const item of this.overlays.items) {
      const part = this.on ? this.#partOf(item) : null;
      if (part || item.getClip()) item.setClip(part);
    }
  }

  /** What of a tiled image lies to the right of the line, in its own pixels. */
  #partOf(item) {
    const { Point, Rect } = this.OpenSeadragon;
    const edge = new Point(this.share * this.stage.clientWidth, 0);
    const { x } = item.viewerElementToImageCoordinates(edge);
    const { x: width, y: height } = item.getContentSize();
    const left = Math.min(width, Math.max(0, x));
    return new Rect(left, 0, width - left, height);
  }
}
