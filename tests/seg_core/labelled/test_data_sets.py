import numpy as np
import pytest

from seg_core.classes import BACKGROUND, MONUSAC, OTHER, ClassScheme, NucleusClass
from seg_core.errors import SettingsError
from seg_core.labelled.data_sets import DATA_SETS, UNKNOWN, data_set_of


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("monusac", [OTHER, "epithelial", "lymphocyte", "neutrophil", "macrophage"]),
        ("consep", [None, None, "lymphocyte", "epithelial", OTHER]),
        (
            "lizard",
            [None, "neutrophil", "epithelial", "lymphocyte", "lymphocyte", None, OTHER],
        ),
    ],
)
def test_ids_of_a_data_set_go_through_names(name: str, ours: list[str | None]) -> None:
    data_set = data_set_of(name)
    assert [data_set.meaning_of(data_set.ids[k]) for k in sorted(data_set.ids)] == ours


def test_plasma_cells_count_with_lymphocytes_and_connective_nuclei_belong_to_no_class() -> None:
    lizard = data_set_of("lizard")
    assert lizard.class_id("plasma cell", MONUSAC) == MONUSAC.id_of("lymphocyte")
    assert lizard.class_id("connective", MONUSAC) == BACKGROUND
    assert lizard.class_id("eosinophil", MONUSAC) == UNKNOWN


def test_a_class_that_a_scheme_lacks_is_unknown_to_it() -> None:
    scheme = ClassScheme((NucleusClass(1, "lymphocyte", "#000000"),))
    lizard = data_set_of("lizard")
    assert lizard.class_id("plasma cell", scheme) == 1
    assert lizard.class_id("neutrophil", scheme) == UNKNOWN
    assert lizard.class_id(None, scheme) == UNKNOWN


def test_only_the_weights_that_are_named_differ_from_one() -> None:
    consep = data_set_of("consep")
    assert consep.weight_of("inflammatory") > 1
    assert consep.weight_of("epithelial") == consep.weight_of(None) == 1


def test_every_description_stands_under_its_own_name() -> None:
    assert all(name == each.name for name, each in DATA_SETS.items())
    assert np.unique([each.title for each in DATA_SETS.values()]).size == len(DATA_SETS)


def test_an_unknown_data_set_is_refused() -> None:
    with pytest.raises(SettingsError, match="'pannuke' is not known; choose one of monusac"):
        data_set_of("pannuke")
