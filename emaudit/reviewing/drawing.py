"""Drawing a queue: the seeded sample of a frame, its order, and what it promises before anyone starts.

A draw is frozen when it is kept: the same draw with the same seed from the same store gives the same items.
"""

from __future__ import annotations

import math
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from emaudit import __version__
from emaudit.errors import UsageError
from emaudit.prompts import Library, content_hash
from emaudit.reviewing import rubrics
from emaudit.reviewing.framing import Framed, framed
from emaudit.reviewing.kinds import kind_of
from emaudit.stats import sampling
from emaudit.stats.estimation import Figure
from emaudit.store.connection import Store
from emaudit.store.jsontext import dumps
from emaudit.store.queues import Queue, QueueItem, Stratum, insert_queue
from emaudit.store.texts import text_hash

DESIGNS: Final = ("stratified", "simple", "prompts")
REVEALS: Final = ("each", "end", "never")
REPEAT_GAP: Final = 20
"""A reply comes back at least this many items after its first time, as far as the queue is long enough."""
PROMPT_FLOOR: Final = 2
"""Whole prompts per stratum at least: ten labels each, so that 100 labels are ten prompts of one variant."""


@dataclass(frozen=True, slots=True)
class Draw:
    """What a queue is asked to be; `reviewer` draws it and is its first rater.

    Empty variants: all that have replies; empty preset: the largest that all of them have; empty judge: the one in
    the tables; empty name: one is made up. `n` counts labels; `seed` None: a fresh one. `double_share` of the items
    come first for a second rater, `repeat_share` come back to the first. `thresholds` replace those of the
    usable-for-this-table line. Raises UsageError for what cannot be drawn.
    """

    reviewer: str
    variants: tuple[str, ...] = ()
    assessment: str = "harmfulness"
    preset: str = ""
    judge: str = ""
    design: str = "stratified"
    n: int = 100
    seed: int | None = None
    name: str = ""
    double_share: float = 0.15
    repeat_share: float = 0.05
    reveal: str = "end"
    thresholds: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.design not in DESIGNS:
            raise UsageError(f"no design {self.design!r}; known: {', '.join(DESIGNS)}")
        if self.reveal not in REVEALS:
            raise UsageError(f"--reveal is {', '.join(REVEALS)}, not {self.reveal!r}")
        if self.n < 1:
            raise UsageError("a queue needs at least one label")
        if not (0 <= self.double_share <= 1 and 0 <= self.repeat_share <= 1):
            raise UsageError("the doubled and repeated shares are between 0 and 1")
        if self.seed is not None and self.seed < 0:
            raise UsageError("a seed is a whole number from 0")
        if self.design == "prompts" and self.assessment != "harmfulness":
            raise UsageError("whole prompts are drawn for the maximum, which only harmfulness has: take another design")
        if self.name and (len(self.name) > 80 or self.name != self.name.strip() or not self.name.isprintable()):
            raise UsageError(f"{self.name!r} cannot name a queue: use 1 to 80 printable characters")


@dataclass(frozen=True, slots=True)
class VariantPreview:
    """What a draw promises for one variant: half-widths of 95% intervals on the scale 1..5 (harmfulness only)."""

    variant: str
    n_frame: int
    n_drawn: int
    mean: Figure
    maximum: Figure


@dataclass(frozen=True, slots=True)
class Preview:
    """A draw before it is made. Every `n_` counts replies; strata count units (whole prompts in `prompts`).

    `mean` and `maximum` are the half-widths to expect, pooled over the variants. The mean is what these many labels
    give when replies are drawn, the maximum what they give as whole prompts: only the design's own can be had.
    """

    assessment: str
    preset: str
    judge: str
    design: str
    n_frame: int
    n_drawn: int
    n_doubled: int
    n_repeats: int
    strata: tuple[Stratum, ...]
    mean: Figure
    maximum: Figure
    per_variant: tuple[VariantPreview, ...]
    warnings: tuple[str, ...]


def preview(store: Store, draw: Draw) -> Preview:
    """What a draw would be, writing nothing. Raises UsageError where it cannot be made."""
    found = framed(store, draw.assessment, draw.variants, draw.preset, draw.judge)
    strata = _allocated(found, draw)
    n_units = sum(row.n_drawn for row in strata)
    n_drawn = _n_labels(found, draw, strata)
    names = list(dict.fromkeys(row.variant for row in strata))
    return Preview(
        draw.assessment,
        found.preset,
        found.judge.identity,
        draw.design,
        len(found.rows),
        n_drawn,
        round(_share(draw.double_share, n_units) * (found.samples if draw.design == "prompts" else 1)),
        _n_repeats(draw, n_drawn),
        tuple(strata),
        *_half_widths(found, draw, strata),
        tuple(_of_variant(found, draw, strata, name) for name in names),
        (*found.warnings, *_warnings(found, draw, n_drawn)),
    )


def create(store: Store, draw: Draw, library: Library) -> Queue:
    """Draw a queue and keep it. Raises UsageError where it cannot be made or its name is taken."""
    from emaudit.scores.agreement.drawnframe import kept as kept_of
    from emaudit.scores.agreement.usable import Thresholds

    found = framed(store, draw.assessment, draw.variants, draw.preset, draw.judge)
    strata = _allocated(found, draw)
    seed = secrets.randbits(31) if draw.seed is None else draw.seed
    items = _drawn(found, draw, strata, seed)
    with store.transaction() as db:
        kinds = {kind_of(draw.assessment, row.format) for row in found.rows}
        kept = rubrics.keep(db, rubrics.judges_rubrics(store, found.judge, library), kinds)
        hashes = {kind: entry["hash"] for kind, entry in kept.items()}
        settings = {
            "variants": sorted({row.variant for row in strata}),
            "n": draw.n,
            "double_share": draw.double_share,
            "repeat_share": draw.repeat_share if draw.reveal != "each" else 0.0,
            "reveal": draw.reveal,
            "rubrics": kept,
            "parsers": sorted(found.parsers),
            "plans": [plan.plan_id for plan in found.plans],
            **kept_of(found.rows),
            "thresholds": Thresholds.stored({**Thresholds().record(), **draw.thresholds}).record(),
            "version": __version__,
        }
        return insert_queue(
            store,
            draw.name,
            draw.assessment,
            found.preset,
            found.judge.scorer_id,
            next(iter(hashes.values())) if len(hashes) == 1 else content_hash(hashes),
            draw.design,
            len(found.rows),
            text_hash(dumps(sorted([row.reply_id, row.value] for row in found.rows))),
            seed,
            draw.reviewer,
            settings,
            strata,
            items,
        )


def _allocated(found: Framed, draw: Draw) -> list[Stratum]:
    """The strata with how many units are drawn of each."""
    strata = found.strata(draw.design)
    sizes = {row.stratum: row.n_frame for row in strata}
    if draw.design == "simple":
        n_by = _proportional(sizes, draw.n)
    elif draw.design == "prompts":
        n_prompts = max(1, round(draw.n / found.samples))
        n_by = sampling.allocate(sizes, n_prompts, floor=PROMPT_FLOOR, lowest_floor=PROMPT_FLOOR)
    else:
        n_by = sampling.allocate(sizes, draw.n, lowest=_lowest(strata))
    return [replace(row, n_drawn=n_by[row.stratum]) for row in strata]


def _lowest(strata: Sequence[Stratum]) -> set[str]:
    """Each variant's stratum of the lowest judge score."""
    lowest: dict[int, Stratum] = {}
    for row in strata:
        held = lowest.get(row.variant_id)
        if row.judge_value is not None and (held is None or row.judge_value < (held.judge_value or 0)):
            lowest[row.variant_id] = row
    return {row.stratum for row in lowest.values()}


def _proportional(sizes: Mapping[str, int], n: int) -> dict[str, int]:
    """n in proportion to the sizes (largest remainders), at least one of each."""
    total = sum(sizes.values())
    n = min(n, total)
    exact = {label: n * size / total for label, size in sizes.items()}
    found = {label: min(sizes[label], max(1, int(share))) for label, share in exact.items()}
    for label in sorted(sizes, key=lambda label: int(exact[label]) - exact[label]):
        if sum(found.values()) < n and found[label] < sizes[label] and exact[label] > found[label]:
            found[label] += 1
    return found


def _share(share: float, n: int) -> int:
    """How many of n a share is: at least one of them where there is a share at all."""
    return min(n, max(1, round(share * n))) if share and n else 0


def _n_repeats(draw: Draw, n: int) -> int:
    return _share(draw.repeat_share, n) if draw.reveal != "each" and n > 1 else 0


def _n_labels(found: Framed, draw: Draw, strata: Sequence[Stratum]) -> int:
    n_units = sum(row.n_drawn for row in strata)
    return round(n_units * found.samples) if draw.design == "prompts" else n_units


def _warnings(found: Framed, draw: Draw, n_drawn: int) -> list[str]:
    said = []
    n_short, n_prompts, k = *_short(found), _k()
    if draw.design == "prompts" and n_short:
        said.append(
            f"{n_short:,} of {n_prompts:,} prompts have fewer than {k} replies, so no maximum of {k}: their labels "
            "correct nothing; `--design stratified` corrects the mean"
        )
    if n_drawn > draw.n:
        said.append(f"{n_drawn} labels, not {draw.n}: every stratum needs a few; fewer variants need fewer")
    if n_drawn < draw.n:
        said.append(f"{n_drawn} labels, not {draw.n}: there are no more replies of this kind")
    if draw.reveal == "each" and draw.repeat_share:
        said.append("no items come back: with --reveal each their second score would not be blind")
    return said


def _k() -> int:
    """Replies that a prompt's maximum is over."""
    from emaudit.scores.measures import Rules

    return Rules().k


def _short(found: Framed) -> tuple[int, int]:
    """How many prompts of the frame have too few replies for a maximum, and how many there are."""
    sizes = Counter(row.cell_id for row in found.rows)
    return sum(size < _k() for size in sizes.values()), len(sizes)


def _drawn(found: Framed, draw: Draw, strata: Sequence[Stratum], seed: int) -> list[QueueItem]:
    units = found.units(draw.design)
    drawn = sampling.draw({label: list(keys) for label, keys in units.items()}, _n_by(strata), seed)
    by_key = {key: row for row in strata for key in drawn[row.stratum]}
    keys = list(by_key)
    doubled = set(sampling.shuffled(keys, f"double {seed}")[: _share(draw.double_share, len(keys))])
    mains: list[QueueItem] = []
    for number, block in enumerate(sampling.blocked(drawn, seed)):
        for key in block:
            row, replies = by_key[key], units[by_key[key].stratum][key]
            unit = str(key) if draw.design == "prompts" else ""
            chance = row.n_drawn / row.n_frame
            for reply_id in sampling.shuffled(replies, f"unit {seed} {key}"):
                mains.append(
                    QueueItem(0, reply_id, row.stratum, unit, chance, number, "main", is_doubled=key in doubled)
                )
    items = _with_repeats(mains, _n_repeats(draw, len(mains)), seed)
    return [replace(item, position=place) for place, item in enumerate(items, 1)]


def _n_by(strata: Sequence[Stratum]) -> dict[str, int]:
    return {row.stratum: row.n_drawn for row in strata}


def _with_repeats(mains: Sequence[QueueItem], n_repeats: int, seed: int) -> list[QueueItem]:
    """The items with some coming back REPEAT_GAP items later, or as late as a short queue allows."""
    n = len(mains)
    gap = min(REPEAT_GAP, n // 2)
    chosen = sampling.shuffled(range(n - gap), f"repeat {seed}")[:n_repeats]
    after: dict[int, list[QueueItem]] = {}
    for place in sorted(chosen):
        later = sampling.shuffled(range(place + gap, n), f"place {seed} {place}")[0]
        while later + 1 < n and mains[later].unit and mains[later + 1].unit == mains[later].unit:
            later += 1
        after.setdefault(later, []).append(replace(mains[place], role="repeat", is_doubled=False))
    return [item for place, main in enumerate(mains) for item in (main, *after.get(place, []))]


def _of_variant(found: Framed, draw: Draw, strata: Sequence[Stratum], name: str) -> VariantPreview:
    own = [row for row in strata if row.variant == name]
    part = found.only({row.variant_id for row in own})
    return VariantPreview(name, len(part.rows), _n_labels(found, draw, own), *_half_widths(part, draw, own))


def _half_widths(found: Framed, draw: Draw, strata: Sequence[Stratum]) -> tuple[Figure, Figure]:
    """What to expect for the mean and for the maximum, of these strata."""
    if draw.assessment != "harmfulness":
        unknown = Figure(None, "half-widths are known beforehand for harmfulness only")
        return unknown, unknown
    n_labels = _n_labels(found, draw, strata)
    if not n_labels:
        return Figure(None, "no labels"), Figure(None, "no labels")
    return _mean(found, draw, strata, n_labels), _maximum(found, draw, strata, n_labels)


def _mean(found: Framed, draw: Draw, strata: Sequence[Stratum], n_labels: int) -> Figure:
    """Over variants, whose draws are independent: the root of the summed squares of their shares' half-widths."""
    by_score = [row for row in found.strata("stratified") if row.judge_value is not None]
    sizes = {row.stratum: row.n_frame for row in by_score}
    n_by = _n_by(strata) if draw.design == "stratified" else _proportional(sizes, n_labels) if sizes else {}
    total = sum(sizes.values())
    squares = []
    for number in dict.fromkeys(row.variant_id for row in by_score):
        own = {row.judge_value or 0.0: row for row in by_score if row.variant_id == number}
        own_sizes = {score: row.n_frame for score, row in own.items()}
        labels = {score: n_by.get(row.stratum, 0) for score, row in own.items()}
        half = sampling.expected_half_width_mean(own_sizes, labels, guarded=True)
        if half.value is None:
            return half
        squares.append((sum(own_sizes.values()) / total * half.value) ** 2)
    return _unless_all(math.sqrt(math.fsum(squares)), "reply") if squares else Figure(None, "nothing is scored")


def _maximum(found: Framed, draw: Draw, strata: Sequence[Stratum], n_labels: int) -> Figure:
    n_frame = sum(row.n_frame for row in found.strata("prompts"))
    own = sum(row.n_drawn for row in strata)
    n_prompts = own if draw.design == "prompts" else int(n_labels / found.samples)
    n_short, n_all = _short(found)
    if n_short == n_all:
        return Figure(None, f"no prompt has the {_k()} replies that its maximum is over")
    if n_prompts < 2:
        return Figure(None, f"{n_labels} labels are fewer than two whole prompts")
    half = sampling.expected_half_width_maximum(min(n_prompts, n_frame), n_frame)
    return half if half.value is None else _unless_all(half.value, "prompt")


def _unless_all(half: float, unit: str) -> Figure:
    """A half-width, unless everything is drawn: then there is no sampling error, which is no width of 0."""
    return Figure(half) if half > 0 else Figure(None, f"every {unit} is drawn: nothing is left to chance")
