/** A small form: two coordinates, in level-0 pixels or µm, and the view goes there. */
export class GoTo {
  constructor(dialog, frame, beacon) {
    Object.assign(this, { dialog, frame, beacon });
    this.field = dialog.querySelector("input");
    this.unit = dialog.querySelector("select");
    this.unit.hidden = !frame.slide.mpp;
    dialog.querySelector("form").onsubmit = (event) => this.#go(event);
    // A field that is still called wrong would not be sent.
    this.field.oninput = () => this.field.setCustomValidity("");
    this.unit.onchange = () => this.#fill();
  }

  toggle() {
    if (this.dialog.open) return this.dialog.close();
    this.#fill();
    this.dialog.showModal();
    return this.field.select();
  }

  get #umEach() {
    return this.unit.value === "um" ? this.frame.slide.mpp : 1;
  }

  /** The middle of the view, for who wants to note it down. */
  #fill() {
    const { x, y } = this.frame.place;
    const middle = [x, y].map((each) => Math.round(each * this.#umEach));
    this.field.value = middle.join(", ");
    this.field.setCustomValidity("");
  }

  #go(event) {
    const [x, y, ...rest] = (this.field.value.match(/-?\d+(\.\d+)?/g) ?? []).map(
      (each) => Number(each) / this.#umEach,
    );
    const place = { x, y };
    const inside = !rest.length && isSame(this.frame.onSlide(place), place);
    this.field.setCustomValidity(inside ? "" : "Type two numbers that lie on the slide: x, y");
    if (!inside) {
      event.preventDefault();
      this.field.reportValidity();
      return;
    }
    this.frame.goTo(place);
    this.beacon.show(place);
  }
}

function isSame(one, other) {
  return one.x === other.x && one.y === other.y;
}
