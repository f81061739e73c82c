"""The .h5ad file in the hands of its users: scanpy draws it, squidpy finds the neighbours."""

from pathlib import Path

import anndata
import matplotlib as mpl
import numpy as np
import pytest
import scanpy
import squidpy
from scipy.spatial import cKDTree

from seg_core.export.anndata import write_anndata
from seg_core.export.options import ExportOptions
from seg_core.store import Run

mpl.use("agg")

NEIGHBOURS_UM = 20.0


@pytest.fixture
def nuclei(painted_run: Run, tmp_path: Path) -> anndata.AnnData:
    write_anndata(painted_run, tmp_path / "nuclei.h5ad", ExportOptions(other=True))
    return scanpy.read_h5ad(tmp_path / "nuclei.h5ad")


def test_squidpy_finds_the_neighbours_within_um(nuclei: anndata.AnnData) -> None:
    squidpy.gr.spatial_neighbors_radius(nuclei, radius=NEIGHBOURS_UM)
    found = nuclei.obsp["spatial_connectivities"]
    tree = cKDTree(nuclei.obsm["spatial"])
    expected = tree.sparse_distance_matrix(tree, NEIGHBOURS_UM).tocsr()
    assert found.nnz == (expected > 0).nnz > len(nuclei)
    np.testing.assert_allclose(nuclei.obsp["spatial_distances"].sum(), expected.sum(), rtol=1e-6)


def test_squidpy_counts_which_classes_are_neighbours(nuclei: anndata.AnnData) -> None:
    squidpy.gr.spatial_neighbors_radius(nuclei, radius=NEIGHBOURS_UM)
    squidpy.gr.interaction_matrix(nuclei, "class_name")
    counts = nuclei.uns["class_name_interactions"]
    names = nuclei.obs["class_name"].cat.categories
    assert counts.shape == (len(names), len(names))
    assert counts.sum() == nuclei.obsp["spatial_connectivities"].nnz
    squidpy.gr.nhood_enrichment(nuclei, "class_name", n_perms=5, seed=0, show_progress_bar=False)
    assert nuclei.uns["class_name_nhood_enrichment"]["zscore"].shape == counts.shape


# scanpy's, of matplotlib
@pytest.mark.filterwarnings("ignore:The set_bad function:PendingDeprecationWarning")
def test_scanpy_draws_the_classes_in_the_colours_of_the_scheme(
    nuclei: anndata.AnnData, painted_run: Run
) -> None:
    axes = scanpy.pl.embedding(nuclei, "spatial", color="class_name", show=False)
    drawn = [mpl.colors.to_hex(colour) for colour in axes.collections[0].get_facecolors()]
    expected = [painted_run.scheme.colours[name] for name in nuclei.obs["class_name"]]
    assert sorted(drawn) == sorted(expected)
    mpl.pyplot.close("all")


def test_scanpy_takes_the_measures_for_variables(nuclei: anndata.AnnData) -> None:
    measures = nuclei[:, nuclei.var["kind"] == "measure"].copy()
    scanpy.pp.pca(measures, n_comps=3)
    assert measures.obsm["X_pca"].shape == (len(nuclei), 3)
