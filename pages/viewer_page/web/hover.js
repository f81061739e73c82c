import { fetch } from "./server.js";

const REST_MS = 120;

/** Class, score and area of the nucleus on which the pointer rests. */
export class Hover {
  #timer;
  #request = new AbortController();

  constructor(tip, frame, shownClasses) {
    Object.assign(this, { tip, frame, shownClasses, address: null });
    const { canvas } = frame.osd;
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const type of ["pointerleave", "pointerdown", "wheel"]) {
      canvas.addEventListener(type, () => this.#hide(), { passive: true });
    }
  }

  /** @param {?string} address where Python answers; none while nothing is analysed */
  update(address) {
    if (address !== this.address) this.#hide();
    this.address = address;
  }

  #move(event) {
    this.#hide();
    if (!this.address || event.buttons || event.pointerType === "touch") return;
    this.#timer = setTimeout(() => this.#ask(event), REST_MS);
  }

  #hide() {
    clearTimeout(this.#timer);
    this.#request.abort();
    this.tip.hidden = true;
  }

  async #ask(event) {
    const { x, y } = this.frame.under(event);
    const address = new URL(this.address, document.baseURI);
    const point = { x: x.toFixed(2), y: y.toFixed(2), show: this.shownClasses().join(",") };
    for (const [name, value] of Object.entries(point)) address.searchParams.set(name, value);
    this.#request = new AbortController();
    const { signal } = this.#request;
    try {
      const answer = await fetch(address, { signal });
      const nucleus = answer.ok ? await answer.json() : {};
      if (nucleus.id && !signal.aborted) this.#show(nucleus, event);
    } catch {
      // the pointer has gone on, or the server has: nothing to tell
    }
  }

  #show({ class: name, uncertain, score, area_um2: area }, event) {
    const { left, top } = this.frame.osd.canvas.getBoundingClientRect();
    this.tip.textContent = `${name}${uncertain ? ", uncertain" : ""} · ${Math.round(score * 100)} % · ${area.toFixed(1)} µm²`;
    this.tip.style.translate = `${event.clientX - left + 12}px ${event.clientY - top + 14}px`;
    this.tip.hidden = false;
  }
}
