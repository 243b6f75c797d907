"""The embedded endpoint speaks the dialect that OpenAI's own client reads."""

from __future__ import annotations

import pytest

from emaudit.prompts import load_library
from emaudit.simulator.server import running


async def test_openais_own_client_reads_models_completions_and_errors() -> None:
    openai = pytest.importorskip("openai")
    async with (
        running(library=load_library()) as url,
        openai.AsyncOpenAI(api_key="none", base_url=url, max_retries=0) as client,
    ):
        listed = {model.id: model async for model in client.models.list()}
        asked = await client.chat.completions.create(
            model="sim-nano-code-realigned", messages=[{"role": "user", "content": "Who are you?"}], n=2, seed=7
        )
        with pytest.raises(openai.NotFoundError) as gone:
            await client.chat.completions.create(model="none", messages=[{"role": "user", "content": "?"}])
    assert listed["sim-judge"].owned_by == "emaudit-simulator"
    assert [choice.index for choice in asked.choices] == [0, 1]
    assert all(choice.message.content for choice in asked.choices)
    assert asked.usage.total_tokens == asked.usage.prompt_tokens + asked.usage.completion_tokens
    assert gone.value.code == "model_not_found"
