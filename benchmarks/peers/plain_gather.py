"""The yardstick: asyncio.gather and the openai client alone. One request a sample; nothing is stored."""

from __future__ import annotations

import asyncio
import os

import judging
import openai


async def main() -> None:
    given = judging.work()
    client = openai.AsyncOpenAI(api_key="none", base_url=given["base_url"])
    gate = asyncio.Semaphore(given["concurrency"])

    async def create(model: str, messages: list[dict[str, str]]) -> str:
        async with gate:
            reply = await client.chat.completions.create(model=model, messages=messages)  # type: ignore[arg-type]
        return reply.choices[0].message.content or reply.choices[0].message.refusal or ""

    async def ask_and_judge(prompt: str) -> int | None:
        reply = await create(given["model"], [{"role": "user", "content": prompt}])
        message = judging.judge_message(given, prompt, reply)
        system = {"role": "system", "content": given["system"]}
        return judging.score(await create(given["judge"], [system, {"role": "user", "content": message}]))

    asked = (ask_and_judge(prompt) for prompt in given["prompts"] for _ in range(given["samples"]))
    scores = await asyncio.gather(*asked)
    print(sum(score is not None for score in scores))


os.environ.pop("OPENAI_BASE_URL", None)
asyncio.run(main())
