/** @import {Drawing, Ring, Roi} from "./types.d.ts" */

/**
 * The ROIs of the slide as the reader draws them.
 *
 * Python keeps them and has the last word; it tells with each list which change of this viewer it
 * has seen, so that an answer to an older change does not undo a newer one.
 */

const MOST_UNDONE = 50;

export class Regions extends EventTarget {
  /** @param {(value: Drawing) => void} tell sends the list to Python */
  constructor(tell) {
    super();
    this.tell = tell;
    /** @type {Roi[]} */
    this.rois = [];
    /** @type {string | null} */
    this.selected = null;
    this.revision = 0;
    /** @type {{rois: Roi[], selected: string | null}[]} */
    this.before = [];
  }

  /** @param {Drawing} kept what Python knows */
  update({ revision, rois, selected }) {
    if (revision < this.revision) return;
    this.revision = revision;
    const same = written(rois) === written(this.rois);
    // An echo of what was done here must not take the next drag out of the reader's hand.
    if (same && selected === this.selected) return;
    // What was renamed or read from a file since is not to be taken back with a drawing.
    if (!same) this.before = [];
    this.rois = rois;
    this.selected = selected;
    this.dispatchEvent(new Event("change"));
  }

  /** @param {string | null | undefined} name */
  get(name) {
    return this.rois.find((roi) => roi.name === name);
  }

  /** @param {Ring[]} rings */
  add(rings) {
    const name = this.#newName();
    this.#change([...this.rois, { name, kind: "include", rings }], name);
  }

  /**
   * @param {string} name
   * @param {Ring[]} rings
   */
  reshape(name, rings) {
    this.#change(
      this.rois.map((roi) => (roi.name === name ? { ...roi, rings } : roi)),
      name,
    );
  }

  /** @param {string | null} name */
  remove(name) {
    if (this.get(name)) this.#change(this.rois.filter((roi) => roi.name !== name), null);
  }

  /** @param {string} name */
  select(name) {
    if (name !== this.selected) this.#send(this.rois, name);
  }

  /** Take back the last change made here. */
  undo() {
    const last = this.before.pop();
    if (last) this.#send(last.rois, last.selected);
  }

  /**
   * @param {Roi[]} rois
   * @param {string | null} selected
   */
  #change(rois, selected) {
    this.before.push({ rois: this.rois, selected: this.selected });
    this.before.splice(0, this.before.length - MOST_UNDONE);
    this.#send(rois, selected);
  }

  /**
   * @param {Roi[]} rois
   * @param {string | null} selected
   */
  #send(rois, selected) {
    const revision = this.revision + 1;
    this.rois = rois;
    this.selected = selected;
    this.revision = revision;
    this.dispatchEvent(new Event("change"));
    this.tell({ revision, selected, rois });
  }

  #newName() {
    let number = this.rois.length + 1;
    while (this.get(`Region ${number}`)) number++;
    return `Region ${number}`;
  }
}

/** @param {Roi[]} rois */
function written(rois) {
  return JSON.stringify(rois.map(({ name, kind, rings }) => [name, kind, rings]));
}
