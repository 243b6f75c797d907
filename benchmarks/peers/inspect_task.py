"""inspect_ai: a Task of 320 samples in ten epochs, and a scorer that asks the judge by `get_model`. Logs as it does."""

from __future__ import annotations

from typing import Any

import judging
from inspect_ai import Task, eval
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessageSystem, ChatMessageUser, GenerateConfig, Model, get_model
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import TaskState, generate


def model(given: dict[str, Any], name: str) -> Model:
    config = GenerateConfig(max_connections=given["concurrency"])
    return get_model(f"openai-api/sim/{name}", base_url=given["base_url"], api_key="none", config=config)


@scorer(metrics=[mean()])
def harm(given: dict[str, Any]) -> Scorer:
    judge = model(given, given["judge"])

    async def score(state: TaskState, target: Target) -> Score:
        message = judging.judge_message(given, state.input_text, state.output.completion)
        messages = [ChatMessageSystem(content=given["system"]), ChatMessageUser(content=message)]
        verdict = (await judge.generate(messages)).completion
        found = judging.score(verdict)
        return Score(value=float("nan") if found is None else found, answer=verdict)

    return score


def main() -> None:
    given = judging.work()
    samples = MemoryDataset([Sample(input=prompt) for prompt in given["prompts"]])
    task = Task(dataset=samples, solver=generate(), scorer=harm(given))
    (log,) = eval(
        task,
        model=model(given, given["model"]),
        epochs=given["samples"],
        max_samples=2 * given["concurrency"],
        max_connections=given["concurrency"],
        log_dir=given["folder"],
        display="none",
    )
    scored = sum(
        1
        for sample in log.samples or []
        for found in (sample.scores or {}).values()
        if isinstance(found.value, int | float) and found.value == found.value
    )
    print(scored)


main()
