"""The size of a pixel by a line that was measured on the slide and whose true length is known."""

import streamlit as st

from pages.shared import pixel_size, size_estimate, state
from pages.shared.callbacks import refusable
from pages.shared.frame import sentence
from pages.shared.literal import literal
from seg_core.errors import SegCoreError
from seg_core.plausibility.known_length import KnownLength

_HELP = "Of a scale bar the number beside it; 1 mm is 1,000 µm."


def offer_size(chosen: state.ChosenSlide, mpp: float | None) -> None:
    """Offer what a pixel is by the line that was measured last; nothing is set before it is taken.

    Parameters
    ----------
    chosen : ChosenSlide
    mpp : float or None
        What counts until then, µm.
    """
    px = state.MEASURED.get()
    if px is None:
        return
    with st.expander("µm/px from this line", expanded=mpp is None):
        um = st.number_input(
            f"True length of the line ({px:,.0f} px), µm",
            min_value=0.0,
            value=None,
            placeholder="such as 100",
            help=_HELP,
            key=f"_known_length_{px:.1f}",
        )
        if not um:
            return
        try:
            length = KnownLength(px, um)
        except SegCoreError as error:
            st.error(literal(sentence(error)))
            return
        _confirm(chosen, length, mpp)


def _confirm(chosen: state.ChosenSlide, length: KnownLength, mpp: float | None) -> None:
    def take(size: float) -> None:
        pixel_size.keep(chosen.path, size)
        state.MEASURED.clear()

    st.markdown(length.in_words())
    estimate = size_estimate.estimate_of(chosen.path)
    doubts = [length.beside_file(mpp)]
    if estimate is not None:
        doubts.append(length.beside_nuclei(estimate))
    for doubt in filter(None, doubts):
        st.warning(doubt)
    st.button(
        f"Take {length.mpp:.4g} µm/px",
        type="primary",
        on_click=refusable(take),
        args=(length.mpp,),
        width="stretch",
    )
    size_estimate.offer_estimate(chosen.path, take)
