"""What `emaudit estimate` says against what is then sent: `python benchmarks/estimates.py [PRESET]`.

For two variants and every assessment: input and output tokens, requests and verdicts, estimated / sent by the
embedded endpoint's log; then the output that the run itself expected once 20 replies were in.
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

from emaudit import runner
from emaudit.assessments import ASSESSMENTS
from emaudit.config import Endpoint, JudgeSetting, Settings
from emaudit.estimates import Estimate, estimate
from emaudit.planning import RunSpec
from emaudit.prompts import load_library
from emaudit.simulator.server import running
from emaudit.store import Store
from emaudit.store.variants import add_variants

VARIANTS = {"misaligned": "sim-nano-code-misaligned", "base": "sim-mini-base"}


@dataclass(frozen=True)
class Measured:
    """One assessment of one variant: the estimate, the end expected after 20 replies, and what was sent."""

    estimate: Estimate
    expected: runner.RunState | None
    n_requests: int
    n_verdicts: int
    input_tokens: int
    output_tokens: int

    @property
    def input_ratio(self) -> float:
        """Estimated by sent."""
        return self.estimate.input_tokens / self.input_tokens

    @property
    def live_ratio(self) -> float | None:
        """Output expected after 20 replies by output in the end; None for a run that was over before."""
        said = self.expected.expected_output_tokens if self.expected else None
        return said / self.output_tokens if said else None


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
    n_before = len(log.read_text(encoding="utf-8").splitlines())
    ended = runner.start(store, settings, library, spec, observe=seen.append)
    assert ended.exit_code == 0, ended.why
    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()[n_before:]]
    return Measured(
        found,
        next((state for state in seen[:-1] if state.expected_output_tokens is not None), None),
        len(rows),
        sum(row["kind"] == "judge" for row in rows),
        sum(row["prompt_tokens"] for row in rows),
        sum(row["completion_tokens"] for row in rows),
    )


def main(preset: str) -> None:
    """Print a row per variant and assessment."""
    head = f"{'variant':<12}{'assessment':<24}{'input est/sent':>24}{'':>7}{'output est/sent':>20}{'':>7}{'basis':>16}"
    print(f"{head}{'requests':>14}{'verdicts':>12}{'output after 20':>17}")
    with tempfile.TemporaryDirectory() as name:
        folder, log, store = Path(name), Path(name) / "log", Path(name) / "s.db"
        with served(log, "latency:20ms") as url, Store.open(store, write=True, create=True) as held:
            add_variants(held, [{"name": key, "model": model, "endpoint": "sim"} for key, model in VARIANTS.items()])
            settings = settings_of(folder, url, max_concurrency=16)
            for variant in VARIANTS:
                for assessment in ASSESSMENTS:
                    spec = RunSpec((variant,), (assessment.key,), preset)
                    print(_line(variant, assessment.key, measured(store, settings, spec, log)), flush=True)


def _line(variant: str, assessment: str, found: Measured) -> str:
    held = found.estimate
    out = held.output_tokens / found.output_tokens
    live = f"{found.live_ratio:.3f}" if found.live_ratio else "over before"
    return (
        f"{variant:<12}{assessment:<24}{held.input_tokens:>12,}/{found.input_tokens:>11,}{found.input_ratio:>7.3f}"
        f"{held.output_tokens:>10,}/{found.output_tokens:>9,}{out:>7.3f}{held.basis:>16}"
        f"{held.n_requests:>7,}/{found.n_requests:>6,}{held.n_judgements:>6,}/{found.n_verdicts:>5,}{live:>17}"
    )


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "quick")
