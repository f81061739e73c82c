"""Where the network looks while nobody knows how large a pixel is."""

import numpy as np

from seg_core.plausibility.places import places_of_nuclei
from seg_core.slide import ArraySlide

TISSUE, NUCLEI, GLASS = (230, 170, 200), (90, 80, 150), (255, 255, 255)


def test_places_lie_on_tissue_and_most_where_haematoxylin_is() -> None:
    rgb = np.full((3000, 4000, 3), GLASS, np.uint8)
    rgb[500:2500, 500:2000] = TISSUE
    rgb[600:1600:3, 600:1900] = NUCLEI
    places = places_of_nuclei(ArraySlide(rgb), 400, 6)
    assert len(places) == 6
    assert len(np.unique(places, axis=0)) == 6
    x, y = places.T
    assert ((x > 500) & (x < 2000) & (y > 500) & (y < 2500)).all()
    assert np.count_nonzero(y < 1700) >= 5


def test_a_slide_smaller_than_a_square_has_one_place_and_glass_has_its_most_coloured() -> None:
    small = np.full((200, 200, 3), TISSUE, np.uint8)
    assert places_of_nuclei(ArraySlide(small), 900, 6).shape == (1, 2)
    glass = np.full((2000, 2000, 3), GLASS, np.uint8)
    glass[1500:1600, 300:400] = TISSUE
    (place,) = places_of_nuclei(ArraySlide(glass), 500, 6)
    assert np.abs(place - [350, 1550]).max() < 400
