"""What a reader does in the viewer, for tests that need it done."""

import base64
import io

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from pages.shared.page_list import VIEWER
from seg_core.samples import SAMPLES, sample_path
from seg_core.slide import slide_id

SAMPLE = "cmu_small_region.svs"
SAMPLE_ID = slide_id(sample_path("cmu_small_region"))

# A piece of the sample with epithelium and stroma, level-0 pixels.
LEFT, TOP, WIDTH, HEIGHT = 900, 1300, 400, 300
PIECE = f"&x={LEFT + WIDTH // 2}&y={TOP + HEIGHT // 2}&width={WIDTH * 3 // 2}"

SHOW_PIECE = f"""viewer => {{
    const {{ osd }} = viewer.slideViewer;
    const slide = osd.world.getItemAt(0);
    osd.viewport.fitBounds(
        slide.imageToViewportRectangle({LEFT}, {TOP}, {WIDTH}, {HEIGHT}), true);
    return new Promise(resolve => slide.whenFullyLoaded(() => resolve()));
}}"""

# OpenSeadragon says when all tiles of an image in view are there, and draws in the next frame.
WAIT_FOR_TILES = """viewer => {
    const { world } = viewer.slideViewer.osd;
    // Without an image there is nothing to wait for yet.
    if (!world.getItemCount()) return new Promise(done => world.addOnceHandler("add-item", done))
        .then(() => new Promise(done => world.getItemAt(0).whenFullyLoaded(done)));
    const images = Array.from({ length: world.getItemCount() }, (_, i) => world.getItemAt(i));
    return Promise.all(images.map(image => new Promise(done => image.whenFullyLoaded(done))))
        .then(() => new Promise(done => viewer.slideViewer.osd.addOnceHandler("update-viewport", done)
            && viewer.slideViewer.osd.forceRedraw()));
}"""

# Streamlit says of a page whether its script runs. What has come is drawn in steps: charts bring their
# library, pictures and fonts their size.
SETTLED = """() => new Promise(done => {
    const comes = '[data-stale=true], [data-testid=stSkeleton]';
    const isBusy = () => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState !== 'notRunning'
        || document.querySelector(comes) || document.fonts.status !== 'loaded'
        || Array.from(document.images).some(image => !image.complete);
    let changed = performance.now();
    const observer = new MutationObserver(() => { changed = performance.now(); });
    observer.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
    const look = () => {
        if (isBusy()) changed = performance.now();
        if (performance.now() - changed < 300) return requestAnimationFrame(look);
        observer.disconnect();
        done(true);
    };
    look();
})"""

VIEW = "viewer => { const b = viewer.slideViewer.osd.viewport.getBounds(); return [b.x, b.y, b.width, b.height]; }"


def open_place(page: Page, dashboard: str, query: str = PIECE, slide: str = SAMPLE_ID) -> Locator:
    """Open a slide by an address that names it; all tiles of its view are there."""
    page.goto(f"{dashboard}/{VIEWER.address}?slide={slide}{query}")
    viewer = page.locator("section.viewer")
    expect(viewer.locator(".openseadragon-canvas").first).to_be_visible()
    viewer.evaluate(WAIT_FOR_TILES)
    return viewer


def settle(page: Page) -> None:
    """Wait until a page's script has run and what it has brought is laid out."""
    page.wait_for_function(SETTLED)  # which gives up in the end, as evaluate does not


def choose_button(page: Page, name: str = "cmu_small_region") -> Locator:
    """The button below a sample on the Slides page, as long as none is chosen."""
    number = [sample.name for sample in SAMPLES].index(name)
    return page.get_by_role("button", name="Choose").nth(number)


def open_sample(page: Page, dashboard: str) -> Locator:
    page.goto(dashboard)
    choose_button(page).click()
    expect(page.get_by_role("heading", name=SAMPLE)).to_be_visible()
    with page.expect_response(lambda answer: "/slide/" in answer.url) as first_tile:
        page.get_by_role("button", name="Open in the viewer").click()
    assert first_tile.value.headers["content-type"] == "image/jpeg"
    viewer = page.locator("section.viewer")
    expect(viewer.locator(".openseadragon-canvas").first).to_be_visible()
    return viewer


def draw_rectangle(page: Page, viewer: Locator) -> None:
    """Draw over the middle of the view, from a quarter to three quarters."""
    box = viewer.locator(".image").bounding_box()
    assert box is not None
    viewer.get_by_role("button", name="Draw a rectangle").click()
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.25)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.75, steps=4)
    page.mouse.up()


def on_screen(viewer: Locator, x: float, y: float) -> tuple[float, float]:
    """Where a level-0 pixel is drawn, in pixels of the page."""
    point = viewer.evaluate(
        """(viewer, [x, y]) => {
            const { frame, osd } = viewer.slideViewer;
            const { left, top } = osd.canvas.getBoundingClientRect();
            const point = frame.toScreen({ x, y });
            return [left + point.x, top + point.y];
        }""",
        [x, y],
    )
    return point[0], point[1]


def press_and_drag(page: Page, *points: tuple[float, float]) -> None:
    """Hold the button from the first point over all others to the last."""
    first, *others = points
    page.mouse.move(*first)
    page.mouse.down()
    for point in others:
        page.mouse.move(*point, steps=3)
    page.mouse.up()


def canvas_of(viewer: Locator) -> np.ndarray:
    """What OpenSeadragon has drawn, (H, W, 3)."""
    encoded = viewer.evaluate(
        "viewer => viewer.slideViewer.osd.drawer.canvas.toDataURL('image/png')"
    )
    content = io.BytesIO(base64.b64decode(encoded.partition(",")[2]))
    return np.asarray(Image.open(content).convert("RGB"))


def expect_centre(page: Page, x: float, y: float, within: float = 2.0) -> None:
    """Wait until the viewer shows a place, level-0 pixels, in its middle."""
    expect(page.locator("section.viewer .openseadragon-canvas").first).to_be_visible()
    # found by Playwright, which looks into the shadow root that the component stands in
    shown = page.locator("section.viewer").first.element_handle()
    page.wait_for_function(
        """([viewer, x, y, within]) => {
            const osd = viewer.slideViewer?.osd;
            const slide = osd?.world.getItemAt(0);
            if (!slide) return false;
            const middle = slide.viewportToImageCoordinates(osd.viewport.getCenter(false));
            return Math.hypot(middle.x - x, middle.y - y) <= within;
        }""",
        arg=[shown, x, y, within],
    )
