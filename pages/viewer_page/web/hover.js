import { surenessOf } from "./nucleus_card.js";
import { fetch } from "./server.js";

/** @import {SlideFrame} from "./slide_frame.js" */

const REST_MS = 120;

/** Class, score and area of the nucleus on which the pointer rests. */
export class Hover {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #request = new AbortController();

  /**
   * @param {HTMLElement} tip
   * @param {SlideFrame} frame
   * @param {() => number[]} shownClasses
   */
  constructor(tip, frame, shownClasses) {
    this.tip = tip;
    this.frame = frame;
    this.shownClasses = shownClasses;
    /** @type {string | null} */
    this.address = null;
    const { canvas } = frame.osd;
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const type of ["pointerleave", "pointerdown", "wheel"]) {
      canvas.addEventListener(type, () => this.#hide(), { passive: true });
    }
  }

  /** @param {string | null} address where Python answers; none while nothing is analysed */
  update(address) {
    if (address !== this.address) this.#hide();
    this.address = address;
  }

  /** @param {PointerEvent} event */
  #move(event) {
    this.#hide();
    if (!this.address || event.buttons || event.pointerType === "touch") return;
    const { address } = this;
    this.#timer = setTimeout(() => this.#ask(address, event), REST_MS);
  }

  #hide() {
    clearTimeout(this.#timer);
    this.#request.abort();
    this.tip.hidden = true;
  }

  /**
   * @param {string} path
   * @param {PointerEvent} event
   */
  async #ask(path, event) {
    const { x, y } = this.frame.under(event);
    const address = new URL(path, document.baseURI);
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

  /**
   * @param {{class: string, uncertain: boolean, score: number, by_hand: boolean, area_um2: number}} nucleus
   * @param {PointerEvent} event
   */
  #show({ class: name, uncertain, score, by_hand: byHand, area_um2: area }, event) {
    const { left, top } = this.frame.osd.canvas.getBoundingClientRect();
    this.tip.textContent = `${name}${uncertain ? ", uncertain" : ""} · ${surenessOf({ score, byHand })} · ${area.toFixed(1)} µm²`;
    this.tip.style.translate = `${event.clientX - left + 12}px ${event.clientY - top + 14}px`;
    this.tip.hidden = false;
  }
}
