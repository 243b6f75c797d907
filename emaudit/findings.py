"""The paragraph that opens the results page: what an export comes to, in a few sentences, every number from its rows.

Model text does not get here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from emaudit.scores.cards import Card
from emaudit.scores.dissociation import SILENT, TALK, DissociationRow, after_holm
from emaudit.scores.lineages import Lineages
from emaudit.scores.measures import THREE
from emaudit.scores.pairing import EVERY
from emaudit.scores.resampling import headline
from emaudit.scores.study import Study
from emaudit.scores.trajectories import TrajectoryRow, followed, is_clear, shape_of
from emaudit.stats.trajectory import INVERTED_V
from emaudit.wording import bounds, counted, number, p_text


def findings(
    study: Study,
    cards: Sequence[Card],
    trajectories: Sequence[TrajectoryRow],
    dissociations: Sequence[DissociationRow],
    voided: Sequence[Mapping[str, object]] = (),
) -> str:
    """The paragraph. `cards` are those of the headline pairs; without any it says nothing of correlations."""
    return " ".join(
        [
            _asked(study),
            *_correlated([card for card in cards if card.row.rho is not None]),
            *(f"{_pair(card)} has no rho: {card.row.undefined_reason}." for card in cards if card.row.rho is None),
            *_followed(trajectories),
            *_parted(dissociations),
            _left_out(study, voided),
            *_plain(cards),
        ]
    )


def variants_of(study: Study) -> str:
    """`15 variants of 3 base models`, and of how many of them the base is not known."""
    lineages = Lineages(study)
    told = f"{counted(len(study.subjects), 'variant')} of {counted(len(lineages.bases), 'base model')}"
    n_baseless = len(lineages.baseless)
    return f"{told} and of unknown ones ({counted(n_baseless, 'variant')})" if n_baseless else told


def _asked(study: Study) -> str:
    asked = sorted({assessment for _, assessment in study.summaries})
    return f"{variants_of(study)} were asked {', '.join(asked) or 'nothing yet'} (preset {study.preset})."


def _pair(card: Card) -> str:
    return f"`{card.row.x}` and `{card.row.y}`"


def _correlated(cards: Sequence[Card]) -> Iterator[str]:
    if not cards:
        return
    rows = [card.row for card in cards]
    subset = "" if rows[0].subset == EVERY else f" (subset `{rows[0].subset}` with the bases)"
    told = "; ".join(
        f"{_pair(card)} {number(row.rho)} {bounds(row.ci_low, row.ci_high) or '(interval undefined)'}, n {row.n}"
        for card, row in zip(cards, rows, strict=True)
    )
    yield f"Spearman's rho across variants{subset}, with its 95% interval, is: {told}."
    within = ", ".join(f"{p_text(row.p_within_size)} ({p_text(row.p_holm)})" for row in rows)
    yield f"In the same order, p within size (with Holm's correction) is {within}."
    labels = ", ".join(f"{number(row.rho_recipe_only)} (p {p_text(row.p_within_recipe)})" for row in rows)
    yield f"The labels of the fine-tunes alone carry a rho of {labels}; p is within recipe, of what is beyond them."
    tests = [card.association.tests.within_recipe for card in cards]
    reach = ", ".join(f"{number(test.lowest)} to {number(test.highest)}" for test in tests)
    yield f"Exchanging values within recipes, rho can only come to {reach}."


def _followed(rows: Sequence[TrajectoryRow]) -> Iterator[str]:
    told = followed(rows)
    if not told:
        yield "No lineage has all three stages, so that no inverted V can be told."
        return
    counts = []
    for assessment in THREE:
        mine = [row for row in told if row.assessment == assessment]
        held = [row for row in mine if shape_of(row) == INVERTED_V]
        if mine:
            counts.append(f"{len(held)} of {len(mine)} ({assessment}; {sum(map(is_clear, held))} beyond prompt error)")
    others = [f"{r.lineage} ({r.assessment}: {shape_of(r)})" for r in told if shape_of(r) != INVERTED_V]
    exceptions = f"the exceptions are {', '.join(others)}" if others else "there is no exception"
    yield f"Up with misalignment and down with realignment go {', '.join(counts)} lineages; {exceptions}."


def _parted(rows: Sequence[DissociationRow]) -> Iterator[str]:
    for part in sorted({row.part for row in rows if row.kind}):
        mine = [row for row in rows if row.part == part and row.kind]
        told = []
        for kind in (SILENT, TALK):
            found = [row for row in mine if row.kind == kind]
            held = [row.variant for row in found if after_holm(row)]
            names = f": {', '.join(held)}" if held else ""
            counts = f"{len(found)} by their intervals and {len(held)} after Holm{names}" if found else "none"
            told.append(f'"{kind}" fits {counts}')
        yield f"Of {counted(len(mine), 'variant')} beside their bases (self-assessment `{part}`), {'; '.join(told)}."


def _left_out(study: Study, voided: Sequence[Mapping[str, object]]) -> str:
    n_incomplete = sum(
        value is None or not value.complete
        for (_, assessment), summary in study.summaries.items()
        for value in [summary.value(headline(assessment).measure, "total", headline(assessment).form)]
    )
    told = [f"excluded: {', '.join(sorted(study.left_out))}"] if study.left_out else []
    told += [f"incomplete: {counted(n_incomplete, 'assessment')} of some variant"] if n_incomplete else []
    told += [f"voided replies: {sum(int(str(void['n_replies'])) for void in voided):,}"] if voided else []
    return f"Left out, as listed below: {'; '.join(told)}." if told else "Nothing was left out."


def _plain(cards: Sequence[Card]) -> Iterator[str]:
    """The cards' sentences, each once, with the pairs that it is of."""
    held: dict[str, list[str]] = {}
    for card in cards:
        if card.row.rho is not None:
            held.setdefault(card.sentence, []).append(_pair(card))
    for sentence, pairs in held.items():
        whose = f"of all {len(pairs)} pairs" if len(pairs) == len(cards) > 1 else "; ".join(pairs)
        yield f"In plain words, {whose}: {sentence}"
