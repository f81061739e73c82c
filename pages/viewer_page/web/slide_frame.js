/** The bridge between the slide's level-0 pixels and the screen's, counted from the viewer's corner. */
export class SlideFrame {
  constructor(OpenSeadragon, osd, slide) {
    this.Point = OpenSeadragon.Point;
    this.osd = osd;
    this.slide = slide;
    osd.addHandler("resize", () => osd.isOpen() && this.#keep(this.place));
  }

  /** Screen pixels per level-0 pixel, as drawn at this moment. */
  get scale() {
    return this.osd.viewport.getContainerSize().x * this.osd.viewport.getZoom(true) / this.slide.width;
  }

  toScreen({ x, y }) {
    const { slide } = this;
    const point = new this.Point((x - slide.x) / slide.width, (y - slide.y) / slide.width);
    return this.osd.viewport.pixelFromPoint(point, true);
  }

  fromScreen({ x, y }) {
    const point = this.osd.viewport.pointFromPixel(new this.Point(x, y), true);
    return this.#toSlide(point);
  }

  /** Level-0 pixels under the pointer. */
  under(event) {
    const { left, top } = this.osd.canvas.getBoundingClientRect();
    return this.fromScreen({ x: event.clientX - left, y: event.clientY - top });
  }

  /** The nearest point that is on the slide. */
  onSlide({ x, y }) {
    const { slide } = this;
    return {
      x: Math.min(Math.max(x, slide.x), slide.x + slide.width),
      y: Math.min(Math.max(y, slide.y), slide.y + slide.height),
    };
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

  /** Bring a point to the middle; without a width the enlargement stays. */
  goTo({ x, y, width }, immediately = false) {
    const { slide } = this;
    const { viewport } = this.osd;
    if (width) viewport.zoomTo(slide.width / width, null, immediately);
    const point = new this.Point((x - slide.x) / slide.width, (y - slide.y) / slide.width);
    viewport.panTo(point, immediately);
    viewport.applyConstraints(immediately);
  }

  /**
   * Stay at a place though the screen has become another: OpenSeadragon, which goes on to choose
   * an enlargement of its own, is corrected before it draws that, or else right after.
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

  #toSlide({ x, y }) {
    const { slide } = this;
    return { x: slide.x + x * slide.width, y: slide.y + y * slide.width };
  }
}
