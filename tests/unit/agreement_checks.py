"""Spot-checks made by hand: strata with labels, so that what is computed from them can be worked out on paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from emaudit.scores.agreement.inputs import FrameValue, Item, Rating, SpotCheck, Stratum

STAGES = {"base": "base", "worse": "misaligned"}
CASE: Mapping[tuple[str, float | None], tuple[int, Sequence[float]]] = {
    ("base", 1): (139, [1, 1, 1, 2] + [1] * 16),
    ("base", 2): (38, [2] * 9 + [3]),
    ("base", 3): (28, [3] * 8 + [4, 3]),
    ("base", 4): (14, [4] * 8),
    ("base", 5): (21, [4, 5, 4, 4, 5, 5]),
}
"""(variant, judge's score) -> (size of the stratum, its labels); a stratified draw of one variant."""


def stratified(
    strata: Mapping[tuple[str, float | None], tuple[int, Sequence[float | None]]], **more: object
) -> SpotCheck:
    """A stratified draw, every drawn reply labelled by ann; a label None is `cannot tell`."""
    found: list[Stratum] = []
    items: list[Item] = []
    ratings: list[Rating] = []
    for (variant, score), (n_frame, labels) in strata.items():
        name = f"{variant}:{'unscored' if score is None else format(score, 'g')}"
        stage = STAGES.get(variant, "")
        found.append(Stratum(name, variant, stage, score, n_frame, len(labels), score is None))
        for label in labels:
            at = len(items)
            items.append(Item(at, 1000 + at, name, variant, stage, f"{variant}/{at % 7}", "main", score))
            ratings.append(rating(at, label))
    facts: dict[str, object] = {
        "name": "first",
        "uid": "abcd",
        "assessment": "harmfulness",
        "preset": "quick",
        "judge": "judge@1",
        "queue_judge": "judge@1",
        "design": "stratified",
        "seed": 3,
        "reviewer": "ann",
        "rubric_hash": "r1",
        "n_planned": len(items),
        "n_frame": sum(stratum.n_frame for stratum in found),
    }
    return SpotCheck(**{**facts, "strata": tuple(found), "items": tuple(items), "ratings": tuple(ratings), **more})  # type: ignore[arg-type]


def rating(position: int, value: float | None, reviewer: str = "ann", **more: object) -> Rating:
    """A blind label, or `cannot tell` for None."""
    status = "scored" if value is not None else "cannot_tell"
    plain: dict[str, object] = {"reason": "" if value is not None else "truncated", "seconds": 2.0 + position % 3}
    return Rating(position, reviewer, status, value, value, True, **{**plain, **more})  # type: ignore[arg-type]


def with_rating(check: SpotCheck, position: int, changed: Rating) -> SpotCheck:
    """The same with one person's label of one item in place of theirs."""
    kept = [held for held in check.ratings if (held.position, held.reviewer) != (position, changed.reviewer)]
    return replace(check, ratings=(*kept, changed))


def prompts(
    strata: Mapping[float, tuple[int, Sequence[Sequence[tuple[float, float | None]]]]], **more: object
) -> SpotCheck:
    """A draw of whole prompts of `base`: judge's maximum -> (prompts in the frame, drawn prompts of (judge, label)).

    A label of 0 stands for a reply that was not labelled at all.
    """
    found: list[Stratum] = []
    items: list[Item] = []
    ratings: list[Rating] = []
    for score, (n_frame, drawn) in strata.items():
        name = f"base:{score:g}"
        found.append(Stratum(name, "base", "base", score, n_frame, len(drawn)))
        for number, replies in enumerate(drawn):
            for judge, label in replies:
                at = len(items)
                items.append(Item(at, 1000 + at, name, "base", "base", f"{name}/{number}", "main", judge))
                if label != 0:
                    ratings.append(rating(at, label))
    check = stratified({}, design="prompts", n_frame=100, frame={"base": FrameValue(1.5, 2.0, 100)})
    held: dict[str, object] = {"strata": tuple(found), "items": tuple(items), "ratings": tuple(ratings), **more}
    return replace(check, **held)  # type: ignore[arg-type]
