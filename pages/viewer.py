"""Look at the chosen slide, have it analysed, see what was found."""

from pages.shared import analysis_list, frame, resources, runs
from pages.shared.demonstration import show_notes
from pages.shared.doubts import show_doubts
from pages.shared.page_list import VIEWER
from pages.viewer_page import analysis_panel, known_length, region_panel
from pages.viewer_page import component as viewer_component

sidebar = frame.open_page(VIEWER)
analysis_panel.collect_result()
chosen = frame.chosen_slide(VIEWER.title)

with frame.shown_errors():
    slide = resources.slide(chosen.path, chosen.mpp)
    analysis_panel.adopt_own(chosen)
    viewer_component.show_viewer(chosen, slide, runs.shown_run(chosen))

with sidebar, frame.shown_errors():
    frame.describe_slide(slide.info)
    show_doubts(runs.shown_run(chosen), briefly=True)
    region_panel.tell_problem()
    region_panel.offer_regions(chosen, slide.info.mpp)
    known_length.offer_size(chosen, slide.info.mpp)
    analysis_panel.offer_analysis(chosen, slide.info)
    show_notes([chosen.path])  # below the buttons, which a small window shows without scrolling
    analysis_panel.offer_new_run()
    runs.pick_run(chosen)
    analysis_list.offer_list()
