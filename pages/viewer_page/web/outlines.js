import { edgesOf } from "./boxes.js";
import { brushOf } from "./element.js";
import { OutlinePictures } from "./outline_pictures.js";
import { OutlineSquares } from "./outline_squares.js";

/** @import {Layer} from "./layer.js" */
/** @import {Overlays} from "./overlays.js" */
/** @import {SlideFrame} from "./slide_frame.js" */
/** @import {Swipe} from "./swipe.js" */

/** Outlines are drawn here where a µm is at least as many pixels, and a level-0 pixel so many. */
const PX_PER_UM = 1;
const PX_PER_PIXEL = 0.25;

/** Where nuclei are small, fine lines are seen better; they are also drawn several times faster. */
const FINE_LINE_PX = 1;
const LINE_PX = 1.75;
const LINE_UM = 0.75;

/** Corners drawn in a frame: few while the view moves, so that it moves evenly. */
const MOST_MOVING = 5000;
const MOST_AT_REST = 20000;

/**
 * The outlines of the nuclei as lines, sharp at any enlargement, instead of the layer's tiles.
 *
 * Zoomed out the tiles show them, and while outlines are still to come. Whichever takes over does
 * so when all of the view is there, so that the nuclei never vanish in between. They are drawn onto
 * the same canvas as the tiles, right after these: a canvas of its own would cost as much again.
 */
export class Outlines {
  /** @type {OutlineSquares | null} */
  #squares = null;

  /**
   * Pictures on the screen.
   *
   * @type {OutlinePictures | null}
   */
  #seen = null;

  /**
   * Those that are drawn, often the same.
   *
   * @type {OutlinePictures | null}
   */
  #coming = null;

  #frame = 0;
  #moving = false;

  /**
   * @param {OpenSeadragon.Viewer} osd the viewer
   * @param {SlideFrame} frame
   * @param {Overlays} overlays
   * @param {Swipe} swipe
   */
  constructor(osd, frame, overlays, swipe) {
    this.osd = osd;
    this.frame = frame;
    this.overlays = overlays;
    this.swipe = swipe;
    /** @type {Layer | null} */
    this.layer = null;
    osd.addHandler("update-viewport", () => this.#follow());
    osd.addHandler("animation-start", () => (this.#moving = true));
    osd.addHandler("animation-finish", () => this.#rest());
    overlays.onChange(() => this.#takeOver());
  }

  /** Are lines on the screen, and not tiles? */
  get areSeen() {
    return this.#seen !== null;
  }

  /** Is what is on the screen all that there is to see, as wanted now? */
  get areSettled() {
    if (!this.#wanted) return !this.areSeen;
    const seen = this.#seen;
    if (!seen || seen !== this.#coming) return false;
    return seen.covers(edgesOf(this.frame.view));
  }

  close() {
    cancelAnimationFrame(this.#frame);
    this.#squares?.close();
  }

  /** Other layers, classes, colours or opacities. */
  #takeOver() {
    this.layer = this.overlays.layers.find(({ spec }) => spec.outlines) ?? null;
    const spec = this.layer?.spec;
    const outlines = spec?.outlines;
    if (this.#squares?.url !== outlines?.url) {
      this.#squares?.close();
      this.#squares = outlines ? new OutlineSquares(outlines, spec.bounds, () => this.#soon()) : null;
      this.#coming = null;
    }
    this.osd.forceRedraw();
  }

  get #wanted() {
    return Boolean(this.layer?.choice.on) && this.#scale >= Math.max(PX_PER_PIXEL, PX_PER_UM * this.#mpp);
  }

  get #mpp() {
    return this.frame.slide.mpp ?? Infinity; // nothing is outlined where it is unknown
  }

  /** Pixels of the style sheet per level-0 pixel, when the view has come to rest. */
  get #scale() {
    return this.osd.viewport.getContainerSize().x / this.frame.view.width;
  }

  /** What OpenSeadragon draws on, since it is told to use a canvas. */
  get #canvas() {
    return /** @type {HTMLCanvasElement} */ (this.osd.drawer.canvas);
  }

  /** Pixels of the screen per pixel of the style sheet. */
  get #density() {
    return this.#canvas.width / this.osd.viewport.getContainerSize().x;
  }

  /** What is on the screen at this moment. */
  get #screen() {
    const { x: width, y: height } = this.osd.viewport.getContainerSize();
    const from = this.frame.fromScreen({ x: 0, y: 0 });
    const to = this.frame.fromScreen({ x: width, y: height });
    return { left: from.x, top: from.y, right: to.x, bottom: to.y };
  }

  #rest() {
    this.#moving = false;
    this.#soon();
  }

  /** Look again in the next frame; while the view moves it does so anyway. */
  #soon() {
    if (this.#moving) return;
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#look());
  }

  /** A frame with nothing new from the slide; draw one if there is something new from here. */
  #look() {
    if (!this.osd.isOpen()) return;
    const [seen, finished] = [this.#seen, this.#seen?.finished];
    this.#decide();
    if (this.#seen !== seen || this.#seen?.finished !== finished) this.osd.forceRedraw();
  }

  #follow() {
    cancelAnimationFrame(this.#frame);
    if (!this.osd.isOpen()) return;
    const before = this.#seen;
    this.#decide();
    // This frame was drawn without the tiles that are now to be seen: they follow in the next one.
    const seen = this.#seen ?? before;
    if (seen && this.layer) this.#draw(seen, this.layer.choice.opacity);
    if (before && !this.#seen) this.osd.forceRedraw();
  }

  #decide() {
    if (this.#squares && this.#wanted) this.#prepare(this.#squares);
    else this.#squares?.want([]);
    this.#turn();
  }

  /**
   * Bring here what the view needs and soon may need.
   *
   * @param {OutlineSquares} squares
   */
  #prepare(squares) {
    const colours = new Map(this.overlays.shownClasses.map(({ id, colour }) => [id, colour]));
    const scale = this.#scale * this.#density;
    const look = JSON.stringify([scale, ...colours]);
    if (this.#coming?.look !== look) {
      const line = Math.min(LINE_PX, Math.max(FINE_LINE_PX, (LINE_UM * this.#scale) / this.#mpp));
      this.#coming = new OutlinePictures(squares, scale, line * this.#density, colours, look);
    }
    const coming = this.#coming;
    const view = edgesOf(this.frame.view);
    const boxes = [view, this.#screen, coming.grown(view)];
    squares.want(boxes);
    coming.tidy(boxes);
    if (coming.draw(boxes, this.#moving ? MOST_MOVING : MOST_AT_REST)) this.#soon();
  }

  /** Let lines or tiles be seen: what is wanted, as soon as it is all there. */
  #turn() {
    const { layer, overlays } = this;
    const view = edgesOf(this.frame.view);
    const ready = this.#wanted && Boolean(this.#coming?.covers(view));
    const arrived = Math.abs(this.frame.scale / this.#scale - 1) < 0.01;
    if (ready && arrived) this.#seen = this.#coming;
    if (!layer?.choice.on) {
      this.#seen = null;
      layer?.reappear();
    } else if (this.#seen && ready) {
      layer.disappear();
    } else if (this.#seen && !(this.#wanted && this.#squares?.within(view))) {
      layer.prepare(overlays.shown);
      if (layer.isThere) {
        this.#seen = null;
        layer.reappear();
      } else this.#soon();
    }
  }

  /**
   * @param {OutlinePictures} pictures
   * @param {number} opacity
   */
  #draw(pictures, opacity) {
    const { width, height } = this.#canvas;
    const density = this.#density;
    const stretch = (this.frame.scale * density) / pictures.scale;
    const { x, y } = this.frame.toScreen({ x: 0, y: 0 });
    // At rest, pixels of the pictures are those of the screen, and as sharp.
    const still = Math.abs(stretch - 1) < 1e-6;
    const corner = still
      ? { x: Math.round(x * density), y: Math.round(y * density) }
      : { x: x * density, y: y * density };
    const brush = brushOf(this.#canvas);
    brush.save();
    const cut = width * this.swipe.cut;
    brush.beginPath();
    brush.rect(cut, 0, width - cut, height);
    brush.clip();
    brush.globalAlpha = opacity;
    pictures.show(brush, this.#screen, corner, still ? 1 : stretch);
    brush.restore();
  }
}
