"""A model's card for people: what it learned from, what it is worth, where it fails."""

import re

import pandas as pd
import streamlit as st

from seg_core.model import ModelCard
from seg_core.model.measured import (
    FEW_NUCLEI,
    class_figures,
    confusion_table,
    measured_sets,
    overall_figures,
    speed_table,
    weaknesses,
)

_NON_COMMERCIAL = "NC"


def show_origin(card: ModelCard) -> None:
    """Show what the model is, what it learned from, and under which licence."""
    st.subheader(card.title or card.name, anchor=False)
    if card.data:
        st.markdown(card.data)
    if _NON_COMMERCIAL in re.split(r"\W+", card.licence):
        st.warning(
            f"Licence {card.licence}: not for commercial use, as the data it learned from demand.",
            icon=":material/gavel:",
        )
    elif card.licence:
        st.caption(f"Licence: {card.licence}")
    st.caption(
        f"{card.architecture}, encoder {card.encoder}, {card.mpp:g} µm/px, "
        f"classes {', '.join(card.scheme.names)} · weights {card.file}, SHA-256 {card.sha256[:12]}…"
    )


def show_figures(card: ModelCard) -> None:
    """Show the figures on the data set that the reader chooses."""
    sets = measured_sets(card)
    if not sets:
        st.info(
            "The card has no figures: nobody knows what this model is worth. Measure it with "
            "python -m seg_core evaluate, see the documents.",
            icon=":material/help:",
        )
        return
    data = st.radio("Measured on", sets, format_func=_words, horizontal=True, key="_measured_on")
    entry = card.metrics[data]
    rough = entry.get("bootstrap", {}).get("rough", False)
    st.caption(
        f"{entry.get('images', '?')} images of {entry.get('patients', '?')} patients. In brackets 95 % "
        "intervals over patients" + (", rough since they are few." if rough else ".")
    )
    _show_classes(class_figures(card, data))
    _show_overall(overall_figures(card, data))
    st.markdown("**Where it fails**")
    st.markdown("\n".join(f"- {each}" for each in weaknesses(card, data)))
    table = confusion_table(card, data)
    if table is not None:
        with st.expander("Confusion of nuclei: rows are the reference, columns the answer"):
            st.dataframe(table)


def show_speed(card: ModelCard) -> None:
    """Show what each precision and tile costs in accuracy."""
    table = speed_table(card)
    if table is None:
        st.caption("What faster settings cost was not measured with these weights.")
        return
    st.dataframe(
        table,
        hide_index=True,
        column_config={
            "precision": "Precision",
            "tile": st.column_config.NumberColumn("Tile, px"),
            "mpq_plus": st.column_config.NumberColumn("mPQ+", format="%.3f"),
            "mpq_plus_change": st.column_config.NumberColumn("against fp32", format="%+.3f"),
            "same_class": st.column_config.NumberColumn(
                "Pixels of the same class", format="percent"
            ),
        },
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


def _show_overall(table: pd.DataFrame) -> None:
    shown = {row["figure"]: _with_interval(row, "value", "") for _, row in table.iterrows()}
    st.table(pd.Series(shown, name="Whatever the class"), border="horizontal")


def _with_interval(row: pd.Series, key: str, prefix: str | None = None) -> str:
    start = f"{key}_" if prefix is None else prefix
    if pd.isna(row[key]):
        return "–"
    if pd.isna(row[f"{start}low"]):
        return f"{row[key]:.3f}"
    return f"{row[key]:.3f} ({row[f'{start}low']:.2f}–{row[f'{start}high']:.2f})"


def _words(name: str) -> str:
    return name.replace("_", " ")
