"""Parts of the JSON of ``evaluate`` that images and regions of a slide have in common."""

from collections.abc import Sequence
from typing import Any, cast

from seg_core.classes import OTHER, ClassScheme
from seg_core.evaluation.dots import DotScore, dot_differences
from seg_core.evaluation.metrics import (
    DETECTION_RADIUS_UM,
    ImageScore,
    figures_of,
    paired_differences,
)
from seg_core.evaluation.metrics.instance import MATCH_IOU


def nuclei_counted(figures: dict[str, Any], scheme: ClassScheme) -> dict[str, Any]:
    """Return the nuclei of each class on both sides, without those mostly in ignore areas."""
    confusion = figures["instance"]["confusion"]
    names = scheme.names_with_other
    if confusion is None:
        unknown = dict.fromkeys(names)
        return {"reference": unknown, "predicted": unknown}
    rows = confusion["counts"][:-1]
    columns = list(zip(*confusion["counts"], strict=True))[:-1]
    return {
        "reference": {name: sum(row) for name, row in zip(names, rows, strict=True)},
        "predicted": {name: sum(column) for name, column in zip(names, columns, strict=True)},
    }


def protocol_of(
    every_nucleus: bool, scheme: ClassScheme, rim_px: int, edge_um: float
) -> dict[str, Any]:
    """Say in words and numbers what was counted.

    Parameters
    ----------
    every_nucleus : bool
        The reference outlines nuclei that none of the classes names, too.
    scheme : ClassScheme
    rim_px : int
        Thickness of the boundary in the reference's ternary map.
    edge_um : float
        Width of the frame that was left out.
    """
    named = ", ".join(scheme.names)
    return {
        "outlines": "every nucleus" if every_nucleus else "named classes only",
        "class_blind_predictions": "all" if every_nucleus else "named classes only",
        "explanation": (
            f"Class-blind figures (bpq, dq, sq, aji, detection_f1 and their kin) count all predicted "
            f"nuclei, {OTHER} too, because the reference outlines every nucleus."
            if every_nucleus
            else "Class-blind figures (bpq, dq, sq, aji, detection_f1 and their kin) count predicted "
            f"nuclei of the classes {named} only, because the reference outlines no others: a "
            f"nucleus called {OTHER} is "
            "not spurious, and it does not count as found where the reference has a nucleus."
        ),
        "match_iou_above": MATCH_IOU,
        "detection_radius_um": DETECTION_RADIUS_UM,
        "boundary_px": rim_px,
        "edge_um": edge_um,
    }


def figures_of_image(name: str, score: ImageScore, scheme: ClassScheme) -> dict[str, Any]:
    """Return the figures by which images are compared."""
    figures = figures_of([score], scheme)
    return {
        "name": name,
        "patient": score.patient,
        "class_mean_iou": figures["pixel"]["class_mean_iou"],
        **{
            key: figures["instance"][key] for key in ("bpq", "aji_plus", "detection_f1", "mpq_plus")
        },
    }


def differences_of(
    first: Sequence[ImageScore] | Sequence[DotScore],
    second: Sequence[ImageScore] | Sequence[DotScore],
    first_scheme: ClassScheme,
    second_scheme: ClassScheme,
) -> dict[str, Any]:
    """Return how two answers to the same images or regions differ.

    Parameters
    ----------
    first, second : sequence of ImageScore or DotScore
        Of the same images in the same order, both of one kind.
    first_scheme, second_scheme : ClassScheme
        The classes of each answer.

    Returns
    -------
    compared : dict
        Ready for JSON: ``difference`` is the second one's figures less the first one's and
        ``difference95`` has their 95 % intervals by paired bootstrap; both are None where the
        answers have different classes.

    Raises
    ------
    DataError
        If they are not of the same images.
    """
    if first_scheme.names != second_scheme.names:
        return {"difference": None, "difference95": None}
    if first and isinstance(first[0], DotScore):
        one, two = cast("tuple[Sequence[DotScore], Sequence[DotScore]]", (first, second))
        of_dots = dot_differences(one, two, first_scheme)
        difference, difference95 = ({"dots": each} for each in of_dots)
    else:
        outlined = cast("tuple[Sequence[ImageScore], Sequence[ImageScore]]", (first, second))
        difference, difference95 = paired_differences(*outlined, first_scheme)
    return {"difference": difference, "difference95": difference95}
