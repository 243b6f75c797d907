"""What an export holds beside its scores: agreement, the review events, starred examples, the methods page.

Owns the columns of these files. Reads the store through its modules; writes nothing itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Final

from emaudit.export import Page, Record, Table
from emaudit.latex import FALLBACK, paragraph, verbatim
from emaudit.methods import methods_page
from emaudit.reviewing.files import REVIEW_COLUMNS, review_rows
from emaudit.scores import Source
from emaudit.scores.agreement import COLUMNS, CONFUSION_COLUMNS, Checks, agreement_tables, blind_labels
from emaudit.scores.agreement.gathering import Labelled
from emaudit.scores.agreement.rows import Table as Agreement
from emaudit.scores.agreement.rows import sort_key
from emaudit.store import reviews
from emaudit.store.connection import Store
from emaudit.store.plans import Plan
from emaudit.store.queues import queues
from emaudit.store.readings import responses
from emaudit.store.scorers import Scorer
from emaudit.store.verdictpairs import last_events

EXAMPLE_COLUMNS: Final = (
    "variant",
    "size",
    "domain",
    "stage",
    "replicate",
    "assessment",
    "item",
    "category_or_dimension",
    "format",
    "condition",
    "sample",
    "prompt",
    "response",
    "outcome",
    "score",
    "score_status",
    "scored_by",
    "judge",
    "human_score",
    "reviewer",
    "starred_by",
    "starred_at",
    "simulated",
)


class Evidence:
    """The further files of one export: of these plans, seen with one judge (None: the active one)."""

    def __init__(
        self, store: Store, preset: str, plans: Sequence[tuple[Source, Plan]], judge: Scorer | None = None
    ) -> None:
        self.store = store
        self.preset = preset
        self.plans = list(plans)
        self.judge = judge
        self.checks = Checks(store)

    @cached_property
    def tables(self) -> list[Agreement]:
        """Every table of agreement."""
        name = self.judge.identity if self.judge else ""
        return agreement_tables(self.store, self.preset, [plan for _, plan in self.plans], name, self.checks)

    @cached_property
    def labels(self) -> Mapping[int, Labelled]:
        """By reply, the newest blind label."""
        return blind_labels(self.store)

    def files(self) -> Iterator[Table | Page]:
        """Every further file, in the order the manifest lists them; those without rows have a header alone."""
        rows = [table.row for table in self.tables]
        cells = sorted((cell for table in self.tables for cell in table.confusion), key=sort_key)
        yield Table("agreement.csv", COLUMNS, ([getattr(row, name) for name in COLUMNS] for row in rows))
        yield Table(
            "confusion.csv", CONFUSION_COLUMNS, ([getattr(cell, name) for name in CONFUSION_COLUMNS] for cell in cells)
        )
        events = ([row.get(name) for name in REVIEW_COLUMNS] for row in review_rows(self.store))
        yield Table("reviews.csv", REVIEW_COLUMNS, events)
        examples = list(self.examples())
        yield Table("examples.csv", EXAMPLE_COLUMNS, ([row.get(name) for name in EXAMPLE_COLUMNS] for row in examples))
        yield Page("examples.tex", examples_tex(examples))
        yield Page("methods.md", methods_page(self.store, self.preset, self.plans, self.judge, self.checks))

    def examples(self) -> Iterator[Record]:
        """The starred replies, as the tables have them."""
        stars = reviews.stars(self.store)
        for source, plan in sorted(self.plans, key=lambda entry: (entry[0].variant, entry[0].assessment)):
            for found in responses(self.store, plan, self.judge, stars) if stars else ():
                label = self.labels.get(found.reply_id)
                who, at = stars[found.reply_id]
                yield {
                    **{name: getattr(source, name) for name in _OF_SOURCE},
                    **{name: getattr(found, name) for name in EXAMPLE_COLUMNS if hasattr(found, name)},
                    "category_or_dimension": found.part,
                    "human_score": label.value if label else None,
                    "reviewer": label.reviewer if label else None,
                    "starred_by": who,
                    "starred_at": at,
                }

    def facts(self) -> dict[str, object]:
        """For the manifest: the review snapshot (the newest event of every queue)."""
        ends = {name: {"n_events": n, "last_event": digest} for name, n, digest in last_events(self.store)}
        return {
            "reviews": [
                {
                    "queue": queue.name,
                    "uid": queue.uid,
                    "assessment": queue.assessment,
                    "preset": queue.preset,
                    "judge": queue.judge,
                    "design": queue.design,
                    "seed": queue.seed,
                    "n_planned": queue.n_planned,
                    "n_frame": queue.n_frame,
                    "frame_hash": queue.frame_hash,
                    "rubric_hash": queue.rubric_hash,
                    "reviewer": queue.reviewer,
                    "in_tables": queue.preset == self.preset,
                    **ends.get(queue.name, {"n_events": 0, "last_event": ""}),
                }
                for queue in queues(self.store)
            ],
            "events_of_no_queue": ends.get("", {"n_events": 0, "last_event": ""}),
        }

    def undefined(self) -> list[Record]:
        """For the manifest: which cells of agreement.csv are empty, and why."""
        return [
            {
                "table": "agreement.csv",
                **{name: getattr(table.row, name) for name in _KEY},
                "column": column,
                "reason": reason,
            }
            for table in self.tables
            for column, reason in sorted(table.row.reasons.items())
        ]


_OF_SOURCE: Final = ("variant", "size", "domain", "stage", "replicate", "assessment", "simulated")
_KEY: Final = ("variant", "assessment", "measure", "pair", "judge", "reviewer", "design")


def examples_tex(examples: Sequence[Record]) -> str:
    """The starred replies as LaTeX paragraphs, every character of a prompt or reply as itself."""
    lines = [
        "% Chosen examples: the replies starred in emaudit. Compile with LuaLaTeX or XeLaTeX for other scripts.",
        FALLBACK,
    ]
    if not examples:
        lines.append("% No reply of these tables is starred.")
    for row in examples:
        lines += ["", *_example(row)]
    return "\n".join(lines) + "\n"


def _example(row: Record) -> Iterator[str]:
    place = ", ".join(str(row[name]) for name in ("variant", "assessment", "item", "condition") if row[name])
    simulated = r"\textsc{Simulated.} " if row["simulated"] else ""
    score = "unscored" if row["score"] is None else f"score {float(str(row['score'])):g}"
    by = f" by {row['judge']}" if row["judge"] else ""
    human = "" if row["human_score"] is None else f"; {float(str(row['human_score'])):g} by {row['reviewer']}"
    title = f"{place}, sample {row['sample']}: {score}{by}{human}."
    yield rf"\paragraph{{{simulated}{paragraph(title)}}}"
    yield r"\begin{quote}"
    yield rf"\textbf{{Prompt.}} {verbatim(str(row['prompt']))}"
    yield ""
    yield rf"\textbf{{Response.}} {verbatim(str(row['response']))}"
    yield r"\end{quote}"
