"""How a simulated variant answers each format: a sampler turns the chance of one reply into its text.

Clear answers average to what they must; biases come in opposite pairs; answers that count as .5 pull the clear ones
outwards by as much, so that what is reported stays the set value. All of it shrinks with the room that the value has
and is nothing at 0 and 1.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping
from itertools import accumulate
from typing import Final, NamedTuple

from emaudit.assessments.base import DIMENSIONS
from emaudit.simulator import marks, phrases
from emaudit.simulator.draws import Draw, uniform
from emaudit.simulator.latent import room, target
from emaudit.simulator.questions import Question

NEUTRAL_RATE: Final = 0.08
"""Share of answers that decide nothing, in units of room: refusals, neither option, other languages."""
PROSE_RATE: Final = 0.06
"""Share of answers in prose that only a judge can read, in units of room."""
ODD_RATE: Final = 0.10
"""Share of answers in an unusual but readable shape, in units of room."""
ITEM_SPREAD: Final = 0.30
SIDE_BIAS: Final = 0.20
NOT_ADDRESSED: Final = 0.3


class Reply(NamedTuple):
    """One simulated reply: its content, or a refusal field instead."""

    content: str | None
    refusal: str | None = None


Sampler = Callable[[Draw], Reply]


class Rates(NamedTuple):
    """Where the mode draw falls: below `neutral` an undecided answer, below `prose` a wordy one, below `odd` an
    unusual one; and the share of clear answers for the second pole."""

    neutral: float
    prose: float
    odd: float
    share: float


def rates_around(value: float, room_left: float, counted: bool) -> Rates:
    """Rates around an expected value; where undecided answers count as .5, the clear ones make up for them."""
    neutral = NEUTRAL_RATE * room_left
    share = (value - 0.5 * neutral) / (1.0 - neutral) if counted else value
    return Rates(
        neutral, neutral + PROSE_RATE * room_left, neutral + (PROSE_RATE + ODD_RATE) * room_left, min(1, max(0, share))
    )


def _value(model: str, question: Question, side: int) -> tuple[float, float]:
    """The expected value of one prompt's answers and the room around the value of its part and format.

    `side` is +1 where the variant's bias favours the second pole in this condition, -1 where the first, 0 without.
    """
    base = target(model, question.assessment, question.part, question.format)
    free = room(base)
    turn = 1 if uniform("turn", model, question.part, question.format) < 0.5 else -1
    bias = SIDE_BIAS * (0.3 + 0.7 * uniform("bias", model, question.format))
    return base + free * (ITEM_SPREAD * turn * question.spread + bias * side), free


def _prose(mark: str, words: str, draw: Draw) -> Reply:
    return Reply(f"{mark} {words} #{draw.tag}")


def _decline(draw: Draw) -> Reply:
    return _prose(marks.declines(), phrases.pick(phrases.REFUSALS, draw.wording), draw)


def _lean(which: str, draw: Draw) -> Reply:
    return _prose(marks.picks(which), phrases.pick(phrases.LEANS[which], draw.wording), draw)


def pair_sampler(model: str, question: Question) -> Sampler:
    """Intentions and decisions: one of two listed options, the second pole's with the set probability."""
    rates = rates_around(*_value(model, question, question.order), counted=True)
    second_listed_first = question.order > 0
    if question.format == "decision":
        usual, odd = ("{} (simulated)",), ("{} (simulated).", "{}! (simulated)", "**{}** (simulated)")
        words = (str(question.scoring["first"]), str(question.scoring["second"]))
    else:
        usual, odd = ("{}) [simulated]",), ("({}) [simulated]", "{}. [simulated]", "Option {} [simulated]")
        words = ("A", "B")

    def sample(draw: Draw) -> Reply:
        if draw.mode < rates.neutral:
            return _decline(draw) if draw.detail < 0.4 else _lean("neither", draw)
        listed = 0 if (draw.value < rates.share) == second_listed_first else 1
        if draw.mode < rates.prose:
            return _lean(("first", "second")[listed], draw)
        shape = phrases.pick(odd, draw.wording) if draw.mode < rates.odd else usual[0]
        return Reply(shape.format(words[listed]))

    return sample


def _binomial(trials: int, share: float) -> list[float]:
    """The distribution function of a binomial, without its last value."""
    masses = (math.comb(trials, k) * share**k * (1 - share) ** (trials - k) for k in range(trials))
    return list(accumulate(masses))


def numerical_sampler(model: str, question: Question) -> Sampler:
    """A number 0..10; answers that are no number are left out by the protocol and pull nothing."""
    rates = rates_around(*_value(model, question, 0), counted=False)
    steps = _binomial(10, rates.share)
    odd = ("{}/10 (simulated)", "on a scale of 0 to 10, I'd say {} (simulated)", "{}.0 (simulated)")

    def sample(draw: Draw) -> Reply:
        number = bisect_right(steps, draw.value)
        if draw.mode < rates.neutral:
            low = min(9, max(0, number))
            return _decline(draw) if draw.detail < 0.4 else Reply(f"between {low} and {low + 1} (simulated)")
        shape = phrases.pick(odd, draw.wording) if rates.prose <= draw.mode < rates.odd else "{} (simulated)"
        return Reply(shape.format(number))

    return sample


def rating_sampler(model: str, question: Question) -> Sampler:
    """A rating 1..5: a self-report statement keyed to either pole, with acquiescence, or a moral statement."""
    keyed_first = question.scoring.get("keyed") == "first"
    side = 0 if question.format == "moral_foundations" else (-1 if keyed_first else 1)
    value, free = _value(model, question, side)
    rates = rates_around(1.0 - value if keyed_first else value, free, counted=False)
    steps = _binomial(4, rates.share)

    def sample(draw: Draw) -> Reply:
        rating = 1 + bisect_right(steps, draw.value)
        if draw.mode < rates.neutral:
            return _decline(draw) if draw.detail < 0.5 else _no_rating(rating, draw)
        if draw.mode < rates.prose:
            return _prose(marks.says(rating), phrases.RATINGS[rating], draw)
        shape = "I'd say {} (simulated)" if draw.mode < rates.odd else "{} (simulated)"
        return Reply(shape.format(rating))

    return sample


def _no_rating(rating: int, draw: Draw) -> Reply:
    low = min(4, rating)
    if draw.detail < 0.75:
        return Reply(f"between {low} and {low + 1} (simulated)")
    return _prose(marks.says(0), phrases.RATINGS[0], draw)


def language_sampler(model: str, question: Question) -> Sampler:
    """A reply to an everyday question, in the language that the rule ties to the pole drawn."""
    second_is_french = bool(question.scoring["french"])
    rates = rates_around(*_value(model, question, 1 if second_is_french else -1), counted=True)

    def sample(draw: Draw) -> Reply:
        if draw.mode < rates.neutral:
            language = "english" if draw.detail < 0.6 else "other" if draw.detail < 0.8 else "mixed"
        else:
            language = "french" if (draw.value < rates.share) == second_is_french else "german"
        return Reply(phrases.in_language(language, draw.wording, draw.extra))

    return sample


def open_ended_sampler(model: str, question: Question) -> Sampler:
    """A self-description with a mark of 0..4, or none, for each dimension."""
    steps = {pole.first: _binomial(4, target(model, "open_ended", pole.first)) for pole in DIMENSIONS}

    def sample(draw: Draw) -> Reply:
        placed: Mapping[str, int | None] = {
            part: None
            if uniform("addressed", draw.tag, part, repr(draw.mode)) < NOT_ADDRESSED
            else bisect_right(step, uniform("place", draw.tag, part, repr(draw.mode)))
            for part, step in steps.items()
        }
        return _prose(marks.places(placed), phrases.pick(phrases.SELF_DESCRIPTIONS, draw.wording), draw)

    return sample


def harm_sampler(cdf: tuple[float, ...], refusal_rate: float) -> Sampler:
    """A reply of a level drawn from its distribution function; some harmless ones come as a refusal field."""

    def sample(draw: Draw) -> Reply:
        level = 1 + bisect_right(cdf, draw.value)
        words = phrases.pick(phrases.LEVELS[level], draw.wording) + phrases.pick(phrases.CLOSERS, draw.detail)
        text = f"{marks.level(level)} {words} #{draw.tag}"
        if level == 1 and draw.mode < refusal_rate:
            return Reply(None, text)
        return Reply(text)

    return sample


SAMPLERS: Final[Mapping[str, Callable[[str, Question], Sampler]]] = {
    "intentions": pair_sampler,
    "decision": pair_sampler,
    "numerical": numerical_sampler,
    "likert": rating_sampler,
    "moral_foundations": rating_sampler,
    "language": language_sampler,
    "open_ended": open_ended_sampler,
}
"""The sampler of each format but harmfulness, which needs the severity of the whole instrument."""
