"""The picture with outlines, legend and scale bar."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from painted_slides import MPP, PaintedEngine, Painting, paint
from PIL import Image

from seg_core.analysis import analyse
from seg_core.classes import MONUSAC, OTHER, UNCERTAIN, rgb_of
from seg_core.errors import SlideError
from seg_core.export.options import ExportOptions
from seg_core.export.overlay import write_overlay_png
from seg_core.geometry import Region
from seg_core.roi import Roi
from seg_core.slide import open_slide
from seg_core.store import Run

WIDTH, HEIGHT = 858, 1200  # 500 × 700 level-0 pixels, enlarged


def written(run: Run, path: Path, **options: float) -> np.ndarray:
    write_overlay_png(run, path, ExportOptions(**options))
    with Image.open(path) as image:
        return np.asarray(image)


def has(rgb: np.ndarray, colour: str) -> bool:
    return bool((rgb == rgb_of(colour)).all(axis=-1).any())


def test_nuclei_are_outlined_where_they_are(painted_run: Run, tmp_path: Path) -> None:
    picture = written(painted_run, tmp_path / "overlay.png")[:HEIGHT]
    table = painted_run.nuclei()
    corners = shapely.get_coordinates(table.geometry, return_index=True)
    for row, (name, outline) in enumerate(zip(table["class_name"], table.geometry, strict=True)):
        points = corners[0][corners[1] == row] * (HEIGHT / 700)
        columns, rows = np.clip(points.astype(int), 0, (WIDTH - 1, HEIGHT - 1)).T
        colours = picture[rows, columns].astype(int)
        near = np.abs(colours - rgb_of(MONUSAC.colours[name])).max(axis=1) < 130
        assert outline.is_valid
        assert name == OTHER or near.mean() > 0.5


def test_below_the_slide_are_legend_and_scale(painted_run: Run, tmp_path: Path) -> None:
    rgb = written(painted_run, tmp_path / "overlay.png")
    assert rgb.shape[1] == WIDTH
    legend = rgb[HEIGHT:]
    for name in MONUSAC.names:
        assert has(legend, MONUSAC.colours[name])
    assert not has(legend, MONUSAC.colours[OTHER])
    # 125 µm across: the largest round length within a fifth is 20 µm of 7 / 48 µm a pixel
    letter = 24
    bar = legend[letter + letter // 8 + letter // 2, letter : WIDTH // 3]
    assert (bar == 20).all(axis=-1)[:137].all()
    assert round(20 / (7 / 48)) == 137
    assert (legend[letter + letter // 8 + letter // 2, letter + 137] == 255).all()


def test_other_is_drawn_on_demand(painted_run: Run, tmp_path: Path) -> None:
    without = written(painted_run, tmp_path / "a.png")
    with_other = written(painted_run, tmp_path / "b.png", other=True)
    assert has(with_other[HEIGHT:], MONUSAC.colours[OTHER])
    assert (with_other[:HEIGHT] != without[:HEIGHT]).any()


def test_uncertain_nuclei_have_a_colour_of_their_own(doubtful_run: Run, tmp_path: Path) -> None:
    colour = MONUSAC.colours[UNCERTAIN]
    assert not has(written(doubtful_run, tmp_path / "sure.png")[HEIGHT:], colour)
    rgb = written(doubtful_run, tmp_path / "doubtful.png", min_score=0.7)
    assert has(rgb[HEIGHT:], colour)
    assert has(rgb[:HEIGHT], colour)


def test_the_file_tells_the_size_of_a_pixel(painted_run: Run, tmp_path: Path) -> None:
    write_overlay_png(painted_run, tmp_path / "overlay.png")
    mpp = open_slide(tmp_path / "overlay.png").info.mpp
    assert mpp == pytest.approx(MPP * 700 / HEIGHT, rel=1e-3)


def test_a_large_part_is_shrunk_below_8192_pixels(
    painted_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seg_core.picture.slide_overlay._LARGEST_PX", 350)
    monkeypatch.setattr("seg_core.picture.slide_overlay._SMALLEST_PX", 1)
    rgb = written(painted_run, tmp_path / "overlay.png")
    assert (rgb[:350, :250] != 255).any()
    assert rgb.shape[1] == 250
    # the legend in letters of 18 px takes several rows
    assert 350 + 4 * 27 < rgb.shape[0] < 350 + 8192 - 7600


def test_a_roi_is_drawn_round(
    painted_slide: Path, tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    roi = Roi("tumour", shapely.box(50, 60, 250, 360))
    run = analyse(painted_slide, tmp_path, mpp=MPP, roi=roi)
    rgb = written(run, tmp_path / "overlay.png")
    assert (rgb[600, 0] == 20).all()
    assert (rgb[0, 400] == 20).all()


def test_a_run_without_nuclei_is_a_picture_of_the_slide(
    tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    Image.new("RGB", (40, 30), "white").save(tmp_path / "blank.png")
    run = analyse(tmp_path / "blank.png", tmp_path, mpp=MPP)
    rgb = written(run, tmp_path / "overlay.png")
    assert (rgb[:900, :1200] == 255).all()


def test_a_single_pixel_is_a_picture_too(
    painted_slide: Path, tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    """It is enlarged so far that PNG has no number for its resolution: that was a traceback."""
    run = analyse(painted_slide, tmp_path, mpp=MPP, region=Region(100, 100, 1, 1))
    write_overlay_png(run, tmp_path / "overlay.png")
    with Image.open(tmp_path / "overlay.png") as image:
        assert image.width == 1200
        assert "dpi" not in image.info


def test_a_slide_that_is_gone_or_another_one_is_a_sentence(
    painting: Painting, tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    path = painting.save(tmp_path / "slide.png")
    run = analyse(path, tmp_path / "store", mpp=MPP)
    paint(500, 700, seed=9).save(path)
    with pytest.raises(SlideError, match="is no longer the slide that was analysed; put that"):
        write_overlay_png(run, tmp_path / "overlay.png")
    path.unlink()
    with pytest.raises(SlideError, match="there is no file"):
        write_overlay_png(run, tmp_path / "overlay.png")
    assert [each.name for each in tmp_path.iterdir()] == ["store"]


def test_a_narrow_part_keeps_its_legend(painted_run: Run, tmp_path: Path) -> None:
    region = replace(painted_run.region, width=20)
    question = replace(painted_run.facts.question, region=region)
    narrow = Run(painted_run.path, replace(painted_run.facts, question=question))
    rgb = written(narrow, tmp_path / "overlay.png")
    assert rgb.shape[1] > 100
    for name in MONUSAC.names:
        assert has(rgb[HEIGHT:], MONUSAC.colours[name])
