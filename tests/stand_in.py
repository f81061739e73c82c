"""A model without weights in the place of a real one, for tests that analyse."""

from collections.abc import Callable
from pathlib import Path

import pytest

from seg_core import subject
from seg_core.model import ModelCard
from seg_core.model.lender import EngineLender


def stand_in(
    patch: pytest.MonkeyPatch, card: ModelCard, make_engine: Callable[..., object]
) -> None:
    """Have analyses find this model, whatever its name, and no engine that another test has made.

    Parameters
    ----------
    patch : MonkeyPatch
        Undoes it.
    card : ModelCard
    make_engine : callable
        Called as `seg_core.model.engine_choice.make_engine` is.
    """
    patch.setattr(subject, "find_model", lambda _name=None: (card, Path(card.file)))
    patch.setattr(subject, "make_engine", make_engine)
    patch.setattr(subject, "_engines", EngineLender())
