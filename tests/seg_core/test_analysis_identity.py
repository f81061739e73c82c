"""Each slide has its own runs, under the name by which it was asked."""

import json
import shutil
from pathlib import Path

import painted_slides
import pytest

from seg_core.analysis import analyse
from seg_core.errors import SlideError
from seg_core.slide import slide_id
from seg_core.slide.identity import earlier_slide_id
from seg_core.store import Store

pytestmark = pytest.mark.usefixtures("painted_engines")


def run_of(slide: Path, store: Path, **options):
    return analyse(
        slide, store, mpp=painted_slides.MPP, settings=painted_slides.SMALL_TILES, **options
    )


def test_slides_that_differ_anywhere_have_runs_of_their_own(shared_cases, tmp_path: Path) -> None:
    slides = []
    for path in sorted((shared_cases / "equal-fingerprint").glob("*.tif")):
        slides.append(shutil.copy(path, tmp_path))
    one, other = (run_of(Path(slide), tmp_path / "store") for slide in slides)
    assert one.path.parent != other.path.parent
    assert [run.slide_path.name for run in (one, other)] == [Path(each).name for each in slides]


def test_one_content_in_two_places_is_shown_under_the_place_that_was_asked(
    tmp_path: Path, painted_slide: Path
) -> None:
    first, second = tmp_path / "a" / "slide.png", tmp_path / "b" / "slide.png"
    for path in (first, second):
        path.parent.mkdir()
        shutil.copy(painted_slide, path)
    runs = [run_of(path, tmp_path / "store") for path in (first, second)]
    assert runs[0].path == runs[1].path
    assert [run.slide_path for run in runs] == [first, second]


def test_a_slide_that_is_replaced_while_it_is_analysed_leaves_nothing_under_its_id(
    tmp_path: Path, painted_slide: Path, painting
) -> None:
    path = tmp_path / "slide.png"
    shutil.copy(painted_slide, path)
    expected = slide_id(path)

    def replace_it(progress) -> None:
        if progress.stage == "nuclei":
            painted_slides.paint(500, 700, seed=9).save(path)

    with pytest.raises(SlideError) as caught:
        run_of(path, tmp_path / "store", report=replace_it)
    assert str(caught.value) == (
        "slide.png was changed or replaced while it was analysed, so nothing is kept; start the "
        "analysis again."
    )
    [run] = Store(tmp_path / "store").runs(expected)
    assert run.status == "failed"
    assert not (run.path / "maps.zarr").exists()
    shutil.copy(painted_slide, path)
    counted = run_of(path, tmp_path / "store").facts.counts
    assert sum(counted.values()) == len(painting.centres)


def test_runs_of_an_earlier_version_are_still_a_slides_own(
    tmp_path: Path, painted_slide: Path
) -> None:
    path = tmp_path / "slide.png"
    shutil.copy(painted_slide, path)
    store = Store(tmp_path / "store")
    run = run_of(path, store.path)
    earlier = earlier_slide_id(path)
    kept = store.path / earlier / run.run_id
    shutil.move(run.path.parent, kept.parent)
    entries = json.loads((kept / "run.json").read_text("utf-8"))
    entries["slide"]["id"] = earlier
    del entries["seal"], entries["checksum"]  # which earlier versions did not write
    (kept / "run.json").write_text(json.dumps(entries), "utf-8")
    [found] = store.runs_of_slide(path, slide_id(path))
    assert found.path == kept
    found.open_slide().close()
    other = tmp_path / "elsewhere" / "slide.png"
    other.parent.mkdir()
    shutil.copy(path, other)
    assert store.runs_of_slide(other, slide_id(other)) == []


def test_runs_of_a_slide_are_found_when_it_has_been_moved(
    tmp_path: Path, painted_slide: Path
) -> None:
    """A run knows the place where its slide was; whoever opens it elsewhere asks by that."""
    path, moved = tmp_path / "slide.png", tmp_path / "elsewhere.png"
    shutil.copy(painted_slide, path)
    run = run_of(path, tmp_path / "store")
    path.rename(moved)
    [found] = Store(tmp_path / "store").runs_of_slide(run.slide_path, run.slide_id)
    assert found.path == run.path


def test_runs_of_a_slide_read_it_where_it_is_now(tmp_path: Path, painted_slide: Path) -> None:
    """They asked for it at the place where it was analysed, and that was gone."""
    path, moved = tmp_path / "slide.png", tmp_path / "elsewhere" / "slide.png"
    moved.parent.mkdir()
    shutil.copy(painted_slide, path)
    run_of(path, tmp_path / "store")
    path.rename(moved)
    [found] = Store(tmp_path / "store").runs_of_slide(moved, slide_id(moved))
    assert found.slide_path == moved
    found.open_slide().close()
