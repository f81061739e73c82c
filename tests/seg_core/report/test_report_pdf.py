"""The report as PDF, read back by pypdf."""

import html
import io
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pypdf
import pytest
from painted_slides import MPP, PaintedEngine
from PIL import Image

from seg_core.analysis import analyse
from seg_core.digits import in_digits
from seg_core.errors import ExportError, SlideError
from seg_core.export.options import ExportOptions
from seg_core.export.report import write_report
from seg_core.report.document import (
    Beside,
    Document,
    Facts,
    Heading,
    Picture,
    Section,
    Table,
    Words,
)
from seg_core.report.html import html_of
from seg_core.report.pdf import pdf_of
from seg_core.roi import Roi, roi_of_region
from seg_core.scoring import describe_run, measure_columns, parts_of
from seg_core.scoring.assessment import assess_parts
from seg_core.store import Run

HTML_TEXT = re.compile(r"<(script|style).*?</\1>|<[^>]*>", re.DOTALL)


@pytest.fixture(scope="module")
def written(painted_run: Run, tmp_path_factory: pytest.TempPathFactory) -> pypdf.PdfReader:
    path = tmp_path_factory.mktemp("report") / "report.pdf"
    write_report(painted_run, path, ExportOptions(assessed=()))
    return pypdf.PdfReader(io.BytesIO(path.read_bytes()))


def text_of(file: pypdf.PdfReader) -> str:
    return " ".join(" ".join(page.extract_text() for page in file.pages).split())


def a_document(**changes: object) -> Document:
    empty = Document("Nuclei of a slide", "Run 1.", (), "2026-01-02T03:04:05+00:00", ())
    return replace(empty, **changes)


def read(document: Document) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(pdf_of(document)))


def test_with_every_score_it_has_two_to_five_pages(painted_run: Run, tmp_path: Path) -> None:
    write_report(painted_run, tmp_path / "report.pdf", ExportOptions(comment="A second reading."))
    told = pypdf.PdfReader(tmp_path / "report.pdf")
    assert "Tumour-infiltrating lymphocytes" in text_of(told)
    assert 2 <= len(told.pages) <= 5


def test_pages_are_a4_and_numbered(written: pypdf.PdfReader) -> None:
    count = len(written.pages)
    assert count >= 3
    for number, page in enumerate(written.pages, start=1):
        size = float(page.mediabox.width), float(page.mediabox.height)
        assert size == pytest.approx((595.28, 841.89), abs=0.5)
        assert f"Page {number} of {count}" in page.extract_text()
    titles = [each.title for each in written.outline]
    assert titles == [
        *("Where", "Counts and densities", "The analysed part", "Gallery", "Model", "Settings")
    ]


def test_it_says_what_the_html_report_says(
    written: pypdf.PdfReader, painted_run: Run, tmp_path: Path
) -> None:
    write_report(painted_run, tmp_path / "report.html", ExportOptions(assessed=()))
    words = html.unescape(HTML_TEXT.sub(" ", (tmp_path / "report.html").read_text("utf-8"))).split()
    # lines of a PDF break where they like, and long words anywhere
    told = text_of(written).replace(" ", "")
    assert len(words) > 300
    assert [word for word in words if word not in told] == []


def test_counts_and_densities_are_those_of_the_run(
    written: pypdf.PdfReader, painted_run: Run
) -> None:
    for row in measure_columns(describe_run(painted_run)).itertuples():
        numbers = f"{row.count:,} {100 * row.share:.1f} % {in_digits(row.density_per_mm2)}"
        assert f"{row.class_name} {numbers}" in text_of(written)


def test_pictures_plots_and_gallery_are_inside(written: pypdf.PdfReader, painted_run: Run) -> None:
    sizes = [image.image.size for page in written.pages for image in page.images]
    # thumbnail, analysed part, two plots, and ten and ten of each class, where there are as many
    counts = [painted_run.facts.counts[name] for name in painted_run.scheme.names]
    shown = sum(min(count, 20) for count in counts)
    assert len(sizes) == 4 + shown
    assert sizes.count((208, 208)) == shown
    crop = next(i for p in written.pages for i in p.images if i.image.size == (208, 208))
    assert np.asarray(crop.image.convert("RGB")).std() > 5


def test_warnings_and_the_scores_of_rois_are_told(painted_run: Run, tmp_path: Path) -> None:
    run = Run(painted_run.path, replace(painted_run.facts, warnings=("1 mm² is a smear.",)))
    whole = run.region
    roi = Roi("upper half", roi_of_region(replace(whole, height=whole.height // 2)).polygon)
    assessed = list(assess_parts(run, parts_of(run, [roi])))
    write_report(run, tmp_path / "report.pdf", ExportOptions(assessed=assessed))
    file = pypdf.PdfReader(tmp_path / "report.pdf")
    assert "1 mm² is a smear." in " ".join(file.pages[0].extract_text().split())
    text = text_of(file)
    assert "Tumour-infiltrating lymphocytes" in text
    assert "upper half" in text
    assert "sTIL area" in text
    assert "Morisita-Horn" in text


def test_an_anonymous_report_does_not_name_the_slide(painted_run: Run, tmp_path: Path) -> None:
    write_report(painted_run, tmp_path / "report.pdf", ExportOptions(anonymous=True))
    file = pypdf.PdfReader(tmp_path / "report.pdf")
    assert file.metadata is not None
    assert file.metadata.title == "Nuclei of a slide"
    assert "painted" not in text_of(file).replace("name painted", "").replace("engine painted", "")
    assert b"painted.png" not in (tmp_path / "report.pdf").read_bytes()


def test_a_run_without_nuclei_has_a_report(
    tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    Image.new("RGB", (40, 30), "white").save(tmp_path / "blank.png")
    run = analyse(tmp_path / "blank.png", tmp_path, mpp=MPP)
    write_report(run, tmp_path / "report.pdf")
    file = pypdf.PdfReader(tmp_path / "report.pdf")
    assert "Not found: epithelial, lymphocyte, neutrophil, macrophage." in text_of(file)
    assert sum(len(page.images) for page in file.pages) == 4


@pytest.mark.parametrize("name", ["срез печени.png", "τομή.png", "Überschnitt №7 – ½.png"])
def test_a_name_in_other_letters_is_told(
    tmp_path: Path, painted_engines: list[PaintedEngine], name: str
) -> None:
    Image.new("RGB", (40, 30), "white").save(tmp_path / name)
    run = analyse(tmp_path / name, tmp_path, mpp=MPP)
    write_report(run, tmp_path / "report.pdf")
    file = pypdf.PdfReader(tmp_path / "report.pdf")
    assert f"Nuclei of {name}" in text_of(file)
    assert file.metadata is not None
    assert file.metadata.title == f"Nuclei of {name}"
    assert "stands for a letter" not in text_of(file)


def test_letters_that_the_font_lacks_are_boxes_and_that_is_said() -> None:
    file = read(a_document(title="Nuclei of 组织切片 7.svs"))
    assert "Nuclei of □□□□ 7.svs" in text_of(file)
    assert "□ stands for a letter that this file's font lacks" in text_of(file)
    assert file.metadata is not None
    assert file.metadata.title == "Nuclei of 组织切片 7.svs"
    # a file name that is no text at all
    assert "Nuclei of □.svs" in text_of(read(a_document(title="Nuclei of \udcff.svs")))


def test_a_heading_stands_on_the_page_of_what_it_announces() -> None:
    picture = Picture(np.full((900, 900, 3), 200, np.uint8), "grey", "all grey")
    for rows in range(20, 60, 4):
        facts = Section("Before", [Facts([("name", number) for number in range(rows)])])
        shown = Section("After", [Words("Here it is"), picture])
        pages = read(a_document(sections=[facts, shown])).pages
        (with_heading,) = (page for page in pages if "After" in page.extract_text())
        assert len(with_heading.images) == 1
        assert "all grey" in with_heading.extract_text()


def test_a_long_table_repeats_its_titles_and_long_words_are_broken() -> None:
    rows = [["0123456789abcdef" * 8, str(number)] for number in range(90)]
    table = Table(["checksum", "number"], rows, [False, True], [70, 30], ["#e69f00"] * 90)
    pages = read(a_document(sections=[Section("All", [table])])).pages
    assert len(pages) > 2
    assert all("checksum" in page.extract_text() for page in pages)
    told = "".join("".join(page.extract_text().split()) for page in pages)
    assert told.count("0123456789abcdef" * 8) == 90


def test_equal_runs_have_equal_files(painted_run: Run, tmp_path: Path) -> None:
    for name in ("a.pdf", "b.PDF"):
        write_report(painted_run, tmp_path / name)
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.PDF").read_bytes()


def test_an_older_report_stays_where_the_new_one_fails(
    painted_run: Run, tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    shutil.copy(painted_run.slide_path, tmp_path / "slide.png")
    run = analyse(tmp_path / "slide.png", tmp_path / "store", mpp=MPP)
    (tmp_path / "report.pdf").write_bytes(b"older")
    with pytest.raises(ExportError, match="exists already"):
        write_report(run, tmp_path / "report.pdf")
    (tmp_path / "slide.png").unlink()
    with pytest.raises(SlideError, match="there is no file"):
        write_report(run, tmp_path / "report.pdf", ExportOptions(force=True))
    assert (tmp_path / "report.pdf").read_bytes() == b"older"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["report.pdf", "store"]


def test_no_line_ends_between_a_number_and_its_unit() -> None:
    """Every block narrows somewhere, and a line began with the sign of per cent."""
    units = "95 % of 2.5 mm² and 0.25 µm/px in 30 s "
    told = [f"{'so ' * more}{units * 4}" for more in range(8)]
    picture = Picture(np.zeros((40, 90, 3), np.uint8), "Discs", told[0])
    blocks = [
        *(Words(each, tone) for each in told for tone in ("plain", "note", "warning")),
        *(Heading(each) for each in told),
        *(Table([each], [[each]], [False], [10]) for each in told),
        *(Beside(picture, Facts([(each, each)])) for each in told),
        picture,
    ]
    document = a_document(subtitle=told[0], warnings=told, sections=[Section(units, blocks)])
    lines = [line for page in read(document).pages for line in page.extract_text().split("\n")]
    assert len(lines) > 100
    assert [line for line in lines if re.match(r"\s*(%|mm²|µm|s\b(?!o))", line)] == []
    written = html.unescape(HTML_TEXT.sub(" ", html_of(document)))
    assert "95\N{NO-BREAK SPACE}%" in written
    assert re.findall(r"\d (?:%|mm²|µm|s\b)", written) == []
