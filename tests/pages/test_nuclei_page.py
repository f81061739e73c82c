from seg_core.classes import OTHER


def test_with_nothing_chosen_it_says_where_to_choose(visit) -> None:
    assert visit("nuclei").info[0].value == "Choose a slide on the Slides page first."


def test_before_an_analysis_it_says_where_to_start_one(visit, chosen) -> None:
    page = visit("nuclei", slide=chosen)
    assert page.info[0].value.startswith("Nothing has been analysed on this slide yet")


def test_a_result_is_counted_drawn_and_listed(visit, chosen, run) -> None:
    page = visit("nuclei", slide=chosen)
    assert not page.info
    number, area, density = page.metric
    assert number.value == "12"
    assert area.value == "0.0075 mm²"
    assert density.value == "1,600 per mm²"
    summary, table = page.dataframe
    assert summary.value.set_index("class_name")["count"]["lymphocyte"] == len(table.value) == 12


def test_other_nuclei_are_counted_on_demand(visit, chosen, run) -> None:
    page = visit("nuclei", slide=chosen)
    assert OTHER not in page.dataframe[0].value["class_name"].to_list()
    page.toggle[0].set_value(True).run()
    assert not page.exception
    assert OTHER in page.dataframe[0].value["class_name"].to_list()
