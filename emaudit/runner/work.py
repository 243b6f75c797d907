"""One run at work: every owed reply and verdict asked for, every answer handed to the writer.

A pass asks everything owed once, judging ahead of asking; passes repeat until one closes nothing. Owns no SQL
and no process state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from emaudit.assessments.base import Assessment, Reading, Status
from emaudit.completions import Completion
from emaudit.config import Endpoint, Settings
from emaudit.errors import DiskFull, StoreError
from emaudit.failures import Kind, RequestFailed
from emaudit.judges import Judge
from emaudit.planning import Prepared, RunSpec, assessment_of, endpoint_of
from emaudit.runner import jobs
from emaudit.runner.asking import GaveUp
from emaudit.runner.caps import CapReached, Caps, Stopped, Ticket
from emaudit.runner.counts import Counts
from emaudit.runner.judging import Judging
from emaudit.runner.lanes import SERVING, Lane
from emaudit.runner.ledger import Ledger
from emaudit.runner.limits import Limiter
from emaudit.runner.order import mixed
from emaudit.runner.outlook import outlook_of
from emaudit.runner.queue import OpenWork
from emaudit.runner.reported import Reported
from emaudit.store import replies, runs
from emaudit.store.connection import Store
from emaudit.store.plans import Plan, Stretch, owed
from emaudit.store.readings import progress
from emaudit.store.replies import Chain, Owed, ReplyRow

QUEUE: Final = 2_000
"""Requests kept ready per lane; what is owed beyond them stays in the store."""
COLLAPSED_PROMPTS: Final = 3


class Work:
    """The state of one run at work; made inside the running loop. `stop` may be called there at any moment.

    `parsers` maps a plan's number to the parser whose referrals are judged; a run that does not ask (`asks`)
    judges stored replies and never sends anything to a variant.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        spec: RunSpec,
        run: runs.Run,
        ready: list[Prepared],
        judge: Judge,
        parsers: Mapping[int, int],
        asks: bool = True,
    ) -> None:
        self.store = store
        self.run = run
        states = (progress(store, item.plan, judge.scorer, parsers[item.plan.plan_id]) for item in ready)
        self.counts = Counts(
            (state if asks else replace(state, n_slots=0, n_closed=0) for state in states), settings.prices
        )
        self.outlook = outlook_of(store, settings, spec, ready if asks else [], judge, self.counts)
        self.caps = Caps(spec, self.counts, settings.prices, self._warn)
        self.gone: set[int] = set()
        self.stopping = False
        self.exit_code = 0
        self.why = ""
        self._spec = spec
        self._settings = settings
        self._ready = ready
        self._judge = judge
        self._parsers = parsers
        self._asks = asks
        self._seen: set[int] = set()
        self._assessments: dict[str, Assessment] = {}
        self._lanes: dict[tuple[str, str, str], Lane] = {}
        self._open = OpenWork()
        judge_lane = self._lane(judge.endpoint)
        self._ledger = Ledger(store, run.run_id, Chain(store.db, run.run_id), self._write_failed)
        self._judging = Judging(
            judge, judge_lane, self._ledger, self.counts, self._open, self.admit, self.outlook, self.stop
        )
        self._collapsed: set[str] = set()
        self._reported = Reported(store, self._warn)

    @property
    def judge(self) -> Judge:
        """The judge of this run."""
        return self._judge

    @property
    def judge_lane(self) -> Lane:
        """Where the judge is asked."""
        return self._judging.lane

    @property
    def phase(self) -> str:
        """`asking`, `judging`, `waiting` or `stopping`."""
        if self.stopping:
            return "stopping"
        if any(limiter.cooldown > 0.5 for limiter in self.limiters()):
            return "waiting"
        return "asking" if self.counts.n_done < self.counts.n_planned else "judging"

    @property
    def line(self) -> str:
        """What the run is doing, in words."""
        if self.stopping:
            return f"stopping: {self.why}"
        if self._ledger.is_full:
            return f"disk full: {self.counts.n_done:,} replies saved, the rest waits in memory: free some space"
        slowest = max(self.limiters(), key=lambda limiter: limiter.cooldown)
        if slowest.cooldown > 0.5:
            return f"{slowest.reason}, next try in {slowest.cooldown:.0f} s"
        return f"judge left alone for now: {self._judging.down}" if self._judging.down else self.phase

    def last_failure(self, judging: bool) -> str:
        """The newest failed request to a judge or to variants, in words; empty where none failed."""
        return next((said for lane in self._lanes.values() if (said := lane.last_failure(judging))), "")

    def limiters(self) -> list[Limiter]:
        """The limit of every endpoint in use."""
        return [lane.limiter for lane in self._lanes.values()]

    def stop(self, exit_code: int, why: str) -> None:
        """Ask nothing more; what is in flight is still saved. A second call cuts that off too."""
        if self.stopping:
            self._open.cut_short()
            return
        self.stopping, self.exit_code, self.why = True, exit_code, why
        self.caps.wake()

    def write_state(self, state: Mapping[str, object]) -> None:
        """Have the state line written with the next group of rows."""
        self._ledger.write_state(state)

    def record(self, kind: str, detail: str) -> None:
        """Keep something that happened to the run."""
        self._ledger.event(kind, detail)

    def _warn(self, text: str) -> None:
        self.record("warned", text)

    async def until_done(self) -> None:
        """Pass after pass, until nothing is owed, a pass closes nothing, or the run is stopped."""
        while not self.stopping:
            self.counts.closed_in_pass = 0
            self._judging.reopen()
            await self._one_pass()
            if not self.counts.closed_in_pass or self.counts.nothing_owed:
                return

    def _write_failed(self, error: BaseException) -> None:
        self.stop(getattr(error, "exit_code", 3), f"{error}; {self.counts.n_done:,} replies are saved, run paused")
        self._open.cut_short()

    async def close(self) -> None:
        """Commit what came in, close the connections."""
        try:
            for lane in self._lanes.values():
                await lane.client.close()
        finally:
            await self._ledger.close()

    async def _one_pass(self) -> None:
        self._open.begin()
        self._open.opened()
        tasks = [asyncio.create_task(self._load()), asyncio.create_task(self._watch_stop())]
        for lane in self._every_lane():
            lane.clear()
            tasks += [asyncio.create_task(self._serve(lane)) for _ in range(SERVING * lane.limiter.cap)]
        try:
            await self._open.none_left()
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for error in ended:
            if isinstance(error, Exception):
                raise error

    def _every_lane(self) -> list[Lane]:
        for item in self._ready if self._asks else ():
            self._lane(endpoint_of(self._settings, item.variant))
        return list(self._lanes.values())

    def _lane(self, endpoint: Endpoint) -> Lane:
        key = (endpoint.name, endpoint.base_url, endpoint.api_key_env)
        if key not in self._lanes:
            self._lanes[key] = Lane(endpoint, self._spec.max_concurrency, self._spec.insecure_http, self._warn)
        return self._lanes[key]

    async def _watch_stop(self) -> None:
        """Once stopping, wait for what is in flight, then end the pass."""
        while not (self.stopping and not any(limiter.in_flight for limiter in self.limiters())):  # noqa: ASYNC110 (many things end it)
            await asyncio.sleep(0.05)
        self._open.cut_short()

    async def _load(self) -> None:
        """Queue what is owed, plan by plan: all verdicts, then replies."""
        try:
            self._seen.clear()
            for item in self._ready:
                await self._load_verdicts(item)
            for item in self._ready if self._asks else ():
                if item.variant.variant_id not in self.gone and not self.stopping:
                    await self._load_replies(item)
        except BaseException:
            self._open.cut_short()
            raise
        self._open.finished()

    async def _load_verdicts(self, item: Prepared) -> None:
        assessment = self._assessment(item.plan)
        parser, judge = self._parsers[item.plan.plan_id], self._judge.scorer.scorer_id
        for found in list(replies.owed_verdicts(self.store, item.plan.plan_id, parser, judge)):
            if found.reply_id not in self._seen:
                self._seen.add(found.reply_id)
                self._judging.soon(assessment, found)
                await self._room(self._judging.lane)

    async def _load_replies(self, item: Prepared) -> None:
        endpoint = endpoint_of(self._settings, item.variant)
        for stretch in mixed(owed(self.store, item.plan.plan_id, endpoint.max_n)):
            self._ask_soon(self._lane(endpoint), item, stretch)
            await self._room(self._lane(endpoint))

    async def _room(self, lane: Lane) -> None:
        """Wait while a lane is full, or verdicts lag far behind."""
        while not self.stopping and max(lane.n_waiting, self._judging.lane.n_waiting) > QUEUE:  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    def _assessment(self, plan: Plan) -> Assessment:
        if plan.assessment not in self._assessments:
            self._assessments[plan.assessment] = assessment_of(self._spec, plan.assessment)
        return self._assessments[plan.assessment]

    async def _serve(self, lane: Lane) -> None:
        while True:
            job = await lane.next()
            while self._ledger.is_full and not self.stopping:  # noqa: ASYNC110 (many things end it)
                await asyncio.sleep(0.05)
            try:
                if not self.stopping:
                    await job()
            except Stopped:
                pass
            except Exception:
                self._open.cut_short()
                raise
            self._open.finished()

    async def admit(self, body: Mapping[str, Any]) -> Ticket:
        """Wait until a request may be sent. Raises Stopped where the run ends or a cap is reached."""
        while not self.stopping:
            try:
                if ticket := self.caps.admit(body):
                    return ticket
            except CapReached as reached:
                self.stop(1, str(reached))
                break
            await self.caps.freed()
        raise Stopped

    def _ask_soon(self, lane: Lane, item: Prepared, stretch: Stretch) -> None:
        self._open.queue(lane, lambda: self._ask(lane, item, stretch))

    async def _ask(self, lane: Lane, item: Prepared, stretch: Stretch) -> None:
        if item.variant.variant_id in self.gone or lane.down:
            return
        if lane.asking.single and stretch.n > 1:
            self._ask_singly(lane, item, stretch, range(stretch.n))
            return
        body = jobs.ask_body(item.variant.model, item.plan.instrument, stretch)

        def failed(failure: RequestFailed) -> None:
            self._ledger.keep_failure(failure, cell_id=stretch.cell_id, sample=stretch.first)

        async def admit(sent: Mapping[str, Any]) -> Ticket:
            if item.variant.variant_id in self.gone:
                raise Stopped
            return await self.admit(sent)

        try:
            completion, attempt = await lane.asking.ask(body, stretch.n, failed, admit)
        except GaveUp as error:
            self._lane_down(lane, str(error))
        except RequestFailed as failure:
            self._ask_failed(lane, item, stretch, failure)
        else:
            self._ask_answered(lane, item, stretch, completion, attempt, body)

    def _ask_singly(self, lane: Lane, item: Prepared, stretch: Stretch, indices: Iterable[int]) -> None:
        for index in indices:
            self._ask_soon(lane, item, replace(stretch, first=stretch.first + index, n=1))

    def _ask_failed(self, lane: Lane, item: Prepared, stretch: Stretch, failure: RequestFailed) -> None:
        if failure.kind is Kind.STOP_RUN:
            self.stop(3, str(failure))
        elif failure.kind is Kind.STOP_VARIANT:
            self._variant_gone(item, str(failure))
        elif failure.kind is Kind.PARAMETER:
            self._ask_singly(lane, item, stretch, range(stretch.n))
        elif failure.kind is Kind.RECORD:
            said, url = str(failure), lane.endpoint.base_url
            self._keep_replies(item, stretch, [jobs.error_row(stretch, index, said, url) for index in range(stretch.n)])

    def _variant_gone(self, item: Prepared, why: str) -> None:
        if item.variant.variant_id in self.gone:
            return
        self.gone.add(item.variant.variant_id)
        self.why = self.why or f"{item.variant.name}: {why}"
        self.record("gone", f"{item.variant.name}: {why}")

    def _lane_down(self, lane: Lane, why: str) -> None:
        """Ask nothing more at an endpoint that gave up; other endpoints and the judge go on."""
        if not lane.down:
            lane.down, self.why = why, self.why or why
            self._warn(why)

    def _ask_answered(
        self, lane: Lane, item: Prepared, stretch: Stretch, completion: Completion, attempt: int, body: dict[str, Any]
    ) -> None:
        if not self._accept(completion):
            return
        self._note_oddities(lane, item, stretch, completion)
        rows = [
            jobs.reply_row(
                stretch, index, choice, completion, body["seed"], attempt, lane.endpoint.base_url, lane.asking.dropped
            )
            for index, choice in enumerate(completion.choices)
            if choice is not None
        ]
        self._keep_replies(item, stretch, rows)
        self.outlook.replied(item.plan.plan_id, stretch.prompt.format, len(rows), body, completion)
        if len(completion.choices) < stretch.n:
            self._ask_singly(lane, item, stretch, range(len(completion.choices), stretch.n))

    def _accept(self, completion: Completion) -> bool:
        """Refuse a simulated reply in a real store and the reverse."""
        kind = "simulated" if completion.fingerprint.startswith(jobs.SIMULATED_FINGERPRINT) else "real"
        try:
            self.store.claim_kind(kind)
        except (DiskFull, StoreError) as error:
            self.stop(error.exit_code, str(error))
            return False
        return True

    def _note_oddities(self, lane: Lane, item: Prepared, stretch: Stretch, completion: Completion) -> None:
        """Notice an ignored `n`, a malformed choice, another model than before, and collapsed samples."""
        if len(completion.choices) < stretch.n and not lane.asking.single:
            lane.asking.single = True
            self._warn(f"endpoint {lane.endpoint.name!r} ignores n: asked for one sample at a time")
        if completion.raw:
            failure = RequestFailed(Kind.RETRY, "malformed reply: a choice without text", completion.raw)
            self._ledger.keep_failure(failure, cell_id=stretch.cell_id, sample=stretch.first)
        self._reported.note(item, completion)
        if not self._spec.allow_identical and jobs.is_collapsed(completion):
            self._collapsed.add(stretch.prompt.text)
            if len(self._collapsed) >= COLLAPSED_PROMPTS:
                self.stop(3, "the endpoint gives the same long text for every sample: --allow-identical takes it so")

    def _keep_replies(self, item: Prepared, stretch: Stretch, rows: list[ReplyRow]) -> None:
        """Commit replies with their parser's readings; those it refers are judged once they are on disk."""
        if not rows:
            return
        assessment = self._assessment(item.plan)
        read = [(row, assessment.read(stretch.prompt, jobs.answer_of(row))) for row in rows]

        def done(ids: list[int | None]) -> None:
            for reply_id, (row, reading) in zip(ids, read, strict=True):
                if reply_id is not None:
                    self._replied(assessment, stretch, row, reading, reply_id)
                    self.outlook.read(item.plan.plan_id, stretch.prompt.format, reading)
            self._open.finished()

        self._open.opened()
        self._ledger.keep_replies(read, self._parsers[item.plan.plan_id], done)

    def _replied(
        self, assessment: Assessment, stretch: Stretch, row: ReplyRow, reading: Reading, reply_id: int
    ) -> None:
        answer = jobs.answer_of(row)
        self.counts.reply(answer.outcome, reading)
        if reading.status is Status.REFERRED and not self._judging.down:
            key = replies.reply_key(stretch.prompt, row.sample, row.round)
            self._judging.soon(assessment, Owed(reply_id, stretch.prompt, answer, 0, key))
