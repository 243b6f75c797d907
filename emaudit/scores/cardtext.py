"""A correlation card in words: its figures as labelled lines, its warnings, and one plain sentence. Pure.

The sentence says what the numbers say and no more: agreement across variants is no statement about any one of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from emaudit.scores.cards import Association, Card, Point, Side
from emaudit.scores.measures import DECIDED, MEASURES
from emaudit.scores.permuting import recipe
from emaudit.scores.resampling import Named
from emaudit.stats.association import cluster_refusal
from emaudit.stats.estimation import Figure, Interval
from emaudit.stats.permutation import Permuted
from emaudit.stats.ranks import FEWEST

LEVEL: Final = 0.05
"""Of p: above it the sentence says that no more is seen, never that there is no more."""
NEUTRAL: Final = 0.2
"""From this share of neutral replies on, a variant is named."""
CONSISTENT: Final = 0.6
"""Below this order consistency an undecided value is named: a coin has .5."""
NEAR: Final = 0.15
"""Within this distance of what a coin gives, a value is near it."""
_WORDS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_STRENGTHS: Final = ((0.7, "strong"), (0.4, "moderate"), (0.0, "weak"))
_ALIKE: Final = 0.2
"""Intraclass correlation of sizes from which the interval is called too narrow."""


def sentence(card: Card) -> str:
    """What the card says, in one or two sentences."""
    found = card.association
    rho = found.rho.value
    if rho is None:
        return f"No correlation: {found.rho.reason}."
    unclear = _unclear(found)
    if unclear:
        return f"{unclear}.{_LIMITS}"
    return f"{_strength(rho, found)}{_shared(found)}{_power(card)}.{_LIMITS}"


_LIMITS: Final = " It orders variants and says nothing about what any one of them would do."


def _unclear(found: Association) -> str:
    """Why no strength is named; empty where the interval leaves 0 out."""
    low, high, n = found.interval.low, found.interval.high, len(found.pairing.xs)
    if low is None or high is None:
        return f"The ranks of these {n} variants have no interval: {found.interval.method}"
    if low <= 0 <= high:
        return f"Agreement across these {n} variants cannot be told from none: the interval includes 0"
    return ""


def _strength(rho: float, found: Association) -> str:
    word = next(name for least, name in _STRENGTHS if abs(rho) >= least)
    text = f"{word} {'agreement' if rho > 0 else 'opposition'} across variants"
    p = found.tests.within_size.p_two_sided
    if p is not None and p > LEVEL:
        text += f" (chance within sizes could give as much: p {p_value(p)})"
    return text[0].upper() + text[1:]


def _shared(found: Association) -> str:
    """How much of rho the fine-tunes' labels carry."""
    labels, rho = found.tests.within_recipe, found.rho.value or 0.0
    if labels.null_mean is None:
        return ""
    if labels.p_two_sided is not None and labels.p_two_sided <= LEVEL:
        more = "more" if (rho - labels.null_mean) * rho > 0 else "less"
        return (
            f", {more} than variants with the same fine-tune share (rho {rho_text(labels.null_mean)} from that alone)"
        )
    if rho * labels.null_mean <= 0:
        return ", none of it shared by variants with the same fine-tune"
    part = labels.null_mean / rho
    amount = "nearly all" if part >= 0.75 else "most of it" if part >= 0.5 else "less than half of it"
    return f", {amount} shared by variants with the same fine-tune"


def _power(card: Card) -> str:
    labels = card.association.tests.within_recipe
    if labels.p_two_sided is None or labels.p_two_sided <= LEVEL:
        return ""
    alike = Counter(recipe(point.subject) for point in card.points)
    most = max(alike.values())
    if most > 5:
        return ""
    least = "" if min(alike.values()) == most else "at most "
    return f"; {least}{_WORDS[most]} variants per recipe leave little power to see more"


def warnings(card: Card) -> Iterator[str]:
    """What stands beside the rho whatever its value, then what this one's numbers call for."""
    yield from _standing(card)
    yield from _alike(card)
    yield from _who(card)
    yield from _coins(card)


def _standing(card: Card) -> Iterator[str]:
    known = [base for base in card.bases if base]
    unknown = [point.subject.name for point, base in zip(card.points, card.bases, strict=True) if not base]
    n_bases = len(set(known))
    if len(known) > n_bases:
        who = f"{len(known)} of the {len(card.points)} variants" if unknown else f"the {len(known)} variants"
        bases = "one base model" if n_bases == 1 else f"{_count(n_bases)} base models"
        yield f"{who} share {bases}: they are not independent"
        refusal = "" if unknown else cluster_refusal(known, "base models")
        if refusal:
            yield refusal
    if unknown:
        yield f"no base model is known of {_names(unknown)}: whether they share one cannot be told"


def _alike(card: Card) -> Iterator[str]:
    held = [figure.value for figure in card.size_correlations if figure.value is not None]
    if held and max(held) >= _ALIKE:
        x, y = (rho_text(figure.value) for figure in card.size_correlations)
        yield (
            f"variants of one size are alike beyond their recipe (intraclass correlation {x} and {y}): at .6 the "
            "interval covers .85 instead of .95 under rho = 0, and p within recipe is below .05 in 17% of such tables"
        )


def _who(card: Card) -> Iterator[str]:
    pairing = card.association.pairing
    if pairing.mixed:
        yield f"taken together on request (--mixed): {pairing.mixed}"
    if pairing.excluded:
        told = "; ".join(f"{name} ({why})" for name, why in pairing.excluded.items())
        yield f"not in: {told}"
    lost = card.association.measured.n_undefined
    if lost:
        yield f"{lost:,} of {card.association.measured.n_resamples:,} draws of prompts have no rho"


def _coins(card: Card) -> Iterator[str]:
    """Where the middle of a scale may stand for no answer at all."""
    for named, sides in _sides(card):
        counted = "which are left out here" if named.measure == DECIDED else "which count as neutral"
        unclear = [who for who, side in sides if (side.neutral_share or 0.0) >= NEUTRAL]
        if unclear:
            share = f"{NEUTRAL:.0%} or more of the replies"
            yield f"{named.name}: {_names(unclear)} gave no clear answer in {share}, {counted}"
        middle = 0.5 + _offset(named)
        tossed = [who for who, side in sides if _is_tossed(side, middle)]
        if tossed:
            band = f"{middle - NEAR:.2f} to {middle + NEAR:.2f}"
            why = f"near {middle:g} ({band}) and not the same pole in both orders: a coin cannot be ruled out"
            yield f"{named.name}: {_names(tossed)} {why}"


def _sides(card: Card) -> Iterator[tuple[Named, list[tuple[str, Side]]]]:
    pairing = card.association.pairing
    yield pairing.x, [(point.subject.name, point.x) for point in card.points]
    yield pairing.y, [(point.subject.name, point.y) for point in card.points]


def _offset(named: Named) -> float:
    """What a measure's scale is moved by from 0..1."""
    return next((found.offset for found in MEASURES.get(named.assessment, ()) if found.name == named.measure), 0.0)


def _is_tossed(side: Side, middle: float) -> bool:
    return side.consistency is not None and side.consistency < CONSISTENT and abs(side.value - middle) <= NEAR


def facts(card: Card) -> tuple[tuple[str, str], ...]:
    """Every figure of a card as (label, text), in the order to read them."""
    found = card.association
    if found.rho.value is None:
        return (("rho", f"undefined: {found.rho.reason}"), ("n", str(card.row.n)))
    return (
        ("rho", f"{rho_text(found.rho.value)}   n {card.row.n}   tau-b {_figure(found.tau_b)}   {_ties(found)}"),
        ("interval", f"{_interval(found.interval)}   {_interval(card.bca)}   (variants like these)"),
        ("measurement", f"{_interval(found.measured.interval)}   (prompts like these, variants fixed)"),
        ("p within size", _test(found.tests.within_size, card.row.p_holm)),
        ("p unrestricted", _test(found.tests.unrestricted)),
        ("recipe only", _labels(found.tests.within_recipe)),
        ("residual", f"{_figure(card.residual)}   (ranks without size and recipe; a description)"),
        ("by size", _by_size(card)),
        ("without a size", _listed(found.without_size) or "undefined: one size, or none known"),
        ("without a variant", _span(card.without_variant) or "too few variants to leave one out"),
        ("without a question", _span(card.without_prompt) or "no prompts here"),
        ("without a category", _listed(card.without_category) or "none in these measures"),
    )


def _ties(found: Association) -> str:
    return f"ties {found.ties_x} and {found.ties_y}"


def _test(test: Permuted, adjusted: float | None = None) -> str:
    if test.p_two_sided is None:
        return f"undefined: {test.reason}"
    holm = f"   Holm {p_value(adjusted)}" if adjusted is not None else ""
    return f"{p_value(test.p_two_sided)}{holm}   ({test.method})"


def _labels(test: Permuted) -> str:
    if test.p_two_sided is None:
        mean = f"rho {rho_text(test.null_mean)} from labels alone; " if test.null_mean is not None else ""
        return f"{mean}undefined: {test.reason}"
    return (
        f"rho {rho_text(test.null_mean)} from labels alone, p {p_value(test.p_two_sided)}, greater "
        f"{p_value(test.p_greater)}, reachable {rho_text(test.lowest)} to {rho_text(test.highest)}   ({test.method})"
    )


def _by_size(card: Card) -> str:
    if not card.by_size:
        return "sizes are not known"
    if all(figure.value is None for figure in card.by_size.values()):
        return f"no size has {FEWEST} variants that differ"
    return _listed(card.by_size)


def _listed(held: Mapping[str, Figure]) -> str:
    return "   ".join(f"{name} {_figure(figure)}" for name, figure in held.items())


def _span(held: Mapping[str, Figure]) -> str:
    """The lowest and highest of many leave-outs, and whose they are."""
    known = [(figure.value, name) for name, figure in held.items() if figure.value is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    rest = len(held) - len(known)
    undefined = f"   ({rest} undefined)" if rest else ""
    return f"{rho_text(low[0])} ({low[1]}) to {rho_text(high[0])} ({high[1]}){undefined}"


def diagnostics(card: Card) -> list[tuple[str, ...]]:
    """The variants of a card as cells: name, x, y, then neutral share, decided value and order consistency of each."""
    return [_cells(point) for point in card.points]


HEADINGS: Final = (
    "VARIANT",
    "X",
    "Y",
    *(f"{what} {side}" for side in "XY" for what in ("NEUTRAL", "DECIDED", "ORDERS")),
)


def _cells(point: Point) -> tuple[str, ...]:
    sides = [
        rho_text(value) for side in (point.x, point.y) for value in (side.neutral_share, side.decided, side.consistency)
    ]
    return (point.subject.name, rho_text(point.x.value), rho_text(point.y.value), *sides)


def _figure(figure: Figure) -> str:
    return rho_text(figure.value) if figure.value is not None else f"undefined ({figure.reason})"


def _interval(interval: Interval) -> str:
    if interval.low is None or interval.high is None:
        return interval.method
    return f"[{rho_text(interval.low)}, {rho_text(interval.high)}] {interval.method}"


def rho_text(value: float | None) -> str:
    """A value with three decimals, a dash where there is none."""
    return "-" if value is None else f"{value:.3f}"


def p_value(p: float | None) -> str:
    """A p with four decimals, with two figures where that would show none; a dash where there is none."""
    if p is None:
        return "-"
    return f"{p:.4f}" if p >= 0.0001 else f"{p:.1e}"


def _count(n: int) -> str:
    return _WORDS[n] if n < len(_WORDS) else str(n)


def _names(names: Sequence[str], most: int = 4) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
