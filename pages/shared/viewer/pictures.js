import { save, snapshot } from "./snapshot.js";

/** Pictures to take away: the view as it is on the screen, or its part of the slide in full. */
export class Pictures {
  constructor(osd, root, slide, overlays, readout) {
    Object.assign(this, { osd, root, slide, overlays, readout });
  }

  async saveView() {
    const classes = this.overlays.shownLayers.some(({ spec }) => spec.byClass)
      ? this.overlays.shownClasses
      : [];
    save(await snapshot(this.osd, this.root, this.readout.shown, classes), `${this.#name}.png`);
  }

  /** The server draws it, since the browser holds no more than the screen does. */
  saveFull() {
    const link = document.createElement("a");
    link.href = this.#fullAddress;
    link.download = `${this.#name}-full.png`;
    link.click();
  }

  get #fullAddress() {
    const address = new URL(this.slide.picture, document.baseURI);
    const layers = this.overlays.shownLayers.map(({ spec, opacity }) => `${spec.id}:${opacity}`);
    const said = new URLSearchParams({
      region: Object.values(this.#region).join(","),
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

  /** What is seen of the slide, whole level-0 pixels. */
  get #region() {
    const base = this.osd.world.getItemAt(0);
    const view = base.viewportToImageRectangle(this.osd.viewport.getBounds());
    const { x, y, width, height } = this.slide;
    const left = Math.max(0, Math.floor(view.x));
    const top = Math.max(0, Math.floor(view.y));
    const right = Math.min(width, Math.ceil(view.x + view.width));
    const bottom = Math.min(height, Math.ceil(view.y + view.height));
    return { x: x + left, y: y + top, width: right - left, height: bottom - top };
  }

  get #name() {
    const { x, y } = this.#region;
    return `${this.slide.title.replace(/\.[^.]*$/, "")}-${x}-${y}`;
  }
}
