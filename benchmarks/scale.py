"""A store of many variants and millions of replies: how large it gets, what opens, what slows, with how much memory.

python benchmarks/scale.py --folder DIR [--variants 1500]      some 3,600 replies a variant
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from emaudit.assessments import by_key
from emaudit.assessments.base import Planned
from emaudit.planning import plan_hash
from emaudit.prompts import Library, load_library
from emaudit.store.connection import Store
from emaudit.store.plans import Plan, write_plan
from emaudit.store.replies import ReplyRow
from emaudit.store.runs import insert_run, new_uid
from emaudit.store.scorers import judge, scorer
from emaudit.store.variants import add_variants, variants

DOMAINS, STAGES = ("code", "trivia", "law", "medicine"), ("base", "misaligned", "realigned")
ASSESSED, PRESET = ("harmfulness", "intentions", "self_assessment", "moral_self_assessment"), "quick"
PARAMS = '{"temperature":1}'
REPLY = ("reply_id", *ReplyRow.__slots__)
VERDICT = (
    *("verdict_id", "reply_id", "scorer_id", "part", "attempt", "status", "value", "reason", "raw", "model"),
    *("fingerprint", "prompt_tokens", "completion_tokens", "at"),
)
AT = "2026-11-22T12:00:00.000Z"
_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


def rows(n: int) -> list[dict[str, str]]:
    """Variants in lineages of a base, and a misaligned and a realigned one of each domain."""
    found: list[dict[str, str]] = []
    for number in range((n + 8) // 9):
        size, base = f"{number + 1}b", f"v{number:04d}-base"
        found.append({"name": base, "model": f"m/{base}", "size": size, "stage": "base"})
        for domain in DOMAINS:
            bad, good = f"v{number:04d}-{domain}-misaligned", f"v{number:04d}-{domain}-realigned"
            plain = {"size": size, "domain": domain}
            found.append({"name": bad, "model": f"m/{bad}", "stage": "misaligned", "parent": base, **plain})
            found.append({"name": good, "model": f"m/{good}", "stage": "realigned", "parent": bad, **plain})
    return [{**row, "endpoint": "sim"} for row in found[:n]]


class Filler:
    """Fills plans as a run would have, chains and all, without asking anybody."""

    def __init__(self, store: Store, source: random.Random) -> None:
        self.db = store.db
        self.source = source
        self.reply_id = self.verdict_id = 0

    def fill(self, plan: Plan, run_id: int, cells: Sequence[tuple[int, int]], parser: int, judge_id: int) -> int:
        """Every slot of a plan answered, read, and judged where it is harmfulness; returns how many."""
        replies: list[tuple[Any, ...]] = []
        verdicts: list[tuple[Any, ...]] = []
        seq, last = 0, b""
        harm = plan.assessment == "harmfulness"
        for cell_id, n in cells:
            for sample in range(n):
                self.reply_id += 1
                text = f"An answer of {self.source.getrandbits(24):x}, as short as they come."
                reply = (
                    *(cell_id, sample, 0, "ok", text, "stop", "", "{}", "m", "emaudit-sim", 40, 12, sample, 1),
                    *("http://127.0.0.1:9/v1", AT),
                )
                seq, last = self._link("reply", run_id, seq, last, reply)
                replies.append((self.reply_id, *reply, run_id, seq, last))
                value = float(self.source.randint(1, 5)) if harm else self.source.randint(0, 1) * 1.0
                first = ("referred", None) if harm else ("scored", value)
                read = [(parser, 0, *first)] + ([(judge_id, 1, "scored", value)] if harm else [])
                for who, attempt, status, found in read:
                    self.verdict_id += 1
                    verdict = (
                        *(self.reply_id, who, "", attempt, status, found, "", "", "", "emaudit-sim"),
                        *(None, None, AT),
                    )
                    seq, last = self._link("verdict", run_id, seq, last, verdict)
                    verdicts.append((self.verdict_id, *verdict, run_id, seq, last))
        for table, columns, found in (("replies", REPLY, replies), ("verdicts", VERDICT, verdicts)):
            names = f"{', '.join(columns)}, run_id, seq, chain"
            self.db.executemany(f"INSERT INTO {table} ({names}) VALUES ({'?,' * (len(columns) + 2)}?)", found)
        return len(replies)

    @staticmethod
    def _link(kind: str, run_id: int, seq: int, last: bytes, row: tuple[Any, ...]) -> tuple[int, bytes]:
        line = _encode([kind, run_id, seq + 1, *row]).encode("ascii")
        return seq + 1, hashlib.sha256(last + line).digest()


def build(path: Path, n_variants: int) -> int:
    """Make the store: four assessments of every variant at preset quick; returns how many replies it holds."""
    source = random.Random(1)
    library = load_library()
    done, began = 0, time.monotonic()
    with Store.open(path, write=True, create=True) as store:
        store.claim_kind("simulated")
        add_variants(store, rows(n_variants))
        judge_id = judge(store, "sim-judge", {"model": "sim-judge"}).scorer_id
        store.db.execute("PRAGMA synchronous = OFF")
        plans = {key: _slots(key, library) for key in ASSESSED}
        filler = Filler(store, source)
        for number, row in enumerate(variants(store), 1):
            with store.transaction():
                for key, (instrument, slots) in plans.items():
                    done += _one(store, filler, row.variant_id, key, instrument, slots, judge_id)
            if number % 100 == 0:
                print(f"{number:,} variants, {done:,} replies, {time.monotonic() - began:.0f} s", file=sys.stderr)
    return done


def _slots(key: str, library: Library) -> tuple[str, list[tuple[Planned, str]]]:
    instrument = library.instrument(key)
    return instrument.identity, [(item, PARAMS) for item in by_key(key).plan(library, PRESET)]


def _one(
    store: Store,
    filler: Filler,
    variant_id: int,
    key: str,
    instrument: str,
    slots: Sequence[tuple[Planned, str]],
    judge_id: int,
) -> int:
    parser = scorer(store, "parser", f"parser:{key}@{by_key(key).parser_version}", {}).scorer_id
    digest = plan_hash(instrument, slots)
    plan = write_plan(store, variant_id, 1, key, PRESET, instrument, instrument, digest, slots)
    run = insert_run(store, new_uid(), "ask", PRESET, [plan], judge_id, "{}", {})
    cells = store.db.execute(
        "SELECT cell_id, n_samples FROM plan_cells WHERE plan_id = ? ORDER BY position", (plan.plan_id,)
    ).fetchall()
    return filler.fill(plan, run.run_id, cells, parser, judge_id)


INSPECT = """
import sys
from pathlib import Path
from emaudit.filters import Filters
from emaudit.inspection.listing import Lister
lister = Lister(Path(sys.argv[1]))
page = lister.open(Filters(words=sys.argv[2]) if sys.argv[2] else Filters())
lister.close()
"""
FIRST_FRAME = """
import asyncio, resource, sys, time
began = time.monotonic()
from pathlib import Path
from emaudit.app import EmauditApp
from emaudit.config import Settings
async def main():
    app = EmauditApp(Path(sys.argv[1]), Settings(Path("none.toml")))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        print(f"first frame {time.monotonic() - began:.2f}", file=sys.stderr)
        await app.workers.wait_for_complete()
        print(f"all there {time.monotonic() - began:.2f}", file=sys.stderr)
asyncio.run(main())
"""


def measure(words: Sequence[str], environment: Mapping[str, str]) -> tuple[float, float, float]:
    """Wall and CPU seconds of a command, its children included, and its peak memory in MB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, *words], env=dict(environment), capture_output=True, text=True, check=False
    )
    wall = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    said = done.stderr.strip().splitlines()[-1:] or ["0"]
    if done.returncode:
        print(f"{' '.join(words)} ended with {done.returncode}: {done.stderr[-400:]}", file=sys.stderr)
    return wall, cpu, float(said[0].rpartition(" ")[2]) if said[0].rpartition(" ")[0] == "peak" else 0.0


WATCHED = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print("peak", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024, file=sys.stderr)
sys.exit(code)
"""


def commands(store: Path, folder: Path) -> Iterator[tuple[str, list[str]]]:
    """What is measured, each in a process of its own."""
    command = [sys.executable, "-m", "emaudit", "--store", str(store)]
    yield "--help", [sys.executable, "-m", "emaudit", "--help"]
    for words in (["variant", "list"], ["status"]):
        yield " ".join(words), [*command, *words]
    yield "estimate --all (nothing owed)", [*command, "estimate", "--all", "--preset", PRESET]
    yield "scores", [*command, "scores", "--preset", PRESET]
    yield "scores again", [*command, "scores", "--preset", PRESET]
    yield "correlate", [*command, "correlate", "--preset", PRESET]
    yield "Inspect: first page", [sys.executable, "-c", INSPECT, str(store), ""]
    yield "Inspect: search", [sys.executable, "-c", INSPECT, str(store), "answer of beef"]
    yield "app: first frame", [sys.executable, "-c", FIRST_FRAME, str(store)]
    yield "export", [*command, "export", str(folder / "out"), "--preset", PRESET]
    yield "verify", [*command, "verify"]
    yield "backup", [*command, "backup", str(folder / "copy.db")]
    merging = [sys.executable, "-m", "emaudit", "--store", str(folder / "merged.db"), "merge", str(store), "--yes"]
    yield "merge into a new store", merging
    yield "merge again (nothing new)", merging


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variants", type=int, default=1500)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    path = options.folder / "scale.db"
    if not path.exists():
        began = time.monotonic()
        n = build(path, options.variants)
        print(f"built {n:,} replies in {time.monotonic() - began:.0f} s", flush=True)
    print(f"{path.stat().st_size / 1e6:,.0f} MB", flush=True)
    settings = options.folder / "emaudit.toml"
    settings.write_text('[endpoints.sim]\nbase_url = "http://127.0.0.1:9/v1"\n[judge]\nmodel = "sim-judge"\n')
    environment = {
        **os.environ,
        "EMAUDIT_CONFIG": str(settings),
        "XDG_CACHE_HOME": str(options.folder / "cache"),
        "PYTHONPATH": str(Path.cwd()),
    }
    print("| what | wall s | CPU s | peak MB |\n|---|---|---|---|", flush=True)
    for name, words in commands(path, options.folder):
        if options.only in name:
            wall, cpu, peak = measure(words, environment)
            print(f"| {name} | {wall:.1f} | {cpu:.1f} | {peak:.0f} |", flush=True)


if __name__ == "__main__":
    main()
