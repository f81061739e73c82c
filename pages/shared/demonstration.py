"""What has to be known of a sample before its numbers are used, wherever they are shown."""

from collections.abc import Iterable
from pathlib import Path

import streamlit as st

from pages.shared.literal import literal
from seg_core.samples import sample_note


def show_notes(paths: Iterable[Path]) -> None:
    """Say it of those slides that ship with a note, each once; nothing of others.

    Where several slides are shown the note names the one that it is of.
    """
    slides = list(dict.fromkeys(paths))
    for path in slides:
        if (note := sample_note(path)) is not None:
            of = f"{literal(path.name)}: " if len(slides) > 1 else ""
            st.caption(f":material/info: {of}{note}")
