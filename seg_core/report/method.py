"""The part of the report that tells how its numbers were made: the model and the settings, in words."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from seg_core import PROGRAM, __version__
from seg_core.model import ModelCard
from seg_core.model.card import card_of_weights
from seg_core.model.measured import (
    OVERALL,
    class_figures,
    measured_sets,
    overall_figures,
    weaknesses,
)
from seg_core.report.classes_named_by import classifier_blocks
from seg_core.report.document import Block, Facts, Heading, Table, Words
from seg_core.settings import PRECISION_TITLES, STAIN_TITLES
from seg_core.store import Run

_FIGURES = {"pq_plus": "PQ+", "f1": "F1", "iou": "IoU of pixels"}


def model_blocks(run: Run) -> Iterator[Block]:
    """Tell who named the classes, which model it was, what it learnt from, and what it is worth."""
    question = run.facts.question
    said = run.named_by
    if said is not None:
        yield from classifier_blocks(said, question.model)
        yield Heading("The model that found the nuclei")
    rows: list[tuple[str, Any]] = [
        ("name", question.model),
        ("SHA-256 of the weights", question.model_sha256),
    ]
    if question.context_head is not None:
        rows.append(("SHA-256 of the context head", question.context_head))
    card = card_of_weights(question.model_sha256)
    if card is None:
        yield Facts([*rows, ("card", "is not among this program's weights")])
        return
    rows += [
        *(("title", card.title), ("licence", card.licence), ("data", card.data)),
        ("µm per pixel", f"{card.mpp:g}"),
    ]
    yield Facts(rows)
    sets = measured_sets(card)
    if not sets:
        yield Words("The card has no figures: nobody knows what this model is worth.")
        return
    yield Heading(f"What it is worth, measured on {sets[0]}")
    if said is not None:
        yield Words(
            "Figures by class are of the model's own classes, which do not count in this report."
        )
    yield _class_table(card, sets[0])
    yield Words(f"{_overall_in_words(card, sets[0])} In brackets 95 % intervals.")
    yield Heading("Where it fails")
    yield from (Words(each) for each in weaknesses(card, sets[0]))


def program_of(run: Run) -> str:
    """Return name and version of the program that made a run; runs of before do not say which."""
    version = run.facts.versions.get("seg_core")
    return f"{PROGRAM}, {'an earlier version' if version is None else f'version {version}'}"


def settings_facts(run: Run) -> Facts:
    """Tell how the slide was analysed: each setting by what it means."""
    facts, settings = run.facts, run.facts.question.settings
    skipped = ["glass"] * settings.tissue_only
    skipped += ["pen marks"] * (settings.tissue_only and settings.quality)
    several = f"{settings.views}, flipped and turned, averaged (test-time augmentation)"
    packages = [f"{name} {of}" for name, of in facts.versions.items() if name != "seg_core"]
    return Facts(
        [
            (
                "tiles",
                f"{settings.tile_px} px a side, {settings.overlap_px} px blended with each neighbour",
            ),
            ("views of each tile", "1" if settings.views == 1 else several),
            ("stain", STAIN_TITLES[settings.stain]),
            ("not looked at", " and ".join(skipped) or "nothing: glass was analysed too"),
            ("a nucleus is", f"{settings.min_nucleus_um2:g} µm² or more; smaller is debris"),
            (
                "grown from",
                f"a seed of {settings.min_seed_um2:g} µm² or more, by {settings.growth_um:g} µm at most",
            ),
            ("too large for a nucleus", f"{settings.max_extent_um:g} µm across: a fold or a smear"),
            ("precision", PRECISION_TITLES.get(facts.precision, facts.precision)),
            ("engine", facts.engine),
            ("time of work", f"{facts.seconds:,.0f} s"),
            ("analysed by", program_of(run)),
            ("report written by", f"{PROGRAM}, version {__version__}"),
            ("with", ", ".join(packages)),
        ]
    )


def _class_table(card: ModelCard, data: str) -> Table:
    figures = class_figures(card, data)
    return Table(
        titles=["class", "nuclei", *_FIGURES.values()],
        rows=[
            [
                row["class_name"],
                "–" if pd.isna(row["nuclei"]) else f"{row['nuclei']:,.0f}",
                *(
                    _with_interval(row[key], row[f"{key}_low"], row[f"{key}_high"])
                    for key in _FIGURES
                ),
            ]
            for row in figures.to_dict("records")
        ],
        numbers=[False, *[True] * (1 + len(_FIGURES))],
        widths=[20, 12, 20, 20, 20],
    )


def _overall_in_words(card: ModelCard, data: str) -> str:
    rows = overall_figures(card, data).to_dict("records")
    told = [
        f"{row['figure']} {_with_interval(row['value'], row['low'], row['high'])}" for row in rows
    ]
    return (
        f"Of all nuclei: {'; '.join(told)}."
        if told
        else f"No figure of {', '.join(OVERALL.values())}."
    )


def _with_interval(value: float, low: float, high: float) -> str:
    if pd.isna(value):
        return "–"
    return f"{value:.2f}" if pd.isna(low) else f"{value:.2f} ({low:.2f}–{high:.2f})"
