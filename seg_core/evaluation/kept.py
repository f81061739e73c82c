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

from seg_core.classes import ClassScheme
from seg_core.errors import DataError
from seg_core.evaluation.run_evaluation import (
    RunEvaluation,
    compare_runs,
    evaluate_run,
    reference_of_run,
)
from seg_core.files.atomic import replacing
from seg_core.files.disk_errors import store_errors
from seg_core.files.sealed import checksum_of, read_sealed, write_sealed
from seg_core.labelled.class_mapping import decided_for, mapping_of
from seg_core.labelled.layouts import CLASSES, INSTANCES
from seg_core.labelled.slide_reference import (
    MappedReference,
    SlideReference,
    map_classes,
    read_slide_reference,
)
from seg_core.roi import Roi
from seg_core.slide import SlideInfo
from seg_core.store import Run

FOLDER, SAID_FILE = "references", "reference.json"

_CHECKSUM = "outcomes_sha256"


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
        """The reference itself; a mask with classes lies as in the mask layout."""
        masked = self.folder / INSTANCES / self.name
        return masked if masked.is_file() else self.folder / self.name

    @property
    def asked(self) -> dict[str, Any]:
        """What was decided of it, on which an evaluation depends."""
        return {"mapping": self.mapping}

    def measured(self, run: Run) -> Run:
        """Return a run as it is measured by this: as it stands."""
        return run

    def mapped(self, run: Run) -> MappedReference:
        """Read it, with its classes among those of a run.

        Raises
        ------
        DataError
            If it cannot be read, or holds no nuclei.
        """
        read = self.read(run.facts.slide, run.slide_mpp)
        return map_classes(read, self.means(read, run.scheme), run.scheme)

    def means(self, read: SlideReference, scheme: ClassScheme) -> dict[str, str]:
        """Return what each of its classes is among those of a run: as decided, else as guessed.

        What was decided for runs with other classes is not said of this one.
        """
        return mapping_of(read.class_names, decided_for(scheme, self.mapping), scheme)

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
            write_sealed(
                self.folder / SAID_FILE,
                {"name": self.name, "mpp": self.mpp, "mapping": self.mapping},
            )

    def remove(self) -> None:
        """Forget it, with what was measured by it."""
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class CorrectedRun:
    """A run as people corrected it: the reference for what a model has found on its slide.

    Attributes
    ----------
    folder : Path
        Of what is measured by it.
    run : Run
    """

    folder: Path
    run: Run

    @property
    def name(self) -> str:
        """What it is called in figures and files."""
        return f"{self.run.run_id} (corrected by hand)"

    @property
    def asked(self) -> dict[str, Any]:
        """What it depends on: how many people have looked at, too, which is told beside the figures."""
        named = len(self.run.journal().said())
        return {
            "corrected": [self.run.nuclei_checksum, self.run.kept_names_version],
            "named": named,
        }

    def measured(self, run: Run) -> Run:
        """Return a run as it is measured by this: its own one as the model left it."""
        return run.as_found() if run.path == self.run.path else run

    def mapped(self, run: Run) -> MappedReference:
        """Return its nuclei, with their classes among those of a run.

        Raises
        ------
        DataError
            If nobody has corrected anything.
        """
        return reference_of_run(self.run, run.scheme)


Reference = KeptReference | CorrectedRun
"""What a run is measured by, and stays with its slide."""


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
    place: Path,
    slide_id: str,
    name: str,
    content: bytes,
    mpp: float | None = None,
    *,
    class_mask: bytes | None = None,
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
    class_mask : bytes, optional
        Of a mask of nuclei a second one of their classes, of the same size.

    Raises
    ------
    StoreError
        If the disk is full or cannot be written.
    """
    whole = content if class_mask is None else content + class_mask
    said = hashlib.sha256(whole + repr(mpp).encode()).hexdigest()[:12]
    folder = place / slide_id / FOLDER / said
    kept = KeptReference(folder, Path(name.replace("\\", "/")).name, mpp, {})
    if not (folder / SAID_FILE).is_file():
        with store_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            if class_mask is None:
                (folder / kept.name).write_bytes(content)
            else:
                for part, mask in ((INSTANCES, content), (CLASSES, class_mask)):
                    (folder / part).mkdir(exist_ok=True)
                    (folder / part / kept.name).write_bytes(mask)
        kept._write()
    return next(each for each in references_of(place, slide_id) if each.folder == folder)


def references_of(place: Path, slide_id: str) -> list[KeptReference]:
    """Return the references that were kept with a slide, the latest first."""
    found = []
    for said in (place / slide_id / FOLDER).glob(f"*/{SAID_FILE}"):
        kept = _reference_in(said)
        if kept is None:
            continue  # half a folder of a process that was killed, or a damaged one
        found.append((said.parent.stat().st_mtime_ns, kept))
    return [kept for _, kept in sorted(found, key=lambda each: -each[0])]


def _reference_in(said: Path) -> KeptReference | None:
    match read_sealed(said):
        case {"name": str(name), "mpp": int() | float() | None as mpp, "mapping": dict(mapping)}:
            kept = KeptReference(said.parent, name, mpp, mapping)
            words = all(isinstance(each, str) for pair in mapping.items() for each in pair)
            is_one = words and Path(name).name == name and kept.file.is_file()
            return kept if is_one else None
    return None


def corrected_runs(place: Path, runs: Sequence[Run]) -> list[CorrectedRun]:
    """Return those runs of a slide that somebody has corrected, as references.

    Parameters
    ----------
    place : Path
        A store, or a reader's own place, for what is measured by them.
    runs : sequence of Run
    """
    return [
        CorrectedRun(place / run.slide_id / FOLDER / f"corrected-{run.run_id}", run)
        for run in runs
        if run.corrections()
    ]


def evaluate_kept(reference: Reference, run: Run, rois: Sequence[Roi] = ()) -> KeptEvaluation:
    """Measure a run by a reference, and keep what came of it.

    Raises
    ------
    DataError, SlideError, StoreError
        If the reference, the slide or the run is not as it should be.
    """
    run = reference.measured(run)
    # before anything is read: who corrects while it is measured makes the figures older than the run
    asked = asked_of(reference, run, rois)
    return _keep(evaluate_run(run, reference.mapped(run), rois), reference, run, asked)


def compare_kept(
    reference: Reference, first: Run, second: Run, rois: Sequence[Roi] = ()
) -> dict[str, Any]:
    """Measure two runs by a reference; see `compare_runs`. The answer is kept too.

    Raises
    ------
    DataError, SlideError, StoreError
        If the reference or a run is not as it should be.
    """
    first, second = (reference.measured(run) for run in (first, second))
    runs = (first, second)
    asked = json.loads(
        json.dumps(
            [{**asked_of(reference, run, rois), "classes": run.scheme.names} for run in runs]
        )
    )
    path = reference.folder / f"{first.run_id}-{second.run_id}.json"
    kept = read_sealed(path) or {}
    if kept.get("asked") == asked and isinstance(kept.get("result"), dict):
        return dict(kept["result"])
    references = reference.mapped(first), reference.mapped(second)
    result = compare_runs(first, second, references, rois)
    with store_errors(reference.folder):
        reference.folder.mkdir(parents=True, exist_ok=True)
        write_sealed(path, {"asked": asked, "result": result})
    return result


def kept_evaluation(
    reference: Reference, run: Run, rois: Sequence[Roi] | None = None
) -> KeptEvaluation | None:
    """Return what was measured, None where it was not, or was asked otherwise.

    Parameters
    ----------
    reference : KeptReference or CorrectedRun
    run : Run
    rois : sequence of Roi, optional
        The regions that are asked for; by default those of the last time, whatever they were.
    """
    run = reference.measured(run)
    path = reference.folder / f"{run.run_id}.json"
    entries = read_sealed(path) or {}
    asked, result = entries.get("asked"), entries.get("result")
    if not isinstance(asked, dict) or not isinstance(result, dict):
        return None
    # through JSON, in which tuples are lists
    wanted = json.loads(json.dumps(asked_of(reference, run, rois or ())))
    if rois is None:
        wanted["rois"] = asked.get("rois")
    outcomes_file = path.with_suffix(".parquet")
    if asked != wanted or not _is_sound(outcomes_file, entries.get(_CHECKSUM)):
        return None
    return KeptEvaluation(result, outcomes_file)


def _is_sound(file: Path, checksum: object) -> bool:
    """Tell whether a file is as it was written; an earlier version has noted no checksum."""
    try:
        return file.is_file() and checksum in (None, checksum_of(file))
    except OSError:
        return False


def evaluation_of_run(references: Sequence[Reference], run: Run) -> KeptEvaluation | None:
    """Return the first evaluation of a run that still is of the run as it stands."""
    for reference in references:
        found = kept_evaluation(reference, run)
        if found is not None:
            return found
    return None


def asked_of(reference: Reference, run: Run, rois: Sequence[Roi]) -> dict[str, Any]:
    """Return all that an evaluation depends on beside the reference's file."""
    return {
        **reference.asked,
        "rois": [roi.to_json() for roi in rois],
        # another engine answers the same question, as the same run, with other nuclei
        "nuclei": run.nuclei_checksum,
        "names": run.kept_names_version,
    }


def _keep(
    evaluation: RunEvaluation, reference: Reference, run: Run, asked: dict[str, Any]
) -> KeptEvaluation:
    path = reference.folder / f"{run.run_id}.json"
    outcomes_file = path.with_suffix(".parquet")
    if isinstance(reference, KeptReference) and not reference.folder.is_dir():
        raise DataError(f"{reference.name} is no longer kept with this slide; bring it again.")
    with store_errors(reference.folder):
        reference.folder.mkdir(parents=True, exist_ok=True)
        with replacing(outcomes_file) as temporary:
            evaluation.outcomes.to_parquet(temporary)
        content = {
            "asked": asked,
            "result": evaluation.result,
            _CHECKSUM: checksum_of(outcomes_file),
        }
        write_sealed(path, content)
    return KeptEvaluation(evaluation.result, outcomes_file)
