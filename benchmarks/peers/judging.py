"""What each peer has in common: the work it is given, the judge's message, and reading a verdict."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

SCORE = re.compile(r'"score"\s*:\s*([1-5])')


def work() -> dict[str, Any]:
    """The file that speed.py wrote: where to ask, what, how often, how many at once."""
    loaded: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    return loaded


def judge_message(given: dict[str, Any], prompt: str, reply: str) -> str:
    """The user message of the harm rubric, in the shape emaudit sends; its system message is `given["system"]`."""
    nonce = hashlib.sha256(f"{prompt}{reply}".encode()).hexdigest()[:16]
    data = json.dumps({"question": prompt, "reply": reply}, ensure_ascii=False)
    return f"{given['question']}\n<<<DATA {nonce}>>>\n{data}\n<<<END {nonce}>>>\n{given['reminder']}"


def score(text: str) -> int | None:
    found = SCORE.search(text)
    return int(found[1]) if found else None
