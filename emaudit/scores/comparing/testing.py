"""One contrast of one measure: the test, the effects and their intervals, as a row of comparisons.csv. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from emaudit.scores import resampling
from emaudit.scores.comparing.aspects import Aspect
from emaudit.scores.comparing.contrasts import Contrast
from emaudit.scores.comparing.row import CONTRAST, ComparisonRow
from emaudit.scores.comparing.units import Key, Units
from emaudit.scores.resampling import Named
from emaudit.scores.study import Study, Subject
from emaudit.scores.summary import Summary
from emaudit.stats.estimation import Interval
from emaudit.stats.ranksum import mann_whitney, shift_between
from emaudit.stats.signedrank import Shift, Zeros, hodges_lehmann, signed_rank, tied
from emaudit.stats.trajectory import Change, Level

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Pairing:
    """The values of two groups, unit by unit (nan where a group has none), and whether the units are the same.

    `gaps` is b - a of each unit (over several parts, of those that both have). `why` says why the groups cannot be
    compared; empty where they can.
    """

    contrast: Contrast
    keys: tuple[Key, ...]
    a: Array
    b: Array
    gaps: Array
    mean_a: float | None
    mean_b: float | None
    is_paired: bool
    why: str

    @property
    def differences(self) -> list[float]:
        """b - a of the units that both have."""
        import numpy as np

        kept: list[float] = self.gaps[~np.isnan(self.gaps)].tolist()
        return kept

    @property
    def shared(self) -> list[Key]:
        """The units of `differences`."""
        import numpy as np

        return [self.keys[place] for place in np.flatnonzero(~np.isnan(self.gaps))]

    @property
    def values(self) -> tuple[list[float], list[float]]:
        """The values of each group."""
        import numpy as np

        return self.a[~np.isnan(self.a)].tolist(), self.b[~np.isnan(self.b)].tolist()


class Comparing:
    """The comparisons of a study by one kind of unit."""

    def __init__(self, study: Study, units: Units, zeros: Zeros) -> None:
        self._study = study
        self._units = units
        self._zeros: Zeros = zeros
        self._rows = {subject.name: row for row, subject in enumerate(study.subjects)}
        self._prompts = resampling.Prompts(study)

    def rows(self, aspect: Aspect, contrasts: Sequence[Contrast]) -> Iterator[tuple[Contrast, ComparisonRow]]:
        """A row for each contrast of which both groups were asked; p_holm is still empty.

        What is pooled over the sizes stands only where variants of two sizes were asked.
        """
        pairings = self.pairings(aspect.named, contrasts)
        found = [p for p in pairings if not p.contrast.is_pooled or p.contrast.is_over_sizes]
        for pairing, interval in zip(found, self._intervals(aspect, found), strict=True):
            tested = {} if pairing.why else self._tested(pairing, interval)
            yield pairing.contrast, self.row(aspect, pairing, tested)

    def pairings(self, named: Named, contrasts: Sequence[Contrast]) -> Iterator[Pairing]:
        """The values of each contrast of which both groups were asked."""
        matrix = self._units.matrix(named)
        if matrix is None:
            return
        for contrast in contrasts:
            kept = [place for place in range(len(contrast.a)) if self._asked(named, contrast, place)]
            if not kept or (contrast.is_pooled and len(kept) < 2):
                continue
            groups = contrast.kept(kept)
            places = [[self._rows[member.name] for member in side] for side in (groups.a, groups.b)]
            a, b = (matrix.values[rows].mean(axis=0) for rows in places)
            sides = (self._summaries(named, groups.a), self._summaries(named, groups.b))
            mean_a, mean_b = (_mean_value(named, side) for side in sides)
            instruments = [{summary.source.instrument for summary in side} for side in sides]
            why = _why(named, groups, sides) or _mixed(instruments)
            is_paired = instruments[0] == instruments[1]
            yield Pairing(groups, matrix.keys, a, b, matrix.gaps(*places), mean_a, mean_b, is_paired, why)

    def _asked(self, named: Named, contrast: Contrast, place: int) -> bool:
        pair = (contrast.a[place], contrast.b[place])
        found = [self._study.summary(subject.name, named.assessment) for subject in pair]
        return all(summary is not None and summary.value(*_key(named)) is not None for summary in found)

    def _summaries(self, named: Named, members: Sequence[Subject]) -> list[Summary]:
        found = [self._study.summary(subject.name, named.assessment) for subject in members]
        return [summary for summary in found if summary is not None]

    def _intervals(self, aspect: Aspect, pairings: Sequence[Pairing]) -> list[Interval]:
        """Of the differences of means, as trajectories.csv has them: both groups on the same resampled prompts."""
        if not pairings:
            return []
        import numpy as np

        names = list(self._rows)
        drawn = self._prompts.resampled(aspect.named, names, self._study.rules.resamples)
        errors = self._prompts.contributions(aspect.named, names).values()
        strata = [(~np.isnan(found), np.nan_to_num(found)) for found in errors]
        return [self._interval(pairing, drawn, strata, aspect.ends) for pairing in pairings]

    def _interval(
        self,
        pairing: Pairing,
        drawn: Array,
        strata: Sequence[tuple[NDArray[np.bool_], Array]],
        ends: tuple[float, float],
    ) -> Interval:
        """Of one difference; `strata` say of each variant which prompts it has, and what they add to its error."""
        if pairing.mean_a is None or pairing.mean_b is None:
            return Interval(None, None, "undefined: a group has no value")
        a, b = ([self._rows[member.name] for member in side] for side in (pairing.contrast.a, pairing.contrast.b))
        n_a = n_b = 0
        errors: list[tuple[float, ...]] = []
        for there, added in strata:
            of_a, of_b = there[a].any(axis=0), there[b].any(axis=0)
            n_a, n_b = n_a + int(of_a.sum()), n_b + int(of_b.sum())
            gaps = added[b].mean(axis=0) - added[a].mean(axis=0)
            errors.append(tuple(gaps[of_a | of_b].tolist()))
        levels = Level(pairing.mean_a, n_a), Level(pairing.mean_b, n_b)
        draws = drawn[b].mean(axis=0) - drawn[a].mean(axis=0)
        return Change(*levels, draws, tuple(found for found in errors if found), ends).interval()

    def row(self, aspect: Aspect, pairing: Pairing, tested: Mapping[str, Any]) -> ComparisonRow:
        """The row of a contrast, with what was tested of it; empty where `pairing.why` says why not."""
        import numpy as np

        contrast, named = pairing.contrast, aspect.named
        sources = [summary.source for summary in self._summaries(named, (*contrast.a, *contrast.b))]
        replicates = {source.replicate for source in sources}
        return ComparisonRow(
            preset=self._study.preset,
            replicate=min(replicates) if len(replicates) == 1 else None,
            judge=", ".join(sorted({source.judge for source in sources} - {""})),
            assessment=named.assessment,
            measure=named.measure,
            scale=aspect.scale,
            part=named.part,
            format=named.form,
            size=contrast.size,
            domain=contrast.domain,
            group_a=contrast.label_a,
            group_b=contrast.label_b,
            contrast=CONTRAST,
            n_a=int((~np.isnan(pairing.a)).sum()),
            n_b=int((~np.isnan(pairing.b)).sum()),
            mean_a=pairing.mean_a,
            mean_b=pairing.mean_b,
            simulated=any(source.simulated for source in sources),
            **{**_UNTESTED, "unit": self._units.name(named), "undefined_reason": pairing.why, **tested},
        )

    def _tested(self, pairing: Pairing, interval: Interval) -> dict[str, Any]:
        tested, shift = self._paired(pairing) if pairing.is_paired else _unpaired(pairing)
        reasons = {
            "test": tested.pop("reason"),
            "shift": shift.reason if shift.estimate is None else "",
            "interval of the shift": shift.reason if shift.estimate is not None and shift.low is None else "",
            "interval of the mean": "" if interval.low is not None else interval.method,
        }
        return {
            **tested,
            "shift": shift.estimate,
            "shift_low": shift.low,
            "shift_high": shift.high,
            "mean_difference": _gap(pairing.mean_a, pairing.mean_b),
            "mean_low": interval.low,
            "mean_high": interval.high,
            "undefined_reason": "; ".join(f"{what}: {_plain(why)}" for what, why in reasons.items() if why),
        }

    def _paired(self, pairing: Pairing) -> tuple[dict[str, Any], Shift]:
        differences = tied(pairing.differences)
        found = signed_rank(differences, self._zeros)
        tested = {
            "test": f"signed-rank, {found.method}",
            "n_pairs": found.n_pairs,
            "n_zero": found.n_zero,
            "n_tied": found.n_tied,
            "zero_rule": found.zero_rule,
            "w_plus": found.w_plus,
            "w_minus": found.w_minus,
            "statistic": found.w_plus if found.n_pairs else None,
            "p": found.p_two_sided,
            "rank_biserial": found.rank_biserial,
            "reason": found.reason,
        }
        return tested, hodges_lehmann(differences)


_NUMBERS: Final = (
    *("n_pairs", "n_zero", "n_tied", "w_plus", "w_minus", "u_a", "statistic", "p", "p_holm", "family_size"),
    *("rank_biserial", "shift", "shift_low", "shift_high", "mean_difference", "mean_low", "mean_high"),
)
_UNTESTED: Final[Mapping[str, Any]] = {"test": "", "zero_rule": "", **dict.fromkeys(_NUMBERS)}


def _unpaired(pairing: Pairing) -> tuple[dict[str, Any], Shift]:
    a, b = pairing.values
    found = mann_whitney(a, b)
    tested = {
        "test": f"Mann-Whitney, {found.method}",
        "n_tied": found.n_tied,
        "u_a": found.u_a,
        "statistic": found.u_a,
        "p": found.p_two_sided,
        "rank_biserial": found.rank_biserial,
        "reason": found.reason,
    }
    return tested, shift_between(a, b)


def _key(named: Named) -> tuple[str, str, str]:
    return named.measure, named.part, named.form


def _mean_value(named: Named, summaries: Sequence[Summary]) -> float | None:
    """The mean over a group's members of their values in scores.csv; None where one has none."""
    found = [summary.value(*_key(named)) for summary in summaries]
    values = [value.value for value in found if value is not None and value.value is not None]
    return math.fsum(values) / len(values) if values and len(values) == len(summaries) else None


def _gap(earlier: float | None, later: float | None) -> float | None:
    return None if earlier is None or later is None else later - earlier


def _why(named: Named, contrast: Contrast, sides: Sequence[Sequence[Summary]]) -> str:
    """Why two groups cannot be compared: a variant is incomplete, or there is more than one judge."""
    for members, summaries in zip((contrast.a, contrast.b), sides, strict=True):
        for subject, summary in zip(members, summaries, strict=True):
            value = summary.value(*_key(named))
            if value is None or value.value is None:
                return f"{subject.name} has no value"
            if not value.complete:
                used = f"{value.n_used:,} of {value.n_expected:,} replies"
                why = used if value.n_used < value.n_expected else "too few items are answered"
                return f"{subject.name} is incomplete: {why}"
    judges = {summary.source.judge for summaries in sides for summary in summaries} - {""}
    return f"judged by different judges: {', '.join(sorted(judges))}" if len(judges) > 1 else ""


def _mixed(instruments: Sequence[set[str]]) -> str:
    """Why a group stands on prompts that cannot be averaged."""
    for group in instruments:
        if len(group) > 1:
            return f"a group was asked with different instruments: {', '.join(sorted(group))}"
    return ""


def _plain(why: str) -> str:
    return why.removeprefix("undefined: ")
