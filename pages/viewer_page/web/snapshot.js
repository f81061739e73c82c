import { brushOf, element } from "./element.js";

/** @import {NucleusClass} from "./types.d.ts" */

/** A PNG of what is seen: the slide with its layers, the scale bar and the classes shown. */

const PAD = 12;
const FONT = "13px system-ui, sans-serif";

/**
 * @param {OpenSeadragon.Viewer} osd the viewer
 * @param {ParentNode} root whose other pictures over the slide say `data-in-snapshot`
 * @param {{text: string, px: number}} bar length and words of the scale bar; 0 px for none
 * @param {NucleusClass[]} classes those shown
 * @returns {Promise<Blob>}
 */
export function snapshot(osd, root, bar, classes) {
  const source = /** @type {HTMLCanvasElement} */ (osd.drawer.canvas);
  const { width, height } = source;
  const picture = element("canvas", { width, height });
  const brush = brushOf(picture);
  brush.fillStyle = "#fff";
  brush.fillRect(0, 0, picture.width, picture.height);
  /** @type {NodeListOf<HTMLCanvasElement>} */
  const others = root.querySelectorAll("canvas[data-in-snapshot]");
  for (const each of [source, ...others]) {
    brush.drawImage(each, 0, 0, picture.width, picture.height);
  }
  const density = source.width / osd.container.clientWidth;
  brush.scale(density, density);
  drawKey(brush, picture.height / density, bar, classes);
  return new Promise((resolve, reject) => {
    const take = (/** @type {Blob | null} */ blob) =>
      blob ? resolve(blob) : reject(new Error("The view is too large for a picture."));
    picture.toBlob(take, "image/png");
  });
}

/**
 * Hand a file to the reader.
 *
 * @param {Blob} blob
 * @param {string} name
 */
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // the browser has taken the blob by the time anything else runs
  setTimeout(() => URL.revokeObjectURL(link.href), 0);
}

/**
 * @param {CanvasRenderingContext2D} brush
 * @param {number} height
 * @param {{text: string, px: number}} bar
 * @param {NucleusClass[]} classes
 */
function drawKey(brush, height, bar, classes) {
  brush.font = FONT;
  brush.textBaseline = "middle";
  const widths = classes.map(({ name }) => brush.measureText(name).width + 16 + PAD);
  const barWidth = bar.px ? bar.px + brush.measureText(bar.text).width + 6 + PAD : 0;
  const width = barWidth + widths.reduce((sum, each) => sum + each, 0) + PAD;
  if (width === PAD) return;
  const top = height - 30 - PAD;
  brush.fillStyle = "rgb(255 255 255 / 88%)";
  brush.fillRect(PAD, top, width, 30);
  let x = 2 * PAD;
  const middle = top + 15;
  brush.fillStyle = "#111";
  if (bar.px) {
    brush.fillRect(x, middle - 2, bar.px, 4);
    brush.fillText(bar.text, x + bar.px + 6, middle);
    x += barWidth;
  }
  classes.forEach(({ name, colour }, index) => {
    brush.fillStyle = colour;
    brush.fillRect(x, middle - 5, 10, 10);
    brush.fillStyle = "#111";
    brush.fillText(name, x + 16, middle);
    x += widths[index];
  });
}
