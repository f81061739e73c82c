"""Whether a model's class scores mean what they say, and how it was trained."""

import streamlit as st

from seg_core.figures.model import reliability_diagram
from seg_core.figures.style import config_of
from seg_core.figures.training import training_curves
from seg_core.model import ModelCard, find_model
from seg_core.model.measured import reliability, reliability_sets, training_log
from seg_core.model.set_names import spelled
from seg_core.nuclei.context_head import read_context_head
from seg_core.unbroken import unbroken

_FIRST_CURVES = ("loss", "score", "monusac class mean iou")
_NO_CURVES = ("step", "stage", "rate")


def show_scores(card: ModelCard) -> None:
    """Show by what nuclei get their class, and how often they are called rightly by class score."""
    st.markdown(unbroken(_naming(card)))
    _show_reliability(card)


def _naming(card: ModelCard) -> str:
    head = read_context_head(*find_model(card.name))
    if head is None:
        return "A nucleus has the class that most of the vote of its pixels goes to."
    sets = ", ".join(f"{count:,} of {spelled(name)}" for name, count in head.nuclei.items())
    return (
        "A nucleus has the class that its context head finds likeliest: it weighs the vote of the pixels by "
        f"what the network knows of the nucleus and of all nuclei within {head.radii_um[-1]:g} µm. It has learnt "
        f"from nuclei of the training images ({sets}); the less the tissue around is like theirs, the more the "
        "vote alone counts."
    )


def _show_reliability(card: ModelCard) -> None:
    errors = reliability_sets(card)
    if not errors:
        st.info(
            "Nobody has checked the class scores of this model; python -m seg_core calibrate does.",
            icon=":material/help:",
        )
        return
    st.plotly_chart(
        reliability_diagram({spelled(name): reliability(card, name) for name in errors}),
        config=config_of(f"{card.name}-reliability"),
    )
    st.caption(
        unbroken(
            "On the dotted line a class score of 0.8 means that eight of ten nuclei are called rightly; "
            "below it the model is surer than it should be. Bars are 95 % intervals as if nuclei were "
            "independent, which those of one image are not. Mean distance from the line (expected "
            "calibration error): "
            + "; ".join(f"{spelled(name)} {error:.3f}" for name, error in errors.items())
            + ". Only nuclei that were found are asked."
        )
    )


def show_training(card: ModelCard) -> None:
    """Show the curves of the training, stage after stage."""
    log = training_log(card)
    if log is None:
        st.info("The log of this model's training is not there.", icon=":material/help:")
        return
    stages = card.metrics["training"]["stages"]
    st.markdown("\n".join(f"{number}. {stage}" for number, stage in enumerate(stages, start=1)))
    names = [name for name in log.columns if name not in _NO_CURVES]
    shown = st.multiselect(
        "Curves",
        names,
        [name for name in _FIRST_CURVES if name in names],
        format_func=spelled,
        key=f"_curves_{card.name}",
        help="The loss is that of the training, all others are of the validation images: *IoU* and *dice* of "
        "pixels, *right* the share of a class's pixels within nuclei that is named so.",
    )
    if shown:
        of_stages = {
            str(stage): rows[["step", *shown]].rename(columns=spelled)
            for stage, rows in log.groupby("stage", sort=False)
        }
        st.plotly_chart(training_curves(of_stages), config=config_of(f"{card.name}-training"))
    st.caption(
        "Each stage began with the weights of the one before and with other data, so the loss of one "
        "cannot be compared with that of another. Steps are counted through all stages."
    )
