const WRITING_MS = 300;

/**
 * Keeps slide and view in the page's address: the middle and the width of what is seen, level-0
 * pixels. A copied address shows a colleague the same place; nothing in it opens a slide by itself.
 */
export class ViewAddress {
  #timer;

  constructor(frame) {
    this.frame = frame;
    this.page = location.pathname;
    frame.osd.addHandler("viewport-change", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#write(), WRITING_MS);
    });
  }

  /** The place that the address names on this slide, or null. */
  read() {
    const query = new URLSearchParams(location.search);
    if (query.get("slide") !== this.frame.slide.id) return null;
    const [x, y, width] = ["x", "y", "width"].map((name) => parseFloat(query.get(name)));
    return Number.isFinite(x) && Number.isFinite(y) && width > 0 ? { x, y, width } : null;
  }

  close() {
    clearTimeout(this.#timer);
  }

  #write() {
    const { osd, slide } = this.frame;
    if (!osd.isOpen() || location.pathname !== this.page) return; // another page has begun
    const address = new URL(location.href);
    address.searchParams.set("slide", slide.id);
    for (const [name, value] of Object.entries(this.frame.place)) {
      address.searchParams.set(name, Math.round(value));
    }
    history.replaceState(history.state, "", address);
  }
}
