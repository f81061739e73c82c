"""The page Evaluate: a reference is brought, its figures are those of the command line, a cell leads to a nucleus."""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from analysed import LEFT, SIDE, TOP, analyse_part
from PIL import Image
from playwright.sync_api import Page, expect
from scipy import ndimage
from serving import STORE, serve_dashboard
from viewing import expect_centre, settle

from pages.shared.page_list import EVALUATE
from seg_core import commands as cli
from seg_core.evaluation.tables import OVERALL
from seg_core.model import find_model
from seg_core.samples import sample_path
from seg_core.store import Run

pytestmark = pytest.mark.browser

ON_THE_SERVER_MS = 60_000


@pytest.fixture(scope="module")
def run(dashboard_folder: Path) -> Run:
    """A part of a sample, analysed in the dashboard's store."""
    return analyse_part(dashboard_folder / STORE)


@pytest.fixture(scope="module")
def local_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("local")


@pytest.fixture(scope="module")
def local_dashboard(local_folder: Path) -> Iterator[str]:
    """Address of a dashboard whose reader sits at the same machine."""
    with serve_dashboard(local_folder, SEG_LOCAL="1") as address:
        yield address


def write_geojson(run: Run, path: Path) -> Path:
    """Two regions; some nuclei lack, and every third is called a tumour's."""
    half = SIDE / 2
    boxes = [shapely.box(LEFT + x, TOP, LEFT + x + half, TOP + SIDE) for x in (0, half)]
    features: list[dict[str, Any]] = [feature(box, "annotation", "Region*") for box in boxes]
    for number, shape in enumerate(run.nuclei().geometry):
        if number % 4:
            features.append(feature(shape, "detection", "Immune cells" if number % 3 else "Tumor"))
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def feature(shape: shapely.Geometry, kind: str, name: str) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": json.loads(shapely.to_geojson(shape)),
        "properties": {"objectType": kind, "classification": {"name": name}},
    }


def write_xml(run: Run, path: Path) -> Path:
    layers = []
    for name, wanted in (("Lymphocyte", 1), ("Epithelial", 0)):
        regions = "".join(
            f'<Region Id="{number}"><Vertices>'
            + "".join(f'<Vertex X="{x}" Y="{y}"/>' for x, y in shape.exterior.coords[:-1])
            + "</Vertices></Region>"
            for number, shape in enumerate(run.nuclei().geometry, start=1)
            if number % 4 and bool(number % 3) == bool(wanted)
        )
        attribute = f'<Attributes><Attribute Name="{name}"/></Attributes>'
        layers.append(f"<Annotation>{attribute}<Regions>{regions}</Regions></Annotation>")
    path.write_text(f"<Annotations>{''.join(layers)}</Annotations>")
    return path


def write_dots(run: Run, path: Path) -> Path:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["x", "y", "class"])
        for number, nucleus in enumerate(run.nuclei().itertuples()):
            if number % 4:
                rows.writerow([nucleus.x, nucleus.y, "lymphocytes" if number % 3 else "tumour"])
    return path


def bring(page: Page, dashboard: str, run: Run, file: Path) -> None:
    page.goto(f"{dashboard}/{EVALUATE.address}?slide={run.slide_id}&run={run.run_id}")
    expect(page.get_by_text("Bring what somebody labelled on this slide")).to_be_visible()
    # the two boxes come in any order, so the first to stand there may be the one for classes
    box = page.get_by_test_id("stFileUploader").filter(has_text="File of labelled nuclei")
    # the name stands there before the file has arrived, and what is pressed then goes without it
    with page.expect_response(lambda answer: "upload_file" in answer.url):
        box.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_test_id("stMain").get_by_text(file.name).first).to_be_visible()
    page.get_by_role("button", name="Keep with the slide").click()


def open_section(page: Page, name: str) -> None:
    page.get_by_test_id("stMain").get_by_role("radio", name=name, exact=True).click()


def expect_figure(page: Page, result: dict[str, Any], kind: str, name: str) -> None:
    row = page.get_by_role("row").filter(has=page.get_by_text(OVERALL[kind, name], exact=True))
    value, interval = result[kind][name], result["interval95"][kind][name]
    between = f" ({interval[0]:.2f}–{interval[1]:.2f})" if interval else ""
    expect(row).to_contain_text(f"{value:.3f}{between}")


@pytest.mark.parametrize(
    ("write", "suffix", "figure"),
    [
        (write_geojson, ".geojson", ("instance", "bpq")),
        (write_xml, ".xml", ("instance", "macro_f1")),
        (write_dots, ".csv", ("dots", "detection_f1")),
    ],
)
def test_the_figures_are_those_of_the_command_line_and_a_cell_leads_to_a_nucleus(
    write: Any, suffix: str, figure: tuple[str, str], dashboard: str, run: Run, page: Page,
    tmp_path: Path,
) -> None:  # fmt: skip
    file = write(run, tmp_path / f"labels{suffix}")
    out = tmp_path / "out.json"
    command = ["evaluate", "--run", str(run.path), "--reference", str(file), "--json", str(out)]
    assert cli.main(command) == 0
    result = json.loads(out.read_text())
    assert 0.2 < result[figure[0]][figure[1]] < 1, "too easy to tell a mistake by"

    bring(page, dashboard, run, file)
    reference = page.get_by_role("combobox", name="Reference")
    expect(reference).to_have_value(re.compile(f"^{re.escape(file.name)}"))
    settle(page)  # figures of an earlier reference have stood there
    expect_figure(page, result, *figure)
    page.reload()
    expect_figure(page, result, *figure)

    open_section(page, "Confusion")
    if "dots" in result:
        counted = result["dots"]["called"]["counts"]
    else:
        counted = result["instance"]["confusion"]["counts"]
    count = counted[0][1]  # epithelial, called lymphocyte
    assert count > 0
    page.get_by_role("button", name=f"epithelial, lymphocyte: {count}", exact=True).click()
    expect(page.get_by_text(f"{count} nuclei")).to_be_visible()
    first = page.locator(".gallery button").first
    number = int(first.inner_text())
    first.click()
    page.wait_for_url(re.compile(r"/viewer(\?|$)"))
    nucleus = run.nuclei().set_index("nucleus_id").loc[number]
    expect_centre(page, nucleus["x"], nucleus["y"], within=4)
    for layer in ("Found", "Missed", "Spurious", "Wrong class"):
        expect(page.get_by_text(layer, exact=True).first).to_be_attached()


def test_a_file_that_is_no_reference_is_refused_in_a_sentence(
    dashboard: str, run: Run, page: Page, tmp_path: Path
) -> None:
    file = tmp_path / "nothing.geojson"
    file.write_text('{"type": "FeatureCollection", "features": []}')
    bring(page, dashboard, run, file)
    expect(page.get_by_text("holds no outline and no point")).to_be_visible()


def write_images(folder: Path) -> Path:
    """Two crops of a sample in the mask layout; whatever is dark is labelled a lymphocyte."""
    for name in ("images", "inst", "class"):
        (folder / name).mkdir(parents=True)
    picture = Image.open(sample_path("hgsc_nest")).convert("RGB")
    for name, left in (("one", 100), ("two", 700)):
        crop = picture.crop((left, 200, left + 320, 520))
        labels, _ = ndimage.label(np.asarray(crop)[..., 0] < 100)
        crop.save(folder / "images" / f"{name}.png")
        Image.fromarray(labels.astype(np.uint16)).save(folder / "inst" / f"{name}.png")
        kinds = (2 * (labels > 0)).astype(np.uint8)
        Image.fromarray(kinds).save(folder / "class" / f"{name}.png")
    return folder


def test_a_model_is_measured_by_a_folder_of_images_as_by_the_command(
    local_dashboard: str, page: Page, tmp_path: Path
) -> None:
    folder, out = write_images(tmp_path / "mine"), tmp_path / "out.json"
    assert cli.main(["evaluate", "--data", str(folder), "--json", str(out)]) == 0
    result = json.loads(out.read_text())
    assert 0.02 < result["instance"]["bpq"] < 0.98, "too easy to tell a mistake by"

    page.goto(f"{local_dashboard}/{EVALUATE.address}")
    expect(page.get_by_role("heading", name=EVALUATE.title)).to_be_visible()
    open_section(page, "A model, on a folder of images")
    named = page.get_by_role("textbox", name="Folder of labelled images")
    named.fill(str(folder))
    named.press("Enter")
    measure = page.get_by_role("button", name="Measure", exact=True)
    expect(measure).to_be_enabled()
    measure.click()
    expect_figure(page, result, "instance", "bpq")
    page.get_by_text("Images, the worst first").click()
    expect(page.get_by_test_id("stDataFrame").last).to_be_visible()
    page.reload()
    expect(page.get_by_role("textbox", name="Folder of labelled images")).to_be_visible()


def test_two_models_are_measured_side_by_side_as_by_the_command(
    local_dashboard: str, page: Page, tmp_path: Path
) -> None:
    folder, out = write_images(tmp_path / "mine"), tmp_path / "out.json"
    second = "nuclei-resnet18"
    asked = ["evaluate", "--data", str(folder), "--with-model", second, "--json", str(out)]
    assert cli.main(asked) == 0
    result = json.loads(out.read_text())
    assert abs(result["difference"]["instance"]["bpq"]) > 0.001, "too alike to tell a mistake by"

    page.goto(f"{local_dashboard}/{EVALUATE.address}")
    open_section(page, "A model, on a folder of images")
    named = page.get_by_role("textbox", name="Folder of labelled images")
    named.fill(str(folder))
    named.press("Enter")
    page.get_by_role("combobox", name="Beside it").click()
    page.get_by_role("option", name=find_model(second)[0].title).click()
    page.get_by_role("button", name="Measure", exact=True).click()
    row = page.get_by_role("row").filter(
        has=page.get_by_text(OVERALL["instance", "bpq"], exact=True)
    )
    expect(row.first).to_contain_text(f"{result['beside']['instance']['bpq']:.3f}")
    difference = f"{abs(result['difference']['instance']['bpq']):.3f}"
    expect(row.first).to_contain_text(difference)


def test_a_corrected_analysis_is_a_reference_and_its_figures_are_those_of_the_command(
    local_dashboard: str, local_folder: Path, page: Page, tmp_path: Path
) -> None:
    run = analyse_part(local_folder / STORE)
    ids = [int(number) for number in run.nuclei()["nucleus_id"].head(7)]
    run.journal().correct(ids, ["lymphocyte"] * len(ids), "epithelial", by="a test")
    out = tmp_path / "out.json"
    asked = ["evaluate", "--run", str(run.path), "--reference", str(run.path), "--json", str(out)]
    assert cli.main(asked) == 0
    result = json.loads(out.read_text())
    assert 0.2 < result["instance"]["macro_f1"] < 1, "too easy to tell a mistake by"

    page.goto(f"{local_dashboard}/{EVALUATE.address}?slide={run.slide_id}&run={run.run_id}")
    open_section(page, "An analysis of the slide")  # another was left open, and that lasts
    chosen = page.get_by_test_id("stMain").get_by_role("combobox").first
    expect(chosen).to_have_value(re.compile("^Corrected by hand"))
    expect(page.get_by_text("What the model found is measured")).to_be_visible()
    expect(page.locator("[data-stale=true]")).to_have_count(0)  # of what stood there before
    expect_figure(page, result, "instance", "macro_f1")
