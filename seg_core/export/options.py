"""What may be asked of a file that is written from a run."""

from collections.abc import Sequence
from dataclasses import dataclass

from seg_core.report.document import Section
from seg_core.roi import Roi
from seg_core.scoring import parts_of
from seg_core.scoring.assessment import assess_parts, kept_rois
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
    rois : sequence of Roi, optional
        Whose TIL scores are told beside those of the whole run; by default those that the store
        keeps with the slide.
    assessed : sequence of AssessedPart, optional
        TIL scores that are known already, in place of those of ``rois``; none if empty.
    sections : sequence of Section
        What a report says beside what it says of every run.
    force : bool
        Replace a file of that name.
    """

    other: bool = False
    min_score: float = 0.0
    anonymous: bool = False
    simplify_um: float = 0.0
    rois: Sequence[Roi] | None = None
    assessed: Sequence[AssessedPart] | None = None
    sections: Sequence[Section] = ()
    force: bool = False

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
        rois = kept_rois(run) if self.rois is None else self.rois
        return list(assess_parts(run, parts_of(run, rois), min_score=self.min_score))


DEFAULTS = ExportOptions()
"""What nobody asked otherwise."""
