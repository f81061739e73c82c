"""The commands ``teach`` and ``classify``: a classifier of nuclei from labels, and its answer."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seg_core.classes import NucleusClass, require_showable
from seg_core.commands.terminal import Subparsers, say
from seg_core.errors import SegCoreError, TeachingError
from seg_core.files.outputs import refuse_inputs
from seg_core.store import Run, Selection, forget_answer, open_run
from seg_core.store.own_classes import read_own_classes
from seg_core.teaching.apply import classify, doubt_about
from seg_core.teaching.classifier import Classifier, read_classifier, write_classifier
from seg_core.teaching.features import FEATURE_GROUPS
from seg_core.teaching.labels import Labels, corrected_labels, labels_of, read_marks
from seg_core.teaching.labels_file import write_labels
from seg_core.teaching.teach import DEFAULT_GROUPS, Taught, teach
from seg_core.teaching.validation import Validation


def add_teach(subparsers: Subparsers) -> None:
    """Add ``teach``: make a classifier of nuclei from labels."""
    parser = subparsers.add_parser(
        "teach",
        help="teach a classifier of nuclei from labels",
        description="Teach a classifier from labelled nuclei of finished runs, and tell how well it "
        "does on places it was not taught at: whole slides left out, or squares of the one slide.",
    )
    parser.add_argument(
        "runs", metavar="RUN", nargs="+", type=Path, help="folders that analyse has named"
    )
    parser.add_argument(
        "--labels",
        metavar="FILE",
        type=Path,
        help="GeoJSON of points and polygons with classes, as QuPath writes it, or CSV with x, y, "
        "class and, for several runs, slide; by default what was corrected in the runs",
    )
    parser.add_argument("--out", metavar="FILE", type=Path, help="the classifier")
    parser.add_argument(
        "--labels-out",
        metavar="FILE",
        type=Path,
        help="the labels as GeoJSON points with classes, as QuPath reads them",
    )
    parser.add_argument(
        "--class",
        dest="classes",
        metavar="NAME=#RRGGBB[:ROLE]",
        action="append",
        default=[],
        type=_own_class,
        help="colour of a class of your own, and what scores take it for: epithelium, lymphocyte, "
        "neutrophil, macrophage or other",
    )
    parser.add_argument(
        "--features",
        metavar="GROUP",
        nargs="+",
        choices=FEATURE_GROUPS,
        default=list(DEFAULT_GROUPS),
        help=f"what the classifier is told of a nucleus: {', '.join(FEATURE_GROUPS)} "
        f"(default: {' '.join(DEFAULT_GROUPS)})",
    )
    parser.add_argument("--force", action="store_true", help="replace a file that exists")
    parser.set_defaults(run=_teach, parser=parser)


def add_classify(subparsers: Subparsers) -> None:
    """Add ``classify``: let a taught classifier name the nuclei of a run."""
    parser = subparsers.add_parser(
        "classify",
        help="let a taught classifier name the nuclei of runs",
        description="Let a taught classifier name the nuclei of finished runs. Statistics, scores, "
        "layers and exports follow; what was corrected by hand stays corrected.",
    )
    parser.add_argument("runs", metavar="RUN", nargs="+", type=Path)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--classifier", metavar="FILE", type=Path, help="as teach has written it")
    what.add_argument("--forget", action="store_true", help="go back to the model's own answer")
    parser.set_defaults(run=_classify)


def _teach(options: argparse.Namespace) -> int:
    if options.out is None and options.labels_out is None:
        options.parser.error("nothing to write; give --out for the classifier, or --labels-out.")
    outputs = [each for each in (options.out, options.labels_out) if each is not None]
    refuse_inputs(outputs, filter(None, [options.labels]))
    runs = [open_run(path) for path in options.runs]
    labels = _labels(options.labels, runs)
    if options.labels_out is not None:
        write_labels(labels, options.labels_out, force=options.force)
        say(f"{options.labels_out} written.")
    if options.out is None:
        return 0
    named = [each for run in runs for each in read_own_classes(run.path)]
    taught = teach(labels, own_classes=[*options.classes, *named], groups=tuple(options.features))
    write_classifier(taught.classifier, options.out, force=options.force)
    say(_table(taught))
    say(taught.explanation)
    for warning in taught.warnings:
        sys.stderr.write(f"note: {warning}\n")
    say(f"{options.out} written.")
    return 0


def _classify(options: argparse.Namespace) -> int:
    classifier: Classifier | None = None
    if options.classifier is not None:
        classifier = read_classifier(options.classifier)
    for path in options.runs:
        run = open_run(path)
        before = _counts(run)
        if classifier is None:
            forget_answer(run.path)
        else:
            classify(run, classifier, name=options.classifier.stem)
            if doubt := doubt_about(classifier, run.facts.question.naming):
                sys.stderr.write(f"note: {run.slide_path.name}: {doubt}\n")
        after = _counts(run)
        names = dict.fromkeys([*before, *after])
        changes = ", ".join(f"{n} {before.get(n, 0)} → {after.get(n, 0)}" for n in names)
        say(f"{run.slide_path.name}: {changes}")
    return 0


def _labels(file: Path | None, runs: Sequence[Run]) -> list[Labels]:
    if file is not None:
        return labels_of(read_marks(file, say), runs)
    labels = [corrected_labels(run) for run in runs]
    if not any(len(each.names) for each in labels):
        raise TeachingError(
            "nothing was corrected in the runs; give labels with --labels, or correct nuclei first."
        )
    return labels


def _counts(run: Run) -> dict[str, int]:
    return run.nucleus_queries().counts(Selection(run.scheme.names_with_other))


def _table(taught: Taught) -> str:
    validation = taught.validation
    if validation is None:
        counted = [
            f"{name}: {sum(slides.values())}" for name, slides in taught.classifier.labels.items()
        ]
        return "labels: " + ", ".join(counted) + "; not cross-validated"
    return "\n".join(_rows(validation))


def _rows(validation: Validation) -> list[str]:
    width = max(map(len, validation.names)) + 2
    figures = ("labels", "precision", "recall", "F1")
    head = "".ljust(width) + "".join(each.rjust(11) for each in figures)
    rows = [head]
    for row in validation.by_class():
        shown = [
            f"{row['labels']}",
            *(
                "–" if row[name] is None else f"{row[name]:.3f}"
                for name in ("precision", "recall", "f1")
            ),
        ]
        rows.append(str(row["class"]).ljust(width) + "".join(each.rjust(11) for each in shown))
    rows.append(
        f"macro F1 {validation.macro_f1:.3f}, each {validation.unit} of {validation.groups} answered "
        "without labels of its own"
    )
    rows += [
        "",
        "".ljust(width) + "".join(name[:10].rjust(11) for name in validation.names) + "  (answer)",
    ]
    for name, counts in zip(validation.names, validation.confusion.tolist(), strict=True):
        rows.append(name.ljust(width) + "".join(f"{count}".rjust(11) for count in counts))
    return rows


def _own_class(text: str) -> NucleusClass:
    name, _, rest = text.partition("=")
    colour, _, role = rest.partition(":")
    try:
        require_showable(name, colour)
        given: Any = role or None
        made = NucleusClass(1, name, colour, given_role=given)
    except SegCoreError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no class; give for instance keratinocyte=#7a5c3e:epithelium."
        ) from error
    return made
