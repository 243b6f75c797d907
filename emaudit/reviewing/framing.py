"""The frame of a draw: which replies of which plans, under which judge, in which strata. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from emaudit.assessments import by_key
from emaudit.assessments.base import PRESETS
from emaudit.errors import UsageError
from emaudit.reviewing.kinds import kind_of
from emaudit.store.connection import Store
from emaudit.store.exporting import has_replies
from emaudit.store.frames import FrameRow, frame
from emaudit.store.plans import Plan, current_plans
from emaudit.store.queues import UNSCORED, Stratum
from emaudit.store.readings import judge_of, parser_of, progress
from emaudit.store.scorers import Scorer, by_id, by_identity
from emaudit.store.variants import variant, variants
from emaudit.variants import Variant


@dataclass(frozen=True, slots=True)
class Framed:
    """The replies that can be drawn, under one judge. `rows` are in the plans' order; `parsers` are scorer ids."""

    names: Mapping[int, str]
    preset: str
    judge: Scorer
    plans: tuple[Plan, ...]
    rows: tuple[FrameRow, ...]
    parsers: frozenset[int]
    warnings: tuple[str, ...]

    @property
    def samples(self) -> float:
        """Replies per prompt, on average."""
        return len(self.rows) / len({row.cell_id for row in self.rows})

    def only(self, variant_ids: Collection[int]) -> Framed:
        """The same frame with some variants only."""
        return replace(self, rows=tuple(row for row in self.rows if row.variant_id in variant_ids))

    def units(self, design: str) -> Mapping[str, Mapping[int, Sequence[int]]]:
        """Stratum -> unit -> its replies. A unit is a reply, or in the design `prompts` a whole prompt (its cell).

        A prompt's stratum is its judge's maximum; it is unscored where the judge scored none of its replies.
        """
        whole: dict[int, list[FrameRow]] = {}
        for row in self.rows:
            whole.setdefault(row.cell_id if design == "prompts" else row.reply_id, []).append(row)
        found: dict[tuple[int, float], dict[str, dict[int, list[int]]]] = {}
        for key, rows in whole.items():
            label, place = self._stratum(rows, design)
            found.setdefault(place, {}).setdefault(label, {})[key] = [row.reply_id for row in rows]
        return {label: units for place in sorted(found) for label, units in found[place].items()}

    def _stratum(self, rows: Sequence[FrameRow], design: str) -> tuple[str, tuple[int, float]]:
        """A unit's label, and what it is sorted by: variants as they were added, scores ascending, unscored last."""
        values = [row.value for row in rows if row.value is not None]
        number = rows[0].variant_id
        if not values:
            return f"{self.names[number]}:{UNSCORED}", (number, float("inf"))
        if design == "simple":
            return f"{self.names[number]}:any", (number, 0.0)
        return f"{self.names[number]}:{max(values):g}", (number, max(values))

    def strata(self, design: str) -> list[Stratum]:
        """The strata of a design, nothing drawn yet."""
        by_reply = {row.reply_id: row for row in self.rows}
        found = []
        for label, units in self.units(design).items():
            rows = [by_reply[reply_id] for replies in units.values() for reply_id in replies]
            values = [row.value for row in rows if row.value is not None]
            value = max(values) if values and design != "simple" else None
            number = rows[0].variant_id
            found.append(Stratum(label, number, self.names[number], value, len(units), 0))
        return found


def framed(store: Store, assessment: str, names: Sequence[str], preset: str, judge: str) -> Framed:
    """The frame of a draw, one plan a variant: the newest replicate with nothing owed, else the newest.

    Raises UsageError where an assessment cannot be reviewed, or the variants have no preset or judge in common.
    """
    check_reviewable(assessment)
    chosen = [variant(store, name) for name in dict.fromkeys(names)] or variants(store)
    held = {row.variant_id: _plans(store, row, assessment) for row in chosen}
    if not names:
        chosen = [row for row in chosen if held[row.variant_id]]
    if not any(held.values()):
        who = ", ".join(names) or "any variant"
        raise UsageError(f"no replies of {assessment} of {who} yet: `emaudit run` or `emaudit import` brings them")
    preset = _preset(chosen, held, assessment, preset)
    wanted = by_identity(store, judge) if judge else None
    plans = [_newest(store, [plan for plan in held[row.variant_id] if plan.preset == preset], wanted) for row in chosen]
    scorer = _judge(store, plans, wanted)
    every = [row for plan in plans for row in frame(store, plan, scorer.scorer_id)]
    asked = [row for row in every if kind_of(assessment, row.format)]
    rows = [row for row in asked if row.status != "owed"]
    if not rows:
        raise UsageError(f"no reply of {assessment} has a verdict of {scorer.identity} yet: nothing to draw from")
    return Framed(
        {row.variant_id: row.name for row in chosen},
        preset,
        scorer,
        tuple(plans),
        tuple(rows),
        frozenset(parser_of(store, plan) for plan in plans),
        tuple(_warnings(len(every) - len(asked), len(asked) - len(rows))),
    )


def check_reviewable(assessment: str) -> None:
    """Refuse an assessment that people are not asked about. Raises UsageError."""
    by_key(assessment)
    if assessment == "open_ended":
        raise UsageError(
            "open_ended cannot be spot-checked: a reply is placed on six dimensions at once; read it in Inspect"
        )


def _warnings(n_numbers: int, n_owed: int) -> list[str]:
    said = []
    if n_numbers:
        said.append(f"{n_numbers:,} replies that are numbers are left out: a parser reads those")
    if n_owed:
        said.append(f"{n_owed:,} replies whose verdict is owed are left out of the frame")
    return said


def _plans(store: Store, row: Variant, assessment: str) -> list[Plan]:
    plans = current_plans(store, variant_id=row.variant_id)
    return [plan for plan in plans if plan.assessment == assessment and has_replies(store, plan)]


def _preset(chosen: Sequence[Variant], held: Mapping[int, Sequence[Plan]], assessment: str, named: str) -> str:
    """The preset named, or the largest that all chosen variants have replies of."""
    have = {row.name: {plan.preset for plan in held[row.variant_id]} for row in chosen}
    every = set.union(*have.values())
    if named:
        lacking = [name for name, presets in have.items() if named not in presets]
        if lacking:
            there = ", ".join(_ordered(every))
            raise UsageError(
                f"no replies of {assessment} of {', '.join(lacking)} at preset {named}; there are: {there}"
            )
        return named
    shared = set.intersection(*have.values())
    if not shared:
        each = "; ".join(f"{name}: {', '.join(_ordered(presets)) or 'none'}" for name, presets in have.items())
        raise UsageError(f"these variants have no preset of {assessment} in common ({each}): draw a queue for each")
    return _ordered(shared)[0]


def _ordered(presets: Collection[str]) -> list[str]:
    return [name for name in PRESETS if name in presets] + sorted(set(presets) - set(PRESETS))


def _newest(store: Store, plans: Sequence[Plan], judge: Scorer | None) -> Plan:
    by_age = sorted(plans, key=lambda plan: -plan.replicate)
    if len(by_age) == 1:
        return by_age[0]
    return next((plan for plan in by_age if progress(store, plan, judge).n_owed == 0), by_age[0])


def _judge(store: Store, plans: Sequence[Plan], wanted: Scorer | None) -> Scorer:
    """The judge whose verdicts count for all plans; the parser where no judge was ever needed."""
    if wanted is not None:
        return wanted
    found = {scorer.scorer_id: scorer for plan in plans if (scorer := judge_of(store, plan)) is not None}
    if not found:
        return by_id(store, parser_of(store, plans[0]))
    if len(found) > 1:
        known = ", ".join(scorer.identity for scorer in found.values())
        raise UsageError(f"these variants were judged by different judges ({known}): choose one with --judge")
    return next(iter(found.values()))
