"""What stands beside a reply: self-reports, another variant, a second judge. Blocks: belongs in a thread."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Final

from emaudit.assessments import by_key
from emaudit.inspection.listing import Lister
from emaudit.inspection.matching import TOTAL, Wanted, matching
from emaudit.inspection.reading import reply_view, with_maximum
from emaudit.inspection.standing import as_verdicts
from emaudit.inspection.views import Answered, Block, Companion, JudgeView, Measured, SelfReports
from emaudit.scores.measures import MEASURES, PARTS
from emaudit.scores.profiles import Profile
from emaudit.shapes import Listed
from emaudit.stats.templates import Cell, Group
from emaudit.store import listed, readings, scorers
from emaudit.store.exporting import has_replies
from emaudit.store.plans import Plan, current_plans
from emaudit.store.recent import newest_ids
from emaudit.variants import Variant

KINDS: Final = ("reports", "variant", "judge")
_FORMAT_ORDER: Final = ("decision", "numerical", "likert", "language", "")


class Companions:
    """Finds what stands beside a reply; keeps the numbers of self-reports while the store holds the same."""

    def __init__(self, lister: Lister) -> None:
        self._lister = lister
        self._profiles: dict[tuple[int, int], Profile] = {}
        self._reports_of: dict[tuple[int, tuple[Wanted, ...]], SelfReports | str] = {}
        self._newest: tuple[int, ...] = ()

    def beside(self, reply_id: int, kind: str, name: str = "") -> Companion:
        """What stands beside a reply; `name` is the wanted variant or judge, the nearest where it is empty."""
        found = listed.listed(self._lister.store, [reply_id])
        if not found:
            return Companion(kind, reply_id, why_not="this reply is no longer in the store")
        if kind == "variant":
            return self._variant(found[0], name)
        return self._judge(found[0], name) if kind == "judge" else self._reports(found[0])

    def _variant(self, held: Listed, name: str) -> Companion:
        lister = self._lister
        others = listed.same_slot(lister.store, held)
        known = [row for row in lister.variants.values() if row.variant_id in others and not row.hidden]
        if not known:
            return Companion(
                "variant",
                held.reply_id,
                why_not="No other variant has answered this prompt; c changes what stands here.",
            )
        order = relatives(lister.variants[held.variant_id], known)
        chosen = next((row for row in order if row.name == name), order[0])
        view = reply_view(lister, others[chosen.variant_id])
        choices = tuple(row.name for row in order)
        return Companion("variant", held.reply_id, chosen.name, other=view, choices=choices)

    def _judge(self, held: Listed, name: str) -> Companion:
        lister = self._lister
        rules = lister.rules_now()
        own = rules.judge(held.variant_id, held.assessment)
        given = listed.verdicts(lister.store, [held.reply_id], with_raw=True)[held.reply_id]
        verdicts = [verdict for verdict in as_verdicts(given, lister.names) if verdict.kind != "parser"]
        others = {verdict.scorer: verdict.scorer_id for verdict in verdicts if verdict.scorer_id != own}
        if not others:
            return Companion(
                "judge", held.reply_id, why_not="One judge alone has read this reply; `emaudit rejudge` asks another."
            )
        chosen = name if name in others else next(iter(others))
        seen_by = replace(rules, judges={}, active=others[chosen])
        cell = [reply_id for _, reply_id in listed.samples(lister.store, held.cell_id)]
        view = JudgeView(
            chosen,
            tuple(verdict for verdict in verdicts if verdict.scorer == chosen),
            tuple(with_maximum(lister.rows(cell, seen_by))),
        )
        return Companion("judge", held.reply_id, chosen, judge=view, choices=tuple(others))

    def _reports(self, held: Listed) -> Companion:
        self._forget_where_stale()
        wanted = matching(held.assessment, held.part)
        key = (held.variant_id, wanted)
        if key not in self._reports_of:
            self._reports_of[key] = self._made(held.variant_id, wanted)
        found = self._reports_of[key]
        name = self._lister.name(held.variant_id)
        if isinstance(found, str):
            return Companion("reports", held.reply_id, name, why_not=found)
        return Companion("reports", held.reply_id, name, reports=found)

    def _forget_where_stale(self) -> None:
        newest = (*newest_ids(self._lister.store), self._lister.rules_now().active)
        if newest != self._newest:
            self._profiles, self._reports_of, self._newest = {}, {}, newest

    def _made(self, variant_id: int, wanted: Sequence[Wanted]) -> SelfReports | str:
        """The self-reports of a variant; why there are none where it was never asked for any."""
        plans = self._plans(variant_id)
        name = self._lister.name(variant_id)
        asked = [(plans[key], parts) for key, parts in wanted if key in plans]
        missing = tuple(key for key, _ in wanted if key not in plans)
        if not asked:
            titles = ", ".join(by_key(key).title.lower() for key in missing)
            return f"{name} was never asked about itself: F2, then r, runs {titles}."
        numbers = [number for plan, parts in asked for number in self._numbers(plan, parts)]
        blocks = [block for plan, parts in asked for block in self._blocks(plan, parts)]
        return SelfReports(name, wanted[0][1], tuple(numbers), tuple(blocks), missing)

    def _plans(self, variant_id: int) -> dict[str, Plan]:
        """Of each assessment the plan that is read: one with replies, of the newest replicate, the largest."""
        store = self._lister.store
        held = [plan for plan in current_plans(store, variant_id=variant_id) if has_replies(store, plan)]
        return {plan.assessment: plan for plan in sorted(held, key=lambda plan: (plan.replicate, plan.n_slots))}

    def _profile(self, plan: Plan) -> Profile:
        lister = self._lister
        judge_id = lister.rules_now().judge(plan.variant_id, plan.assessment)
        key = (plan.plan_id, judge_id)
        if key not in self._profiles:
            judge = scorers.by_id(lister.store, judge_id) if judge_id in lister.names else None
            tallies = readings.tallies(lister.store, plan, judge)
            self._profiles[key] = Profile(plan.assessment, tallies)
        return self._profiles[key]

    def _numbers(self, plan: Plan, parts: Sequence[str]) -> Iterator[Measured]:
        profile = self._profile(plan)
        for part in parts:
            yield from numbers(profile, part)

    def _blocks(self, plan: Plan, parts: Sequence[str]) -> Iterator[Block]:
        is_open = plan.assessment == "open_ended"
        for part in ("",) if is_open else [part for part in parts if part != TOTAL]:
            found = listed.said(self._lister.store, plan.plan_id, part)
            rows = self._lister.rows([row.reply_id for row in found])
            standings = {row.reply_id: row.standing for row in rows}
            by_format: dict[str, list[Answered]] = {}
            for _, held in groupby(found, key=lambda row: row.prompt_id):
                said = tuple(held)
                answered = Answered(said, tuple(standings[row.reply_id] for row in said))
                by_format.setdefault(said[0].format, []).append(answered)
            for format in sorted(by_format, key=_FORMAT_ORDER.index):
                yield Block(plan.assessment, part, format, tuple(by_format[format]))


def numbers(profile: Profile, part: str) -> Iterator[Measured]:
    """The headline measure of a part (or of `total`): each format alone, then over all of them."""
    measure = MEASURES[profile.assessment][0]
    parts = PARTS[profile.assessment] if part == TOTAL else (part,)
    for formats in [*((format,) for format in measure.formats), measure.formats][
        : None if len(measure.formats) > 1 else 1
    ]:
        groups = []
        used = expected = 0
        for name in parts:
            keys = [(name, form) for form in formats if (name, form) in profile.blocks]
            measured = [profile.measured(measure, key) for key in keys]
            groups.append(Group(tuple(Cell(key[1], held.means) for key, held in zip(keys, measured, strict=True))))
            used += sum(held.n_used for held in measured)
            expected += sum(profile.blocks[key].n_planned for key in keys)
        value = Group(tuple(group for group in groups if group.members)).mean
        if value is not None:
            value = 0.75 - value / 4 if profile.assessment == "moral_foundations" else value + measure.offset
        label = formats[0] if len(formats) == 1 else "all"
        yield Measured(profile.assessment, part, label, value, used, expected)


def relatives(own: Variant, others: Sequence[Variant]) -> list[Variant]:
    """Variants by how near they stand: parent, children, the same lineage, size or recipe, then the rest."""

    def distance(other: Variant) -> tuple[int, int]:
        if other.name == own.parent:
            near = 0
        elif other.parent == own.name:
            near = 1
        elif own.size and other.size == own.size and (other.domain == own.domain or not other.domain):
            near = 2
        elif own.parent and other.parent == own.parent:
            near = 3
        elif other.domain == own.domain and other.stage == own.stage:
            near = 4
        else:
            near = 5 if own.size and other.size == own.size else 6
        return near, other.variant_id

    return sorted(others, key=distance)
