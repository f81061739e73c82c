"""The estimate of a file's pixel size, as a job that the dashboard's worker does."""

from contextlib import closing
from pathlib import Path

from seg_core.model import find_model, make_engine
from seg_core.plausibility.pixel_size import PixelSizeEstimate, estimate_pixel_size
from seg_core.plausibility.profile import needed_profile
from seg_core.process.progress import Pace, ProgressCallback
from seg_core.settings import AnalysisSettings
from seg_core.slide import open_slide


def estimate_of_file(
    slide_path: Path, *, model: str | Path | None = None, report: ProgressCallback | None = None
) -> PixelSizeEstimate:
    """Estimate the size of a slide's level-0 pixels; nothing is written.

    Parameters
    ----------
    slide_path : Path
    model : str or Path, optional
        See `seg_core.model.find_model`.
    report : callable, optional
        Called with the `Progress`, in pictures that the network has looked at; it may raise to stop the work.

    Raises
    ------
    SlideError
        If the slide cannot be read.
    ModelError
        If the model cannot be loaded, or has no profile of its training images.
    ResolutionError
        If too few nuclei are found to go by.
    """
    card, weights = find_model(model)
    profile = needed_profile(card, weights)
    settings = AnalysisSettings()
    with closing(open_slide(slide_path)) as slide:
        return estimate_pixel_size(
            slide,
            make_engine(card, weights, settings),
            profile.scale,
            network_mpp=card.mpp,
            scheme=card.scheme,
            settings=settings,
            report=None if report is None else Pace("looks", report),
        )
