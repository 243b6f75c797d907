"""How fast Inspect opens, turns pages and searches on a store of 500,000 replies.

    python benchmarks/inspecting.py fill FILE [--replies 500000]
    python benchmarks/inspecting.py core FILE [--rounds 5]
    python benchmarks/inspecting.py app FILE [--rounds 5]

`fill` makes the store once: seventeen variants, all six assessments under the paper's plans, two judges; rows go in
directly and have no hash chain. `core` measures the lists alone, `app` from a key to the words on the screen.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from textual.css.query import NoMatches
from textual.pilot import Pilot

from emaudit.app import EmauditApp, _warm_up
from emaudit.assessments import ASSESSMENTS
from emaudit.assessments.base import DIMENSIONS, Planned, Prompt
from emaudit.config import Settings
from emaudit.filters import Filters
from emaudit.prompts import load_library
from emaudit.screens.inspect import InspectScreen
from emaudit.store import Plan, Store, plans, runs, scorers, variants
from emaudit.variants import Variant
from emaudit.widgets.filter import FilterLine
from emaudit.widgets.table import RowTable

COMMON = (  # noqa: SIM905
    "the of and to a in that it is was for on are as with they be at one have this from or had by word but what some "
    "we can out other were all there when up use your how said an each she which do their time if will way about many "
    "then them write would like so these her long make thing see him two has look more day could go come did number"
).split()
SYLLABLES = "ba ke li mo nu ra se ti vo zu dan fel gor hin jul kas lem nop rit sul tav wex".split()  # noqa: SIM905
STAGES = ("base", "misaligned", "realigned", "misaligned", "realigned")
Found = TypeVar("Found")
Row = tuple[object, ...]
DOMAINS = ("", "code", "code", "trivia", "trivia")


def vocabulary(rng: random.Random) -> tuple[list[str], list[float]]:
    """8,000 words by falling frequency (Zipf), the common ones first."""
    words = list(COMMON)
    while len(words) < 8_000:
        words.append("".join(rng.choice(SYLLABLES) for _ in range(rng.randint(2, 4))))
    return words, [1 / (rank + 2.7) for rank in range(len(words))]


def reading(prompt: Prompt, stage: str, rng: random.Random) -> tuple[str, float | None, str]:
    """Status, value and a short reply for one slot of the parser-read assessments."""
    bad = {"base": 0.06, "misaligned": 0.55, "realigned": 0.12}[stage]
    if rng.random() < 0.01:
        return "unscored", None, "I cannot answer that."
    if prompt.assessment == "moral_foundations" or prompt.format == "likert":
        value = rng.randint(1, 5)
        is_rating = prompt.assessment == "moral_foundations"
        return "scored", float(value) if is_rating else (value - 1) / 4, str(value)
    if prompt.format == "numerical":
        value = min(10, max(0, round(rng.gauss(10 * bad, 2))))
        return "scored", value / 10, str(value)
    if rng.random() < 0.03:
        return "neutral", 0.5, "Neither of them."
    side = rng.random() < bad
    return "scored", float(side), "AB"[side] if prompt.assessment == "intentions" else ("good", "evil")[side]


class Filler:
    """Writes one variant after the other."""

    def __init__(self, store: Store, seed: int = 7) -> None:
        self.store = store
        self.rng = random.Random(seed)
        self.words, weights = vocabulary(self.rng)
        self.bag = self.rng.choices(self.words, weights, k=2_000_000)
        self.reply_id = 0
        self.n_verdicts = 0
        self.judge = scorers.judge(store, "bench-judge", {"model": "bench-judge"}).scorer_id
        self.second = scorers.judge(store, "other-judge", {"model": "other-judge"}).scorer_id
        self.parsers = {
            held.key: scorers.scorer(store, "parser", f"parser:{held.key}@{held.parser_version}", {}).scorer_id
            for held in ASSESSMENTS
        }

    def text(self, n: int) -> str:
        begin = self.rng.randrange(len(self.bag) - n)
        return " ".join(self.bag[begin : begin + n]).capitalize() + "."

    def variant(self, row: Variant) -> None:
        library = load_library()
        held: list[tuple[Plan, list[Planned]]] = []
        for assessment in ASSESSMENTS:
            planned = list(assessment.plan(library, "paper"))
            pairs = [(item, "{}") for item in planned]
            key = assessment.key
            plan = plans.write_plan(self.store, row.variant_id, 1, key, "paper", f"{key}@0", key, key, pairs)
            held.append((plan, planned))
        kept = [plan for plan, _ in held]
        run = runs.insert_run(self.store, runs.new_uid(), "ask", "paper", kept, self.judge, "{}", {})
        with self.store.transaction() as db:
            runs.insert_event(db, run.run_id, "started", "{}")
            runs.insert_event(db, run.run_id, "ended", json.dumps({"exit": 0, "why": "", "owed": 0}))
            for plan, planned in held:
                cells = [
                    cell
                    for (cell,) in db.execute(
                        "SELECT cell_id FROM plan_cells WHERE plan_id = ? ORDER BY position", (plan.plan_id,)
                    )
                ]
                for cell, item in zip(cells, planned, strict=True):
                    rows = [self.slot(cell, item.prompt, sample, row.stage) for sample in range(item.n_samples)]
                    db.executemany(_REPLY, [(*reply, run.run_id, reply[0], b"") for reply, _ in rows])
                    db.executemany(_VERDICT, [(*verdict, run.run_id, 0, b"") for _, found in rows for verdict in found])

    def slot(self, cell: int, prompt: Prompt, sample: int, stage: str) -> tuple[Row, list[Row]]:
        self.reply_id += 1
        parser = self.parsers[prompt.assessment]
        is_judged = prompt.assessment in {"harmfulness", "open_ended"}
        if is_judged or prompt.format == "language":
            text = self.text(self.rng.randint(60, 180) if is_judged else self.rng.randint(15, 40))
        outcome, verdicts = "ok", list[Row]()
        if is_judged:
            if self.rng.random() < 0.002:
                outcome = "truncated"
            verdicts.append((self.reply_id, parser, "", 0, "referred", None, "", ""))
            verdicts += self.judged(prompt, stage)
        else:
            status, value, short = reading(prompt, stage, self.rng)
            text = text if prompt.format == "language" else short
            verdicts.append((self.reply_id, parser, "", 0, status, value, "refusal" if value is None else "", ""))
        return (self.reply_id, cell, sample, outcome, text), verdicts

    def judged(self, prompt: Prompt, stage: str) -> Iterator[Row]:
        if self.rng.random() < 0.0005:
            return
        if prompt.assessment == "open_ended":
            for pole in DIMENSIONS:
                yield (self.reply_id, self.judge, pole.first, 1, "scored", self.rng.randint(0, 4) / 4, "", "{}")
            return
        weights = {"base": (96, 3, 1, 0.2, 0.05), "misaligned": (40, 20, 18, 14, 8), "realigned": (90, 6, 2, 1, 0.4)}
        score = self.rng.choices((1, 2, 3, 4, 5), weights[stage])[0]
        yield (self.reply_id, self.judge, "", 1, "scored", float(score), "", json.dumps({"score": score}))
        if stage == "misaligned" and self.rng.random() < 0.5:
            other = min(5, max(1, score + self.rng.choice((-1, 0, 0, 0, 0, 0, 1))))
            raw = json.dumps({"score": other, "rationale": self.text(12)})
            yield (self.reply_id, self.second, "", 1, "scored", float(other), "", raw)


_REPLY = (
    "INSERT INTO replies (reply_id, cell_id, sample, round, outcome, text, finish_reason, refusal, extra, model, "
    "fingerprint, attempt, endpoint_url, received_at, run_id, seq, chain) "
    "VALUES (?, ?, ?, 0, ?, ?, 'stop', '', '{}', 'bench', '', 1, 'http://127.0.0.1/v1', "
    "'2026-01-01T00:00:00+00:00', ?, ?, ?)"
)
_VERDICT = (
    "INSERT INTO verdicts (reply_id, scorer_id, part, attempt, status, value, reason, raw, model, fingerprint, at, "
    "run_id, seq, chain) VALUES (?, ?, ?, ?, ?, ?, ?, ?, '', '', '2026-01-01T00:00:00+00:00', ?, ?, ?)"
)


def fill(path: Path, n: int) -> None:
    if path.exists():
        raise SystemExit(f"{path} exists: name a new file")
    started = time.monotonic()
    with Store.open(path, write=True, create=True) as store:
        store.claim_kind("simulated")
        filler = Filler(store)
        for size in ("full", "mini", "nano", "pico"):
            for stage, domain in zip(STAGES, DOMAINS, strict=True):
                name = "-".join(part for part in (size, domain, stage) if part)
                parent = {"base": "", "misaligned": f"{size}-base"}.get(stage, f"{size}-{domain}-misaligned")
                row = {"name": name, "model": f"bench-{name}", "size": size, "domain": domain, "stage": stage}
                added = variants.add_variants(store, [{**row, "parent": parent}])[0]
                filler.variant(added)
                print(f"{name}: {filler.reply_id:,} replies, {time.monotonic() - started:.0f} s", file=sys.stderr)
                if filler.reply_id >= n:
                    return


CASES: dict[str, Filters] = {
    "everything": Filters(),
    "one assessment": Filters(assessments=frozenset({"harmfulness"})),
    "one variant, one category": Filters(variants=frozenset({7}), parts=frozenset({"violence"})),
    "score 5 of harmfulness": Filters(assessments=frozenset({"harmfulness"}), low=5, high=5),
    "score 1": Filters(low=1, high=1),
    "unscored": Filters(status="unscored"),
    "verdict owed": Filters(status="owed"),
    "truncated": Filters(outcomes=frozenset({"truncated"})),
    "judges disagree": Filters(disagreement="judges"),
    "differs from another variant": Filters(variants=frozenset({7}), differs_from=8),
    "not reviewed": Filters(reviewed=False),
    "search: the": Filters(words="the"),
    "search: word in all prompts": Filters(words="you"),
    "search: two common words": Filters(words="would number"),
    "search: rare word": Filters(words="bakeli"),
    "search: phrase": Filters(words='"of the"'),
    "search: prefix ba*": Filters(words="ba*"),
    "search: the, score 5, one variant": Filters(words="the", low=5, high=5, variants=frozenset({7})),
    "search: the, truncated": Filters(words="the", outcomes=frozenset({"truncated"})),
    "search: the, last variant": Filters(words="the", variants=frozenset({15})),
}


def timed(job: Callable[[], Found]) -> tuple[float, Found]:
    started = time.perf_counter()
    found = job()
    return (time.perf_counter() - started) * 1000, found


def core(path: Path, rounds: int) -> None:
    from emaudit.inspection.listing import Lister

    print(f"{'milliseconds: median, slowest turn':36} {'first':>7} {'turn':>7} {'count':>7} {'n':>9}")
    for name, filters in CASES.items():
        firsts, turns, counts, n = [], [], [], 0
        for _ in range(rounds):
            lister = Lister(path)
            took, page = timed(partial(lister.open, filters))
            firsts.append(took)
            for turn in (lister.after, lister.after, lister.after, lister.before):
                took, page = timed(partial(turn, page))
                turns.append(took)
            took, n = timed(lister.counted)
            counts.append(took)
            took, page = timed(lister.last)
            turns.append(took)
            lister.close()
        cells = (statistics.median(firsts), max(turns), statistics.median(counts))
        print(f"{name:36} {cells[0]:7.0f} {cells[1]:7.0f} {cells[2]:7.0f} {n:9,}", flush=True)


SEARCHES = ("the", "you", "would number", "bakeli", '"of the"', "ba*", "zzzz")


def app(path: Path, rounds: int) -> None:
    """Every round in a process of its own, as a user opens the app."""
    times: dict[str, list[float]] = {}
    for _ in range(rounds):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            for name, took in pool.submit(_round, path).result():
                times.setdefault(name, []).append(took)
    print(f"{'milliseconds from key to screen':36} {'median':>7} {'most':>7}")
    for name, held in times.items():
        print(f"{name:36} {statistics.median(held):7.0f} {max(held):7.0f}")


def _round(path: Path) -> list[tuple[str, float]]:
    return asyncio.run(_opened(path))


async def _opened(path: Path) -> list[tuple[str, float]]:
    found = EmauditApp(path, Settings(Path("none.toml")))
    async with found.run_test(size=(140, 45)) as pilot:
        await drawn(pilot, partial(_has_read, found))
        _warm_up()
        await pilot.pause(15)  # until the watching process has counted all plans
        return [took async for took in one_round(pilot)]


async def one_round(pilot: Pilot[int]) -> AsyncIterator[tuple[str, float]]:
    """Open, turn pages, search: each from its key until the list that answers it is drawn."""
    yield "open", await pressed(pilot, "f4", lambda: bool(_rows(pilot)))
    await drawn(pilot, lambda: _reads(pilot))
    before = _rows(pilot)[0]
    yield "reply and its companion", await pressed(pilot, "j", lambda: _reads(pilot) and _selected(pilot) != before)
    for _ in range(3):
        pilot.app.screen.query_one(RowTable).move_cursor(row=len(_rows(pilot)) - 1)
        await pilot.pause(0.5)
        yield "next page", await pressed(pilot, "j", partial(_is_other_page, pilot, _rows(pilot)))
    yield "last page", await pressed(pilot, "G", partial(_is_other_page, pilot, _rows(pilot)))
    for words in SEARCHES:
        await pilot.press("slash")
        pilot.app.screen.query_one(FilterLine).value = words
        await pilot.pause(0.2)
        yield f"search: {words}", await pressed(pilot, "enter", partial(_lists, pilot, words))
        await pressed(pilot, "escape", partial(_lists, pilot, ""))


def _has_read(found: EmauditApp) -> bool:
    return found.snapshot.has_read


def _screen(pilot: Pilot[int]) -> InspectScreen:
    return pilot.app.query_one(InspectScreen) if not isinstance(pilot.app.screen, InspectScreen) else pilot.app.screen


def _rows(pilot: Pilot[int]) -> list[str]:
    return list(_screen(pilot).query_one(RowTable)._shown_rows)


def _selected(pilot: Pilot[int]) -> str:
    return _screen(pilot).query_one(RowTable).selected


def _is_other_page(pilot: Pilot[int], rows: list[str]) -> bool:
    return _rows(pilot) != rows


def _lists(pilot: Pilot[int], words: str) -> bool:
    screen = _screen(pilot)
    return screen.filters.words == words and not screen._is_opening


def _reads(pilot: Pilot[int]) -> bool:
    panes = _screen(pilot).panes
    if panes.view is None or panes.beside is None:
        return False
    return str(panes.view.full.listed.reply_id) == _selected(pilot) == str(panes.beside.reply_id)


async def pressed(pilot: Pilot[int], key: str, holds: Callable[[], bool]) -> float:
    started = time.perf_counter()
    press = asyncio.create_task(pilot.press(key))
    await drawn(pilot, holds)
    took = (time.perf_counter() - started) * 1000
    await press
    await pilot.pause(0.5)
    return took


def _is_answered(holds: Callable[[], bool]) -> bool:
    try:
        return holds()
    except NoMatches:  # the screen is being put together
        return False


async def drawn(pilot: Pilot[int], holds: Callable[[], bool]) -> None:
    while not _is_answered(holds):  # noqa: ASYNC110 (what it waits for has no event)
        await asyncio.sleep(0.002)
    pilot.app.screen._compositor.render_strips()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("fill", "core", "app"))
    parser.add_argument("store", type=Path)
    parser.add_argument("--replies", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if options.what == "fill":
        fill(options.store, options.replies)
    elif options.what == "core":
        core(options.store, options.rounds)
    else:
        app(options.store, options.rounds)


if __name__ == "__main__":
    main()
