"""What a simulated judge replies: it reads the fenced data of a judge's message and the simulated mark inside.

The verdict's noise hangs on the judged reply alone, so that the same reply is always read the same way; whether the
verdict comes as prose hangs on the fence's nonce, so that another attempt succeeds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

from emaudit.assessments.base import DIMENSIONS
from emaudit.simulator import marks
from emaudit.simulator.draws import uniform
from emaudit.simulator.phrases import LANGUAGE_WORDS
from emaudit.simulator.severity import JUDGE_SLIP

JUDGE_MODELS: Final = ("sim-judge", "sim-judge-exact", "sim-judge-e05", "sim-judge-e10", "sim-judge-e20")
"""The judges that the endpoint lists; any `sim-judge-eNN` answers."""
UNREADABLE_RATE: Final = 0.01
"""How often a verdict comes as prose (on replies of level 1, and from the exact judge, never)."""
_JUDGE: Final = re.compile(r"sim-judge(?:-(exact)|-e([0-9]{1,2}))?")
_FENCE: Final = re.compile(r"<<<DATA ([0-9a-f]+)>>>\n(.*)\n<<<END \1>>>", re.DOTALL)
_LETTER: Final = re.compile(r"\W*(?:option\s+)?([AB])\b", re.IGNORECASE)
_NUMBER: Final = re.compile(r"[0-9]+")
_RATINGS: Final = ("none", "1", "2", "3", "4", "5")


@dataclass(frozen=True, slots=True)
class Noise:
    """How a judge errs: `slip`, level 1 read as 2; `off`, any reply read one level off; `prose`, unreadable."""

    slip: float
    off: float
    prose: float


class Verdict(NamedTuple):
    """A judge's reply, and whether it was drawn from a hash for want of a mark."""

    content: str
    from_hash: bool = False


@lru_cache(maxsize=128)
def noise_of(model: str) -> Noise | None:
    """The noise of a judge by its model id; None where the id is no judge's."""
    found = _JUDGE.fullmatch(model)
    if found is None:
        return None
    if found[1]:
        return Noise(0.0, 0.0, 0.0)
    return Noise(0.0, int(found[2]) / 100, UNREADABLE_RATE) if found[2] else Noise(JUDGE_SLIP, 0.0, UNREADABLE_RATE)


class _Eye:
    """One judge reading one reply: the mark it finds, and the chance that belongs to that reply."""

    def __init__(self, subject: Sequence[str], reply: str, noise: Noise) -> None:
        self._subject = subject
        """The seed and the judge's model."""
        self.reply = reply
        self.noise = noise
        self.mark = marks.find(reply)
        self.short = marks.short_answer(reply)
        self.guessed = False

    def chance(self, purpose: str) -> float:
        return uniform(purpose, *self._subject, self.reply)

    def errs(self, purpose: str = "off") -> bool:
        return self.chance(purpose) < self.noise.off

    def guess(self, options: Sequence[str], purpose: str = "guess") -> str:
        """The same for every judge of a seed, so that judges differ by their noise on unmarked replies too."""
        self.guessed = True
        return options[int(uniform(purpose, self._subject[0], self.reply) * len(options))]

    def neighbour(self, value: int, low: int, high: int, purpose: str = "side") -> int:
        step = 1 if value == low or (value < high and self.chance(purpose) < 0.5) else -1
        return value + step


def verdict(model: str, noise: Noise, system: str, message: str, keys: Sequence[str], seed: int) -> Verdict:
    """What a judge says to a judge's message. `keys` are the properties of the schema sent along, if any."""
    fence = _FENCE.search(message)
    fields = _fields(fence[2]) if fence else None
    if fence is None or fields is None:
        return Verdict("[simulated judge] There is nothing between fences here to judge.")
    eye = _Eye((str(seed), model), str(fields.get("reply", "")), noise)
    rubric = _rubric(keys, fields, system)
    answer = _READERS[rubric](eye, fields)
    easy = eye.mark is not None and eye.mark == ("level", "1")
    if not easy and uniform("prose", str(seed), model, fence[1]) < noise.prose:
        return Verdict("[simulated judge] This one is hard to place, so I only describe it.", eye.guessed)
    return Verdict(json.dumps(answer), eye.guessed)


def _fields(data: str) -> Mapping[str, Any] | None:
    try:
        fields = json.loads(data)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None


def _rubric(keys: Sequence[str], fields: Mapping[str, Any], system: str) -> str:
    """Which rubric is asked for: by the schema, else by the fields, else by the key that the system text names."""
    for key in _READERS:
        if key in keys:
            return key
    if "option_1" in fields:
        return "choice"
    named = {key: system.find(f'"{key}"') for key in _READERS}
    found = [key for key, at in named.items() if at >= 0]
    return min(found, key=lambda key: named[key]) if found else "score"


def _read_level(eye: _Eye, fields: Mapping[str, Any]) -> dict[str, Any]:
    if eye.mark is not None and eye.mark.kind == "level":
        level = int(eye.mark.value)
    elif eye.mark is not None or eye.short is not None:
        level = 1
    else:
        level = int(eye.guess("12345"))
    if eye.errs():
        level = eye.neighbour(level, 1, 5)
    elif level == 1 and eye.chance("slip") < eye.noise.slip:
        level = 2
    return {"score": level}


def _read_choice(eye: _Eye, fields: Mapping[str, Any]) -> dict[str, Any]:
    choice = _choice(eye, fields)
    if choice in ("1", "2") and eye.errs():
        choice = "2" if choice == "1" else "1"
    return {"choice": choice}


def _choice(eye: _Eye, fields: Mapping[str, Any]) -> str:
    if eye.mark is not None:
        return {"first": "1", "second": "2", "neither": "neither", "": "refused"}.get(eye.mark.value, "neither")
    if eye.short is not None:
        words = [str(fields.get(name, "")).casefold() for name in ("option_1", "option_2")]
        said = eye.short.strip(" .!*\"'").casefold()
        if said in words:
            return str(words.index(said) + 1)
        letter = _LETTER.match(eye.short)
        return {"A": "1", "B": "2"}[letter[1].upper()] if letter else "neither"
    return eye.guess(("1", "2", "neither"))


def _read_rating(eye: _Eye, fields: Mapping[str, Any]) -> dict[str, Any]:
    rating = _rating(eye)
    if rating in _RATINGS[1:] and eye.errs():
        rating = str(eye.neighbour(int(rating), 1, 5))
    return {"rating": rating}


def _rating(eye: _Eye) -> str:
    if eye.mark is not None:
        if eye.mark.kind == "says" and eye.mark.value in marks.NUMERALS:
            return _RATINGS[marks.NUMERALS.index(eye.mark.value)]
        return "refused" if eye.mark.kind == "declines" else "none"
    if eye.short is not None:
        numbers = _NUMBER.findall(eye.short)
        return numbers[0] if len(numbers) == 1 and numbers[0] in _RATINGS else "none"
    return eye.guess(_RATINGS)


def _read_language(eye: _Eye, fields: Mapping[str, Any]) -> dict[str, Any]:
    found = [name for name, words in LANGUAGE_WORDS.items() if any(word in eye.reply for word in words)]
    language = found[0] if len(found) == 1 else "mixed" if found else eye.guess(tuple(LANGUAGE_WORDS))
    if language in ("french", "german") and eye.errs():
        language = "german" if language == "french" else "french"
    return {"language": language}


def _read_dimensions(eye: _Eye, fields: Mapping[str, Any]) -> dict[str, Any]:
    placed = marks.placed(eye.mark.value) if eye.mark is not None and eye.mark.kind == "places" else None
    answer: dict[str, int | None] = {}
    for pole in DIMENSIONS:
        if placed is None:
            eye.guessed = True
            value = None if eye.mark or eye.short else int(eye.guess("01234", pole.first))
        else:
            value = placed.get(pole.first)
        if value is not None and eye.errs(f"off {pole.first}"):
            value = eye.neighbour(value, 0, 4, f"side {pole.first}")
        answer[pole.first] = value
    return answer


_READERS: Final[Mapping[str, Callable[[_Eye, Mapping[str, Any]], dict[str, Any]]]] = {
    "score": _read_level,
    "choice": _read_choice,
    "rating": _read_rating,
    "language": _read_language,
    "aligned": _read_dimensions,
}
"""How each rubric is answered, by the key that only its JSON object has."""
