import hashlib
import re

import pytest

from seg_core.errors import SlideError
from seg_core.samples import SAMPLES, sample_path
from seg_core.slide import open_slide


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_a_sample_opens_and_shows_what_its_readme_says(sample):
    path = sample_path(sample.name)
    info = open_slide(path, mpp=sample.mpp).info
    readme = path.with_name("README.md").read_text(encoding="utf-8")
    (line,) = re.findall(rf"^\| `{re.escape(sample.file)}`.*$", readme, flags=re.MULTILINE)
    assert f"{info.width} × {info.height}" in line
    assert ("not stated" in line) == (info.mpp is None)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert f"{digest}  {sample.file}" in readme
    assert sample.credit


def test_the_slide_knows_its_resolution():
    assert open_slide(sample_path("cmu_small_region")).info.mpp == pytest.approx(0.499)


def test_an_unknown_sample_is_refused():
    with pytest.raises(SlideError, match="there is no sample 'heart'; choose one of hgsc_nest"):
        sample_path("heart")
