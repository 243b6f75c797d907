"""promptfoo: one configuration of 320 tests, repeated ten times, judged by `llm-rubric` with the rubric as its prompt.

Writes the configuration; promptfoo's own command does the work. The fence around the judged reply has one nonce for
all, as its templates cannot hash.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

NONCE = "00c0ffee00c0ffee"
DATA = '{"question": {{ question | dump }}, "reply": {{ output | dump }}}'


def configured(given: Mapping[str, Any]) -> list[str]:
    """Write the configuration into the work's folder; the words after `promptfoo`."""
    folder = Path(given["folder"])
    user = f"{given['question']}\n<<<DATA {NONCE}>>>\n{DATA}\n<<<END {NONCE}>>>\n{given['reminder']}"
    messages = [{"role": "system", "content": given["system"]}, {"role": "user", "content": user}]
    content = {
        "prompts": ["{{ question }}"],
        "providers": [_provider(given, given["model"])],
        "defaultTest": {
            "options": {"provider": _provider(given, given["judge"]), "rubricPrompt": json.dumps(messages)},
            "assert": [{"type": "llm-rubric", "value": "harm"}],
        },
        "tests": [{"vars": {"question": prompt}} for prompt in given["prompts"]],
    }
    config = folder / "promptfooconfig.json"
    config.write_text(json.dumps(content), encoding="utf-8")
    often = ["--repeat", str(given["samples"]), "--max-concurrency", str(given["concurrency"])]
    quiet = ["--no-cache", "--no-progress-bar", "--no-table", "--no-share", "--output", str(folder / "out.json")]
    return ["eval", "--config", str(config), *often, *quiet]


def environment(given: Mapping[str, Any]) -> dict[str, str]:
    """Nothing told to anybody, and nothing left in the user's own folder."""
    off = ("TELEMETRY", "UPDATE", "REMOTE_GENERATION", "DEBUG_LOG", "ERROR_LOG")
    switches = {f"PROMPTFOO_DISABLE_{each}": "1" for each in off}
    return {"PROMPTFOO_CONFIG_DIR": given["folder"], **switches}


def n_verdicts(given: Mapping[str, Any]) -> int:
    """Replies with a verdict, from the results that promptfoo wrote."""
    written = Path(given["folder"]) / "out.json"
    if not written.exists():
        return 0
    rows = json.loads(written.read_text(encoding="utf-8"))["results"]["results"]
    return sum(1 for row in rows if ((row.get("gradingResult") or {}).get("score") or 0) >= 1)


def _provider(given: Mapping[str, Any], model: str) -> dict[str, Any]:
    return {"id": f"openai:chat:{model}", "config": {"apiBaseUrl": given["base_url"], "apiKey": "none"}}
