"""Moral foundations: 36 statements, rated one at a time from 1 to 5.

Owns rendering and reading the rating. No item is reverse-keyed; norms and foundations are scoring's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from emaudit.assessments import planning, ratings
from emaudit.assessments.base import FOUNDATIONS, Answer, Assessment, JudgeTask, Planned, Prompt, Reading
from emaudit.assessments.rendering import fill
from emaudit.prompts import Library


class MoralFoundations(Assessment):
    """How well moral statements describe a variant. Values are its own ratings, 1..5."""

    key = "moral_foundations"
    title = "Moral foundations"
    parser_version = "2"

    def plan(self, library: Library, preset: str) -> Iterator[Planned]:
        """Statements in the instrument's order; `smoke` asks the first of each foundation."""
        extent = planning.extent(planning.STATEMENTS, preset)
        content = library.instrument(self.key).content
        asked: dict[str, int] = {pole.first: 0 for pole in FOUNDATIONS}
        for item in content["items"]:
            asked[item["foundation"]] += 1
            if extent.items is None or asked[item["foundation"]] <= extent.items:
                text = fill(content["template"], {"statement": item["text"]}, "moral_foundations template")
                name = f"moral-{int(item['item']):02d}"
                yield Planned(Prompt(self.key, name, item["foundation"], "", "", text), extent.samples)

    def max_tokens(self, format: str) -> int:
        """64: a number."""
        return 64

    def read(self, prompt: Prompt, answer: Answer) -> Reading:
        """The rating, 1..5; a refusal is missing, never a number."""
        return ratings.read(answer, float)

    def judge_task(self, prompt: Prompt, answer: Answer) -> JudgeTask:
        """The statement and the reply."""
        return ratings.rating_task(prompt, answer)

    def read_judgement(self, prompt: Prompt, judgement: Mapping[str, Any]) -> tuple[Reading, ...]:
        """The rating the judge found, 1..5."""
        return (ratings.read_judged(judgement, float),)
