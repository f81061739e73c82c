import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seg_core.classes import MONUSAC, OTHER, UNCERTAIN
from seg_core.errors import SettingsError
from seg_core.nuclei import VOTED_CLASS, empty_table, label_uncertain
from seg_core.nuclei.certainty import class_name_sql

SCORES = st.floats(0, 1, width=32)


def some(names: list[str], scores: list[float]) -> pd.DataFrame:
    scores32 = np.array(scores, dtype=np.float32)
    return pd.DataFrame({"class_name": names, "class_score": scores32, "geometry": None})


def test_below_the_threshold_a_nucleus_counts_for_no_class() -> None:
    table = label_uncertain(some(["epithelial", "lymphocyte", OTHER], [0.4, 0.5, 0.1]), 0.5)
    assert table["class_name"].tolist() == [UNCERTAIN, "lymphocyte", OTHER]
    assert table[VOTED_CLASS].tolist() == ["epithelial", "lymphocyte", OTHER]
    assert list(table.columns) == ["class_name", "class_score", VOTED_CLASS, "geometry"]


def test_without_a_threshold_the_table_stays_as_it_is() -> None:
    table = some(["epithelial"], [0.0])
    assert label_uncertain(table, 0.0) is table


def test_a_score_in_single_precision_is_not_below_itself() -> None:
    """0.7 is kept as 0.699999988."""
    assert label_uncertain(some(["epithelial"], [0.7]), 0.7)["class_name"].tolist() == [
        "epithelial"
    ]


@given(
    st.lists(st.tuples(st.sampled_from(MONUSAC.names_with_other), SCORES), max_size=20),
    st.one_of(SCORES, st.floats(0, 1)),
)
def test_sql_says_the_same(nuclei: list[tuple[str, float]], least: float) -> None:
    nuclei.append(("epithelial", float(np.float32(least))))
    table = some(*map(list, zip(*nuclei, strict=True)))
    with duckdb.connect() as connection:
        connection.register("nuclei", table.drop(columns="geometry"))
        found = connection.execute(f"select {class_name_sql(least)} from nuclei").fetchall()
    assert [name for (name,) in found] == label_uncertain(table, least)["class_name"].tolist()


def test_an_empty_table_has_the_column_too() -> None:
    assert VOTED_CLASS in label_uncertain(empty_table(), 0.5)


@pytest.mark.parametrize("least", [-0.1, 1.1, float("nan")])
def test_what_is_no_share_is_refused(least: float) -> None:
    with pytest.raises(SettingsError, match=r"least class score is .*; give a share from 0 to 1"):
        label_uncertain(empty_table(), least)
