"""What a table is of, as chosen on a command line: one value, recorded in every manifest, and read back from there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time

from emaudit.errors import UsageError
from emaudit.scores.pairing import BOTH, EVERY
from emaudit.stats.signedrank import PRATT, ZERO_RULES, Zeros
from emaudit.variants import FIELDS


@dataclass(frozen=True, slots=True)
class Choices:
    """Which replies, verdicts and rows a table is of; an empty field leaves the choice to the store.

    `replicate` 0 is the newest complete one; `exclude` leaves out the variants of which some field has some value;
    `as_of` is the last moment that counts, in UTC; `columns` and `subset` choose rows of correlations.csv (a subset,
    also those of its domain elsewhere), without changing what is tested together; `zeros` is what the signed-rank
    test does with differences of 0.
    """

    preset: str = ""
    judge: str = ""
    replicate: int = 0
    exclude: tuple[tuple[str, str], ...] = ()
    as_of: str = ""
    columns: str = ""
    subset: str = ""
    zeros: str = PRATT

    def record(self) -> dict[str, object]:
        """As a manifest keeps them: every choice, also those left open."""
        return {
            **{field.name: getattr(self, field.name) for field in fields(self)},
            "exclude": [f"{field}={value}" for field, value in self.exclude],
        }

    @classmethod
    def recorded(cls, record: Mapping[str, object]) -> Choices:
        """Those that a manifest keeps. Raises UsageError where it does not hold choices of this emaudit."""
        known = {field.name for field in fields(cls)}
        values = {name: value for name, value in record.items() if name in known and name != "exclude"}
        exclude = record.get("exclude", [])
        if set(record) - known or not isinstance(exclude, list):
            raise UsageError(f"choices of another emaudit: {', '.join(sorted(set(record) - known)) or 'exclude'}")
        return cls(**values, exclude=parse_exclusions(map(str, exclude)))  # type: ignore[arg-type]

    def told(self) -> list[str]:
        """The choices that were made, in words, but for the preset."""
        words = [f"{name} {value}" for name in ("judge", "replicate") if (value := getattr(self, name))]
        words += [f"without {field}={value}" for field, value in self.exclude]
        words += [f"as of {self.as_of}"] if self.as_of else []
        words += [f"{name} {value}" for name in ("columns", "subset") if (value := getattr(self, name))]
        return words + ([f"zeros {self.zeros}"] if self.zeros != PRATT else [])

    def takes(self, *domains: str) -> bool:
        """Whether rows about a domain, or about two that are compared, are wanted."""
        return self.subset in ("", EVERY, *domains)


def parse_exclusions(options: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """`FIELD=VALUE` options. Raises UsageError naming the known fields."""
    found: list[tuple[str, str]] = []
    for option in options:
        field, equals, value = option.partition("=")
        if not equals or field not in FIELDS:
            raise UsageError(f"--exclude {option!r}: expected FIELD=VALUE with FIELD one of {', '.join(FIELDS)}")
        found.append((field, value))
    return tuple(found)


def parse_moment(text: str) -> str:
    """A date (its end) or a moment, ISO 8601 and UTC unless it says otherwise, as the store writes moments.

    Raises UsageError.
    """
    try:
        try:
            moment = datetime.combine(date.fromisoformat(text), time(23, 59, 59, 999000))
        except ValueError:
            moment = datetime.fromisoformat(text)
        aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(f"{text!r} is no date: 2026-03-31, or a moment as 2026-03-31T18:00Z") from None
    return aware.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def known_zeros(text: str) -> Zeros:
    """A zero rule. Raises UsageError naming the known ones."""
    return "wilcox" if _known(text, "--zeros", ZERO_RULES) == "wilcox" else "pratt"


def known_columns(text: str) -> str:
    """A column of the correlations. Raises UsageError naming the known ones."""
    return _known(text, "--columns", BOTH)


def _known(text: str, option: str, known: Sequence[str]) -> str:
    if text not in known:
        raise UsageError(f"{option} {text!r}: {' or '.join(known)}")
    return text
