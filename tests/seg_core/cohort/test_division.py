"""How far a slide is that several workers share."""

from seg_core.cohort.division import DividedItem
from seg_core.cohort.task import Division
from seg_core.store import RowRange

UPPER, LOWER = RowRange(0, 512, 30), RowRange(512, 900, 20)


def test_tiles_of_all_ranges_are_counted_and_never_fewer_than_before() -> None:
    item = DividedItem(Division((UPPER, LOWER)))
    told = [
        item.advanced(UPPER, "tiles", 10),
        item.advanced(LOWER, "tiles", 5),
        item.advanced(UPPER, "tiles", 0),  # another worker goes on with it
        item.advanced(LOWER, "nuclei", 1),
    ]
    assert [each["done"] for each in told] == [10, 15, 15, 30]
    assert {(each["stage"], each["total"]) for each in told} == {("tiles", 50)}


def test_it_is_done_when_each_range_is() -> None:
    item = DividedItem(Division((UPPER, LOWER)))
    item.end(LOWER)
    assert not item.is_done
    assert item.advanced(UPPER, "tiles", 1)["done"] == 21
    item.end(UPPER)
    assert item.is_done
