"""What the store says about plans: tallies for scoring, progress for display, rows for export. Reads only."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from emaudit.prompts import content_hash
from emaudit.store.connection import Store
from emaudit.store.plans import Plan
from emaudit.store.scorers import Scorer, active_judge, by_id


@dataclass(frozen=True, slots=True)
class Tally:
    """How many replies of one item, format and condition got the same reading.

    `status` is scored, neutral, unscored or owed (no closed reply yet, with outcome empty, or no verdict yet);
    `value` is None unless scored or neutral; `scored_by` is parser, judge, human or imported.
    """

    item: str
    part: str
    format: str
    condition: str
    outcome: str
    status: str
    value: float | None
    reason: str
    scored_by: str
    n: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a plan is. Of `n_slots` replies, `n_closed` are stored; of `n_referred`, `n_judged` are judged."""

    n_slots: int
    n_closed: int
    n_referred: int
    n_judged: int
    n_unscored: int
    n_errors: int

    @property
    def n_owed(self) -> int:
        """Replies and verdicts still owed."""
        return self.n_slots - self.n_closed + self.n_referred - self.n_judged


@dataclass(frozen=True, slots=True)
class Response:
    """One stored reply with its reading, as `responses.csv` shows it; `score_status` says why it is no clear answer."""

    item: str
    part: str
    format: str
    condition: str
    sample: int
    prompt: str
    response: str
    outcome: str
    score: float | None
    score_status: str
    scored_by: str
    judge: str
    verdict_raw: str
    reply_id: int = 0


_CURRENT = """
FROM plan_cells pc
JOIN cells c ON c.cell_id = pc.cell_id
JOIN prompts p ON p.prompt_id = c.prompt_id
JOIN replies r ON r.cell_id = pc.cell_id AND r.sample < pc.n_samples
     AND NOT EXISTS (SELECT 1 FROM voided WHERE voided.reply_id = r.reply_id)
LEFT JOIN verdicts v ON v.reply_id = r.reply_id AND v.scorer_id = :parser
LEFT JOIN verdicts j ON j.reply_id = r.reply_id AND j.scorer_id = :judge AND j.status <> 'retry'
     AND v.status = 'referred'
WHERE pc.plan_id = :plan
"""
_FINAL = """
CASE WHEN v.status IS NULL THEN 'owed' WHEN v.status <> 'referred' THEN v.status
     ELSE coalesce(j.status, 'owed') END AS status,
CASE WHEN v.status = 'referred' THEN j.value ELSE v.value END AS value,
CASE WHEN v.status = 'referred' THEN coalesce(j.reason, '') ELSE coalesce(v.reason, '') END AS reason,
CASE WHEN v.status = 'referred' THEN CASE WHEN j.status IS NULL THEN '' ELSE :judge_kind END
     ELSE 'parser' END AS scored_by
"""


_N_READ = """
SELECT count(*) FROM plan_cells pc
JOIN replies r ON r.cell_id = pc.cell_id AND r.sample < pc.n_samples
     AND NOT EXISTS (SELECT 1 FROM voided WHERE voided.reply_id = r.reply_id)
JOIN verdicts v ON v.reply_id = r.reply_id AND v.scorer_id = ?
WHERE pc.plan_id = ?
"""


def parser_of(store: Store, plan: Plan) -> int:
    """The parser whose readings of a plan count; -1 before any.

    One that read all closed replies, of several the one of the run that asked the plan last; where none read all,
    the one that read most.
    """
    known = {
        identity: scorer_id
        for scorer_id, identity in store.db.execute(
            "SELECT scorer_id, identity FROM scorers WHERE kind = 'parser' AND identity LIKE ? ORDER BY scorer_id DESC",
            (f"parser:{plan.assessment}@%",),
        )
    }
    if len(known) < 2:
        return next(iter(known.values()), -1)
    n_read = {
        identity: store.db.execute(_N_READ, (scorer_id, plan.plan_id)).fetchone()[0]
        for identity, scorer_id in known.items()
    }
    most = [identity for identity in known if n_read[identity] == max(n_read.values())]
    if len(most) > 1:
        most = [identity for identity in _parsers_of_runs(store, plan) if identity in most] or most
    return int(known[most[0]])


def _parsers_of_runs(store: Store, plan: Plan) -> list[str]:
    """The parsers that the runs of a plan pinned, the run that asked it last first."""
    rows = store.db.execute(
        "SELECT json_extract(t.text, ?) FROM run_plans rp JOIN runs ON runs.run_id = rp.run_id "
        "JOIN texts t ON t.hash = runs.protocol_hash WHERE rp.plan_id = ? ORDER BY rp.since DESC, rp.run_id DESC",
        (f"$.parsers.{plan.assessment}", plan.plan_id),
    )
    return [f"parser:{plan.assessment}@{version}" for (version,) in rows if version is not None]


def judge_of(store: Store, plan: Plan, judge: Scorer | None = None) -> Scorer | None:
    """The judge whose verdicts of a plan are shown: the one asked for, the active one, or else its own."""
    wanted = judge or active_judge(store)
    if judge is not None or (wanted is not None and _has_verdict(store, plan, wanted)):
        return wanted
    rows = store.db.execute(
        """
        SELECT j.scorer_id, count(*) FROM plan_cells pc JOIN replies r ON r.cell_id = pc.cell_id
        JOIN verdicts j ON j.reply_id = r.reply_id AND j.status <> 'retry' JOIN scorers s ON s.scorer_id = j.scorer_id
        WHERE pc.plan_id = ? AND s.kind IN ('judge', 'imported') GROUP BY 1 ORDER BY 2 DESC
        """,
        (plan.plan_id,),
    ).fetchall()
    return by_id(store, rows[0][0]) if rows else wanted


def _has_verdict(store: Store, plan: Plan, judge: Scorer) -> bool:
    """Whether a model (or an import) gave a final verdict on some reply of a plan."""
    row = store.db.execute(
        "SELECT EXISTS (SELECT 1 FROM plan_cells pc JOIN replies r ON r.cell_id = pc.cell_id "
        "JOIN verdicts j ON j.reply_id = r.reply_id AND j.scorer_id = ? AND j.status <> 'retry' WHERE pc.plan_id = ?)",
        (judge.scorer_id, plan.plan_id),
    ).fetchone()
    return bool(row[0]) and judge.kind in ("judge", "imported")


def judge_used(store: Store, plan: Plan, judge: Scorer | None = None) -> Scorer | None:
    """The judge of which some verdict counts in a plan's tallies; None where no reply needed one, or has one yet."""
    found = store.db.execute(
        f"SELECT EXISTS (SELECT 1 {_CURRENT} AND j.verdict_id IS NOT NULL)", _binding(store, plan, judge)
    ).fetchone()
    return judge_of(store, plan, judge) if found[0] else None


def judged_by_simulation(store: Store, plan: Plan, judge: Scorer | None = None) -> bool:
    """Whether some verdict that counts in a plan's tallies is a simulated judge's, whoever gave the replies."""
    found = store.db.execute(
        f"SELECT EXISTS (SELECT 1 {_CURRENT} AND substr(j.fingerprint, 1, 11) = 'emaudit-sim')",
        _binding(store, plan, judge),
    ).fetchone()
    return bool(found[0])


def _binding(store: Store, plan: Plan, judge: Scorer | None, parser: int | None = None) -> dict[str, object]:
    chosen = judge_of(store, plan, judge)
    return {
        "plan": plan.plan_id,
        "parser": parser_of(store, plan) if parser is None else parser,
        "judge": chosen.scorer_id if chosen else -1,
        "judge_kind": chosen.kind if chosen else "",
    }


@dataclass(frozen=True, slots=True)
class Reading:
    """The counted replies of a plan, the judge of which some verdict counts in them, and whether one is simulated."""

    tallies: list[Tally]
    judge: Scorer | None
    judged_by_simulation: bool


_GROUPED = f"""
SELECT r.cell_id, coalesce(j.part, ''), r.outcome, {_FINAL}, max(substr(j.fingerprint, 1, 11) = 'emaudit-sim'), count(*)
FROM plan_cells pc
JOIN replies r ON r.cell_id = pc.cell_id AND r.sample < pc.n_samples
     AND NOT EXISTS (SELECT 1 FROM voided WHERE voided.reply_id = r.reply_id)
LEFT JOIN verdicts v ON v.reply_id = r.reply_id AND v.scorer_id = :parser
LEFT JOIN verdicts j ON j.reply_id = r.reply_id AND j.scorer_id = :judge AND j.status <> 'retry'
     AND v.status = 'referred'
WHERE pc.plan_id = :plan
GROUP BY 1, 2, 3, 4, 5, 6, 7
"""
_PLANNED = """
SELECT pc.cell_id, p.item, p.part, p.format, p.condition, pc.n_samples - (
    SELECT count(*) FROM replies r WHERE r.cell_id = pc.cell_id AND r.sample < pc.n_samples
    AND NOT EXISTS (SELECT 1 FROM voided WHERE voided.reply_id = r.reply_id))
FROM plan_cells pc JOIN cells c ON c.cell_id = pc.cell_id JOIN prompts p ON p.prompt_id = c.prompt_id
WHERE pc.plan_id = ?
"""
_Place = tuple[str, str, str, str, int]
"""Item, part, format and condition of a cell, and how many replies it still owes."""
Read = tuple[str, str, str, str, str, str, float | None, str, str]
"""What is known of a reply once it is read: the fields of a Tally but for `n`."""
_Grouped = tuple[int, str, str, str, float | None, str, str, int | None, int]


def read(store: Store, plan: Plan, judge: Scorer | None = None, parser: int | None = None) -> Reading:
    """All replies of a plan, counted in one look, under the judge of `judge_of`; `parser` as in `tallies`."""
    parser = parser_of(store, plan) if parser is None else parser
    chosen = judge or active_judge(store)
    rows = _grouped(store, plan, parser, chosen)
    if (
        judge is None
        and not any(row[6] for row in rows if row[6] != "parser")
        and any(row[3] == "owed" for row in rows)
    ):
        chosen = judge_of(store, plan)
        rows = _grouped(store, plan, parser, chosen)
    shared = sys.intern  # thousands of variants are asked the same: one text each, not one for every row
    places: dict[int, _Place] = {
        cell: (shared(item), shared(part), shared(form), shared(condition), n)
        for cell, item, part, form, condition, n in store.db.execute(_PLANNED, (plan.plan_id,))
    }
    readings: Counter[Read] = Counter()
    for cell, judged, outcome, status, value, reason, by, _, n in rows:
        item, part, form, condition, _ = places[cell]
        place = (item, shared(judged) or part, form, condition)
        readings[*place, shared(outcome), shared(status), value, shared(reason), shared(by)] += n
    found = counted(readings)
    owed = sorted(place for place in places.values() if place[4])
    found += [Tally(*place[:4], "", "owed", None, "", "", place[4]) for place in owed]
    used = any(row[6] not in ("", "parser") for row in rows)
    return Reading(found, chosen if used else None, any(row[7] for row in rows))


def _grouped(store: Store, plan: Plan, parser: int, judge: Scorer | None) -> list[_Grouped]:
    binding = {
        "plan": plan.plan_id,
        "parser": parser,
        "judge": judge.scorer_id if judge else -1,
        "judge_kind": judge.kind if judge else "",
    }
    return store.db.execute(_GROUPED, binding).fetchall()


def counted(readings: Mapping[Read, int]) -> list[Tally]:
    """How many replies were read how, as tallies in SQLite's own order, where no value comes before every value."""

    def order(read: Read) -> tuple[object, ...]:
        *place, value, reason, by = read
        return (*place, value is not None, value or 0.0, reason, by)

    return [Tally(*read, readings[read]) for read in sorted(readings, key=order)]


def tallies(store: Store, plan: Plan, judge: Scorer | None = None, parser: int | None = None) -> list[Tally]:
    """All replies of a plan by item, format, condition and reading, with what is owed.

    `parser` is the number of the scorer whose readings count, None for the one of `parser_of`.
    """
    return read(store, plan, judge, parser).tallies


def progress(store: Store, plan: Plan, judge: Scorer | None = None, parser: int | None = None) -> Progress:
    """How far a plan is, counted from the committed rows; `parser` as in `tallies`."""
    row = store.db.execute(
        f"""
        SELECT count(DISTINCT r.reply_id),
               count(DISTINCT CASE WHEN v.status = 'referred' OR v.status IS NULL THEN r.reply_id END),
               count(DISTINCT CASE WHEN v.status = 'referred' AND j.status IS NOT NULL THEN r.reply_id END),
               count(DISTINCT CASE WHEN coalesce(j.status, v.status) = 'unscored' THEN r.reply_id END),
               count(DISTINCT CASE WHEN r.outcome = 'error' THEN r.reply_id END)
        {_CURRENT}
        """,
        _binding(store, plan, judge, parser),
    ).fetchone()
    return Progress(plan.n_slots, *row)


def responses(
    store: Store, plan: Plan, judge: Scorer | None = None, reply_ids: Collection[int] | None = None
) -> Iterator[Response]:
    """Every closed reply of a plan (or those of `reply_ids`) with its reading, by item, format, condition, sample.

    An open-ended reply comes once per dimension judged, with the dimension as its part.
    """
    binding = _binding(store, plan, judge)
    only = ""
    if reply_ids is not None:
        binding["replies"] = json.dumps(sorted(reply_ids))
        only = "AND r.reply_id IN (SELECT value FROM json_each(:replies))"
    chosen = judge_of(store, plan, judge)
    name = chosen.identity if chosen else ""
    rows = store.db.execute(
        f"SELECT p.item, coalesce(nullif(j.part, ''), p.part), p.format, p.condition, r.sample, p.text, r.text, "
        f"r.outcome, {_FINAL}, coalesce(j.raw, ''), r.reply_id {_CURRENT} {only} ORDER BY 1, 3, 4, 5, 2",
        binding,
    )
    for item, part, format, condition, sample, prompt, text, outcome, status, value, reason, by, *rest in rows:
        shown = f"{status}: {reason}" if status in ("unscored", "neutral") and reason else status
        judge_name = name if by in {"judge", "imported"} else ""
        place = (item, part, format, condition, sample)
        yield Response(*place, prompt, text, outcome, value, shown, by, judge_name, *rest)


_NEWEST = """
SELECT coalesce((SELECT max(reply_id) FROM replies), 0), coalesce((SELECT max(verdict_id) FROM verdicts), 0),
       coalesce((SELECT max(void_id) FROM voids), 0)
"""


def touched_since(store: Store, reply_id: int, verdict_id: int, void_id: int) -> tuple[set[tuple[int, str]], list[int]]:
    """(variant, assessment) pairs with rows newer than the given ids, and the newest ids now."""
    pairs = store.db.execute(
        """
        SELECT DISTINCT c.variant_id, p.assessment FROM (
            SELECT cell_id FROM replies WHERE reply_id > ?1
            UNION SELECT r.cell_id FROM verdicts v JOIN replies r USING (reply_id) WHERE v.verdict_id > ?2
            UNION SELECT r.cell_id FROM voided d JOIN replies r USING (reply_id) WHERE d.void_id > ?3
        ) JOIN cells c USING (cell_id) JOIN prompts p USING (prompt_id)
        """,
        (reply_id, verdict_id, void_id),
    ).fetchall()
    newest = store.db.execute(_NEWEST).fetchone()
    return set(pairs), list(newest)


@dataclass(frozen=True, slots=True)
class Heads:
    """The newest rows of a store at some moment: their numbers, and the hashes that end the chains there."""

    reply_id: int
    verdict_id: int
    void_id: int
    chains: str
    """The chain hashes of that reply and verdict, and a digest of the voids until then."""


def heads(store: Store) -> Heads:
    """The newest rows now."""
    reply_id, verdict_id, void_id = store.db.execute(_NEWEST).fetchone()
    return Heads(reply_id, verdict_id, void_id, chains_at(store, reply_id, verdict_id, void_id))


def chains_at(store: Store, reply_id: int, verdict_id: int, void_id: int) -> str:
    """What the rows up to these stand for; in a copy of the store that went another way it is something else."""
    found = store.db.execute(
        "SELECT coalesce((SELECT hex(chain) FROM replies WHERE reply_id = ?), '') || ':' || "
        "coalesce((SELECT hex(chain) FROM verdicts WHERE verdict_id = ?), '')",
        (reply_id, verdict_id),
    ).fetchone()
    voids = store.db.execute("SELECT * FROM voids WHERE void_id <= ? ORDER BY void_id", (void_id,)).fetchall()
    return f"{found[0]}:{content_hash(voids)}"
