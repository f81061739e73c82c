import { MPP_AT_1X } from "./readout.js";

/** @import {SlideFrame} from "./slide_frame.js" */

/** Buttons for the magnifications of a microscope; hidden where the size of a pixel is unknown. */
export class Magnifications {
  /**
   * @param {HTMLElement} group
   * @param {SlideFrame} frame
   */
  constructor(group, frame) {
    this.frame = frame;
    group.hidden = !frame.slide.mpp;
    /** @type {Record<string, () => void>} */
    this.actions = {};
    for (const button of group.querySelectorAll("button")) {
      const times = Number(button.dataset.times);
      this.actions[`${times}x`] = () => this.show(times);
      button.onclick = this.actions[`${times}x`];
    }
  }

  /**
   * Enlarge as an objective does: 40x is 0.25 µm a screen pixel.
   *
   * @param {number} times
   */
  show(times) {
    const { frame } = this;
    if (!frame.slide.mpp) return;
    const width = (frame.osd.viewport.getContainerSize().x * MPP_AT_1X) / times / frame.slide.mpp;
    frame.goTo({ ...frame.place, width });
  }
}
