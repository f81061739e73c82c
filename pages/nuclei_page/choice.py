"""What the Nuclei page counts: where, from which score on, and whether *other* too."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.shared import palettes, preferences, resources, state
from pages.shared.literal import literal
from pages.shared.steady_choice import keep_chosen
from seg_core.classes import ClassScheme
from seg_core.roi import Roi
from seg_core.scoring import WHOLE, Counted, Part, Statistics, counted_of, joined, parts_of
from seg_core.store import Run, Selection
from seg_core.unbroken import unbroken

_WHERE_HELP = (
    "Regions are drawn in the viewer. Choose several to see them side by side. What lies in a region "
    "that is left out counts in none of them."
)
_SCORE_HELP = (
    "Nuclei whose class is less sure than that count as uncertain, and for no class: in numbers, "
    "figures, table, gallery, files and the viewer."
)
_OTHER_HELP = (
    "Those that no class claims: fibroblasts, endothelium, muscle. They are kept, but not counted "
    "unless you ask."
)

_MOST_IN_COLUMN = 4

_WHERE = "_where"


@dataclass(frozen=True)
class Choice:
    """What the reader wants counted.

    Attributes
    ----------
    run : Run
    parts : tuple of Part
        At least one; several are shown side by side in the overview, and together elsewhere.
    min_score : float
    other : bool
    rois : tuple of Roi
        Of the slide.
    """

    run: Run
    parts: tuple[Part, ...]
    min_score: float
    other: bool
    rois: tuple[Roi, ...] = ()

    @property
    def counted(self) -> Counted:
        """The nuclei of all parts together, as files and the report count them."""
        return counted_of(
            self.run, self.rois, part=self.part, other=self.other, min_score=self.min_score
        )

    @property
    def scheme(self) -> ClassScheme:
        """The classes in the colours that the reader has chosen."""
        return palettes.scheme_of(self.run)

    @property
    def names(self) -> tuple[str, ...]:
        """What the nuclei that count are called."""
        return self.counted.names(self.run)

    @property
    def part(self) -> Part:
        """All parts together."""
        return joined(self.parts)

    def selection(self, names: tuple[str, ...] | None = None, **more: Any) -> Selection:
        """Return the nuclei that count, or those of some names, under more conditions."""
        return self.counted.selection(self.run, names, **more)

    def statistics(self) -> list[Statistics]:
        """Return the numbers of each part."""
        return [
            resources.statistics(self.run, part, min_score=self.min_score, other=self.other)
            for part in self.parts
        ]


def ask(run: Run, rois: list[Roi]) -> Choice:
    """Let the reader choose what is counted."""
    parts = {part.name: part for part in parts_of(run, rois) if not part.polygon.is_empty}
    # The names of many ROIs, of which all may be chosen, have the width of the page.
    places: list[DeltaGenerator] = [st.container()] if len(parts) > _MOST_IN_COLUMN else []
    widths = [5, 4] if places else [4, 5, 4]
    places += st.columns(widths, gap="medium", vertical_alignment="bottom")
    where, score, other = places
    names = _choose_parts(where, parts) if len(parts) > 1 else [WHOLE]
    if len(parts) == 1:
        where.markdown(f"**{WHOLE}**", help=_WHERE_HELP)
    min_score = score.slider(
        "Uncertain below a class score of",
        0.0,
        1.0,
        state.MIN_SCORE.get() or 0.0,
        step=0.05,
        key="_min_score",
        on_change=lambda: state.MIN_SCORE.set(st.session_state["_min_score"]),
        help=_SCORE_HELP,
    )
    preferences.ready("_other", False, lambda value: isinstance(value, bool))
    counts_other = other.toggle("Count other nuclei", key="_other", help=_OTHER_HELP)
    chosen = tuple(parts[name] for name in names) or (parts[WHOLE],)
    choice = Choice(run, chosen, min_score, counts_other, tuple(rois))
    left_out = choice.counted.left_out_in_words()
    if left_out:
        st.caption(unbroken(literal(left_out)))
    return choice


def _choose_parts(place: DeltaGenerator, parts: Mapping[str, Part]) -> list[str]:
    """Let the reader choose among the parts; they stay chosen while other pages are looked at."""
    if _WHERE not in st.session_state:
        remembered = [name for name in state.NUCLEI_PARTS.get() or () if name in parts]
        st.session_state[_WHERE] = remembered or [WHOLE]
    keep_chosen(_WHERE, {name: name for name in parts})
    return place.multiselect(
        "Where",
        list(parts),
        key=_WHERE,
        help=_WHERE_HELP,
        wrap=True,
        on_change=lambda: state.NUCLEI_PARTS.set(tuple(st.session_state[_WHERE])),
    )


def choose_classes(choice: Choice, key: str) -> tuple[str, ...]:
    """Let the reader choose among the classes that count; none is all of them."""
    names = st.pills("Classes", choice.names, selection_mode="multi", format_func=literal, key=key)
    return tuple(names) or choice.names
