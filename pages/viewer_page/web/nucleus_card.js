import { pathOf, shape } from "./shapes.js";

/** The panel of one nucleus: its picture, the shares of its class vote, its measures. */
export class NucleusCard {
  /** Asks for another nucleus, or with an empty question for none. */
  ask = () => {};

  constructor(panel) {
    this.panel = panel;
    const on = (name, question) => {
      panel.querySelector(`[data-step="${name}"]`).onclick = () => this.ask(question);
    };
    on("before", { step: -1 });
    on("next", { step: 1 });
    on("close", {});
  }

  show(nucleus) {
    this.panel.hidden = !nucleus;
    if (!nucleus) return;
    const put = (name, ...content) => this.panel.querySelector(`.${name}`).replaceChildren(...content);
    const score = `${Math.round(nucleus.score * 100)} %`;
    put("name", `${nucleus.class}, ${score}${nucleus.uncertain ? ", uncertain" : ""}`);
    const kind = nucleus.uncertain ? "uncertain ones" : "of its class";
    put("number", `Nucleus ${nucleus.id}, ${nucleus.number} of ${nucleus.count} ${kind}`);
    put("crop", this.#crop(nucleus));
    put("shares", ...nucleus.shares.map(share));
    put("measures", ...nucleus.measures.flatMap(([name, value]) => [cell("dt", name), cell("dd", value)]));
    this.panel.style.setProperty("--colour", nucleus.colour);
  }

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

function share({ name, colour, share: part }) {
  const row = cell("div", "");
  const bar = cell("span", "");
  bar.className = "bar";
  bar.style.setProperty("--part", part);
  bar.style.setProperty("--colour", colour);
  row.append(cell("span", name), bar, cell("span", `${Math.round(part * 100)} %`));
  return row;
}

function cell(tag, textContent) {
  return Object.assign(document.createElement(tag), { textContent });
}
