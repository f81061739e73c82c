import { Beacon } from "./beacon.js";
import { CHANNEL_OPTIONS } from "./channel_tiles.js";
import { GoTo } from "./go_to.js";
import { Hints } from "./hints.js";
import { Hover } from "./hover.js";
import { Keyboard } from "./keyboard.js";
import { Magnifications } from "./magnifications.js";
import { Nuclei } from "./nuclei.js";
import { NucleusCard } from "./nucleus_card.js";
import { Outlines } from "./outlines.js";
import { Overlays } from "./overlays.js";
import { PolygonTool } from "./polygon_tool.js";
import { Readout } from "./readout.js";
import { RectangleTool, pixelsBetween } from "./rectangle_tool.js";
import { RegionShapes } from "./region_shapes.js";
import { Regions } from "./regions.js";
import { RulerTool } from "./ruler_tool.js";
import { ShapeLayer } from "./shapes.js";
import { SlideFrame } from "./slide_frame.js";
import { Toolbox } from "./toolbox.js";
import { ViewAddress } from "./view_address.js";
import { loadOpenSeadragon } from "./library.js";
import { Pictures } from "./pictures.js";
import { rectangleRing } from "./rings.js";
import { throughChannel } from "./server.js";
import { Swipe } from "./swipe.js";
import { probe, tileSource } from "./tiles.js";

/** Where the reader was on each slide, for the way back from another page. */
const lastViews = new Map();

/** The last place that Python wanted to be seen, by the slide's address. */
const placesSeen = new Map();

/** The slide, its overlays and tools; made once for a place on the page, then updated. */
export class SlideViewer {
  /**
   * @param {ParentNode} root the component's own document fragment
   * @param {object} data what viewer_component.py sends
   * @param {(name: string, value: any) => void} tell tells Python what the reader did
   * @param {Channel} channel for hosts where nothing else leads to Python
   */
  static async open(root, data, tell, channel) {
    const [OpenSeadragon] = await Promise.all([
      loadOpenSeadragon(data.library, channel),
      probe(data.slide, channel),
    ]);
    return new SlideViewer(OpenSeadragon, root, data, tell);
  }

  constructor(OpenSeadragon, root, data, tell) {
    this.slide = data.slide;
    this.root = root;
    this.osd = OpenSeadragon({
      element: root.querySelector(".image"),
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

    const readout = new Readout(this.osd, root.querySelector(".readout"), this.slide);
    this.overlays = new Overlays(this.osd, root.querySelector(".panel"), this.slide);
    this.swipe = new Swipe(OpenSeadragon, this.osd, this.overlays, root);
    this.frame = new SlideFrame(OpenSeadragon, this.osd, this.slide);
    this.outlines = new Outlines(this.osd, this.frame, this.overlays, this.swipe);
    this.shapes = new ShapeLayer(this.frame);
    this.hints = new Hints(root.querySelector(".hint"));
    this.regions = new Regions((rois) => tell("regions", rois));
    this.pictures = new Pictures(this.frame, root, this.overlays, readout, this.regions, this.hints);
    this.regionShapes = new RegionShapes(this.shapes, this.regions, this.hints);
    this.toolbox = new Toolbox(root, this.frame, this.hints, {
      rectangle: new RectangleTool(this.shapes, this.regions),
      polygon: new PolygonTool(this.shapes, this.regions, this.hints),
      ruler: new RulerTool(this.shapes, this.slide.mpp),
    });

    const card = new NucleusCard(root.querySelector(".nucleus"));
    const shownClasses = () => this.overlays.shown.split(",").filter(Boolean).map(Number);
    this.nuclei = new Nuclei(this.shapes, card, shownClasses, (pick) => tell("pick", pick));
    this.hover = new Hover(root.querySelector(".tip"), this.frame, shownClasses);
    this.beacon = new Beacon(this.shapes);
    this.address = new ViewAddress(this.frame);
    const magnifications = new Magnifications(root.querySelector(".magnifications"), this.frame);
    const [help, goTo] = [".help", ".go-to"].map((name) => root.querySelector(name));
    const goToForm = new GoTo(goTo, this.frame, this.beacon);
    this.actions = {
      ...this.#viewActions(),
      ...magnifications.actions,
      ...this.toolbox.actions,
      "take-view": () => this.#takeView(),
      "remove-region": () => this.regions.remove(this.regionShapes.focused ?? this.regions.selected),
      "go-to": () => goToForm.toggle(),
      help: () => (help.open ? help.close() : help.showModal()),
    };
    this.keyboard = new Keyboard(this.actions, help);

    this.abort = new AbortController();
    const { signal } = this.abort;
    const viewer = root.querySelector(".viewer");
    for (const button of root.querySelectorAll("[data-act]")) {
      button.onclick = () => this.actions[button.dataset.act]();
    }
    const keyDown = (event) => this.#keyDown(event);
    viewer.addEventListener("keydown", keyDown, { signal, capture: true });
    // Streamlit has shortcuts of its own (r reruns, c clears) on the document.
    for (const type of ["keydown", "keyup", "keypress"]) {
      viewer.addEventListener(type, stopHere, { signal });
    }
    // For browser tests and the curious: the element knows its viewer.
    viewer.slideViewer = this;
  }

  /** Take over what may have changed since the last run of the page, leaving the view alone. */
  update(data) {
    this.overlays.update(data.layers, data.classes, data.classesNote);
    this.regions.update(data.regions);
    this.nuclei.update(data.nucleus, data.picked, data.classes.length > 0);
    this.hover.update(data.hover);
    if (this.osd.isOpen()) this.#goTo(data.goTo);
    else this.osd.addOnceHandler("open", () => this.#goTo(data.goTo));
  }

  close() {
    this.abort.abort();
    this.address.close();
    this.outlines.close();
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
    const corners = [{ x, y }, { x: x + width, y: y + height }].map((each) => this.frame.onSlide(each));
    this.regions.add([rectangleRing(pixelsBetween(...corners))]);
  }

  #keyDown(event) {
    // In a field the keys are for writing, in a dialog they are the browser's.
    const [target] = event.composedPath();
    if (target.matches("dialog *, dialog, input:not([type=checkbox]), select")) return;
    const takes = (each) => each.key(event);
    const undo = (event.ctrlKey || event.metaKey) && event.key === "z";
    if (undo) this.regions.undo();
    else if (![this.toolbox, this.regionShapes, this.nuclei, this.keyboard].some(takes)) return;
    event.preventDefault();
    event.stopPropagation(); // OpenSeadragon has keys of its own for the same
  }

  #toggleFullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.root.querySelector(".stage").requestFullscreen();
  }

  #restoreView() {
    const place = this.address.read() ?? lastViews.get(this.slide.id);
    if (place) this.frame.goTo(place, true);
  }

  /** Go where another page has sent the reader, once. */
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

/** OpenSeadragon turns and mirrors the slide on r and f; region and overlays stay upright here. */
function keepUpright(event) {
  if (["KeyR", "KeyF"].includes(event.originalEvent.code)) event.preventDefaultAction = true;
}

function stopHere(event) {
  event.stopPropagation();
}
