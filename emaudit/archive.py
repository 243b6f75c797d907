"""A store seen as tables: its variants, plans, tallies and replies, for one preset and one choice of judge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Final

from emaudit.assessments.base import PRESETS
from emaudit.choices import Choices
from emaudit.errors import UsageError
from emaudit.evidence import Evidence
from emaudit.export import Page, Record, Table
from emaudit.prompts import content_hash
from emaudit.scores import Rules, Score, Source, newest_complete, seed_of, table
from emaudit.scores.agreement import blind_labels
from emaudit.scores.agreement.gathering import Labelled
from emaudit.scores.rows import sort_key
from emaudit.store.connection import Store
from emaudit.store.exporting import has_replies, params_hashes, params_texts, voids
from emaudit.store.horizon import heads_at, newest_rows
from emaudit.store.plans import Plan, current_plans
from emaudit.store.readings import Reading, Tally, read, responses
from emaudit.store.scorers import Scorer, active_judge, by_identity
from emaudit.store.variants import variants
from emaudit.variants import PROVENANCE, Variant


def presets(store: Store) -> list[str]:
    """The presets of which variants have replies: paper, quick and smoke first, then imported ones.

    Where there are no replies at all, the presets that were planned.
    """
    shown = {row.variant_id for row in variants(store)}
    plans = [plan for plan in current_plans(store) if plan.variant_id in shown]
    held = {plan.preset for plan in plans if has_replies(store, plan)} or {plan.preset for plan in plans}
    return [preset for preset in PRESETS if preset in held] + sorted(held - set(PRESETS))


class StoreArchive:
    """A store as `export` and `scores` read it.

    `judge` names one by its identity, empty for the active one; `replicate` 0 takes all; variants of which some
    field has some value of `exclude` are left out. The other `choices` are those of the analyses: what is asked for
    beside them leads. Raises UsageError for an unknown judge.
    """

    def __init__(
        self,
        store: Store,
        preset: str,
        judge: str = "",
        replicate: int = 0,
        exclude: Sequence[tuple[str, str]] = (),
        choices: Choices | None = None,
    ) -> None:
        self.store = store
        self.preset = preset
        self.replicate = replicate
        self.exclude = tuple(exclude)
        as_of = store.horizon.moment if store.horizon else ""
        self.choices = replace(
            choices or Choices(), preset=preset, judge=judge, replicate=replicate, exclude=self.exclude, as_of=as_of
        )
        self.judge: Scorer | None = by_identity(store, judge) if judge else None
        self._plans: dict[int, Plan] = {}
        self._used: dict[int, Scorer] = {}
        self._read: dict[int, Sequence[Tally]] = {}
        self._labels: Mapping[int, Labelled] | None = None
        self._evidence: Evidence | None = None
        self._undefined: list[Record] = []

    @classmethod
    def chosen(cls, store: Store, choices: Choices) -> StoreArchive:
        """A store as it was chosen. What a moment leaves out is up to the store, which is looked at as of one."""
        return cls(store, choices.preset, choices.judge, choices.replicate, choices.exclude, choices)

    def check(self) -> None:
        """Raises UsageError where a choice names what the store does not hold: a value to exclude, a replicate."""
        every = variants(self.store)
        for field, value in self.exclude:
            known = sorted({str(getattr(row, field)) for row in every})
            if value not in known:
                there = _listed(known)
                raise UsageError(f"--exclude {field}={value}: no variant has this {field}; there is: {there}")
        numbers = {row.variant_id for row in every}
        plans = current_plans(self.store, self.preset)
        replicates = sorted({plan.replicate for plan in plans if plan.variant_id in numbers})
        if self.replicate and self.replicate not in replicates:
            raise UsageError(f"no replicate {self.replicate}; there is: {', '.join(map(str, replicates)) or 'none'}")

    @cached_property
    def rows(self) -> list[Variant]:
        """The variants in the tables."""
        return [row for row in variants(self.store) if not self._leaves_out(row)]

    def _leaves_out(self, row: Variant) -> bool:
        return any(getattr(row, field) == value for field, value in self.exclude)

    @property
    def leading_judge(self) -> str:
        """The identity of the judge whose verdicts lead: the one asked for, else the active one; empty before any."""
        leading = self.judge or active_judge(self.store)
        return leading.identity if leading else ""

    def variants(self) -> Iterator[Record]:
        """Every variant in the tables, as column -> value of variants.csv but for `replicate`."""
        for row in self.rows:
            yield {
                "variant": row.name,
                "model": row.model,
                "size": row.size,
                "domain": row.domain,
                "stage": row.stage,
                "parent": row.parent,
                "endpoint": row.endpoint or row.base_url,
                **{name: getattr(row, name) or None for name in PROVENANCE},
            }

    def plans(self, assessment: str = "") -> list[tuple[Variant, Plan]]:
        """Every plan of the preset (and of an assessment) and its variant, all replicates (or the one asked for)."""
        by_number = {row.variant_id: row for row in self.rows}
        found = [
            (by_number[plan.variant_id], plan)
            for plan in current_plans(self.store, self.preset)
            if plan.variant_id in by_number
            and self.replicate in (0, plan.replicate)
            and assessment in ("", plan.assessment)
        ]
        self._plans.update((plan.plan_id, plan) for _, plan in found)
        return found

    def read(self, plan: Plan) -> Reading:
        """The counted replies of one plan, under the judge of the tables."""
        return read(self.store, plan, self.judge)

    def source(self, row: Variant, plan: Plan, judge: Scorer | None, judged_by_simulation: bool) -> Source:
        """Where the replies of a plan come from; `judge` is the one of which some verdict counts."""
        if judge is not None:
            self._used[plan.plan_id] = judge
        return Source(
            variant=row.name,
            size=row.size,
            domain=row.domain,
            stage=row.stage,
            preset=plan.preset,
            replicate=plan.replicate,
            assessment=plan.assessment,
            judge=judge.identity if judge else "",
            instrument=plan.instrument,
            simulated=self.store.kind == "simulated" or judged_by_simulation,
            seed=seed_of(content_hash(params_hashes(self.store, plan))),
            plan_id=plan.plan_id,
        )

    def sources(self, assessment: str = "") -> Iterator[Source]:
        """Every plan of the preset (and of an assessment), with the judge whose verdicts are counted, if any."""
        for row, plan in self.plans(assessment):
            found = self.read(plan)
            self._read[plan.plan_id] = found.tallies
            yield self.source(row, plan, found.judge, found.judged_by_simulation)

    def tallies(self, source: Source) -> Sequence[Tally]:
        """The counted replies of one plan."""
        return self._read.pop(source.plan_id, None) or self.read(self._plans[source.plan_id]).tallies

    def responses(self, source: Source) -> Iterator[Record]:
        """The closed replies of one plan."""
        if self._labels is None:
            self._labels = blind_labels(self.store)
        for row in responses(self.store, self._plans[source.plan_id], self.judge):
            label = self._labels.get(row.reply_id)
            yield {
                "item": row.item,
                "category_or_dimension": row.part,
                "format": row.format,
                "condition": row.condition,
                "sample": row.sample,
                "prompt": row.prompt,
                "response": row.response,
                "outcome": row.outcome,
                "score": row.score,
                "score_status": row.score_status,
                "scored_by": row.scored_by,
                "judge": row.judge,
                "verdict_raw": row.verdict_raw,
                "human_score": label.value if label else None,
                "reviewer": label.reviewer if label else None,
                "reviewed_at": label.at if label else None,
            }

    def beside(self, sources: Sequence[Source], scores: Sequence[Score], rules: Rules) -> Iterator[Table | Page]:
        """What people and judges say of each other (see Evidence), and what the analyses come to (see Analyses)."""
        from emaudit.analyses import Analyses
        from emaudit.studies import study_of

        yield from self.evidence(sources).files()
        analyses = Analyses(study_of(self, rules, cached=False), self.choices)
        yield from analyses.files(scores, self.voided())
        self._undefined = analyses.undefined()

    def evidence(self, sources: Sequence[Source]) -> Evidence:
        """What people and other judges say of the plans that the tables are of."""
        plans = [(source, self._plans[source.plan_id]) for source in sources]
        self._evidence = Evidence(self.store, self.preset, plans, self.judge)
        return self._evidence

    def facts(self) -> Mapping[str, object]:
        """What the manifest says of the store, without any moment of time."""
        plans = list(self._plans.values())
        return {
            **({**self._evidence.facts(), "undefined": self._empty_cells()} if self._evidence else {}),
            "store_id": self.store.store_id,
            "chosen": self.choices.record(),
            "rows": newest_rows(self.store),
            "heads": heads_at(self.store, newest_rows(self.store)),
            "plan_hashes": sorted({plan.content_hash for plan in plans}),
            "parameters": params_texts(self.store, (h for plan in plans for h in params_hashes(self.store, plan))),
            "leading_judge": self.leading_judge,
            "judges": {judge.identity: dict(judge.detail) for judge in self._used.values()},
            "instruments": {plan.instrument: plan.label for plan in plans},
            "hidden": [row.name for row in variants(self.store, hidden=True) if row.hidden],
            "voided": self.voided(),
        }

    def _empty_cells(self) -> list[Record]:
        return [*(self._evidence.undefined() if self._evidence else ()), *self._undefined]

    def voided(self) -> list[Record]:
        """Everything that was taken out of the count, and why."""
        names = {row.variant_id: row.name for row in variants(self.store, hidden=True)}
        return [
            {
                "variant": names[void.variant_id],
                "assessment": void.assessment,
                "item": void.item,
                "reason": void.reason,
                "n_replies": void.n_replies,
            }
            for void in voids(self.store)
        ]

    def labels(self) -> set[str]:
        """The warnings that instruments carry, such as `emaudit-mf36: not the validated MFQ-2`."""
        return {plan.label for plan in self._plans.values() if "not the validated" in plan.label}

    def excluded(self) -> list[Record]:
        """The variants that `exclude` leaves out, each with the choice that does."""
        wanted = ", ".join(f"{field}={value}" for field, value in self.exclude)
        left_out = [row for row in variants(self.store) if self._leaves_out(row)]
        why = f"--exclude {wanted}"
        return [{"variant": row.name, "domain": row.domain, "stage": row.stage, "why": why} for row in left_out]


def _listed(values: Sequence[str]) -> str:
    shown = [value or "(none)" for value in values[:_MOST]]
    return ", ".join(shown) + (f" and {len(values) - _MOST} more" if len(values) > _MOST else "")


_MOST: Final = 30
"""Known values named in one message."""


def newest(archive: StoreArchive, assessment: str = "") -> dict[Source, Sequence[Tally]]:
    """An archive's newest complete replicates (of an assessment) with their counted replies."""
    sets = {source: archive.tallies(source) for source in archive.sources(assessment)}
    chosen = newest_complete(sets, lambda source: any(row.status == "owed" for row in sets[source]))
    return {source: sets[source] for source in chosen}


def scored(archive: StoreArchive) -> list[Score]:
    """Every score of an archive's newest complete replicates, of one assessment after another.

    No average is over several assessments, and all replies of hundreds of variants at once are gigabytes.
    """
    rows: list[Score] = []
    for assessment in sorted({plan.assessment for _, plan in archive.plans()}):
        sets = newest(archive, assessment)
        rows += table((source, sets.pop(source)) for source in list(sets))
    return sorted(rows, key=sort_key)
