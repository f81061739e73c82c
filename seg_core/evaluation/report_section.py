"""What a report says of how good a run is."""

from typing import Any

from seg_core.evaluation.tables import class_table, confusion_table, in_words, overall_table
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
    overall, by_class = overall_table(result), class_table(result)
    blocks: list[Block] = [
        Words(measured_in_words(result)),
        Table(
            ["Figure", "Value"],
            [(row.figure, in_words(row.value, row.low, row.high)) for row in overall.itertuples()],
            [False, True],
            [3, 2],
        ),
    ]
    if len(by_class):
        figures = list(dict.fromkeys(by_class["figure"]))
        blocks.append(Heading("By class"))
        blocks.append(
            Table(
                ["Class", "Reference", "Found", *figures],
                [
                    (
                        name,
                        f"{rows['reference'].iloc[0]:,}",
                        f"{rows['predicted'].iloc[0]:,}",
                        *(in_words(each.value, each.low, each.high) for each in rows.itertuples()),
                    )
                    for name, rows in by_class.groupby("class_name", sort=False)
                    if len(rows) == len(figures)
                ],
                [False, *[True] * (2 + len(figures))],
                [2, 1, 1, *[2] * len(figures)],
            )
        )
    confusion = confusion_table(result)
    if confusion is not None:
        blocks.append(Heading("Confusion: rows are the reference, columns the answer"))
        blocks.append(
            Table(
                ["", *confusion.columns],
                [(name, *(f"{each:,}" for each in row)) for name, row in confusion.iterrows()],
                [False, *[True] * len(confusion.columns)],
                [2, *[1] * len(confusion.columns)],
            )
        )
    return Section("Beside a reference", blocks)


def measured_in_words(result: dict[str, Any]) -> str:
    """Return what was measured by what, and what the intervals mean."""
    over = result["bootstrap"]["over"]
    areas = result["areas"]
    said = (
        f"Measured by {result['reference_file']} in "
        f"{'one region' if areas == 1 else f'{areas} regions'} ({result['protocol']['scored']}). "
    )
    if over is None:
        return said + "One region alone allows no interval."
    return said + f"95 % intervals in brackets, by bootstrap over {over}."
