"""What is put away by a timer, also on a server that nobody visits.

Streamlit forgets a session that has left only when another one comes, and Python frees what hangs
together in a circle only when enough else is made. Tokens, uploads and what was asked for would
stay for as long as the server is quiet; so would tiles, open slides and tables, hundreds of
megabytes that another program of the machine may need meanwhile.
"""

import asyncio
import gc
import logging
from collections.abc import Callable
from contextlib import suppress

import streamlit as st
from starlette.concurrency import run_in_threadpool
from streamlit import runtime
from streamlit.runtime.app_session import AppSession

from pages.shared import resources, singletons
from seg_core.errors import SegCoreError
from seg_core.process.memory import return_memory

EVERY_S = 5.0

_FULL = (
    "the store of this server is at its limit, and nothing else in it may go; ask whoever runs it for "
    "more room, or analyse a smaller part."
)

_log = logging.getLogger(__name__)

_caches: list[Callable[[], None]] = []


def empty_when_alone(empty: Callable[[], None]) -> None:
    """Have a cache emptied when the last visitor has gone: what it holds, nobody waits for.

    Parameters
    ----------
    empty : callable
    """
    _caches.append(empty)


async def keep_house(every_s: float = EVERY_S) -> None:
    """Put away what nobody holds any more, again and again, until it is cancelled."""
    sessions = 0
    while True:
        await asyncio.sleep(every_s)
        try:
            # Streamlit's own thread is this one; nobody else may touch its sessions
            now = count_sessions()
            if sessions and not now:
                close_last_session()
            await run_in_threadpool(put_away, some_left=now < sessions, nobody_there=now == 0)
            sessions = now
        except Exception:  # noqa: BLE001 - the next time may go well
            _log.exception("something could not be put away")


def count_sessions() -> int:
    """Return how many sessions are kept; those that have left for too long are forgotten by this."""
    if not runtime.exists():
        return 0
    manager = runtime.get_instance()._session_mgr
    storage = getattr(manager, "_session_storage", None)
    left = len(getattr(storage, "_cache", ()))  # a cache with a time to live: to count is to forget
    return left + manager.num_active_sessions()


def close_last_session() -> None:
    """Empty the session that left last, where none is left.

    Streamlit's loop holds it in a variable until another session comes: on a quiet server its token
    and its uploads would stay.
    """
    for each in gc.get_objects():
        # isinstance would ask each object for its __class__, and some answer with a warning or an error
        if issubclass(type(each), AppSession):
            each.shutdown()
            each.session_state.clear()


def put_away(*, some_left: bool, nobody_there: bool = False) -> None:
    """Give up what nobody waits for, and keep the store within its limit.

    Parameters
    ----------
    some_left : bool
        Sessions have ended since the last time.
    nobody_there : bool
        None is left: what is kept for the next look is given back as well.
    """
    if some_left and nobody_there:
        _empty_caches()
    if some_left:
        gc.collect()
    singletons.scorings().drop_what_nobody_waits_for()
    analyses = singletons.analyses()
    analyses.put_absent_last(singletons.visitors().present())
    if analyses.at_work():
        with suppress(SegCoreError):
            if not singletons.visitors().keep_limit():
                analyses.stop_running(_FULL)
    if some_left:
        return_memory()


def _empty_caches() -> None:
    st.cache_resource.clear()
    st.cache_data.clear()
    resources.forget_pixels()
    singletons.scorings().forget_ended()
    for empty in _caches:
        empty()
