import { part } from "./element.js";

/** @import {Slide} from "./types.d.ts" */

/** Magnification and scale bar of the present view. */

const LONGEST_BAR_PX = 150;

/** A 10x objective scans at about 1 µm/px, a 40x one at 0.25. */
export const MPP_AT_1X = 10;

export class Readout {
  /**
   * @param {OpenSeadragon.Viewer} osd the viewer
   * @param {HTMLElement} place
   * @param {Slide} slide
   */
  constructor(osd, place, slide) {
    this.osd = osd;
    this.mpp = slide.mpp;
    this.magnification = part(place, ".magnification", HTMLElement);
    this.scale = part(place, ".scale", HTMLElement);
    this.bar = part(place, ".scale-bar", HTMLElement);
    this.text = part(place, ".scale-text", HTMLElement);
    this.scale.hidden = !this.mpp;
    /** Words and length of the bar on the screen. */
    this.shown = { text: "", px: 0 };
    osd.addHandler("open", () => this.#draw());
    osd.addHandler("update-viewport", () => this.#draw());
  }

  #draw() {
    if (!this.osd.isOpen()) return;
    const { viewport, world } = this.osd;
    const screenPxPerPixel = world.getItemAt(0).viewportToImageZoom(viewport.getZoom(true));
    if (!this.mpp) {
      this.magnification.textContent = `${Math.round(screenPxPerPixel * 100)} %`;
      return;
    }
    const umPerScreenPx = this.mpp / screenPxPerPixel;
    this.magnification.textContent = `${format(MPP_AT_1X / umPerScreenPx)}×`;
    const length = roundLength(umPerScreenPx * LONGEST_BAR_PX);
    this.shown = {
      text: length >= 1000 ? `${length / 1000} mm` : `${length} µm`,
      px: length / umPerScreenPx,
    };
    this.text.textContent = this.shown.text;
    this.bar.style.width = `${this.shown.px}px`;
  }
}

/**
 * The largest of 1, 2, 5 times a power of ten that is not above a length.
 *
 * @param {number} longest
 * @returns {number}
 */
export function roundLength(longest) {
  const power = 10 ** Math.floor(Math.log10(longest));
  return [5, 2, 1].map((factor) => factor * power).find((length) => length <= longest * 1.000001) ?? power;
}

/** @param {number} magnification */
function format(magnification) {
  return magnification < 10 ? magnification.toFixed(1) : Math.round(magnification);
}
