import { newId } from "./identifiers.js";

/** @import {Drawing, Drawn, Ring, Roi} from "./types.d.ts" */

/**
 * The ROIs of the slide as the reader draws them.
 *
 * Python keeps them and has the last word; it tells with each list which change of this viewer it
 * has seen, so that an answer to an older change does not undo a newer one. Others may draw on the
 * same slide: what is sent names the ROIs that were touched here since Python last told them all,
 * with what was removed as it was (of one that was drawn and removed in a moment Python knows
 * nothing yet), and taking back a change leaves alone what is not of it.
 */

const MOST_UNDONE = 50;

/** @typedef {{changes: {id: string, roi: Roi | undefined, at: number}[], selected: string | null}} Step */

export class Regions extends EventTarget {
  /** @param {(value: Drawn) => void} tell sends the list to Python */
  constructor(tell) {
    super();
    this.tell = tell;
    /** @type {Roi[]} */
    this.rois = [];
    /** @type {string | null} */
    this.selected = null;
    this.revision = 0;
    /** @type {Step[]} */
    this.before = [];
    /** @type {Set<string>} */
    this.touched = new Set();
    /** @type {Map<string, Roi>} */
    this.removed = new Map();
  }

  /** @param {Drawing} kept what Python knows */
  update({ revision, rois, selected }) {
    if (revision < this.revision) return;
    this.revision = revision;
    this.touched.clear();
    this.removed.clear();
    const same = written(rois) === written(this.rois);
    // An echo of what was done here must not take the next drag out of the reader's hand.
    if (same && selected === this.selected) return;
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
    /** @type {Roi} */
    const roi = { id: newId(), name, kind: "include", className: "", colour: "", rings };
    this.#change([...this.rois, roi], name);
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

  /** Take back the last change made here; tells whether there was one. */
  undo() {
    const last = this.before.pop();
    if (!last) return false;
    const rois = [...this.rois];
    for (const { id, roi, at } of last.changes) {
      const now = rois.findIndex((each) => each.id === id);
      if (now >= 0) rois.splice(now, 1, ...(roi ? [roi] : []));
      else if (roi) rois.splice(at, 0, roi);
    }
    this.#send(rois, last.selected);
    return true;
  }

  /**
   * @param {Roi[]} rois
   * @param {string | null} selected
   */
  #change(rois, selected) {
    const changes = changedIds(this.rois, rois).map((id) => {
      const at = this.rois.findIndex((roi) => roi.id === id);
      return { id, roi: this.rois[at], at };
    });
    this.before.push({ changes, selected: this.selected });
    this.before.splice(0, this.before.length - MOST_UNDONE);
    this.#send(rois, selected);
  }

  /**
   * @param {Roi[]} rois
   * @param {string | null} selected
   */
  #send(rois, selected) {
    for (const id of changedIds(this.rois, rois)) {
      this.touched.add(id);
      const was = this.rois.find((roi) => roi.id === id);
      if (was && !rois.some((roi) => roi.id === id)) this.removed.set(id, was);
      else this.removed.delete(id);
    }
    const revision = this.revision + 1;
    this.rois = rois;
    this.selected = selected;
    this.revision = revision;
    this.dispatchEvent(new Event("change"));
    const [touched, removed] = [[...this.touched], [...this.removed.values()]];
    this.tell({ revision, selected, rois, touched, removed });
  }

  #newName() {
    let number = this.rois.length + 1;
    while (this.get(`Region ${number}`)) number++;
    return `Region ${number}`;
  }
}

/**
 * Ids of the ROIs that one of two lists alone has, or that are not the same in both.
 *
 * @param {Roi[]} before
 * @param {Roi[]} after
 */
function changedIds(before, after) {
  const [one, other] = [before, after].map((rois) => new Map(rois.map((roi) => [roi.id, written([roi])])));
  return [...new Set([...one.keys(), ...other.keys()])].filter((id) => one.get(id) !== other.get(id));
}

/** @param {Roi[]} rois */
function written(rois) {
  return JSON.stringify(rois.map(({ id, name, kind, className, colour, rings }) => [id, name, kind, className, colour, rings]));
}
