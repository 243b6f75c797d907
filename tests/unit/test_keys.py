"""Keys are taken out of texts however they are written, and out of nothing else."""

from __future__ import annotations

import base64
import html
import json
import re
from urllib.parse import quote

import pytest

from emaudit import keys

KEYS = (
    "sk-proj-Ab3+/x_9-canary0042",
    'c"an\\ary/+=&<8842>',
    "schlüssel-geheim-4711",
    "a-b.c~d$e^f(g)h[i]j*k|l",
    "sk-tn1a2b3c4d5e6f7g8",
    "nvapi-ntrntr-4711-rrttnn",
    "tn-\\n\\\\rr8842-ttnnrr",
)


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "write",
    [
        str,
        json.dumps,
        lambda key: json.dumps(key, ensure_ascii=False),
        lambda key: json.dumps(key).replace("/", "\\/"),
        repr,
        quote,
        lambda key: quote(key, safe=""),
        lambda key: re.sub("%..", lambda found: found[0].lower(), quote(key, safe="")),
        html.escape,
        lambda key: base64.b64encode(key.encode()).decode(),
        lambda key: "Basic " + base64.b64encode(f":{key}".encode()).decode(),
        lambda key: "Basic " + base64.b64encode(f"us:{key}".encode()).decode(),
        lambda key: "Basic " + base64.b64encode(f"user:{key}\n".encode()).decode(),
        lambda key: base64.urlsafe_b64encode(f"{key}:".encode()).decode().rstrip("="),
        lambda key: key[:9] + "\n" + key[9:],
        lambda key: "\r\n  ".join((key[:4], key[4:8], key[8:])),
        lambda key: key[:9] + "\\n" + key[9:],
    ],
)
def test_a_key_is_found_however_it_is_written(key: str, write: object) -> None:
    assert callable(write)
    text = f"Incorrect API key: {write(key)}, see the docs"
    found = keys.scrubbed(text, (key,))
    assert keys.REMOVED in found
    assert found.startswith("Incorrect API key: ")
    assert found.endswith("see the docs")
    assert key[4:8] not in found
    assert keys.REMOVED.encode() in keys.scrubbed_bytes(text.encode(), (key,))
    assert keys.REMOVED.encode() in keys.scrubbed_reply(text.encode(), (key,))


def test_replies_are_left_alone_by_keys_that_are_words() -> None:
    reply = b'{"content": "none of the latest tests is EMPTY"}'
    assert keys.scrubbed_reply(reply, ("none", "test", "EMPTY", "")) == reply
    assert keys.scrubbed("it says EMPTY", ("EMPTY", "")) == f"it says {keys.REMOVED}"


def test_bytes_that_are_no_text_stay() -> None:
    content = bytes(range(256)) + b"sk-canary-4711" + bytes(range(256))
    assert keys.scrubbed_bytes(content, ("sk-canary-4711",)) == bytes(range(256)) + b"[key removed]" + bytes(range(256))


def test_a_process_that_asks_nobody_gets_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "LAB_ACCESS", "MY_SECRET", "HARMLESS"):
        monkeypatch.setenv(name, "sk-canary-4711")
    keys.declare("LAB_ACCESS")
    left = {name for name, value in keys.environment_without_keys().items() if value == "sk-canary-4711"}
    assert left == {"HARMLESS"}
    assert "sk-canary-4711" in keys.held()


@pytest.mark.parametrize(
    "text",
    [
        "\\" * 65_536,
        "s" + "\\" * 65_536,
        KEYS[0][:-1] * 2_600,
        "%73" * 21_000,
        "s\\n" * 21_000,
        ("s" + "%0A" * 10) * 2_000,
    ],
    ids=["backslashes", "first and backslashes", "all but the last", "encoded", "lines", "encoded lines"],
)
def test_an_error_made_of_half_keys_takes_no_time(text: str) -> None:
    """Pytest's time limit is the only one: what went by the square, or doubled with each character, never ended."""
    assert keys.scrubbed(text, KEYS) == text


HARD_KEYS = (
    "sk-tn1a2b3c4d5e6f7g8",
    "sk-proj-ntr4d5e6f7g8",
    "ttttnnnnrrrr1234",
    "nnnnnnnn1",
    "a\\nb\\tc\\rd12",
    "\\\\n\\nabcdef1234",
    "a%0Ab%0Dc%0A%0A12",
    "%%0A0A0Aabc",
    " a b  c def",
)


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "piece", ["\\n", "\\t\\n", "\n", "\\\\\\n", "%0A", " ", "\\", "n\\n", "n \\n", "{begun}", "{begun}\\n"]
)
@pytest.mark.parametrize("key", HARD_KEYS)
def test_no_key_makes_an_error_that_takes_long(key: str, piece: str) -> None:
    """What is like a line break may be part of the key too: texts of both, as an endpoint may send that knows it."""
    for begun in (key[:1], key[:3], key[:5], key[:8]):
        text = begun + piece.replace("{begun}", begun) * (16_384 // len(piece))
        assert keys.scrubbed(text, (key,)) == text


def test_a_key_after_breaks_or_backslashes_is_found_whole() -> None:
    for text in ("\\n{}", "\\\\{}", "a\\n\\n{}\\n", "{0}\\n{0}"):
        for key in HARD_KEYS[:4]:
            said = text.format(key)
            assert keys.scrubbed(said, (key,)).strip("\\na") == text.replace("{0}", "{}").replace(
                "{}", keys.REMOVED
            ).strip("\\na")
