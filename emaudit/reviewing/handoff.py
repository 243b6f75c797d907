"""A queue for somebody without emaudit: a blind CSV out, and its labels back, all of them or none.

The file holds no verdict, variant, stage or stratum. Its ids are opaque; a row whose response is not the stored one
any more is refused.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from emaudit.errors import BadInput, UsageError
from emaudit.folder import RUNNABLE, Exported, Folder
from emaudit.reviewing import kinds
from emaudit.reviewing.labels import Label, effective, labels_of
from emaudit.reviewing.rubrics import kept
from emaudit.stats.sampling import shuffled
from emaudit.store.connection import Store
from emaudit.store.queues import Queue, QueueItem, item_text, queues
from emaudit.store.reviews import EventRow, events, insert_events, seen

COLUMNS: Final = ("row", "id", "question", "prompt", "response", "option_a", "option_b", "score", "cannot_tell", "note")
NEEDED: Final = ("id", "response", "score")
MARK: Final = "handoff"
"""The reason that a score from a file carries, and whose name the options of the file are shuffled by."""
SHOWN_ERRORS: Final = 20


@dataclass(frozen=True, slots=True)
class Taken:
    """What an import of a hand-off added to which queue. `n_left` counts the rows that say nothing."""

    queue: str
    n_labels: int
    n_notes: int
    n_left: int


@dataclass(frozen=True, slots=True)
class _Line:
    """One row of a hand-off: the item it is of, and what a file must say of it."""

    id: str
    item: QueueItem
    kind: str
    question: str
    prompt: str
    response: str
    options: Mapping[str, str]
    known: Mapping[str, str]
    """What may stand under `score` -> the answer as it is stored."""


def write_handoff(store: Store, queue: Queue, path: Path) -> list[Exported]:
    """Write the main items of a queue as a blind CSV in an order of its own, and a `.txt` with the anchors beside it.

    Raises UsageError where either file is there already, since it may hold somebody's labels.
    """
    words = path.with_suffix(".txt")
    if words == path:
        raise UsageError(f"{path}: the hand-off is a CSV, its anchors go to a .txt beside it; name a .csv")
    for file in (path, words):
        if file.exists():
            raise UsageError(f"{file} exists and may hold labels: name a new file")
    lines = list(_lines(store, queue))
    columns = _columns(lines)
    rows = [[_cell(line, number, column) for column in columns] for number, line in enumerate(lines, 1)]
    with Folder(path.absolute().parent, excel_safe=True) as folder:
        folder.table(path.name, columns, rows)
        folder.text(words.name, instructions(store, queue))
        folder.replace()
        return folder.files


def instructions(store: Store, queue: Queue) -> str:
    """What somebody who fills a hand-off must know: the question, the anchors, and the reasons for no score."""
    parts = [
        f"Spot-check {queue.name}: one row a response. Read the prompt and the response, then fill one cell of\n"
        "the row: `score`, or `cannot_tell` with its reason. `note` takes a remark. Change nothing else; the order of\n"
        "the rows means nothing."
    ]
    for kind, rubric in kept(store, queue).items():
        asked = [kinds.QUESTIONS[kind]]
        if kind == "harm":
            asked += [f"  {key}  {text}" for key, text in kinds.anchors(rubric)] or ["  1 (not at all) to 5 (gravely)"]
        elif kind == "option":
            asked += ["  a  the option in the column option_a", "  b  the option in the column option_b"]
        elif kind == "rating":
            asked += ["  1 to 5, the rating that the response gives on the scale in the prompt"]
        else:
            asked += [f"  {language}" for language in kinds.LANGUAGE_KEYS.values()]
        asked.append(f"  cannot_tell: {', '.join(kinds.reasons(kind))}")
        parts.append("\n".join(asked))
    return "\n\n".join(parts) + "\n"


def read_handoff(store: Store, path: Path, reviewer: str) -> Taken:
    """Take a filled hand-off as a reviewer's labels; what that person holds already is not added again.

    Raises BadInput naming every bad row (the header is row 1); then nothing is taken.
    """
    rows = _read(path)
    queue = _queue_of(store, path, rows)
    lines = {line.id: line for line in _lines(store, queue)}
    bad: list[str] = []
    first: dict[str, int] = {}
    answered: list[tuple[_Line, str, str, str]] = []
    for number, row in rows:
        why, line, answer, reason = _checked(row, lines, queue, first)
        first.setdefault(row["id"].strip(), number)
        if why:
            bad.append(f"row {number}: {why}")
        elif line is not None:
            answered.append((line, answer, reason, row.get("note", "").strip()))
    if bad:
        more = f"; and {len(bad) - SHOWN_ERRORS} more rows" if len(bad) > SHOWN_ERRORS else ""
        raise BadInput(path, f"nothing was taken: {'; '.join(bad[:SHOWN_ERRORS])}{more}")
    return _keep(store, queue, reviewer, answered)


def _lines(store: Store, queue: Queue) -> Iterator[_Line]:
    units: dict[str, list[QueueItem]] = {}
    for item in queue.items:
        if item.is_main:
            units.setdefault(item.unit or str(item.position), []).append(item)
    for key in shuffled(list(units), f"{MARK} {queue.seed}"):
        for item in units[key]:
            yield _line(store, queue, item)


def _line(store: Store, queue: Queue, item: QueueItem) -> _Line:
    prompt, answer = item_text(store, item.reply_id)
    kind = kinds.kind_of(item.assessment, item.format)
    known = kinds.answers(kind, prompt, queue.seed, MARK, item.reply_id)
    options = {key: kinds.poles(prompt)[pole] for key, pole in known.items()} if kind == "option" else {}
    digest = hashlib.sha256(f"{queue.uid}/{item.position}".encode()).hexdigest()[:10]
    question, response = kinds.QUESTIONS[kind], kinds.response_text(answer)
    return _Line(f"{queue.uid}-{digest}", item, kind, question, prompt.text, response, options, known)


def _columns(lines: Sequence[_Line]) -> list[str]:
    """The columns this queue needs: options for choices only, the question where there are several."""
    left_out = set() if any(line.options for line in lines) else {"option_a", "option_b"}
    left_out |= {"question"} if len({line.kind for line in lines}) < 2 else set()
    return [column for column in COLUMNS if column not in left_out]


def _cell(line: _Line, number: int, column: str) -> object:
    if column == "row":
        return number
    if column.startswith("option_"):
        return line.options.get(column[-1], "")
    return getattr(line, column) if column in ("id", "question", "prompt", "response") else ""


def _read(path: Path) -> list[tuple[int, dict[str, str]]]:
    """The rows by their number, the header being row 1. Raises BadInput for a file that is no hand-off."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(path, f"not UTF-8: {error.reason} at byte {error.start}: save it as CSV in UTF-8") from error
    except OSError as error:
        raise BadInput(path, f"cannot be read: {error.strerror}") from error
    header = text.partition("\n")[0]
    delimiter = ";" if ";" in header and "," not in header else ","
    limit = csv.field_size_limit(max(len(text), 1))
    try:
        found = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise BadInput(path, f"not valid CSV: {error}") from error
    finally:
        csv.field_size_limit(limit)
    return _named(path, found)


def _named(path: Path, found: Sequence[Sequence[str]]) -> list[tuple[int, dict[str, str]]]:
    columns = [name.strip() for name in found[0]] if found else []
    unknown = [name for name in columns if name not in COLUMNS]
    missing = [name for name in NEEDED if name not in columns]
    if unknown or missing or len(set(columns)) < len(columns):
        why = (
            f"unknown column {unknown[0]!r}"
            if unknown
            else f"no column {missing[0]!r}"
            if missing
            else "a column twice"
        )
        raise BadInput(path, f"{why}; a hand-off has {', '.join(COLUMNS)}")
    rows = [(number, row) for number, row in enumerate(found[1:], 2) if any(cell.strip() for cell in row)]
    uneven = [str(number) for number, row in rows if len(row) != len(columns)]
    if uneven:
        raise BadInput(path, f"expected {len(columns)} cells in row {', '.join(uneven[:SHOWN_ERRORS])}")
    if not rows:
        raise BadInput(path, "holds no rows")
    return [(number, dict(zip(columns, row, strict=True))) for number, row in rows]


def _queue_of(store: Store, path: Path, rows: Sequence[tuple[int, Mapping[str, str]]]) -> Queue:
    """The queue that the file is of: that of its first row with a known one."""
    known = {held.uid: held for held in queues(store)}
    for _, row in rows:
        uid = row["id"].strip().partition("-")[0]
        if uid in known:
            return known[uid]
    raise BadInput(path, "no row has the id of an item in a queue of this store")


def _checked(
    row: Mapping[str, str], lines: Mapping[str, _Line], queue: Queue, first: Mapping[str, int]
) -> tuple[str, _Line | None, str, str]:
    """What is wrong with a row (empty: nothing), its line (None where it says nothing), its answer, its reason."""
    key = row["id"].strip()
    line = lines.get(key)
    if line is None:
        other = f"{key!r} is of another queue than {queue.name}" if "-" in key else f"unknown id {key!r}"
        return (other if not key.startswith(f"{queue.uid}-") else f"unknown id {key!r}"), None, "", ""
    if key in first:
        return f"{key!r} stands in row {first[key]} already", None, "", ""
    if not _same(row["response"], line.response):
        return "the response is not the stored one any more", None, "", ""
    score, reason = row["score"].strip().lower(), row.get("cannot_tell", "").strip().lower()
    if not score and not reason:
        return "", (line if row.get("note", "").strip() else None), "", ""
    if score and reason:
        return "has both a score and a reason for none", None, "", ""
    if reason:
        offered = kinds.reasons(line.kind)
        wrong = "" if reason in offered else f"cannot_tell {reason!r}; known: {', '.join(offered)}"
        return wrong, line, kinds.NEITHER if reason == kinds.NEITHER else "", reason
    answers = _answers(line)
    answer = answers.get(score.removesuffix(".0"), "")
    return ("" if answer else f"score {score!r}; known: {', '.join(answers)}"), line, answer, ""


def _answers(line: _Line) -> Mapping[str, str]:
    """What may stand under `score` -> the answer as it is stored; a language by its name."""
    return {answer: answer for answer in line.known.values()} if line.kind == "language" else line.known


def _same(given: str, stored: str) -> bool:
    """Whether a cell still holds a text: newlines may have been rewritten, and the guard of a cell that would run."""
    plain, wanted = _newlines(given), _newlines(stored)
    return plain == wanted or (wanted.startswith(RUNNABLE) and plain == f"'{wanted}")


def _newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _keep(store: Store, queue: Queue, reviewer: str, answered: Sequence[tuple[_Line, str, str, str]]) -> Taken:
    with store.transaction():
        stand = effective(events(store, queue.queue_id))
        held = {label.position: label for label in labels_of(stand, queue, reviewer)}
        known = seen(store, reviewer, {line.item.reply_id for line, *_ in answered})
        rows: list[EventRow] = []
        for line, answer, reason, note in answered:
            label = held[line.item.position]
            is_blind = line.item.reply_id not in known
            if (answer or reason) and not _holds(label, answer, reason):
                rows.append(_event(store, queue, line, reviewer, answer, reason, is_blind))
            if note and note != label.note:
                rows.append(_row(queue, line, reviewer, "note", answer=note, is_blind=is_blind))
        insert_events(store, rows)
    n_notes = sum(row.kind == "note" for row in rows)
    n_items = sum(item.is_main for item in queue.items)
    n_said = sum(bool(answer or reason) for _, answer, reason, _ in answered)
    return Taken(queue.name, len(rows) - n_notes, n_notes, n_items - n_said)


def _holds(label: Label, answer: str, reason: str) -> bool:
    if reason:
        return label.is_done and label.reason == reason
    return label.is_done and label.answer == answer and label.status != "cannot_tell"


def _event(
    store: Store, queue: Queue, line: _Line, reviewer: str, answer: str, reason: str, is_blind: bool
) -> EventRow:
    value = kinds.value_of(item_text(store, line.item.reply_id)[0], line.kind, answer) if answer else None
    kind = "cannot_tell" if reason else "score"
    return _row(queue, line, reviewer, kind, answer, value, reason or MARK, is_blind)


def _row(
    queue: Queue,
    line: _Line,
    reviewer: str,
    kind: str,
    answer: str = "",
    value: float | None = None,
    reason: str = "",
    is_blind: bool = True,
) -> EventRow:
    return EventRow(
        queue.queue_id,
        line.item.position,
        line.item.reply_id,
        reviewer,
        kind,
        answer,
        value,
        reason,
        is_blind=is_blind,
        rubric_hash=queue.rubrics[line.kind],
        judge=queue.judge,
        seed=queue.seed,
    )
