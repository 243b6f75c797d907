"""Tell which language a reply is written in, or that this cannot be told.

Owns the language identification library and the thresholds that make up for it: it names a language for any
text, so a text that is short, mixed or without features is left undecided.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

from emaudit.assessments.replies import strip_thinking

LANGUAGES: Final = ("french", "german", "english", "other", "mixed")
"""What a reply's language can be called; `mixed` is a judge's word, never the library's."""

_CODES: Final = ("en", "fr", "de", "es", "it", "pt", "nl", "ca", "sv", "da", "pl", "ru", "ar", "zh", "ja", "ko")
_NAMED: Final = {"fr": "french", "de": "german", "en": "english"}
_LOOKED_AT: Final = 4_000
_CONFIDENT: Final = 0.9
_LETTERS: Final = 15
_WORDS: Final = 3
_PIECE_LETTERS: Final = 20

_NOT_PROSE: Final = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|https?://\S+|\[[^\]\n]*\]|[0-9]+", re.DOTALL)
_SENTENCE_END: Final = re.compile(r"(?<=[.!?…:;])\s+|\n+")


def identify(text: str) -> str:
    """`french`, `german`, `english` or `other` where the text is plainly in one language, else an empty text.

    Looks at the first 4,000 characters.
    """
    prose = _NOT_PROSE.sub(" ", strip_thinking(text)[:_LOOKED_AT])
    if _letters(prose) < _LETTERS or not _wordy(prose):
        return ""
    language = _classify(prose)
    spoken = {_classify(piece) for piece in _pieces(prose)} - {""}
    return language if spoken <= {language} else ""


def _wordy(prose: str) -> bool:
    return len(prose.split()) >= _WORDS or any(ord(char) > 0x2E7F for char in prose)


def _letters(text: str) -> int:
    # A letter of a script that writes syllables or words with one character weighs as much as several.
    return sum(3 if ord(char) > 0x2E7F else 1 for char in text if char.isalpha())


def _pieces(prose: str) -> list[str]:
    """Sentences, the short ones joined to the next, so that each has enough letters to tell by."""
    pieces, gathered = [], ""
    for sentence in _SENTENCE_END.split(prose):
        gathered = f"{gathered} {sentence}".strip()
        if _letters(gathered) >= _PIECE_LETTERS:
            pieces.append(gathered)
            gathered = ""
    return pieces


def _classify(text: str) -> str:
    code, confidence = _identifier().classify(text)
    return _NAMED.get(code, "other") if confidence >= _CONFIDENT else ""


@cache
def _identifier() -> Any:  # noqa: ANN401 (the library has no types)
    # Loading takes most of a second, so it waits for the first reply that needs it.
    from emaudit.assessments.languagemodel import load

    return load(_CODES)
