"""Counts, densities, ratios and measures, of one part or of several side by side."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pages.nuclei_page import explained
from pages.nuclei_page.choice import Choice
from pages.shared import resources
from pages.shared.literal import literal
from seg_core.classes import OTHER, UNCERTAIN, ClassScheme
from seg_core.digits import in_digits, to_digits
from seg_core.figures.nuclei import densities_by_part, density_bars
from seg_core.figures.style import config_of
from seg_core.nuclei import MEASURES
from seg_core.scoring import Statistics, cautions_in_words
from seg_core.unbroken import unbroken

_UM2_PER_MM2 = 1e6
_MISSING = "–"


def show(choice: Choice) -> None:
    """Show the numbers of the chosen parts."""
    statistics = choice.statistics()
    if len(statistics) == 1:
        _show_metrics(statistics[0])
    else:
        _compare(statistics)
    _tell_other(choice)
    explained.how(f"{explained.COUNTS}\n\n**Ratios** – {explained.RATIOS}")
    scheme = choice.scheme
    figure, table = st.columns(2, gap="large")
    with figure:
        st.subheader("Densities", anchor=False)
        _show_densities(statistics, scheme)
    with table:
        st.subheader("Classes", anchor=False)
        _show_classes(statistics)
    st.subheader("Measures by class", anchor=False)
    _show_measures(statistics)


def _tell_other(choice: Choice) -> None:
    """Say how many nuclei no class claims, and what that may mean where it is most of them."""
    names = choice.run.scheme.counted_names(other=True, uncertain=choice.min_score > 0)
    counts = resources.nucleus_queries(choice.run).counts(choice.selection(names))
    found, other = sum(counts.values()), counts.get(OTHER, 0)
    if not found:
        return
    counted = "counted here too" if choice.other else "not counted"
    share = f"{100 * other / found:.0f} %"
    told = f"{found:,} nuclei were found; {other:,} of them ({share}) are *other* and {counted}."
    if uncertain := counts.get(UNCERTAIN, 0):
        told += f" {uncertain:,} are *uncertain*: counted among all, and for no class."
    st.caption(unbroken(told))
    if other > found / 2:
        st.warning(_most_are_other(choice.run.classifier), icon=":material/help:")


def _most_are_other(classifier: str | None) -> str:
    """Say what it may mean that most nuclei are *other*; ``classifier`` is taught, if one named them."""
    who, why = (
        ("model", "that the model does not know this tissue or stain, or that µm/px is wrong")
        if classifier is None
        else (
            f"taught classifier {literal(classifier)}",
            "that it needs more labels, or labels of more classes",
        )
    )
    return (
        f"More than half of the nuclei are *other*: no class of the {who} claims them. That is so where "
        f"fibroblasts, endothelium or muscle prevail. In a cellular tumour it says {why}; count other "
        "nuclei and look at them in the gallery."
    )


def _show_metrics(part: Statistics) -> None:
    columns = st.columns([1] * 3 + [1.2] * len(part.ratios))
    columns[0].metric("Nuclei", f"{part.count:,}", border=True, height="stretch")
    # The units stand in the labels: beside the figures a small window would cut them off.
    columns[1].metric("Tissue, mm²", _tissue(part), border=True, height="stretch")
    columns[2].metric("Density, per mm²", _density(part), border=True, height="stretch")
    for column, ratio in zip(columns[3:], part.ratios, strict=True):
        column.metric(ratio.name, in_digits(ratio.value), border=True, height="stretch")


def _compare(statistics: Sequence[Statistics]) -> None:
    rows = {
        literal(each.part.name): {
            "Nuclei": f"{each.count:,}",
            "Tissue, mm²": _tissue(each),
            "Density, per mm²": _density(each),
            **{ratio.name: in_digits(ratio.value) for ratio in each.ratios},
        }
        for each in statistics
    }
    st.table(pd.DataFrame(rows).T, border="horizontal")


def _show_densities(statistics: Sequence[Statistics], scheme: ClassScheme) -> None:
    figure = (
        density_bars(statistics[0].classes, scheme)
        if len(statistics) == 1
        else densities_by_part({each.part.name: each.classes for each in statistics}, scheme)
    )
    st.plotly_chart(figure, key="_densities", config=config_of("densities"))
    for each in statistics:
        if each.no_interval:
            st.caption(f"{literal(each.part.name)} – no interval: {each.no_interval}")
        for caution in cautions_in_words(each):
            st.caption(f"{literal(each.part.name)} – {caution}")
    explained.how(explained.DENSITIES)


def _show_classes(statistics: Sequence[Statistics]) -> None:
    several = len(statistics) > 1
    classes = pd.concat(each.classes.assign(part=each.part.name) for each in statistics)
    with_interval = classes["density_low"].notna().any()
    shares, densities = ["share"], ["density_per_mm2", "density_low", "density_high"]
    st.dataframe(
        # rounded, since what is set off in thousands would else show three decimals
        classes.assign(**(100 * classes[shares]), **to_digits(classes[densities])),
        hide_index=True,
        placeholder=_MISSING,
        column_order=[
            *(["part"] if several else []),
            *("class_name", "count", "share", "density_per_mm2"),
            *(["density_low", "density_high"] if with_interval else []),
        ],
        column_config={
            "part": "Where",
            "class_name": "Class",
            "count": st.column_config.NumberColumn("Nuclei", format="localized"),
            "share": st.column_config.NumberColumn("Share", format="%.1f %%"),
            "density_per_mm2": st.column_config.NumberColumn("Per mm²", format="localized"),
            "density_low": st.column_config.NumberColumn("95 % from", format="localized"),
            "density_high": st.column_config.NumberColumn("to", format="localized"),
        },
    )


def _show_measures(statistics: Sequence[Statistics]) -> None:
    chosen = st.selectbox(
        "Measure",
        list(MEASURES),
        index=list(MEASURES).index("area_um2"),
        format_func=lambda column: MEASURES[column].title,
        key="_described",
    )
    measure = MEASURES[chosen]
    described = pd.concat(
        each.measures[each.measures["measure"] == chosen].assign(part=each.part.name)
        for each in statistics
    )
    number = f"%.{measure.digits + 1}f"
    st.dataframe(
        described,
        hide_index=True,
        placeholder=_MISSING,
        column_order=[
            *(["part"] if len(statistics) > 1 else []),
            *("class_name", "count", "mean", "sd", "q1", "median", "q3"),
        ],
        column_config={
            "part": "Where",
            "class_name": "Class",
            "count": st.column_config.NumberColumn("Nuclei", format="localized"),
            **{
                column: st.column_config.NumberColumn(label, format=number)
                for column, label in (
                    *(("mean", "Mean"), ("sd", "SD"), ("q1", "First quartile")),
                    *(("median", "Median"), ("q3", "Third quartile")),
                )
            },
        },
    )
    explained.how(explained.of_all_measures())


def _tissue(part: Statistics) -> str:
    return _MISSING if part.tissue_um2 is None else in_digits(part.tissue_um2 / _UM2_PER_MM2)


def _density(part: Statistics) -> str:
    density = part.density_per_mm2
    return _MISSING if density is None else in_digits(density)
