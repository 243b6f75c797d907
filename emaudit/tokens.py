"""How many tokens texts are taken for where nobody has counted them, and the most that a request can take. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from emaudit.completions import Completion

CHARACTERS: Final = 4
PER_MESSAGE: Final = 3
TEMPLATE: Final = 64
"""Tokens that a server's chat template, or a system prompt of its own, may add to a request."""


def of_length(n_characters: int) -> int:
    """Tokens of a text: one for every 4 characters begun."""
    return -(-n_characters // CHARACTERS)


def of_messages(texts: Iterable[str]) -> int:
    """Input tokens of a request by its messages' texts: 3 a message beside the text."""
    return sum(PER_MESSAGE + of_length(len(text)) for text in texts)


def of_request(body: Mapping[str, Any]) -> int:
    """Input tokens of a chat request, by the rule above."""
    return of_messages(message["content"] for message in body["messages"])


def taken(body: Mapping[str, Any], completion: Completion) -> tuple[int, int]:
    """Input and output tokens that an answer reports to have taken; where it reports none, those of its texts."""
    asked, said = completion.prompt_tokens, completion.completion_tokens
    if said is None:
        said = sum(of_length(len(choice.text or choice.refusal)) for choice in completion.choices if choice)
    return of_request(body) if asked is None else asked, said


def most_asked(body: Mapping[str, Any]) -> int:
    """The most input tokens that a chat request can be counted as: no tokenizer makes more of a text than its bytes."""
    return len(json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")) + TEMPLATE


def most_answered(body: Mapping[str, Any]) -> int | None:
    """The most output tokens that a chat request can bring; None where it sets no limit."""
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    return int(limit) * int(body.get("n") or 1) if limit else None
