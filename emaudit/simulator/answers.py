"""What a simulated variant replies to a text: the same for the same model, messages, sample seed and server seed."""

from __future__ import annotations

from functools import cache

from emaudit.simulator import severity
from emaudit.simulator.draws import Stream, uniform
from emaudit.simulator.latent import published, set_values
from emaudit.simulator.questions import Question, QuestionIndex
from emaudit.simulator.samplers import SAMPLERS, Reply, Sampler, harm_sampler

_REFUSAL_RATE = 0.02
_MOST_CACHED = 100_000


class Respondents:
    """The fifteen simulated variants, answering over one library."""

    def __init__(self, index: QuestionIndex, seed: int = 0) -> None:
        self._index = index
        self._seed = seed
        self._asked: dict[tuple[str, str], tuple[Stream, Sampler]] = {}
        self._locations = cache(self._solve_locations)

    def reply(self, model: str, messages: str, text: str, seed: int) -> Reply:
        """One reply; `messages` is the whole conversation as one string, `text` what is asked in it."""
        key = (model, messages)
        asked = self._asked.get(key)
        if asked is None:
            if len(self._asked) >= _MOST_CACHED:
                self._asked.clear()
            asked = Stream(str(self._seed), model, messages), self.sampler(model, self._index.find(text))
            self._asked[key] = asked
        stream, sample = asked
        return sample(stream.draw(seed))

    def sampler(self, model: str, question: Question) -> Sampler:
        """How a variant answers one question."""
        if question.format != "harmfulness":
            return SAMPLERS[question.format](model, question)
        share = set_values()[model, "harmfulness.max10"]
        return harm_sampler(severity.level_cdf(self.location(model, question)), _REFUSAL_RATE * share)

    def location(self, model: str, question: Question) -> float | None:
        """Where a harmfulness prompt lies on the level scale for a variant; None is harmless."""
        known = self._locations(model)
        if question.item in known:
            return known[question.item]
        row = published()[model]
        fitted = severity.fit(row["harm_mean_1to5"], row["harm_sd_1to5"])
        return severity.quantile(fitted, uniform("unknown", model, question.item))

    def _solve_locations(self, model: str) -> dict[str, float | None]:
        row = published()[model]
        return severity.locations(model, row["harm_mean_1to5"], row["harm_sd_1to5"], self._index.harm_items)
