"""References that stay with their slide, and what evaluations by them gave.

Below the slide's folder of a store, or of a reader's own place: ``references/ID/`` holds the file as
it came, ``reference.json`` with what was said of it, and ``RUN.json`` and ``RUN.parquet`` for each run
that was measured by it.
"""

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd

from seg_core.errors import DataError
from seg_core.evaluation.run_evaluation import RunEvaluation, compare_runs, evaluate_run
from seg_core.files.atomic import replacing, write_json
from seg_core.files.disk_errors import store_errors
from seg_core.labelled.class_mapping import mapping_of
from seg_core.labelled.slide_reference import SlideReference, map_classes, read_slide_reference
from seg_core.roi import Roi
from seg_core.slide import SlideInfo
from seg_core.store import Run

FOLDER, SAID_FILE = "references", "reference.json"


@dataclass(frozen=True, slots=True)
class KeptReference:
    """A reference that was brought for a slide.

    Attributes
    ----------
    folder : Path
    name : str
        Of the file.
    mpp : float or None
        Size of the pixels that it counts in, µm; None: they are the slide's.
    mapping : dict of str to str
        What a person decided of its classes.
    """

    folder: Path
    name: str
    mpp: float | None
    mapping: dict[str, str]

    @property
    def file(self) -> Path:
        """The reference itself."""
        return self.folder / self.name

    def read(self, info: SlideInfo, slide_mpp: float) -> SlideReference:
        """Read it; see `read_slide_reference`."""
        return read_slide_reference(self.file, info, slide_mpp, self.mpp)

    def with_mapping(self, mapping: dict[str, str]) -> "KeptReference":
        """Keep what a person decided of its classes.

        Raises
        ------
        StoreError
            If the disk is full or cannot be written.
        """
        changed = replace(self, mapping=mapping)
        changed._write()
        return changed

    def _write(self) -> None:
        with store_errors(self.folder):
            write_json(
                self.folder / SAID_FILE,
                {"name": self.name, "mpp": self.mpp, "mapping": self.mapping},
            )

    def remove(self) -> None:
        """Forget it, with what was measured by it."""
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class KeptEvaluation:
    """What a run was worth by a reference.

    Attributes
    ----------
    result : dict
        See `seg_core.evaluation.run_evaluation.RunEvaluation`.
    outcomes_file : Path
        GeoParquet.
    """

    result: dict[str, Any]
    outcomes_file: Path

    def outcomes(self) -> gpd.GeoDataFrame:
        """Read what became of each nucleus."""
        return gpd.read_parquet(self.outcomes_file)


def keep_reference(
    place: Path, slide_id: str, name: str, content: bytes, mpp: float | None = None
) -> KeptReference:
    """Keep a file with a slide; one that is there already stays as it is, with its evaluations.

    Parameters
    ----------
    place : Path
        A store, or a reader's own place.
    slide_id : str
    name : str
        Of the file.
    content : bytes
    mpp : float, optional
        Size of the pixels that it counts in, µm.

    Raises
    ------
    StoreError
        If the disk is full or cannot be written.
    """
    said = hashlib.sha256(content + repr(mpp).encode()).hexdigest()[:12]
    folder = place / slide_id / FOLDER / said
    kept = KeptReference(folder, Path(name.replace("\\", "/")).name, mpp, {})
    if not (folder / SAID_FILE).is_file():
        with store_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            kept.file.write_bytes(content)
        kept._write()
    return next(each for each in references_of(place, slide_id) if each.folder == folder)


def references_of(place: Path, slide_id: str) -> list[KeptReference]:
    """Return the references that were kept with a slide, the latest first."""
    found = []
    for said in (place / slide_id / FOLDER).glob(f"*/{SAID_FILE}"):
        try:
            entries = json.loads(said.read_text("utf-8"))
            kept = KeptReference(
                said.parent, entries["name"], entries["mpp"], dict(entries["mapping"])
            )
        except (OSError, ValueError, KeyError, TypeError):
            continue  # half a folder of a process that was killed
        found.append((said.parent.stat().st_mtime_ns, kept))
    return [kept for _, kept in sorted(found, key=lambda each: -each[0])]


def evaluate_kept(reference: KeptReference, run: Run, rois: Sequence[Roi] = ()) -> KeptEvaluation:
    """Measure a run by a kept reference, and keep what came of it.

    Raises
    ------
    DataError, SlideError, StoreError
        If the reference, the slide or the run is not as it should be.
    """
    read = reference.read(run.facts.slide, run.facts.question.slide_mpp)
    mapping = mapping_of(read.class_names, reference.mapping, run.scheme)
    evaluation = evaluate_run(run, map_classes(read, mapping, run.scheme), rois)
    return _keep(evaluation, reference, run, asked_of(reference, run, rois))


def compare_kept(
    reference: KeptReference, first: Run, second: Run, rois: Sequence[Roi] = ()
) -> dict[str, Any]:
    """Measure two runs by a kept reference; see `compare_runs`. The answer is kept too.

    Raises
    ------
    DataError, SlideError, StoreError
        If the reference or a run is not as it should be.
    """
    asked = json.loads(json.dumps([asked_of(reference, run, rois) for run in (first, second)]))
    path = reference.folder / f"{first.run_id}-{second.run_id}.json"
    try:
        entries = json.loads(path.read_text("utf-8"))
        if entries["asked"] == asked:
            return dict(entries["result"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # not measured yet
    read = reference.read(first.facts.slide, first.facts.question.slide_mpp)
    mapping = mapping_of(read.class_names, reference.mapping, first.scheme)
    result = compare_runs(first, second, map_classes(read, mapping, first.scheme), rois)
    with store_errors(reference.folder):
        write_json(path, {"asked": asked, "result": result})
    return result


def kept_evaluation(
    reference: KeptReference, run: Run, rois: Sequence[Roi] | None = None
) -> KeptEvaluation | None:
    """Return what was measured, None where it was not, or was asked otherwise.

    Parameters
    ----------
    reference : KeptReference
    run : Run
    rois : sequence of Roi, optional
        The regions that are asked for; by default those of the last time, whatever they were.
    """
    path = reference.folder / f"{run.run_id}.json"
    try:
        entries = json.loads(path.read_text("utf-8"))
        asked = entries["asked"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    # through JSON, in which tuples are lists
    wanted = json.loads(json.dumps(asked_of(reference, run, rois or ())))
    if rois is None:
        wanted["rois"] = asked["rois"]
    if asked != wanted or not path.with_suffix(".parquet").is_file():
        return None
    return KeptEvaluation(entries["result"], path.with_suffix(".parquet"))


def evaluation_of_run(place: Path, run: Run) -> KeptEvaluation | None:
    """Return the latest evaluation of a run that still is of the run as it stands."""
    for reference in references_of(place, run.slide_id):
        found = kept_evaluation(reference, run)
        if found is not None:
            return found
    return None


def asked_of(reference: KeptReference, run: Run, rois: Sequence[Roi]) -> dict[str, Any]:
    """Return all that an evaluation depends on beside the run's and the reference's files."""
    return {
        "mapping": reference.mapping,
        "rois": [roi.to_json() for roi in rois],
        "names": run.names_version,
    }


def _keep(
    evaluation: RunEvaluation, reference: KeptReference, run: Run, asked: dict[str, Any]
) -> KeptEvaluation:
    path = reference.folder / f"{run.run_id}.json"
    outcomes_file = path.with_suffix(".parquet")
    if not reference.folder.is_dir():
        raise DataError(f"{reference.name} is no longer kept with this slide; bring it again.")
    with store_errors(reference.folder):
        with replacing(outcomes_file) as temporary:
            evaluation.outcomes.to_parquet(temporary)
        write_json(path, {"asked": asked, "result": evaluation.result})
    return KeptEvaluation(evaluation.result, outcomes_file)
