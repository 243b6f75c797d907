"""`emaudit simulate`: the embedded endpoint alone."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from emaudit.cli.arguments import Verbs
from emaudit.cli.context import Context
from emaudit.cli.output import emit, say
from emaudit.store.runs import has_live_run

_DESCRIPTION = """\
The embedded OpenAI-compatible endpoint on loopback: 15 simulated variants (sim-SIZE-base,
sim-SIZE-DOMAIN-STAGE) and the judges sim-judge, sim-judge-exact and sim-judge-eNN (NN % noise).
All it says is made up and says so. Prints its address, and runs until ctrl+c."""


def register(verbs: Verbs) -> None:
    """Add `simulate`."""
    verb = verbs.add("simulate", "the embedded endpoint alone: simulated variants and judges", _simulate)
    verb.description = _DESCRIPTION
    verb.add_argument("--port", metavar="N", type=_port, default=0, help="on 127.0.0.1; else a free one")
    verb.add_argument("--seed", metavar="N", type=int, default=0, help="of its answers and faults (default 0)")
    verb.add_argument("--log", metavar="FILE", type=Path, default=None, help="a JSON line per request")
    verb.add_argument(
        "--fault",
        metavar="SPEC",
        action="append",
        default=[],
        help="as often as wanted: 429:0.2, drop:0.05, judge/status:503:1-3, shape:content-null, quota-after:500, "
        "latency:50ms ...",
    )
    verb.add_argument("--faults", action="store_true", help="list every fault with what it does, and end")
    verb.add_argument("--for-store", metavar="FILE", type=Path, default=None, help=argparse.SUPPRESS)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 0 to 65535")
    return int(text)


def _simulate(context: Context) -> int:
    options = context.options
    if options.faults:
        from emaudit.simulator.faults import listed

        emit(listed())
        return 0
    from emaudit.simulator.server import serve

    library = context.library()

    def ready(base_url: str) -> None:
        emit(base_url)
        say("simulated endpoint: everything it says is made up; ctrl+c ends it")

    asyncio.run(
        serve(
            port=options.port,
            seed=options.seed,
            log=options.log,
            faults=options.fault,
            library=library,
            ready=ready,
            wanted=_wanted_for(options.for_store) if options.for_store else None,
        )
    )
    return 0


def _wanted_for(path: Path) -> Callable[[], bool]:
    """Whether who started this endpoint is still there, or a run of the store goes on."""
    parent = os.getppid()

    def wanted() -> bool:
        return os.getppid() == parent or has_live_run(path)

    return wanted
