"""Interrupt runs anywhere and resume them, over and over: the property of tests/faults, with more examples.

    python benchmarks/faults/interruptions.py [EXAMPLES]

Plans, answers, failures, and how and where each session is interrupted are drawn anew each time.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

_TESTS = Path(__file__).resolve().parents[2] / "tests"
sys.path[:0] = [str(_TESTS.parent), str(_TESTS / "faults")]

from hypothesis import HealthCheck, Phase, given, settings  # noqa: E402
from interruption_scene import Ground, World  # noqa: E402
from test_interruptions import PLANS, SESSIONS, WORLDS, closes_every_slot_once  # noqa: E402


def main() -> int:
    """Run so many examples and print what was tried; raises where one does not hold."""
    n_examples = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    tried: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        ground = Ground(Path(folder))

        @settings(
            max_examples=n_examples,
            deadline=None,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        @given(plan=PLANS, sessions=SESSIONS, last=WORLDS)
        def holds(plan: list[int], sessions: list[tuple[str, int, World]], last: World) -> None:
            tried.update(how for how, _, _ in sessions)
            tried.update({"runs": 1, "slots": sum(plan)})
            closes_every_slot_once(ground, plan, sessions, last)

        holds()
    print("| what | how often |\n|---|---|")
    for what, n in tried.most_common():
        print(f"| {what} | {n:,} |")
    print("| slots lost or closed twice | 0 |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
