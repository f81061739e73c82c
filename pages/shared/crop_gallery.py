"""Pictures of nuclei side by side, each a button."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import streamlit as st

from seg_core.picture.encoding import url_of_jpeg

_FOLDER = Path(__file__).parent / "gallery_view"

_mount = st.components.v2.component(
    "nucleus_gallery",
    html=(_FOLDER / "gallery.html").read_text("utf-8"),
    css=(_FOLDER / "gallery.css").read_text("utf-8"),
    js=(_FOLDER / "gallery.js").read_text("utf-8"),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture.

    Attributes
    ----------
    number : int
        Comes back when it is clicked.
    words : str
        Below it.
    jpeg : bytes
    """

    number: int
    words: str
    jpeg: bytes


def show_crops(key: str, colour: str, crops: Sequence[Shown]) -> int | None:
    """Show pictures of nuclei, and return the number of the one that was clicked just now."""
    mounted = _mount(
        key=key,
        data={
            "colour": colour,
            "crops": [
                {"id": each.number, "score": each.words, "picture": url_of_jpeg(each.jpeg)}
                for each in crops
            ],
        },
        on_opened_change=lambda: None,
    )
    return cast("int | None", mounted["opened"])
