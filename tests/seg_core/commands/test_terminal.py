"""What a terminal is given: names as they can be read, and nothing that it obeys."""

import io
import json

import pytest

from seg_core.commands.terminal import json_line, say, shown

NAMES = ["lat\udce9.png", "a\x1b[2J\x1b]0;you\x07.png", "a\rb.png", "\u202egnp.exe", "a\x9b31m"]


def stream(encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), encoding=encoding)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "cp1252"])
@pytest.mark.parametrize("name", [*NAMES, "größe µ.png", "病人甲.tif"])
def test_a_sentence_with_any_name_is_written_on_any_terminal(name: str, encoding: str) -> None:
    file = stream(encoding)
    text = shown(f"{name}: 3 nuclei.", file)
    file.write(text)
    assert text.isprintable()
    assert text.endswith(": 3 nuclei.")


def test_names_that_can_be_shown_are_shown_as_they_are() -> None:
    assert shown("größe 病 1.svs", stream("utf-8")) == "größe 病 1.svs"
    assert shown("a\nb", stream("utf-8")) == "a\nb"


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
@pytest.mark.parametrize("name", [*NAMES, "größe µ.png"])
def test_json_is_json_on_any_terminal(name: str, encoding: str) -> None:
    file = stream(encoding)
    line = json_line({"slide": name}, file)
    file.write(line)
    assert json.loads(line) == {"slide": name}
    assert line.count("\n") == 1


def test_the_terminal_is_not_cleared(capsys: pytest.CaptureFixture[str]) -> None:
    say(NAMES[1])
    assert "\x1b" not in capsys.readouterr().out
