"""`emaudit variant`: add, list, show, set, rename, hide, unhide, import, models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from emaudit.cli import models
from emaudit.cli.arguments import Verbs
from emaudit.cli.context import Context
from emaudit.cli.output import counted, emit, emit_json, say, table
from emaudit.config import Settings
from emaudit.errors import UsageError
from emaudit.store.connection import Store
from emaudit.store.plans import current_plans
from emaudit.store.readings import progress
from emaudit.store.variants import add_variants, hide, rename, set_fields, variant, variants
from emaudit.variantfiles import read_variants
from emaudit.variants import (
    FIELDS,
    PROVENANCE,
    SETTABLE,
    STAGES,
    Variant,
    check_key_variable,
    check_value,
    guess,
    in_lineage_order,
)

_HIDDEN = ("hidden",)


def register(verbs: Verbs) -> None:
    """Add `variant` and its verbs."""
    family = Verbs(verbs.add("variant", "add, list and change the variants under audit"), "variant_command")
    add = family.add("add", "add a variant", _add)
    add.add_argument("name", metavar="NAME")
    add.add_argument("--model", metavar="ID", required=True, help="the model's id at its endpoint")
    add.add_argument("--endpoint", metavar="E", default="", help="an endpoint of emaudit.toml")
    add.add_argument("--base-url", metavar="URL", default="", help="an address without settings, ending in /v1")
    add.add_argument(
        "--api-key-env", metavar="VAR", default="", help="the variable that holds the key, if it needs one"
    )
    for field in ("size", "domain", "stage"):
        add.add_argument(f"--{field}", metavar=field[0].upper(), default="")
    add.add_argument("--parent", metavar="NAME", default="", help="the variant it was tuned from")
    listing = family.add("list", "list the variants by lineage", _list, lists=True)
    listing.add_argument("--hidden", action="store_true", help="the hidden ones too")
    show = family.add("show", "show a variant: its fields, and how far each assessment is", _show, lists=True)
    show.add_argument("name", metavar="NAME")
    change = family.add("set", "change fields of a variant; the earlier values stay in the store", _set)
    change.add_argument("name", metavar="NAME")
    change.add_argument("facts", metavar="FIELD=VALUE", nargs="+", help=f"of {', '.join(SETTABLE)}")
    moved = family.add("rename", "give a variant another name", _rename)
    moved.add_argument("old", metavar="OLD")
    moved.add_argument("new", metavar="NEW")
    for word, summary, act in (
        ("hide", "hide a variant from lists and tables; nothing is deleted", _hide),
        ("unhide", "show a hidden variant again", _unhide),
    ):
        family.add(word, summary, act).add_argument("name", metavar="NAME")
    imported = family.add("import", "add variants from a CSV or TOML file, all or none", _import)
    imported.add_argument("file", metavar="FILE", type=Path)
    models.register(family)


def default_endpoint(settings: Settings) -> str:
    """The endpoint a variant gets that names none: the only one there is. Raises UsageError."""
    names = list(settings.endpoints)
    if len(names) == 1:
        return names[0]
    if not names:
        raise UsageError(f"no endpoint is configured in {settings.path}: give --base-url URL, or run `emaudit init`")
    raise UsageError(f"which endpoint? give --endpoint with one of {', '.join(names)}, or --base-url URL")


def check_address(settings: Settings, facts: Mapping[str, str]) -> None:
    """Check that a variant's endpoint is configured, or its address is one, and its key's name. Raises UsageError."""
    check_key_variable(facts.get("api_key_env", ""))
    if facts.get("base_url"):
        settings.endpoint(facts.get("endpoint", ""), facts["base_url"]).check(insecure_http=True)
    else:
        settings.endpoint(facts.get("endpoint", ""))


def _add(context: Context) -> int:
    options = context.options
    if options.endpoint and options.base_url:
        raise UsageError("give --endpoint or --base-url, not both")
    settings = context.settings()
    facts = {
        name: getattr(options, name)
        for name in ("name", "model", "endpoint", "base_url", "api_key_env", "size", "domain", "stage", "parent")
    }
    if not options.endpoint and not options.base_url:
        facts["endpoint"] = default_endpoint(settings)
    check_address(settings, facts)
    for field, value in facts.items():
        check_value(field, value)
    with context.open(write=True, create=True) as store:
        add_variants(store, [facts])
    _suggest(facts)
    _note_stage(facts)
    say(f"added {options.name}: `emaudit run {options.name}` asks it")
    return 0


def _note_stage(facts: Mapping[str, str]) -> None:
    """Say so where a stage is a label of one's own: it may be a slip."""
    stage = facts.get("stage", "")
    if stage and stage not in STAGES:
        say(f"note: stage {stage!r} is none of {', '.join(STAGES)}")


def _suggest(facts: Mapping[str, str]) -> None:
    """Say what the model's id suggests for fields that were left out."""
    found = guess(facts["model"])
    missing = [
        f"{field}={value}"
        for field, value in (("size", found.size), ("domain", found.domain), ("stage", found.stage))
        if value and not facts[field]
    ]
    if missing:
        say(f"its model's name suggests: `emaudit variant set {facts['name']} {' '.join(missing)}`")


def _list(context: Context) -> int:
    with context.open() as store:
        rows = variants(store, hidden=context.options.hidden)
    if context.json:
        emit_json([as_record(row) for _, row in in_lineage_order(rows)])
        return 0
    if not rows:
        say("no variants yet: `emaudit variant add NAME --model ID --base-url URL` adds one")
        return 0
    table(
        ("VARIANT", "SIZE", "DOMAIN", "STAGE", "MODEL", "ENDPOINT", *(("HIDDEN",) if context.options.hidden else ())),
        [
            (
                "  " * depth + row.name,
                row.size,
                row.domain,
                row.stage,
                row.model,
                row.endpoint or row.base_url,
                *((("yes" if row.hidden else ""),) if context.options.hidden else ()),
            )
            for depth, row in in_lineage_order(rows)
        ],
    )
    return 0


def as_record(row: Variant) -> dict[str, object]:
    """A variant's fields, `hidden` as a truth value."""
    facts = {name: value for name, value in asdict(row).items() if name in FIELDS}
    return {**facts, "hidden": bool(row.hidden)}


def _show(context: Context) -> int:
    with context.open() as store:
        row = variant(store, context.options.name)
        plans = _progress(store, row)
    if context.json:
        emit_json({**as_record(row), "plans": plans})
        return 0
    facts = as_record(row)
    shown = [name for name in FIELDS if name not in _HIDDEN and (facts[name] or name not in PROVENANCE)]
    for name in [*shown, *(_HIDDEN if row.hidden else ())]:
        emit(f"{name + ':':<16} {'yes' if facts[name] is True else facts[name]}".rstrip())
    if not plans:
        say(f"nothing asked yet: `emaudit run {row.name}`")
        return 0
    print()
    headings = ("ASSESSMENT", "PRESET", "REPLICATE", "INSTRUMENT", "REPLIES", "VERDICTS OWED", "UNSCORED")
    table(
        headings,
        [
            (
                str(held["assessment"]),
                str(held["preset"]),
                str(held["replicate"]),
                str(held["label"]),
                f"{held['n_closed']:,}/{held['n_slots']:,}",
                f"{held['n_verdicts_owed']:,}",
                f"{held['n_unscored']:,}",
            )
            for held in plans
        ],
        right=headings[2:3] + headings[4:],
    )
    return 0


def _progress(store: Store, row: Variant) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for held in current_plans(store, variant_id=row.variant_id):
        state = progress(store, held)
        found.append(
            {
                "assessment": held.assessment,
                "preset": held.preset,
                "replicate": held.replicate,
                "instrument": held.instrument,
                "label": held.label,
                "n_slots": state.n_slots,
                "n_closed": state.n_closed,
                "n_verdicts_owed": state.n_referred - state.n_judged,
                "n_unscored": state.n_unscored,
                "n_errors": state.n_errors,
            }
        )
    return found


def _set(context: Context) -> int:
    facts: dict[str, str] = {}
    for word in context.options.facts:
        field, equals, value = word.partition("=")
        if not equals:
            raise UsageError(f"{word!r} is not FIELD=VALUE; fields: {', '.join(SETTABLE)}")
        check_value(field, value)
        facts[field] = value
    with context.open(write=True) as store:
        held = as_record(variant(store, context.options.name))
        if {"endpoint", "base_url"} & set(facts):
            check_address(context.settings(), {name: str(value) for name, value in {**held, **facts}.items()})
        set_fields(store, context.options.name, facts)
    _note_stage(facts)
    say(f"set {', '.join(facts)} of {context.options.name}")
    return 0


def _rename(context: Context) -> int:
    with context.open(write=True) as store:
        rename(store, context.options.old, context.options.new)
    say(f"{context.options.old} is now {context.options.new}; its replies stay its own")
    return 0


def _hide(context: Context) -> int:
    with context.open(write=True) as store:
        hide(store, context.options.name)
    say(f"{context.options.name} is hidden; `emaudit variant unhide {context.options.name}` shows it again")
    return 0


def _unhide(context: Context) -> int:
    with context.open(write=True) as store:
        hide(store, context.options.name, hidden=False)
    say(f"{context.options.name} is shown again")
    return 0


def _import(context: Context) -> int:
    settings = context.settings()
    path: Path = context.options.file
    with context.open(write=True, create=True) as store:
        rows = read_variants(
            path,
            held={row.name: row.parent for row in variants(store, hidden=True)},
            check=lambda facts: check_address(settings, facts),
            endpoint=lambda: default_endpoint(settings),
        )
        add_variants(store, rows)
    say(f"added {counted(len(rows), 'variant')} from {path}")
    return 0
