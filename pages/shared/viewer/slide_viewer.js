import { Hints } from "./hints.js";
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
import { loadOpenSeadragon } from "./library.js";
import { rectangleRing } from "./rings.js";
import { probe, tileSource } from "./tiles.js";

/** Where the reader was on each slide, for the way back from another page. */
const lastViews = new Map();

/** The slide, its overlays and tools; made once for a place on the page, then updated. */
export class SlideViewer {
  /**
   * @param {ParentNode} root the component's own document fragment
   * @param {object} data what viewer_component.py sends
   * @param {(name: string, value: any) => void} tell tells Python what the reader did
   */
  static async open(root, data, tell) {
    const [OpenSeadragon] = await Promise.all([loadOpenSeadragon(data.library), probe(data.slide)]);
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
    });
    this.osd.canvas.setAttribute(
      "aria-label",
      `${this.slide.title}: arrow keys move, + and − zoom`,
    );
    this.osd.addHandler("canvas-key", keepUpright);
    this.osd.addOnceHandler("open", () => this.#restoreView());
    this.osd.addHandler("animation-finish", () => this.#rememberView());

    new Readout(this.osd, root.querySelector(".readout"), this.slide);
    this.overlays = new Overlays(this.osd, root.querySelector(".panel"), this.slide);
    this.frame = new SlideFrame(OpenSeadragon, this.osd, this.slide);
    this.shapes = new ShapeLayer(this.frame);
    this.hints = new Hints(root.querySelector(".hint"));
    this.regions = new Regions((rois) => tell("regions", rois));
    new RegionShapes(this.shapes, this.regions, this.hints);
    this.toolbox = new Toolbox(root, this.frame, this.hints, {
      rectangle: new RectangleTool(this.shapes, this.regions),
      polygon: new PolygonTool(this.shapes, this.regions, this.hints),
      ruler: new RulerTool(this.shapes, this.slide.mpp),
    });

    this.abort = new AbortController();
    const { signal } = this.abort;
    root
      .querySelector(".toolbar")
      .addEventListener("click", (event) => this.#act(event), { signal });
    root
      .querySelector(".viewer")
      .addEventListener("keydown", (event) => this.#keyDown(event), { signal, capture: true });
    // Streamlit has shortcuts of its own (r reruns, c clears) on the document.
    for (const type of ["keydown", "keyup", "keypress"]) {
      root.querySelector(".viewer").addEventListener(type, stopHere, { signal });
    }
    // For browser tests and the curious: the element knows its viewer.
    root.querySelector(".viewer").slideViewer = this;
  }

  /** Take over what may have changed since the last run of the page, leaving the view alone. */
  update(data) {
    this.overlays.update(data.layers, data.classes);
    this.regions.update(data.regions);
  }

  close() {
    this.abort.abort();
    this.#rememberView();
    this.osd.destroy();
  }

  #act(event) {
    const { viewport } = this.osd;
    const actions = {
      "zoom-in": () => viewport.zoomBy(1.6).applyConstraints(),
      "zoom-out": () => viewport.zoomBy(1 / 1.6).applyConstraints(),
      home: () => viewport.goHome(),
      "full-screen": () => this.#toggleFullScreen(),
      "take-view": () => this.#takeView(),
    };
    actions[event.target.closest("button")?.dataset.act]?.();
  }

  /** What is seen becomes a region. */
  #takeView() {
    const { x, y, width, height } = this.frame.view;
    const corners = [{ x, y }, { x: x + width, y: y + height }].map((each) => this.frame.onSlide(each));
    this.regions.add([rectangleRing(pixelsBetween(...corners))]);
  }

  #keyDown(event) {
    const undo = (event.ctrlKey || event.metaKey) && event.key === "z";
    if (undo) this.regions.undo();
    else if (!this.toolbox.key(event)) return;
    event.preventDefault();
  }

  #toggleFullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.root.querySelector(".stage").requestFullscreen();
  }

  #restoreView() {
    const view = lastViews.get(this.slide.id);
    if (view) this.osd.viewport.fitBounds(view, true);
  }

  #rememberView() {
    if (this.osd.isOpen()) lastViews.set(this.slide.id, this.osd.viewport.getBounds());
  }
}

/** OpenSeadragon turns and mirrors the slide on r and f; region and overlays stay upright here. */
function keepUpright(event) {
  if (["KeyR", "KeyF"].includes(event.originalEvent.code)) event.preventDefaultAction = true;
}

function stopHere(event) {
  event.stopPropagation();
}
