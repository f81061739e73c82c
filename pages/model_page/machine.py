"""What this machine computes with."""

import streamlit as st

from seg_core.errors import JobError
from seg_core.model.engine_choice import engine_name, precision_name
from seg_core.process.progress import ProgressCallback
from seg_core.process.worker import Worker
from seg_core.settings import PRECISION_TITLES, AnalysisSettings

_ENGINES = {"openvino": "OpenVINO", "torch": "PyTorch"}

_USUAL = AnalysisSettings()


def show() -> None:
    """Name the engine and the precision of an analysis for which nobody chooses others."""
    engine = engine_name(_USUAL)
    named = _ENGINES.get(engine, engine)
    precision = _precision()
    if precision is not None:
        named += f" in {PRECISION_TITLES.get(precision, precision)}, where no preset or option says otherwise"
    st.caption(
        f"On this machine it runs on {named}; the facts of each analysis name the engine and the "
        "precision that were used."
    )


@st.cache_resource(show_spinner="Asking the processor …")
def _precision() -> str | None:
    """Return the precision; None where no process can be had that tells it.

    The runtime has to be loaded for it, whose memory goes back with the process.
    """
    try:
        with Worker() as worker:
            return worker.submit(usual_precision).result()
    except JobError:
        return None


def usual_precision(report: ProgressCallback) -> str:
    """Return the precision, as a job, which needs no ``report``."""
    return precision_name(_USUAL)
