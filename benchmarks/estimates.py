"""What `emaudit estimate` says against what is then sent: `python benchmarks/estimates.py [PRESET]`.

For four variants, one after another in one store, and every assessment: tokens estimated / sent by the embedded
endpoint's log. Before the run: what is asked of the variant, of the judge, and both; then what the run itself expects
in all once 20 replies are read, once a quarter is, and at its end.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar
from unittest import mock

from emaudit import runner
from emaudit.assessments import ASSESSMENTS
from emaudit.assessments.base import Reading
from emaudit.config import Endpoint, JudgeSetting, Settings
from emaudit.estimates import Estimate, estimate
from emaudit.planning import RunSpec
from emaudit.prompts import load_library
from emaudit.runner.outlook import End, Outlook
from emaudit.simulator.server import running
from emaudit.store import Store
from emaudit.store.variants import add_variants

VARIANTS = {
    "sim-nano-code-misaligned": ("nano", "code", "misaligned"),
    "sim-mini-base": ("mini", "", "base"),
    "sim-mini-trivia-realigned": ("mini", "trivia", "realigned"),
    "sim-full-code-misaligned": ("full", "code", "misaligned"),
}


@dataclass(frozen=True)
class Sent:
    """What the endpoint counted."""

    n: int
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True)
class Measured:
    """One assessment of one variant: the estimate, the ends expected on the way, and what was sent."""

    estimate: Estimate
    at_20: End | None
    at_quarter: End | None
    at_end: runner.RunState | None
    asking: Sent
    judging: Sent

    @property
    def input_tokens(self) -> int:
        """Of variant and judge."""
        return self.asking.input_tokens + self.judging.input_tokens

    @property
    def output_tokens(self) -> int:
        """Of variant and judge."""
        return self.asking.output_tokens + self.judging.output_tokens


class Followed(Outlook):
    """An outlook that keeps what it expected once so many replies were read."""

    at: ClassVar[dict[int, End | None]] = {}

    def read(self, plan_id: int, form: str, reading: Reading) -> None:
        """Take note, and look ahead."""
        super().read(plan_id, form, reading)
        n_read = sum(took.read for took in self._replies.values())
        for n in (20, sum(part.load.n_owed for part in self.parts) // 4):
            if n == n_read:
                self.at[n] = self.end()


@contextmanager
def served(log: Path, *faults: str) -> Iterator[str]:
    """The embedded endpoint in a thread of its own."""
    loop, ready, address = asyncio.new_event_loop(), threading.Event(), [""]

    async def serve() -> None:
        async with running(log=log, faults=faults) as address[0]:
            ready.set()
            await ended.wait()

    ended = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    ready.wait(30)
    try:
        yield address[0]
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()


def settings_of(folder: Path, url: str, **more: object) -> Settings:
    """Settings with one endpoint and its judge."""
    endpoint = replace(Endpoint("sim", url), **more)  # type: ignore[arg-type]
    return Settings(folder / "emaudit.toml", {"sim": endpoint}, JudgeSetting("", "sim-judge", "sim"))


def measured(store: Path, settings: Settings, spec: RunSpec, log: Path) -> Measured:
    """Estimate a run, run it, and count what the endpoint saw."""
    library = load_library()
    with Store.open(store) as held:
        (found,) = estimate(held, settings, library, spec)
    seen: list[runner.RunState] = []
    Followed.at.clear()
    n_before = len(log.read_text(encoding="utf-8").splitlines())
    with mock.patch("emaudit.runner.outlook.Outlook", Followed):
        ended = runner.start(store, settings, library, spec, observe=seen.append)
    assert ended.exit_code == 0, ended.why
    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()[n_before:]]
    asking, judging = (_sent([row for row in rows if (row["kind"] == "judge") is judged]) for judged in (False, True))
    at = Followed.at
    return Measured(found, at.get(20), at.get(found.n_owed // 4), seen[-1], asking, judging)


def _sent(rows: list[dict[str, int]]) -> Sent:
    asked, said = (sum(row[name] for row in rows) for name in ("prompt_tokens", "completion_tokens"))
    return Sent(len(rows), asked, said)


HEAD = """\
                                                INPUT estimated / sent                        of all      OUTPUT
                              before:  asking  judging at most     all | 20 in  quarter    end | before   20 in  \
quarter    end  verdicts"""


def main(preset: str) -> None:
    """Print a row per variant and assessment."""
    print(HEAD)
    with tempfile.TemporaryDirectory() as name:
        folder, log, store = Path(name), Path(name) / "log", Path(name) / "s.db"
        with served(log, "latency:20ms") as url, Store.open(store, write=True, create=True) as held:
            add_variants(held, [_row(model) for model in VARIANTS])
            settings = settings_of(folder, url, max_concurrency=16)
            for variant in VARIANTS:
                print(variant)
                for assessment in ASSESSMENTS:
                    spec = RunSpec((variant,), (assessment.key,), preset)
                    print(_line(assessment.key, measured(store, settings, spec, log)), flush=True)


def _row(model: str) -> dict[str, str]:
    size, domain, stage = VARIANTS[model]
    return {"name": model, "model": model, "endpoint": "sim", "size": size, "domain": domain, "stage": stage}


def _line(assessment: str, found: Measured) -> str:
    held, n_in, n_out = found.estimate, found.input_tokens, found.output_tokens
    ends = (found.at_20, found.at_quarter)
    asking, judged = found.asking.input_tokens, found.judging.input_tokens
    before = (
        ((held.input_tokens - held.judge_input_tokens), asking),
        (held.judge_input_tokens, judged),
        (held.most_input_tokens, n_in),
        (held.input_tokens, n_in),
    )
    asks = [(end.input_tokens if end else None, n_in) for end in ends]
    says = [(end.output_tokens if end else None, n_out) for end in ends]
    last = found.at_end
    asks.append((last.expected_input_tokens if last else None, n_in))
    says.append((last.expected_output_tokens if last else None, n_out))
    parts = (before, asks, [(held.output_tokens, n_out), *says])
    columns = " |".join("".join(f"{_ratio(*pair):>8}" for pair in part) for part in parts)
    return f"  {assessment:<22}{held.basis:>14}{columns}  {held.n_judgements:>4}/{found.judging.n}"


def _ratio(estimated: int | None, sent: int) -> str:
    return f"{estimated / sent:.3f}" if estimated is not None and sent else "-"


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "quick")
