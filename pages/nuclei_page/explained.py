"""How each figure of the Nuclei page is computed, with formula and source."""

import streamlit as st

from seg_core.nuclei import MEASURES, Measure
from seg_core.scoring import DENSITY_FORMULA
from seg_core.unbroken import unbroken

COUNTS = (
    "**Count** – nuclei whose centroid lies in the part. A nucleus belongs to the class that the model's "
    "context head finds likeliest, by the vote of its pixels and what is around it, and by a model without "
    "such a head to the class with the largest share of that vote; where no class wins it is *other*. A "
    "taught classifier and people may have named it since. "
    "**Share** – of all nuclei counted here.\n\n"
    "**Tissue** – what absorbs green more than one of the other colours, on a mask of 8 µm; pixels "
    "that an outline cuts count by the part inside. What lies in a region that is left out is taken out."
)

DENSITIES = f"**Density** = {DENSITY_FORMULA}"

RATIOS = (
    "Numbers of nuclei divided. The ratios are of cells in the *tissue* that was analysed; the "
    "neutrophil-to-lymphocyte ratio of the literature is mostly one of *blood*. A class that the "
    "model knows badly (see its figures on the page Model) makes a ratio worth little."
)


def how(text: str) -> None:
    """Offer an explanation below a figure."""
    with st.popover("How is this computed", icon=":material/function:", type="tertiary"):
        st.markdown(unbroken(text))


def of_measures(*measures: Measure) -> str:
    """Return how measures are computed."""
    return "\n\n".join(f"**{each.title}** – {each.meaning}." for each in measures)


def of_all_measures() -> str:
    """Return how every measure is computed, and what describes it."""
    return (
        of_measures(*MEASURES.values()) + "\n\n**SD** – of the sample (n − 1). **Quartiles** – "
        "linear between neighbours (type 7 of Hyndman and Fan 1996). Axes, eccentricity, solidity "
        "are those of scikit-image's `regionprops`, in µm."
    )
