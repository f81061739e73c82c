from dataclasses import replace

import cv2
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from seg_core.classes import MONUSAC
from seg_core.errors import DataError
from seg_core.geometry import Region
from seg_core.labelled.monusac_xml import Outline, draw_outlines, read_annotations
from seg_core.slide import open_slide
from tests.files_found import files_found


def region(*points, number=1, hole=False):
    vertices = "".join(f'<Vertex X="{x}" Y="{y}" Z="0"/>' for x, y in points)
    return (
        f'<Region Id="{number}" NegativeROA="{int(hole)}"><Attributes/>'
        f"<Vertices>{vertices}</Vertices></Region>"
    )


def layer(name, *regions):
    return (
        f'<Annotation Id="1"><Attributes><Attribute Name="{name}" Id="0" Value=""/></Attributes>'
        f'<Regions><RegionAttributeHeaders><AttributeHeader Id="9999" Name="Region"/>'
        f"</RegionAttributeHeaders>{''.join(regions)}</Regions><Plots/></Annotation>"
    )


@pytest.fixture
def annotations(tmp_path):
    def read(*layers, head='<Annotations MicronsPerPixel="0.194480">'):
        path = tmp_path / "image.xml"
        path.write_text(f"{head}{''.join(layers)}</Annotations>", encoding="utf-8")
        return read_annotations(path, MONUSAC)

    return read


def draw(*outlines, width=12, height=10):
    return draw_outlines(outlines, width, height, MONUSAC)


def outline(*points, layer="epithelial", hole=False):
    return Outline(layer, np.array(points, float), hole)


def box(x0, y0, x1, y1):
    return ((x0, y0), (x1, y0), (x1, y1), (x0, y1))


SQUARE = box(2, 3, 6, 8)


def test_layers_regions_and_resolution_are_read(annotations):
    found = annotations(
        layer("Epithelial", region(*SQUARE), region(*box(0, 0, 1, 1))),
        layer("Lymphocyte", region(*SQUARE)),
    )
    assert found.mpp == pytest.approx(0.19448)
    assert [each.layer for each in found.outlines] == ["epithelial", "epithelial", "lymphocyte"]
    assert found.outlines[0].points.tolist() == [[2, 3], [6, 3], [6, 8], [2, 8]]


@pytest.mark.parametrize("name", ["Macrophage", "macrophage", " MACROPHAGE "])
def test_capitals_and_blanks_in_a_name_do_not_matter(annotations, name):
    assert annotations(layer(name, region(*SQUARE))).outlines[0].layer == "macrophage"


def test_other_attributes_of_a_layer_do_no_harm(annotations):
    two = layer("Neutrophil", region(*SQUARE)).replace(
        "<Attributes><Attribute ", '<Attributes><Attribute Name="Description"/><Attribute ', 1
    )
    assert annotations(two).outlines[0].layer == "neutrophil"


@pytest.mark.parametrize(
    ("head", "mpp"),
    [
        ("<Annotations>", None),
        ('<Annotations MicronsPerPixel="">', None),
        ('<Annotations MicronsPerPixel="0">', None),
        ('<Annotations MicronsPerPixel="0.25">', 0.25),
    ],
)
def test_a_file_may_keep_its_resolution_to_itself(annotations, head, mpp):
    assert annotations(head=head).mpp == mpp


def test_a_layer_without_outlines_may_be_called_anything(annotations):
    assert annotations(layer("Layer 5")).outlines == ()


@pytest.mark.parametrize(
    "points",
    [
        (),
        ((3, 3),),
        ((3, 3), (5, 5)),
        ((3, 3), (5, 5), (7, 7), (3, 3)),
        ((3, 3), (3, 3), (3, 3)),
    ],
)
def test_degenerate_outlines_are_left_out(annotations, points):
    assert annotations(layer("Epithelial", region(*points))).outlines == ()


def test_vertices_are_corners_of_pixels():
    """They were taken for centres, and outlines lay half a pixel too far right and down."""
    instances, class_ids, ambiguous = draw(outline(*SQUARE))
    expected = np.zeros((10, 12), np.int32)
    expected[3:8, 2:6] = 1
    np.testing.assert_array_equal(instances, expected)
    assert class_ids.tolist() == [1]
    assert not ambiguous.any()


@given(
    centre=st.tuples(st.floats(20, 40), st.floats(20, 40)),
    radii=st.tuples(st.floats(5, 15), st.floats(5, 15)),
    angle=st.floats(0, np.pi),
)
@settings(max_examples=40, deadline=None)
def test_a_painted_shape_comes_back_where_it_was_and_as_large(centre, radii, angle):
    turn = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    x, y = radii[0] * np.cos(turn), radii[1] * np.sin(turn)
    across = np.stack(
        [x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)]
    )
    instances, *_ = draw(outline(*(across.T + centre)), width=60, height=60)
    rows, columns = np.nonzero(instances)
    area = np.pi * radii[0] * radii[1]
    # pixels whose centres lie on the line itself count as outside: up to a dozen of a small circle
    assert len(rows) == pytest.approx(area, rel=0.05, abs=9)
    assert columns.mean() + 0.5 == pytest.approx(centre[0], abs=0.25)
    assert rows.mean() + 0.5 == pytest.approx(centre[1], abs=0.25)


@pytest.mark.parametrize("label", range(1, 4))
def test_the_pixel_edges_of_a_shape_give_the_very_shape(label):
    """As ImageScope does: a line along the corners of pixels, seen here as OpenCV's contour grown."""
    rng = np.random.default_rng(label)
    painted = np.zeros((40, 50), np.uint8)
    for _ in range(3):
        cv2.ellipse(
            painted,
            (25, 20),
            rng.integers(4, 15, 2).tolist(),
            int(rng.integers(180)),
            0,
            360,
            1,
            -1,
        )
    squares = [shapely.box(x, y, x + 1, y + 1) for y, x in np.argwhere(painted)]
    ring = shapely.get_coordinates(shapely.union_all(squares).exterior)
    instances, *_ = draw(outline(*ring), width=50, height=40)
    np.testing.assert_array_equal(instances, painted)


def test_a_centre_on_the_line_belongs_to_one_side_only():
    # triangles that share a diagonal through pixel centres
    first, second = ((1, 1), (9, 1), (9, 9)), ((1, 1), (9, 9), (1, 9))
    one, other = draw(outline(*first))[0], draw(outline(*second))[0]
    assert ((one + other)[1:9, 1:9] == 1).all()


@pytest.fixture(scope="module")
def published(shared_data):
    """Of each published image its darkness and the outlines of nuclei."""
    found = []
    for path in files_found(shared_data / "monusac_xml", "**/*.xml"):
        slide = open_slide(path.with_suffix(".svs"))
        width, height = slide.info.width, slide.info.height
        rgb = slide.read_level0(Region(0, 0, width, height), (width, height))
        slide.close()
        outlines = read_annotations(path, MONUSAC).outlines
        nuclei = [each for each in outlines if each.layer not in ("ambiguous", "macrophage")]
        found.append((255 - rgb.mean(axis=2), tuple(nuclei)))
    return found


def test_a_drawn_nucleus_is_as_large_as_its_outline(published):
    drawn = enclosed = 0.0
    for darkness, nuclei in published:
        for each in nuclei:
            instances, *_ = draw(each, width=darkness.shape[1], height=darkness.shape[0])
            polygon = shapely.Polygon(each.points)
            if polygon.is_valid and polygon.within(shapely.box(0, 0, *darkness.shape[::-1])):
                drawn, enclosed = drawn + np.count_nonzero(instances), enclosed + polygon.area
    assert drawn == pytest.approx(enclosed, rel=0.002)


@pytest.mark.parametrize("axis", [0, 1], ids=["down", "right"])
def test_darkness_across_the_published_outlines_agrees_with_corners(published, axis):
    """Inside is darker than outside most where vertices are corners, not half a pixel on."""

    def contrast(shift):
        total = 0.0
        for darkness, nuclei in published:
            moved = [replace(each, points=each.points + shift) for each in nuclei]
            drawn, *_ = draw(*moved, width=darkness.shape[1], height=darkness.shape[0])
            inside = (drawn > 0).astype(np.uint8)
            core, grown = (
                change(inside, np.ones((3, 3), np.uint8), iterations=2)
                for change in (cv2.erode, cv2.dilate)
            )
            within, without = (inside > core), (grown > inside)
            total += darkness[within].mean() - darkness[without].mean()
        return total

    right_down = np.array([axis == 1, axis == 0], dtype=float)
    assert contrast(0 * right_down) > contrast(right_down / 2) > contrast(right_down)


def test_of_overlapping_outlines_the_later_one_lies_on_top():
    instances, class_ids, _ = draw(
        outline(*box(0, 0, 5, 5)), outline(*box(4, 4, 8, 8), layer="lymphocyte")
    )
    assert instances[4, 4] == 2
    assert instances[0, 0] == 1
    assert class_ids.tolist() == [1, 2]


def test_an_outline_wholly_covered_leaves_a_gap():
    instances, class_ids, _ = draw(outline(*box(1, 1, 2, 2)), outline(*box(0, 0, 5, 5)))
    assert np.unique(instances).tolist() == [0, 2]
    assert class_ids.tolist() == [1, 1]


def test_a_line_crossing_itself_encloses_both_loops():
    # an eight: two triangles that meet in (4, 4)
    instances, *_ = draw(outline((0, 0), (8, 8), (8, 0), (0, 8)))
    assert instances[4, 1] == instances[4, 6] == 1
    assert instances[1, 4] == instances[7, 4] == 0
    assert np.count_nonzero(instances) == 32


def test_what_a_line_encloses_twice_is_no_hole():
    # twice round, the second time one pixel further in
    instances, *_ = draw(outline(*box(0, 0, 8, 8), (0, 0), *box(2, 2, 6, 6), (2, 2)))
    assert (instances[:8, :8] == 1).all()


def test_what_lies_outside_the_image_is_cut_off():
    instances, class_ids, _ = draw(
        outline(*box(-5, -5, 2, 1)), outline(*box(50, 50, 60, 60)), outline(*box(10, 8, 30, 30))
    )
    assert (instances[:1, :2] == 1).all()
    assert (instances[8:, 10:] == 3).all()
    assert np.count_nonzero(instances) == 2 + 4
    assert len(class_ids) == 3


def test_ambiguous_areas_are_apart_and_nuclei_lie_on_top_of_them():
    instances, class_ids, ambiguous = draw(
        outline(*box(0, 0, 3, 3)), outline(*box(2, 2, 9, 9), layer="ambiguous")
    )
    assert np.unique(instances).tolist() == [0, 1]
    assert class_ids.tolist() == [1]
    assert ambiguous[5, 5]
    assert not ambiguous[2, 2]
    assert np.count_nonzero(ambiguous) == 7 * 7 - 1


def test_a_negative_region_takes_away_from_its_own_layer_only(annotations):
    found = annotations(
        layer("Epithelial", region(*box(0, 0, 4, 4))),
        layer(
            "Lymphocyte", region(*box(6, 0, 10, 4)), region(*box(3, 1, 8, 3), number=2, hole=True)
        ),
        layer("Ambiguous", region(*box(0, 6, 9, 9)), region(*box(1, 7, 2, 8), hole=True)),
    )
    instances, class_ids, ambiguous = draw(*found.outlines)
    assert instances[2, 3] == 1  # epithelial: untouched
    assert instances[2, 7] == 0
    assert instances[0, 7] == instances[2, 9] == 2
    assert class_ids.tolist() == [1, 2]
    assert ambiguous[6, 1]
    assert not ambiguous[7, 1]


def test_nothing_outlined_is_an_ordinary_answer():
    instances, class_ids, ambiguous = draw()
    assert instances.shape == ambiguous.shape == (10, 12)
    assert not instances.any()
    assert len(class_ids) == 0


@pytest.mark.parametrize("content", ["", "no xml", "<Annotations><Annotation></Annotations>"])
def test_what_is_no_xml_is_refused(tmp_path, content):
    path = tmp_path / "image.xml"
    path.write_text(content)
    with pytest.raises(DataError, match=r"image\.xml cannot be read as XML .*; copy or download"):
        read_annotations(path, MONUSAC)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"image\.xml cannot be read as XML"):
        read_annotations(tmp_path / "image.xml", MONUSAC)


def test_entities_that_could_fill_the_memory_are_refused(tmp_path):
    path = tmp_path / "image.xml"
    path.write_text('<!DOCTYPE a [<!ENTITY b "bbbbbbbb">]><Annotations>&b;</Annotations>')
    with pytest.raises(DataError, match=r"cannot be read as XML .*EntitiesForbidden"):
        read_annotations(path, MONUSAC)


def test_xml_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "image.xml"
    path.write_text("<ASAP_Annotations/>")
    with pytest.raises(DataError, match="its root is <ASAP_Annotations> and not <Annotations>"):
        read_annotations(path, MONUSAC)


def test_a_layer_of_unknown_name_is_refused(annotations):
    with pytest.raises(DataError, match="has the attributes Fibroblast; it needs exactly one of"):
        annotations(layer("Fibroblast", region(*SQUARE)))


def test_a_layer_without_a_name_is_refused(annotations):
    nameless = layer("x", region(*SQUARE)).replace('<Attribute Name="x" Id="0" Value=""/>', "")
    with pytest.raises(DataError, match=r"has the attributes \(none\)"):
        annotations(nameless)


@pytest.mark.parametrize("x", ["", "left", "nan", "inf", "1e9"])
def test_a_vertex_that_is_no_point_of_an_image_is_refused(annotations, x):
    bad = region((x, 3), (4, 4), (5, 9), number=17)
    with pytest.raises(DataError, match=r"outline 17 of image\.xml has a vertex that is no point"):
        annotations(layer("Epithelial", bad))


@pytest.mark.parametrize("change", [('Name="Epithelial"', 'Name="{}"'), ('Id="17"', 'Id="{}"')])
def test_what_the_file_says_is_not_quoted_whole(annotations, change):
    bad = layer("Epithelial", region(("nan", 3), (4, 4), (5, 9), number=17))
    changed = bad.replace(change[0], change[1].format("x" * 5000))
    assert changed != bad
    with pytest.raises(DataError) as caught:
        annotations(changed)
    assert len(str(caught.value)) < 600


def test_a_vertex_without_coordinates_is_refused(annotations):
    bad = region(*SQUARE).replace('X="2"', "")
    with pytest.raises(DataError, match="every Vertex needs X and Y"):
        annotations(layer("Epithelial", bad))
