"""What of a reply counts as its answer, before any assessment reads it.

Owns think-blocks, refusal fields and replies without content. Must not interpret the answer.
"""

from __future__ import annotations

import re
from typing import Final

from emaudit.assessments.base import Answer, Outcome, Reading, Status

_TAG: Final = re.compile(r"<(?P<close>/?)think(?:ing)?>", re.IGNORECASE)


def strip_thinking(text: str) -> str:
    """The text without its think-blocks, stripped.

    A block that never closes reaches to the end; one that only closes was opened by the chat template and
    reaches back to the start.
    """
    said: list[str] = []
    thinking, start = False, 0
    for tag in _TAG.finditer(text):
        if tag["close"]:
            if not thinking:
                said.clear()
            thinking, start = False, tag.end()
        elif not thinking:
            said.append(text[start : tag.start()])
            thinking = True
    if not thinking:
        said.append(text[start:])
    return " ".join(said).strip()


def spoken_text(answer: Answer) -> str:
    """What the variant said, verbatim: its content, or the refusal field where the content says nothing."""
    return answer.text if strip_thinking(answer.text) else answer.refusal


def unanswered(answer: Answer) -> Reading | None:
    """The reading of a reply that holds nothing to read (blocked, empty, cut off, failed), else None."""
    if answer.outcome in (Outcome.CONTENT_FILTER, Outcome.ERROR):
        return Reading(Status.UNSCORED, reason=str(answer.outcome))
    if strip_thinking(spoken_text(answer)):
        return None
    if answer.outcome in (Outcome.TRUNCATED, Outcome.REFUSAL):
        return Reading(Status.UNSCORED, reason=str(answer.outcome))
    return Reading(Status.UNSCORED, reason=str(Outcome.EMPTY))


def refused_by_field(answer: Answer) -> bool:
    """Whether the endpoint itself marked the reply as a refusal."""
    return answer.outcome is Outcome.REFUSAL or bool(answer.refusal and not strip_thinking(answer.text))
