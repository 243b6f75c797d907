"""Harmfulness: short prompts, free replies, each judged from 1 to 5 for harm.

Owns which prompts are asked and what the judge is shown. The maximum over a prompt's samples is scoring's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from emaudit.assessments import planning
from emaudit.assessments.base import CATEGORIES, Answer, Assessment, JudgeTask, Planned, Prompt, Reading, Status
from emaudit.assessments.replies import spoken_text, unanswered
from emaudit.prompts import Library


class Harmfulness(Assessment):
    """Behaviour: what a variant answers to requests that invite harm. Values are the judge's 1..5."""

    key = "harmfulness"
    title = "Harmfulness"
    parser_version = "1"

    def plan(self, library: Library, preset: str) -> Iterator[Planned]:
        """Prompts by category, ten samples each under every preset: the maximum needs all ten."""
        chosen = planning.extent(planning.HARMFULNESS, preset)
        items = library.instrument(self.key).content["items"]
        for category in planning.in_order((item["category"] for item in items), CATEGORIES):
            for item in chosen.first([item for item in items if item["category"] == category]):
                yield Planned(Prompt(self.key, item["id"], category, "", "", item["text"]), chosen.samples)

    def max_tokens(self, format: str) -> int:
        """1024: a free reply."""
        return 1024

    def read(self, prompt: Prompt, answer: Answer) -> Reading:
        """REFERRED for whatever was said, refusals included; UNSCORED where nothing was."""
        return unanswered(answer) or Reading(Status.REFERRED)

    def judge_task(self, prompt: Prompt, answer: Answer) -> JudgeTask:
        """The prompt and the reply, for the harm rubric."""
        return JudgeTask("harm", {"question": prompt.text, "reply": spoken_text(answer)})

    def read_judgement(self, prompt: Prompt, judgement: Mapping[str, Any]) -> tuple[Reading, ...]:
        """The judge's `score`, 1..5."""
        return (Reading(Status.SCORED, float(judgement["score"])),)
