import { boxOf } from "./rings.js";
import { fetch, throughChannel } from "./server.js";
import { save, snapshot } from "./snapshot.js";

/** Pictures to take away: the view as on the screen, or the selected ROI, else what is seen, in full. */
export class Pictures {
  constructor(frame, root, overlays, readout, regions, hints) {
    Object.assign(this, { frame, root, overlays, readout, regions, hints });
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
    const address = this.#addressOf(this.#pixelsOf(box));
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
    address.search = said;
    return address.href;
  }

  /** Whole level-0 pixels of the slide in a box. */
  #pixelsOf(box) {
    const { x, y, width, height } = this.slide;
    const left = Math.max(x, Math.floor(box.x));
    const top = Math.max(y, Math.floor(box.y));
    const right = Math.min(x + width, Math.ceil(box.x + box.width));
    const bottom = Math.min(y + height, Math.ceil(box.y + box.height));
    return { x: left, y: top, width: right - left, height: bottom - top };
  }

  #nameOf(box) {
    const { x, y } = this.#pixelsOf(box);
    return `${this.slide.title.replace(/\.[^.]*$/, "")}-${x}-${y}`;
  }
}
