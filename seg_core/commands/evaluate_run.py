"""What the command ``evaluate`` does with a run and a reference of its slide."""

import argparse
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from seg_core.annotations import read_rois
from seg_core.commands.moved_slide import add_slide, needed_slide, with_slide
from seg_core.commands.terminal import say, write_json
from seg_core.errors import counted
from seg_core.evaluation.run_evaluation import compare_runs, evaluate_run, reference_of_run
from seg_core.labelled.class_mapping import decided_for, mapping_of, parse_mapping
from seg_core.labelled.reference_list import in_words
from seg_core.labelled.slide_reference import MappedReference, map_classes, read_slide_reference
from seg_core.roi import Roi
from seg_core.store import Run, open_run

RUN_OPTIONS = ("with_run", "slide", "reference", "reference_mpp", "map", "areas")
"""What is said of a run and its reference, and of no folder of images."""


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that name a run and its reference."""
    parser.add_argument(
        "--run",
        dest="run_folder",
        metavar="RUN",
        type=Path,
        help="measure this finished run instead of a model",
    )
    parser.add_argument(
        "--with-run",
        metavar="RUN",
        type=Path,
        help="measure a second run of the slide too, and tell the paired difference",
    )
    add_slide(parser)
    parser.add_argument(
        "--reference",
        metavar="FILE",
        type=Path,
        help=f"{in_words('run')} (its folder), of the run's slide",
    )
    parser.add_argument(
        "--reference-mpp",
        metavar="UM",
        type=float,
        help="size of the pixels that the reference counts in (default: the slide's level 0)",
    )
    parser.add_argument(
        "--map",
        metavar="THEIRS=OURS",
        nargs="+",
        default=(),
        help="what classes of the reference mean, where the guess is wrong: a class of the model, "
        "other, none (nobody knows), area (a region in which every nucleus is labelled), ignore",
    )
    parser.add_argument(
        "--areas",
        metavar="FILE",
        type=Path,
        help="GeoJSON of the regions in which every nucleus is labelled, where the reference names "
        "none (default: all that was analysed)",
    )


def evaluate_run_asked(options: argparse.Namespace) -> int:
    """Measure the run that the options name; see `add_run_options`."""
    if options.reference is None:
        options.parser.error("--run needs a reference; name one with --reference FILE.")
    run = _measured(options.run_folder, options)
    decided = parse_mapping(options.map)
    reference, mapping = _reference(run, options, decided)
    rois = _rois(run, options.areas)
    if options.with_run is not None:
        other = _measured(options.with_run, options)
        if other.scheme.names == run.scheme.names:
            beside = reference
        else:
            say(f"{other.run_id}, whose classes are {', '.join(other.scheme.names)}:")
            beside, _ = _reference(other, options, decided_for(other.scheme, decided))
        result = compare_runs(run, other, (reference, beside), rois)
        for name in ("first", "second"):
            say(
                "\n".join(
                    [f"{name}: {_measured_in_words(result[name])}", *figure_lines(result[name])]
                )
            )
        if lines := difference_lines(result):
            say("\n".join(lines))
    else:
        result = evaluate_run(run, reference, rois).result
        say("\n".join([_measured_in_words(result), *figure_lines(result)]))
    if options.json:
        write_json({**result, "mapping": mapping}, options.json, indent=2)
    return 0


def _measured(folder: Path, options: argparse.Namespace) -> Run:
    """Return a run as it stands; as the model left it where its own corrections are the reference."""
    run = with_slide(open_run(folder), options)
    return run.as_found() if options.reference.resolve() == folder.resolve() else run


def _reference(
    run: Run, options: argparse.Namespace, decided: dict[str, str]
) -> tuple[MappedReference, dict[str, str]]:
    if options.reference.is_dir():
        return reference_of_run(open_run(options.reference), run.scheme), {}
    mpp = run.slide_mpp
    with needed_slide(run), closing(run.open_slide()) as slide:
        read = read_slide_reference(options.reference, slide.info, mpp, options.reference_mpp)
    for note in read.notes:
        say(note)
    mapping = mapping_of(read.class_names, decided, run.scheme)
    for theirs, ours in mapping.items():
        say(f"{theirs or '(no class)'} is {ours}")
    return map_classes(read, mapping, run.scheme), mapping


def _rois(run: Run, path: Path | None) -> Sequence[Roi]:
    if path is None:
        return ()
    bounds = run.facts.slide.bounds
    return [roi.moved(bounds.x, bounds.y) for roi in read_rois(path, say)]


def _measured_in_words(result: dict[str, Any]) -> str:
    over = result["bootstrap"]["over"]
    interval = (
        "one area alone allows no interval" if over is None else f"95 % intervals over {over}"
    )
    areas = counted(result["areas"], "area")
    return f"{result['run']} in {areas}, {result['protocol']['scored']}; {interval}"


def difference_lines(compared: dict[str, Any]) -> list[str]:
    """Return how two answers differ as lines; none where they cannot be compared."""
    if compared["difference"] is None:
        return []
    differences = {**compared["difference"], "interval95": compared["difference95"]}
    return ["second less first", *figure_lines(differences)]


def figure_lines(result: dict[str, Any]) -> list[str]:
    """Return the figures that matter most as lines, each with its interval."""
    lines = []
    of_dots = (result.get("dots") or {}).get("f1") or {}
    for *path, name in (*_SHOWN, *(("dots", "f1", name) for name in of_dots)):
        values, intervals = result, result["interval95"]
        for part in path:
            values, intervals = values.get(part) or {}, intervals.get(part) or {}
        value, interval = values.get(name), intervals.get(name)
        if value is not None:
            between = "" if interval is None else f"  {interval[0]:.3f} to {interval[1]:.3f}"
            label = " ".join([*path[1:], name])
            lines.append(f"{label:<24}{value:.3f}{between}")
    spurious = result.get("instance", {}).get("spurious") or {}
    lines += [
        f"{name:<24}none in the reference, {count} spurious"
        for name, count in spurious.items()
        if not result["reference"][name]
    ]
    return lines


_SHOWN = (
    ("pixel", "class_mean_iou"),
    *(
        ("instance", name)
        for name in (
            *("bpq", "aji", "aji_plus", "detection_f1", "detection_f1_hovernet"),
            *("mpq_plus", "macro_f1"),
        )
    ),
    ("dots", "detected"),
    ("dots", "detection_f1"),
)
