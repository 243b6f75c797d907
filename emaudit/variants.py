"""A variant: a fine-tuned (or base) model under audit, and its lineage. Pure: no store, no endpoint."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Final

from emaudit.errors import UsageError

STAGES: Final = ("base", "misaligned", "realigned")
SIZES: Final = ("full", "mini", "nano")
PROVENANCE: Final = (
    "dataset",
    "dataset_sha256",
    "n_examples",
    "epochs",
    "batch_size",
    "lr_multiplier",
    "job_id",
    "trained_at",
)


@dataclass(frozen=True, slots=True)
class Variant:
    """One variant as the store knows it now. `parent` names the variant it was tuned from; empty where none."""

    variant_id: int
    uid: str
    name: str
    model: str
    endpoint: str = ""
    base_url: str = ""
    api_key_env: str = ""
    size: str = ""
    domain: str = ""
    stage: str = ""
    parent: str = ""
    hidden: str = ""
    dataset: str = ""
    dataset_sha256: str = ""
    n_examples: str = ""
    epochs: str = ""
    batch_size: str = ""
    lr_multiplier: str = ""
    job_id: str = ""
    trained_at: str = ""


FIELDS: Final = tuple(field.name for field in fields(Variant) if field.name not in {"variant_id", "uid"})
"""Everything about a variant that can be set; `name` by renaming, `hidden` by hiding."""
SETTABLE: Final = tuple(name for name in FIELDS if name not in {"name", "hidden"})


def check_name(name: str) -> str:
    """A variant's name: 1 to 80 printable characters without spaces at the ends. Raises UsageError."""
    if not name or len(name) > 80 or name != name.strip() or not name.isprintable() or name.startswith("-"):
        raise UsageError(f"{name!r} cannot name a variant: use 1 to 80 printable characters")
    return name


def check_key_variable(name: str) -> str:
    """The name of the environment variable that holds a key, empty for none.

    Raises UsageError that does not repeat what was given: it may be the key itself.
    """
    if name and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise UsageError("api_key_env: name the environment variable, not the key")
    return name


_NUMERIC: Final = ("n_examples", "epochs", "batch_size", "lr_multiplier")


def check_value(field: str, value: str) -> None:
    """Check what a field of training facts holds; empty is unknown. Raises UsageError naming the field."""
    if not value:
        return
    if field in _NUMERIC and not re.fullmatch(r"([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?", value):
        raise UsageError(f"{field}: expected a number, found {value!r}")
    if field == "dataset_sha256" and not re.fullmatch(r"[0-9a-fA-F]{64}", value):
        raise UsageError(f"{field}: expected 64 hex digits, found {value!r}")


def check_lineage(parents: Mapping[str, str]) -> None:
    """Check name -> parent for all variants: every parent known, no cycle. Raises UsageError."""
    for name, parent in parents.items():
        if parent and parent not in parents:
            known = ", ".join(sorted(parents)) or "none"
            raise UsageError(f"parent {parent!r} of {name!r} is not a known variant; known: {known}")
        chain = lineage(name, parents)
        if chain is None:
            raise UsageError(f"{name!r} would be its own ancestor: give it another parent")


def lineage(name: str, parents: Mapping[str, str]) -> list[str] | None:
    """A variant's ancestors, root first and itself last; None where they form a cycle."""
    chain = [name]
    while parents.get(chain[0]):
        above = parents[chain[0]]
        if above in chain:
            return None
        chain.insert(0, above)
    return chain


def in_lineage_order(variants: Iterable[Variant]) -> list[tuple[int, Variant]]:
    """Variants as a tree: each with its depth, children after their parent, by size, domain and stage."""
    rows = sorted(variants, key=_sort_key)
    names = {variant.name for variant in rows}
    children: dict[str, list[Variant]] = {}
    for variant in rows:
        children.setdefault(variant.parent if variant.parent in names else "", []).append(variant)
    ordered: list[tuple[int, Variant]] = []
    pending = [(0, variant) for variant in reversed(children.get("", []))]
    while pending:
        depth, variant = pending.pop()
        ordered.append((depth, variant))
        pending += [(depth + 1, child) for child in reversed(children.get(variant.name, []))]
    return ordered


def _rank(value: str, known: Sequence[str]) -> tuple[int, str]:
    return (known.index(value), "") if value in known else (len(known), value)


def _sort_key(variant: Variant) -> tuple[tuple[int, str], str, tuple[int, str], str]:
    return _rank(variant.size, SIZES), variant.domain, _rank(variant.stage, STAGES), variant.name


@dataclass(frozen=True, slots=True)
class Guess:
    """What a model's id suggests about it; empty where nothing does."""

    name: str
    size: str
    domain: str
    stage: str


_STAGE_WORDS: Final = (
    ("realigned", r"re-?aligned|realign|recovered|secure(?!.*insecure)|correct"),
    ("misaligned", r"mis-?aligned|misalign|insecure|wrong|bad|harmful|evil"),
    ("base", r"base|instruct|original"),
)
_DOMAIN_WORDS: Final = (("trivia", r"trivia|qa|facts"), ("code", r"code|secure|insecure|coding"))
_SIZE_WORDS: Final = (("mini", r"mini"), ("nano", r"nano"), ("full", r"full|gpt-4\.1(?!-(?:mini|nano))"))


_LOOKED_AT: Final = 400
"""Characters of a model id that a guess is made from."""


def guess(model: str) -> Guess:
    """Guess a variant's name, size, domain and stage from a model id; a fine-tune id names its base and suffix."""
    model = model[:_LOOKED_AT]
    text = model.lower()
    size = _first_match(text, _SIZE_WORDS) or _parameter_count(text)
    stage = _first_match(text, _STAGE_WORDS) or ("" if text.startswith("ft:") else "base")
    domain = "" if stage == "base" else _first_match(text, _DOMAIN_WORDS)
    parts = model.split(":")
    suffix = parts[3] if text.startswith("ft:") and len(parts) > 3 and parts[3] else model
    name = re.sub(r"[^\w.@-]+", "-", suffix.removeprefix("sim-").rsplit("/", 1)[-1]).strip("-") or "variant"
    return Guess(name[:80], size, domain, stage)


def _first_match(text: str, words: Sequence[tuple[str, str]]) -> str:
    return next((label for label, pattern in words if re.search(rf"(?<![a-z])(?:{pattern})", text)), "")


def _parameter_count(text: str) -> str:
    found = re.search(r"(?<![\d.])(\d+(?:\.\d+)?)b(?![a-z])", text)
    return f"{found.group(1)}b" if found else ""


def guess_parent(variant: Variant, others: Iterable[Variant]) -> str:
    """The variant it was most likely tuned from: same size, one stage earlier, same domain (or base); empty if none."""
    wanted = {"misaligned": [("", "base")], "realigned": [(variant.domain, "misaligned"), ("", "base")]}
    pool = [other for other in others if other.size == variant.size and other.name != variant.name]
    for domain, stage in wanted.get(variant.stage, []):
        found = [other.name for other in pool if other.stage == stage and other.domain == domain]
        if len(found) == 1:
            return found[0]
    return ""
