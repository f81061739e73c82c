import { part } from "./element.js";

/** @import {Beacon} from "./beacon.js" */
/** @import {SlideFrame} from "./slide_frame.js" */
/** @import {Point} from "./types.d.ts" */

/** A small form: two coordinates, in level-0 pixels or µm, and the view goes there. */
export class GoTo {
  /**
   * @param {HTMLDialogElement} dialog
   * @param {SlideFrame} frame
   * @param {Beacon} beacon
   */
  constructor(dialog, frame, beacon) {
    this.dialog = dialog;
    this.frame = frame;
    this.beacon = beacon;
    this.field = part(dialog, "input", HTMLInputElement);
    this.unit = part(dialog, "select", HTMLSelectElement);
    this.unit.hidden = !frame.slide.mpp;
    part(dialog, "form", HTMLFormElement).onsubmit = (event) => this.#go(event);
    // A field that is still called wrong would not be sent.
    this.field.oninput = () => this.field.setCustomValidity("");
    this.unit.onchange = () => this.#fill();
  }

  toggle() {
    if (this.dialog.open) return this.dialog.close();
    this.#fill();
    this.dialog.showModal();
    return this.field.select();
  }

  get #umEach() {
    return this.unit.value === "um" ? (this.frame.slide.mpp ?? 1) : 1;
  }

  /** The middle of the view, for who wants to note it down. */
  #fill() {
    const { x, y } = this.frame.place;
    const middle = [x, y].map((each) => Math.round(each * this.#umEach));
    this.field.value = middle.join(", ");
    this.field.setCustomValidity("");
  }

  /** @param {SubmitEvent} event */
  #go(event) {
    const place = placeIn(this.field.value, this.#umEach);
    const isOnSlide = place && isSame(this.frame.onSlide(place), place);
    this.field.setCustomValidity(
      isOnSlide ? "" : "Type two numbers that lie on the slide: x, y",
    );
    if (!isOnSlide) {
      event.preventDefault();
      this.field.reportValidity();
      return;
    }
    this.frame.goTo(place);
    this.beacon.show(place);
  }
}

/**
 * The place that two numbers name, null where there are not just two.
 *
 * @param {string} text
 * @param {number} unit what one of them is divided by to be level-0 pixels
 * @returns {Point | null}
 */
export function placeIn(text, unit) {
  const numbers = text.match(/-?\d+(\.\d+)?/g) ?? [];
  if (numbers.length !== 2) return null;
  const [x, y] = numbers.map((each) => Number(each) / unit);
  return { x, y };
}

/**
 * @param {Point} one
 * @param {Point} other
 */
function isSame(one, other) {
  return one.x === other.x && one.y === other.y;
}
