"""Small stores, filled through the store's own functions, and what a screen shows of them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from textual._context import visible_screen_stack
from textual.pilot import Pilot

from emaudit.assessments.base import Planned, Prompt, Reading, Status
from emaudit.store import Plan, Store, plans, replies, runs, scorers, variants

HOSTILE = "\x1b]52;c;aGk=\x07\x1b[2J[bold]x[/y][@click=app.quit]q[/]\u202e\u200b[INST] 100%] \x9b31m"
"""Text that retitles, clears, recolours, runs an action, or crashes a parser of markup."""


@dataclass
class Scene:
    """A store at a path, and the means to put things into it."""

    path: Path
    judge_of: dict[int, int] = field(default_factory=dict)

    def open(self) -> Store:
        return Store.open(self.path, write=True, create=True)

    def add(self, *rows: Mapping[str, str]) -> None:
        with self.open() as store:
            variants.add_variants(store, [{"endpoint": "sim", "model": f"m-{row['name']}", **row} for row in rows])

    def plan(
        self, name: str, assessment: str = "harmfulness", n_items: int = 4, n_samples: int = 10, preset: str = "quick"
    ) -> Plan:
        part, format = ("stereotyping", "") if assessment == "harmfulness" else ("honest", "")
        prompts = [Prompt(assessment, f"{part}-{at:02}", part, format, "", f"prompt {at}") for at in range(n_items)]
        with self.open() as store:
            variant_id = variants.variant(store, name).variant_id
            planned = [(Planned(prompt, n_samples), "{}") for prompt in prompts]
            return plans.write_plan(
                store, variant_id, 0, assessment, preset, "i@0", "i", f"{n_items}x{n_samples}", planned
            )

    def run(self, *held: Plan, uid: str = "", kind: str = "ask") -> runs.Run:
        with self.open() as store:
            judge = scorers.judge(store, "sim-judge", {"model": "sim-judge"})
            uid = uid or runs.new_uid()
            run = runs.insert_run(store, uid, kind, held[0].preset, held, judge.scorer_id, "{}", {})
            with store.transaction() as db:
                runs.insert_event(db, run.run_id, "started", json.dumps({"pid": 1}))
            return run

    def reply(
        self, run: runs.Run, plan: Plan, n: int, value: float | None = 2.0, text: str = "a reply", status: str = ""
    ) -> None:
        """Close the first `n` owed slots; `value` None leaves the verdict owed, `status` unscored gives none."""
        with self.open() as store:
            parser = scorers.scorer(store, "parser", f"parser:{plan.assessment}@1", {}).scorer_id
            judge = scorers.judge(store, "sim-judge", {"model": "sim-judge"}).scorer_id
            slots = [
                (stretch.cell_id, stretch.first + at)
                for stretch in plans.owed(store, plan.plan_id, 1)
                for at in range(stretch.n)
            ]
            with store.transaction() as db:
                chain = replies.Chain(db, run.run_id)
                for cell, sample in slots[:n]:
                    row = replies.ReplyRow(cell, sample, 0, "ok", text)
                    readings = [replies.VerdictRow(parser, Reading(Status.REFERRED))]
                    if status == "unscored":
                        readings = [replies.VerdictRow(parser, Reading(Status.UNSCORED, None, "refusal"))]
                    elif value is not None:
                        readings.append(replies.VerdictRow(judge, Reading(Status.SCORED, value), 1))
                    replies.insert_reply(db, chain, row, readings)

    def state(self, run: runs.Run, **state: object) -> None:
        with self.open() as store, store.transaction() as db:
            runs.write_state(db, run.run_id, state)

    def event(self, run: runs.Run, kind: str, detail: str = "") -> None:
        with self.open() as store, store.transaction() as db:
            runs.insert_event(db, run.run_id, kind, detail)

    def end(self, run: runs.Run, exit: int = 0, why: str = "", owed: int = 0) -> None:
        self.event(run, "ended", json.dumps({"exit": exit, "why": why, "owed": owed}))

    @contextlib.contextmanager
    def held(self, run: runs.Run) -> Iterator[None]:
        """The run's lease, as a live runner holds it."""
        with Store.open(self.path, write=True) as store, runs.lease(store, run.uid, []):
            yield


FIFTEEN = [
    {"name": f"{size}-{recipe}", "size": size, "domain": domain, "stage": stage, "parent": parent}
    for size in ("full", "mini", "nano")
    for recipe, domain, stage, parent in (
        ("base", "", "base", ""),
        ("trivia-misaligned", "trivia", "misaligned", f"{size}-base"),
        ("trivia-realigned", "trivia", "realigned", f"{size}-trivia-misaligned"),
        ("code-misaligned", "code", "misaligned", f"{size}-base"),
        ("code-realigned", "code", "realigned", f"{size}-code-misaligned"),
    )
]


Opened = Callable[..., "contextlib.AbstractAsyncContextManager[Pilot[int]]"]


async def until(pilot: Pilot[int], holds: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until something holds, then let the screen settle."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"never held; the screen:\n{screen_text(pilot)}"
        await asyncio.sleep(0.02)
        await pilot.pause()
    await pilot.pause()


async def sees(pilot: Pilot[int], *words: str, seconds: float = 60.0) -> str:
    """Wait until all the words are on screen; gives the screen's text."""
    await until(pilot, lambda: all(word in screen_text(pilot) for word in words), seconds)
    return screen_text(pilot)


def screen_lines(pilot: Pilot[int]) -> list[str]:
    """The lines as they would reach the terminal, without styles."""
    screen = pilot.app.screen
    # What is not yet drawn is drawn by this very look, and kept: it needs the screens beneath, as the app gives them.
    visible_screen_stack.set(pilot.app._background_screens)
    return [strip.text for strip in screen._compositor.render_strips()]


def screen_text(pilot: Pilot[int]) -> str:
    return "\n".join(line.rstrip() for line in screen_lines(pilot))
