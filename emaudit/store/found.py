"""What each filter finds, as tables of ids of the connection's own, from indexes alone. Reads the store only."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from emaudit.filters import Filters, match_expression
from emaudit.store.connection import Store
from emaudit.store.reading_rules import Rules, rules_of
from emaudit.store.reviews import ANSWERS, FLAGGED, LABELS, STARRED, newest
from emaudit.store.variants import variants

OUTCOMES_NOT_OK = ("refusal", "content_filter", "truncated", "empty", "error")


@dataclass(frozen=True, slots=True)
class Found:
    """What one filter found: its tables, the condition on a reply `r`, and how many replies it holds.

    `is_whole`: the condition is being in the first table, and `n` is its size.
    """

    tables: tuple[str, ...]
    condition: str
    n: int = 0
    is_whole: bool = True


def find_cells(store: Store, filters: Filters, name: str) -> str:
    """The cells that pass the filters on variants and prompts, in a table of this name; empty where all do."""
    hidden = {row.variant_id for row in variants(store, hidden=True) if row.hidden}
    sets: list[tuple[str, Collection[int] | Collection[str]]] = [
        ("c.variant_id", filters.variants),
        ("p.assessment", filters.assessments),
        ("p.part", filters.parts),
        ("p.format", filters.formats),
    ]
    active = [(column, values) for column, values in sets if values]
    if not active and not hidden:
        return ""
    held = [f"{column} IN ({_marks(values)})" for column, values in active]
    held += [f"c.variant_id NOT IN ({_marks(hidden)})"] if hidden else []
    values = [value for _, chosen in active for value in chosen] + list(hidden)
    store.db.execute(f"CREATE TEMP TABLE {name} (cell_id INTEGER PRIMARY KEY)")
    store.db.execute(
        f"INSERT INTO temp.{name} SELECT c.cell_id FROM cells c JOIN prompts p ON p.prompt_id = c.prompt_id "
        f"WHERE {' AND '.join(held)} ORDER BY c.cell_id",
        values,
    )
    return name


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))


def find_replies(store: Store, filters: Filters, name: str, cells: str) -> Iterator[Found]:
    """What the filters on replies find, each in tables whose names begin with `name`."""
    finder = _Finder(store, filters, name, cells)
    if filters.words.strip():
        yield finder.words()
    if filters.by_score:
        yield finder.scores()
    if filters.outcomes:
        yield finder.outcomes()
    if filters.disagreement:
        yield finder.disagreements()
    if filters.differs_from is not None:
        yield finder.differing(filters.differs_from)
    if filters.reviewed is not None:
        yield finder.reviewed(filters.reviewed)
    if filters.flagged:
        yield finder.marked("flagged", FLAGGED)
    if filters.starred:
        yield finder.marked("starred", STARRED)


class _Finder:
    def __init__(self, store: Store, filters: Filters, name: str, cells: str) -> None:
        self._store = store
        self._db: sqlite3.Connection = store.db
        self._filters = filters
        self._name = name
        self._cells = cells
        self._held: Rules | None = None

    @property
    def _rules(self) -> Rules:
        if self._held is None:
            self._held = rules_of(self._store, self._filters)
        return self._held

    def _table(self, what: str, key: str = "reply_id") -> str:
        name = f"{self._name}_{what}"
        self._db.execute(f"CREATE TEMP TABLE {name} ({key} INTEGER PRIMARY KEY)")
        return name

    def _put(self, table: str, select: str, values: Collection[object] = ()) -> None:
        self._db.execute(f"INSERT OR IGNORE INTO temp.{table} {select}", tuple(values))

    def _whole(self, table: str) -> Found:
        n = self._db.execute(f"SELECT count(*) FROM temp.{table}").fetchone()[0]
        return Found((table,), f"r.reply_id IN (SELECT reply_id FROM temp.{table})", n)

    def words(self) -> Found:
        table = self._table("words")
        place, expression = self._filters.place, match_expression(self._filters.words)
        if expression and place in {"all", "replies"}:
            self._put(table, "SELECT rowid FROM reply_text WHERE reply_text MATCH ?", [expression])
        if expression and place in {"all", "judge"}:
            self._put(
                table,
                "SELECT reply_id FROM verdicts WHERE verdict_id IN "
                "(SELECT rowid FROM verdict_text WHERE verdict_text MATCH ?)",
                [expression],
            )
        if place in {"all", "notes"}:
            self._put(table, *_notes(self._filters.words))
        found = self._whole(table)
        if not expression or place not in {"all", "prompts"}:
            return found
        return self._or_prompts(found, expression)

    def _or_prompts(self, found: Found, expression: str) -> Found:
        cells = self._table("asked", "cell_id")
        self._put(
            cells,
            "SELECT cell_id FROM cells WHERE prompt_id IN "
            "(SELECT rowid FROM prompt_text WHERE prompt_text MATCH ?) ORDER BY cell_id",
            [expression],
        )
        n = self._db.execute(f"SELECT count(*) FROM temp.{cells}").fetchone()[0]
        if not n:
            return Found((*found.tables, cells), found.condition, found.n)
        condition = f"({found.condition} OR r.cell_id IN (SELECT cell_id FROM temp.{cells}))"
        return Found((*found.tables, cells), condition, found.n, is_whole=False)

    def scores(self) -> Found:
        table = self._table("scores")
        filters = self._filters
        statuses = [filters.status] if filters.status else ["scored", "neutral"]
        if filters.status == "owed":
            self._owed(table)
            return self._whole(table)
        bounds, values = "", []
        if filters.low is not None or filters.high is not None:
            bounds = "AND v.value BETWEEN ? AND ?"
            values = [-1e9 if filters.low is None else filters.low, 1e9 if filters.high is None else filters.high]
        for status in statuses:
            for parser in self._parsers():
                self._put(table, f"{_with(parser, status)} {bounds} {self._is_newest(parser)}", values)
            for judge in self._judges():
                self._put(table, f"{_with(judge, status)} {bounds} {self._counts(judge)}", values)
        return self._whole(table)

    def _owed(self, table: str) -> None:
        judged = "SELECT v.reply_id FROM verdicts v WHERE v.scorer_id = {} AND v.status <> 'retry'"
        for parser in self._parsers():
            for judge in self._judges() or {-1}:
                pair = self._is_judge_of(judge) if len(self._judges()) > 1 else ""
                self._put(
                    table,
                    f"{_with(parser, 'referred')} {self._is_newest(parser)} {pair} EXCEPT {judged.format(int(judge))}",
                )

    def _parsers(self) -> list[int]:
        wanted = self._filters.assessments
        return [
            parser
            for assessment, held in self._rules.parsers.items()
            if not wanted or assessment in wanted
            for parser in held
        ]

    def _judges(self) -> set[int]:
        return self._rules.in_use(self._filters.variants, self._filters.assessments)

    def _is_newest(self, parser: int) -> str:
        newer = self._rules.superseded.get(parser)
        if not newer:
            return ""
        return (
            "AND NOT EXISTS (SELECT 1 FROM verdicts n WHERE n.reply_id = v.reply_id "
            f"AND n.scorer_id IN ({', '.join(map(str, newer))}))"
        )

    def _counts(self, judge: int) -> str:
        """A judge's verdict counts where the newest parser referred the reply, and it is the judge in use."""
        held = ""
        if self._rules.superseded or judge in self._rules.imported:
            held += (
                f"AND EXISTS (SELECT 1 FROM verdicts q WHERE q.reply_id = v.reply_id AND q.status = 'referred' "
                f"AND q.scorer_id = (SELECT max(n.scorer_id) FROM verdicts n WHERE n.reply_id = v.reply_id "
                f"AND n.scorer_id IN ({', '.join(map(str, self._parsers()))}))) "
            )
        return held + (self._is_judge_of(judge) if len(self._judges()) > 1 else "")

    def _is_judge_of(self, judge: int) -> str:
        pairs = [(variant, assessment) for (variant, assessment), held in self._rules.judges.items() if held == judge]
        tests = [f"(c.variant_id = {int(variant)} AND p.assessment = {_quoted(key)})" for variant, key in pairs]
        return (
            "AND EXISTS (SELECT 1 FROM replies x JOIN cells c ON c.cell_id = x.cell_id "
            f"JOIN prompts p ON p.prompt_id = c.prompt_id WHERE x.reply_id = v.reply_id AND ({' OR '.join(tests)}))"
        )

    def outcomes(self) -> Found:
        table = self._table("outcomes")
        wanted = self._filters.outcomes
        is_ok = "ok" in wanted
        for outcome in OUTCOMES_NOT_OK:
            if (outcome in wanted) != is_ok:
                self._put(table, "SELECT reply_id FROM replies WHERE outcome = ? AND outcome <> 'ok'", [outcome])
        found = self._whole(table)
        if not is_ok:
            return found
        return Found(found.tables, f"r.reply_id NOT IN (SELECT reply_id FROM temp.{table})", is_whole=False)

    def disagreements(self) -> Found:
        table = self._table("disagreements")
        if self._filters.disagreement == "human":
            for scorer, counts in self._counting():
                self._put(
                    table,
                    f"SELECT l.reply_id FROM ({LABELS}) l CROSS JOIN verdicts v ON v.reply_id = l.reply_id "
                    f"AND v.scorer_id = {scorer} WHERE l.value IS NOT NULL AND v.value IS NOT NULL {counts} "
                    "GROUP BY l.event_id HAVING avg(v.value) <> l.value",
                )
            return self._whole(table)
        known = self._rules.known
        chosen = [self._filters.judge] if self._filters.judge is not None else list(known)
        for judge in chosen:
            for other in known:
                if judge != other and (other > judge or len(chosen) == 1):
                    self._put(table, _DIFFER, [other, judge])
        return self._whole(table)

    def differing(self, other: int) -> Found:
        table, cells = self._table("differing"), self._table("others", "prompt_id")
        self._db.execute(f"ALTER TABLE temp.{cells} ADD COLUMN cell_id INTEGER")
        self._db.execute(
            f"INSERT OR REPLACE INTO temp.{cells} SELECT prompt_id, cell_id FROM cells WHERE variant_id = ? "
            "ORDER BY replicate",
            (other,),
        )
        chosen = f"AND c.cell_id IN (SELECT cell_id FROM temp.{self._cells})" if self._cells else ""
        self._put(
            table,
            f"SELECT a.reply_id FROM cells c JOIN temp.{cells} o ON o.prompt_id = c.prompt_id "
            "JOIN replies a ON a.cell_id = c.cell_id JOIN replies b ON b.cell_id = o.cell_id AND b.sample = a.sample "
            "AND NOT EXISTS (SELECT 1 FROM voided WHERE voided.reply_id = b.reply_id) "
            f"WHERE c.variant_id <> ? {chosen} AND {self._value('a')} IS NOT {self._value('b')}",
            [other],
        )
        found = self._whole(table)
        return Found((*found.tables, cells), found.condition, found.n)

    def _counting(self) -> list[tuple[int, str]]:
        """Every scorer whose verdicts `v` may be the reading of a reply, with the condition under which they are."""
        parsers = [(parser, self._is_newest(parser)) for parser in self._parsers()]
        return parsers + [(judge, self._counts(judge)) for judge in sorted(self._judges())]

    def _value(self, reply: str) -> str:
        """The value of a reply's reading; of several parts their mean."""
        tests = " OR ".join(f"(v.scorer_id = {scorer} {counts})" for scorer, counts in self._counting()) or "0"
        return f"(SELECT avg(v.value) FROM verdicts v WHERE v.reply_id = {reply}.reply_id AND ({tests}))"

    def reviewed(self, is_wanted: bool) -> Found:
        table = self._table("reviewed")
        self._put(table, f"SELECT reply_id FROM ({LABELS})")
        found = self._whole(table)
        if is_wanted:
            return found
        return Found(found.tables, f"r.reply_id NOT IN (SELECT reply_id FROM temp.{table})", is_whole=False)

    def marked(self, what: str, select: str) -> Found:
        table = self._table(what)
        self._put(table, f"SELECT reply_id FROM ({select})")
        return self._whole(table)


def _with(scorer: int, status: str) -> str:
    return (
        "SELECT v.reply_id FROM verdicts v INDEXED BY verdicts_by_score "
        f"WHERE v.scorer_id = {int(scorer)} AND v.status = {_quoted(status)}"
    )


_DIFFER = """
SELECT a.reply_id FROM verdicts a JOIN verdicts b ON b.reply_id = a.reply_id AND b.scorer_id = ?2 AND b.part = a.part
WHERE a.scorer_id = ?1 AND a.status IN ('scored', 'neutral', 'unscored')
  AND b.status IN ('scored', 'neutral', 'unscored') AND (a.status <> b.status OR a.value IS NOT b.value)
"""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _notes(words: str) -> tuple[str, list[object]]:
    parts = [word.strip('"*') for word in words.split() if word.strip('"*')]
    tests = " AND ".join("(answer || ' ' || reason) LIKE ? ESCAPE '\\'" for _ in parts) or "0"
    escaped = [part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for part in parts]
    told = " UNION ALL ".join(newest(kinds) for kinds in (ANSWERS, ("note",), ("flag",)))
    return (
        f"SELECT reply_id FROM ({told}) WHERE kind IN ('note', 'flag', 'cannot_tell') AND {tests}",
        [f"%{part}%" for part in escaped],
    )
