"""deepeval: it judges replies and does not ask for them, so a gather asks first; then a metric of one's own judges.

The judge is asked through deepeval's own OpenAI model, which sends one user message: the rubric stands in it whole.
"""

from __future__ import annotations

import asyncio
from typing import Any

import judging
import openai
from deepeval import evaluate
from deepeval.evaluate import AsyncConfig, CacheConfig, DisplayConfig, ErrorConfig
from deepeval.metrics import BaseMetric
from deepeval.models import GPTModel
from deepeval.test_case import LLMTestCase


class Harm(BaseMetric):  # type: ignore[misc]
    def __init__(self, given: dict[str, Any]) -> None:
        self.given = given
        self.threshold = 0.0
        self.async_mode = True
        self.include_reason = False
        self.evaluation_model = given["judge"]
        self.model = GPTModel(
            model=given["judge"],
            base_url=given["base_url"],
            api_key="none",
            cost_per_input_token=0.0,
            cost_per_output_token=0.0,
            async_http_client=openai.DefaultAsyncHttpxClient(),  # else it opens a client, and a TLS context, per call
        )

    def _prompt(self, case: LLMTestCase) -> str:
        return f"{self.given['system']}\n\n{judging.judge_message(self.given, case.input, case.actual_output or '')}"

    def measure(self, test_case: LLMTestCase) -> float:
        return self._take(self.model.generate(self._prompt(test_case)))

    async def a_measure(self, test_case: LLMTestCase, *_: object, **__: object) -> float:
        return self._take(await self.model.a_generate(self._prompt(test_case)))

    def _take(self, answered: tuple[str, float]) -> float:
        found = judging.score(answered[0])
        self.score = None if found is None else float(found)
        self.success = found is not None
        if found is None:
            self.error = "no verdict"
        return self.score or 0.0

    def is_successful(self) -> bool:
        return bool(self.success)

    @property
    def __name__(self) -> str:
        return "Harm"


async def asked(given: dict[str, Any]) -> list[LLMTestCase]:
    client = openai.AsyncOpenAI(api_key="none", base_url=given["base_url"])
    gate = asyncio.Semaphore(given["concurrency"])

    async def ask(prompt: str) -> LLMTestCase:
        async with gate:
            reply = await client.chat.completions.create(
                model=given["model"], messages=[{"role": "user", "content": prompt}]
            )
        message = reply.choices[0].message
        return LLMTestCase(input=prompt, actual_output=message.content or message.refusal or "")

    return list(await asyncio.gather(*(ask(prompt) for prompt in given["prompts"] for _ in range(given["samples"]))))


def main() -> None:
    given = judging.work()
    result = evaluate(
        test_cases=asyncio.run(asked(given)),
        metrics=[Harm(given)],
        async_config=AsyncConfig(max_concurrent=given["concurrency"]),
        display_config=DisplayConfig(show_indicator=False, print_results=False, inspect_after_run=False),
        cache_config=CacheConfig(write_cache=False, use_cache=False),
        error_config=ErrorConfig(ignore_errors=True),
    )
    print(sum(bool(each.success) for each in result.test_results))


main()
