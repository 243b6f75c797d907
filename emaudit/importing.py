"""Read replies made elsewhere: a CSV or JSONL file to a checked set, or a refusal that names file, line and field.

Owns nothing stored: a set is complete and checked before anything of it is kept. Responses are verbatim.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from emaudit.assessments.base import Outcome
from emaudit.errors import BadInput, UsageError
from emaudit.prompts import content_hash

FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "item": ("item", "item_id", "question_id", "prompt_id", "id"),
    "prompt": ("prompt", "question", "instruction"),
    "category": ("category",),
    "sample": ("sample", "rollout", "sample_id"),
    "response": ("response", "answer", "reply", "completion", "output"),
    "score": ("score", "verdict"),
    "judge": ("judge", "judge_model"),
    "finish_reason": ("finish_reason",),
}
"""What can be imported, and the column names each is looked for under, in this order."""
REQUIRED: Final = ("prompt", "response")
ASSESSMENTS: Final = ("harmfulness",)
UNNAMED_JUDGE: Final = "unnamed"


@dataclass(frozen=True, slots=True)
class ImportedReply:
    """One reply of the file. `sample` counts from 0 per item without gaps, in the order of the file's numbers.

    `status` is scored (`value` 1..5), unscored (a verdict in words, which is the `reason`) or owed (no
    verdict); `verdict_raw` is the verdict as it stood in the file.
    """

    line: int
    item: str
    sample: int
    response: str
    outcome: Outcome
    finish_reason: str
    status: str
    value: float | None
    reason: str
    verdict_raw: str


@dataclass(frozen=True, slots=True)
class ImportedItem:
    """One prompt of the file and how many replies it has."""

    id: str
    category: str
    text: str
    n_samples: int


@dataclass(frozen=True, slots=True)
class ImportedSet:
    """A checked file. Files with the same prompts share `instrument`, with the same counts also `preset`.

    `judge` is `imported:NAME`, or empty where no reply has a verdict.
    """

    path: str
    assessment: str
    instrument: str
    preset: str
    judge: str
    items: tuple[ImportedItem, ...]
    replies: tuple[ImportedReply, ...]
    columns: Mapping[str, str]
    """Field -> column it was read from."""

    @property
    def content(self) -> Mapping[str, object]:
        """The prompts as the content of a harmfulness instrument."""
        return {"items": [{"id": item.id, "category": item.category, "text": item.text} for item in self.items]}

    def verdicts(self) -> Mapping[str, int]:
        """How many replies have each verdict, as it stood in the file; an empty key counts those without."""
        return dict(sorted(Counter(reply.verdict_raw for reply in self.replies).items()))


def parse_map(options: Iterable[str]) -> dict[str, str]:
    """`FIELD=COLUMN` options as a mapping. Raises UsageError naming the known fields."""
    mapping: dict[str, str] = {}
    for option in options:
        field, equals, column = option.partition("=")
        if not equals or not column or field not in FIELDS:
            raise UsageError(f"--map {option}: expected FIELD=COLUMN with FIELD one of {', '.join(FIELDS)}")
        if field in mapping:
            raise UsageError(f"--map {option}: {field!r} is mapped twice")
        mapping[field] = column
    return mapping


def read_set(path: Path, assessment: str = "harmfulness", mapping: Mapping[str, str] | None = None) -> ImportedSet:
    """Read and check a file of replies. Raises BadInput, or UsageError for an assessment that cannot be imported."""
    if assessment not in ASSESSMENTS:
        raise UsageError(f"{assessment!r} cannot be imported; known: {', '.join(ASSESSMENTS)}")
    rows = _read_rows(path)
    columns = _columns(path, rows, mapping or {})
    drafts = [_draft(path, line, row, columns) for line, row in rows]
    items = _items(path, drafts)
    samples = _samples(path, drafts)
    judge = _judge(path, drafts)
    replies = tuple(_reply(path, draft, samples[index]) for index, draft in enumerate(drafts))
    replies = tuple(sorted(replies, key=lambda reply: (reply.item, reply.sample)))
    content = [[item.id, item.category, item.text] for item in items]
    counts = [[item.id, item.n_samples] for item in items]
    return ImportedSet(
        path=path.name,
        assessment=assessment,
        instrument=f"imported:{content_hash(content)[:8]}",
        preset=f"imported:{content_hash([content, counts])[:8]}",
        judge=judge,
        items=items,
        replies=replies,
        columns=columns,
    )


@dataclass(frozen=True, slots=True)
class _Draft:
    """A row with its fields picked out, not yet checked against the other rows."""

    line: int
    item: str
    prompt: str
    category: str
    sample: str
    response: str
    score: object
    judge: str
    finish_reason: str
    columns: Mapping[str, str]

    def column(self, field: str) -> str:
        """How an error names the column of a field."""
        return f"column {self.columns.get(field, field)!r}"


Row = Mapping[str, object]


def _read_rows(path: Path) -> list[tuple[int, Row]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(path, f"not UTF-8: {error.reason} at byte {error.start}") from error
    except OSError as error:
        raise BadInput(path, f"cannot be read: {error.strerror}") from error
    suffix = path.suffix.lower()
    is_json = suffix in {".jsonl", ".ndjson", ".json"} or (suffix != ".csv" and text.lstrip().startswith("{"))
    rows = _jsonl_rows(path, text) if is_json else _csv_rows(path, text)
    if not rows:
        raise BadInput(path, f"holds no rows; fields needed: {', '.join(REQUIRED)}")
    return rows


def _jsonl_rows(path: Path, text: str) -> list[tuple[int, Row]]:
    rows: list[tuple[int, Row]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise BadInput(path, f"not valid JSON: {error.msg}", number, f"column {error.colno}") from error
        except (ValueError, RecursionError) as error:
            raise BadInput(path, f"not readable JSON: {error}", number) from error
        if not isinstance(row, dict):
            raise BadInput(path, "expected a JSON object on each line", number)
        rows.append((number, row))
    return rows


def _csv_rows(path: Path, text: str) -> list[tuple[int, Row]]:
    limit = csv.field_size_limit(max(len(text), 1))
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[tuple[int, Row]] = []
    line = 1
    try:
        header = next(reader, [])
        _check_header(path, header)
        while True:
            line = reader.line_num + 1
            cells = next(reader, None)
            if cells is None:
                return rows
            if cells and len(cells) != len(header):
                raise BadInput(path, f"expected {len(header)} cells, found {len(cells)}", line)
            if cells:
                rows.append((line, dict(zip(header, cells, strict=True))))
    except csv.Error as error:
        raise BadInput(path, f"not valid CSV: {error}", line) from error
    finally:
        csv.field_size_limit(limit)


def _check_header(path: Path, header: Sequence[str]) -> None:
    twice = [name for name, n in Counter(header).items() if n > 1]
    if twice:
        raise BadInput(path, "stands in the header twice", 1, f"column {twice[0]!r}")


def _columns(path: Path, rows: Sequence[tuple[int, Row]], mapping: Mapping[str, str]) -> dict[str, str]:
    """Which column each field is read from: the mapped one, else the first of its usual names that is there."""
    present = list(dict.fromkeys(name for _, row in rows for name in row))
    chosen: dict[str, str] = {}
    for field, names in FIELDS.items():
        if field in mapping:
            if mapping[field] not in present:
                raise BadInput(
                    path, f"is not there; columns: {', '.join(present)}", column=f"column {mapping[field]!r}"
                )
            chosen[field] = mapping[field]
            continue
        found = next((name for name in names if name in present and name not in mapping.values()), None)
        if found is not None:
            chosen[field] = found
        elif field in REQUIRED:
            hint = f"no column for it among {', '.join(present)}; name it with --map {field}=COLUMN"
            raise BadInput(path, hint, column=f"field {field!r}")
    return chosen


def _draft(path: Path, line: int, row: Row, columns: Mapping[str, str]) -> _Draft:
    def text(field: str) -> str:
        column = columns.get(field)
        value = row.get(column) if column is not None else None
        if value is None:
            return ""
        if isinstance(value, str):
            return _storable(value)
        if field not in ("response", "prompt") and isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        raise BadInput(path, f"expected text, found {type(value).__name__}", line, f"column {column!r}")

    for field in REQUIRED:
        if columns[field] not in row:
            raise BadInput(path, "is missing", line, f"column {columns[field]!r}")
    prompt = text("prompt")
    if not prompt.strip():
        raise BadInput(path, "is empty", line, f"column {columns['prompt']!r}")
    item = text("item").strip() if "item" in columns else f"prompt-{content_hash(prompt)[:8]}"
    if not item:
        raise BadInput(path, "is empty", line, f"column {columns['item']!r}")
    return _Draft(
        line=line,
        item=item,
        prompt=prompt,
        category=text("category").strip(),
        sample=text("sample").strip(),
        response=text("response"),
        score=row.get(columns["score"]) if "score" in columns else None,
        judge=text("judge").strip(),
        finish_reason=text("finish_reason").strip(),
        columns=columns,
    )


def _storable(text: str) -> str:
    """The text with each lone surrogate as U+FFFD: it has no UTF-8 and cannot be stored."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def _items(path: Path, drafts: Sequence[_Draft]) -> tuple[ImportedItem, ...]:
    first: dict[str, _Draft] = {}
    counts: Counter[str] = Counter()
    for draft in drafts:
        known = first.setdefault(draft.item, draft)
        counts[draft.item] += 1
        for field in ("prompt", "category"):
            if getattr(draft, field) != getattr(known, field):
                why = f"item {draft.item!r} has another {field} in line {known.line}"
                raise BadInput(path, why, draft.line, draft.column(field))
    return tuple(ImportedItem(item, first[item].category, first[item].prompt, counts[item]) for item in sorted(first))


def _samples(path: Path, drafts: Sequence[_Draft]) -> list[int]:
    """Each row's sample, counted from 0 within its item: in the order of the file's numbers, else of its rows."""
    by_item: dict[str, list[tuple[int, int]]] = {}
    for index, draft in enumerate(drafts):
        by_item.setdefault(draft.item, []).append((_number(path, draft, index), index))
    samples = [0] * len(drafts)
    for numbered in by_item.values():
        numbered.sort()
        for sample, (number, index) in enumerate(numbered):
            if sample and numbered[sample - 1][0] == number:
                before = drafts[numbered[sample - 1][1]]
                why = f"sample {number} of item {drafts[index].item!r} already stands in line {before.line}"
                raise BadInput(path, why, drafts[index].line, drafts[index].column("sample"))
            samples[index] = sample
    return samples


def _number(path: Path, draft: _Draft, index: int) -> int:
    if "sample" not in draft.columns:
        return index
    if not re.fullmatch(r"[0-9]{1,9}", draft.sample):
        raise BadInput(path, f"expected a whole number, found {draft.sample!r}", draft.line, draft.column("sample"))
    return int(draft.sample)


def _judge(path: Path, drafts: Sequence[_Draft]) -> str:
    """The judge of all verdicts: one file, one judge."""
    judged = [draft for draft in drafts if _verdict_text(draft.score)]
    if not judged:
        return ""
    for draft in judged:
        if draft.judge != judged[0].judge:
            why = f"{draft.judge!r} here, {judged[0].judge!r} in line {judged[0].line}: one file, one judge"
            raise BadInput(path, why, draft.line, draft.column("judge"))
    return f"imported:{judged[0].judge or UNNAMED_JUDGE}"


def _verdict_text(score: object) -> str:
    return "" if score is None else _storable(str(score)).strip()


def _reply(path: Path, draft: _Draft, sample: int) -> ImportedReply:
    status, value, reason = _verdict(path, draft)
    return ImportedReply(
        line=draft.line,
        item=draft.item,
        sample=sample,
        response=draft.response,
        outcome=_outcome(draft),
        finish_reason=draft.finish_reason,
        status=status,
        value=value,
        reason=reason,
        verdict_raw=_verdict_text(draft.score),
    )


_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_IN_RANGE: Final = re.compile(r"[1-5](\.0+)?")


def _verdict(path: Path, draft: _Draft) -> tuple[str, float | None, str]:
    """Status, value and reason of a verdict: 1..5 scored, words unscored, nothing owed."""
    if isinstance(draft.score, (bool, list, dict)):
        why = f"expected 1 to 5 or a word, found {type(draft.score).__name__}"
        raise BadInput(path, why, draft.line, draft.column("score"))
    text = _verdict_text(draft.score)
    if not text:
        return "owed", None, "no verdict"
    if _IN_RANGE.fullmatch(text):
        return "scored", float(text), ""
    if _NUMBER.fullmatch(text) or isinstance(draft.score, float):
        raise BadInput(path, f"expected 1 to 5 or a word, found {text}", draft.line, draft.column("score"))
    return "unscored", None, text


def _outcome(draft: _Draft) -> Outcome:
    if draft.finish_reason == "content_filter":
        return Outcome.CONTENT_FILTER
    if not draft.response.strip():
        return Outcome.EMPTY
    return Outcome.TRUNCATED if draft.finish_reason == "length" else Outcome.OK
