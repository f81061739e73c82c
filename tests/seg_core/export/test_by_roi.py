"""A file for each region: every format that can be had of a part."""

import json
from pathlib import Path

import pandas as pd
import pytest
import shapely

from seg_core import commands as cli
from seg_core.errors import ExportError
from seg_core.export.by_roi import write_by_roi
from seg_core.export.formats import FORMATS
from seg_core.export.options import ExportOptions
from seg_core.roi import Roi
from seg_core.scoring import counted_of, describe_run, parts_of
from seg_core.store import Run
from seg_core.store.rois import geojson_of

CSV = next(each for each in FORMATS if each.name == "csv")


def halves(run: Run) -> list[Roi]:
    x, y, width, height = run.region.to_json()
    return [
        Roi("left/1", shapely.box(x, y, x + width / 2, y + height)),
        Roi("right", shapely.box(x + width / 2, y, x + width, y + height), "tumour"),
        Roi("fold", shapely.box(x, y, x + width, y + height / 4), "exclude"),
        Roi("elsewhere", shapely.box(90_000, 0, 90_100, 100)),
    ]


def test_each_region_has_its_own_file_with_its_own_nuclei(painted_run: Run, tmp_path: Path) -> None:
    rois = halves(painted_run)
    options = ExportOptions(rois=rois)
    written = list(write_by_roi(CSV, painted_run, tmp_path / "nuclei.csv", options))
    assert [path.name for path in written] == ["nuclei-left_1.csv", "nuclei-right.csv"]
    for path, part in zip(written, parts_of(painted_run, rois)[1:], strict=False):
        table = pd.read_csv(path)
        page = describe_run(painted_run, counted_of(painted_run, rois, part=part))
        assert len(table) == page.count > 0
        assert set(table["part"]) == {f"{part.name} without fold"}


def test_names_that_files_cannot_tell_apart_get_a_number(painted_run: Run, tmp_path: Path) -> None:
    left = halves(painted_run)[0].polygon
    rois = [Roi(name, left) for name in ("a/b", "a?b", "A_B", "..")]
    written = write_by_roi(CSV, painted_run, tmp_path / "n.csv", ExportOptions(rois=rois))
    names = [path.name for path in written]
    assert names == ["n-a_b.csv", "n-a_b 2.csv", "n-A_B 3.csv", "n-ROI.csv"]


def test_regions_of_one_name_have_the_same_names_in_the_column_and_as_parts(
    painted_run: Run, tmp_path: Path
) -> None:
    """The column called the nuclei of both *nest*, of which files by ROI and scores counted the first."""
    left, right = (roi.polygon for roi in halves(painted_run)[:2])
    rois = [Roi("nest", left), Roi("nest", right)]
    options = ExportOptions(rois=rois)
    CSV.write(painted_run, tmp_path / "all.csv", options)
    held = pd.read_csv(tmp_path / "all.csv")["roi"].value_counts().to_dict()
    written = write_by_roi(CSV, painted_run, tmp_path / "n.csv", options)
    assert held == {set(part["part"]).pop(): len(part) for part in map(pd.read_csv, written)}
    assert set(held) == {"nest", "nest (2)"}


def test_the_command_writes_a_file_for_each_region(painted_run: Run, tmp_path: Path) -> None:
    rois = tmp_path / "rois.geojson"
    rois.write_text(json.dumps(geojson_of(halves(painted_run))))
    files = ["--csv", tmp_path / "n.csv", "--summary-csv", tmp_path / "s.csv"]
    files += ["--til-csv", tmp_path / "squares.csv", "--roi", rois]
    command = ["export", str(painted_run.path), "--by-roi", *map(str, files)]
    assert cli.main(command) == 0
    made = {path.name for path in tmp_path.glob("*.csv")}
    assert made == {
        *("n-left_1.csv", "n-right.csv", "s-left_1.csv", "s-right.csv"),
        "squares.csv",  # has all regions, each in rows of its own
    }


def test_without_a_region_the_sentence_says_what_to_do(painted_run: Run, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="no ROI lies on what was analysed"):
        list(write_by_roi(CSV, painted_run, tmp_path / "n.csv", ExportOptions(rois=[])))
