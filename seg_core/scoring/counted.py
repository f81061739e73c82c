"""Which nuclei of a run count: one definition for the pages, every file and the report."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import shapely

from seg_core.classes import OTHER, ClassScheme
from seg_core.roi import Roi
from seg_core.scoring.parts import Part, parts_of
from seg_core.store import Run, Selection
from seg_core.store.chosen import chosen_names, chosen_nuclei
from seg_core.store.overlay import NAMES, NO_NAMES
from seg_core.store.rois import rois_of

_MOST_NAMED = 5
"""A sentence names so many regions; a file may bring thousands."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What counts of a run.

    Attributes
    ----------
    part : Part
        Holds their centroids; what is left out has been taken out of it.
    other : bool
        Also the nuclei that no class names.
    min_score : float
        Nuclei with a lower class score are called *uncertain*, and count so.
    left_out : tuple of Roi
        The ROIs to exclude that lie on what was analysed.
    """

    part: Part
    other: bool = False
    min_score: float = 0.0
    left_out: tuple[Roi, ...] = ()

    @property
    def title(self) -> str:
        """The part, and what is taken out of it."""
        names = ", ".join(roi.name for roi in self.left_out)
        return f"{self.part.name} without {names}" if names else self.part.name

    def names(self, run: Run) -> tuple[str, ...]:
        """Return what the nuclei that count can be called."""
        return chosen_names(run, other=self.other, min_score=self.min_score)

    def selection(self, run: Run, names: tuple[str, ...] | None = None, **more: Any) -> Selection:
        """Return the nuclei that count, or those of some names, under more conditions."""
        wanted = self.names(run) if names is None else names
        return Selection(wanted, self.min_score, self.part.limit, **more)

    def nuclei(self, run: Run) -> Iterator[gpd.GeoDataFrame]:
        """Read the nuclei that count in one or more parts, perhaps empty ones.

        Raises
        ------
        SettingsError
            If ``min_score`` is no share.
        StoreError
            If the run has no nuclei yet.
        """
        return chosen_nuclei(run, other=self.other, min_score=self.min_score, part=self.part.limit)

    def in_words(self, run: Run) -> str:
        """Say in sentences what counts and what does not, with how many are *other*."""
        sentences = [f"Counted: {self.title}."]
        if self.other:
            sentences.append("Nuclei of no class (other) are counted.")
        else:
            count = run.nucleus_queries().counts(self.selection(run, (OTHER,)))[OTHER]
            sentences.append(f"Nuclei of no class (other, {count:,}) are not counted.")
        if self.min_score:
            sentences.append(
                f"Nuclei with a class score below {self.min_score:g} count as uncertain."
            )
        return " ".join(sentences)

    def left_out_in_words(self) -> str | None:
        """Say what lies on the part and counts nowhere; None where nobody has left out anything."""
        if not self.left_out:
            return None
        names = [roi.name for roi in self.left_out]
        more = len(names) - _MOST_NAMED
        if more > 0:
            names[_MOST_NAMED:] = [f"{more:,} more regions" if more > 1 else "1 more region"]
        *others, last = names
        told = f"{', '.join(others)} and {last}" if others else last
        return f"Not counted here: what lies in {told}."

    def facts(self) -> dict[str, str | float | bool]:
        """Return the same for files that hold names and values."""
        return {
            "part": self.part.name,
            "left_out": ", ".join(roi.name for roi in self.left_out),
            "other_counted": self.other,
            "min_score": self.min_score,
        }

    def scored(self) -> dict[str, Any]:
        """Return what a TIL score is of, for a file of JSON: *other* is in none."""
        left_out = [roi.name for roi in self.left_out]
        return {"part": self.part.name, "left_out": left_out, "min_score": self.min_score}


def counted_of(
    run: Run,
    rois: Sequence[Roi] | None = None,
    *,
    part: Part | None = None,
    other: bool = False,
    min_score: float = 0.0,
) -> Counted:
    """Return what counts of a run with the ROIs of its slide.

    Parameters
    ----------
    run : Run
    rois : sequence of Roi, optional
        What those of the kind *exclude* cover does not count; by default those that the store keeps
        with the slide.
    part : Part, optional
        One of `parts_of` with the same ROIs, or several `joined`; by default all that was analysed.
    other : bool
    min_score : float

    Raises
    ------
    RegionError
        If the ROIs that are kept with the slide can no longer be read.
    """
    rois = kept_rois(run) if rois is None else rois
    whole = parts_of(run)[0].polygon
    left_out = tuple(
        roi for roi in rois if roi.kind == "exclude" and shapely.intersects(roi.polygon, whole)
    )
    return Counted(part or parts_of(run, rois)[0], other, min_score, left_out)


def kept_rois(run: Run) -> list[Roi]:
    """Return the ROIs that the store keeps with a run's slide.

    Raises
    ------
    RegionError
        If their file was changed by hand and can no longer be read.
    """
    folder = run.path.parent
    return rois_of(folder.parent, folder.name)


def told_apart(run: Run) -> ClassScheme:
    """Return the classes that whoever named the nuclei of a run tells apart, numbered anew.

    A taught classifier need not know all of the model's classes, which are in its scheme all the
    same; of one that it does not know there are as many as people have named by hand, perhaps none.
    """
    said = run.named_by
    if said is None:
        return run.scheme
    names = {*said.names, *(each.name for each in run.journal().said().values())}
    classes = [each for each in run.scheme.classes if each.name in names]
    return ClassScheme(tuple(replace(each, id=number) for number, each in enumerate(classes, 1)))


def naming_facts(run: Run) -> dict[str, str | int]:
    """Return who named the nuclei of a run, for files that hold names and values.

    ``model``, ``model_sha256`` and ``context_head``, the checksum of its head; ``classifier`` and
    ``classifier_sha256`` of what was taught; ``corrections``, how many were made by hand. Empty or 0
    where there is none.
    """
    question, taught = run.facts.question, run.named_by
    return {
        "model": question.model,
        "model_sha256": question.model_sha256,
        "context_head": question.context_head or "",
        "classifier": "" if taught is None else taught.classifier,
        "classifier_sha256": "" if taught is None else taught.sha256,
        "corrections": len(run.corrections()),
    }


NO_REGIONS = ""
"""What `regions_version` says where nothing bounds what counts."""


def regions_version(run: Run) -> str:
    """Return what changes when the kept ROIs change what all of a run counts: those left out, and tumour."""
    bounding = [roi for roi in kept_rois(run) if roi.kind != "include"]
    if not bounding:
        return NO_REGIONS
    entries = sorted(f"{roi.kind} {roi.name} {roi.polygon.wkb_hex}" for roi in bounding)
    return hashlib.sha256("\n".join(entries).encode()).hexdigest()[:16]


REGIONS = "regions_version"
"""Under this name files of figures keep what `regions_version` said."""


NUCLEI_CHECKSUM = "nuclei_checksum"
"""Under this name files of figures keep which table of nuclei they are of."""


@dataclass(frozen=True, slots=True)
class FiguresVersion:
    """Which nuclei, names and kept ROIs the figures of a run are of.

    It has to be asked for before any of them is read: what is corrected or drawn while figures are
    computed then makes them older than the run, as they are.

    Attributes
    ----------
    names : str
        See `seg_core.store.Run.kept_names_version`.
    regions : str
        See `regions_version`.
    nuclei : str
        See `seg_core.store.Run.nuclei_checksum`: an analysis may be made anew with other nuclei. Empty
        in figures of before this was kept.
    """

    names: str = NO_NAMES
    regions: str = NO_REGIONS
    nuclei: str = ""

    @classmethod
    def now(cls, run: Run) -> "FiguresVersion":
        """Return that of a run as it is called and counted now.

        Raises
        ------
        RegionError
            If the ROIs that are kept with the slide can no longer be read.
        """
        return cls(run.kept_names_version, regions_version(run), run.nuclei_checksum)

    def agrees_with(self, other: "FiguresVersion") -> bool:
        """Tell whether two are of the same; where one does not tell its nuclei, by the rest."""
        known = self if self.nuclei and other.nuclei else replace(self, nuclei=other.nuclei)
        return known == other

    @classmethod
    def told_by(cls, content: Mapping[str, Any]) -> "FiguresVersion":
        """Return that of the content of a file of figures.

        Figures of before names had a version are of nuclei as they were found, those of before regions
        had one of all that was analysed.
        """
        return cls(
            content.get(NAMES, NO_NAMES),
            content.get(REGIONS, NO_REGIONS),
            content.get(NUCLEI_CHECKSUM, ""),
        )

    def to_json(self) -> dict[str, str]:
        """Return what a file of figures says of it; of names and ROIs only what somebody has said or drawn."""
        told = {NUCLEI_CHECKSUM: self.nuclei} if self.nuclei else {}
        if self.names != NO_NAMES:
            told[NAMES] = self.names
        if self.regions != NO_REGIONS:
            told[REGIONS] = self.regions
        return told
