"""Fixtures of all tests."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# The first call of an example may import or compile; 200 ms then fail by chance.
settings.register_profile("patient", deadline=None, max_examples=30)
# The whole suite draws the same examples each time: it tells of a change, not of luck. New ones are
# looked for by running a module without the profile.
settings.register_profile("steady", parent=settings.get_profile("patient"), derandomize=True)
settings.load_profile("patient")

# With --doctest-modules pytest would also import these as modules, all of one name.
collect_ignore_glob = ["conftest.py", "*/conftest.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests in a browser last: from the first one on Playwright's event loop runs in this
    thread, where no other can be started.

    They share two cores with a server and its worker, so one that fails is tried once more; what
    fails twice has found something, and what failed once is named in the summary.
    """
    items.sort(key=lambda item: "browser" in item.keywords)
    for item in items:
        if "browser" in item.keywords:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Converted networks of the tests; the user's own cache stays as it is."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEG_CACHE", str(folder))
        yield folder


@pytest.fixture(autouse=True)
def own_main() -> Iterator[None]:
    """Give the process its main module back: Streamlit puts each page it runs in its place.

    Processes that later tests start, Dask's workers for one, would begin with that page.
    """
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the development data beside the repository; skips the test where it is absent."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the development data in {folder}")
    return folder


@pytest.fixture(scope="session")
def shared_cases() -> Path:
    """Folder of small inputs that once went wrong; skips the test where it is absent.

    To be copied before anything is run on them.
    """
    folder = Path(__file__).parents[2] / "shared" / "cases"
    if not folder.is_dir():
        pytest.skip(f"needs the inputs in {folder}")
    return folder
