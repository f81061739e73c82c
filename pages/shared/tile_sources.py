"""Who may see which slide's tiles.

A session that opens a slide is given a token that nobody can guess; the token stands in the
addresses of the tiles, the slide's path never does.
"""

import secrets
import threading
import weakref
from dataclasses import dataclass, field

from pages.shared.chosen_slide import ChosenSlide
from seg_core.store import Run

_TOKEN_BYTES = 24


class UnknownTileError(Exception):
    """No session has opened what a tile's address names."""


class AddressError(Exception):
    """An address says what no page of this dashboard does."""


@dataclass(eq=False)
class TileSource:
    """What one session shows of one slide.

    Attributes
    ----------
    slide : ChosenSlide
    token : str
    runs : dict of str to Run
        Those that its overlays may show, by id.
    visitor : str
        Whose session it is: what one visitor asks for is drawn in turn with what others do.
    corrector : str or None
        As whom the session corrects nuclei; None where it may not.
    corrected : dict
        What was answered to the last corrections, by the id that the browser gave them.
    correcting : Lock
        Held while one is made.
    """

    slide: ChosenSlide
    token: str = field(default_factory=lambda: secrets.token_urlsafe(_TOKEN_BYTES))
    runs: dict[str, Run] = field(default_factory=dict)
    visitor: str = ""
    corrector: str | None = None
    corrected: dict[str, dict[str, bool]] = field(default_factory=dict)
    correcting: threading.Lock = field(default_factory=threading.Lock)

    @property
    def folder(self) -> str:
        """What all addresses of this session begin with, relative to the page's base."""
        return f"app/static/wsi/{self.token}/"

    def address(self, layer: str, extension: str) -> str:
        """Return the template of a layer's tiles, relative to the page's base."""
        return f"{self.folder}{layer}/{{level}}/{{x}}_{{y}}.{extension}"

    @property
    def picture_address(self) -> str:
        """Where a picture in full resolution is had; the viewer adds what it is to show."""
        return f"{self.folder}picture.png"

    @property
    def brush_address(self) -> str:
        """Where a stroke of the brush is joined to the outline of a region."""
        return f"{self.folder}brushed.json"

    def run_of(self, run_id: str | None) -> Run:
        """Return a run that this session shows, as it shows it."""
        if run_id is None or run_id not in self.runs:
            raise UnknownTileError("This session shows no such run; reload the page.")
        return self.runs[run_id]


class TileSources:
    """All sessions' tile sources by token.

    They are held weakly: when a session ends and its state goes, its tokens are forgotten.
    """

    def __init__(self) -> None:
        self._sources: weakref.WeakValueDictionary[str, TileSource] = weakref.WeakValueDictionary()

    def add(self, slide: ChosenSlide, visitor: str | None = None) -> TileSource:
        """Give a slide a token; whoever holds the answer keeps it alive.

        Parameters
        ----------
        slide : ChosenSlide
        visitor : str, optional
            Whose session asks; one that nobody knows again is a visitor of its own.
        """
        source = TileSource(slide)
        source.visitor = visitor or source.token
        self._sources[source.token] = source
        return source

    def find(self, token: str) -> TileSource:
        """Return what a token stands for."""
        source = self._sources.get(token)
        if source is None:
            raise UnknownTileError("This view has expired; reload the page.")
        return source
