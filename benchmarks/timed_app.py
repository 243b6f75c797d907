"""The app as it is, writing to the file BENCH_KEYS when each action of a key begins (monotonic seconds)."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping

from textual.actions import ActionParseResult
from textual.app import App
from textual.dom import DOMNode

from emaudit.__main__ import main

NOTED = os.open(os.environ["BENCH_KEYS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
unnoted = App.run_action


async def noted(
    self: App[object],
    action: str | ActionParseResult,
    default_namespace: DOMNode | None = None,
    namespaces: Mapping[str, DOMNode] | None = None,
) -> bool:
    os.write(NOTED, f"{time.monotonic()}\n".encode())
    return await unnoted(self, action, default_namespace, namespaces)


App.run_action = noted  # type: ignore[method-assign, assignment]
sys.exit(main(sys.argv[1:]))
