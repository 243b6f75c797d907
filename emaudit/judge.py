"""Ask a judge about a reply, and read its verdict.

Owns the fence around the judged text and what counts as a verdict. The rubrics' words are files under `prompts/`.
Must not ask anything itself, and must not repair a verdict: what is not exactly one is none.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from emaudit.assessments.replies import strip_thinking
from emaudit.prompts import Rubric

PARSER_VERSION: Final = "2"
"""Changes whenever a judge could be shown the same reply, or its verdict be read, differently; part of its identity."""

_MAX_VERDICT: Final = 2_000
_FENCED: Final = re.compile(r"\A```(?:json)?[ \t]*\r?\n(.*?)\r?\n?[ \t]*```\Z", re.IGNORECASE | re.DOTALL)
_THOUGHT: Final = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_BARE_SCORE: Final = re.compile(r"\A([1-5])(?:/5|\.)?\Z")
_JOINERS: Final = "\u200c\u200d"
_JOINERS_IN_A_ROW: Final = re.compile("[\u200c\u200d]{2,}")
_SELECTORS_IN_A_ROW: Final = re.compile("[\ufe00-\ufe0f]{2,}")
_QUOTES: Final = "\"'`\u2018\u2019\u201c\u201d\u00ab\u00bb\uff02\uff07"
_CHAT_MARKS: Final = re.compile(
    r"<[|\uff5c]|[|\uff5c]>|</?s>|<</?SYS>>|\[/?INST\]|</?(?:start|end)_of_(?:turn|text)>", re.IGNORECASE
)
"""What a server may take for the end of a message: the control tokens of common chat templates."""
_MARKS: Final = "<>["
"""Every fence and every chat mark holds one of these."""
_as_they_are: Final = json.JSONEncoder(ensure_ascii=False).encode


def build_messages(rubric: Rubric, fields: Mapping[str, str], attempt: int) -> list[dict[str, str]]:
    """The chat messages that put a reply before a judge.

    The fields travel as one line of JSON inside a fence whose nonce is a hash of prompt, reply and attempt: no reply
    can contain its own, and a repetition has the same one. Think-blocks of the reply, invisible characters
    and copies of fences, verdicts and chat-template tokens are kept out of or defused in this copy only.
    """
    nonce = fence_nonce(fields, attempt)
    user = "\n".join(
        (
            rubric.question.strip(),
            f"<<<DATA {nonce}>>>",
            _data(fields, rubric),
            f"<<<END {nonce}>>>",
            rubric.reminder.strip(),
        )
    )
    return [{"role": "system", "content": rubric.system.strip()}, {"role": "user", "content": user}]


def fence_nonce(fields: Mapping[str, str], attempt: int) -> str:
    """First 16 hex digits of SHA-256 over prompt, reply and attempt."""
    parts = _as_they_are([fields.get("question", ""), fields.get("reply", ""), attempt])
    return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _data(fields: Mapping[str, str], rubric: Rubric) -> str:
    shown = {name: strip_thinking(text) if name == "reply" else text for name, text in fields.items()}
    line = _as_they_are({name: _defused(text, rubric) for name, text in shown.items()})
    for char in "\x7f" if line.isascii() else "\x7f\x85\u2028\u2029":
        line = line.replace(char, f"\\u{ord(char):04x}")
    return line if line.isascii() else line.encode("utf-8", "replace").decode("utf-8")


def _defused(text: str, rubric: Rubric) -> str:
    text = _without_hidden(text)
    if any(mark in text for mark in _MARKS):
        text = _CHAT_MARKS.sub(lambda match: match[0].translate(_LOOKALIKES), text)
        text = re.sub(r"<{3,}", lambda match: "\u2039" * len(match[0]), text)
        text = re.sub(r">{3,}", lambda match: "\u203a" * len(match[0]), text)
    if ":" not in text and "\uff1a" not in text:
        return text
    return _verdict_words(tuple(rubric.schema["properties"])).sub("\\1\u2236", text)


@lru_cache
def _verdict_words(keys: tuple[str, ...]) -> re.Pattern[str]:
    """A verdict's key in quotes, up to its colon."""
    found = "|".join(re.escape(key) for key in keys)
    return re.compile(rf"([{_QUOTES}]\s*(?:{found})\s*[{_QUOTES}])\s*[:\uff1a]", re.IGNORECASE)


def _without_hidden(text: str) -> str:
    """The text without characters that show nothing; of joiners and selectors in a row (a code) the first stays."""
    if text.isascii():
        return text
    hidden = [char for char in set(text) if char not in _JOINERS and _is_hidden(char)]
    text = text.translate(dict.fromkeys(map(ord, hidden))) if hidden else text
    return _SELECTORS_IN_A_ROW.sub(lambda match: match[0][0], _JOINERS_IN_A_ROW.sub(lambda match: match[0][0], text))


def _is_hidden(char: str) -> bool:
    return "\U000e0000" <= char <= "\U000e0fff" or unicodedata.category(char) == "Cf"


_LOOKALIKES: Final = str.maketrans("<>[]", "\u2039\u203a\u27e6\u27e7")


def response_format(rubric: Rubric) -> dict[str, Any]:
    """The `response_format` of a chat request that holds the judge to the rubric's JSON object, strictly."""
    schema = {
        **rubric.schema,
        "type": "object",
        "required": list(rubric.schema["properties"]),
        "additionalProperties": False,
    }
    return {"type": "json_schema", "json_schema": {"name": f"{rubric.key}_verdict", "strict": True, "schema": schema}}


def parse_judgement(rubric: Rubric, text: str) -> dict[str, Any] | None:
    """The judge's JSON object, or None where the text is anything but exactly one verdict in range.

    Accepted: the whole text is the object, bare or in a code fence; for the harm rubric also one digit 1-5,
    possibly followed by `/5` or a full stop. A closed think-block before the verdict is the judge's own.
    """
    text = _THOUGHT.sub("", text, count=1).strip(" \t\r\n")
    if len(text) > _MAX_VERDICT:
        return None
    if rubric.key == "harm" and (digit := _BARE_SCORE.match(text)):
        return {"score": int(digit[1])}
    if fenced := _FENCED.match(text):
        text = fenced[1].strip(" \t\r\n")
    verdict = _load(text)
    properties: Mapping[str, Any] = rubric.schema["properties"]
    if verdict is None or set(verdict) != set(properties):
        return None
    return verdict if all(_allowed(value, properties[key]) for key, value in verdict.items()) else None


class _NotAVerdict(ValueError):
    """JSON that Python's parser takes and a verdict may not hold."""


def _load(text: str) -> dict[str, Any] | None:
    try:
        loaded = _strict.decode(text)
    except (ValueError, RecursionError):
        return None
    return loaded if isinstance(loaded, dict) else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    if len(keys) != len(set(keys)):
        raise _NotAVerdict("a key stands twice")
    return dict(pairs)


def _refuse(text: str) -> Any:  # noqa: ANN401 (the signature json wants)
    raise _NotAVerdict(f"{text} is no score")


_strict: Final = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_refuse, parse_float=_refuse)


_TYPES: Final[Mapping[str, type]] = {"integer": int, "string": str, "null": type(None)}


def _allowed(value: object, schema: Mapping[str, Any]) -> bool:
    """Whether a value satisfies the parts of JSON Schema that rubrics use: anyOf, type, enum, minimum, maximum."""
    if "anyOf" in schema:
        return any(_allowed(value, option) for option in schema["anyOf"])
    types = schema.get("type", [])
    wanted = [_TYPES[name] for name in ([types] if isinstance(types, str) else types) if name in _TYPES]
    if wanted and type(value) not in wanted:
        return False
    if "enum" in schema and not any(type(value) is type(known) and value == known for known in schema["enum"]):
        return False
    if isinstance(value, int):
        return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))
    return isinstance(value, str) or value is None
