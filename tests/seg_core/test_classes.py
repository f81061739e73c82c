from itertools import combinations

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000, rgb2lab

from seg_core.classes import (
    MONUSAC,
    OTHER,
    UNCERTAIN,
    UNCERTAIN_ID,
    ClassScheme,
    NucleusClass,
    rgb_of,
)
from seg_core.errors import ModelError


def test_scheme_comes_back_from_its_card() -> None:
    assert ClassScheme.from_json(MONUSAC.to_json()) == MONUSAC


def test_names_and_ids_are_each_others_inverse() -> None:
    named = [*enumerate((OTHER, *MONUSAC.names)), (UNCERTAIN_ID, UNCERTAIN)]
    for class_id, name in named:
        assert MONUSAC.name_of(class_id) == name
        assert MONUSAC.id_of(name) == class_id


def test_every_name_a_nucleus_can_have_has_a_colour() -> None:
    assert set(MONUSAC.colours) == {*MONUSAC.names_with_other, UNCERTAIN}
    assert MONUSAC.classes[0].rgb == (0xE6, 0x9F, 0x00)


def test_ids_out_of_order_are_refused() -> None:
    with pytest.raises(ModelError, match=r"must be 1 to 2 in order, got \[2, 1\]"):
        ClassScheme((NucleusClass(2, "a", "#000000"), NucleusClass(1, "b", "#000000")))


def test_a_palette_changes_colours_and_nothing_else() -> None:
    recoloured = MONUSAC.recoloured("colour-blind")
    assert recoloured.names == MONUSAC.names
    assert not set(recoloured.colours.values()) & {each.colour for each in MONUSAC.classes}
    assert recoloured.recoloured("model") == recoloured
    assert MONUSAC.recoloured("model") == MONUSAC


def test_classes_beyond_a_palette_keep_their_colours() -> None:
    many = ClassScheme(tuple(NucleusClass(n, f"c{n}", f"#00000{n}") for n in range(1, 7)))
    recoloured = many.recoloured("colour-blind")
    assert recoloured.classes[4:] == many.classes[4:]
    assert recoloured.classes[0].colour != many.classes[0].colour


# Machado, Oliveira and Fernandes (2009), severity 1, linear red, green and blue.
SEEN_WITH = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


@pytest.mark.parametrize("blindness", SEEN_WITH)
def test_the_safe_palette_is_told_apart_by_colour_blind_readers(blindness: str) -> None:
    colours = MONUSAC.recoloured("colour-blind").colours.values()
    seen = [as_seen(rgb_of(colour), SEEN_WITH[blindness]) for colour in colours]
    for one, other in combinations(seen, 2):
        assert deltaE_ciede2000(one, other) > 20


def as_seen(rgb: tuple[int, int, int], matrix: list[list[float]]) -> np.ndarray:
    """CIELAB of a colour."""
    share = np.array(rgb) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.array(matrix) @ linear, 0, 1)
    again = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return rgb2lab(again)


PLASMA = ClassScheme(
    (
        NucleusClass(1, "Tumor", "#e69f00"),
        NucleusClass(2, "plasma cell", "#0072ff", given_role="lymphocyte"),
        NucleusClass(3, "lymphocyte", "#00c853"),
        NucleusClass(4, "stroma", "#e6194b"),
    )
)


def test_a_card_without_roles_has_those_its_names_are_known_for() -> None:
    assert [each.role for each in MONUSAC.classes] == [
        *("epithelium", "lymphocyte", "neutrophil", "macrophage")
    ]
    assert all("role" not in entry for entry in MONUSAC.to_json())


def test_a_role_that_a_card_gives_comes_back_from_it() -> None:
    entries = PLASMA.to_json()
    assert [entry.get("role") for entry in entries] == [None, "lymphocyte", None, None]
    assert ClassScheme.from_json(entries) == PLASMA


def test_several_classes_may_have_one_role() -> None:
    assert PLASMA.names_of_role("lymphocyte") == ("plasma cell", "lymphocyte")
    assert PLASMA.names_of_role("epithelium") == ("Tumor",)
    assert PLASMA.names_of_role("other") == ("stroma", OTHER)
    assert PLASMA.names_of_role("macrophage") == ()


def test_a_role_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ModelError, match="'x' has the role 'stroma'; choose one of epithelium,"):
        ClassScheme.from_json([{"id": 1, "name": "x", "colour": "#000000", "role": "stroma"}])


def test_a_purpose_whose_roles_are_there_is_not_refused() -> None:
    PLASMA.require_roles(["lymphocyte", "epithelium"], "TIL scores")
    with pytest.raises(
        ModelError, match=r"^TIL scores need neutrophils, which this model does not"
    ):
        PLASMA.require_roles(["lymphocyte", "neutrophil"], "TIL scores")
