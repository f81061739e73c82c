import { element, part } from "./element.js";
import { pathOf, shape } from "./shapes.js";

/** @import {Nucleus, Pick, Share} from "./types.d.ts" */

/** @type {[name: string, question: Pick][]} */
const BUTTONS = [
  ["before", { step: -1 }],
  ["next", { step: 1 }],
  ["close", {}],
];

/** The panel of one nucleus: its picture, the shares of its class vote, its measures. */
export class NucleusCard {
  /**
   * Asks for another nucleus, or with an empty question for none.
   *
   * @type {(question: Pick) => void}
   */
  ask = () => {};

  /** @param {HTMLElement} panel */
  constructor(panel) {
    this.panel = panel;
    for (const [name, question] of BUTTONS) {
      part(panel, `[data-step="${name}"]`, HTMLElement).onclick = () => this.ask(question);
    }
  }

  /** @param {Nucleus | null} nucleus */
  show(nucleus) {
    this.panel.hidden = !nucleus;
    if (!nucleus) return;
    /** @type {(name: string, ...content: (Node | string)[]) => void} */
    const put = (name, ...content) =>
      part(this.panel, `.${name}`, HTMLElement).replaceChildren(...content);
    put("name", `${nucleus.class}, ${surenessOf(nucleus)}${nucleus.uncertain ? ", uncertain" : ""}`);
    const kind = nucleus.uncertain ? "uncertain ones" : "of its class";
    put("number", `Nucleus ${nucleus.id}, ${nucleus.number} of ${nucleus.count} ${kind}`);
    put("crop", this.#crop(nucleus));
    put("shares", ...nucleus.shares.map(share));
    put("measures", ...nucleus.measures.flatMap(measure));
    this.panel.style.setProperty("--colour", nucleus.colour);
  }

  /** @param {Nucleus} nucleus */
  #crop({ class: name, crop: { x, y, width, height, picture }, ring }) {
    const svg = shape("svg", { viewBox: `${x} ${y} ${width} ${height}`, role: "img" });
    svg.setAttribute("aria-label", `${name} nucleus as it was scanned`);
    svg.append(
      shape("image", { href: picture, x, y, width, height, preserveAspectRatio: "none" }),
      shape("path", { d: pathOf([ring]) }),
    );
    return svg;
  }
}

/**
 * How sure the class of a nucleus is, or that somebody gave it.
 *
 * @param {{score: number, byHand: boolean}} nucleus
 */
export function surenessOf({ score, byHand }) {
  return byHand ? "by hand" : `${Math.round(score * 100)}\u00a0%`;
}

/** @param {Share} each */
function share({ name, colour, share: length }) {
  const row = element("div", {});
  const bar = element("span", { className: "bar" });
  bar.style.setProperty("--part", String(length));
  bar.style.setProperty("--colour", colour);
  row.append(
    element("span", { textContent: name }),
    bar,
    element("span", { textContent: `${Math.round(length * 100)} %` }),
  );
  return row;
}

/** @param {[label: string, value: string]} each */
function measure([label, value]) {
  return [element("dt", { textContent: label }), element("dd", { textContent: value })];
}
