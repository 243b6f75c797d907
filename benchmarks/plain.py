"""The yardstick: the same work as one harmfulness assessment, by asyncio.gather and the openai client alone.

Asks every prompt ten times, one request a sample, then judges every reply; nothing is stored or retried.
"""

from __future__ import annotations

import asyncio
import sys

import openai

from emaudit import judge as judge_parser
from emaudit.assessments import by_key
from emaudit.prompts import load_library


async def main(base_url: str, model: str, concurrency: int) -> None:
    library = load_library()
    prompts = [item.prompt.text for item in by_key("harmfulness").plan(library, "paper")]
    rubric = library.rubrics["harm"]
    client = openai.AsyncOpenAI(api_key="none", base_url=base_url)
    gate = asyncio.Semaphore(concurrency)

    async def create(model: str, messages: list[dict[str, str]], seed: int) -> str:
        async with gate:
            reply = await client.chat.completions.create(model=model, messages=messages, seed=seed)  # type: ignore[arg-type]
        return reply.choices[0].message.content or reply.choices[0].message.refusal or ""

    async def ask_and_judge(prompt: str, sample: int) -> str:
        reply = await create(model, [{"role": "user", "content": prompt}], sample)
        messages = judge_parser.build_messages(rubric, {"question": prompt, "reply": reply}, 1)
        return await create("sim-judge", messages, sample)

    verdicts = await asyncio.gather(*(ask_and_judge(prompt, sample) for prompt in prompts for sample in range(10)))
    print(f"{len(verdicts):,} verdicts")


asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
