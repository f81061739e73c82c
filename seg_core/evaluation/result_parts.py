"""Parts of the JSON of ``evaluate`` that images and regions of a slide have in common."""

from typing import Any

from seg_core.classes import OTHER, ClassScheme
from seg_core.evaluation.metrics import DETECTION_RADIUS_UM, ImageScore, figures_of
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
