"""Asking a judge for the verdicts that are owed. A judge that is down costs nothing but time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from emaudit.assessments.base import Assessment, Reading, Status
from emaudit.failures import Kind, RequestFailed
from emaudit.judges import Judge
from emaudit.runner import jobs
from emaudit.runner.asking import Admit, GaveUp
from emaudit.runner.counts import Counts
from emaudit.runner.lanes import Lane
from emaudit.runner.ledger import Ledger
from emaudit.runner.outlook import Outlook
from emaudit.runner.queue import OpenWork
from emaudit.store.replies import Owed, VerdictRow


class Judging:
    """The judge of one run at work. `down` says why it is left alone for this pass; empty while it answers."""

    def __init__(
        self,
        judge: Judge,
        lane: Lane,
        ledger: Ledger,
        counts: Counts,
        work: OpenWork,
        admit: Admit,
        outlook: Outlook,
        stop: Callable[[int, str], None],
    ) -> None:
        self.down = ""
        self.lane = lane
        self._judge = judge
        self._ledger = ledger
        self._counts = counts
        self._work = work
        self._admit = admit
        self._outlook = outlook
        self._stop = stop

    def reopen(self) -> None:
        """Ask it again in a new pass."""
        self.down = ""
        self.lane.judging.reopen()

    def soon(self, assessment: Assessment, found: Owed) -> None:
        """Queue the judging of one reply."""
        self._work.queue(self.lane, lambda: self._ask(assessment, found), judging=True)

    async def _ask(self, assessment: Assessment, found: Owed) -> None:
        if self.down:
            return
        attempt = found.attempts + 1
        body = jobs.judge_body(self._judge, assessment, found, attempt)

        def failed(failure: RequestFailed) -> None:
            self._ledger.keep_failure(failure, reply_id=found.reply_id)

        try:
            completion, _ = await self.lane.judging.ask(body, 1, failed, self._admit)
        except GaveUp as error:
            self._leave(str(error))
        except RequestFailed as failure:
            self._failed(assessment, found, failure, attempt)
        else:
            self._outlook.judged(assessment.key, found.prompt.format, body, completion)
            self._keep(assessment, found, jobs.verdict_rows(self._judge, assessment, found, attempt, completion))

    def _leave(self, why: str) -> None:
        if not self.down:
            self.down = why
            self._ledger.event("warned", f"the judge is left alone for this pass: {why}")

    def _failed(self, assessment: Assessment, found: Owed, failure: RequestFailed, attempt: int) -> None:
        if failure.kind in (Kind.STOP_RUN, Kind.STOP_VARIANT):
            self._stop(3, f"judge {self._judge.model}: {failure}")
        elif failure.kind in (Kind.RECORD, Kind.PARAMETER):
            reading = Reading(Status.UNSCORED, None, "judge request refused")
            self._keep(assessment, found, [VerdictRow(self._judge.scorer.scorer_id, reading, attempt, str(failure))])

    def _keep(self, assessment: Assessment, found: Owed, rows: list[VerdictRow]) -> None:
        def done() -> None:
            if rows[0].reading.status is Status.RETRY:
                self.soon(assessment, replace(found, attempts=rows[0].attempt))
            else:
                self._counts.verdict(rows[0].reading)
            self._work.finished()

        self._work.opened()
        self._ledger.keep_verdicts(found.reply_id, rows, done)
