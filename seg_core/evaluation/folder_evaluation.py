"""One or two models measured by a folder of labelled images, as a job of the dashboard's worker."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from seg_core.errors import DataError
from seg_core.evaluation.evaluate import evaluate
from seg_core.files.atomic import write_json
from seg_core.files.disk_errors import store_errors
from seg_core.model import find_model
from seg_core.nuclei.context_head import context_head_of
from seg_core.process.progress import Pace, ProgressCallback
from seg_core.settings import AnalysisSettings

FOLDER = "evaluations"
"""Below a store, what models were worth by folders of images."""

SETTINGS = AnalysisSettings(precision="fp32")
"""As the command ``evaluate`` takes them where nothing is said: figures of one folder are then the same."""


@dataclass(frozen=True, slots=True)
class FolderQuestion:
    """What is asked of a folder of labelled images.

    Attributes
    ----------
    data : Path
    classes : str
        Whose labels these are, a key of `seg_core.labelled.data_sets.DATA_SETS`.
    model : str or None
        Name or file; None is the default model.
    mpp : float or None
        µm per pixel of the images, instead of the data set's.
    edge_um : float or None
        Width of the frame along each image's edges that is left out, instead of the data set's.
    beside : str or None
        Name or file of a second model that is measured by the same images.
    """

    data: Path
    classes: str
    model: str | None = None
    mpp: float | None = None
    edge_um: float | None = None
    beside: str | None = None

    def kept_in(self, store: Path) -> Path:
        """Return where the answer is kept: by the question, the weights, and when files were changed.

        Raises
        ------
        DataError
            If there is no such folder.
        ModelError
            If there is no such model.
        """
        if not self.data.is_dir():
            raise DataError(
                f"there is no folder {self.data}; give the folder of labelled images as it is called "
                "on the machine that runs the dashboard."
            )
        models = [self.model] if self.beside is None else [self.model, self.beside]
        found_models = [find_model(model) for model in models]
        found = (*self.data.glob("*"), *self.data.glob("*/*"))
        files = sorted(each for each in found if each.is_file())
        stamps = [(str(each), each.stat().st_mtime_ns, each.stat().st_size) for each in files]
        answering = [
            [card.sha256, repr(card.scheme.votes), context_head_of(card, weights)]
            for card, weights in found_models
        ]
        asked = asdict(self) | {"model": None, "beside": None}  # however they were named
        said = json.dumps([asked, answering, stamps], default=str)
        return store / FOLDER / f"{hashlib.sha256(said.encode()).hexdigest()[:16]}.json"


def kept_answer(question: FolderQuestion, store: Path) -> dict[str, Any] | None:
    """Return what was measured before, None where nothing was, or the images have changed.

    Raises
    ------
    DataError, ModelError
        If there is no such folder or model.
    """
    try:
        return dict(json.loads(question.kept_in(store).read_text("utf-8")))
    except (OSError, ValueError):
        return None  # not measured yet


def evaluate_folder(
    question: FolderQuestion, store: Path, *, report: ProgressCallback | None = None
) -> dict[str, Any]:
    """Measure one or two models by a folder of labelled images, and keep what came of it.

    Parameters
    ----------
    question : FolderQuestion
    store : Path
        Where the answer is kept.
    report : callable, optional
        Called with the `Progress`, in images; it may raise to stop the work.

    Returns
    -------
    result : dict
        See `seg_core.evaluation.evaluate.evaluate`.

    Raises
    ------
    DataError, ModelError
        If the data or the model is not as it should be.
    StoreError
        If the answer cannot be kept.
    """
    path = question.kept_in(store)
    result = evaluate(
        question.data,
        question.model,
        SETTINGS,
        mpp=question.mpp,
        classes=question.classes,
        edge_um=question.edge_um,
        beside=question.beside,
        report=None if report is None else Pace("images", report),
    )
    with store_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, result)
    return result
