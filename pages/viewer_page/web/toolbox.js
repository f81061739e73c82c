/**
 * The tools that take the pointer over: rectangle, polygon, ruler. One at a time, by its button.
 *
 * A tool has `hint`, `press`, `move`, `release`, `doubleClick`, `key` and `cancel`; it calls
 * `done()` when the reader is to have the pointer back. Points are level-0 pixels.
 */
export class Toolbox {
  constructor(root, frame, hints, tools) {
    Object.assign(this, { frame, hints, tools, active: null });
    this.glass = root.querySelector(".glass");
    frame.osd.canvas.append(this.glass); // within it the wheel still zooms
    this.buttons = new Map(
      Object.keys(tools).map((name) => [name, root.querySelector(`[data-act="${name}"]`)]),
    );
    this.actions = Object.fromEntries(
      Object.keys(tools).map((name) => [name, () => this.toggle(name)]),
    );
    for (const tool of Object.values(tools)) tool.done = () => this.#take(null);

    const on = (type, act) =>
      this.glass.addEventListener(type, (event) => {
        event.stopPropagation();
        const tool = this.tools[this.active]; // none when the press has put it away
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
    on("dblclick", (tool, event, point) => tool.doubleClick?.(point, event));
    on("click", () => {});
  }

  toggle(name) {
    this.#take(name === this.active ? null : name);
  }

  /** Keys while a tool is in hand; tells whether one was meant for it. */
  key(event) {
    if (!this.active) return false;
    if (event.key === "Escape") this.#take(null);
    else if (!this.tools[this.active].key?.(event)) return false;
    return true;
  }

  #take(name) {
    this.tools[this.active]?.cancel();
    this.active = name;
    this.glass.hidden = !name;
    for (const [each, button] of this.buttons) {
      button.setAttribute("aria-pressed", String(each === name));
    }
    this.hints.keep(this.tools[name]?.hint ?? "");
    // The keys that follow are the tool's, not Streamlit's.
    if (name) this.buttons.get(name).focus();
  }
}
