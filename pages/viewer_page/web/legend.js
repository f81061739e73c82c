import { element } from "./element.js";

/** @import {NucleusClass} from "./types.d.ts" */

/**
 * The classes with their colours and counts; a click switches one.
 *
 * @param {HTMLElement} place
 * @param {NucleusClass[]} classes
 * @param {(each: NucleusClass, on: boolean) => void} choose
 */
export function drawLegend(place, classes, choose) {
  place.hidden = classes.length === 0;
  place.replaceChildren(...classes.map((each) => row(each, choose)));
}

/**
 * @param {NucleusClass} each
 * @param {(each: NucleusClass, on: boolean) => void} choose
 */
function row(each, choose) {
  const label = element("label", { title: `Show or hide ${each.name}` });
  const box = element("input", { type: "checkbox", checked: each.on });
  box.style.setProperty("--colour", each.colour);
  box.onchange = () => choose(each, box.checked);
  label.append(
    box,
    element("span", { textContent: each.name }),
    element("span", { className: "count", textContent: each.count?.toLocaleString() ?? "" }),
  );
  return label;
}
