"""The one list of what can be written from a run.

The options of ``python -m seg_core export``, the downloads of the Nuclei page, the tests of what all
files have in common and the table of docs/formats.md are made of it; the last by

    python -m seg_core.export.formats

A writer is named and imported when it is called: several of them need packages that take seconds to
import, and the list alone needs none.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from pkgutil import resolve_name
from typing import Protocol, cast

from seg_core.errors import ExportError
from seg_core.export.options import DEFAULTS, ExportOptions
from seg_core.store import Run


class Writer(Protocol):
    """Writes a file from a run, whole or not at all."""

    def __call__(self, run: Run, path: Path, options: ExportOptions) -> object:
        """Write the file; what it returns, a number of rows for instance, is its own affair."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """What has to be installed before a format can be written.

    Attributes
    ----------
    name : str
        As it is spelt.
    module : str
        As it is imported.
    requirements : str
        File that pip installs it from.
    """

    name: str
    module: str
    requirements: str

    @property
    def missing(self) -> str | None:
        """The sentence that says what to install; None where nothing is missing."""
        if find_spec(self.module) is not None:
            return None
        return (
            f"{self.name} needs a package that is not installed; "
            f"python -m pip install -r {self.requirements} brings it."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file of a format, as the Nuclei page offers it.

    Attributes
    ----------
    label : str
        On its button.
    suffix : str
        What its name ends with, after the slide and the run.
    mime : str
    words : str
        What it holds and what opens it, in one line.
    """

    label: str
    suffix: str
    mime: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A kind of file that is written from a run.

    Attributes
    ----------
    name : str
        Its option is ``--name``.
    words : str
        What it is, in the help of that option.
    holds : str
        The same for docs/formats.md, in Markdown.
    opened_with : str
    writer : str
        ``module:function``, a `Writer`.
    downloads : tuple of Download
        Of the Nuclei page; none for what another page offers.
    metavar : str
        DIR where it is a folder.
    package : Package, optional
        What it needs beside the program's own requirements.
    by_part : bool
        Whether it can be had of one ROI alone; else it tells of all of them.
    """

    name: str
    words: str
    holds: str
    opened_with: str
    writer: str
    downloads: tuple[Download, ...] = ()
    metavar: str = "FILE"
    package: Package | None = None
    by_part: bool = True

    @property
    def option(self) -> str:
        """Its option on the command line."""
        return f"--{self.name}"

    @property
    def missing(self) -> str | None:
        """The sentence that says what to install; None where nothing is missing."""
        return None if self.package is None else self.package.missing

    def write(self, run: Run, path: Path, options: ExportOptions = DEFAULTS) -> None:
        """Write the file.

        Parameters
        ----------
        run : Run
        path : Path
        options : ExportOptions

        Raises
        ------
        ExportError
            If a package is missing, there is such a file already, or it cannot be written.
        SegCoreError
            As the writer says.
        """
        missing = self.missing
        if missing is not None:
            raise ExportError(missing)
        cast(Writer, resolve_name(self.writer))(run, path, options)


FORMATS = (
    Format(
        name="csv",
        words="a row for each nucleus",
        holds="a row for each nucleus: slide, run, part and the ROIs that hold it (`roi`), class and score, centroid in level-0 pixels (`x_px`, `y_px`) and "
        "µm (`x_um`, `y_um`), measures with their unit in the name",
        opened_with="Excel, R, pandas",
        writer="seg_core.export.csv:write_nuclei_csv",
        downloads=(
            Download(
                label="CSV",
                suffix="nuclei.csv",
                mime="text/csv",
                words="A row for each nucleus, units in the names. For Excel, R or pandas.",
            ),
        ),
    ),
    Format(
        name="summary-csv",
        words="a row for each class",
        holds="a row for each class: count, share, density per mm² of tissue with its interval "
        "([how](intervals.md)), mean, SD and quartiles of every measure",
        opened_with="Excel, R, pandas",
        writer="seg_core.export.csv:write_summary_csv",
        downloads=(
            Download(
                label="Summary CSV",
                suffix="classes.csv",
                mime="text/csv",
                words="A row for each class: counts, densities with intervals, all measures. "
                "For Excel, R or pandas.",
            ),
        ),
    ),
    Format(
        name="til-csv",
        words="squares of the TIL scores",
        holds="a row for each square of the TIL scores of the whole run and of each ROI (`part`): its "
        "corner and side in level-0 pixels, areas in µm², densities per mm²; `--roi` names the ROIs, by "
        "default those that the store keeps with a slide of this machine; what is drawn on a sample or an "
        "upload, the viewer saves under *Files*. In the dashboard, the TIL page offers it",
        opened_with="Excel, R, pandas",
        writer="seg_core.export.csv:write_til_csv",
        by_part=False,
    ),
    Format(
        name="geojson",
        words="outlines, as QuPath reads; also .geojson.gz",
        holds="outlines as detections with class, colour and measurements; its member `counted` says "
        "of what and, under `named_by`, who named them; packed if the name ends in `.gz`; "
        "`--simplify 0.25` leaves out corners that matter less than 0.25 µm",
        opened_with="QuPath",
        writer="seg_core.export.geojson:write_geojson",
        downloads=(
            Download(
                label="GeoJSON",
                suffix="nuclei.geojson",
                mime="application/geo+json",
                words="Outlines with class, colour and measurements. For QuPath: drag it onto the slide.",
            ),
            Download(
                label="GeoJSON, packed",
                suffix="nuclei.geojson.gz",
                mime="application/gzip",
                words="The same at a tenth of the size. For QuPath once unpacked, geopandas or GDAL.",
            ),
        ),
    ),
    Format(
        name="geoparquet",
        words="outlines and measures, for geopandas",
        holds="outlines and measures under the names of the CSV; `counted` in its metadata says of what, "
        "and under `named_by` which model, classifier and corrections named them",
        opened_with="geopandas, DuckDB",
        writer="seg_core.export.geoparquet:write_nuclei_geoparquet",
        downloads=(
            Download(
                label="GeoParquet",
                suffix="nuclei.parquet",
                mime="application/vnd.apache.parquet",
                words="Outlines and measures. For geopandas, DuckDB, QGIS or R's sfarrow.",
            ),
        ),
    ),
    Format(
        name="anndata",
        words="measures as .h5ad, for scanpy and squidpy",
        holds='measures in `X`, class and score in `obs`, centroids in µm in `obsm["spatial"]`, the '
        "classes' colours in `uns`, with what was counted and who named it (`named_by`)",
        opened_with="scanpy, squidpy",
        writer="seg_core.export.anndata:write_anndata",
        downloads=(
            Download(
                label="AnnData",
                suffix="nuclei.h5ad",
                mime="application/x-hdf5",
                words="Measures in X, class and score in obs, centroids in µm. For scanpy or squidpy.",
            ),
        ),
    ),
    Format(
        name="spatialdata",
        words="outlines, measures, class map and slide as a .zarr folder, or packed as a .zip; needs "
        "what requirements-spatialdata.txt names",
        holds="a `.zarr` folder (or packed, `.zip`): outlines as shapes, the table of `--anndata` "
        "annotating them, the class map as labels and the analysed part as a picture of at "
        "most 4096 px a side, all placed in level-0 pixels (`global`) and µm (`um`). Needs "
        "`pip install -r requirements-spatialdata.txt`. A run without nuclei has no shapes, "
        "which SpatialData cannot hold empty",
        opened_with="spatialdata (unpack a `.zip` first), squidpy, napari",
        writer="seg_core.export.spatialdata:write_spatialdata",
        downloads=(
            Download(
                label="SpatialData",
                suffix="nuclei.zarr.zip",
                mime="application/zip",
                words="Outlines, measures, class map and slide together. Unpack it for "
                "spatialdata, squidpy or napari.",
            ),
        ),
        metavar="DIR",
        package=Package(
            name="SpatialData",
            module="spatialdata",
            requirements="requirements-spatialdata.txt",
        ),
    ),
    Format(
        name="ome-tiff",
        words="class map, ternary map and nuclei as pixels",
        holds="class map, ternary map and nuclei (pixel = `nucleus_id`) of the analysed part at the "
        "model's µm per pixel, pyramidal, with its place on the slide",
        opened_with="QuPath, Bio-Formats, tifffile; OpenSlide (the class map)",
        writer="seg_core.export.ome_tiff:write_ome_tiff",
        downloads=(
            Download(
                label="OME-TIFF",
                suffix="maps.ome.tif",
                mime="image/tiff",
                words="Class map, ternary map and numbered nuclei, pyramidal. For QuPath, "
                "Bio-Formats or tifffile.",
            ),
        ),
    ),
    Format(
        name="overlay",
        words="PNG of the slide with outlines and legend",
        holds="PNG of the analysed part with the nuclei outlined by class, legend and scale bar",
        opened_with="anything",
        writer="seg_core.export.overlay:write_overlay_png",
        downloads=(
            Download(
                label="PNG",
                suffix="overlay.png",
                mime="image/png",
                words="The analysed part with outlines, legend and scale bar. For any slide deck.",
            ),
        ),
    ),
    Format(
        name="report",
        words="one file with figures and pictures: a PDF if it ends in .pdf, else HTML",
        holds="one self-contained HTML file: slide, analysed part, counts, densities, plots, a "
        "gallery of nuclei, model card, settings, warnings; with `F.pdf` the same as PDF, A4. "
        "Letters that the PDF's font lacks (Chinese, for instance) are shown as □ there",
        opened_with="a browser; any PDF reader",
        writer="seg_core.export.report:write_report",
        downloads=(
            Download(
                label="Report",
                suffix="report.html",
                mime="text/html",
                words="One file with figures, gallery, model card and settings, and the TIL scores "
                "once their page has shown them. For any browser.",
            ),
            Download(
                label="Report, PDF",
                suffix="report.pdf",
                mime="application/pdf",
                words="The same on A4 pages, to print or to send.",
            ),
        ),
    ),
)
"""All formats, in the order in which they are listed and written."""


def markdown_table() -> str:
    """Return the table of docs/formats.md."""
    rows = (f"| `{each.option}` | {each.holds} | {each.opened_with} |\n" for each in FORMATS)
    return "".join(["| option | what it holds | opened with |\n", "|---|---|---|\n", *rows])


def with_table(document: str) -> str:
    """Return a Markdown document with the table of formats in the place of its first table."""
    lines = document.splitlines(keepends=True)
    is_row = [line.startswith("|") for line in lines]
    first = is_row.index(True)
    after = is_row.index(False, first) if False in is_row[first:] else len(lines)
    return "".join([*lines[:first], markdown_table(), *lines[after:]])


if __name__ == "__main__":
    _DOCUMENT = Path(__file__).parents[2] / "docs/formats.md"
    _DOCUMENT.write_text(with_table(_DOCUMENT.read_text("utf-8")), "utf-8")
