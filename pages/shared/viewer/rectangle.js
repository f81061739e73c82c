/** Draws the one rectangle that an analysis is asked for; speaks level-0 pixels to the outside. */

const SMALLEST_PX = 8; // a shorter drag was meant as a click

export class RectangleTool {
  constructor(OpenSeadragon, osd, root, slide, chooseRegion) {
    Object.assign(this, { OpenSeadragon, osd, slide, chooseRegion, region: null, start: null });
    this.glass = root.querySelector(".glass");
    this.drawButton = root.querySelector('[data-act="draw"]');
    this.clearButton = root.querySelector('[data-act="clear"]');
    this.outline = document.createElement("div");
    this.outline.className = "rectangle";

    this.abort = new AbortController();
    const { signal } = this.abort;
    const onGlass = (type, act) => this.glass.addEventListener(type, act, { signal });
    onGlass("pointerdown", (event) => this.#press(event));
    onGlass("pointermove", (event) => this.#drag(event));
    onGlass("pointerup", (event) => this.#release(event));
    onGlass("pointercancel", () => this.#cancel());
    const cancel = (event) => event.key === "Escape" && this.#cancel();
    root.querySelector(".viewer").addEventListener("keydown", cancel, { signal });
  }

  /** Show the rectangle that Python knows of; it has the last word. */
  update(region) {
    if (this.start) return;
    this.region = region;
    if (this.osd.isOpen()) this.#show(region);
    else this.osd.addOnceHandler("open", () => this.#show(this.region));
  }

  toggle() {
    if (this.glass.hidden) this.#arm(true);
    else this.#cancel();
  }

  takeView() {
    const view = this.#base.viewportToImageRectangle(this.osd.viewport.getBounds());
    this.#choose(this.#toRegion(view.getTopLeft(), view.getBottomRight()));
  }

  clear() {
    this.#choose(null);
  }

  close() {
    this.abort.abort();
  }

  /** The slide's own image: the overlays above it have other pixels. */
  get #base() {
    return this.osd.world.getItemAt(0);
  }

  #arm(drawing) {
    this.glass.hidden = !drawing;
    this.drawButton.setAttribute("aria-pressed", String(drawing));
    if (drawing) this.drawButton.focus();
  }

  #cancel() {
    if (this.glass.hidden) return;
    this.start = null;
    this.#arm(false);
    this.#show(this.region);
  }

  #press(event) {
    this.glass.setPointerCapture(event.pointerId);
    this.start = this.#pixel(event);
    this.startScreen = [event.clientX, event.clientY];
  }

  #drag(event) {
    if (this.start) this.#show(this.#toRegion(this.start, this.#pixel(event)));
  }

  #release(event) {
    if (!this.start) return;
    const [x, y] = this.startScreen;
    const region = this.#toRegion(this.start, this.#pixel(event));
    this.start = null;
    const meant = Math.min(Math.abs(event.clientX - x), Math.abs(event.clientY - y)) >= SMALLEST_PX;
    if (meant && region) {
      this.#arm(false);
      this.#choose(region);
    } else {
      this.#show(this.region);
    }
  }

  #choose(region) {
    this.region = region;
    this.#show(region);
    this.chooseRegion(region);
  }

  /** Image pixel under the pointer: level-0 pixels counted from the corner of the picture. */
  #pixel(event) {
    const { left, top } = this.glass.getBoundingClientRect();
    const point = new this.OpenSeadragon.Point(event.clientX - left, event.clientY - top);
    return this.#base.viewerElementToImageCoordinates(point);
  }

  /** Whole level-0 pixels between two corners, cut at the slide's edges; null when none is left. */
  #toRegion(one, other) {
    const { width, height, x, y } = this.slide;
    const left = Math.max(0, Math.floor(Math.min(one.x, other.x)));
    const top = Math.max(0, Math.floor(Math.min(one.y, other.y)));
    const right = Math.min(width, Math.ceil(Math.max(one.x, other.x)));
    const bottom = Math.min(height, Math.ceil(Math.max(one.y, other.y)));
    if (right <= left || bottom <= top) return null;
    return { x: x + left, y: y + top, width: right - left, height: bottom - top };
  }

  #show(region) {
    this.clearButton.disabled = !region;
    this.osd.removeOverlay(this.outline);
    if (!region) return;
    const location = this.#base.imageToViewportRectangle(
      region.x - this.slide.x,
      region.y - this.slide.y,
      region.width,
      region.height,
    );
    this.osd.addOverlay({ element: this.outline, location, checkResize: false });
  }
}
