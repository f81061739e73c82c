import { nearestIn } from "./boxes.js";

/** @import {Library} from "./library.js" */
/** @import {Place, Point, Slide} from "./types.d.ts" */

/** The bridge between the slide's level-0 pixels and the screen's, counted from the viewer's corner. */
export class SlideFrame {
  /**
   * Where the view was sent, and where it could go on a screen of that size.
   *
   * @type {{asked: Required<Place>, reached: Required<Place>} | undefined}
   */
  #sent;

  /**
   * @param {Library} library
   * @param {OpenSeadragon.Viewer} osd the viewer
   * @param {Slide} slide
   */
  constructor(library, osd, slide) {
    this.Point = library.Point;
    this.osd = osd;
    this.slide = slide;
    osd.addHandler("resize", () => osd.isOpen() && this.#keep(this.#placeToKeep()));
  }

  /** Screen pixels per level-0 pixel, as drawn at this moment. */
  get scale() {
    return this.osd.viewport.getContainerSize().x * this.osd.viewport.getZoom(true) / this.slide.width;
  }

  /** @param {Point} point */
  toScreen({ x, y }) {
    const { slide } = this;
    const point = new this.Point((x - slide.x) / slide.width, (y - slide.y) / slide.width);
    return this.osd.viewport.pixelFromPoint(point, true);
  }

  /** @param {Point} point */
  fromScreen({ x, y }) {
    const point = this.osd.viewport.pointFromPixel(new this.Point(x, y), true);
    return this.#toSlide(point);
  }

  /**
   * Level-0 pixels under the pointer.
   *
   * @param {MouseEvent} event
   */
  under(event) {
    const { left, top } = this.osd.canvas.getBoundingClientRect();
    return this.fromScreen({ x: event.clientX - left, y: event.clientY - top });
  }

  /**
   * The nearest point that is on the slide.
   *
   * @param {Point} point
   */
  onSlide(point) {
    return nearestIn(point, this.slide);
  }

  /** What is seen, or will be when the view has come to rest. */
  get view() {
    const bounds = this.osd.viewport.getBounds();
    const { x, y } = this.#toSlide(bounds);
    const { width } = this.slide;
    return { x, y, width: bounds.width * width, height: bounds.height * width };
  }

  /** The view as its middle and its width: what is the same on a screen of any size. */
  get place() {
    const { x, y, width, height } = this.view;
    return { x: x + width / 2, y: y + height / 2, width };
  }

  /**
   * Bring a point to the middle; without a width the enlargement stays.
   *
   * @param {Place} place
   */
  goTo({ x, y, width }, immediately = false) {
    const { slide } = this;
    const { viewport } = this.osd;
    if (width) viewport.zoomTo(slide.width / width, undefined, immediately);
    const point = new this.Point((x - slide.x) / slide.width, (y - slide.y) / slide.width);
    viewport.panTo(point, immediately);
    viewport.applyConstraints(immediately);
    this.#sent = { asked: { x, y, width: width ?? this.place.width }, reached: this.place };
  }

  /**
   * The view, or where it was sent as long as it has stayed there: a viewer may open before it has
   * its size, which allows less than the screen does.
   */
  #placeToKeep() {
    const { place } = this;
    return this.#sent && isSame(this.#sent.reached, place) ? this.#sent.asked : place;
  }

  /**
   * Stay at a place though the screen has become another: OpenSeadragon, which goes on to choose
   * an enlargement of its own, is corrected before it draws that, or else right after.
   *
   * @param {Place} place
   */
  #keep(place) {
    const { osd } = this;
    const back = () => this.goTo(place, true);
    osd.addOnceHandler("viewport-change", back);
    queueMicrotask(() => {
      osd.removeHandler("viewport-change", back);
      if (osd.isOpen()) back();
    });
  }

  /** @param {Point} point */
  #toSlide({ x, y }) {
    const { slide } = this;
    return { x: slide.x + x * slide.width, y: slide.y + y * slide.width };
  }
}

/**
 * Whether two views differ by less than is seen.
 *
 * @param {Required<Place>} one
 * @param {Required<Place>} other
 */
function isSame(one, other) {
  const most = Math.max(Math.abs(one.x - other.x), Math.abs(one.y - other.y), Math.abs(one.width - other.width));
  return most < 1e-6 * one.width;
}
