"""All analyses of the slide in a table, and two of them side by side."""

import pandas as pd
import streamlit as st

from pages.nuclei_page.choice import Choice
from pages.shared import regions, resources, run_words, runs, state
from pages.shared.page_list import VIEWER
from pages.shared.steady_choice import keep_chosen
from seg_core.digits import in_digits, to_digits
from seg_core.minus import with_minus
from seg_core.scoring import compare_classes, part_in_both
from seg_core.store import Run
from seg_core.store.label import read_label

_MISSING = "–"
_UM2_PER_MM2 = 1e6

_DENSITIES = ["density_first", "density_second"]
_SIGNED = {
    "count_difference": "{:+,d}".format,
    "density_difference": lambda number: f"{'+' if number > 0 else ''}{in_digits(number)}",
    "change": "{:+.1f} %".format,
}


def show(choice: Choice) -> None:
    """Show what distinguishes the slide's analyses, then the shown one beside another."""
    chosen = state.SLIDE.get()
    assert chosen is not None, "the page has made sure"
    found = runs.finished_runs(chosen)
    st.dataframe(
        pd.DataFrame([_row(run, run == choice.run) for run in found]),
        hide_index=True,
        column_config={"Nuclei": st.column_config.NumberColumn(format="localized")},
    )
    others = {run.path: run for run in found if run.path != choice.run.path}
    if not others:
        st.info("There is one analysis of this slide; with a second one the two are compared here.")
        return
    of_all = run_words.titles(found)
    titles = {path: of_all[path] for path in others}
    keep_chosen("_compared_run", titles)
    path = st.selectbox(
        "Compare the shown analysis with",
        list(titles),
        format_func=titles.__getitem__,
        key="_compared_run",
    )
    _show_beside(choice, others[path])
    if st.button("Show that one instead, in the viewer", icon=":material/biotech:"):
        state.show_run(path)
        VIEWER.open()


def _row(run: Run, shown: bool) -> dict[str, object]:
    counts = resources.counts(run, 0.0)
    counted = sum(counts[name] for name in run.scheme.names)
    name = read_label(run.path).name
    return {
        "Shown": shown,
        "Name": name or _MISSING,
        **run_words.facets(run),
        "Nuclei": counted,
    }


def _show_beside(choice: Choice, other: Run) -> None:
    chosen = state.SLIDE.get()
    part = part_in_both(choice.run, other, regions.slide_rois(chosen) if chosen else ())
    one, two = (
        resources.statistics(run, part, min_score=choice.min_score, other=choice.other)
        for run in (choice.run, other)
    )
    tissue = [
        _MISSING if each.tissue_um2 is None else in_digits(each.tissue_um2 / _UM2_PER_MM2)
        for each in (one, two)
    ]
    st.caption(
        f"Counted where both have looked: {tissue[0]} mm² of tissue by the shown analysis, "
        f"{tissue[1]} mm² by the other. Differences are the other less the shown one."
    )
    compared = compare_classes(one, two).assign(change=lambda each: 100 * each["change"])
    told = {
        name: compared[name].map(
            lambda number, written=written: with_minus(written(number)), na_action="ignore"
        )
        for name, written in _SIGNED.items()
    }
    st.dataframe(
        # rounded, since what is set off in thousands would else show three decimals
        compared.assign(**to_digits(compared[_DENSITIES]), **told),
        hide_index=True,
        placeholder=_MISSING,
        column_config={
            "class_name": "Class",
            "count_first": st.column_config.NumberColumn("Shown", format="localized"),
            "count_second": st.column_config.NumberColumn("Other", format="localized"),
            "count_difference": st.column_config.TextColumn("Difference", alignment="right"),
            "density_first": st.column_config.NumberColumn("Shown, per mm²", format="localized"),
            "density_second": st.column_config.NumberColumn("Other, per mm²", format="localized"),
            "density_difference": st.column_config.TextColumn(
                "Difference, per mm²", alignment="right"
            ),
            "change": st.column_config.TextColumn("Change", alignment="right"),
        },
    )
