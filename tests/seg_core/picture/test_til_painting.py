"""TIL scores as pictures, figures and tables, on a layout that is known."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from seg_core.classes import rgb_of
from seg_core.errors import ExportError
from seg_core.figures import til as figures
from seg_core.picture.til_painting import (
    EPITHELIUM_COLOUR,
    SQUARE_MAPS,
    STROMA_COLOUR,
    backdrop_of,
    render_compartments,
    render_squares,
    write_map_png,
)
from seg_core.picture.viewport import Viewport
from seg_core.report.document import Plots, Table, Words
from seg_core.report.til_section import til_section
from seg_core.slide import ArraySlide
from seg_core.til import AssessedPart, TilResult, TilSettings, score_tils
from seg_core.til.score_tables import TABLE_COLUMNS, cross_table, dilation_table, score_table

sys.path.append(str(Path(__file__).parents[1] / "til"))
from til_layouts import MPP, block, nuclei, scatter, tissue

FAST = TilSettings(labellings=9)


@pytest.fixture(scope="module")
def band() -> TilResult:
    """1 mm² with a band of epithelium from 500 to 700 µm; E reaches 5 µm further."""
    layout = nuclei(
        epithelial=block(500, 0, 700, 1000),
        lymphocyte=[*scatter(79, 10, 0, 240, 240), *scatter(21, 500, 0, 700, 1000)],
    )
    return score_tils(layout, tissue(1000, 1000), settings=FAST)


@pytest.fixture(scope="module")
def slide() -> ArraySlide:
    return ArraySlide(np.full((2000, 2000, 3), 230, np.uint8), MPP)


def test_compartments_are_painted_where_they_are(band: TilResult) -> None:
    whole = Viewport(-20, -20, 20.0, 102, 102)  # a pixel is 10 µm, one more on each side
    rgba = render_compartments(band.compartments, whole)
    assert not rgba[0].any()
    assert not rgba[:, -1].any()
    assert tuple(rgba[50, 60]) == (*rgb_of(EPITHELIUM_COLOUR), 255)
    assert tuple(rgba[50, 20]) == (*rgb_of(STROMA_COLOUR), 255)
    finer = render_compartments(band.compartments, Viewport(0, 0, 0.5, 64, 64))
    assert (finer == (*rgb_of(STROMA_COLOUR), 255)).all()


def test_squares_are_painted_by_their_value(band: TilResult) -> None:
    rgba = render_squares(band, SQUARE_MAPS["stil"], Viewport(0, 0, 20.0, 100, 100))
    dense, empty = rgba[12, 12], rgba[80, 12]
    assert dense[3] == empty[3] == 255
    assert dense[:3].sum() > empty[:3].sum()  # viridis rises in brightness
    assert not render_squares(band, SQUARE_MAPS["hotspots"], Viewport(0, 0, 20.0, 9, 9)).any()


def test_a_speck_of_the_area_that_a_score_is_of_colours_no_square() -> None:
    """A square that shares 5 % with the tissue was as dark as one full of it, or brighter than all."""
    layout = nuclei(
        epithelial=block(500, 0, 700, 1000),
        lymphocyte=scatter(5, 1000, 0, 1012, 1000),
    )
    result = score_tils(layout, tissue(1012, 1000), settings=FAST)  # squares of 250 µm
    in_tissue = result.squares.set_index("column")["tissue_um2"]
    assert (in_tissue.loc[4] < 0.1 * 250**2).all()
    for name, area in (("stil", "stroma_um2"), ("tissue", "tissue_um2"), ("stroma", "stroma_um2")):
        values = SQUARE_MAPS[name].values(result)  # type: ignore[index]
        assert set(values["column"]) == {0, 1, 2, 3}
        assert (values[area] >= 0.1 * 250**2).all()
    within = SQUARE_MAPS["epithelium"].values(result)
    assert set(within["column"]) == {2}  # of 250 to 500 µm only the last 5 are epithelium
    drawn = figures.square_distribution(result).data[0].x
    assert len(drawn) == len(SQUARE_MAPS["stil"].values(result))


def test_a_map_is_written_with_legend_and_never_over_another(
    band: TilResult, slide: ArraySlide, tmp_path: Path
) -> None:
    path = tmp_path / "map.png"
    write_map_png(band, slide, "stil", path)
    with Image.open(path) as viewport:
        assert viewport.width >= 2000
        assert viewport.height > 2000
    with pytest.raises(ExportError, match="exists"):
        write_map_png(band, slide, "stil", path)


@pytest.mark.parametrize("name", SQUARE_MAPS)
def test_a_map_carries_the_middle_of_its_squares(
    band: TilResult, slide: ArraySlide, name: str
) -> None:
    shown = SQUARE_MAPS[name]  # type: ignore[index]
    figure = figures.til_map(band, shown, *backdrop_of(slide, band, 400))
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("x, mm", "y, mm")
    points = next(trace for trace in figure.data if trace.customdata is not None)
    squares = shown.values(band)
    assert len(points.x) == len(squares)
    if len(squares):
        x, y, side = points.customdata[0]
        assert (x - side / 2, y - side / 2) == tuple(squares[["x_px", "y_px"]].iloc[0])
        # As the browser gets it: packed, a click would answer with 0, 1, 2 instead.
        sent = [each.get("customdata") for each in json.loads(figure.to_json())["data"]]
        assert next(each for each in sent if each is not None) == list(map(list, points.customdata))


def test_plots_show_the_numbers_of_the_result(band: TilResult) -> None:
    assert list(figures.dilation_curve(band).data[0].y) == [
        each.stil_area_pct for each in band.sensitivity
    ]
    observed = figures.cross_l_curve(band).data[2].y
    assert observed[3] == pytest.approx(band.cross.l_um[3] - band.cross.radius_um[3])  # type: ignore[operator]
    assert len(figures.distance_histogram(band).data[0].x) == 100


def test_tables_hold_every_score_with_formula_and_source(band: TilResult) -> None:
    table = score_table(band).set_index("score", drop=False)
    assert list(table.columns) == list(TABLE_COLUMNS)
    assert table.loc["sTIL area", "value"] == band.stil_area_pct.value
    assert (table["formula"].str.len() > 0).all()
    assert (table["source"].str.len() > 0).all()
    assert "at least 3 valid squares" in table.loc["Immune phenotype", "note"]
    assert len(dilation_table(band)) == 5
    assert len(cross_table(band)) == 20


def test_the_report_tells_of_rois_and_why_one_has_no_score(
    band: TilResult, slide: ArraySlide
) -> None:
    parts = [AssessedPart("Whole", band), AssessedPart("far", None, "nothing in common")]
    section = til_section(parts, slide)
    assert section is not None
    strong = [block.strong for block in section.blocks if isinstance(block, Words)]
    assert f"{band.stil_area_pct.value:.2f} %" in strong
    by_roi, scores = (block for block in section.blocks if isinstance(block, Table))
    assert [row[0] for row in by_roi.rows] == ["Whole", "far"]
    assert by_roi.rows[1][-1] == "nothing in common"
    table = score_table(band).set_index("score")
    assert [row[0] for row in scores.rows] == table.index[table["value"].notna()].to_list()
    words = [block.text for block in section.blocks if isinstance(block, Words)]
    for name, note in table["note"].items():
        assert not note or any(name in each and note.rstrip(".") in each for each in words)
    (plots,) = (block for block in section.blocks if isinstance(block, Plots))
    assert len(plots.figures) == 4
    assert til_section([], slide) is None
