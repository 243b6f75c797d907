"""The rows of agreement.csv and confusion.csv. Pure: spot-checks and pairs of verdicts in, frozen rows out.

A cell that is undefined, hidden or not of its pair is empty; `reasons` says why, column by column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Final

from emaudit.scores.agreement.corrected import Correction, correct
from emaudit.scores.agreement.inputs import ANSWERED, POOLED, REPEAT, SpotCheck, hidden_because
from emaudit.scores.agreement.measures import WITH_HUMAN, Measure, measures_of
from emaudit.scores.agreement.pairs import (
    Agreement,
    Pair,
    agree,
    agree_by_prompt,
    design_weights,
    human_pairs,
    judge_human_pairs,
)
from emaudit.stats.estimation import Figure

JUDGE_HUMAN: Final = "judge-human"
HUMAN_HUMAN: Final = "human-human"
JUDGE_JUDGE: Final = "judge-judge"
SELF: Final = "repeat"


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """One row of agreement.csv: two raters over the replies of one variant, or of all (`pooled`).

    `n` counts the units that both raters scored, blind or not; `n_blind`, where a person is one of them, those
    labelled blind under the present rubric: the figures stand on these alone. `bias` is the first rater less the
    second (judge less human), on the labels' scale; `value_judge` and `value_corrected` are on that of scores.csv.
    Two raters of a kind stand in one cell, as `A vs B`.
    """

    variant: str
    assessment: str
    measure: str
    pair: str
    judge: str
    reviewer: str
    design: str
    n: int
    n_prompts: int
    n_blind: int | None
    exact: float | None = None
    within_one: float | None = None
    kappa_quadratic: float | None = None
    kappa_low: float | None = None
    kappa_high: float | None = None
    alpha_ordinal: float | None = None
    ac2: float | None = None
    bias: float | None = None
    baseline_exact: float | None = None
    value_judge: float | None = None
    value_corrected: float | None = None
    corrected_low: float | None = None
    corrected_high: float | None = None
    simulated: bool = False
    queue: str = ""
    reasons: Mapping[str, str] = field(default_factory=dict)


COLUMNS: Final = tuple(found.name for found in fields(AgreementRow) if found.name not in {"queue", "reasons"})


@dataclass(frozen=True, slots=True)
class ConfusionRow:
    """One cell of a confusion table: how often the first rater (the judge) says one score and the second another.

    `n` counts pairs, `weight` adds up their design weights (how many units of the frame they stand for).
    """

    variant: str
    assessment: str
    measure: str
    pair: str
    judge: str
    reviewer: str
    design: str
    first_score: float
    second_score: float
    n: int
    weight: float
    simulated: bool = False
    queue: str = ""


CONFUSION_COLUMNS: Final = tuple(found.name for found in fields(ConfusionRow) if found.name != "queue")


@dataclass(frozen=True, slots=True)
class Table:
    """One row with everything behind it: the pairs' figures and intervals, and the correction, where there is one."""

    row: AgreementRow
    confusion: tuple[ConfusionRow, ...] = ()
    agreement: Agreement | None = None
    correction: Correction | None = None

    @property
    def repeats_pairs(self) -> bool:
        """Whether its pairs are those of another measure: a reply the judge left unscored is in none."""
        return self.row.measure.endswith(WITH_HUMAN)


def tables(check: SpotCheck) -> list[Table]:
    """Every table of one spot-check: judge beside people, people beside each other, a person's repeats."""
    found: list[Table] = []
    forms = {item.form for item in check.items}
    for measure in measures_of(check.assessment, check.design, forms, has_unscored(check)):
        for variant in (*check.variants, POOLED):
            found += [_judge_human(check, measure, reviewer, variant) for reviewer in check.reviewers]
            if not measure.is_maximum and not measure.has_unscored:
                found += list(_people(check, measure, variant))
    return [table for table in found if table.row.n or (table.row.pair == JUDGE_HUMAN and _is_first(check, table))]


def _is_first(check: SpotCheck, table: Table) -> bool:
    return table.row.reviewer == check.reviewer


def has_unscored(check: SpotCheck) -> bool:
    """Whether the judge left some replies of the frame unscored."""
    if any(stratum.is_unscored and stratum.n_frame for stratum in check.strata):
        return True
    return check.design == "simple" and any(item.judge_value is None for item in check.main)


def uncomputed(check: SpotCheck, reason: str) -> list[Table]:
    """A spot-check that cannot be computed: its rows, with the reason in place of every figure."""
    forms = {item.form for item in check.items}
    measure = measures_of(check.assessment, check.design, forms, False)[0]
    why = dict.fromkeys(FIGURES, f"cannot be computed: {reason}")
    heads = [_head(check, measure, check.reviewer, variant) for variant in (*check.variants, POOLED)]
    return [Table(_with(row, {}, why)) for row in heads]


def _judge_human(check: SpotCheck, measure: Measure, reviewer: str, variant: str) -> Table:
    row = _head(check, measure, reviewer, variant)
    pairs = judge_human_pairs(check, measure, reviewer, variant)
    return _filled(check, measure, row, pairs, correct(check, measure, variant) if _feeds(check, reviewer) else None)


def _head(check: SpotCheck, measure: Measure, reviewer: str, variant: str) -> AgreementRow:
    """The row of the judge beside one person, nothing computed yet."""
    return AgreementRow(
        variant=variant,
        assessment=check.assessment,
        measure=measure.name,
        pair=JUDGE_HUMAN,
        judge=check.judge,
        reviewer=reviewer,
        design=check.design,
        n=_n_labelled(check, measure, reviewer, variant),
        n_prompts=0,
        n_blind=0,
        simulated=check.simulated,
        queue=check.name,
    )


def _feeds(check: SpotCheck, reviewer: str) -> bool:
    return reviewer == check.reviewer


def _n_labelled(check: SpotCheck, measure: Measure, reviewer: str, variant: str) -> int:
    """Replies (prompts, for a maximum) that the judge scored and this person labelled, blind or not."""
    ratings = check.ratings_of(reviewer)
    labelled = [
        item
        for item in check.main
        if variant in (POOLED, item.variant)
        and item.judge_value is not None
        and item.position in ratings
        and (ratings[item.position].status in ANSWERED or ratings[item.position].blind is not None)
    ]
    return len({item.unit for item in labelled}) if measure.is_maximum else len(labelled)


def _people(check: SpotCheck, measure: Measure, variant: str) -> Iterator[Table]:
    """Each other reviewer beside the first, and each reviewer beside what they said the second time."""
    for second in check.reviewers[1:]:
        pairs = human_pairs(check, check.reviewer, second, variant)
        who = f"{check.reviewer} vs {second}"
        yield _between_people(check, measure, HUMAN_HUMAN, who, variant, pairs)
    for reviewer in check.reviewers:
        yield _between_people(check, measure, SELF, reviewer, variant, _repeated(check, reviewer, variant))


def _between_people(
    check: SpotCheck, measure: Measure, pair: str, reviewer: str, variant: str, pairs: Sequence[Pair]
) -> Table:
    row = AgreementRow(
        variant=variant,
        assessment=check.assessment,
        measure=measure.name,
        pair=pair,
        judge="",
        reviewer=reviewer,
        design=check.design,
        n=len(pairs),
        n_prompts=0,
        n_blind=len(pairs),
        simulated=check.simulated,
        queue=check.name,
    )
    return _filled(check, measure, row, pairs, None)


def _repeated(check: SpotCheck, reviewer: str, variant: str) -> list[Pair]:
    """The first blind label of a reply and the one given when it came back."""
    ratings = check.ratings_of(reviewer)
    first = {item.reply: item for item in check.main}
    found: list[Pair] = []
    for again in check.items:
        item = first.get(again.reply) if again.role == REPEAT else None
        if item is None or variant not in (POOLED, item.variant):
            continue
        before, after = ratings.get(item.position), ratings.get(again.position)
        if before is not None and after is not None and before.blind is not None and after.blind is not None:
            pair = Pair(before.blind, after.blind, item.stratum, item.unit, item.variant, item.stage, again.position)
            found.append(pair)
    return found


def _filled(
    check: SpotCheck, measure: Measure, row: AgreementRow, pairs: Sequence[Pair], correction: Correction | None
) -> Table:
    """A row with its figures; empty ones where results are hidden."""
    hidden = hidden_because(check)
    counts = {"n_prompts": len({pair.unit for pair in pairs}), "n_blind": len(pairs)}
    if hidden:
        return Table(_with(row, counts, dict.fromkeys(FIGURES, hidden)))
    weights = design_weights(check, pairs)
    by_prompt = check.design == "prompts" and not measure.is_maximum
    agreement = (agree_by_prompt if by_prompt else agree)(pairs, weights, measure, check.seed)
    known, reasons = figures_of(agreement)
    if correction is None:
        reasons |= dict.fromkeys(_VALUES, NOT_FIRST)
    else:
        known |= _corrected(correction)
        reasons |= {name: correction.reason for name in _VALUES[1:] if correction.reason}
        if correction.judge_value.value is None:
            reasons["value_judge"] = correction.judge_value.reason
    filled = _with(row, {**counts, **known}, reasons)
    has_cells = not measure.has_unscored and (filled.exact is not None or not pairs)
    cells = tuple(confusion_of(filled, pairs, weights)) if has_cells else ()
    return Table(filled, cells, agreement, correction)


NOT_FIRST: Final = "only the first reviewer's labels correct a value"


def _with(row: AgreementRow, values: Mapping[str, object], reasons: Mapping[str, str]) -> AgreementRow:
    return replace(row, **values, reasons=dict(reasons))  # type: ignore[arg-type]


def figures_of(agreement: Agreement) -> tuple[dict[str, object], dict[str, str]]:
    """The columns that two raters' agreement fills, and why some of them are empty."""
    figures = agreement.figures
    kappa = agreement.intervals["kappa_quadratic"]
    shown: dict[str, Figure] = {
        "exact": figures.exact,
        "within_one": figures.within_one,
        "kappa_quadratic": figures.kappa_quadratic,
        "kappa_low": Figure(kappa.low, kappa.method),
        "kappa_high": Figure(kappa.high, kappa.method),
        "alpha_ordinal": figures.alpha_ordinal,
        "ac2": figures.ac2_quadratic,
        "bias": figures.bias,
        "baseline_exact": agreement.baseline,
    }
    values: dict[str, object] = {name: figure.value for name, figure in shown.items()}
    return values, {name: figure.reason for name, figure in shown.items() if figure.value is None}


def _corrected(correction: Correction) -> dict[str, object]:
    return {
        "value_judge": correction.judge_value.value,
        "value_corrected": correction.value,
        "corrected_low": correction.low,
        "corrected_high": correction.high,
    }


_VALUES: Final = ("value_judge", "value_corrected", "corrected_low", "corrected_high")
FIGURES: Final = COLUMNS[COLUMNS.index("exact") : COLUMNS.index("simulated")]
"""The columns that are hidden until a queue is done."""


def confusion_of(row: AgreementRow, pairs: Sequence[Pair], weights: Sequence[float]) -> Iterator[ConfusionRow]:
    """The cells of a row's confusion table that hold any pair."""
    cells: dict[tuple[float, float], list[float]] = {}
    for pair, weight in zip(pairs, weights, strict=True):
        held = cells.setdefault((pair.first, pair.second), [0, 0.0])
        held[0] += 1
        held[1] += weight
    shared = {name: getattr(row, name) for name in _SHARED}
    for first, second in sorted(cells):
        n, weight = cells[first, second]
        yield ConfusionRow(**shared, first_score=first, second_score=second, n=int(n), weight=weight)


_SHARED: Final = (
    "variant",
    "assessment",
    "measure",
    "pair",
    "judge",
    "reviewer",
    "design",
    "simulated",
    "queue",
)


def sort_key(row: AgreementRow | ConfusionRow) -> tuple[object, ...]:
    """The order of the files: by the text columns, left to right, `pooled` last."""
    scores = (row.first_score, row.second_score) if isinstance(row, ConfusionRow) else ()
    place = (row.variant == POOLED, row.variant, row.assessment, row.measure, row.pair, row.judge, row.reviewer)
    return (*place, row.design, row.queue, *scores)
