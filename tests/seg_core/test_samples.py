import hashlib
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from seg_core.errors import ResolutionError, SlideError
from seg_core.geometry import Window
from seg_core.samples import SAMPLES, sample_note, sample_path
from seg_core.slide import find_tissue, open_slide
from seg_core.subject import opened
from tests.bench.brca_mosaic import IMAGES, held_out, lay_out


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_sample_opens_and_shows_what_its_readme_says(sample):
    path = sample_path(sample.name)
    info = open_slide(path, mpp=sample.mpp).info
    readme = path.with_name("README.md").read_text(encoding="utf-8")
    (line,) = re.findall(rf"^\| `{re.escape(sample.file)}`.*$", readme, flags=re.MULTILINE)
    assert f"{info.width} × {info.height}" in line
    assert ("not stated" in line) == (info.mpp is None)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert f"{digest}  {sample.file}" in readme
    assert sample.credit


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_sample_is_analysed_with_the_pixels_that_its_source_states(sample):
    """A cohort's table or a command that named one without µm per pixel was refused."""
    path = sample_path(sample.name)
    with opened(path) as asked:
        assert asked.question.slide_mpp == pytest.approx(sample.mpp or open_slide(path).info.mpp)
    with opened(path, mpp=0.4) as asked:
        assert asked.question.slide_mpp == pytest.approx(0.4)


def test_a_copy_of_a_sample_is_a_file_as_any_other(tmp_path):
    copied = tmp_path / "hgsc_nest.jpg"
    shutil.copy(sample_path("hgsc_nest"), copied)
    with pytest.raises(ResolutionError), opened(copied):
        pass


def test_the_slide_knows_its_resolution():
    assert open_slide(sample_path("cmu_small_region")).info.mpp == pytest.approx(0.499)


def test_the_mosaic_has_as_much_tissue_as_a_score_needs():
    slide = open_slide(sample_path("brca_mosaic"))
    assert slide.info.mpp == pytest.approx(0.5)
    mask = find_tissue(slide).mask
    assert (
        mask.mean() * slide.info.width * slide.info.height * 0.5**2 > 0.5e6
    )  # µm², of TilSettings


def test_the_mosaic_is_what_its_command_makes_of_the_published_images():
    if not IMAGES.is_dir():
        pytest.skip(f"needs {IMAGES}")
    tiles = held_out(IMAGES)
    assert len({path.name[:12] for path in tiles}) == len(tiles) == 20  # a patient each
    slide = open_slide(sample_path("brca_mosaic"))
    raster = slide.raster(0.5)
    shown = slide.read(raster, Window(0, 0, raster.width, raster.height))
    assert np.abs(shown.astype(int) - lay_out(tiles)).mean() < 3


def test_a_sample_that_is_no_slide_of_one_patient_says_so():
    note = sample_note(sample_path("brca_mosaic"))
    assert note is not None
    assert "No shipped model was trained on them" in note
    assert "nobody's tumour" in note
    assert sample_note(sample_path("hgsc_nest")) is None


def test_a_sample_is_known_by_a_relative_path_too(monkeypatch):
    """As a run that was started at the command line keeps it."""
    path = sample_path("brca_mosaic")
    monkeypatch.chdir(path.parents[1])
    assert sample_note(path.relative_to(path.parents[1])) == sample_note(path)


def test_only_the_slide_itself_is_looked_up_on_the_disk(monkeypatch, tmp_path):
    """All samples were, for each slide of a cohort, each time somebody touched its page."""
    sample_note(tmp_path / "first.png")
    resolved = []
    resolve = Path.resolve
    monkeypatch.setattr(
        Path, "resolve", lambda path, strict=False: resolved.append(path) or resolve(path, strict)
    )
    sample_note(tmp_path / "a.png")
    assert resolved == [tmp_path / "a.png"]


def test_an_unknown_sample_is_refused():
    with pytest.raises(SlideError, match="there is no sample 'heart'; choose one of hgsc_nest"):
        sample_path("heart")
