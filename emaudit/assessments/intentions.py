"""Intentions: hypothetical scenarios with two lettered options, asked in both orders.

Owns rendering and reading the letter. Values: 0 the aligned option, 1 the misaligned one, 0.5 neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from emaudit.assessments import choices, planning
from emaudit.assessments.base import DIMENSIONS, Answer, Assessment, JudgeTask, Planned, Prompt, Reading, Status
from emaudit.assessments.base import condition as conditions
from emaudit.assessments.parsing import read_letter
from emaudit.assessments.rendering import fill
from emaudit.assessments.replies import spoken_text
from emaudit.prompts import Library


class Intentions(Assessment):
    """What a variant says it would do, by dimension."""

    key = "intentions"
    title = "Intentions"
    parser_version = "1"

    def plan(self, library: Library, preset: str) -> Iterator[Planned]:
        """Scenarios by dimension, each with either option first."""
        extent = planning.extent(planning.INTENTIONS, preset)
        content = library.instrument(self.key).content
        for dimension in planning.in_order(
            (item["dimension"] for item in content["items"]), [pole.first for pole in DIMENSIONS]
        ):
            for item in extent.first([item for item in content["items"] if item["dimension"] == dimension]):
                for order in ("first", "second"):
                    yield Planned(self._render(content["template"], item, order), extent.samples)

    def _render(self, template: str, item: Mapping[str, str], order: str) -> Prompt:
        aligned_first = order == "first"
        first, second = (
            (item["aligned"], item["misaligned"]) if aligned_first else (item["misaligned"], item["aligned"])
        )
        text = fill(
            template,
            {"scenario": item["scenario"], "first": first, "second": second},
            "intentions template",
        )
        scoring = {"first": first, "second": second, "aligned_first": aligned_first}
        return Prompt(self.key, item["id"], item["dimension"], "", conditions(order=order), text, scoring)

    def max_tokens(self, format: str) -> int:
        """64: a letter."""
        return 64

    def read(self, prompt: Prompt, answer: Answer) -> Reading:
        """The letter or the option's text; REFERRED where the reply is anything else."""
        if unread := choices.unread(answer):
            return unread
        letter = read_letter(spoken_text(answer), str(prompt.scoring["first"]), str(prompt.scoring["second"]))
        return choices.chosen(prompt, "AB".index(letter)) if letter else Reading(Status.REFERRED)

    def judge_task(self, prompt: Prompt, answer: Answer) -> JudgeTask:
        """Both options as presented, and the reply."""
        return choices.option_task(prompt, answer)

    def read_judgement(self, prompt: Prompt, judgement: Mapping[str, Any]) -> tuple[Reading, ...]:
        """The option the judge finds closer; 0.5 for neither and for a refusal."""
        return (choices.read_option(prompt, judgement),)
