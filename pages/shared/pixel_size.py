"""How large the pixels of a slide are, as its reader has said: kept with the slide like its ROIs."""

from pathlib import Path

from pages.shared import reader_place, resources, state
from seg_core.samples import sample_mpp
from seg_core.store.pixel_size import keep_pixel_size, pixel_size_of


def chosen(path: Path, mpp: float | None = None) -> state.ChosenSlide:
    """Return a slide with what was said of its pixels the last time.

    Parameters
    ----------
    path : Path
    mpp : float, optional
        What counts where nothing was said, µm; None is what is known of a sample, or else the
        file's own word.

    Raises
    ------
    SlideError
        If the slide cannot be read.
    """
    place = reader_place.of_slide(path)
    kept = None if place is None else pixel_size_of(place, resources.identity(path))
    return state.ChosenSlide(path, kept or mpp or sample_mpp(path))


def keep(path: Path, mpp: float | None) -> None:
    """Go on with another size of the chosen slide's pixels, now and when the slide is opened again.

    Raises
    ------
    StoreError
        If the disk is full or cannot be written.
    """
    state.SLIDE.set(state.ChosenSlide(path, mpp))
    place = reader_place.of_slide(path)
    if place is not None:
        keep_pixel_size(place, resources.identity(path), mpp)
