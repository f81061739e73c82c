import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from seg_core.errors import DataError, SettingsError
from seg_core.labelled.patches import export_patches, windows_of
from seg_core.labelled.reading import read_labelled
from seg_core.training.config import SourceConfig
from seg_core.training.dataset import read_images
from tests.files_found import files_found


@given(
    height=st.integers(1, 700),
    width=st.integers(1, 700),
    size=st.integers(32, 300),
    stride=st.integers(16, 300),
)
def test_patches_cover_what_their_stride_allows(
    height: int, width: int, size: int, stride: int
) -> None:
    covered = np.zeros((height, width), bool)
    for window in windows_of((height, width), size, stride):
        assert window.x >= 0
        assert window.right <= width
        assert window.bottom <= height
        covered[window.slices()] = True
    if stride <= size:
        assert covered.all()


def test_manifest_says_what_is_in_each_patch(labelled_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "patches"
    export_patches([labelled_folder], out, size_px=96, stride_px=48, validation_share=0.5)
    manifest = pd.read_csv(out / "manifest.csv")
    assert set(manifest["split"]) == {"train", "val"}
    assert not manifest[["case", "split"]].drop_duplicates()["case"].duplicated().any()
    for row in manifest.itertuples():
        class_map = np.array(Image.open(out / row.split / "class" / f"{row.patch}.png"))
        ignore = np.array(Image.open(out / row.split / "ignore" / f"{row.patch}.png")) > 0
        inst = np.array(Image.open(out / row.split / "inst" / f"{row.patch}.png"))
        assert row.lymphocyte_pixels == ((class_map == 2) & ~ignore).sum()
        assert row.neutrophil_nuclei == len(np.unique(inst[class_map == 3]))
        assert row.immune_nuclei == len(np.unique(inst[class_map > 1]))
        source = np.array(Image.open(labelled_folder / "images" / f"{row.image}.png"))
        patch = np.array(Image.open(out / row.split / "images" / f"{row.patch}.png"))
        assert (patch == source[row.y0 : row.y0 + 96, row.x0 : row.x0 + 96]).all()


def test_patches_can_be_trained_on(labelled_folder: Path, tmp_path: Path) -> None:
    export_patches([labelled_folder], tmp_path / "out", size_px=96, validation_share=0)
    images = read_images(SourceConfig("monusac-patches", str(tmp_path / "out" / "train"), 1.0))
    assert len(images) == len(pd.read_csv(tmp_path / "out" / "manifest.csv"))


def test_image_smaller_than_a_patch_is_filled_up_with_what_is_ignored(
    labelled_folder: Path, tmp_path: Path
) -> None:
    export_patches([labelled_folder], tmp_path / "out", size_px=256, validation_share=0)
    ignore = np.array(Image.open(tmp_path / "out" / "train" / "ignore" / "case1_0_0.png"))
    assert ignore.shape == (256, 256)
    assert (ignore[12:148, 12:180] == 0).all()
    assert (ignore[:12] == 255).all()  # the rim that MoNuSAC leaves without outlines
    assert (ignore[160:] == 255).all()
    assert (ignore[:, 192:] == 255).all()


def test_patient_in_both_archives_is_reported(shared_data: Path, tmp_path: Path) -> None:
    """TCGA-5P-A9K0 lies in both folders, as published outlines and as masks; its smallest image will do."""
    name, patient = "TCGA-5P-A9K0-01Z-00-DX1_3", "TCGA-5P-A9K0-01Z-00-DX1"
    xml, masks = tmp_path / "monusac_xml", tmp_path / "masks"
    (xml / patient).mkdir(parents=True)
    for path in files_found(shared_data / "monusac_xml" / patient, f"{name}.*"):
        (xml / patient / path.name).symlink_to(path)
    for kind in ("images", "inst", "class"):
        (masks / kind).mkdir(parents=True)
        [path] = (shared_data / "monusac" / "train" / kind).glob(f"{name}.*")
        (masks / kind / path.name).symlink_to(path)
    warnings = export_patches([xml, masks], tmp_path / "out")
    assert len(warnings) == 1
    assert warnings[0].startswith("the patient TCGA-5P-A9K0 is in masks and monusac_xml;")


def test_images_of_one_name_in_several_sources_have_patches_of_their_own(
    labelled_folder: Path, tmp_path: Path
) -> None:
    """Those of the second source once lay over those of the first, and the manifest named both."""
    second = tmp_path / "second"
    shutil.copytree(labelled_folder, second)
    for path in files_found(second / "images", "*.png"):
        Image.fromarray(255 - np.array(Image.open(path))).save(path)
    out = tmp_path / "out"
    export_patches([labelled_folder, second], out, size_px=96, validation_share=0)
    manifest = pd.read_csv(out / "manifest.csv")
    assert manifest["patch"].is_unique
    for row in manifest.itertuples():
        folder = labelled_folder if row.source == labelled_folder.name else second
        source = np.array(Image.open(folder / "images" / f"{row.image}.png"))
        patch = np.array(Image.open(out / "train" / "images" / f"{row.patch}.png"))
        assert (patch == source[row.y0 : row.y0 + 96, row.x0 : row.x0 + 96]).all()


def test_nuclei_without_classes_do_not_become_other(labelled_folder: Path, tmp_path: Path) -> None:
    """Their class mask was all 0, which whoever trained on the patches took for *other*."""
    unnamed = tmp_path / "unnamed"
    shutil.copytree(labelled_folder, unnamed)
    shutil.rmtree(unnamed / "class")
    with pytest.raises(DataError, match="of unnamed has nuclei without classes"):
        export_patches([unnamed], tmp_path / "out", validation_share=0)
    assert not list(tmp_path.glob("out*"))


def test_published_outlines_can_be_trained_on(shared_data: Path) -> None:
    folder = shared_data / "monusac_xml"
    images = read_images(SourceConfig("monusac", str(folder), 1.0))
    assert [image.name for image in images] == read_labelled(folder).names
    assert sum(len(image.classes) for image in images) > 600


def test_numbers_without_sense_are_refused(labelled_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="patches of 8 px every 128 px"):
        export_patches([labelled_folder], tmp_path / "out", size_px=8)
    with pytest.raises(SettingsError, match="share of validation is 2"):
        export_patches([labelled_folder], tmp_path / "out", validation_share=2)


def test_folder_that_exists_is_left_alone(labelled_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="exists already"):
        export_patches([labelled_folder], tmp_path)


def test_nothing_is_left_behind_when_no_patch_has_nuclei(
    labelled_folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="no patch has enough nuclei"):
        export_patches([labelled_folder], tmp_path / "out", min_foreground=1.0)
    assert not list(tmp_path.glob("out*"))
