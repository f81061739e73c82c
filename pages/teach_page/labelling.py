"""Nuclei to be labelled, a screen at a time, those first whose labels teach most."""

import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

import geopandas as gpd
import streamlit as st

from pages.shared import frame, palettes, resources, state
from pages.shared.callbacks import follow_refusal, refusable
from pages.shared.class_keys import NOT_A_NUCLEUS_KEY, class_keys
from pages.shared.literal import literal
from pages.teach_page.material import Material, take_back, write_down
from seg_core.classes import ClassScheme
from seg_core.errors import TeachingError, counted
from seg_core.picture.crops import crop_nuclei
from seg_core.picture.encoding import jpeg_url
from seg_core.store import Run, Selection
from seg_core.teaching.classifier import Classifier
from seg_core.teaching.offering import offer
from seg_core.teaching.teach import teach

ON_A_SCREEN = 40

NOT_A_NUCLEUS = "not a nucleus"

_KEY = "_labels"
_NO_COLOUR = "var(--st-text-color)"  # seen on light and dark alike

_FOLDER = Path(__file__).parent / "label_view"

_mount = st.components.v2.component(
    "nucleus_labels",
    html=(_FOLDER / "labels.html").read_text("utf-8"),
    css=(_FOLDER / "labels.css").read_text("utf-8"),
    js=(_FOLDER / "labels.js").read_text("utf-8"),
)


def show(material: Material) -> None:
    """Show nuclei that teach most; each is answered by a key, and the page waits for none."""
    screen = state.LABEL_SCREEN.get()
    if screen is None or screen.runs != material.runs:
        screen = None
        state.LABEL_SCREEN.clear()
    _show_screen(material, (screen.name, tuple(screen.given)) if screen else None)


@st.fragment
def _show_screen(
    material: Material, shown: tuple[str, tuple[tuple[int, str | None], ...]] | None
) -> None:
    """Show the screen of the session, a new one where there is none.

    ``shown`` is what the page has put on the screen. It stays the same while answers come in, so
    that what the browser has is not sent again.
    """
    follow_refusal()
    with frame.shown_errors():
        screen = state.LABEL_SCREEN.get() or _next_screen(material)
        if screen is None:
            st.info("All nuclei of the chosen analyses are labelled.")
            return
        state.LABEL_SCREEN.set(screen)
        answered = shown[1] if shown is not None and shown[0] == screen.name else ()
        _mount(
            key=_KEY,
            data={
                "screen": screen.name,
                "revision": screen.revision,
                "choices": _choices(palettes.recoloured(material.scheme)),
                "nuclei": [
                    {"picture": picture, "name": name}
                    for picture, name in zip(screen.pictures, screen.found, strict=True)
                ],
                "answered": [{"nucleus": place, "name": name} for place, name in answered],
            },
            on_said_change=refusable(_take_said),
        )
        _tell_labels(material)


def _take_said() -> None:
    take(st.session_state[_KEY]["said"])


def take(said: dict[str, Any]) -> None:
    """Write down what was answered on the screen since the last time.

    Parameters
    ----------
    said : dict
        ``mount``, ``screen``, ``log``: all answers since the screen was put on the page, and
        ``more``: whether the next nuclei are wanted.
    """
    screen = state.LABEL_SCREEN.get()
    if screen is None or said["screen"] != screen.name:
        return
    log = said["log"]
    taken = screen.taken.get(said["mount"], 0)
    for number, entry in enumerate(log[taken:], taken + 1):
        if entry == "undo":
            place, _ = screen.given[-1]
            take_back(screen.runs[screen.nuclei[place][0]])
            screen.given.pop()
        else:
            place, name = int(entry["nucleus"]), entry["name"]
            run, nucleus = screen.nuclei[place]
            found = _called(screen, place)
            write_down(screen.runs[run], [nucleus], [found], name)
            screen.given.append((place, name))
        screen.taken[said["mount"]] = number  # what is written down stays so, if the next is not
    if said["more"]:
        _pass_over(screen)
        state.LABEL_SCREEN.clear()


def _called(screen: state.LabelScreen, place: int) -> str:
    """Return what a nucleus is called before it is answered once more."""
    said = [name for each, name in screen.given if each == place and name is not None]
    return said[-1] if said else screen.found[place]


def _pass_over(screen: state.LabelScreen) -> None:
    passed = state.PASSED_OVER.get() or {}
    for run, nucleus in screen.nuclei:
        passed.setdefault(screen.runs[run].path, set()).add(nucleus)
    state.PASSED_OVER.set(passed)


def _next_screen(material: Material) -> state.LabelScreen | None:
    passed = state.PASSED_OVER.get() or {}
    without = [{*run.journal().said(), *passed.get(run.path, ())} for run in material.runs]
    seed = sum(map(len, without))
    chosen = offer(
        material.known, ON_A_SCREEN, without=without, classifier=_taught_so_far(material), seed=seed
    )
    if not chosen:
        return None
    nuclei: list[tuple[int, int]] = []
    found: list[str] = []
    pictures: list[str] = []
    for number, run in enumerate(material.runs):
        own = [nucleus for place, nucleus in chosen if place == number]
        table = _nuclei(run, own)
        slide = resources.slide(run.slide_path, run.slide_mpp)
        scheme = palettes.scheme_of(run)
        crops = crop_nuclei(slide, run.slide_mpp, table, scheme)
        nuclei += [(number, int(nucleus)) for nucleus in table["nucleus_id"]]
        found += table["class_name"].tolist()
        pictures += [jpeg_url(crop) for crop in crops]
    name = secrets.token_hex(4)
    return state.LabelScreen(name, material.runs, tuple(nuclei), tuple(found), tuple(pictures))


def _nuclei(run: Run, ids: list[int]) -> gpd.GeoDataFrame:
    """Return the nuclei of some ids as they are called now, in that order."""
    queries = run.nucleus_queries()
    selection = Selection(run.scheme.names_with_other, ids=tuple(ids))
    table = queries.columns(selection, ["nucleus_id", "class_name", "class_score", "x", "y"])
    table = table.set_index("nucleus_id").loc[ids].reset_index()
    outlines = queries.outlines(ids)
    return gpd.GeoDataFrame(table, geometry=[outlines[nucleus] for nucleus in ids])


def _taught_so_far(material: Material) -> Classifier | None:
    """Return what the labels of now teach; None where they are too few."""
    with suppress(TeachingError):
        if material.counts():
            return teach(material.labels, known=material.known).classifier
    return None


def _choices(scheme: ClassScheme) -> list[dict[str, str | None]]:
    """Return the answers, each with a button, and with a key as far as there are keys."""
    named: list[dict[str, str | None]] = [
        {"name": name, "label": name, "colour": scheme.colours[name], "key": key}
        for name, key in class_keys(scheme).items()
    ]
    away = {"label": NOT_A_NUCLEUS, "colour": _NO_COLOUR, "key": NOT_A_NUCLEUS_KEY}
    return [*named, {"name": None, **away}]


def _tell_labels(material: Material) -> None:
    counts = material.counts()
    told = ", ".join(f"{literal(name)} {count:,}" for name, count in counts.items())
    away = material.not_nuclei()
    words, button = st.columns([3, 1], vertical_alignment="center")
    words.caption(
        f"**{counted(sum(counts.values()), 'label')}**"
        + f": {told}" * bool(told)
        + f"; {NOT_A_NUCLEUS} {away:,}" * bool(away)
    )
    if (counts or away) and button.button("Take back the last label", icon=":material/undo:"):
        take_back_last(material)
        st.rerun(scope="app")


def take_back_last(material: Material) -> None:
    """Take back the reader's last answer: the last one on the screen, else of all the runs."""
    screen = state.LABEL_SCREEN.get()
    if screen is not None:
        screen.revision += 1
        if screen.given:
            place, _ = screen.given.pop()
            take_back(screen.runs[screen.nuclei[place][0]])
            return
    said = [run for run in material.runs if run.journal().said()]
    latest = sorted(said, key=lambda run: max(each.at for each in run.journal().said().values()))
    for run in reversed(latest):
        if take_back(run):
            return
