"""What an analysis is about: an open slide, the question put to it, and the model that answers."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from seg_core.errors import RegionError
from seg_core.geometry import Region
from seg_core.model import Engine, ModelCard, find_model, make_engine
from seg_core.model.lender import EngineLender
from seg_core.nuclei.context_head import ContextHead, read_context_head
from seg_core.question import Question
from seg_core.roi import Roi
from seg_core.samples import sample_mpp
from seg_core.settings import AnalysisSettings
from seg_core.slide import Slide, open_slide, slide_id
from seg_core.store import Run, RunFacts
from seg_core.store.opening import opening_facts

_engines = EngineLender()


@dataclass(frozen=True)
class Subject:
    """An open slide, what is asked of it, and the model that answers.

    Attributes
    ----------
    slide : Slide
    question : Question
    card : ModelCard
    weights : Path
    head : ContextHead or None
        Names the model's nuclei by what is around them, where it has one.
    """

    slide: Slide
    question: Question
    card: ModelCard
    weights: Path
    head: ContextHead | None = None

    def engine(self) -> AbstractContextManager[Engine]:
        """Lend the engine that answers; it is loaded once a process."""
        settings = self.question.settings
        key = (self.card.sha256, settings.engine, settings.precision)
        return _engines.lend(key, partial(make_engine, self.card, self.weights, settings))

    def opening_facts(self, engine: Engine, earlier: Run | None = None) -> RunFacts:
        """Return what is known at the start; ``earlier`` is the run as it was stopped, if it was."""
        return opening_facts(self.question, self.slide.info, self.card.scheme, engine, earlier)


@contextmanager
def opened(
    slide_path: Path,
    *,
    region: Region | None = None,
    roi: Roi | None = None,
    model: str | Path | None = None,
    mpp: float | None = None,
    unstated_mpp: float | None = None,
    settings: AnalysisSettings | None = None,
) -> Iterator[Subject]:
    """Open a slide and put the question to it; parameters and errors as of `seg_core.analysis.analyse`."""
    known = sample_mpp(slide_path) if mpp is None else mpp
    with closing(open_slide(slide_path, mpp=known, unstated_mpp=unstated_mpp)) as slide:
        card, weights = find_model(model)
        head = read_context_head(card, weights)
        question = _question(
            slide, card, head, settings or AnalysisSettings(), region=region, roi=roi
        )
        yield Subject(slide, question, card, weights, head)


def _question(
    slide: Slide,
    card: ModelCard,
    head: ContextHead | None,
    settings: AnalysisSettings,
    *,
    region: Region | None,
    roi: Roi | None,
) -> Question:
    if region is not None and roi is not None:
        raise RegionError("a region and a ROI were both given; give one of them.")
    if roi is not None and not roi.counts:
        raise RegionError(f"the ROI {roi.name!r} says what to leave out; give one of kind include.")
    raster = slide.raster(card.mpp)
    asked = roi.region if roi is not None else region or slide.info.bounds
    raster.window_of(asked)  # refuses what lies outside the slide
    return Question(
        slide_id=slide_id(slide.info.path),
        raster=raster,
        region=asked.intersection(raster.region) or raster.region,
        roi=roi,
        model=card.name,
        model_sha256=card.sha256,
        settings=settings,
        votes=card.scheme.votes,
        context_head=None if head is None else head.sha256,
    )
