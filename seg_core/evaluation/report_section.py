"""What a report says of how good a run is."""

from typing import Any

from seg_core.errors import counted
from seg_core.evaluation.tables import class_rows, confusion_table, figures_in_words, overall_table
from seg_core.report.document import Block, Heading, Section, Table, Words


def evaluation_section(result: dict[str, Any], *, anonymous: bool = False) -> Section:
    """Return the section of a report on an evaluation.

    Parameters
    ----------
    result : dict
        As `seg_core.evaluation.run_evaluation.evaluate_run` gives it.
    anonymous : bool
        Leave out the name of the reference's file, which may be the slide's.
    """
    if anonymous:
        result = {**result, "reference_file": "a reference"}
    overall, by_class = overall_table(result), class_rows(result)
    blocks: list[Block] = [
        Words(measured_in_words(result)),
        Table(
            ["Figure", "Value"],
            list(zip(overall["figure"], figures_in_words(overall), strict=True)),
            [False, True],
            [3, 2],
        ),
    ]
    if by_class:
        # a figure of pixels is there for classes that no nucleus has
        titles = list(dict.fromkeys(title for row in by_class for title in row))
        blocks += [
            Heading("By class"),
            Table(
                titles,
                [[_said(row.get(title)) for title in titles] for row in by_class],
                [False, *[True] * (len(titles) - 1)],
                [2, 1, 1, *[2] * (len(titles) - 3)],
            ),
        ]
    confusion = confusion_table(result)
    if confusion is not None:
        blocks.append(Heading("Confusion: rows are the reference, columns the answer"))
        blocks.append(
            Table(
                ["", *confusion.columns],
                [
                    [str(name), *(f"{int(each):,}" for each in row)]
                    for name, row in zip(confusion.index, confusion.to_numpy(), strict=True)
                ],
                [False, *[True] * len(confusion.columns)],
                [2, *[1] * len(confusion.columns)],
            )
        )
    return Section("Beside a reference", blocks)


def _said(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else str(value)


def measured_in_words(result: dict[str, Any], reference: str | None = None) -> str:
    """Return what was measured by what, and what the intervals mean.

    Parameters
    ----------
    result : dict
        Of a run, or of a model by labelled images.
    reference : str, optional
        What the reference is called here, by default as in ``result``.
    """
    if "images" in result:
        return _images_in_words(result)
    over = result["bootstrap"]["over"]
    areas = result["areas"]
    said = (
        f"Measured against {reference or result['reference_file']} in "
        f"{counted(areas, 'region')} ({result['protocol']['scored']}). "
    )
    if over is None:
        return said + "One region alone allows no interval."
    rough = "; rough, since they are few" if result["bootstrap"]["rough"] else ""
    return said + f"95 % intervals in brackets, by bootstrap over {over}{rough}."


def _images_in_words(result: dict[str, Any]) -> str:
    images, patients = result["images"], result["patients"]
    of = "" if patients == images else f" of {counted(patients, 'patient')}"
    said = f"Measured on {counted(images, 'image')}{of}, at {result['mpp']:g} µm/px. "
    if images < 2:
        return said + "One image alone allows no interval."
    bootstrap = result["bootstrap"]
    rough = "; rough, since they are few" if bootstrap["rough"] else ""
    return said + f"95 % intervals in brackets, by bootstrap over {bootstrap['over']}{rough}."
