"""The parts of the Slides page: three places to choose from, and the facts of the chosen slide."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from pages.shared import pixel_size, resources, singletons, slide_places, state, upload_memory
from pages.shared.callbacks import refusable
from pages.shared.demonstration import show_notes
from pages.shared.literal import key_of, literal, printable
from pages.shared.page_list import VIEWER
from pages.shared.size_estimate import offer_estimate
from pages.shared.uploads import UploadFolder
from seg_core.samples import SAMPLES, sample_path
from seg_core.slide import PLAUSIBLE_MPP, SlideInfo, series_apart
from seg_core.unbroken import unbroken

_UPLOADER, _SLIDE = "_slide_files", "_slide"
_UPLOAD_HELP = (
    "Of a DICOM slide take all files together. Uploads are removed from the server when you leave; "
    "analyses stay and are found again when the same file comes back."
)
# As many cards side by side as have room for their words.
_CARD_STYLE = """
<style>
.st-key-sample_cards {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); align-items: stretch;
}
.st-key-sample_cards img { aspect-ratio: 2; object-fit: cover; }
.st-key-sample_cards p { line-height: 1.4; }
</style>
"""
_MPP_HELP = "Scanners cover about 0.25 µm with a pixel at 40x and 0.5 µm at 20x."


def choose_sample() -> None:
    """Show the slides that ship with the program as cards."""
    st.html(_CARD_STYLE)
    cards = st.container(key="sample_cards")
    for sample in SAMPLES:
        path = sample_path(sample.name)
        with cards.container(border=True, height="stretch"):
            st.image(resources.card_picture(path), width="stretch", alt=sample.title)
            st.markdown(f":small[**{sample.title}**]", help=sample.credit)
            with st.container(height="stretch", vertical_alignment="bottom"):
                _choose_button(path, sample.mpp)


def choose_in_folder() -> None:
    """Offer the slides of a folder of the machine."""
    folder = slide_places.offered_folder()
    is_local = slide_places.reader_is_local()
    if is_local:
        typed = st.text_input(
            "Folder on this machine", str(folder or ""), placeholder=str(Path.home())
        )
        folder = slide_places.folder_typed(typed) if typed else None
    if folder is None:
        st.info("Name a folder; its slides will be listed here.", icon=":material/folder:")
    else:
        _choose_of(slide_places.slides_in(folder, inside_only=not is_local), folder)


def choose_upload() -> None:
    """Take slides from the reader's own computer."""
    largest = st.get_option("server.maxUploadSize")
    st.caption(
        "Slides of Aperio, Hamamatsu, Leica, Ventana, Philips and DICOM (all its files together), pyramidal "
        "TIFF, and plain images (PNG, JPEG, TIFF, WebP). A MIRAX slide has a folder of its own and is "
        "opened on the machine that holds it."
    )
    st.caption(
        f"Files of up to {largest:,} MB. For larger ones run this program on a machine that holds "
        "them; nothing then leaves that machine."
    )
    files = st.file_uploader(
        "Slide files", accept_multiple_files=True, help=_UPLOAD_HELP, key=_UPLOADER
    )
    if files:
        uploads = state.UPLOADS.get() or UploadFolder()
        state.UPLOADS.set(uploads)
        make_room = singletons.visitors().make_room
        before = set(uploads.saved)
        gone = state.LET_GO.get() or frozenset()
        for file in files:
            if file.file_id not in uploads.saved and file.file_id not in gone:
                uploads.saved[file.file_id] = slide_places.save_upload(
                    file.name, file.size, file, uploads.path, make_room
                )
                state.LET_GO.set((state.LET_GO.get() or frozenset()) | {file.file_id})
                upload_memory.let_go(file, _UPLOADER)
        here = [file.file_id for file in files if file.file_id in uploads.saved]
        saved = list(dict.fromkeys(uploads.saved[each] for each in here))
        slides = series_apart(saved)
        # What has just come is what is wanted: the button beside it opens that.
        new = [uploads.saved[each] for each in uploads.saved if each not in before]
        arrived = next((path for path in slides if path in new), None)
        if arrived is not None:
            state.choose_slide(pixel_size.chosen(arrived))
        _choose_of(slides, uploads.path, arrived)


def describe(chosen: state.ChosenSlide) -> None:
    """Show what is known of the chosen slide, and ask for the size of a pixel where nobody knows."""
    path = chosen.path
    info = resources.slide(path).info
    st.subheader(literal(path.name), anchor=False)
    if info.mpp is None:
        _ask_mpp(chosen)
    if st.button("Open in the viewer", type="primary", icon=":material/biotech:", width="stretch"):
        VIEWER.open()
    show_notes([path])
    st.table(
        _facts(resources.slide(path, chosen.mpp).info, info.mpp),
        border="horizontal",
        hide_header=True,
    )
    st.image(resources.thumbnail(path), alt=f"Thumbnail of {printable(path.name)}")
    _show_associated(path)


def _choose_of(paths: Sequence[Path], folder: Path, arrived: Path | None = None) -> None:
    if not paths:
        st.info(
            f"{literal(str(folder))} and the folders in it hold no slide.", icon=":material/folder:"
        )
        return
    if arrived is not None:
        st.session_state[_SLIDE] = arrived
    path = st.selectbox(
        "Slide",
        paths,
        format_func=lambda each: printable(str(each.relative_to(folder))),
        key=_SLIDE,
    )
    _choose_button(path, None)


def _choose_button(path: Path, mpp: float | None) -> None:
    chosen = state.SLIDE.get()

    def choose() -> None:
        state.choose_slide(pixel_size.chosen(path, mpp))

    st.button(
        "Chosen" if chosen and chosen.path == path else "Choose",
        key=f"_choose_{key_of(path)}",
        on_click=refusable(choose),
        width="stretch",
    )


def _facts(info: SlideInfo, stated_mpp: float | None) -> dict[str, str]:
    """Return what is known of a slide; a size of its pixels that its file does not state is given."""
    size = f"{info.width:,} × {info.height:,} px"
    if info.mpp is not None:
        size += f" ({info.width * info.mpp / 1000:.2f} × {info.height * info.mpp / 1000:.2f} mm)"
    pixel = "not stated"
    if info.mpp is not None:
        pixel = f"{info.mpp:.4g} µm" + ("" if info.mpp == stated_mpp else ", as given")
    return {
        "Size": unbroken(size),
        "Pixel": unbroken(pixel),
        "Magnification": "not stated"
        if info.objective_power is None
        else f"{info.objective_power:g}×",
        "Format": literal(info.format_title),
        "Levels": ", ".join(f"1 : {round(each)}" for each in info.level_downsamples),
    }


def _ask_mpp(chosen: state.ChosenSlide) -> None:
    why = " ".join(resources.slide(chosen.path).info.notes)
    why = why or "the file does not say how large a pixel is."
    why = literal(why[0].upper() + why[1:])
    if chosen.mpp is None:
        st.warning(
            f"{why} Without that the slide can be looked at, but not analysed.",
            icon=":material/straighten:",
        )
    else:
        st.caption(f"{why} What is given here counts.")

    def keep() -> None:
        pixel_size.keep(chosen.path, st.session_state[key])

    key = f"_mpp_{key_of(chosen.path)}"
    st.number_input(
        "µm per pixel",
        *PLAUSIBLE_MPP,
        chosen.mpp,
        step=0.01,
        format="%.4f",
        key=key,
        help=_MPP_HELP,
        placeholder="0.25 at 40x, 0.5 at 20x",
        on_change=refusable(keep),
    )

    def take(mpp: float) -> None:
        st.session_state[key] = mpp
        keep()

    offer_estimate(chosen.path, take)


def _show_associated(path: Path) -> None:
    pictures = resources.associated_images(path)
    if pictures:
        with st.expander("Label and macro image"):
            st.caption("A label may show a patient's name or number.")
            for name, picture in pictures.items():
                st.image(picture, caption=literal(name))
