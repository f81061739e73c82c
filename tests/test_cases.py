"""Every input that once went wrong has a test: one list says which, and the few without a home stand here."""

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from seg_core.annotations import read_rois
from seg_core.errors import ModelError, RegionError, SettingsError
from seg_core.files.csv import csv_text
from seg_core.model.card import read_card
from seg_core.training.config import read_config
from tests.files_found import files_found

ROOT = Path(__file__).parents[1]

TESTS = {
    "anndata-on-a-full-disk": "seg_core/export/test_full_disk.py",
    "equal-fingerprint": "seg_core/test_analysis_identity.py",
    "excel-and-roi-names": "test_cases.py",
    "force-over-a-special-file": "seg_core/files/test_outputs.py",
    "geojson-types": "seg_core/test_roi_conventions.py",
    "hostile/bombs": "seg_core/slide/test_slide_hostile.py",
    "hostile/csv-injection": "test_cases.py",
    "hostile/eps-runs-ghostscript": "seg_core/slide/test_slide_hostile.py",
    "hostile/fuzz-bands": "seg_core/store/test_store_damage.py",
    "hostile/fuzz-card": "test_cases.py",
    "hostile/fuzz-dicom": "seg_core/slide/test_slide_hostile.py",
    "hostile/fuzz-geojson": "test_cases.py",
    "hostile/fuzz-maps": "seg_core/store/test_store_damage.py",
    "hostile/fuzz-mrxs": "seg_core/slide/test_slide_hostile.py",
    "hostile/fuzz-parquet": "seg_core/store/test_store_damage.py",
    "hostile/fuzz-runjson": "seg_core/store/test_store_damage.py",
    "hostile/fuzz-toml": "test_cases.py",
    "hostile/geojson-tracebacks": "seg_core/test_roi_conventions.py",
    "hostile/lost-chunk": "seg_core/store/test_store_damage.py",
    "hostile/same-id-other-pixels": "seg_core/slide/test_slide_identity.py",
    "hostile/same-name-upload": "pages/test_slide_places.py",
    "hostile/vms-named-png": "seg_core/slide/test_slide_hostile.py",
    "json-takes-a-slide": "seg_core/commands/test_command_line.py",
    "kinds-pillow-cannot-read": "seg_core/slide/test_slide_kinds.py",
    "mrxs-without-folder": "seg_core/slide/test_slide_kinds.py",
    "name-that-is-no-utf8": "pages/test_literal.py",
    "ome-one-page-a-channel": "seg_core/slide/test_slide_kinds.py",
    "pixel-size-in-the-description": "seg_core/slide/test_slide_kinds.py",
    "pixels-not-square": "seg_core/slide/test_slide_kinds.py",
    "reload-while-analysing": "browser/test_reload.py",
    "roi-of-a-slide-with-bounds": "seg_core/test_roi_conventions.py",
    "tiled-orientation": "seg_core/slide/test_slide_kinds.py",
    "two-dicom-series": "seg_core/slide/test_slide_identity.py",
    "uploads-of-one-name": "pages/test_slide_places.py",
    "values-of-12-bits": "seg_core/slide/test_slide_kinds.py",
}


def test_every_case_has_its_module_of_tests(shared_cases: Path) -> None:
    folders = [each for each in shared_cases.iterdir() if each.is_dir() and each.name != "hostile"]
    folders += [each for each in (shared_cases / "hostile").iterdir() if each.is_dir()]
    names = {each.relative_to(shared_cases).as_posix() for each in folders}
    assert names <= TESTS.keys(), "a case without a test"
    for module in TESTS.values():
        assert (ROOT / "tests" / module).is_file(), module


@pytest.mark.parametrize(
    "case", ["excel-and-roi-names/names.geojson", "hostile/csv-injection/rois.geojson"]
)
def test_names_of_regions_are_neither_formulas_nor_mojibake_in_a_table(
    shared_cases: Path, case: str
) -> None:
    names = [roi.name for roi in read_rois(shared_cases / case)]
    text = csv_text(pd.DataFrame({"part": names}))
    assert any(name[0] in "=+-@" for name in names)
    assert not any(line.startswith(("=", "+", "-", "@")) for line in text.splitlines())
    assert text.startswith("\ufeff") != text.isascii()


def test_damaged_cards_are_one_sentence(shared_cases: Path, tmp_path: Path) -> None:
    for file in files_found(shared_cases / "hostile" / "fuzz-card", "*/*.json"):
        path = Path(shutil.copy(file, tmp_path / "tiny.json"))
        with pytest.raises(ModelError, match=r"^tiny\.json ") as refused:
            read_card(path)
        assert_is_a_sentence(str(refused.value))


def test_damaged_settings_of_a_training_are_one_sentence(shared_cases: Path) -> None:
    for file in files_found(shared_cases / "hostile" / "fuzz-toml", "*/*.toml"):
        with pytest.raises(SettingsError) as refused:
            read_config(file)
        assert_is_a_sentence(str(refused.value))


def test_damaged_geojson_is_read_or_one_sentence(shared_cases: Path) -> None:
    for file in files_found(shared_cases / "hostile" / "fuzz-geojson", "*/*.geojson"):
        try:
            rois = read_rois(file)
        except RegionError as refused:
            assert_is_a_sentence(str(refused))
        else:
            assert all(roi.polygon.is_valid and roi.name.isprintable() for roi in rois)


def assert_is_a_sentence(text: str) -> None:
    assert text.endswith(".")
    assert len(text) < 400
    assert text.isprintable()
    assert not re.search(r"Traceback|object has no attribute|unhashable|unsupported operand", text)
