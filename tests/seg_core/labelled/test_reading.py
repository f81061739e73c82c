import logging

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from seg_core.classes import BACKGROUND, ClassScheme, NucleusClass
from seg_core.errors import DataError
from seg_core.evaluation.metrics import compare
from seg_core.evaluation.metrics.instance import panoptic_counts
from seg_core.labelled.data_sets import DATA_SETS
from seg_core.labelled.layouts import patient_of, read_labels
from seg_core.labelled.reading import read_labelled

XML = """<Annotations MicronsPerPixel="0.2">
<Annotation><Attributes><Attribute Name="{layer}"/></Attributes><Regions><Region><Vertices>
<Vertex X="2" Y="2"/><Vertex X="5" Y="2"/><Vertex X="5" Y="5"/><Vertex X="2" Y="5"/>
</Vertices></Region></Regions></Annotation></Annotations>"""

LABELS = np.zeros((9, 12), np.uint16)
LABELS[1:4, 1:4] = 300
LABELS[5:8, 5:8] = 2
LABELS[1:4, 8:11] = 7
CLASS_MAP = np.zeros((9, 12), np.uint8)
CLASS_MAP[1:4, 1:4] = 3
CLASS_MAP[5:8, 5:8] = 4
CLASS_MAP[1, 8:11] = 2  # 3 of 9 pixels: the nucleus is *other*


FRAMELESS = DATA_SETS["monusac-patches"]
NUMBERED = np.select([LABELS == 2, LABELS == 7, LABELS == 300], [1, 2, 3])


def write_mask(path, mask):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), mask)


def write_image(path, colour=(200, 150, 180), size=(12, 9)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


@pytest.fixture
def masks(tmp_path):
    """A mask layout with one image; tests add to it and take away."""
    folder = tmp_path / "masks"
    write_image(folder / "images" / "TCGA-AA-0001-01Z_1.png")
    write_mask(folder / "inst" / "TCGA-AA-0001-01Z_1.png", LABELS)
    write_mask(folder / "class" / "TCGA-AA-0001-01Z_1.png", CLASS_MAP)
    return folder


@pytest.fixture
def challenge(tmp_path):
    folder = tmp_path / "challenge"
    write_image(folder / "TCGA-BB-0002" / "TCGA-BB-0002-01Z_1.tif")
    write_image(folder / "clinic 3" / "slide.tif")
    (folder / "TCGA-BB-0002" / "TCGA-BB-0002-01Z_1.xml").write_text(XML.format(layer="Neutrophil"))
    (folder / "clinic 3" / "slide.xml").write_text(XML.format(layer="Ambiguous"))
    return folder


def test_the_mask_layout_is_read(masks):
    references = read_labelled(masks, FRAMELESS)
    assert len(references) == 1
    reference = references[0]
    assert reference.name == "TCGA-AA-0001-01Z_1"
    assert reference.patient == "TCGA-AA-0001"
    assert reference.image.shape == (9, 12, 3)
    assert reference.image[0, 0].tolist() == [200, 150, 180]
    np.testing.assert_array_equal(reference.nuclei.labels, NUMBERED)
    assert reference.nuclei.class_ids[[2, 0, 1]].tolist() == [3, 4, BACKGROUND]
    assert reference.ignore is None
    assert reference.file_mpp is None


def test_a_nucleus_of_class_0_tells_that_every_nucleus_is_outlined(masks):
    assert read_labelled(masks).outlines_every_nucleus
    write_mask(
        masks / "class" / "TCGA-AA-0001-01Z_1.png", np.where(LABELS > 0, 1, 0).astype(np.uint8)
    )
    assert not read_labelled(masks).outlines_every_nucleus


def test_without_classes_every_nucleus_is_outlined_and_none_is_named(masks):
    (masks / "class" / "TCGA-AA-0001-01Z_1.png").unlink()
    (masks / "class").rmdir()
    references = read_labelled(masks)
    assert references[0].nuclei.class_ids is None
    assert references.outlines_every_nucleus


def test_an_ignore_mask_is_read_where_there_is_one(masks):
    ignore = np.zeros((9, 12), np.uint8)
    ignore[0, :] = 255
    write_mask(masks / "ignore" / "TCGA-AA-0001-01Z_1.png", ignore)
    np.testing.assert_array_equal(read_labelled(masks, FRAMELESS)[0].ignore, ignore > 0)
    (masks / "ignore" / "TCGA-AA-0001-01Z_1.png").unlink()
    assert read_labelled(masks, FRAMELESS)[0].ignore is None


def test_ids_of_another_data_set_are_translated_and_unknown_nuclei_ignored(masks):
    # CoNSeP: 3 epithelial, 4 spindle-shaped, which is *other*; 0 means nothing: ignored
    ignore = np.zeros((9, 12), np.uint8)
    ignore[0, :] = 255
    write_mask(masks / "ignore" / "TCGA-AA-0001-01Z_1.png", ignore)
    references = read_labelled(masks, DATA_SETS["consep"])
    nuclei = references[0].nuclei
    assert np.unique(nuclei.labels).tolist() == [0, 1, 3]
    assert nuclei.class_ids[[2, 0]].tolist() == [1, BACKGROUND]
    np.testing.assert_array_equal(references[0].not_scored, (LABELS == 7) | (ignore > 0))
    np.testing.assert_array_equal(references[0].ignore, ignore > 0)
    assert references.outlines_every_nucleus


def test_names_travel_where_a_scheme_has_other_ids(masks):
    swapped = ClassScheme(
        tuple(
            NucleusClass(k, name, "#000000")
            for k, name in enumerate(("epithelial", "lymphocyte", "macrophage", "neutrophil"), 1)
        )
    )
    nuclei = read_labelled(masks, scheme=swapped)[0].nuclei
    assert nuclei.class_ids[[2, 0]].tolist() == [4, 3]


def test_the_challenges_layout_is_read(challenge):
    references = read_labelled(challenge, FRAMELESS)
    assert references.names == ["TCGA-BB-0002-01Z_1", "slide"]
    named, ambiguous = references
    assert (named.patient, ambiguous.patient) == ("TCGA-BB-0002", "clinic 3")
    assert named.file_mpp == pytest.approx(0.2)
    assert named.nuclei.class_ids.tolist() == [3]
    assert (named.nuclei.labels[2:5, 2:5] == 1).all()
    assert named.ignore is None
    assert not ambiguous.nuclei.labels.any()
    assert np.count_nonzero(ambiguous.ignore) == 9
    assert not references.outlines_every_nucleus


def test_the_scan_is_taken_before_the_copy_of_it(challenge, shared_data):
    """The challenge's script wrote the copies with red and blue swapped."""
    scan = shared_data / "monusac_xml" / "TCGA-5P-A9K0-01Z-00-DX1"
    name = "TCGA-5P-A9K0-01Z-00-DX1_3"
    for suffix in (".svs", ".xml"):
        target = challenge / (name + suffix)
        target.write_bytes((scan / (name + suffix)).read_bytes())
    write_image(challenge / f"{name}.tif", colour=(0, 0, 255), size=(497, 185))
    reference = read_labelled(challenge)[0]
    assert reference.name == name
    assert len(np.unique(reference.image.reshape(-1, 3), axis=0)) > 1000


def test_an_image_without_outlines_is_left_out_and_said(challenge, caplog):
    write_image(challenge / "clinic 3" / "unread.tif")
    with caplog.at_level(logging.WARNING):
        assert len(read_labelled(challenge)) == 2
    assert "unread.tif has no outlines (.xml) and is left out" in caplog.text


def test_references_are_a_sequence(challenge):
    references = read_labelled(challenge)
    assert [each.name for each in references[1:]] == references.names[1:]
    assert references[-1].name == "slide"


def test_the_two_layouts_agree_on_the_same_images(shared_data):
    """Outlines as published, and masks that others made of them, taking vertices for centres.

    The masks were moved by one whole pixel since, so they lie half a pixel left and up of the
    outlines, and are half a pixel larger all round.
    """
    outlined = read_labelled(shared_data / "monusac_xml", FRAMELESS)
    masked = read_labelled(shared_data / "monusac" / "train", FRAMELESS)
    assert len(outlined) == 3
    moved = []
    for image in outlined:
        twin = masked[masked.names.index(image.name)]
        np.testing.assert_array_equal(image.image, twin.image)
        assert image.patient == twin.patient == "TCGA-5P-A9K0"
        assert image.file_mpp == pytest.approx(0.19448)
        comparison = compare(twin.nuclei, image.nuclei)
        counts = panoptic_counts(comparison)
        assert counts.fp == counts.fn == 0
        assert counts.pq > 0.9
        matched = comparison.matched()
        theirs, ours = comparison.reference, comparison.predicted
        np.testing.assert_array_equal(theirs.classes[matched.rows], ours.classes[matched.columns])
        moved.append(theirs.centroids[matched.rows] - ours.centroids[matched.columns])
    mean = np.median(np.concatenate(moved), axis=0)
    np.testing.assert_allclose(mean, [-0.5, -0.5], atol=0.2)


@pytest.mark.parametrize(
    ("folder", "classes", "images", "nuclei", "every"),
    [
        ("monusac/val", "monusac", 11, 1559, False),
        ("consep", "consep", 27, 15184, True),
        ("kumar", "monusac", 29, 16516, True),
    ],
)
def test_real_folders_are_read(shared_data, folder, classes, images, nuclei, every):
    references = read_labelled(shared_data / folder, DATA_SETS[classes])
    assert len(references) == images
    assert references.outlines_every_nucleus == every
    labels = (each.nuclei.labels for each in references)
    assert sum(len(np.unique(each[each > 0])) for each in labels) == nuclei


@pytest.mark.parametrize(
    ("name", "patient"),
    [
        ("TCGA-5P-A9K0-01Z-00-DX1_3", "TCGA-5P-A9K0"),
        ("Kidney_TCGA-B0-5711-01Z", "TCGA-B0-5711"),
        ("tcga-b0-5711", "TCGA-B0-5711"),
        ("train_1", "train_1"),
    ],
)
def test_patients_by_name(name, patient):
    assert patient_of(name) == patient


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="there is no folder nowhere"):
        read_labelled(tmp_path / "nowhere")


def test_a_folder_with_neither_layout_is_refused(tmp_path):
    with pytest.raises(DataError, match="has no labelled images; give a folder with images/"):
        read_labelled(tmp_path)


def test_an_image_without_a_mask_is_refused(masks):
    write_image(masks / "images" / "lonely.png")
    with pytest.raises(DataError, match="lonely is in only one of images/ and inst/ of masks"):
        read_labelled(masks)


def test_a_mask_without_an_image_is_refused(masks):
    write_mask(masks / "inst" / "lonely.png", LABELS)
    with pytest.raises(DataError, match="lonely is in only one of"):
        read_labelled(masks)


def test_a_missing_class_mask_is_refused(masks):
    (masks / "class" / "TCGA-AA-0001-01Z_1.png").unlink()
    with pytest.raises(DataError, match=r"class/TCGA-AA-0001-01Z_1\.png is missing"):
        read_labelled(masks)[0]


def test_a_damaged_mask_is_refused(tmp_path):
    path = tmp_path / "inst" / "a.png"
    path.parent.mkdir()
    path.write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"inst/a\.png is missing or cannot be read"):
        read_labels(path)


def test_a_coloured_mask_is_refused(tmp_path):
    write_mask(tmp_path / "inst" / "a.png", np.zeros((3, 3, 3), np.uint8))
    with pytest.raises(DataError, match="one channel of whole numbers"):
        read_labels(tmp_path / "inst" / "a.png")


def test_a_class_nobody_has_named_is_refused(masks):
    write_mask(masks / "class" / "TCGA-AA-0001-01Z_1.png", np.full((9, 12), 9, np.uint8))
    with pytest.raises(DataError, match="has nuclei of class 9, which nobody has named"):
        read_labelled(masks)[0]


@pytest.mark.parametrize("kind", ["inst", "ignore"])
def test_masks_of_another_size_are_refused(masks, kind):
    name = "TCGA-AA-0001-01Z_1.png"
    if kind == "inst":
        write_mask(masks / "class" / name, CLASS_MAP[:5])
    write_mask(masks / kind / name, LABELS[:5].astype(np.uint8))
    with pytest.raises(DataError, match="mask of TCGA-AA-0001-01Z_1 has 12 × 5 pixels, its image"):
        read_labelled(masks)[0]


def test_masks_that_differ_from_each_other_are_refused(masks):
    write_mask(masks / "class" / "TCGA-AA-0001-01Z_1.png", CLASS_MAP[:5])
    with pytest.raises(DataError, match="of instances and of classes differ in size"):
        read_labelled(masks)[0]


def test_outlines_without_an_image_are_refused(challenge):
    (challenge / "clinic 3" / "slide.tif").unlink()
    with pytest.raises(DataError, match=r"slide\.xml has no image beside it"):
        read_labelled(challenge)


def test_two_images_of_one_name_are_refused(challenge):
    for suffix in (".tif", ".xml"):
        other = challenge / "clinic 4" / f"slide{suffix}"
        other.parent.mkdir(exist_ok=True)
        other.write_bytes((challenge / "clinic 3" / f"slide{suffix}").read_bytes())
    with pytest.raises(DataError, match="several images are called slide"):
        read_labelled(challenge)


def test_some_images_can_be_chosen_by_name(challenge):
    assert read_labelled(challenge).only(["slide"]).names == ["slide"]
    with pytest.raises(DataError, match="there is no image slyde; name some of "):
        read_labelled(challenge).only(["slyde", "slide"])


@pytest.fixture
def dotted(tmp_path):
    folder = tmp_path / "dotted"
    write_image(folder / "images" / "TCGA-AC-0001_0.986.png")
    write_image(folder / "images" / "TCGA-AC-0002_0.986.png")
    (folder / "points.csv").write_text(
        "image,x_px,y_px,class\nTCGA-AC-0001_0.986,3,4,lymphocyte\nTCGA-AC-0001_0.986,8.5,2,other\n"
    )
    return folder


def test_dots_are_read_with_their_classes_by_name(dotted):
    images = read_labelled(dotted, DATA_SETS["brca_m2c"])
    assert images.names == ["TCGA-AC-0001_0.986", "TCGA-AC-0002_0.986"]
    first, second = images
    # a dot on pixel 3 means its middle
    assert first.dots.points.tolist() == [[3.5, 4.5], [9, 2.5]]
    assert first.dots.classes.tolist() == [2, BACKGROUND]
    assert (first.patient, first.mpp) == ("TCGA-AC-0001", 0.5)
    assert not first.instances.any()
    assert len(second.dots.points) == 0


def test_dots_without_their_image_or_numbers_are_refused(dotted):
    points = dotted / "points.csv"
    points.write_text("image,x_px,y_px,class\nnobody,3,4,lymphocyte\n")
    with pytest.raises(DataError, match="nobody has dots and no image"):
        read_labelled(dotted, DATA_SETS["brca_m2c"])
    points.write_text("image,x_px,y_px,class\nTCGA-AC-0001_0.986,left,4,lymphocyte\n")
    with pytest.raises(DataError, match=r"points\.csv of dotted cannot be read"):
        read_labelled(dotted, DATA_SETS["brca_m2c"])


def test_the_real_dots_are_read(shared_data):
    images = read_labelled(shared_data / "brca_m2c", DATA_SETS["brca_m2c"])
    assert len(images) == 76
    counts = sum(np.bincount(each.dots.classes, minlength=3) for each in images)
    assert counts.tolist() == [4909, 9545, 3650]


def test_the_nuclei_of_lizard_are_as_many_as_it_says(shared_data):
    folder = shared_data / "lizard"
    counts = pd.read_csv(folder / "counts.csv", index_col="image").loc["dpath_65"]
    [image] = read_labelled(folder, DATA_SETS["lizard"]).only(["dpath_65"])
    found = np.bincount(image.classes, minlength=256)
    assert found[3] == counts["neutrophil"]
    assert found[2] == counts["lymphocyte"] + counts["plasma"]
    assert found[0] == counts["connective"]
    assert found[255] == counts["eosinophil"]


def test_images_are_chosen_and_left_out_by_patterns(dotted):
    images = read_labelled(dotted, DATA_SETS["brca_m2c"])
    assert images.only(["TCGA-AC-*"]).names == images.names
    assert images.without(["*-0001*"]).names == ["TCGA-AC-0002_0.986"]
    with pytest.raises(DataError, match=r"no image nobody; name some of TCGA\S+, TCGA\S+\.$"):
        images.without(["nobody"])
