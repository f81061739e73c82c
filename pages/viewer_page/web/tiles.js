import { CHANNEL_DOWNLOADS } from "./channel_tiles.js";
import { findWay, throughChannel } from "./server.js";

/**
 * Addresses of tiles. All layers share the slide's Deep Zoom pyramid; a layer with extra levels
 * goes on beyond the slide's own pixels, for outlines that stay sharp when enlarged.
 */

/**
 * @param {object} slide
 * @param {object} [layer] an overlay; without it the slide itself
 * @param {string} [show] ids of the classes to paint, with commas
 */
export function tileSource(slide, layer, show = "") {
  const extra = layer?.extraLevels ?? 0;
  const template = new URL((layer ?? slide).url, document.baseURI).href
    .replaceAll("%7B", "{")
    .replaceAll("%7D", "}")
    .replace("{show}", show);
  const maxLevel = slide.levels - 1 + extra;
  const source = {
    width: slide.width * 2 ** extra,
    height: slide.height * 2 ** extra,
    tileSize: slide.tileSize,
    tileOverlap: 0,
    minLevel: smallestUsefulLevel(slide),
    maxLevel,
    getTileUrl: (level, x, y) =>
      template.replace("{level}", level).replace("{x}", x).replace("{y}", y),
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

/** Ask for one tile, to find the way by which all others are had. */
export function probe(slide, channel) {
  const { getTileUrl, minLevel } = tileSource(slide);
  return findWay(getTileUrl(minLevel, 0, 0), channel);
}

/** The level at which the whole slide is one tile; smaller ones are never worth a request. */
function smallestUsefulLevel({ width, height, levels, tileSize }) {
  return Math.max(
    0,
    levels - 1 - Math.ceil(Math.log2(Math.max(1, Math.max(width, height) / tileSize))),
  );
}

/** Does a tile of `side` level-0 pixels see anything of the analysed region? */
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
