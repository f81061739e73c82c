"""The shipped model on one image of each data set, by the command line."""

import json
from pathlib import Path

import pytest

from seg_core import commands as cli
from seg_core.labelled.data_sets import data_set_of
from seg_core.labelled.reading import read_labelled


@pytest.mark.parametrize(
    ("folder", "classes"),
    [
        ("monusac/val", "monusac"),
        ("monusac_xml", "monusac"),
        ("consep", "consep"),
        ("lizard", "lizard"),
        ("kumar", "all-nuclei"),
        ("brca_m2c", "brca_m2c"),
    ],
)
def test_a_model_is_measured_by_an_image_of_each_set(
    folder: str, classes: str, shared_data: Path, tmp_path: Path
) -> None:
    data, out = shared_data / folder, tmp_path / "out.json"
    images = read_labelled(data, data_set_of(classes))
    # of those at the ends of the list the smaller one, which in one set is nine times as small
    first, last = (images[number] for number in (0, len(images) - 1))
    asked = min(first, last, key=lambda each: each.image.size)
    name = asked.name
    command = ["evaluate", "--data", str(data), "--classes", classes, "--only", name]
    assert cli.main([*command, "--json", str(out)]) == 0
    result = json.loads(out.read_text())
    assert [each["name"] for each in result["per_image"]] == [name]
    figures = result["dots"] if "dots" in result else result["instance"]
    assert figures["detection_f1"] > 0.4
    if classes == "all-nuclei":
        assert figures["mpq_plus"] is None
    if "dots" in result:
        dots = asked.dots
        assert dots is not None
        assert sum(map(sum, figures["called"]["counts"])) == len(dots.points)
