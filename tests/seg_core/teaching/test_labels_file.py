"""Labels written as GeoJSON and read back."""

from pathlib import Path

import geopandas as gpd
import pytest

from seg_core.errors import ExportError
from seg_core.store import Run
from seg_core.teaching.labels import Labels, labels_of, read_marks
from seg_core.teaching.labels_file import labels_geojson, write_labels


def test_what_is_written_names_the_same_nuclei_when_read(run: Run, tmp_path: Path) -> None:
    table = run.nuclei()
    labels = Labels(run, table["nucleus_id"].to_numpy(), tuple(table["class_name"]))
    path = tmp_path / "labels.geojson"
    write_labels([labels], path)
    (found,) = labels_of(read_marks(path), [run])
    assert dict(zip(found.nucleus_ids.tolist(), found.names, strict=True)) == dict(
        zip(labels.nucleus_ids.tolist(), labels.names, strict=True)
    )
    with pytest.raises(ExportError, match="exists already"):
        write_labels([labels], path)


def test_qupath_finds_class_and_colour(run: Run, tmp_path: Path) -> None:
    labels = Labels(run, run.nuclei()["nucleus_id"].to_numpy()[:2], ("lymphocyte", "mitosis"))
    first, second = (each["properties"] for each in labels_geojson([labels])["features"])
    assert first["objectType"] == "annotation"
    assert first["classification"] == {"name": "lymphocyte", "color": [0, 114, 255]}
    assert second["classification"] == {"name": "mitosis"}
    write_labels([labels], tmp_path / "labels.geojson")
    read = gpd.read_file(tmp_path / "labels.geojson")
    assert read["slide"].tolist() == [run.slide_path.name] * 2
