import { MPP_AT_1X } from "./readout.js";

/** Buttons for the magnifications of a microscope; hidden where the size of a pixel is unknown. */
export class Magnifications {
  constructor(group, frame) {
    this.frame = frame;
    group.hidden = !frame.slide.mpp;
    this.actions = {};
    for (const button of group.querySelectorAll("button")) {
      const times = Number(button.dataset.times);
      this.actions[`${times}x`] = () => this.show(times);
      button.onclick = this.actions[`${times}x`];
    }
  }

  /** Enlarge as an objective does: 40x is 0.25 µm a screen pixel. */
  show(times) {
    const { frame } = this;
    if (!frame.slide.mpp) return;
    const width = (frame.osd.viewport.getContainerSize().x * MPP_AT_1X) / times / frame.slide.mpp;
    frame.goTo({ ...frame.place, width });
  }
}
