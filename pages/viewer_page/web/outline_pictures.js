import { cellsWithin } from "./boxes.js";
import { brushOf, element } from "./element.js";
import { nucleiSeen } from "./outline_square.js";

/** @import {OutlineSquares} from "./outline_squares.js" */
/** @import {Cell, Edges, OutlineSquare, Point} from "./types.d.ts" */

/**
 * Outlines at one enlargement, drawn once into small pictures that then only move with the view:
 * to stroke tens of thousands of them anew in each frame would be too slow.
 */

const SIDE = 256; // pixels of the screen

// Corners closer to the one before, in pixels of the screen, are not seen.
const NEAR_PX = 1.5;

export class OutlinePictures {
  /**
   * None where there is nothing to see.
   *
   * @type {Map<string, HTMLCanvasElement | null>}
   */
  #kept = new Map();

  /** @type {Generator<number, void> | null} */
  #work = null;

  /** How many pictures have been drawn. */
  finished = 0;

  /**
   * @param {OutlineSquares} squares
   * @param {number} scale pixels of the screen per level-0 pixel
   * @param {number} line width of a line, pixels of the screen
   * @param {Map<number, string>} colours of the classes that are shown, by id
   * @param {string} look what tells pictures that look otherwise from these
   */
  constructor(squares, scale, line, colours, look) {
    this.squares = squares;
    this.scale = scale;
    this.line = line;
    this.colours = colours;
    this.look = look;
  }

  /**
   * A box of level-0 pixels grown by the width of a picture.
   *
   * @param {Edges} box
   * @returns {Edges}
   */
  grown({ left, top, right, bottom }) {
    const more = SIDE / this.scale;
    return { left: left - more, top: top - more, right: right + more, bottom: bottom + more };
  }

  /**
   * Are all pictures that touch a box of level-0 pixels there?
   *
   * @param {Edges} box
   */
  covers(box) {
    return this.#places(box).every(({ name }) => this.#kept.has(name));
  }

  /**
   * Go on drawing what boxes of level-0 pixels need, the first boxes first.
   *
   * @param {Edges[]} boxes
   * @param {number} most how many corners are drawn at most
   * @returns {boolean} whether there is more to do
   */
  draw(boxes, most) {
    let left = most;
    while (left > 0) {
      this.#work ??= this.#nextOf(boxes);
      if (!this.#work) return false;
      const { value, done } = this.#work.next();
      if (done) this.#work = null;
      else left -= value;
    }
    return true;
  }

  /**
   * Put the pictures that touch a box onto the screen.
   *
   * @param {CanvasRenderingContext2D} brush
   * @param {Edges} box
   * @param {Point} corner of the slide, pixels of the screen
   * @param {number} stretch pixels of the screen per pixel of a picture
   */
  show(brush, box, { x, y }, stretch) {
    const side = SIDE * stretch;
    for (const { column, row, name } of this.#places(box)) {
      const picture = this.#kept.get(name);
      if (picture) brush.drawImage(picture, x + column * side, y + row * side, side, side);
    }
  }

  /**
   * Once there are many, forget those that lie outside some boxes.
   *
   * @param {Edges[]} boxes the last one holds all others
   */
  tidy(boxes) {
    const { length } = this.#places(boxes[boxes.length - 1]);
    if (this.#kept.size < 3 * length) return;
    const kept = new Set(boxes.flatMap((box) => this.#places(box)).map(({ name }) => name));
    for (const name of this.#kept.keys()) if (!kept.has(name)) this.#kept.delete(name);
  }

  /** @param {Edges} box */
  #places(box) {
    return cellsWithin(box, SIDE / this.scale);
  }

  /**
   * The drawing of the first picture that is missing and whose squares are here.
   *
   * @param {Edges[]} boxes
   */
  #nextOf(boxes) {
    for (const box of boxes) {
      for (const place of this.#places(box)) {
        if (this.#kept.has(place.name)) continue;
        const squares = this.squares.within(this.#boxOf(place));
        if (squares) return this.#strokes(place, squares);
      }
    }
    return null;
  }

  /**
   * @param {Cell} place
   * @returns {Edges}
   */
  #boxOf({ column, row }) {
    const side = (SIDE + 2 * this.line) / this.scale;
    const [left, top] = [column, row].map((each) => (each * SIDE - this.line) / this.scale);
    return { left, top, right: left + side, bottom: top + side };
  }

  /**
   * Draws a picture; says after each outline how many corners it has.
   *
   * @param {Cell} place
   * @param {OutlineSquare[]} squares
   * @returns {Generator<number, void>}
   */
  *#strokes(place, squares) {
    const box = this.#boxOf(place);
    let picture = null;
    for (const square of squares) {
      const rows = nucleiSeen(square, box, this.colours);
      if (!rows.length) continue;
      picture ??= newPicture();
      const brush = this.#brush(picture, place, square);
      const near = NEAR_PX / (this.scale * square.unit);
      for (const nucleus of rows) {
        const colour = this.colours.get(square.classes[nucleus]) ?? ""; // those seen have one
        if (brush.strokeStyle !== colour) brush.strokeStyle = colour;
        yield stroke(brush, square, nucleus, near);
      }
    }
    this.#kept.set(place.name, picture);
    this.finished += 1;
  }

  /**
   * A brush that takes the units of a square.
   *
   * @param {HTMLCanvasElement} picture
   * @param {Cell} place
   * @param {OutlineSquare} square
   */
  #brush(picture, { column, row }, { x, y, unit }) {
    const brush = brushOf(picture);
    const scale = this.scale * unit;
    brush.setTransform(scale, 0, 0, scale, x * this.scale - column * SIDE, y * this.scale - row * SIDE);
    brush.lineWidth = this.line / scale;
    brush.lineJoin = "round";
    return brush;
  }
}

function newPicture() {
  return element("canvas", { width: SIDE, height: SIDE });
}

/**
 * One path an outline: browsers draw many small ones several times faster than one large.
 *
 * @param {CanvasRenderingContext2D} brush
 * @param {OutlineSquare} square
 * @param {number} nucleus
 * @param {number} near corners closer to the one before are left out
 * @returns {number} how many corners were drawn
 */
function stroke(brush, { corners, starts }, nucleus, near) {
  let at = 2 * starts[nucleus];
  const end = 2 * starts[nucleus + 1];
  let drawn = 1;
  let [x, y] = [corners[at], corners[at + 1]];
  brush.beginPath();
  brush.moveTo(x, y);
  for (at += 2; at < end; at += 2) {
    if (Math.abs(corners[at] - x) + Math.abs(corners[at + 1] - y) < near) continue;
    [x, y] = [corners[at], corners[at + 1]];
    brush.lineTo(x, y);
    drawn += 1;
  }
  brush.closePath();
  brush.stroke();
  return drawn;
}
