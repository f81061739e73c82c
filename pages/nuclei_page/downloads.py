"""Files to take away: every format, written when somebody asks."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import streamlit as st

from pages.nuclei_page.choice import Choice
from pages.shared import evaluations, singletons, state
from pages.shared.literal import literal, printable
from pages.shared.regions import slide_rois
from pages.shared.scoring import ScoringRequest
from pages.shared.writing import written
from seg_core.export.by_roi import counting_parts, write_by_roi
from seg_core.export.formats import FORMATS, Download, Format
from seg_core.export.options import ExportOptions
from seg_core.files.temporary import temporary_folder
from seg_core.labelled.corrected import DATA_SET, write_corrected
from seg_core.scoring import WHOLE, Part, parts_of
from seg_core.store import Run
from seg_core.til import AssessedPart, TilSettings


def show(choice: Choice) -> None:
    """Show every format with what opens it."""
    options = _choose_options(choice)
    regions = _by_roi(choice)
    by_roi = bool(regions)
    counted = replace(choice, parts=regions or choice.parts).counted
    each = "Each file holds one region and says" if by_roi else "Every file says"
    st.caption(f"{each} what it counts. {literal(counted.in_words(choice.run))}")
    name = "slide" if options.anonymous else printable(choice.run.slide_path.stem)
    for form, file in offered():
        missing = form.missing
        button, words = st.columns([1, 3], vertical_alignment="center")
        content = partial(files_by_roi, regions) if by_roi else content_of
        button.download_button(
            file.label,
            partial(content, form, file, choice.run, options),
            f"{name}-{choice.run.run_id}-{file.suffix}{'.zip' * by_roi}",
            "application/zip" if by_roi else file.mime,
            icon=":material/download:",
            on_click="ignore",
            width="stretch",
            key=f"_download_{file.suffix}",
            disabled=missing is not None,
        )
        words.markdown(file.words if missing is None else f"{file.words} {missing}")
    _offer_masks(choice.run, name, anonymous=options.anonymous)


def _by_roi(choice: Choice) -> tuple[Part, ...]:
    """Ask whether each region is to have a file of its own; return those that are, perhaps none."""
    regions = regions_of(choice)
    by_roi = regions and st.toggle(
        f"One file per region ({len(regions)})",
        key="_by_roi",
        help="Each file holds one region and is called by its name; all of them come as a ZIP: of "
        "the whole analysis every region, else those chosen under *Where*. In tables, the column "
        "*roi* names the regions of each nucleus in either case.",
    )
    return regions if by_roi else ()


def regions_of(choice: Choice) -> tuple[Part, ...]:
    """Return the regions of what is counted: all of the whole analysis, else those chosen."""
    chosen = {part.name for part in choice.parts}
    only = None if WHOLE in chosen else chosen
    return tuple(counting_parts(choice.run, ExportOptions(rois=choice.rois), only))


def _offer_masks(run: Run, name: str, *, anonymous: bool) -> None:
    """Show what was corrected as data to train with, where somebody has corrected something."""
    if run.only_found or not run.journal().said():
        return
    button, words = st.columns([1, 3], vertical_alignment="center")
    button.download_button(
        "Training masks",
        partial(masks_of, run, anonymous=anonymous),
        f"{name}-{run.run_id}-masks.zip",
        "application/zip",
        icon=":material/download:",
        on_click="ignore",
        width="stretch",
        key="_download_masks",
    )
    words.markdown(
        "What was corrected, as images with masks: `train` and `evaluate` read them as "
        f"{DATA_SET.name}, and ignore where nobody has looked."
    )


def masks_of(run: Run, *, anonymous: bool = False) -> bytes:
    """Return what `seg_core.labelled.corrected` writes as a ZIP file."""
    with temporary_folder() as folder:
        write_corrected(run, folder / "masks", anonymous=anonymous)
        packed = shutil.make_archive(str(folder / "packed"), "zip", folder / "masks")
        return Path(packed).read_bytes()


def offered() -> list[tuple[Format, Download]]:
    """Return the files of all formats that this page offers."""
    return [(form, file) for form in FORMATS for file in form.downloads]


def scores_there(run: Run, settings: TilSettings, min_score: float) -> list[AssessedPart]:
    """Return the TIL scores that their page has shown, of the whole and of ROIs; none is computed.

    Parameters
    ----------
    run : Run
    settings : TilSettings
    min_score : float
    """
    parts = parts_of(run, slide_rois(state.ChosenSlide(run.slide_path)))
    answers = (
        (part.name, singletons.scorings().find(ScoringRequest(run, part, settings, min_score).key))
        for part in parts
    )
    return [AssessedPart(name, found, found.reason) for name, found in answers if found]


def options_of(
    choice: Choice, *, anonymous: bool, simplify_um: float, comment: str = ""
) -> ExportOptions:
    """Return how files are written, so that they hold what the page counts.

    Parameters
    ----------
    choice : Choice
    anonymous : bool
        Without the name of the slide.
    simplify_um : float
    comment : str
        Of the report.
    """
    settings = state.TIL_SETTINGS.get() or TilSettings()
    return ExportOptions(
        other=choice.other,
        min_score=choice.min_score,
        anonymous=anonymous,
        sections=evaluations.sections_of(choice.run, anonymous=anonymous),
        part=choice.part,
        rois=choice.rois,
        simplify_um=simplify_um,
        comment=comment,
        assessed=scores_there(choice.run, settings, choice.min_score),
    )


def _choose_options(choice: Choice) -> ExportOptions:
    anonymous, simplify = st.columns(2, gap="large", vertical_alignment="bottom")
    comment = st.text_area(
        "Comment for the report", key="_comment", height=68, max_chars=2000, placeholder="Optional"
    )
    return options_of(
        choice,
        comment=comment,
        anonymous=anonymous.toggle(
            "Anonymous",
            key="_anonymous",
            help="Leave the name of the slide out of the files and their names.",
        ),
        simplify_um=simplify.slider(
            "Simplify the outlines of GeoJSON by at most, µm",
            0.0,
            1.0,
            0.0,
            step=0.05,
            key="_simplify",
            help="0.25 µm halves the file and is not seen. Measures stay those of the full outline.",
        ),
    )


def files_by_roi(
    regions: Sequence[Part], form: Format, file: Download, run: Run, options: ExportOptions
) -> bytes:
    """Return a ZIP file with a file for each of some regions; see `content_of`."""
    only = {each.name for each in regions}
    with temporary_folder() as folder:
        inside = folder / "files"
        inside.mkdir()
        slide = "slide" if options.anonymous else run.slide_path.stem
        name = f"{slide}-{run.run_id}-{file.suffix}"
        for _ in write_by_roi(form, run, inside / printable(name), options, only):
            pass
        packed = shutil.make_archive(str(folder / "packed"), "zip", inside)
        return Path(packed).read_bytes()


def content_of(form: Format, file: Download, run: Run, options: ExportOptions) -> bytes:
    """Return the content of a file that a writer of the core has written.

    Parameters
    ----------
    form : Format
    file : Download
        One of the format's.
    run : Run
    options : ExportOptions
    """
    return written(lambda path: form.write(run, path, options), file.suffix)
