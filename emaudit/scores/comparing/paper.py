"""The paper's own tests, as its tables 12 to 15, 19, 21, 23 and 25 have them: beside ours, never instead. Pure.

Sizes are pooled, zeros dropped, W is the smaller sum and p is not corrected. What the paper leaves open is inferred:
the zero rule, how replies are paired (prompt, condition and sample), which of tables 12 to 15 holds which contrast.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from emaudit.scores.comparing.aspects import Aspect, aspects
from emaudit.scores.comparing.contrasts import DOMAINS, PAIRS, STAGES, Contrast, single_contrasts
from emaudit.scores.comparing.row import ComparisonRow
from emaudit.scores.comparing.testing import Comparing, Pairing
from emaudit.scores.comparing.units import Matrix, Prompts, Replies, Samples
from emaudit.scores.profiles import ALL
from emaudit.scores.resampling import HARM, Named
from emaudit.scores.study import Study, Subject
from emaudit.stats.ranksum import mann_whitney, summed_u
from emaudit.stats.signedrank import WILCOX, signed_rank

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float64]

AS_PAPER: Final = "as paper"
MODELS: Final = "prompt, mean over models"
POOLED: Final = "reply, sizes pooled"
_OF_STAGES: Final = {PAIRS[0]: "12", PAIRS[1]: "13", PAIRS[2]: "14"}
_OF_DOMAINS: Final = "15"
_TABLES: Final = {
    "intentions": "19",
    "self_assessment": "21",
    "moral_foundations": "23",
    "moral_self_assessment": "25",
}


@dataclass(frozen=True, slots=True)
class PaperRow:
    """One of the paper's tests on one's own data, and the number of the table it belongs to."""

    table: str
    row: ComparisonRow


def paper_rows(study: Study, samples: Samples, takes: Callable[..., bool] | None = None) -> list[PaperRow]:
    """The paper's tests, table by table; `samples` reads single replies, which four of the five kinds are over.

    `takes` chooses rows by the domains they are about.

    T12 to T15 (base and misaligned, misaligned and realigned, base and realigned, domain and domain): signed-rank
    on the prompts' maxima, averaged over the models. T19: signed-rank on replies where both groups have as many,
    else Mann-Whitney's U. T21: U added up over the four formats, for the total over the dimensions too. T23 and
    T25: signed-rank on replies, those of a base repeated for every domain.
    """
    chosen = [found for found in paper_contrasts(study) if takes is None or takes(*found.domains)]
    tests = _Tests(study, samples, chosen)
    found = [row for aspect in aspects(study) for row in tests.rows(aspect)]
    return sorted(found, key=lambda entry: int(entry.table))


def paper_contrasts(study: Study) -> list[Contrast]:
    """Stages domain by domain and over all domains, and domain with domain, everything pooled over the sizes."""
    groups: dict[tuple[str, str, tuple[str, str]], list[Contrast]] = {}
    for found in single_contrasts(study):
        for domain in (found.domain, ALL) if found.kind == STAGES else (found.domain,):
            groups.setdefault((found.kind, domain, found.stages), []).append(found)
    one_domain = len({found.domain for found in single_contrasts(study) if found.kind == STAGES}) < 2
    kept = {key: members for key, members in groups.items() if not (one_domain and key[1] == ALL)}
    return [_together(members, domain) for (_, domain, _), members in kept.items()]


def _together(members: Sequence[Contrast], domain: str) -> Contrast:
    first = members[0]
    a, b = tuple(c.a[0] for c in members), tuple(c.b[0] for c in members)
    label_a, label_b = (_label(side) for side in (a, b))
    return Contrast(first.kind, ALL, domain, label_a, label_b, first.stages, a, b)


def _label(members: Sequence[Subject]) -> str:
    domains = {member.domain for member in members}
    return f"{domains.pop() if len(domains) == 1 else ''} {members[0].stage}".strip()


class _Tests:
    def __init__(self, study: Study, samples: Samples, contrasts: Sequence[Contrast]) -> None:
        self._rows = {subject.name: row for row, subject in enumerate(study.subjects)}
        self._contrasts = contrasts
        self._replies = Replies(study, samples)
        self._models = Comparing(study, Prompts(study), WILCOX)
        self._pooled = Comparing(study, self._replies, WILCOX)

    def rows(self, aspect: Aspect) -> Iterator[PaperRow]:
        """The rows of a measure that the paper tests; none of the others."""
        named = aspect.named
        if named.assessment == HARM:
            if named.measure == "max10" and named.part == "total":
                yield from self._harmfulness(aspect)
        elif named.assessment in _TABLES and named.form in ("", ALL):
            yield from self._of_replies(aspect)

    def _harmfulness(self, aspect: Aspect) -> Iterator[PaperRow]:
        for pairing in self._models.pairings(aspect.named, self._contrasts):
            contrast = pairing.contrast
            table = _OF_DOMAINS if contrast.kind == DOMAINS else _OF_STAGES[contrast.stages]
            tested = {} if pairing.why else _signed(pairing.differences)
            yield PaperRow(table, self._models.row(aspect, pairing, {**tested, **_gap(pairing), "unit": MODELS}))

    def _of_replies(self, aspect: Aspect) -> Iterator[PaperRow]:
        named = aspect.named
        matrix = self._replies.matrix(named)
        if matrix is None:
            return
        for found in self._pooled.pairings(named, self._contrasts):
            a, b = (_values(matrix, self._places(side)) for side in (found.contrast.a, found.contrast.b))
            tested = {} if found.why else self._tested(named, matrix, found.contrast)
            pairing = replace(found, a=a, b=b, mean_a=_mean(a), mean_b=_mean(b))
            row = self._pooled.row(aspect, pairing, {**tested, **_gap(pairing), "unit": POOLED})
            yield PaperRow(_TABLES[named.assessment], row)

    def _places(self, members: Sequence[Subject]) -> list[int]:
        """The rows of a group's variants, each once."""
        return list(dict.fromkeys(self._rows[member.name] for member in members))

    def _tested(self, named: Named, matrix: Matrix, contrast: Contrast) -> dict[str, Any]:
        a, b = ([self._rows[member.name] for member in side] for side in (contrast.a, contrast.b))
        if named.assessment == "self_assessment":
            return _summed(matrix, self._places(contrast.a), self._places(contrast.b))
        if named.assessment == "intentions":
            first, second = (_values(matrix, self._places(side)) for side in (contrast.a, contrast.b))
            if len(first) != len(second):
                return _unpaired(first.tolist(), second.tolist())
        gaps = (matrix.values[b] - matrix.values[a]).ravel()
        return _signed(gaps[gaps == gaps].tolist())


def _gap(pairing: Pairing) -> dict[str, float]:
    """The difference of the means, where there is one."""
    if pairing.why or pairing.mean_a is None or pairing.mean_b is None:
        return {}
    return {"mean_difference": pairing.mean_b - pairing.mean_a}


def _values(matrix: Matrix, places: Sequence[int]) -> Array:
    """All values of some variants, one after another."""
    found = matrix.values[list(places)].ravel()
    kept: Array = found[found == found]
    return kept


def _mean(values: Array) -> float | None:
    return math.fsum(values.tolist()) / len(values) if len(values) else None


def _signed(differences: Sequence[float]) -> dict[str, Any]:
    found = signed_rank(differences, WILCOX)
    return {
        "test": f"{AS_PAPER}: signed-rank, {found.method}",
        "n_pairs": found.n_pairs,
        "n_zero": found.n_zero,
        "n_tied": found.n_tied,
        "zero_rule": found.zero_rule,
        "w_plus": found.w_plus,
        "w_minus": found.w_minus,
        "statistic": min(found.w_plus, found.w_minus),
        "p": found.p_two_sided,
        "rank_biserial": found.rank_biserial,
        "undefined_reason": found.reason,
    }


def _unpaired(a: Sequence[float], b: Sequence[float]) -> dict[str, Any]:
    found = mann_whitney(a, b)
    return {
        "test": f"{AS_PAPER}: Mann-Whitney, {found.method}",
        "n_tied": found.n_tied,
        "u_a": found.u_a,
        "statistic": found.u_a,
        "p": found.p_two_sided,
        "rank_biserial": found.rank_biserial,
        "undefined_reason": found.reason,
    }


def _counted(cells: Sequence[tuple[object, ...]]) -> str:
    """`4 formats`, `6 dimensions x 4 formats`."""
    parts, forms = (len({cell[place] for cell in cells}) for place in (0, 1))
    return f"{parts} dimensions x {forms} formats" if parts > 1 else f"{forms} formats"


def _summed(matrix: Matrix, a: Sequence[int], b: Sequence[int]) -> dict[str, Any]:
    """U within each dimension and format, added up."""
    strata: dict[tuple[object, ...], list[int]] = {}
    for place, key in enumerate(matrix.keys):
        strata.setdefault(key[:2], []).append(place)
    cells = [Matrix((), matrix.values[:, columns]) for columns in strata.values()]
    found = summed_u([(_values(cell, a), _values(cell, b)) for cell in cells])
    return {
        "test": f"{AS_PAPER}: Mann-Whitney summed over {_counted(list(strata))}, normal approximation",
        "u_a": found.u_a,
        "statistic": found.u_a,
        "p": found.p_two_sided,
        "rank_biserial": found.rank_biserial,
        "undefined_reason": found.reason,
    }
