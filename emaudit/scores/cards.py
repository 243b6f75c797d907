"""The correlation card: everything that stands beside one rho over variants. Pure.

A rho alone misleads here: variants share base models and fine-tunes. `association` gives what correlations.csv
holds; `card_of` the rest, which has no column.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Final

from emaudit.scores.correlationrow import CorrelationRow
from emaudit.scores.lineages import Lineages
from emaudit.scores.measurement import Draws, Measured, rounded
from emaudit.scores.pairing import Pairing, measure_of, value_of
from emaudit.scores.permuting import Tests, recipe, tests_of, undefined
from emaudit.scores.resampling import Named
from emaudit.scores.study import Study, Subject
from emaudit.stats.association import (
    bca,
    bonett_wright,
    kendall_tau_b,
    leave_one_out,
    residual_rho,
    size_correlation,
    spearman,
    ties,
)
from emaudit.stats.estimation import Figure, Interval

Labels = Sequence[str]


@dataclass(frozen=True)
class Association:
    """What correlations.csv says of one pairing, with every reason."""

    pairing: Pairing
    rho: Figure
    tau_b: Figure
    ties_x: int
    ties_y: int
    interval: Interval
    tests: Tests
    without_size: Mapping[str, Figure]
    measured: Measured
    holm: Figure = field(default_factory=lambda: Figure(None))

    @property
    def size_range(self) -> tuple[float, float] | None:
        """The lowest and highest rho without one size; None where some size cannot be left out."""
        held = [figure.value for figure in self.without_size.values() if figure.value is not None]
        whole = bool(held) and len(held) == len(self.without_size)
        return (min(held), max(held)) if whole else None


@dataclass(frozen=True, slots=True)
class Side:
    """One measure of one variant, with what tells an answer from a coin: see `stats.md`, "0.5 can mimic".

    `neutral_share`, `decided` (the value without neutral replies) and `consistency` (same pole in both orders) are
    None where the measure has no neutral replies or no orders.
    """

    value: float
    neutral_share: float | None = None
    decided: float | None = None
    consistency: float | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """One variant in a correlation."""

    subject: Subject
    x: Side
    y: Side


@dataclass(frozen=True)
class Card:
    """Everything known of one rho. `row` is its row of correlations.csv."""

    row: CorrelationRow
    association: Association
    points: tuple[Point, ...]
    bca: Interval
    residual: Figure
    by_size: Mapping[str, Figure]
    without_variant: Mapping[str, Figure]
    without_prompt: Mapping[str, Figure]
    without_category: Mapping[str, Figure]
    size_correlations: tuple[Figure, Figure]
    bases: tuple[str, ...] = ()
    """The base model of each point, empty where it is not known."""
    warnings: tuple[str, ...] = ()
    sentence: str = ""

    @property
    def without_size(self) -> Mapping[str, Figure]:
        """rho without each size."""
        return self.association.without_size


NO_PROMPTS: Final = "published values: there are no prompts to resample"


def associations(pairings: Sequence[Pairing], seed: int, draws: Draws | None) -> list[Association]:
    """The figures of many pairings; without `draws` (published values) they have no measurement interval."""
    rhos = [_rho(pairing) for pairing in pairings]
    defined = [pairing for pairing, rho in zip(pairings, rhos, strict=True) if rho.value is not None]
    tests = iter(tests_of(defined, seed))
    return [
        _undefined(pairing, rho) if rho.value is None else _association(pairing, rho, next(tests), draws)
        for pairing, rho in zip(pairings, rhos, strict=True)
    ]


def _rho(pairing: Pairing) -> Figure:
    if pairing.refused:
        return Figure(None, pairing.refused)
    return spearman(rounded(pairing.xs), rounded(pairing.ys))


def _association(pairing: Pairing, rho: Figure, tests: Tests, draws: Draws | None) -> Association:
    xs, ys = rounded(pairing.xs), rounded(pairing.ys)
    sizes = [subject.size for subject in pairing.subjects]
    return Association(
        pairing=pairing,
        rho=rho,
        tau_b=kendall_tau_b(xs, ys),
        ties_x=ties(xs),
        ties_y=ties(ys),
        interval=bonett_wright(rho.value, len(xs)),
        tests=tests,
        without_size=leave_one_out(xs, ys, sizes) if all(sizes) and len(set(sizes)) > 1 else {},
        measured=draws.measured(pairing) if draws else Measured(Interval(None, None, NO_PROMPTS)),
    )


def _undefined(pairing: Pairing, rho: Figure) -> Association:
    nothing = undefined(rho.reason)
    none = Interval(None, None, rho.reason)
    n_tied = [ties(rounded(values)) for values in (pairing.xs, pairing.ys)]
    tests = Tests(nothing, nothing, nothing)
    return Association(pairing, rho, rho, n_tied[0], n_tied[1], none, tests, {}, Measured(none))


def row_of(found: Association) -> CorrelationRow:
    """The row of correlations.csv: empty where undefined, with every reason."""
    pairing, within, labels = found.pairing, found.tests.within_size, found.tests.within_recipe
    low, high = found.size_range or (None, None)
    return CorrelationRow(
        preset=pairing.preset,
        replicate=pairing.replicate,
        judge=pairing.judge,
        x=pairing.x.name,
        y=pairing.y.name,
        columns=pairing.columns,
        subset=pairing.subset,
        n=len(pairing.xs),
        rho=found.rho.value,
        tau_b=found.tau_b.value,
        ties_x=found.ties_x,
        ties_y=found.ties_y,
        ci_low=found.interval.low,
        ci_high=found.interval.high,
        ci_method=found.interval.method if found.interval.low is not None else "",
        p_within_size=within.p_two_sided,
        p_unrestricted=found.tests.unrestricted.p_two_sided,
        p_holm=found.holm.value,
        rho_recipe_only=labels.null_mean,
        p_within_recipe=labels.p_two_sided,
        p_within_recipe_greater=labels.p_greater,
        n_arrangements=labels.n_arrangements or None,
        loso_low=low,
        loso_high=high,
        measurement_low=found.measured.interval.low,
        measurement_high=found.measured.interval.high,
        excluded="; ".join(f"{name}: {why}" for name, why in pairing.excluded.items()),
        undefined_reason=undefined_reason(found),
        simulated=pairing.simulated,
    )


def undefined_reason(found: Association) -> str:
    """Why each empty cell is empty; of a rho that is undefined only why."""
    if found.rho.value is None:
        return found.rho.reason
    sizes = "only one size, or none known" if not found.without_size else "without some size rho is undefined"
    reasons = {
        "tau_b": found.tau_b.reason,
        "ci": found.interval.method if found.interval.low is None else "",
        "p_within_size": found.tests.within_size.reason,
        "p_unrestricted": found.tests.unrestricted.reason,
        "p_within_recipe": found.tests.within_recipe.reason,
        "loso": "" if found.size_range else sizes,
        "measurement": found.measured.interval.method if found.measured.interval.low is None else "",
    }
    return "; ".join(f"{name}: {why.removeprefix('undefined: ')}" for name, why in reasons.items() if why)


def card_of(
    found: Association, seed: int, lineages: Lineages, study: Study | None = None, draws: Draws | None = None
) -> Card:
    """The card of an association; without a study (published values) no prompt can be left out."""
    pairing = found.pairing
    xs, ys = rounded(pairing.xs), rounded(pairing.ys)
    sizes = [subject.size for subject in pairing.subjects]
    recipes = [recipe(subject) for subject in pairing.subjects]
    defined = found.rho.value is not None
    nothing = Figure(None, found.rho.reason)
    known = defined and all(sizes)
    alike = size_correlation(xs, sizes, recipes), size_correlation(ys, sizes, recipes)
    return Card(
        row=row_of(found),
        association=found,
        points=_points(pairing, study),
        bca=bca(xs, ys, seed) if defined else Interval(None, None, found.rho.reason),
        residual=residual_rho(xs, ys, sizes, recipes) if known and all(recipes) else nothing,
        by_size=_by_size(xs, ys, sizes) if known else {},
        without_variant=leave_one_out(xs, ys, pairing.names) if defined else {},
        without_prompt=draws.without_prompts(pairing) if defined and draws else {},
        without_category=draws.without_categories(pairing) if defined and draws else {},
        size_correlations=alike if known and all(recipes) else (nothing, nothing),
        bases=tuple(_base(subject, lineages) for subject in pairing.subjects),
    )


def _base(subject: Subject, lineages: Lineages) -> str:
    """The name of a variant's base model, which for a base is its own; empty where it is not known."""
    base = subject if subject.is_base else lineages.base_of(subject)
    return base.name if base else ""


def _by_size(xs: Sequence[float], ys: Sequence[float], sizes: Labels) -> dict[str, Figure]:
    """rho within each size alone, as description."""
    return {
        size: spearman(
            *([value for value, held in zip(column, sizes, strict=True) if held == size] for column in (xs, ys))
        )
        for size in Counter(sizes)
    }


def _points(pairing: Pairing, study: Study | None) -> tuple[Point, ...]:
    rows = zip(pairing.subjects, pairing.xs, pairing.ys, strict=True)
    return tuple(
        Point(subject, _side(study, subject, pairing.x, x), _side(study, subject, pairing.y, y))
        for subject, x, y in rows
    )


def _side(study: Study | None, subject: Subject, named: Named, value: float) -> Side:
    if study is None or named.assessment in ("harmfulness", "moral_foundations", "open_ended"):
        return Side(value)

    def read(measure: str) -> float | None:
        return value_of(study, subject, Named(named.assessment, measure, named.part, named.form))

    decided = measure_of(named.assessment, decided=True).measure
    return Side(value, read("neutral_share"), read(decided), read("order_consistency"))


def card_record(card: Card) -> dict[str, object]:
    """What a card holds beside its row, as plain values: undefined is None, with the reason beside it."""
    found = card.association
    return {
        "bca": asdict(card.bca),
        "interval": asdict(found.interval),
        "measurement": asdict(found.measured),
        "within_size": asdict(found.tests.within_size),
        "within_recipe": asdict(found.tests.within_recipe),
        "unrestricted": asdict(found.tests.unrestricted),
        "residual_rho": asdict(card.residual),
        "by_size": _figures(card.by_size),
        "without_variant": _figures(card.without_variant),
        "without_size": _figures(card.without_size),
        "without_prompt": _figures(card.without_prompt),
        "without_category": _figures(card.without_category),
        "size_correlation_x": asdict(card.size_correlations[0]),
        "size_correlation_y": asdict(card.size_correlations[1]),
        "points": [{**asdict(p.subject), "x": asdict(p.x), "y": asdict(p.y)} for p in card.points],
        "mixed": found.pairing.mixed,
        "warnings": list(card.warnings),
        "sentence": card.sentence,
    }


def _figures(held: Mapping[str, Figure]) -> dict[str, float | None]:
    return {name: figure.value for name, figure in held.items()}
