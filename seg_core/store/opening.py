"""What a run knows when it begins."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from platform import python_version

from seg_core import __version__
from seg_core.classes import ClassScheme
from seg_core.model import Engine
from seg_core.question import Question
from seg_core.slide import SlideInfo
from seg_core.store.facts import RunFacts
from seg_core.store.run import Run

_PACKAGES = (
    *("torch", "openvino", "numpy", "scipy", "opencv-python-headless", "shapely"),
    *("openslide-python", "torchstain"),
)


def opening_facts(
    question: Question,
    slide: SlideInfo,
    scheme: ClassScheme,
    engine: Engine,
    earlier: Run | None = None,
) -> RunFacts:
    """Return what is known of a run at its start.

    Parameters
    ----------
    question : Question
    slide : SlideInfo
    scheme : ClassScheme
        Classes of the model.
    engine : Engine
    earlier : Run, optional
        The same run as it was stopped: its start and its seconds are kept.
    """
    facts = RunFacts(
        question=question,
        slide=slide,
        scheme=scheme,
        status="running",
        engine=engine.name,
        precision=engine.precision,
        versions=_versions(),
        started=now(),
        megapixels=question.window.area / 1e6,
        feature_count=engine.feature_count,
    )
    if (
        earlier is None
        or earlier.status == "finished"
        or not earlier.facts.has_arithmetic_of(facts)
    ):
        return facts
    return replace(facts, started=earlier.facts.started, seconds=earlier.facts.seconds)


def now() -> str:
    """Return the time as runs say it: ISO 8601 in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _versions() -> dict[str, str]:
    versions = {"seg_core": __version__, "python": python_version()}
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):  # not every engine is installed everywhere
            versions[name] = version(name)
    return versions
