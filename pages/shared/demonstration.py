"""What has to be known of a sample before its numbers are used, wherever they are shown."""

from collections.abc import Iterable
from pathlib import Path

import streamlit as st

from seg_core.samples import sample_note


def show_notes(paths: Iterable[Path]) -> None:
    """Say it of those slides that ship with a note, each once; nothing of others."""
    for note in dict.fromkeys(filter(None, map(sample_note, paths))):
        st.caption(f":material/info: {note}")
