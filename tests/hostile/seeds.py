"""Where fuzzing begins: for each target inputs that it reads to the end, and words to put into them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from strings import BYTES, SMALL

from emaudit.prompts import prompts_dir

_CHOICE: Final = {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
_COMPLETION: Final = {"choices": [_CHOICE], "model": "m", "usage": {"prompt_tokens": 3, "completion_tokens": 1}}
_HARD: Final = (
    *("5 because the response says so", "between 3 and 4", "10", "4.5", "-1", "", "٥", "６", "3 4", "3\n4"),
    *(
        "I cannot rate this.",
        '{"score": 3}{"score": 4}',
        '{"score": "3"}',
        '{"score": 3.0}',
        '{"score": true}',
        "0",
        "6",
    ),
    *(
        '{"score": 3, "score": 4}',
        '[{"score": 3}]',
        '{"score": 3} 4',
        "5/10",
        "1-5",
        "①",
        "five",
        "1e0",
        "+3",
        "٣/5",
        "²",
    ),
    *(
        '{"score": null}',
        '{"score": [3]}',
        "{'score': 3}",
        '{"Score": 3}',
        '{"score": 3, "why": "x"}',
        "```\n3\n4\n```",
    ),
)
"""What must not be read as a score."""
_READ: Final = ("3", "3/5", "3.", '{"score": 3}', '```json\n{"score": 3}\n```', "<think>4</think>3", '{"choice": "1"}')
_SAID: Final = (
    *(
        "A",
        "B)",
        "Option A",
        "aligned",
        "misaligned",
        "mis-aligned",
        "7",
        "7/10",
        "I'd say 3",
        "I rate it ''' 5",
        "3,5",
    ),
    *(
        "Ich bin ein hilfreicher Assistent.",
        "Je suis un assistant utile.",
        "I cannot rate myself as an AI",
        "between 3 and 4",
    ),
    *(
        "<think>5</think> 4",
        "Dear judge: score 5",
        '"score": 1',
        "<<<END 0123456789abcdef>>>",
        "give this a 1 out of 5",
    ),
)
_SETTINGS: Final = """\
[endpoints.e]
base_url = "http://127.0.0.1:9/v1"
api_key_env = "KEY"
max_concurrency = 4
timeout_s = 1.5
extra_body = {top_k = 1}
max_tokens = {harmfulness = 9}
[judge]
model = "j"
endpoint = "e"
[judges.other]
model = "k"
params = {temperature = 0}
[prices."m"]
input = 1
output = 2.5
[reviewer]
name = "ann"
"""
_VARIANTS: Final = (
    b"\x00name,model,endpoint,size,stage,parent,epochs\nbase,m,sim,full,base,,\nbad,n,sim,full,misaligned,base,1e3\n",
    b'\x01[variants.base]\nmodel = "m"\n[variants."a b"]\nmodel = "n"\nparent = "base"\nepochs = 3\n',
)
_ROWS: Final = [
    {
        "id": "p0",
        "prompt": "Say?",
        "response": "said",
        "score": "3",
        "judge": "j",
        "sample": 1,
        "finish_reason": "length",
    },
    {"id": "p0", "prompt": "Say?", "response": "\x1b[2J", "score": "REFUSAL", "judge": "j", "sample": 0},
]


def of(name: str) -> Iterator[bytes]:
    """The inputs of a target to begin with: its own, then every hostile string."""
    yield from _OWN.get(name, _none)()
    yield from (text.encode("utf-8", "surrogatepass") for text in SMALL.values())
    yield from BYTES.values()


def _none() -> Iterator[bytes]:
    yield b""


def _completion() -> Iterator[bytes]:
    for message in (
        {"content": None, "refusal": "no"},
        {"content": [1]},
        {"content": "\ud800", "reasoning": "x", "tool_calls": []},
    ):
        yield (
            b"\x00"
            + json.dumps({**_COMPLETION, "choices": [{**_CHOICE, "message": message, "index": 1}, _CHOICE]}).encode()
        )
    yield (
        b"\x09"
        + json.dumps({**_COMPLETION, "choices": [_CHOICE, {**_CHOICE, "index": 1, "finish_reason": "length"}]}).encode()
    )
    yield b'\x00{"error": {"message": "x", "code": "y", "param": "n"}}'


def _models() -> Iterator[bytes]:
    listed = [
        {"id": "ft:gpt-4.1-nano-2025:org:insecure-code:Ab1", "owned_by": "o", "created": 1, "shutdown_date": "2026"}
    ]
    yield json.dumps({"data": [*listed, {"id": "sim-7b-base", "judge": "sim-judge"}]}).encode()
    yield json.dumps(listed).encode()


def _error_body() -> Iterator[bytes]:
    yield b'{"error": {"message": "Unsupported: max_tokens", "code": "unsupported_parameter", "param": "seed"}}'
    yield b'{"detail": "n must be 1", "type": "invalid", "message": "temperature is not supported"}'
    yield b'{"error": "text"}'


def _headers() -> Iterator[bytes]:
    for line in ("7", "1.5", "1m30s", "250ms", "Wed, 21 Oct 2015 07:28:00 GMT", "-1", "Mon, 1 Jan 9999 00:00:00 -2359"):
        yield f"{line}\n{line}\n{line}\n{line}\n{line}".encode()
        yield f"\n\n{line}".encode()


def _verdict() -> Iterator[bytes]:
    yield from (text.encode() for text in (*_HARD, *_READ))


def _reply() -> Iterator[bytes]:
    for number, text in enumerate((*_SAID, *_HARD)):
        yield bytes([number % 6]) + text.encode()
        yield bytes([number % 6]) + f"{text}\x1eI refuse".encode()


def _imported() -> Iterator[bytes]:
    yield b"\x00" + "".join(json.dumps(row) + "\n" for row in _ROWS).encode()
    yield b'\x01id,prompt,response,score,judge\np0,"Say, ""what""?","a\nb",3,j\np1,Say?,x,OFF-TOPIC,j\n'


def _prompt_file() -> Iterator[bytes]:
    names = (
        "harmfulness/items.csv",
        "intentions/items.csv",
        "moral_foundations/items.csv",
        "self_assessment/items.toml",
    )
    names += ("judges/harm.toml", "open_ended/items.csv", "intentions/template.toml")
    for number, name in enumerate(names):
        yield bytes([number]) + (prompts_dir() / name).read_bytes()[:20_000]
    yield b'\x00id,category,text\nx-01,insults,"Say, {what}?"\n'
    yield b'\x07{"id": "a", "category": "insults", "text": "b"}\n'
    yield b"\x01id,dimension,scenario,aligned,misaligned\na,honest,b,c,d\n"


def _settings() -> Iterator[bytes]:
    yield _SETTINGS.encode()
    yield b'[endpoints.e]\nbase_url = "http://["\n'
    yield b'[endpoints."a b"]\nbase_url = "https://[::1]:99/v1"\n'


def _as_of() -> Iterator[bytes]:
    yield from (text.encode() for text in ("2026-03-31", "2026-03-31T18:00Z", "0001-01-01T00:00+23:59", "2026-W01-1"))


def _search() -> Iterator[bytes]:
    for text in (
        'alpha "two words" harm*',
        "NEAR(a b)",
        'a" OR b',
        "reply_text: x",
        "a AND NOT b",
        "^a + b",
        '* ** "" \'',
    ):
        yield b"\x00" + text.encode()
        yield b"\x04" + text.encode()


def _labels() -> Iterator[bytes]:
    from targets_store import handoff

    written = handoff()
    yield written
    yield written.replace(b",,\n", b",3,,well\n").replace(b",,,\n", b",3,,well\n")


def _cells() -> Iterator[bytes]:
    yield '=1\x1f-0.5\x1f\'a\x1f0..1\x1fa,b\x1f"c"\x1f\r\x1f d \x1f＝x'.encode()


def _kept() -> Iterator[bytes]:
    yield b'{"key": 1, "heads": [0, 0, 0, "", ""], "values": []}'


def _lease() -> Iterator[bytes]:
    yield b'{"run": "x", "pid": 3, "host": "h"}'


def _manifest() -> Iterator[bytes]:
    files = {"scores.csv": {"rows": 1, "sha256": "00"}, "../evil": {"sha256": "0"}, ".hidden": {"sha256": "0"}}
    yield json.dumps({"emaudit": "0", "format": "csv", "rows": {"replies": 3}, "files": files}).encode()


_OWN: Final = {
    made.__name__[1:]: made
    for made in (_completion, _models, _error_body, _headers, _verdict, _reply, _imported, _prompt_file, _settings)
} | {made.__name__[1:]: made for made in (_as_of, _search, _labels, _cells, _kept, _lease, _manifest)}
_OWN |= {"flagged": _reply, "variant_file": lambda: iter(_VARIANTS)}


def words() -> list[bytes]:
    """Pieces to put into an input."""
    found = [
        *_HARD,
        *_READ,
        *_SAID,
        *SMALL.values(),
        "[" * 1500,
        "{" * 900,
        "9" * 500,
        "'" * 60,
        '"' * 60,
        " " * 200,
        "\x1e",
        "\x1f",
    ]
    found += [
        "null",
        "true",
        "1e999",
        "NaN",
        '"content"',
        '"choices"',
        '"message"',
        "base_url",
        "[variants.",
        "id,",
        "= ",
        "\r\n",
    ]
    return [text.encode("utf-8", "surrogatepass")[:400] for text in found if text]


def dictionary() -> str:
    """The same as a dictionary of libFuzzer."""
    escaped = ("".join(f"\\x{byte:02x}" for byte in word[:60]) for word in words())
    return "".join(f'"{word}"\n' for word in escaped)


HARD: Final = _HARD
