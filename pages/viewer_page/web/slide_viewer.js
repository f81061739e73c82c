import { pixelsBetween } from "./boxes.js";
import { Beacon } from "./beacon.js";
import { BoxTool } from "./box_tool.js";
import { BrushTool } from "./brush_tool.js";
import { CHANNEL_OPTIONS } from "./channel_tiles.js";
import { CorrectionPanel } from "./correction_panel.js";
import { Corrections } from "./corrections.js";
import { part } from "./element.js";
import { GoTo } from "./go_to.js";
import { Hints } from "./hints.js";
import { Hover } from "./hover.js";
import { Keyboard } from "./keyboard.js";
import { Magnifications } from "./magnifications.js";
import { Measurements } from "./measurements.js";
import { Nuclei } from "./nuclei.js";
import { NucleusCard } from "./nucleus_card.js";
import { Outlines } from "./outlines.js";
import { Overlays } from "./overlays.js";
import { PolygonTool } from "./polygon_tool.js";
import { Readout } from "./readout.js";
import { RegionShapes } from "./region_shapes.js";
import { Regions } from "./regions.js";
import { RulerTool } from "./ruler_tool.js";
import { ShapeLayer } from "./shapes.js";
import { SlideFrame } from "./slide_frame.js";
import { SlideLook } from "./slide_look.js";
import { Toolbox } from "./toolbox.js";
import { ViewAddress } from "./view_address.js";
import { loadOpenSeadragon } from "./library.js";
import { Pictures } from "./pictures.js";
import { ellipseRing, rectangleRing } from "./rings.js";
import { throughChannel } from "./server.js";
import { Swipe } from "./swipe.js";
import { probe, tileSource } from "./tiles.js";

/** @import {Channel} from "./channel.js" */
/** @import {Library} from "./library.js" */
/** @import {Place, Ring, Tell, ViewerData} from "./types.d.ts" */

/**
 * Where the reader was on each slide, for the way back from another page.
 *
 * @type {Map<string, Place>}
 */
const lastViews = new Map();

/**
 * The last place that Python wanted to be seen, by the slide's address.
 *
 * @type {Map<string, number>}
 */
const placesSeen = new Map();

/** The slide, its overlays and tools; made once for a place on the page, then updated. */
export class SlideViewer {
  /**
   * @param {ParentNode} root the component's own document fragment
   * @param {ViewerData} data what component.py sends
   * @param {Tell} tell tells Python what the reader did
   * @param {Channel} channel for hosts where nothing else leads to Python
   */
  static async open(root, data, tell, channel) {
    const [library] = await Promise.all([
      loadOpenSeadragon(data.library, channel),
      probe(data.slide, channel),
    ]);
    return new SlideViewer(library, root, data, tell);
  }

  /**
   * @param {Library} library
   * @param {ParentNode} root
   * @param {ViewerData} data
   * @param {Tell} tell
   */
  constructor(library, root, data, tell) {
    this.slide = data.slide;
    this.root = root;
    this.osd = library({
      element: part(root, ".image", HTMLElement),
      tileSources: tileSource(this.slide),
      drawer: "canvas", // several times faster than WebGL where a browser has no GPU
      imageLoaderLimit: 6,
      minPixelRatio: 0.8, // 0.5 would ask for four times the tiles to gain little
      showNavigationControl: false,
      showNavigator: true,
      navigatorPosition: "BOTTOM_RIGHT",
      navigatorAutoFade: false,
      navigatorDisplayRegionColor: "#d81b60",
      animationTime: 0.5,
      springStiffness: 9,
      maxZoomPixelRatio: 4,
      minZoomImageRatio: 0.8,
      visibilityRatio: 0.3,
      zoomPerScroll: 1.3,
      gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
      ...(throughChannel() ? CHANNEL_OPTIONS : {}),
    });
    this.osd.canvas.setAttribute(
      "aria-label",
      `${this.slide.title}: arrow keys move, + and − zoom`,
    );
    this.osd.addHandler("canvas-key", keepUpright);
    this.osd.addOnceHandler("open", () => this.#restoreView());
    this.osd.addHandler("animation-finish", () => this.#rememberView());

    const readout = new Readout(this.osd, part(root, ".readout", HTMLElement), this.slide);
    this.overlays = new Overlays(this.osd, part(root, ".panel", HTMLElement), this.slide);
    this.swipe = new Swipe(library, this.osd, this.overlays, root, (run) => tell("beside", run));
    this.look = new SlideLook(this.osd, root);
    this.frame = new SlideFrame(library, this.osd, this.slide);
    this.outlines = new Outlines(this.osd, this.frame, this.overlays, this.swipe);
    this.shapes = new ShapeLayer(this.frame);
    this.hints = new Hints(part(root, ".hint", HTMLElement));
    this.regions = new Regions((rois) => tell("regions", rois));
    this.pictures = new Pictures(this.frame, root, this.overlays, readout, this.regions, this.hints);
    this.regionShapes = new RegionShapes(this.shapes, this.regions, this.hints);
    const shownClasses = () => this.overlays.shown.split(",").filter(Boolean).map(Number);
    this.corrections = new Corrections(this.shapes, this.hints, shownClasses, (names) => tell("corrected", names));
    const [correcting, correct] = [".correcting", ".toolbar [data-act=correct]"].map((name) => part(root, name, HTMLElement));
    this.correctionPanel = new CorrectionPanel(correcting, correct, this.corrections);
    const selection = { add: (/** @type {Ring[]} */ [ring]) => this.corrections.selectWithin(ring) };
    this.toolbox = new Toolbox(root, this.frame, this.hints, {
      rectangle: new BoxTool(this.shapes, this.regions, rectangleRing),
      ellipse: new BoxTool(this.shapes, this.regions, ellipseRing),
      polygon: new PolygonTool(this.shapes, this.regions, this.hints),
      brush: new BrushTool(this.shapes, this.regions, this.hints, this.slide.brush),
      ruler: new RulerTool(new Measurements(this.shapes, root, this.slide), (px) => tell("measured", { px })),
      "select-rectangle": new BoxTool(this.shapes, selection, rectangleRing),
      "select-outline": new PolygonTool(this.shapes, selection, this.hints),
    });

    const card = new NucleusCard(part(root, ".nucleus", HTMLElement));
    this.nuclei = new Nuclei(this.shapes, card, shownClasses, (pick) => tell("pick", pick));
    this.corrections.told = () => this.nuclei.told;
    this.nuclei.turned = (next) => this.corrections.selectNext(next);
    this.nuclei.clicked = (point, more) => this.corrections.active && this.corrections.selectAt(point, more);
    this.hover = new Hover(part(root, ".tip", HTMLElement), this.frame, shownClasses);
    this.beacon = new Beacon(this.shapes);
    this.address = new ViewAddress(this.frame);
    const magnifications = new Magnifications(part(root, ".magnifications", HTMLElement), this.frame);
    const [help, goTo] = [".help", ".go-to"].map((name) =>
      part(root, `dialog${name}`, HTMLDialogElement),
    );
    const goToForm = new GoTo(goTo, this.frame, this.beacon);
    /** @type {Record<string, () => void>} */
    this.actions = {
      ...this.#viewActions(),
      ...magnifications.actions,
      ...this.toolbox.actions,
      "take-view": () => this.#takeView(),
      correct: () => this.corrections.toggle(),
      "undo-correction": () => this.corrections.undo(),
      "redo-correction": () => this.corrections.redo(),
      "remove-region": () => this.regions.remove(this.regionShapes.focused ?? this.regions.selected),
      "go-to": () => goToForm.toggle(),
      "hide-layers": () => this.overlays.toggleAll(),
      help: () => (help.open ? help.close() : help.showModal()),
    };
    this.keyboard = new Keyboard(this.actions, help);
    this.corrections.addEventListener("change", () => this.#followCorrecting());

    this.abort = new AbortController();
    const { signal } = this.abort;
    const viewer = part(root, ".viewer", HTMLElement);
    for (const button of viewer.querySelectorAll("button")) {
      const { act } = button.dataset;
      if (act) button.onclick = () => this.actions[act]();
    }
    const keyDown = (/** @type {KeyboardEvent} */ event) => this.#keyDown(event);
    viewer.addEventListener("keydown", keyDown, { signal, capture: true });
    document.addEventListener("keydown", (event) => this.#undoFromAnywhere(event), { signal });
    // Streamlit has shortcuts of its own (r reruns, c clears) on the document.
    for (const type of ["keydown", "keyup", "keypress"]) {
      viewer.addEventListener(type, stopHere, { signal });
    }
    // For browser tests and the curious: the element knows its viewer.
    Object.assign(viewer, { slideViewer: this });
  }

  /**
   * Take over what may have changed since the last run of the page, leaving the view alone.
   *
   * @param {ViewerData} data
   */
  update(data) {
    this.overlays.update(data.layers, data.classes, data.classesNote);
    this.swipe.beside.update(data.beside);
    this.regions.update(data.regions);
    this.nuclei.update(data.nucleus, data.picked, data.classes.length > 0);
    this.hover.update(data.hover);
    this.corrections.update(data.correcting);
    if (this.osd.isOpen()) this.#goTo(data.goTo);
    else this.osd.addOnceHandler("open", () => this.#goTo(data.goTo));
  }

  close() {
    this.abort.abort();
    this.address.close();
    this.outlines.close();
    this.corrections.close();
    this.#rememberView();
    this.osd.destroy();
  }

  #viewActions() {
    const { viewport } = this.osd;
    return {
      "zoom-in": () => viewport.zoomBy(1.6).applyConstraints(),
      "zoom-out": () => viewport.zoomBy(1 / 1.6).applyConstraints(),
      home: () => viewport.goHome(),
      "full-screen": () => this.#toggleFullScreen(),
      compare: () => this.swipe.toggle(),
      snapshot: () => this.pictures.saveView(),
      "full-picture": () => this.pictures.saveFull(),
    };
  }

  /** What is seen becomes a region. */
  #takeView() {
    const { x, y, width, height } = this.frame.view;
    const corner = this.frame.onSlide({ x, y });
    const other = this.frame.onSlide({ x: x + width, y: y + height });
    this.regions.add([rectangleRing(pixelsBetween(corner, other))]);
  }

  /** @param {KeyboardEvent} event */
  #keyDown(event) {
    // In a field the keys are for writing, in a dialog they are the browser's.
    const [target] = event.composedPath();
    if (target instanceof Element && target.matches("dialog *, dialog, input:not([type=checkbox]), select")) return;
    const takes = (/** @type {{key: (event: KeyboardEvent) => boolean}} */ each) => each.key(event);
    const takers = [this.toolbox, this.regionShapes, this.correctionPanel, this.nuclei, this.keyboard];
    if (!this.#undone(event) && !takers.some(takes)) return;
    event.preventDefault();
    event.stopPropagation(); // OpenSeadragon has keys of its own for the same
  }

  /**
   * A removed region takes the focus with it: the key counts wherever nothing is being written.
   *
   * @param {KeyboardEvent} event
   */
  #undoFromAnywhere(event) {
    const [target] = event.composedPath();
    const writes = target instanceof Element && target.closest("input, textarea, [contenteditable]");
    if (!writes && this.#undone(event)) event.preventDefault();
  }

  /**
   * Take back or do again: of regions or, while the reader corrects, of nuclei.
   *
   * @param {KeyboardEvent} event
   */
  #undone(event) {
    if (isRedo(event) && this.corrections.active) return this.corrections.redo();
    if (!isUndo(event)) return false;
    return this.corrections.active ? this.corrections.undo() : this.regions.undo();
  }

  /** Other keys, and no tool left in hand that only selects. */
  #followCorrecting() {
    const { active } = this.corrections;
    this.keyboard.correcting = active;
    if (!active && this.toolbox.active?.startsWith("select-")) this.toolbox.toggle(this.toolbox.active);
  }

  #toggleFullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else part(this.root, ".stage", HTMLElement).requestFullscreen();
  }

  #restoreView() {
    const place = this.address.read() ?? lastViews.get(this.slide.id);
    if (place) this.frame.goTo(place, true);
  }

  /**
   * Go where another page has sent the reader, once.
   *
   * @param {ViewerData["goTo"]} place
   */
  #goTo(place) {
    const { url } = this.slide;
    if (!place || placesSeen.get(url) === place.number) return;
    placesSeen.set(url, place.number);
    this.frame.goTo(place, true);
    this.beacon.show(place);
  }

  #rememberView() {
    if (this.osd.isOpen()) lastViews.set(this.slide.id, this.frame.place);
  }
}

/**
 * OpenSeadragon turns and mirrors the slide on r and f; region and overlays stay upright here.
 *
 * @param {OpenSeadragon.CanvasKeyEvent} event
 */
function keepUpright(event) {
  if (["KeyR", "KeyF"].includes(event.originalEvent.code)) event.preventDefaultAction = true;
}

/** @param {KeyboardEvent} event */
function isUndo(event) {
  return (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key === "z";
}

/** @param {KeyboardEvent} event */
function isRedo(event) {
  return (event.ctrlKey || event.metaKey) && event.shiftKey && event.key.toLowerCase() === "z";
}

/** @param {Event} event */
function stopHere(event) {
  event.stopPropagation();
}
