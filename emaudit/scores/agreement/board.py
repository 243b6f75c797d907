"""What a spot-check says so far: progress, agreement, correction, and the line a reader needs. Pure, frozen.

Nothing here decides how it is shown: `lines` gives the same as plain text, for the screen and the command alike.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from emaudit.scores.agreement.corrected import heterogeneity, n_labels, stage_bias
from emaudit.scores.agreement.inputs import (
    ANSWERED,
    MAIN,
    POOLED,
    SpotCheck,
    hidden_because,
    is_settled,
    looked,
    units,
    usable_labels,
)
from emaudit.scores.agreement.measures import MAXIMUM, Measure, measures_of
from emaudit.scores.agreement.pairs import Pair, judge_human_pairs
from emaudit.scores.agreement.rows import (
    HUMAN_HUMAN,
    JUDGE_HUMAN,
    SELF,
    AgreementRow,
    Table,
    has_unscored,
    tables,
)
from emaudit.scores.agreement.usable import Criterion, Usable, at_least, at_most, usable
from emaudit.stats.agreement import undetected_at_most, undetected_sentence
from emaudit.stats.correction import Heterogeneity, noise_inflation_from
from emaudit.stats.estimation import Figure, Interval

POOLED_NOTE: Final = "pooled assumes equal judge error across variants"


@dataclass(frozen=True, slots=True)
class StratumProgress:
    """Labels done and planned in one stratum, and how much of the frame it is."""

    stratum: str
    variant: str
    judge_value: float | None
    n_frame: int
    n_planned: int
    n_done: int


@dataclass(frozen=True, slots=True)
class Counts:
    """Labels of the first reviewer by what became of them. All but `n_blind` stay out of the estimates.

    `n_settled` counts disagreements between two raters that were settled, `n_settled_as_judged` those with the judge;
    `n_voided` counts labels of replies voided since the draw, which stay in with the frame that was drawn from.
    """

    n_done: int
    n_planned: int
    n_blind: int
    n_not_blind: int
    n_old_rubric: int
    n_deferred: int
    n_flagged: int
    n_settled: int
    n_settled_as_judged: int
    n_voided: int
    cannot_tell: Mapping[str, int]
    share_blind: Figure
    median_seconds: Figure


@dataclass(frozen=True, slots=True)
class Half:
    """Agreement over the first or the second half of the labels, in the order they were asked for."""

    n: int
    exact: Figure
    bias: Figure


@dataclass(frozen=True, slots=True)
class Detail:
    """One table with the intervals that agreement.csv has no column for."""

    table: Table
    exact: Interval
    within_one: Interval


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One queue as its reader sees it. Where `hidden` says why, everything from `tables` on is empty.

    `inflation` is what the judge's noise alone adds to `max10` (0..1) where people call every reply a 1.
    `between_people` and `repeats` hold people beside each other and beside themselves; `judge_repeats` the judge
    beside itself on replies it judged twice, `judges` the judge beside other judges. `undetected` bounds (95%) the
    share of replies with the judge's lowest score that people score otherwise. It, `n_disagreements` and `halves` count
    replies, also where prompts were drawn.
    """

    queue: str
    uid: str
    assessment: str
    preset: str
    judge: str
    queue_judge: str
    design: str
    seed: int
    rubric_hash: str
    reviewer: str
    reviewers: tuple[str, ...]
    n_frame: int
    simulated: bool
    strata: tuple[StratumProgress, ...]
    counts: Counts
    thresholds: Mapping[str, float]
    hidden: str = ""
    stopped: str = ""
    looks: str = ""
    tables: tuple[Detail, ...] = ()
    between_people: tuple[Table, ...] = ()
    repeats: tuple[Table, ...] = ()
    judge_repeats: tuple[Table, ...] = ()
    judges: tuple[Table, ...] = ()
    halves: tuple[Half, ...] = ()
    n_disagreements: int = 0
    undetected: Figure = field(default_factory=lambda: Figure(None, "no labels"))
    undetected_sentences: tuple[str, ...] = ()
    heterogeneity: Heterogeneity | None = None
    stage_bias: Mapping[str, Figure] = field(default_factory=dict)
    inflation: Figure = field(default_factory=lambda: Figure(None, "no labels"))
    usable: Usable | None = None
    sentences: tuple[str, ...] = ()

    @property
    def rows(self) -> tuple[AgreementRow, ...]:
        """The rows of agreement.csv that these tables are."""
        own = [detail.table for detail in self.tables]
        return tuple(table.row for table in (*own, *self.between_people, *self.repeats))


def dashboard_of(
    check: SpotCheck,
    judge_repeats: Sequence[Table] = (),
    judges: Sequence[Table] = (),
    computed: Callable[[SpotCheck], Sequence[Table]] = tables,
) -> Dashboard:
    """The dashboard of one spot-check; `judge_repeats` and `judges` are tables of verdicts, which no queue holds.

    `computed` gives the tables of the spot-check, where they are at hand already.
    """
    facts = _facts(check)
    if facts.hidden:
        return facts
    try:
        return _with_results(check, facts, computed(check), judge_repeats, judges)
    except ValueError as error:
        return replace(facts, hidden=f"this queue cannot be computed: {error}")


def _with_results(
    check: SpotCheck,
    facts: Dashboard,
    found: Sequence[Table],
    judge_repeats: Sequence[Table],
    judges: Sequence[Table],
) -> Dashboard:
    first = [table for table in found if table.row.pair == JUDGE_HUMAN]
    measure = _headline(check)
    replies = _measures(check, has_maximum=False)[0]
    pairs = judge_human_pairs(check, replies, check.reviewer, POOLED)
    n_off = sum(pair.first != pair.second for pair in pairs)
    lowest = [pair for pair in pairs if pair.first == measure.bounds[0]]
    n_missed = sum(pair.second != pair.first for pair in lowest)
    inflation = _inflation(check)
    verdict = _usable(check, first, facts.counts, inflation)
    several = len(check.variants) > 1
    spread = heterogeneity(check, measure) if several else None
    return replace(
        facts,
        tables=tuple(_detail(check, table) for table in first),
        between_people=tuple(table for table in found if table.row.pair == HUMAN_HUMAN),
        repeats=tuple(table for table in found if table.row.pair == SELF),
        judge_repeats=tuple(judge_repeats),
        judges=tuple(judges),
        halves=_halves(pairs),
        n_disagreements=n_off,
        undetected=undetected_at_most(n_missed, len(lowest)),
        undetected_sentences=(
            f"all labels, unweighted: {undetected_sentence(n_off, len(pairs))}",
            f"where the judge says {measure.bounds[0]:g}: {undetected_sentence(n_missed, len(lowest))}",
        ),
        heterogeneity=spread,
        stage_bias=stage_bias(check, measure),
        inflation=inflation,
        usable=verdict,
        sentences=tuple(_sentences(check, facts, first, spread, verdict)),
    )


def _facts(check: SpotCheck) -> Dashboard:
    n_done, n_planned = n_labels(check)
    stopped = "" if check.stopped is None else f"stopped at {n_done} of {n_planned}, interval nominal"
    return Dashboard(
        queue=check.name,
        uid=check.uid,
        assessment=check.assessment,
        preset=check.preset,
        judge=check.judge,
        queue_judge=check.queue_judge,
        design=check.design,
        seed=check.seed,
        rubric_hash=check.rubric_hash,
        reviewer=check.reviewer,
        reviewers=check.reviewers,
        n_frame=check.n_frame,
        simulated=check.simulated,
        strata=tuple(_progress(check)),
        counts=_counts(check, n_done, n_planned),
        thresholds=check.thresholds.record(),
        hidden=hidden_because(check),
        stopped=stopped,
        looks=looked(check),
    )


def _progress(check: SpotCheck) -> Iterable[StratumProgress]:
    ratings = check.ratings_of(check.reviewer)
    by_unit = units(check.main)
    done: Counter[str] = Counter()
    planned: Counter[str] = Counter()
    for item in check.main:
        planned[item.stratum] += 1
        done[item.stratum] += is_settled(check, item, ratings, by_unit[item.unit])
    for stratum in check.strata:
        yield StratumProgress(
            stratum.name,
            stratum.variant,
            stratum.judge_value,
            stratum.n_frame,
            planned[stratum.name],
            done[stratum.name],
        )


def _counts(check: SpotCheck, n_done: int, n_planned: int) -> Counts:
    main = {item.position for item in check.items if item.role == MAIN}
    own = [rating for rating in check.ratings_of(check.reviewer).values() if rating.position in main]
    labelled = [rating for rating in own if rating.status in ANSWERED or rating.blind is not None]
    answered = {rating.position for rating in labelled}
    old = [rating for rating in labelled if rating.is_old_rubric and rating.blind is None]
    n_blind = sum(rating.blind is not None for rating in labelled)
    seconds = [rating.seconds for rating in own if rating.seconds is not None]
    reasons = Counter(rating.reason for rating in own if rating.status == "cannot_tell")
    return Counts(
        n_done=n_done,
        n_planned=n_planned,
        n_blind=n_blind,
        n_not_blind=sum(not rating.is_blind for rating in own if rating.status in (*ANSWERED, "cannot_tell")),
        n_old_rubric=len(old),
        n_deferred=sum(rating.status == "deferred" for rating in own),
        n_flagged=sum(rating.is_flagged for rating in own),
        n_settled=len(check.settled),
        n_settled_as_judged=sum(
            item.judge_value is not None and check.settled.get(item.position) == item.judge_value for item in check.main
        ),
        n_voided=sum(item.is_voided and item.position in answered for item in check.main),
        cannot_tell=dict(sorted(reasons.items())),
        share_blind=Figure(n_blind / len(labelled)) if labelled else Figure(None, "no labels"),
        median_seconds=Figure(statistics.median(seconds)) if seconds else Figure(None, "no times"),
    )


def _headline(check: SpotCheck) -> Measure:
    return _measures(check)[0]


def _measures(check: SpotCheck, has_maximum: bool = True) -> list[Measure]:
    found = measures_of(check.assessment, check.design, {item.form for item in check.items}, has_unscored(check))
    return [measure for measure in found if has_maximum or not measure.is_maximum]


def _detail(check: SpotCheck, table: Table) -> Detail:
    """Intervals of the shares from the same pairs; in a stratified draw they carry the design weights."""
    if table.agreement is None:
        none = Interval(None, None, "undefined: no labels")
        return Detail(table, none, none)
    intervals = table.agreement.intervals
    return Detail(table, intervals["exact"], intervals["within_one"])


def _halves(pairs: Sequence[Pair]) -> tuple[Half, ...]:
    ordered = sorted(pairs, key=lambda pair: pair.position)
    middle = (len(ordered) + 1) // 2
    return tuple(_half(part) for part in (ordered[:middle], ordered[middle:]))


def _half(pairs: Sequence[Pair]) -> Half:
    if not pairs:
        return Half(0, Figure(None, "no labels"), Figure(None, "no labels"))
    n = len(pairs)
    exact = sum(pair.first == pair.second for pair in pairs) / n
    return Half(n, Figure(exact), Figure(sum(pair.first - pair.second for pair in pairs) / n))


def _inflation(check: SpotCheck) -> Figure:
    """From the judge's verdicts on replies that people call 1, each weighted by N_h/n_h of its stratum."""
    if check.assessment != "harmfulness":
        return Figure(None, "only harmfulness has maxima")
    labels = [(item, value) for item, value in usable_labels(check, check.reviewer) if item.judge_value is not None]
    sizes = {stratum.name: stratum.n_frame for stratum in check.strata}
    labelled = Counter(item.stratum for item, _ in labels)
    weights: dict[float, float] = {}
    for item, value in labels:
        if value == 1 and item.judge_value is not None:
            weight = sizes[item.stratum] / labelled[item.stratum]
            weights[item.judge_value] = weights.get(item.judge_value, 0.0) + weight
    if not weights:
        return Figure(None, "people call no reply a 1")
    return noise_inflation_from(weights, check.k)


def _usable(check: SpotCheck, first: Sequence[Table], counts: Counts, inflation: Figure) -> Usable:
    pooled = [table for table in first if table.row.variant == POOLED and table.row.reviewer == check.reviewer]
    table, measure, limits = pooled[0], _headline(check), check.thresholds
    row = next((held.row for held in pooled if held.row.exact is not None), table.row)
    criteria = [
        at_least("blind labels", counts.n_blind, limits.min_labels),
        at_least("share blind", counts.share_blind.value, limits.min_blind, counts.share_blind.reason),
        at_least("within one", row.within_one, limits.min_within_one, row.reasons.get("within_one", "")),
        at_least("AC2", row.ac2, limits.min_ac2, row.reasons.get("ac2", "")),
        _shift(table, limits.max_shift * measure.factor * measure.span / 4),
    ]
    if check.assessment == "harmfulness":
        name = f"noise of the judge in {MAXIMUM.name}"
        criteria.append(at_most(name, inflation.value, limits.max_inflation, inflation.reason))
    found = usable(tuple(criteria), f"{check.assessment} {measure.name}")
    seen = looked(check)
    return replace(found, sentence=f"{found.sentence.removesuffix('.')}; {seen}.") if seen else found


def _shift(table: Table, threshold: float) -> Criterion:
    """How far people move the judge's value: met where all of the 95% interval is near it, failed where none is."""
    correction = table.correction
    if correction is None or correction.low is None or correction.high is None:
        return at_most(SHIFT, None, threshold, (correction.reason if correction else "") or "no interval")
    judge = correction.judge_value
    if judge.value is None:
        return at_most(SHIFT, None, threshold, judge.reason)
    ends = (correction.low - judge.value, correction.high - judge.value)
    far, near = max(map(abs, ends)), 0.0 if ends[0] <= 0 <= ends[1] else min(map(abs, ends))
    if near <= threshold < far:
        reason = f"the interval reaches from {near:.3g} to {far:.3g} away, too wide to tell"
        return Criterion(SHIFT, None, threshold, None, reason)
    return at_most(SHIFT, far, threshold)


SHIFT: Final = "judge to the far end of the corrected interval"


def _sentences(
    check: SpotCheck, facts: Dashboard, first: Sequence[Table], spread: Heterogeneity | None, verdict: Usable
) -> Iterable[str]:
    if facts.looks:
        yield f"{facts.looks[0].upper()}{facts.looks[1:]}."
    if facts.stopped:
        yield f"{facts.stopped[0].upper()}{facts.stopped[1:]}: {check.stopped or 'no reason given'}."
    for table in first:
        if table.correction is not None and table.correction.note:
            yield f"{table.row.variant}, {table.row.measure}: {table.correction.note}."
    if spread is not None:
        yield _pooling(spread)
    yield (
        f"This speaks for judge {check.judge} on {_who(check)}, preset {check.preset}, with the labels of "
        f"{check.reviewer} taken as truth; not for other judges, variants or prompts."
    )
    yield verdict.sentence


def _who(check: SpotCheck) -> str:
    return check.variants[0] if len(check.variants) == 1 else f"the {len(check.variants)} variants drawn from"


def _pooling(spread: Heterogeneity) -> str:
    if spread.p.value is None:
        return f"{POOLED_NOTE[0].upper()}{POOLED_NOTE[1:]}; whether it is equal is undefined: {spread.p.reason}."
    found = "differs between them" if spread.p.value < 0.05 else "is not seen to differ between them"
    return (
        f"{POOLED_NOTE[0].upper()}{POOLED_NOTE[1:]}; it {found} "
        f"(chi-square {spread.statistic.value or 0:.2f}, {spread.df} degrees of freedom, p = {spread.p.value:.3g})."
    )
