import pytest

from seg_core.classes import MONUSAC, OTHER, UNCERTAIN, ClassScheme, NucleusClass
from seg_core.errors import ModelError


def test_scheme_comes_back_from_its_card() -> None:
    assert ClassScheme.from_json(MONUSAC.to_json()) == MONUSAC


def test_names_and_ids_are_each_others_inverse() -> None:
    for class_id, name in enumerate((OTHER, *MONUSAC.names)):
        assert MONUSAC.name_of(class_id) == name
        assert MONUSAC.id_of(name) == class_id


def test_every_name_a_nucleus_can_have_has_a_colour() -> None:
    assert set(MONUSAC.colours) == {*MONUSAC.names_with_other, UNCERTAIN}
    assert MONUSAC.classes[0].rgb == (0xE6, 0x9F, 0x00)


def test_ids_out_of_order_are_refused() -> None:
    with pytest.raises(ModelError, match=r"must be 1 to 2 in order, got \[2, 1\]"):
        ClassScheme((NucleusClass(2, "a", "#000000"), NucleusClass(1, "b", "#000000")))
