import { Overlays } from "./overlays.js";
import { RectangleTool } from "./rectangle.js";
import { Readout } from "./readout.js";
import { loadOpenSeadragon } from "./library.js";
import { Pictures } from "./pictures.js";
import { Swipe } from "./swipe.js";
import { probe, tileSource } from "./tiles.js";

/** Where the reader was on each slide, for the way back from another page. */
const lastViews = new Map();

/** The slide, its overlays and tools; made once for a place on the page, then updated. */
export class SlideViewer {
  /**
   * @param {ParentNode} root the component's own document fragment
   * @param {object} data what viewer_component.py sends
   * @param {(region: ?object) => void} chooseRegion tells Python which rectangle was drawn
   */
  static async open(root, data, chooseRegion) {
    const [OpenSeadragon] = await Promise.all([loadOpenSeadragon(data.library), probe(data.slide)]);
    return new SlideViewer(OpenSeadragon, root, data, chooseRegion);
  }

  constructor(OpenSeadragon, root, data, chooseRegion) {
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

    const readout = new Readout(this.osd, root.querySelector(".readout"), this.slide);
    this.overlays = new Overlays(this.osd, root.querySelector(".panel"), this.slide);
    this.swipe = new Swipe(OpenSeadragon, this.osd, this.overlays, root);
    this.pictures = new Pictures(this.osd, root, this.slide, this.overlays, readout);
    this.rectangle = new RectangleTool(OpenSeadragon, this.osd, root, this.slide, chooseRegion);

    this.abort = new AbortController();
    const { signal } = this.abort;
    for (const place of root.querySelectorAll(".toolbar, .panel-actions")) {
      place.addEventListener("click", (event) => this.#act(event), { signal });
    }
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
    this.rectangle.update(data.region);
  }

  close() {
    this.abort.abort();
    this.#rememberView();
    this.rectangle.close();
    this.osd.destroy();
  }

  #act(event) {
    const { viewport } = this.osd;
    const actions = {
      "zoom-in": () => viewport.zoomBy(1.6).applyConstraints(),
      "zoom-out": () => viewport.zoomBy(1 / 1.6).applyConstraints(),
      home: () => viewport.goHome(),
      "full-screen": () => this.#toggleFullScreen(),
      compare: () => this.swipe.toggle(),
      snapshot: () => this.pictures.saveView(),
      "full-picture": () => this.pictures.saveFull(),
      draw: () => this.rectangle.toggle(),
      "take-view": () => this.rectangle.takeView(),
      clear: () => this.rectangle.clear(),
    };
    actions[event.target.closest("button")?.dataset.act]?.();
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
