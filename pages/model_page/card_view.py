"""A model's card for people: what it learned from, what it is worth, where it fails."""

import re
from typing import Any

import pandas as pd
import streamlit as st

from pages.shared.figure_words import CONFUSION_IN_WORDS, FIGURES_IN_WORDS
from seg_core.errors import counted
from seg_core.minus import with_minus
from seg_core.model import ModelCard
from seg_core.model.measured import (
    FEW_NUCLEI,
    class_figures,
    confusion_table,
    dot_figures_of,
    dotted_sets,
    measured_sets,
    overall_figures,
    preset_table,
    speed_table,
    weaknesses,
)
from seg_core.model.set_names import spelled
from seg_core.settings import PRECISION_TITLES, PRESETS
from seg_core.unbroken import unbroken

_NON_COMMERCIAL = "NC"


def show_licence(card: ModelCard) -> None:
    """Show what the model is called, and under which licence it is."""
    st.subheader(card.title or card.name, anchor=False)
    if _NON_COMMERCIAL in re.split(r"\W+", card.licence):
        st.warning(
            f"Licence {card.licence}: not for commercial use, as the licences of its training data require.",
            icon=":material/gavel:",
        )
    elif card.licence:
        st.caption(f"Licence: {card.licence}")


def show_origin(card: ModelCard) -> None:
    """Show what the model learned from, and what it is."""
    with st.expander("What it learned from, and what it is"):
        if card.data:
            st.markdown(card.data)
        st.caption(
            f"{card.architecture}, encoder {card.encoder}, {card.mpp:g} µm/px, "
            f"classes {', '.join(card.scheme.names)} · weights {card.file}, SHA-256 {card.sha256[:12]}…"
        )


def show_figures(card: ModelCard) -> None:
    """Show the figures on the data set that the reader chooses."""
    sets = [*measured_sets(card), *dotted_sets(card)]
    if not sets:
        st.info(
            "The card has no figures: nobody knows what this model is worth. Measure it on the page "
            "Evaluate by a folder of labelled images, or with python -m seg_core evaluate.",
            icon=":material/help:",
        )
        return
    data = st.selectbox("Measured on", sets, format_func=spelled, key="_measured_on")
    entry = card.metrics[data]
    rough = entry.get("bootstrap", {}).get("rough", False)
    st.caption(
        unbroken(
            f"{_counted(entry, 'image')} of {_counted(entry, 'patient')}. In brackets 95 % intervals "
            "over patients" + (", rough since they are few." if rough else ".")
        )
    )
    if data in dotted_sets(card):
        _show_dots(card, data)
    else:
        _show_classes(class_figures(card, data))
    _show_overall(overall_figures(card, data))
    st.markdown("**Where it fails**")
    st.markdown("\n".join(f"- {unbroken(each)}" for each in weaknesses(card, data)))
    table = confusion_table(card, data)
    if table is not None:
        with st.expander("Confusion of nuclei: rows are the reference, columns the answer"):
            st.dataframe(table)
            st.caption(CONFUSION_IN_WORDS)
    if entry.get("command"):
        st.caption(f"Printed by `{entry['command']}`.")


def _counted(entry: dict[str, Any], name: str) -> str:
    count = entry.get(f"{name}s")
    return f"? {name}s" if count is None else counted(count, name)


def show_presets(card: ModelCard) -> None:
    """Show what each preset takes and gains, at 40x and at 20x."""
    table = preset_table(card)
    st.markdown("**Presets**")
    if table is None or table.empty:
        st.caption("What the presets cost was not measured with these weights.")
        return
    figures = {
        "mpq_plus": "mPQ+, 40x",
        "macro_f1": "Macro F1, 40x",
        "mpq_plus_20x": "mPQ+, 20x",
        "macro_f1_20x": "Macro F1, 20x",
    }
    shown = {
        "Preset": table["title"],
        "What it does": [unbroken(PRESETS[name].words) for name in table.index],
        f"Time, × {table['title'].iloc[0]}": table["time"].map("{:.2f}".format),
        **{title: table[key].map("{:.3f}".format) for key, title in figures.items()},
    }
    # not a data frame, which would cut off the last columns of a small window
    st.table(pd.DataFrame(shown), border="horizontal", hide_index=True)


def show_speed(card: ModelCard) -> None:
    """Show what each precision and tile costs in accuracy."""
    table = speed_table(card)
    st.markdown("**Precision and tile**")
    if table is None:
        st.caption("What other precisions and tiles cost was not measured with these weights.")
        return
    changes = ["mpq_plus_change_40x", "mpq_plus_change_20x"]
    signed = {
        name: table[name]
        .map("{:+.3f}".format, na_action="ignore")
        .map(with_minus, na_action="ignore")
        for name in changes
    }
    st.dataframe(
        table.assign(
            precision=table["precision"].replace(PRECISION_TITLES),
            same_class=100 * table["same_class"],
            **signed,
        ),
        hide_index=True,
        placeholder="–",
        column_config={
            "precision": "Precision",
            "tile": st.column_config.NumberColumn("Tile, px"),
            "mpq_plus": st.column_config.NumberColumn("mPQ+, 40x", format="%.3f"),
            "mpq_plus_change_40x": st.column_config.TextColumn(
                "Against fp32, 40x", alignment="right"
            ),
            "mpq_plus_20x": st.column_config.NumberColumn("mPQ+, 20x", format="%.3f"),
            "mpq_plus_change_20x": st.column_config.TextColumn(
                "Against fp32, 20x", alignment="right"
            ),
            "same_class": st.column_config.NumberColumn(
                "Pixels of the same class", format="%.1f %%"
            ),
        },
    )
    st.caption(
        unbroken(
            "On validation images, as they are (40x) and shown as a scan at 20x would be; differences and "
            "pixels are against fp32 with tiles of 256 px. *Figures* tells what mPQ+ is; 1 is perfect."
        )
    )


def _show_classes(table: pd.DataFrame) -> None:
    shown = pd.DataFrame(
        {
            "Class": table["class_name"],
            "Nuclei": table["nuclei"],
            **{
                title: [_with_interval(row, key) for _, row in table.iterrows()]
                for key, title in (("f1", "F1"), ("pq_plus", "PQ+"), ("iou", "IoU of pixels"))
            },
        }
    )
    st.dataframe(
        shown,
        hide_index=True,
        column_config={"Nuclei": st.column_config.NumberColumn(format="localized")},
    )
    if (table["nuclei"] < FEW_NUCLEI).any():
        st.caption(f"Figures of classes with fewer than {FEW_NUCLEI} nuclei are a hint only.")


def _show_dots(card: ModelCard, data: str) -> None:
    """Show the figures by dots, with how many there are of each class."""
    table = dot_figures_of(card, data)
    titles = {
        "recall": "Dots called so",
        "precision": "Nuclei called so with such a dot",
        "f1": "F1",
    }
    st.dataframe(
        pd.DataFrame(
            {
                "Class": table["class_name"],
                "Dots": table["dots"],
                "Nuclei called so": table["called"],
                **{
                    title: [_with_interval(row, key) for _, row in table.iterrows()]
                    for key, title in titles.items()
                },
            }
        ),
        hide_index=True,
    )
    st.caption(
        "Somebody told place and class of nuclei, not their outlines, and gave some none: what is called a "
        "class and has no dot counts as wrong, so the last two columns are lower bounds that compare models "
        "and say no more."
    )


def _show_overall(table: pd.DataFrame) -> None:
    values = [_with_interval(row, "value", "") for _, row in table.iterrows()]
    shown = pd.DataFrame({"Of all nuclei": table["figure"].map(unbroken), "Value": values})
    st.table(shown, border="horizontal", hide_index=True)
    with st.popover("What these figures are", icon=":material/function:", type="tertiary"):
        st.markdown(unbroken(FIGURES_IN_WORDS))


def _with_interval(row: pd.Series, key: str, prefix: str | None = None) -> str:
    start = f"{key}_" if prefix is None else prefix
    if pd.isna(row[key]):
        return "–"
    if pd.isna(row[f"{start}low"]):
        return f"{row[key]:.3f}"
    return f"{row[key]:.3f} ({row[f'{start}low']:.2f}–{row[f'{start}high']:.2f})"
