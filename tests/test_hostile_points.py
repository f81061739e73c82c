"""Which tests show what is promised of hostile input, odd files, faults and load, point by point.

The points are those of issue 15; inputs of the kind that it brings are listed in `test_cases`.
"""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent

HOSTILE, KINDS = "seg_core/slide/test_slide_hostile.py", "seg_core/slide/test_slide_kinds.py"
CONVENTIONS = "seg_core/test_roi_conventions.py"
HOUSE = "pages/test_housekeeping.py"

POINTS = {
    "A1 content decides what a file is": [
        f"{HOSTILE}::test_postscript_is_no_image_whatever_its_name",
        f"{HOSTILE}::test_a_key_file_named_as_an_image_is_refused",
        f"{HOSTILE}::test_companion_files_lie_in_the_slides_own_folder",
    ],
    "A2 files are opened in a child with limits": [
        "seg_core/process/test_confined.py::test_a_child_cannot_grow_beyond_its_limit",
        f"{HOSTILE}::test_a_bomb_is_refused_by_what_its_head_says",
        f"{HOSTILE}::test_a_mirax_slide_with_impossible_values_ends_no_process",
        f"{HOSTILE}::test_a_tiled_tiff_that_lists_fewer_tiles_than_its_size_needs_is_refused",
        "seg_core/slide/test_slide_pyramid.py::test_a_whole_level_is_averaged_piece_by_piece",
    ],
    "A3 no output takes an input": [
        "seg_core/commands/test_command_line.py::test_json_before_two_pictures_takes_neither",
        "seg_core/files/test_outputs.py::test_a_pipe_is_not_replaced",
        "seg_core/files/test_outputs.py::test_an_input_is_no_output_by_whatever_name",
    ],
    "A4 a slide's identity": [
        "seg_core/slide/test_slide_identity.py::test_any_byte_of_a_file_changes_the_id",
        (
            "seg_core/test_analysis_identity.py::"
            "test_a_slide_that_is_replaced_while_it_is_analysed_leaves_nothing_under_its_id"
        ),
        "pages/test_slide_places.py::test_of_two_uploads_of_one_name_the_content_decides",
    ],
    "A5 nobody resets the others": [
        "pages/test_once.py::test_a_visitor_who_clears_the_caches_takes_nothing_of_the_process",
    ],
    "A6 nobody starves the others": [
        (
            "pages/viewer_page/test_fair_pool.py::"
            "test_visitors_are_served_in_turn_however_much_one_asks_for"
        ),
        (
            "pages/viewer_page/test_queues.py::"
            "test_however_many_tiles_one_waits_for_another_waits_for_one_of_them"
        ),
        (
            "pages/viewer_page/test_queues.py::"
            "test_what_no_page_asks_for_is_refused_while_nothing_can_be_drawn"
        ),
        (
            "pages/viewer_page/test_queues.py::"
            "test_pictures_that_are_given_up_hold_up_nobody_and_are_not_drawn"
        ),
        "pages/viewer_page/test_routes.py::test_made_up_options_are_not_kept",
        (
            "pages/viewer_page/test_tile_cache.py::"
            "test_keys_count_since_empty_tiles_are_smaller_than_theirs"
        ),
        "pages/test_scoring.py::test_ten_readers_ask_at_once_and_nobody_s_job_is_dropped",
        f"{HOUSE}::test_a_reader_who_has_left_comes_after_all_who_are_there",
        "seg_core/process/test_turns.py::test_so_much_may_wait_of_each_and_of_all",
    ],
    "A7 stored things are checked when they are read": [
        "seg_core/store/test_store_damage.py::test_damage_to_any_file_is_one_sentence",
        "seg_core/store/test_store_damage.py::test_asking_again_makes_a_damaged_run_anew",
        (
            "pages/viewer_page/test_viewer_page.py::"
            "test_a_damaged_run_is_analysed_again_from_the_page"
        ),
        (
            "seg_core/store/test_store_damage.py::"
            "test_a_stopped_analysis_makes_again_what_was_damaged_since"
        ),
        "seg_core/store/test_store_damage.py::test_check_tells_what_is_damaged",
        "seg_core/store/test_store.py::test_a_damaged_run_keeps_no_room_from_others",
        "seg_core/store/test_store_rois.py::test_damaged_rois_are_put_aside_and_said_once",
        f"{CONVENTIONS}::test_what_once_broke_a_page_is_read_or_one_sentence",
        "fuzz/test_damaged_files.py::test_a_damaged_store_gives_the_same_or_a_sentence",
    ],
    "B8 ROIs of slides with bounds": [
        f"{CONVENTIONS}::test_a_roi_counts_from_the_corner_of_the_bounds",
    ],
    "B9 MRXS without its folder": [f"{KINDS}::test_a_mirax_file_without_its_folder_is_no_slide"],
    "B10 OME-TIFF": [
        f"{KINDS}::test_the_pages_of_an_ome_tiff_are_its_colours",
        f"{KINDS}::test_the_full_picture_is_taken_where_a_reduced_one_comes_first",
    ],
    "B11 orientation": [f"{KINDS}::test_a_turned_tiled_tiff_is_the_picture_that_was_turned"],
    "B12 pixels that are not square": [f"{KINDS}::test_pixels_that_are_not_square_have_no_size"],
    "B13 12 bits, a fourth sample": [
        f"{KINDS}::test_twelve_bits_in_sixteen_are_read_as_twelve",
        f"{KINDS}::test_a_fourth_sample_without_a_meaning_is_left_out",
    ],
    "B14 pixel size in the description": [
        f"{KINDS}::test_the_size_of_a_pixel_is_read_from_the_description",
        f"{KINDS}::test_ome_gives_the_size_in_many_units",
    ],
    "B15 pixel sizes that cannot be": [
        f"{KINDS}::test_a_pixel_size_that_no_microscope_gives_is_refused",
    ],
    "B16 DICOM series, suffixes": [
        "seg_core/slide/test_slide_identity.py::test_two_series_in_one_folder_are_two_slides",
        "seg_core/slide/test_slide_listing.py::test_a_slide_without_suffix_is_listed_by_its_content",
    ],
    "B17 strays": [
        "seg_core/slide/test_slide_identity.py::test_strays_of_the_system_are_no_slides"
    ],
    "B18 areas to be left out": [
        (
            "seg_core/commands/test_command_line.py::"
            "test_each_roi_of_a_file_is_a_run_without_what_is_to_be_left_out"
        ),
    ],
    "C19 names": [
        (
            "seg_core/commands/test_command_line.py::"
            "test_a_name_of_bytes_that_are_no_letters_is_analysed"
        ),
        (
            "seg_core/commands/test_terminal.py::"
            "test_a_sentence_with_any_name_is_written_on_any_terminal"
        ),
        "pages/test_slide_places.py::test_a_name_that_cannot_be_kept_is_refused_in_one_sentence",
        f"{HOSTILE}::test_a_name_that_is_none_is_a_sentence",
    ],
    "C20 GeoJSON": [
        f"{CONVENTIONS}::test_every_square_is_read_whole",
        f"{CONVENTIONS}::test_what_a_name_holds_can_be_written_and_read_again",
        "seg_core/test_roi.py::test_more_polygons_than_anybody_draws_are_what_a_program_found",
    ],
    "C21 compressions and values": [
        f"{KINDS}::test_a_compression_that_openslide_and_pillow_lack_is_read",
        f"{KINDS}::test_libraries_say_nothing_of_their_own",
    ],
    "C22 a full disk": [
        (
            "seg_core/export/test_full_disk.py::"
            "test_every_format_says_that_the_disk_is_full_and_leaves_nothing"
        ),
        (
            "seg_core/export/test_full_disk.py::"
            "test_what_a_killed_process_was_writing_goes_when_the_file_is_written_again"
        ),
        "pages/test_uploads.py::test_what_a_killed_server_has_left_behind_is_removed",
    ],
    "C23 numbers, zones, stack traces": [
        (
            "pages/viewer_page/test_routes.py::"
            "test_numbers_of_any_length_are_an_address_that_is_not_there"
        ),
        "pages/test_once.py::test_a_time_zone_that_is_none_is_the_servers",
        "pages/test_doors.py::test_visitors_see_neither_paths_nor_lines_of_the_program",
        "seg_core/test_told_by.py::test_where_a_file_lies_is_not_told",
    ],
    "C24 CSV": [
        "seg_core/files/test_csv.py::test_a_name_is_never_a_formula",
        "pages/test_literal.py::test_tables_become_csv_in_one_way_alone",
    ],
    "C25 Markdown in names": [
        "pages/test_literal.py::test_a_slide_with_markdown_for_a_name_is_shown_by_it",
        "pages/test_literal.py::test_no_page_writes_a_given_name_into_markdown",
    ],
    "C26 tiles bound by memory": [
        "seg_core/test_settings.py::test_a_tile_that_no_memory_holds_is_refused_with_what_it_takes",
    ],
    "D27 who is at this machine": [
        "pages/test_slide_places.py::test_everybody_else_is_not",
        "pages/test_doors.py::test_a_name_that_was_made_to_lead_to_this_machine_is_refused",
    ],
    "D28 headers, other sites, links": [
        "pages/test_doors.py::test_pages_load_nothing_from_elsewhere_and_are_framed_by_nobody",
        "pages/test_doors.py::test_the_cookie_is_for_tls_alone_where_there_is_tls",
        "pages/test_doors.py::test_other_sites_upload_nothing",
        "pages/test_slide_places.py::test_links_out_of_an_offered_folder_are_not_followed",
    ],
    "D29 what a session leaves": [
        f"{HOUSE}::test_a_session_that_left_is_forgotten_on_a_quiet_server",
        f"{HOUSE}::test_the_session_that_leaves_last_is_emptied_though_streamlit_holds_it",
        "pages/test_uploads.py::test_uploads_go_when_their_session_does",
    ],
    "D30 the store's limit": [
        "seg_core/store/test_store.py::test_what_else_lies_in_the_store_counts_and_stays",
        f"{HOUSE}::test_an_analysis_that_outgrows_the_store_is_stopped_and_says_why",
        "pages/test_uploads.py::test_a_run_makes_room_unless_somebody_looks_at_it",
    ],
    "D31 licences": [
        "test_requirements.py::test_the_licence_of_everything_asked_for_stands_in_the_documents"
    ],
}


@pytest.mark.parametrize("point", POINTS)
def test_each_point_has_its_tests(point: str) -> None:
    for place in POINTS[point]:
        module, name = place.split("::")
        text = (TESTS / module).read_text("utf-8")
        assert re.search(rf"^def {name}\(", text, re.MULTILINE), place


def test_no_point_is_left_out() -> None:
    letters = {number: "A" if number < 8 else "B" if number < 19 else "C" for number in range(27)}
    letters |= dict.fromkeys(range(27, 32), "D")
    assert [point.split()[0] for point in POINTS] == [
        f"{letters[number]}{number}" for number in range(1, 32)
    ]
