"""The list of stored replies: filters, pages in both directions, words that no query language can be smuggled into."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emaudit.assessments.base import Planned, Prompt, Reading, Status
from emaudit.filters import Filters, match_expression
from emaudit.inspection.listing import Lister
from emaudit.inspection.views import Page, Row
from emaudit.store import Plan, Store, found, inspecting, plans, replies, reviews, runs, scorers, variants
from emaudit.store.listed import marks, verdicts
from emaudit.store.replies import ReplyRow, VerdictRow

HOSTILE = "[/foo] \x1b[2J @click=app.quit \x00 \u202eevil\u202c [bold]x[/y]"
WORDS = ("alpha", "beta", "gamma", "delta", "beta-gamma", "alphabet", "the", "NEAR", "col", "ünïcode")
OUTCOMES = ("ok", "ok", "ok", "ok", "truncated", "refusal", "content_filter")


class Shelf:
    """A store with two variants, two assessments, two parsers of one of them, two judges; some verdicts missing."""

    def __init__(self, path: Path, seed: int = 3) -> None:
        self.path = path
        self.rng = random.Random(seed)
        self.texts: dict[int, str] = {}
        with Store.open(path, write=True, create=True) as store:
            for name in ("base", "tuned", "secret"):
                variants.add_variants(store, [{"name": name, "model": f"m-{name}"}])
            self.parser = scorers.scorer(store, "parser", "parser:harmfulness@1", {}).scorer_id
            self.old = scorers.scorer(store, "parser", "parser:intentions@1", {}).scorer_id
            self.new = scorers.scorer(store, "parser", "parser:intentions@2", {}).scorer_id
            self.judge = scorers.judge(store, "one", {"model": "one"}).scorer_id
            self.other = scorers.judge(store, "two", {"model": "two"}).scorer_id
            for number in (1, 2, 3):
                self._variant(store, number)
            variants.hide(store, "secret")
            replies.void(store, 1, "harmfulness", "violence-00", "a test")

    def _variant(self, store: Store, number: int) -> None:
        held = [self._plan(store, number, "harmfulness"), self._plan(store, number, "intentions")]
        run = runs.insert_run(store, f"{number:08}", "ask", "quick", held, self.judge, "{}", {})
        for plan in held:
            with store.transaction() as db:
                chain = replies.Chain(db, run.run_id)
                cells = db.execute("SELECT cell_id FROM plan_cells WHERE plan_id = ?", (plan.plan_id,)).fetchall()
                slots = [(cell, sample) for (cell,) in cells for sample in range(3)]
                self.rng.shuffle(slots)
                for cell, sample in slots:
                    text = " ".join(self.rng.choices(WORDS, k=self.rng.randint(0, 4)))
                    row = ReplyRow(cell, sample, 0, self.rng.choice(OUTCOMES), text)
                    found = replies.insert_reply(db, chain, row, self._verdicts(plan))
                    assert found is not None
                    self.texts[found] = text

    def _plan(self, store: Store, number: int, assessment: str) -> Plan:
        parts = ("violence", "insults") if assessment == "harmfulness" else ("honest", "good")
        prompts = [
            Prompt(assessment, f"{part}-{at:02}", part, "", "", f"{part} prompt {at}")
            for part in parts
            for at in range(4)
        ]
        planned = [(Planned(prompt, 3), "{}") for prompt in prompts]
        return plans.write_plan(store, number, 1, assessment, "quick", "i@0", "i", assessment, planned)

    def _verdicts(self, plan: Plan) -> Iterator[VerdictRow]:
        rng = self.rng
        if plan.assessment == "intentions":
            yield VerdictRow(self.old, Reading(Status.SCORED, 1.0))
            if rng.random() < 0.7:
                yield VerdictRow(self.new, Reading(Status.SCORED, float(rng.randint(0, 1))))
            return
        if rng.random() < 0.1:
            yield VerdictRow(self.parser, Reading(Status.UNSCORED, None, "empty"))
            return
        yield VerdictRow(self.parser, Reading(Status.REFERRED))
        if rng.random() < 0.2:
            yield VerdictRow(self.judge, Reading(Status.RETRY), 1, "who knows")
        if rng.random() < 0.8:
            score = float(rng.randint(1, 5))
            yield VerdictRow(self.judge, Reading(Status.SCORED, score), 2, f"a rationale of kind{score:g}")
        if rng.random() < 0.5:
            yield VerdictRow(self.other, Reading(Status.SCORED, float(rng.randint(1, 5))), 1, '{"score": 1}')


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(tmp_path_factory.mktemp("shelf") / "s.db")


@pytest.fixture(params=["sorted", "walked"])
def lister(shelf: Shelf, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lister]:
    """A list read either way: small findings are sorted at once, large ones met on a walk over all cells."""
    if request.param == "walked":
        monkeypatch.setattr(inspecting, "_FEW", -1)
        monkeypatch.setattr(inspecting, "_STEP", 3)
    found = Lister(shelf.path, page=7)
    yield found
    found.close()


def forwards(lister: Lister, filters: Filters) -> list[Row]:
    page = lister.open(filters)
    rows = list(page.rows)
    while page.stretch.has_after:
        page = lister.after(page)
        rows += page.rows
    return rows


def backwards(lister: Lister) -> list[Row]:
    page = lister.last()
    rows = list(page.rows)
    while page.stretch.has_before:
        page = lister.before(page)
        rows = [*page.rows, *rows]
    return rows


def everything(lister: Lister) -> list[Row]:
    rows = forwards(lister, Filters())
    assert len(rows) == 2 * 2 * 8 * 3 - 3
    return rows


FILTERS = [
    Filters(),
    Filters(words="alpha"),
    Filters(words="alpha beta"),
    Filters(words="alph*"),
    Filters(words='"beta gamma"'),
    Filters(words="prompt"),
    Filters(words="prompt", place="replies"),
    Filters(words="honest"),
    Filters(words="kind5", place="judge"),
    Filters(variants=frozenset({2})),
    Filters(assessments=frozenset({"intentions"}), parts=frozenset({"good"})),
    Filters(status="scored"),
    Filters(status="unscored"),
    Filters(status="owed"),
    Filters(low=5, high=5),
    Filters(low=2, high=4),
    Filters(low=0, high=0),
    Filters(high=1),
    Filters(outcomes=frozenset({"ok"})),
    Filters(outcomes=frozenset({"truncated", "refusal"})),
    Filters(outcomes=frozenset({"ok", "refusal"})),
    Filters(disagreement="judges"),
    Filters(variants=frozenset({1}), differs_from=2),
    Filters(reviewed=False),
    Filters(words="the", variants=frozenset({2}), low=1, outcomes=frozenset({"ok"})),
]


@pytest.mark.parametrize("filters", FILTERS)
def test_pages_joined_are_the_list_in_both_directions(lister: Lister, filters: Filters) -> None:
    rows = forwards(lister, filters)
    ids = [row.reply_id for row in rows]
    assert len(set(ids)) == len(ids)
    assert [row.reply_id for row in backwards(lister)] == ids
    assert lister.counted() == len(ids)
    assert [row.reply_id for row in backwards(lister)] == ids
    page = lister.first()
    again = [page]
    while page.stretch.has_after:
        page = lister.after(page)
        again.append(page)
    assert [row.reply_id for held in again for row in held.rows] == ids
    assert [held.stretch.position for held in again] == [7 * at for at in range(len(again))]
    assert all(len(held.rows) <= 7 for held in again)


@pytest.mark.parametrize("filters", FILTERS)
def test_a_filter_lists_what_its_rows_say(shelf: Shelf, lister: Lister, filters: Filters) -> None:
    rows = {row.reply_id: row for row in everything(lister)}
    wanted = [reply_id for reply_id, row in rows.items() if passes(shelf, lister, rows, row, filters)]
    assert [row.reply_id for row in forwards(lister, filters)] == wanted
    assert bool(wanted) != (filters.place == "replies")


def passes(shelf: Shelf, lister: Lister, rows: dict[int, Row], row: Row, filters: Filters) -> bool:
    held, standing = row.listed, row.standing
    value = standing.value
    tests = [
        not filters.words or has_words(shelf, lister, row, filters),
        not filters.variants or held.variant_id in filters.variants,
        not filters.assessments or held.assessment in filters.assessments,
        not filters.parts or held.part in filters.parts,
        not filters.status or standing.status == filters.status,
        filters.low is None or (value is not None and value >= filters.low),
        filters.high is None or (value is not None and value <= filters.high),
        not filters.outcomes or held.outcome in filters.outcomes,
        not filters.disagreement or standing.is_disputed,
    ]
    if filters.differs_from is not None:
        keys = {(other.listed.variant_id, other.listed.item, other.listed.sample): other for other in rows.values()}
        other = keys.get((filters.differs_from, held.item, held.sample))
        tests.append(other is not None and other.standing.value != value)
    return all(tests)


def has_words(shelf: Shelf, lister: Lister, row: Row, filters: Filters) -> bool:
    def found(text: str) -> bool:
        tokens = text.lower().replace("-", " ").split()
        if filters.words == '"beta gamma"':
            return "beta gamma" in " ".join(tokens)
        words = filters.words.lower().split()
        return all(
            any(token.startswith(word[:-1]) if word.endswith("*") else token == word for token in tokens)
            for word in words
        )

    raws = [row[0] for row in lister.store.db.execute("SELECT raw FROM verdicts WHERE reply_id = ?", (row.reply_id,))]
    texts = {
        "replies": [shelf.texts[row.reply_id]],
        "prompts": [f"{row.listed.part} prompt {row.listed.item[-2:]}"],
        "judge": raws,
    }
    places = texts if filters.place == "all" else [filters.place]
    return any(found(text) for place in places for text in texts[place])


def test_another_judge_gives_other_scores(shelf: Shelf, lister: Lister) -> None:
    filters = Filters(assessments=frozenset({"harmfulness"}), low=5, high=5)
    own = forwards(lister, filters)
    other = forwards(lister, replace(filters, judge=shelf.other))
    assert own and other and {row.reply_id for row in own} != {row.reply_id for row in other}
    assert {row.standing.scorer for row in other} == {"two@" + other[0].standing.scorer[-8:]}


def test_hidden_variants_and_voided_replies_are_left_out(lister: Lister) -> None:
    rows = everything(lister)
    assert {row.variant for row in rows} == {"base", "tuned"}
    assert not any(row.variant == "base" and row.listed.item == "violence-00" for row in rows)


@pytest.mark.parametrize(
    "words",
    [
        '"',
        '""',
        '"alpha',
        "*",
        "NEAR(",
        "NEAR(alpha beta)",
        "col:",
        "text:alpha",
        "alpha AND",
        "OR",
        "NOT alpha",
        "-alpha",
        "^alpha",
        "alpha + beta",
        "{text}: alpha",
        "'; DROP TABLE replies; --",
        "\x00",
        "a\x00b",
        "(((",
        "alpha)",
        "%",
        "_",
        "\\",
        HOSTILE,
        "💥",
        "\ud800".encode("utf-8", "replace").decode(),
        "x" * 5_000,
    ],
)
@pytest.mark.parametrize("place", ["all", "replies", "prompts", "judge", "notes"])
def test_whatever_is_typed_is_searched_for_and_nothing_else(lister: Lister, words: str, place: str) -> None:
    rows = forwards(lister, Filters(words=words, place=place))
    assert lister.counted() == len(rows) < len(everything(lister))


@given(st.text())
def test_no_words_break_the_search(words: str) -> None:
    db = sqlite3.connect(":memory:")
    db.execute("CREATE VIRTUAL TABLE t USING fts5 (text, other)")
    db.execute("INSERT INTO t VALUES ('alpha', 'beta')")
    expression = match_expression(words)
    if expression:
        clean = expression.encode("utf-8", "replace").decode()
        db.execute("SELECT rowid FROM t WHERE t MATCH ?", (clean,)).fetchall()
    db.close()


def test_words_that_look_like_operators_are_words() -> None:
    assert match_expression("NEAR(alpha") == '"NEAR(alpha"'
    assert match_expression('one "two three" fo*') == '"one" "two three" "fo"*'
    assert match_expression("*** -- ()") == ""


def test_new_replies_wait_until_the_list_is_made_again(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "s.db")
    lister = Lister(shelf.path, page=7)
    page = lister.open(Filters())
    before = lister.counted()
    with Store.open(shelf.path, write=True) as store, store.transaction() as db:
        cell = db.execute("SELECT min(cell_id) FROM cells WHERE variant_id = 2").fetchone()[0]
        chain = replies.Chain(db, 1)
        replies.insert_reply(db, chain, ReplyRow(cell, 99, 0, "ok", "a late one"), [])
    assert lister.n_new() == 1
    assert [row.reply_id for row in lister.again(page).rows] == [row.reply_id for row in page.rows]
    assert lister.counted() == before
    assert len(forwards(lister, Filters())) == before + 1
    late = forwards(lister, Filters(words="late"))
    assert [row.standing.status for row in late] == ["unread"]
    lister.close()


def test_what_people_said_filters_and_marks(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "s.db")
    lister = Lister(shelf.path, page=50)
    rows = [row for row in everything(lister) if row.standing.status == "scored" and row.listed.part == "insults"]
    agreed, disputed, undone, noted = rows[:4]
    with Store.open(shelf.path, write=True) as store:

        def said(row: Row, kind: str, value: float | None = None, **more: object) -> int:
            event = reviews.EventRow(None, None, row.reply_id, "ann", kind, value=value, **more)  # type: ignore[arg-type]
            return reviews.insert_event(store, event)

        said(agreed, "score", agreed.standing.value)
        said(disputed, "score", 1.0 if disputed.standing.value != 1.0 else 5.0)
        taken_back = said(undone, "score", 4.0)
        reviews.insert_event(store, reviews.EventRow(None, None, undone.reply_id, "ann", "undo", undoes=taken_back))
        said(noted, "note", answer="reads like 100%_satire")
        said(noted, "flag", 1.0)
        said(agreed, "flag", 1.0)
        said(agreed, "flag", 0.0)
        reviews.star(store, "ann", disputed.reply_id)
        reviews.star(store, "ann", agreed.reply_id)
        reviews.star(store, "bob", agreed.reply_id, on=False)

    def ids(filters: Filters) -> set[int]:
        return {row.reply_id for row in forwards(lister, filters)}

    assert ids(Filters(reviewed=True)) == {agreed.reply_id, disputed.reply_id}
    assert ids(Filters(reviewed=False)) == {row.reply_id for row in everything(lister)} - ids(Filters(reviewed=True))
    assert ids(Filters(disagreement="human")) == {disputed.reply_id}
    assert ids(Filters(flagged=True)) == ids(Filters(words="100%_sat", place="notes")) == {noted.reply_id}
    assert ids(Filters(starred=True)) == {disputed.reply_id}
    assert not ids(Filters(words="100_%sat", place="notes"))
    row = next(row for row in everything(lister) if row.reply_id == disputed.reply_id)
    assert (row.n_reviews, row.is_starred, row.is_flagged) == (1, True, False)
    lister.close()


def test_the_newest_answer_is_a_persons_label_here_too(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "s.db")
    lister = Lister(shelf.path, page=50)
    rows = [row for row in everything(lister) if row.standing.status == "scored" and row.listed.part == "insults"]
    untold, put_off, neither, noted = rows[:4]
    with Store.open(shelf.path, write=True) as store:

        def said(row: Row, kind: str, value: float | None = None, **more: object) -> None:
            event = reviews.EventRow(None, None, row.reply_id, "ann", kind, value=value, **more)  # type: ignore[arg-type]
            reviews.insert_event(store, event)

        for row in (untold, put_off):
            said(row, "score", 1.0 if row.standing.value != 1.0 else 5.0)
        said(untold, "cannot_tell", reason="truncated")
        said(put_off, "defer")
        said(neither, "cannot_tell", 0.5, answer="neither", reason="neither")
        said(noted, "note", answer="first words")
        said(noted, "note", answer="second thoughts")

    def ids(filters: Filters) -> set[int]:
        return {row.reply_id for row in forwards(lister, filters)}

    assert ids(Filters(disagreement="human")) == {neither.reply_id}
    assert ids(Filters(reviewed=True)) == {untold.reply_id, neither.reply_id}
    assert not ids(Filters(words="first", place="notes"))
    assert ids(Filters(words="second", place="notes")) == {noted.reply_id}
    found = marks(lister.store, [row.reply_id for row in rows[:4]])
    assert [(mark.kind, mark.value) for mark in found[untold.reply_id]] == [("cannot_tell", None)]
    assert [mark.answer for mark in found[noted.reply_id]] == ["second thoughts"]
    assert put_off.reply_id not in found
    lister.close()


def test_people_are_set_beside_the_verdict_that_counts_and_no_other(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "s.db")
    lister = Lister(shelf.path, page=50)
    rows = [row for row in everything(lister) if row.standing.value is not None]
    assert any(len({given.value for given in verdicts(lister.store, [row.reply_id])[row.reply_id]}) > 1 for row in rows)
    with Store.open(shelf.path, write=True) as store:
        for row in rows:
            event = reviews.EventRow(None, None, row.reply_id, "ann", "score", value=row.standing.value)
            reviews.insert_event(store, event)
    assert forwards(lister, Filters(disagreement="human")) == []
    other = {row.reply_id: row.standing.value for row in forwards(lister, Filters(judge=shelf.other))}
    differing = {row.reply_id for row in rows if other[row.reply_id] not in (None, row.standing.value)}
    found = forwards(lister, Filters(disagreement="human", judge=shelf.other))
    assert {row.reply_id for row in found} == differing != set()
    lister.close()


def test_a_list_that_is_interrupted_leaves_no_tables(lister: Lister, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise sqlite3.OperationalError("interrupted")

    monkeypatch.setattr(found._Finder, "_or_prompts", interrupted)
    with pytest.raises(sqlite3.OperationalError, match="interrupted"):
        lister.open(Filters(words="alpha", variants=frozenset({1})))
    assert lister.store.db.execute("SELECT name FROM sqlite_temp_master").fetchall() == []


def test_the_store_knows_nothing_of_who_reads_it() -> None:
    for file in Path(inspecting.__file__).parent.glob("*.py"):
        assert "emaudit.inspection" not in file.read_text(encoding="utf-8"), file.name


def test_an_empty_store_is_an_empty_list(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s.db", write=True, create=True):
        pass
    lister = Lister(tmp_path / "s.db")
    for filters in (Filters(), Filters(words="alpha"), Filters(status="owed"), Filters(disagreement="judges")):
        page = lister.open(filters)
        assert (page.rows, lister.counted()) == ((), 0)
        assert lister.last().rows == lister.after(page).rows == lister.before(page).rows == ()
    lister.close()


def test_heads_are_whole_characters_past_a_nul_and_of_a_megabyte(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path / "s.db")
    with Store.open(shelf.path, write=True) as store, store.transaction() as db:
        cell = db.execute("SELECT min(cell_id) FROM cells WHERE variant_id = 2").fetchone()[0]
        for at, text in enumerate(("a\x00b" + "ü" * 2_000, "x" * 1_000_000)):
            chain = replies.Chain(db, 1)
            replies.insert_reply(db, chain, ReplyRow(cell, 90 + at, 0, "ok", text), [])
    lister = Lister(shelf.path)
    lister.open(Filters())
    lister.counted()
    heads = [row.listed.head for row in lister.last().rows if row.listed.sample >= 90]
    heads += [row.listed.head for row in lister.first().rows if row.listed.sample >= 90]
    assert any(head.startswith("a\x00bü") and set(head[3:]) == {"ü"} for head in heads)
    assert any(head == "x" * len(head) and 100 < len(head) < 5_000 for head in heads)
    lister.close()


def test_a_page_names_its_place_only_once_it_is_known(lister: Lister) -> None:
    page: Page = lister.open(Filters())
    assert (page.n, page.stretch.position) == (None, None)
    n = lister.counted()
    assert lister.position(page.rows[3].reply_id) == 3
    assert lister.after(page).n == n
