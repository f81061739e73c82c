"""The nuclei of a run as AnnData, for scanpy and squidpy.

A nucleus is an observation, named by its ``nucleus_id``; a measure is a variable.

======================  ============================================================
``X``                   measures, float32; units are in the names of the variables
``obs``                 ``class_name`` (categories in the scheme's order), ``class_score``, and
                        ``voted_class`` where uncertain nuclei were asked for
``obsm["spatial"]``     centroid (x, y), µm from the corner of level 0
``uns``                 ``class_name_colors``, as scanpy looks for them, the run's facts under ``run``,
                        with the tissue that densities divide by, ``counted_tissue_um2``, and which
                        nuclei these are under ``counted``, who named them under ``named_by``
======================  ============================================================
"""

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from seg_core.export.options import DEFAULTS, ExportOptions
from seg_core.export.places import rois_holding
from seg_core.files.atomic import new_file
from seg_core.nuclei import VOTED_CLASS
from seg_core.nuclei.nucleus_table import share_columns
from seg_core.scoring import Counted, naming_facts, tissue_of
from seg_core.store import Run
from seg_core.store.chosen import chosen_names

if TYPE_CHECKING:
    from anndata import AnnData

# Columns that say where and what a nucleus is; the others are its measures.
_NO_MEASURES = {"nucleus_id", "class_name", VOTED_CLASS, "class_score", "x", "y"}


def write_anndata(run: Run, path: Path, options: ExportOptions = DEFAULTS) -> int:
    """Write an ``.h5ad`` file.

    The table of measures is held in memory, some 150 bytes a nucleus, and so is the file: HDF5 ends
    the whole process where a disk is full while it writes.

    Parameters
    ----------
    run : Run
    path : Path
    options : ExportOptions
        ``other``, ``min_score``, ``anonymous`` and ``force``.

    Returns
    -------
    observations : int
        Number of nuclei written.

    Raises
    ------
    ExportError
        If there is such a file already, or it cannot be written.
    SettingsError
        If ``min_score`` is no share.
    StoreError
        If the run has no nuclei yet.
    """
    parts = options.counted(run).nuclei(run)
    with new_file(path, force=options.force) as temporary:
        table = pd.concat([pd.DataFrame(part.drop(columns="geometry")) for part in parts])
        data = make_anndata(run, table, options)
        temporary.write_bytes(_packed(data))
    return len(table)


def _packed(data: "AnnData") -> memoryview:
    """Return the file's content."""
    import h5py
    from anndata.io import write_elem

    data.strings_to_categoricals()
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        write_elem(file, "/", data, dataset_kwargs={"compression": "gzip"})
    return content.getbuffer()


def make_anndata(run: Run, table: pd.DataFrame, options: ExportOptions) -> "AnnData":
    """Return nuclei as `write_anndata` writes them.

    Parameters
    ----------
    run : Run
    table : DataFrame
        Of `ExportOptions.counted` with the same options, without their outlines.
    options : ExportOptions
        Those that the nuclei were chosen by, and ``anonymous``.
    """
    # it takes seconds to import, which whoever exports nothing of the kind need not wait for
    from anndata import AnnData

    counted = options.counted(run)
    names = counted.names(run)
    measures = table.drop(columns=list(_NO_MEASURES), errors="ignore")
    index = pd.Index(table["nucleus_id"].astype(str), dtype=object, name=None)
    obs = pd.DataFrame(
        {
            "class_name": pd.Categorical(table["class_name"], categories=names),
            "class_score": table["class_score"].to_numpy(),
            "roi": rois_holding(table, options.rois_of(run)).to_numpy(),
        },
        index=index,
    )
    if VOTED_CLASS in table:
        voted = chosen_names(run, other=options.other, min_score=0)
        obs[VOTED_CLASS] = pd.Categorical(table[VOTED_CLASS], categories=voted)
    shares = set(share_columns(run.model_scheme))
    var = pd.DataFrame(
        {"kind": ["share" if name in shares else "measure" for name in measures]},
        index=pd.Index(measures.columns, dtype=object),
    )
    slide_mpp = run.slide_mpp
    return AnnData(
        X=measures.to_numpy(dtype=np.float32),
        obs=obs,
        var=var,
        obsm={"spatial": table[["x", "y"]].to_numpy(dtype=np.float64) * slide_mpp},
        uns={
            # scanpy gives the categories these colours, in order
            "class_name_colors": np.array([run.scheme.colours[name] for name in names]),
            "run": _facts(run, counted, options),
            "counted": counted.facts(),
            "named_by": naming_facts(run),
        },
    )


def _facts(run: Run, counted: Counted, options: ExportOptions) -> dict[str, str | float]:
    """Return what a reader needs to know of the run, and the tissue that densities divide by."""
    question = run.facts.question
    facts: dict[str, str | float] = {
        "run_id": run.run_id,
        "slide_mpp": question.slide_mpp,
        "tissue_um2": run.facts.tissue_um2,
        "model": question.model,
        "model_sha256": question.model_sha256,
    }
    counted_um2 = tissue_of(run, counted.part)
    if counted_um2 is not None:
        facts["counted_tissue_um2"] = counted_um2
    return facts if options.anonymous else {"slide": options.slide_name(run), **facts}
