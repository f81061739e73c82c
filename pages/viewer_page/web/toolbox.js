import { part } from "./element.js";

/** @import {Hints} from "./hints.js" */
/** @import {SlideFrame} from "./slide_frame.js" */
/** @import {Point, Tool} from "./types.d.ts" */

/**
 * The tools that take the pointer over: rectangle, polygon, ruler. One at a time, by its button.
 *
 * A tool calls `done()` when the reader is to have the pointer back.
 */
export class Toolbox {
  /**
   * @param {ParentNode} root
   * @param {SlideFrame} frame
   * @param {Hints} hints
   * @param {Record<string, Tool>} tools
   */
  constructor(root, frame, hints, tools) {
    this.frame = frame;
    this.hints = hints;
    /** @type {Map<string, Tool>} */
    this.tools = new Map(Object.entries(tools));
    /** @type {string | null} */
    this.active = null;
    this.glass = part(root, ".glass", HTMLElement);
    frame.osd.canvas.append(this.glass); // within it the wheel still zooms
    this.buttons = new Map(
      Object.keys(tools).map((name) => [name, part(root, `[data-act="${name}"]`, HTMLElement)]),
    );
    this.actions = Object.fromEntries(
      Object.keys(tools).map((name) => [name, () => this.toggle(name)]),
    );
    for (const tool of Object.values(tools)) tool.done = () => this.#take(null);

    /** @type {(type: string, act: (tool: Tool, event: PointerEvent, point: Point) => void) => void} */
    const on = (type, act) =>
      this.glass.addEventListener(type, (each) => {
        const event = /** @type {PointerEvent} */ (each);
        event.stopPropagation();
        const tool = this.tool; // none when the press has put it away
        if (tool) act(tool, event, this.frame.onSlide(this.frame.under(event)));
      });
    on("pointerdown", (tool, event, point) => {
      if (event.button !== 0) return;
      this.glass.setPointerCapture(event.pointerId);
      tool.press(point, event);
    });
    on("pointermove", (tool, event, point) => tool.move(point, event));
    on("pointerup", (tool, event, point) => tool.release(point, event));
    on("pointercancel", (tool) => tool.cancel());
    on("dblclick", (tool) => tool.doubleClick?.());
    on("click", () => {});
  }

  /** The tool in hand. */
  get tool() {
    return this.active === null ? undefined : this.tools.get(this.active);
  }

  /** @param {string} name */
  toggle(name) {
    this.#take(name === this.active ? null : name);
  }

  /**
   * Keys while a tool is in hand; tells whether one was meant for it.
   *
   * @param {KeyboardEvent} event
   */
  key(event) {
    const { tool } = this;
    if (!tool) return false;
    if (event.key === "Escape") this.#take(null);
    else if (!tool.key?.(event)) return false;
    return true;
  }

  /** @param {string | null} name */
  #take(name) {
    this.tool?.cancel();
    this.active = name;
    this.glass.hidden = !name;
    for (const [each, button] of this.buttons) {
      button.setAttribute("aria-pressed", String(each === name));
    }
    this.hints.keep(this.tool?.hint ?? "");
    // The keys that follow are the tool's, not Streamlit's.
    if (name) this.buttons.get(name)?.focus();
  }
}
