import { Choices } from "./choices.js";
import { part } from "./element.js";

/** @typedef {{brightness: number, contrast: number}} Look */

/** @type {Look} */
const AS_SCANNED = { brightness: 1, contrast: 1 };

/**
 * Brightness and contrast of the slide on the screen; layers, files and analyses are left alone.
 *
 * The filter is set while tiles of the slide are drawn and for no others: all share one canvas.
 */
export class SlideLook {
  /** @type {Choices<Look>} */
  #choices = new Choices("look");

  /**
   * @param {OpenSeadragon.Viewer} osd the viewer
   * @param {ParentNode} root holds the two sliders and the button that sets them back
   */
  constructor(osd, root) {
    this.osd = osd;
    const place = part(root, ".look", HTMLDetailsElement);
    // on a small screen the panel has room for its title alone
    place.ontoggle = () => place.open && place.scrollIntoView({ block: "nearest" });
    this.sliders = /** @type {const} */ (["brightness", "contrast"]).map((name) => {
      const slider = part(place, `input[name=${name}]`, HTMLInputElement);
      slider.oninput = () => this.#choose({ ...this.look, [name]: Number(slider.value) });
      return { name, slider };
    });
    this.back = part(place, "button", HTMLButtonElement);
    this.back.onclick = () => this.#choose(AS_SCANNED);
    osd.addHandler("tile-drawing", ({ tiledImage, context }) => {
      if (this.#filter && tiledImage === osd.world.getItemAt(0)) context.filter = this.#filter;
    });
    osd.addHandler("tile-drawn", () => this.#reset());
    this.#show();
  }

  /** What is set now. */
  get look() {
    return this.#choices.get("slide") ?? AS_SCANNED;
  }

  /** As a canvas takes it; empty where the slide is seen as it was scanned. */
  get #filter() {
    const { brightness, contrast } = this.look;
    return brightness === 1 && contrast === 1 ? "" : `brightness(${brightness}) contrast(${contrast})`;
  }

  #reset() {
    const canvas = /** @type {HTMLCanvasElement} */ (this.osd.drawer.canvas);
    const brush = canvas.getContext("2d");
    if (brush && brush.filter !== "none") brush.filter = "none";
  }

  /** @param {Look} look */
  #choose(look) {
    this.#choices.set("slide", look);
    this.#show();
    this.osd.forceRedraw();
  }

  #show() {
    for (const { name, slider } of this.sliders) slider.value = String(this.look[name]);
    this.back.disabled = !this.#filter;
  }
}
