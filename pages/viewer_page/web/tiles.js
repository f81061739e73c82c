import { CHANNEL_DOWNLOADS } from "./channel_tiles.js";
import { findWay, throughChannel } from "./server.js";

/** @import {Channel} from "./channel.js" */
/** @import {Box, LayerSpec, Slide} from "./types.d.ts" */

/**
 * Addresses of tiles. All layers share the slide's Deep Zoom pyramid; a layer with extra levels
 * goes on beyond the slide's own pixels, for outlines that stay sharp when enlarged.
 */

/**
 * What OpenSeadragon asks a source of tiles for.
 *
 * @typedef {object} Source
 * @property {number} width
 * @property {number} height
 * @property {number} tileSize
 * @property {number} tileOverlap
 * @property {number} minLevel
 * @property {number} maxLevel
 * @property {(level: number, x: number, y: number) => string} getTileUrl
 * @property {() => boolean} [hasTransparency]
 * @property {(level: number, x: number, y: number) => boolean} [tileExists]
 */

/**
 * @param {Slide} slide
 * @param {LayerSpec} [layer] an overlay; without it the slide itself
 * @param {string} [show] ids of the classes to paint, with commas
 * @returns {Source}
 */
export function tileSource(slide, layer, show = "") {
  const extra = layer?.extraLevels ?? 0;
  const template = new URL((layer ?? slide).url, document.baseURI).href
    .replaceAll("%7B", "{")
    .replaceAll("%7D", "}")
    .replace("{show}", show);
  const maxLevel = slide.levels - 1 + extra;
  /** @type {Source} */
  const source = {
    width: slide.width * 2 ** extra,
    height: slide.height * 2 ** extra,
    tileSize: slide.tileSize,
    tileOverlap: 0,
    minLevel: smallestUsefulLevel(slide),
    maxLevel,
    getTileUrl: (level, x, y) =>
      template
        .replace("{level}", String(level))
        .replace("{x}", String(x))
        .replace("{y}", String(y)),
  };
  if (throughChannel()) Object.assign(source, CHANNEL_DOWNLOADS);
  if (layer) {
    source.hasTransparency = () => !layer.opaque;
    source.tileExists = (level, x, y) =>
      level >= source.minLevel &&
      level <= maxLevel &&
      touches(layer.bounds, slide, x, y, slide.tileSize * 2 ** (maxLevel - extra - level));
  }
  return source;
}

/**
 * Ask for one tile, to find the way by which all others are had.
 *
 * @param {Slide} slide
 * @param {Channel} channel
 */
export function probe(slide, channel) {
  const { getTileUrl, minLevel } = tileSource(slide);
  return findWay(getTileUrl(minLevel, 0, 0), channel);
}

/**
 * The level at which the whole slide is one tile; smaller ones are never worth a request.
 *
 * @param {Slide} slide
 */
function smallestUsefulLevel({ width, height, levels, tileSize }) {
  return Math.max(
    0,
    levels - 1 - Math.ceil(Math.log2(Math.max(1, Math.max(width, height) / tileSize))),
  );
}

/**
 * Does a tile of `side` level-0 pixels see anything of the analysed region?
 *
 * @param {Box} bounds
 * @param {Box} slide
 * @param {number} x column of the tile
 * @param {number} y row
 * @param {number} side
 */
function touches(bounds, slide, x, y, side) {
  const left = slide.x + x * side;
  const top = slide.y + y * side;
  return (
    left < bounds.x + bounds.width &&
    top < bounds.y + bounds.height &&
    left + side > bounds.x &&
    top + side > bounds.y
  );
}
