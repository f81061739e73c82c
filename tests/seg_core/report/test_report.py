"""The report: one file with everything inside."""

import base64
import io
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import shapely
from painted_slides import MPP, PaintedEngine, paint
from PIL import Image

from seg_core import PROGRAM, __version__
from seg_core.analysis import analyse
from seg_core.classes import UNCERTAIN
from seg_core.digits import in_digits
from seg_core.errors import SlideError
from seg_core.export.options import ExportOptions
from seg_core.export.report import write_report
from seg_core.model import ModelCard
from seg_core.report import content
from seg_core.report import method as report_method
from seg_core.report.document import Facts
from seg_core.report.method import program_of
from seg_core.roi import Roi, roi_of_region
from seg_core.scoring import (
    Part,
    counted_of,
    describe_part,
    describe_run,
    joined,
    measure_columns,
    parts_of,
)
from seg_core.scoring.assessment import assess_parts
from seg_core.store import Run, Selection, open_run
from seg_core.store.answer import Answer, write_answer
from seg_core.unbroken import unbroken


@pytest.fixture(scope="module")
def written(painted_run: Run, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(painted_run, path)
    return path.read_text("utf-8")


def without_scripts(html: str) -> str:
    return re.sub(r"<(script|style).*?</\1>", "", html, flags=re.DOTALL)


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", without_scripts(html)))


def pictures_of(html: str) -> list[Image.Image]:
    found = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', html)
    return [Image.open(io.BytesIO(base64.b64decode(each))) for each in found]


def test_the_file_needs_no_other(written: str) -> None:
    assert "<script src" not in written
    assert "<link" not in without_scripts(written)
    assert not re.search(r'(src|href)="(?!data:)', without_scripts(written))
    assert written.count("plotly.js v") == 1
    assert written.count("Plotly.newPlot(") >= 2


def test_counts_and_densities_are_those_of_the_run(written: str, painted_run: Run) -> None:
    for row in measure_columns(describe_run(painted_run)).itertuples():
        numbers = f"{row.count:,} {100 * row.share:.1f} % {in_digits(row.density_per_mm2)} {row.mean_area_um2:.1f}"
        assert f" {row.class_name} {numbers} " in text_of(written)
    area = f"{painted_run.facts.tissue_um2 / 1e6:.4g} mm² of tissue"
    assert f"Densities divide by {area}" in text_of(written)


def test_slide_model_and_settings_are_told(written: str, painted_run: Run) -> None:
    text = text_of(written)
    assert "Nuclei of painted.png" in text
    assert "500 × 700 pixels" in text
    assert painted_run.facts.question.model_sha256 in text
    assert "is not among this program's weights" in text.replace("&#39;", "'")
    assert "tiles 64 px a side" in text
    assert not re.search(r"\b[a-z]+_(px|um2?|only)\b", text), "raw keys"


def test_the_context_head_that_named_the_nuclei_is_told(painted_run: Run) -> None:
    question = replace(painted_run.facts.question, context_head="c" * 64)
    named = replace(painted_run, facts=replace(painted_run.facts, question=question))
    for run, told in ((painted_run, False), (named, True)):
        facts = next(iter(report_method.model_blocks(run)))
        assert isinstance(facts, Facts)
        assert (("SHA-256 of the context head", "c" * 64) in facts.rows) == told


def test_the_card_of_the_model_is_told(
    painted_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = ModelCard(
        name="painted",
        file="painted.safetensors",
        sha256=painted_run.facts.question.model_sha256,
        encoder="resnet18",
        mpp=MPP,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        licence="CC BY-NC-SA 4.0",
        data="paintings <of discs>",
        metrics={
            "validation": {
                "reference": {"lymphocyte": 812},
                "instance": {"f1": {"lymphocyte": 0.61}, "bpq": 0.5},
                "interval95": {"instance": {"f1": {"lymphocyte": [0.5, 0.7]}}},
            }
        },
    )
    monkeypatch.setattr(report_method, "card_of_weights", lambda _sha256: card)
    write_report(painted_run, tmp_path / "report.html")
    html = (tmp_path / "report.html").read_text("utf-8")
    assert "paintings &lt;of discs&gt;" in html
    assert "licence CC BY-NC-SA 4.0" in text_of(html)
    assert "measured on validation" in text_of(html)
    assert "lymphocyte 812 – 0.61 (0.50–0.70)" in text_of(html)
    assert "bPQ, mean over images 0.50" in text_of(html)


def test_the_classifier_that_named_the_classes_is_told_with_its_own_figures(
    painted_run: Run, tmp_path: Path
) -> None:
    """Only the model's figures stood there, which are not of the classes in the report."""
    run = open_run(shutil.copytree(painted_run.path, tmp_path / "run"))
    found = run.found_columns(["nucleus_id"])["nucleus_id"]
    table = pd.DataFrame({"nucleus_id": found, "class_name": "lymphocyte", "class_score": 0.75})
    by_class = [
        {"class": "lymphocyte", "labels": 30, "precision": 0.9, "recall": 0.8, "f1": 0.8471},
        {"class": "other", "labels": 12, "precision": None, "recall": None, "f1": None},
    ]
    figures = {"left_out": "square", "groups": 7, "macro_f1": 0.6123, "by_class": by_class}
    names = ("lymphocyte", "other")
    for kept, told in (
        (figures, "Macro F1 0.61. Cross-validated: each of 7 squares was answered without labels"),
        ({}, "How well it does was not measured, or not kept"),
        ({**figures, "macro_f1": "<high>"}, "How well it does was not measured, or not kept"),
    ):
        write_answer(run.path, Answer("skin <2>", run.scheme, names, table, kept, "ab12"))
        write_report(run, tmp_path / "report.html", ExportOptions(force=True))
        text = text_of((tmp_path / "report.html").read_text("utf-8"))
        assert "Classes by the taught classifier skin &lt;2&gt;" in text
        assert f"The model {run.facts.question.model} found and outlined the nuclei" in text
        assert "its classes lymphocyte, other" in text
        assert "SHA-256 ab12" in text
        assert told in text
        assert ("lymphocyte 30 0.90 0.80 0.85 other 12 – – –" in text) == (kept == figures)


def test_what_somebody_has_to_say_and_the_regions_are_told(
    painted_run: Run, tmp_path: Path
) -> None:
    half = replace(painted_run.region, height=painted_run.region.height // 2)
    fold = Roi("fold <1>", roi_of_region(half).polygon, "exclude")
    options = ExportOptions(comment=" Seen with <Dr Ada>. ", rois=[fold], assessed=[])
    write_report(painted_run, tmp_path / "report.html", options)
    text = text_of((tmp_path / "report.html").read_text("utf-8"))
    assert "Comment Seen with &lt;Dr Ada&gt;." in text
    area = half.width * half.height * painted_run.slide_mpp**2 / 1e6
    queries = painted_run.nucleus_queries()
    inside = Selection(painted_run.scheme.names, part=fold.polygon)
    lost = sum(queries.counts(inside).values())
    assert lost > 5
    assert f"fold &lt;1&gt; left out – {area:.4g} – {lost}" in text
    assert "Whole analysis without fold" in text


def test_the_regions_tell_how_much_of_each_was_counted(painted_run: Run, tmp_path: Path) -> None:
    """A region where nobody had looked had 0 nuclei, and one half left out its whole area."""
    region = painted_run.region
    half = roi_of_region(replace(region, height=region.height // 2)).polygon
    beyond = shapely.box(region.right + 5, region.y, region.right + 105, region.bottom)
    across = shapely.box(region.right - 300, region.y, region.right + 100, region.bottom)
    rois = [
        Roi("all", roi_of_region(region).polygon),
        Roi("beyond", beyond),
        Roi("across", across, "tumour"),
        Roi("fold", half, "exclude"),
        Roi("glass", beyond, "exclude"),
    ]
    write_report(painted_run, tmp_path / "report.html", ExportOptions(rois=rois, assessed=[]))
    text = text_of((tmp_path / "report.html").read_text("utf-8"))

    def mm2(shape: shapely.Geometry) -> str:
        return f"{shape.area * painted_run.slide_mpp**2 / 1e6:.4g}"

    def nuclei(shape: shapely.Geometry) -> int:
        selection = Selection(painted_run.scheme.names, part=shape)
        return sum(painted_run.nucleus_queries().counts(selection).values())

    whole, *_ = parts_of(painted_run, rois)
    rest = across.intersection(whole.polygon)
    assert nuclei(rest) > 1
    for told in (
        f"all counted – {mm2(rois[0].polygon)} {mm2(whole.polygon)} {nuclei(whole.polygon)}",
        f"beyond counted – {mm2(beyond)} 0 –",
        f"across counted, tumour – {mm2(across)} {mm2(rest)} {nuclei(rest)}",
        f"fold left out – {mm2(half)} – {nuclei(half)}",
        f"glass left out – {mm2(beyond)} – –",
    ):
        assert told in text


def test_each_roi_has_its_own_counts_and_densities(
    painted_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report on several chosen ROIs told how many nuclei each has, and not of which classes."""
    region = painted_run.region
    third = replace(region, height=region.height // 3)
    rois = [
        Roi(name, roi_of_region(replace(third, y=region.y + number * third.height)).polygon)
        for number, name in enumerate(("upper", "middle", "lower"))
    ]
    whole, upper, middle, _ = parts_of(painted_run, rois)
    queries, tissue = painted_run.nucleus_queries(), painted_run.tissue()

    def by_roi(part: Part) -> str:
        options = ExportOptions(part=part, rois=rois, assessed=[], force=True)
        write_report(painted_run, tmp_path / "report.html", options)
        return text_of((tmp_path / "report.html").read_text("utf-8")).partition("By ROI")[2]

    for part, told in ((joined([upper, middle]), [upper, middle]), (whole, [upper, middle])):
        text = by_roi(part)
        for each in told:
            found = describe_part(queries, each, painted_run.scheme, tissue=tissue).classes
            for row in found.to_dict("records"):
                share = f"{100 * row['share']:.1f} %"
                assert f"{row['class_name']} {row['count']} {share}" in text
                assert in_digits(row["density_per_mm2"]) in text
        assert ("lower 0." in text) == (part is whole)
    assert by_roi(upper) == ""
    monkeypatch.setattr(content, "MOST_ROIS", 1)
    assert "And 2 more ROIs; the CSV of the nuclei names" in by_roi(whole)


def test_program_and_version_are_told_of_run_and_report(
    written: str, painted_run: Run, tmp_path: Path
) -> None:
    program = f"{PROGRAM}, version {__version__}"
    citation = (Path(__file__).parents[3] / "CITATION.cff").read_text("utf-8")
    assert f"version: {__version__}\n" in citation
    assert painted_run.facts.versions["seg_core"] == __version__
    assert f"by {program.replace('&', '&amp;')}" in text_of(written)
    versions = {"python": "3.11.0"}
    earlier = Run(painted_run.path, replace(painted_run.facts, versions=versions))
    assert program_of(earlier) == f"{PROGRAM}, an earlier version"


def test_the_gallery_shows_the_most_and_the_least_certain(written: str, painted_run: Run) -> None:
    # thumbnail, analysed part, and ten and ten of each of the four classes, where there are as many
    pictures = pictures_of(written)
    counts = [painted_run.facts.counts[name] for name in painted_run.scheme.names]
    assert len(pictures) == 2 + sum(min(count, 20) for count in counts)
    assert pictures[-1].size == (208, 208)
    assert text_of(written).count("least certain") == 4
    table = painted_run.nuclei()
    best = table[table["class_name"] == "lymphocyte"]["class_score"].max()
    assert f"{best:.2f}" in text_of(written).split("most certain")[2]


def test_warnings_stand_at_the_top(painted_run: Run, tmp_path: Path) -> None:
    facts = replace(painted_run.facts, warnings=("1 mm² is a smear.",))
    write_report(Run(painted_run.path, facts), tmp_path / "report.html")
    html = (tmp_path / "report.html").read_text("utf-8")
    assert html.index(unbroken("1 mm² is a smear.")) < html.index("<h2>")


def test_sentences_begin_with_a_capital_and_files_as_they_are_called(
    painted_run: Run, tmp_path: Path
) -> None:
    """Only pages gave what speaks against a run its capital."""
    said = ("the nuclei seem too large.", "painted.png is out of focus.")
    run = Run(painted_run.path, replace(painted_run.facts, warnings=said))
    assessed = list(assess_parts(run, parts_of(run, [])))
    write_report(run, tmp_path / "report.html", ExportOptions(assessed=assessed))
    told = text_of((tmp_path / "report.html").read_text("utf-8"))
    for sentence in (
        "The nuclei seem too large.",
        "painted.png is out of focus.",
        "Not evaluable: ",
    ):
        assert sentence in told


def test_a_small_ratio_has_the_digits_that_the_page_shows(
    painted_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was told as 0.00."""
    found = describe_run(painted_run)
    rare = replace(found, ratios=(replace(found.ratios[0], value=0.00418),))
    monkeypatch.setattr(content, "describe_parts", lambda *_: [rare])
    write_report(painted_run, tmp_path / "report.html", ExportOptions(assessed=()))
    told = text_of((tmp_path / "report.html").read_text("utf-8"))
    assert f"{found.ratios[0].name}: 0.00418." in told


def test_what_has_to_be_known_of_a_sample_stands_at_the_top(
    painted_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content, "sample_note", {painted_run.slide_path: "It is a mosaic."}.get)
    write_report(painted_run, tmp_path / "report.html")
    said = text_of((tmp_path / "report.html").read_text("utf-8"))
    assert said.index("It is a mosaic.") < said.index("Counts and densities")


def test_an_anonymous_report_does_not_name_the_slide(painted_run: Run, tmp_path: Path) -> None:
    write_report(painted_run, tmp_path / "report.html", ExportOptions(anonymous=True))
    html = (tmp_path / "report.html").read_text("utf-8")
    assert "painted.png" not in html
    assert str(painted_run.slide_path.parent) not in html


def test_other_is_counted_on_demand(painted_run: Run, tmp_path: Path) -> None:
    write_report(painted_run, tmp_path / "report.html", ExportOptions(other=True))
    text = text_of((tmp_path / "report.html").read_text("utf-8"))
    assert f"other {painted_run.facts.counts['other']} " in text
    assert "are counted" in text


def test_uncertain_nuclei_are_counted_and_shown_as_such(doubtful_run: Run, tmp_path: Path) -> None:
    write_report(doubtful_run, tmp_path / "report.html", ExportOptions(min_score=0.7))
    html = (tmp_path / "report.html").read_text("utf-8")
    counts = describe_run(doubtful_run, counted_of(doubtful_run, min_score=0.7)).classes.set_index(
        "class_name"
    )["count"]
    assert counts[UNCERTAIN] > 16
    assert f" {UNCERTAIN} {counts[UNCERTAIN]} " in text_of(html)
    assert "below 0.7 count as" in text_of(html)
    # thumbnail, analysed part, ten and ten of each class at most
    shown = counts.clip(upper=20).sum()
    assert len(pictures_of(html)) == 2 + shown


def test_a_run_without_nuclei_has_a_report(
    tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    Image.new("RGB", (40, 30), "white").save(tmp_path / "blank.png")
    run = analyse(tmp_path / "blank.png", tmp_path, mpp=MPP)
    write_report(run, tmp_path / "report.html")
    html = (tmp_path / "report.html").read_text("utf-8")
    assert "Not found: epithelial, lymphocyte, neutrophil, macrophage." in text_of(html)
    assert len(pictures_of(html)) == 2


def test_a_slide_that_is_gone_or_another_one_leaves_no_report(
    tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    path = paint(200, 200).save(tmp_path / "slide.png")
    run = analyse(path, tmp_path / "store", mpp=MPP)
    paint(200, 200, seed=9).save(path)
    with pytest.raises(SlideError, match="is no longer the slide that was analysed"):
        write_report(run, tmp_path / "report.html")
    path.unlink()
    with pytest.raises(SlideError, match="there is no file"):
        write_report(run, tmp_path / "report.html")
    assert [each.name for each in tmp_path.iterdir()] == ["store"]
