from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data():
    """Real labelled images beside the repository; they are not part of it."""
    folder = Path(__file__).parents[4] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the labelled images of ../shared/data")
    return folder
