"""The one list of formats, and what is written by its entries alone."""

import json
import os
from dataclasses import replace
from pathlib import Path

import anndata
import pandas as pd
import pytest
from painted_slides import MPP, SMALL_TILES, PaintedEngine, Painting

from seg_core.analysis import analyse
from seg_core.errors import ExportError
from seg_core.export import formats
from seg_core.export.formats import FORMATS, Format
from seg_core.export.options import ExportOptions
from seg_core.labelled.slide_reference import read_slide_reference
from seg_core.roi import Roi, roi_of_region
from seg_core.scoring import WHOLE
from seg_core.store import Run
from seg_core.til import AssessedPart

ROOT = Path(__file__).parents[3]


def named(name: str) -> Format:
    (found,) = (each for each in FORMATS if each.name == name)
    return found


def test_the_documents_list_exactly_the_formats() -> None:
    """Else `python -m seg_core.export.formats` writes their table anew."""
    document = (ROOT / "docs/formats.md").read_text("utf-8")
    assert formats.with_table(document) == document
    assert document.count("\n| `--") == len(FORMATS)


@pytest.mark.parametrize(
    "after", ["", "\nWords.\n", "\n## Else\n\n| a |\n|---|\n| b |\n\nWords.\n"]
)
def test_what_stands_behind_the_table_of_formats_stays(after: str) -> None:
    """All that stood before a second table was once taken for the first, and lost."""
    before = "# Files\n\n"
    document = f"{before}| old |\n|---|\n| row |\n{after}"
    assert formats.with_table(document) == f"{before}{formats.markdown_table()}{after}"


def test_neither_an_option_nor_the_end_of_a_name_is_given_twice() -> None:
    suffixes = [file.suffix for each in FORMATS for file in each.downloads]
    assert len(set(suffixes)) == len(suffixes)
    assert len({each.option for each in FORMATS}) == len(FORMATS)


@pytest.mark.parametrize(
    "form", [each for each in FORMATS if each.package], ids=lambda form: form.name
)
def test_without_its_package_one_sentence_says_what_to_install(
    form: Format, painted_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert form.package is not None
    assert form.missing is None
    assert (ROOT / form.package.requirements).is_file()
    monkeypatch.setattr(formats, "find_spec", lambda _name: None)
    with pytest.raises(ExportError, match=rf"pip install -r {form.package.requirements}"):
        form.write(painted_run, tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_every_format_takes_a_slide_whose_name_is_not_in_utf8(
    painting: Painting, painted_engines: list[PaintedEngine], tmp_path: Path
) -> None:
    """Half of them once ended in a UnicodeEncodeError; such names come from older file servers."""
    slide = tmp_path / os.fsdecode(b"pr\xe4parat.png")
    try:
        painting.save(tmp_path / "plain.png").rename(slide)
    except OSError:
        pytest.skip("this file system takes no such name")
    run = analyse(slide, tmp_path / "store", mpp=MPP, settings=SMALL_TILES)
    shown = "pr\\udce4parat.png"
    for form in (each for each in FORMATS if each.missing is None):
        for suffix in [each.suffix for each in form.downloads] or [f"{form.name}.csv"]:
            form.write(run, tmp_path / suffix)
    for suffix in ("nuclei.csv", "classes.csv", "til-csv.csv"):
        assert set(pd.read_csv(tmp_path / suffix)["slide"]) == {shown}
    assert json.loads((tmp_path / "nuclei.geojson").read_text("utf-8"))["counted"]["slide"] == shown
    assert anndata.read_h5ad(tmp_path / "nuclei.h5ad").uns["run"]["slide"] == shown
    assert f"Nuclei of {shown}" in (tmp_path / "report.html").read_text("utf-8")
    reference = read_slide_reference(tmp_path / "nuclei.csv", run.open_slide().info, MPP)
    assert reference.notes == ()  # it is of this slide


def test_squares_are_those_of_the_whole_and_of_the_rois_asked_for(
    painted_run: Run, tmp_path: Path
) -> None:
    whole = painted_run.region
    half = roi_of_region(replace(whole, height=whole.height // 2)).polygon
    options = ExportOptions(rois=[Roi("upper half", half)])
    named("til-csv").write(painted_run, tmp_path / "squares.csv", options)
    found = pd.read_csv(tmp_path / "squares.csv")
    assert list(found["part"].unique()) == [WHOLE, "upper half"]
    assert (found.loc[found["part"] == "upper half", "y_px"] < whole.height // 2).all()


def test_scores_that_are_known_are_written_and_none_is_computed(
    painted_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = ExportOptions().til_scores(painted_run)
    named("til-csv").write(painted_run, tmp_path / "computed.csv")
    monkeypatch.delattr("seg_core.export.options.assess_parts")
    options = ExportOptions(assessed=known)
    named("til-csv").write(painted_run, tmp_path / "known.csv", options)
    written = (tmp_path / "known.csv").read_bytes()
    assert written.count(b"\n") > 1
    assert written == (tmp_path / "computed.csv").read_bytes()


def test_without_til_scores_there_are_no_squares_and_the_reason_is_told(
    painted_run: Run, tmp_path: Path
) -> None:
    """It once was a ValueError of pandas, for a model that knows no lymphocytes."""
    scores = [AssessedPart(WHOLE, None, "the model names no lymphocytes.")]
    with pytest.raises(ExportError, match=rf"{WHOLE}: the model names no lymphocytes\."):
        named("til-csv").write(
            painted_run, tmp_path / "squares.csv", ExportOptions(assessed=scores)
        )
    assert list(tmp_path.iterdir()) == []
