import { pixelsOf } from "./boxes.js";
import { boxOf } from "./rings.js";
import { fetch, throughChannel } from "./server.js";
import { save, snapshot } from "./snapshot.js";

/** @import {Hints} from "./hints.js" */
/** @import {Overlays} from "./overlays.js" */
/** @import {Readout} from "./readout.js" */
/** @import {Regions} from "./regions.js" */
/** @import {SlideFrame} from "./slide_frame.js" */
/** @import {Box} from "./types.d.ts" */

/** Pictures to take away: the view as on the screen, or the selected ROI, else what is seen, in full. */
export class Pictures {
  /**
   * @param {SlideFrame} frame
   * @param {ParentNode} root
   * @param {Overlays} overlays
   * @param {Readout} readout
   * @param {Regions} regions
   * @param {Hints} hints
   */
  constructor(frame, root, overlays, readout, regions, hints) {
    this.frame = frame;
    this.root = root;
    this.overlays = overlays;
    this.readout = readout;
    this.regions = regions;
    this.hints = hints;
    this.slide = frame.slide;
  }

  async saveView() {
    const classes = this.overlays.shownLayers.some(({ spec }) => spec.byClass)
      ? this.overlays.shownClasses
      : [];
    save(await snapshot(this.frame.osd, this.root, this.readout.shown, classes), `${this.#nameOf(this.frame.view)}.png`);
  }

  /** The server draws it, since the browser holds no more than the screen does. */
  async saveFull() {
    const roi = this.regions.get(this.regions.selected);
    const box = roi ? boxOf(roi.rings[0]) : this.frame.view;
    const address = this.#addressOf(pixelsOf(box, this.slide));
    if (throughChannel()) {
      const refusal = await fetch(address);
      this.hints.tell(await refusal.text());
      return;
    }
    const link = document.createElement("a");
    link.href = address;
    link.download = `${this.#nameOf(box)}-full.png`;
    link.click();
  }

  /** @param {Box} box */
  #addressOf({ x, y, width, height }) {
    const address = new URL(this.slide.picture, document.baseURI);
    const layers = this.overlays.shownLayers.map(({ spec, opacity }) => `${spec.id}:${opacity}`);
    const said = new URLSearchParams({
      region: [x, y, width, height].join(","),
      layers: layers.join(","),
      show: this.overlays.shown,
    });
    // Each layer's own address says the rest: the run, the colours and what else it needs.
    for (const { spec } of this.overlays.shownLayers) {
      const own = new URL(spec.url, document.baseURI).searchParams;
      own.forEach((value, name) => said.has(name) || said.set(name, value));
    }
    address.search = said.toString();
    return address.href;
  }

  /** @param {Box} box */
  #nameOf(box) {
    const { x, y } = pixelsOf(box, this.slide);
    return `${this.slide.title.replace(/\.[^.]*$/, "")}-${x}-${y}`;
  }
}
