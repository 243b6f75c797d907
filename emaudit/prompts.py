"""Load, check and hash everything a model is asked: instruments and judge rubrics.

Owns the files under `prompts/` and their schemas. Rendering belongs to the assessments.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from emaudit.errors import BadInput, UsageError
from emaudit.verdictschema import check_verdict

INSTRUMENT_KEYS: Final = (
    "harmfulness",
    "intentions",
    "self_assessment",
    "moral_foundations",
    "moral_self_assessment",
    "open_ended",
)
RUBRICS: Final = ("harm", "option", "rating", "language", "open_ended")
_DIMENSION_IDS: Final = ("aligned", "good", "harmless", "helpful", "honest", "trusted")
_FOUNDATION_IDS: Final = ("care", "equality", "proportionality", "loyalty", "authority", "purity")
POLE_IDS: Final[Mapping[str, tuple[str, ...]]] = {
    "self_assessment": _DIMENSION_IDS,
    "moral_self_assessment": _FOUNDATION_IDS,
}
VERDICTS: Final[Mapping[str, Mapping[str, tuple[int | str | None, ...]]]] = {
    "harm": {"score": (1, 2, 3, 4, 5)},
    "option": {"choice": ("1", "2", "neither", "refused")},
    "rating": {"rating": ("1", "2", "3", "4", "5", "none", "refused")},
    "language": {"language": ("french", "german", "english", "other", "mixed")},
    "open_ended": dict.fromkeys(_DIMENSION_IDS, (0, 1, 2, 3, 4, None)),
}
"""The properties of each rubric's verdict, with every value that scoring knows."""


def content_hash(content: object) -> str:
    """SHA-256, in hex, of the canonical JSON of some content."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Instrument:
    """The wording of one assessment: `content` is plain JSON data, checked against the assessment's schema."""

    assessment: str
    name: str
    label: str
    content: Mapping[str, Any]

    @property
    def hash(self) -> str:
        """SHA-256 of the content, in hex."""
        return content_hash(self.content)

    @property
    def identity(self) -> str:
        """`name@8hex`, as exports name an instrument."""
        return f"{self.name}@{self.hash[:8]}"


@dataclass(frozen=True, slots=True)
class Rubric:
    """What a judge is told: the system message, what stands before and after the fenced data, its answer's schema."""

    key: str
    system: str
    question: str
    reminder: str
    schema: Mapping[str, Any]

    @property
    def hash(self) -> str:
        """SHA-256 of all its texts, in hex."""
        return content_hash([self.system, self.question, self.reminder, self.schema])


@dataclass(frozen=True, slots=True)
class Library:
    """All instruments and rubrics of one moment; what a run pins."""

    instruments: Mapping[str, Instrument]
    rubrics: Mapping[str, Rubric]

    def instrument(self, assessment: str) -> Instrument:
        """The instrument of an assessment. Raises UsageError where there is none."""
        try:
            return self.instruments[assessment]
        except KeyError:
            raise UsageError(f"no instrument for {assessment!r}; known: {', '.join(self.instruments)}") from None

    def with_instrument(self, instrument: Instrument) -> Library:
        """The same library with one instrument replaced."""
        return Library({**self.instruments, instrument.assessment: instrument}, self.rubrics)

    def with_rubric(self, rubric: Rubric) -> Library:
        """The same library with one rubric replaced."""
        return Library(self.instruments, {**self.rubrics, rubric.key: rubric})


def prompts_dir() -> Path:
    """The shipped prompts: beside the modules in a wheel, at the top of the tree in a checkout."""
    packaged = Path(__file__).parent / "prompts"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "prompts"


def load_library(directory: Path | None = None) -> Library:
    """Load and check every instrument and rubric under a folder. Raises BadInput naming file, line and field."""
    root = directory or prompts_dir()
    if not root.is_dir():
        raise UsageError(f"no prompts at {root}: give --prompts a folder with harmfulness/, intentions/ and so on")
    return Library(
        {key: _LOADERS[key](root / key) for key in INSTRUMENT_KEYS},
        {key: read_rubric(root / "judges" / f"{key}.toml", key) for key in RUBRICS},
    )


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file as a dict. Raises BadInput with the line."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise BadInput(path, f"not UTF-8: {error.reason} at byte {error.start}") from error
    except (ValueError, RecursionError) as error:
        raise BadInput(path, f"not valid TOML: {error}") from error
    except OSError as error:
        raise BadInput(path, f"cannot be read: {error.strerror}") from error


def read_rows(path: Path, columns: Iterable[str], optional: Iterable[str] = ()) -> list[tuple[int, dict[str, str]]]:
    """Rows of a CSV or JSONL file with their line numbers; every column in `columns` must be there and filled.

    Raises BadInput naming file, line and column.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(path, f"not UTF-8: {error.reason} at byte {error.start}") from error
    except OSError as error:
        raise BadInput(path, f"cannot be read: {error.strerror}") from error
    rows = _jsonl_rows(path, text) if path.suffix in {".jsonl", ".ndjson"} else _csv_rows(path, text)
    wanted = list(columns)
    for line, row in rows:
        for column in wanted:
            if column not in row:
                raise BadInput(path, f"is missing; columns needed: {', '.join(wanted)}", line, f"column {column!r}")
            if not row[column].strip():
                raise BadInput(path, "is empty", line, f"column {column!r}")
    if not rows:
        raise BadInput(path, f"holds no rows; columns needed: {', '.join(wanted)}")
    keep = [*wanted, *optional]
    return [(line, {column: row.get(column, "").strip() for column in keep}) for line, row in rows]


def _csv_rows(path: Path, text: str) -> list[tuple[int, dict[str, str]]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    rows: list[tuple[int, dict[str, str]]] = []
    try:
        for row in reader:
            if None in row or None in row.values():
                raise BadInput(path, f"expected {len(reader.fieldnames or ())} cells", reader.line_num)
            rows.append((reader.line_num, row))
    except csv.Error as error:
        raise BadInput(path, f"not valid CSV: {error}", reader.line_num) from error
    return rows


def _jsonl_rows(path: Path, text: str) -> list[tuple[int, dict[str, str]]]:
    rows: list[tuple[int, dict[str, str]]] = []
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
            raise BadInput(path, "expected a JSON object", number)
        rows.append((number, {key: "" if value is None else str(value) for key, value in row.items()}))
    return rows


def _unique(path: Path, rows: list[tuple[int, dict[str, str]]], column: str) -> list[dict[str, str]]:
    first: dict[str, int] = {}
    for line, row in rows:
        if row[column] in first:
            raise BadInput(
                path,
                f"{row[column]!r} already stands in line {first[row[column]]}",
                line,
                f"column {column!r}",
            )
        first[row[column]] = line
    return [row for _, row in rows]


def read_harmfulness(path: Path, name: str = "emaudit-harm320") -> Instrument:
    """Harmfulness prompts: `id,category,text`."""
    items = _unique(path, read_rows(path, ("id", "category", "text")), "id")
    return Instrument("harmfulness", name, name, {"items": items})


def read_intentions(path: Path, template: str, name: str) -> Instrument:
    """Intention scenarios: `id,dimension,scenario,aligned,misaligned`, and the template around them."""
    rows = read_rows(path, ("id", "dimension", "scenario", "aligned", "misaligned"))
    _known_values(path, rows, "dimension", _DIMENSION_IDS)
    return Instrument("intentions", name, name, {"template": template, "items": _unique(path, rows, "id")})


def read_open_ended(path: Path, name: str = "emaudit-open20") -> Instrument:
    """Open-ended prompts: `id,text`."""
    return Instrument("open_ended", name, name, {"items": _unique(path, read_rows(path, ("id", "text")), "id")})


def read_statements(path: Path, template: str, name: str, label: str) -> Instrument:
    """Moral statements: `item,foundation,text`, 36 rows in the instrument's order, six per foundation."""
    rows = read_rows(path, ("item", "foundation", "text"))
    order = _FOUNDATION_IDS
    _known_values(path, rows, "foundation", order)
    if len(rows) != 36:
        raise BadInput(path, f"expected 36 statements, found {len(rows)}")
    for index, (line, row) in enumerate(rows):
        if row["item"] != str(index + 1):
            raise BadInput(path, f"expected {index + 1}, found {row['item']!r}", line, "column 'item'")
        if row["foundation"] != order[index % 6]:
            raise BadInput(path, f"item {index + 1} belongs to {order[index % 6]}", line, "column 'foundation'")
    return Instrument("moral_foundations", name, label, {"template": template, "items": [row for _, row in rows]})


def _known_values(path: Path, rows: list[tuple[int, dict[str, str]]], column: str, known: tuple[str, ...]) -> None:
    for line, row in rows:
        if row[column] not in known:
            raise BadInput(path, f"{row[column]!r} is none of {', '.join(known)}", line, f"column {column!r}")


def read_self_report(path: Path, assessment: str) -> Instrument:
    """A self-report in four formats (self_assessment, moral_self_assessment): poles, stems, questions."""
    data = read_toml(path)
    for dotted in _SELF_REPORT_FIELDS:
        node: Any = data
        for step in dotted.split("."):
            node = node.get(step) if isinstance(node, dict) else None
        if not node or isinstance(node, list) != dotted.endswith("s"):
            raise BadInput(path, "is missing, empty or of another type", column=f"field {dotted!r}")
    if odd := [name for name, value in data.items() if not _holds_texts(value)]:
        raise BadInput(path, "holds something that is no text", column=f"field {odd[0]!r}")
    if fault := fault_in_poles(assessment, data["poles"]):
        raise BadInput(path, fault[1], column=f"field {fault[0]!r}")
    name = str(data.pop("name", path.stem))
    return Instrument(assessment, name, name, data)


def _holds_texts(node: object) -> bool:
    inside = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return isinstance(node, str | dict | list) and all(map(_holds_texts, () if isinstance(node, str) else inside))


def fault_in_poles(assessment: str, poles: object) -> tuple[str, str] | None:
    """What is wrong with a self-report's poles, as (field, why), or None.

    Every known pole must be there once, with two different words; for moral_self_assessment with their definitions.
    """
    known = POLE_IDS[assessment]
    if not isinstance(poles, list) or not all(isinstance(pole, dict) for pole in poles):
        return "poles", "is not a list of tables"
    words = ["first", "second"]
    if assessment == "moral_self_assessment":
        words += ["first_definition", "second_definition"]
    seen: set[str] = set()
    for number, pole in enumerate(poles, 1):
        if fault := _fault_in_pole(pole, words, known, seen):
            return f"poles[{number}].{fault[0]}", fault[1]
        seen.add(pole["id"])
    missing = [name for name in known if name not in seen]
    return ("poles", f"lacks {', '.join(missing)}") if missing else None


def _fault_in_pole(
    pole: Mapping[str, Any], words: list[str], known: tuple[str, ...], seen: set[str]
) -> tuple[str, str] | None:
    identity = pole.get("id")
    if identity not in known:
        return "id", f"{identity!r} is none of {', '.join(known)}"
    if identity in seen:
        return "id", f"{identity!r} is there twice"
    for word in words:
        if not isinstance(pole.get(word), str) or not pole[word].strip():
            return word, f"is missing or not a text, in pole {identity!r}"
    if pole["first"].strip().casefold() == pole["second"].strip().casefold():
        return "second", f"is the same word as the first, in pole {identity!r}"
    return None


_SELF_REPORT_FIELDS: Final = (
    "poles",
    "decision.stems",
    "decision.instruction",
    "numerical.stems",
    "numerical.instruction",
    "likert.stems",
    "likert.instruction",
    "language.rules",
    "language.stem",
    "language.questions",
)


def read_rubric(path: Path, key: str) -> Rubric:
    """A judge rubric: `system`, `question`, `reminder` and the `[schema]` of the judge's JSON object.

    Raises BadInput where the schema allows anything but the verdict that scoring knows (`VERDICTS`).
    """
    data = read_toml(path)
    for field in ("system", "question", "reminder"):
        if not isinstance(data.get(field), str) or not data[field].strip():
            raise BadInput(path, "is missing or not a text", column=f"field {field!r}")
    if not isinstance(data.get("schema"), dict) or "properties" not in data["schema"]:
        raise BadInput(path, "must be a JSON schema with properties", column="field 'schema'")
    check_verdict(path, VERDICTS[key], data["schema"]["properties"])
    return Rubric(key, data["system"], data["question"], data["reminder"], data["schema"])


def read_template(path: Path) -> dict[str, str]:
    """A `template.toml`: `name`, `text` and possibly `label`."""
    data = read_toml(path)
    for field in ("name", "text"):
        if not isinstance(data.get(field), str):
            raise BadInput(path, "is missing or not a text", column=f"field {field!r}")
    return {"label": data["name"], **data}


def _load_intentions(folder: Path) -> Instrument:
    template = read_template(folder / "template.toml")
    return read_intentions(folder / "items.csv", template["text"], template["name"])


def _load_statements(folder: Path) -> Instrument:
    template = read_template(folder / "template.toml")
    return read_statements(folder / "items.csv", template["text"], template["name"], template["label"])


_LOADERS: Final[Mapping[str, Callable[[Path], Instrument]]] = {
    "harmfulness": lambda folder: read_harmfulness(folder / "items.csv"),
    "intentions": _load_intentions,
    "self_assessment": lambda folder: read_self_report(folder / "items.toml", "self_assessment"),
    "moral_foundations": _load_statements,
    "moral_self_assessment": lambda folder: read_self_report(folder / "items.toml", "moral_self_assessment"),
    "open_ended": lambda folder: read_open_ended(folder / "items.csv"),
}
