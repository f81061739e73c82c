"""What may be asked of a file that is written from a run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from seg_core.files.names import printable
from seg_core.report.document import Section
from seg_core.roi import Roi
from seg_core.scoring import Counted, Part, counted_of, kept_rois, naming_facts, parts_of
from seg_core.scoring.assessment import assess_parts
from seg_core.store import Run
from seg_core.til import AssessedPart


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """The same for all formats; each heeds what has a meaning in it, as its writer says.

    Attributes
    ----------
    other : bool
        Also write the nuclei that no class names.
    min_score : float
        Nuclei with a lower class score are called *uncertain*; their class is ``voted_class``.
    anonymous : bool
        Leave out the name of the slide.
    simplify_um : float
        How far a simplified outline may be from the one that was found; 0 leaves all corners.
    part : Part, optional
        Its nuclei alone; by default those of all that was analysed.
    rois : sequence of Roi, optional
        What those of the kind *exclude* cover is left out of every file; the TIL scores of the others
        are told beside those of the whole run. By default those that the store keeps with the slide.
    assessed : sequence of AssessedPart, optional
        TIL scores that are known already, in place of those of ``rois``; none if empty.
    sections : sequence of Section
        What a report says beside what it says of every run.
    comment : str
        Stands in the report.
    force : bool
        Replace a file of that name.
    """

    other: bool = False
    min_score: float = 0.0
    anonymous: bool = False
    simplify_um: float = 0.0
    part: Part | None = None
    rois: Sequence[Roi] | None = None
    assessed: Sequence[AssessedPart] | None = None
    sections: Sequence[Section] = ()
    comment: str = ""
    force: bool = False

    def counted(self, run: Run) -> Counted:
        """Return which nuclei of a run go into its files.

        Raises
        ------
        RegionError
            If the ROIs that are kept with the slide can no longer be read.
        """
        return counted_of(
            run, self.rois_of(run), part=self.part, other=self.other, min_score=self.min_score
        )

    def told(self, run: Run) -> dict[str, Any]:
        """Return what a file of nuclei tells under ``counted``: of what it is, what counts, who named it."""
        return {
            "slide": self.slide_name(run),
            "run": run.run_id,
            **self.counted(run).facts(),
            "named_by": naming_facts(run),
        }

    def slide_name(self, run: Run) -> str:
        """Return what files call the slide, in letters that every format takes."""
        return "" if self.anonymous else printable(run.slide_path.name)

    def rois_of(self, run: Run) -> Sequence[Roi]:
        """Return the ROIs of a run's slide that these options mean."""
        return kept_rois(run) if self.rois is None else self.rois

    def til_scores(self, run: Run) -> list[AssessedPart]:
        """Return the TIL scores of all that was analysed, then of ROIs.

        Raises
        ------
        StoreError
            If they have to be computed and the run has no nuclei yet.
        SlideError
            If they have to be computed and the slide is no longer where it was.
        """
        if self.assessed is not None:
            return list(self.assessed)
        parts = parts_of(run, self.rois_of(run))
        return list(assess_parts(run, parts, min_score=self.min_score))


DEFAULTS = ExportOptions()
"""What nobody asked otherwise."""
