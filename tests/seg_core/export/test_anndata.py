"""The .h5ad file, read back by anndata."""

from pathlib import Path

import anndata
import numpy as np
import pytest
import shapely
from painted_slides import MPP, PaintedEngine
from PIL import Image

from seg_core.analysis import analyse
from seg_core.classes import OTHER
from seg_core.export.anndata import write_anndata
from seg_core.export.options import ExportOptions
from seg_core.roi import Roi
from seg_core.scoring import describe_run
from seg_core.store import Run


def test_nuclei_are_observations_and_measures_are_variables(
    painted_run: Run, tmp_path: Path
) -> None:
    table = painted_run.nuclei()
    table = table[table["class_name"] != OTHER]
    assert write_anndata(painted_run, tmp_path / "nuclei.h5ad") == len(table)
    found = anndata.read_h5ad(tmp_path / "nuclei.h5ad")
    assert found.X.dtype == np.float32
    assert found.obs_names.tolist() == table["nucleus_id"].astype(str).tolist()
    assert found.obs["class_name"].tolist() == table["class_name"].tolist()
    np.testing.assert_array_equal(found.obs["class_score"], table["class_score"])
    np.testing.assert_allclose(found.obsm["spatial"], table[["x", "y"]] * MPP)
    for measure in found.var_names:
        np.testing.assert_allclose(found[:, measure].X[:, 0], table[measure], rtol=1e-6)
    assert {"area_um2", "share_lymphocyte", "eosin_od"} <= set(found.var_names)
    assert found.var["kind"].value_counts()["share"] == 5
    assert not {"nucleus_id", "x", "y", "class_score"} & set(found.var_names)


def test_colours_stand_where_scanpy_looks_for_them(painted_run: Run, tmp_path: Path) -> None:
    write_anndata(painted_run, tmp_path / "nuclei.h5ad", ExportOptions(other=True))
    found = anndata.read_h5ad(tmp_path / "nuclei.h5ad")
    assert len(found) == len(painted_run.nuclei())
    names = found.obs["class_name"].cat.categories.tolist()
    assert names == list(painted_run.scheme.names_with_other)
    colours = dict(zip(names, found.uns["class_name_colors"], strict=True))
    assert colours == {name: painted_run.scheme.colours[name] for name in names}


def test_the_slide_is_named_unless_anonymous(painted_run: Run, tmp_path: Path) -> None:
    write_anndata(painted_run, tmp_path / "named.h5ad")
    facts = anndata.read_h5ad(tmp_path / "named.h5ad").uns["run"]
    assert facts["slide"] == "painted.png"
    assert facts["tissue_um2"] == painted_run.facts.tissue_um2
    write_anndata(painted_run, tmp_path / "unnamed.h5ad", ExportOptions(anonymous=True))
    assert b"painted.png" not in (tmp_path / "unnamed.h5ad").read_bytes()


def test_the_tissue_of_what_is_counted_stands_beside_the_nuclei(
    painted_run: Run, tmp_path: Path
) -> None:
    """That of the whole alone did, by which densities of a part come out too low."""
    x, y, width, height = painted_run.region.to_json()
    half = Roi("half", shapely.box(x, y, x + width / 2, y + height), "exclude")
    for rois in ([], [half]):
        options = ExportOptions(rois=rois, force=True)
        write_anndata(painted_run, tmp_path / "nuclei.h5ad", options)
        facts = anndata.read_h5ad(tmp_path / "nuclei.h5ad").uns["run"]
        counted = describe_run(painted_run, options.counted(painted_run)).tissue_um2
        assert facts["counted_tissue_um2"] == pytest.approx(counted)
        assert (facts["counted_tissue_um2"] < 0.6 * facts["tissue_um2"]) is bool(rois)


def test_a_run_without_nuclei_has_no_observations(
    tmp_path: Path, painted_engines: list[PaintedEngine]
) -> None:
    Image.new("RGB", (40, 30), "white").save(tmp_path / "blank.png")
    run = analyse(tmp_path / "blank.png", tmp_path, mpp=MPP)
    assert write_anndata(run, tmp_path / "nuclei.h5ad") == 0
    found = anndata.read_h5ad(tmp_path / "nuclei.h5ad")
    assert found.n_obs == 0
    assert "area_um2" in found.var_names
    assert found.obsm["spatial"].shape == (0, 2)
    assert found.obs["class_name"].cat.categories.tolist() == list(run.scheme.names)
