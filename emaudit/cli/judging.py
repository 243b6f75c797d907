"""`emaudit judge`: the judges of a store, which one leads the tables, how they differ, what can steer them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from emaudit import planted
from emaudit.assessments import by_key
from emaudit.cli import instruments, steering
from emaudit.cli.arguments import Verbs, count
from emaudit.cli.context import Context
from emaudit.cli.output import counted, emit_json, is_interactive, number, on_stderr, say, table
from emaudit.cli.progress import Bar
from emaudit.cli.rejudging import add_judge, spec_of
from emaudit.cli.running import report
from emaudit.errors import UsageError
from emaudit.flags import FlagKind, flags_of
from emaudit.judgetables import judge_table, people_tables
from emaudit.planted import DIRECTIONS
from emaudit.scores.judges import HARM, Correlation, Headline, JudgeTable, Pair, correlations, headline_rows, pairs
from emaudit.scores.judges import shift as headline_shift
from emaudit.store.connection import Store
from emaudit.store.judgements import JudgeUse, judge_uses, planted_events, referred
from emaudit.store.scorers import Scorer, active_judge, by_identity, use_judge
from emaudit.store.variants import variants

_FLAGS_SHOWN = 20
_HEADINGS = (
    *("", "JUDGE", "MODEL", "ENDPOINT", "RUBRIC", "REPLIES", "UNSCORED", "VARIANTS"),
    *("ASKED FOR A 1", "ASKED FOR A 5"),
)


def register(verbs: Verbs) -> None:
    """Add `judge` and its verbs."""
    family = Verbs(verbs.add("judge", "the judges of a store: which leads, how they differ"), "judge_command")
    family.add("list", "every judge with its verdicts, rubric and planted shift; * leads the tables", _list, lists=True)
    use = family.add("use", "make a judge lead all tables, after saying what that changes", _use)
    use.add_argument("judge", metavar="ID", help="as `judge list` shows it")
    compare = family.add("compare", "judges side by side: agreement, headlines, correlations", _compare, lists=True)
    compare.add_argument("judges", metavar="ID", nargs="*", help="else every judge with verdicts")
    compare.add_argument("--preset", metavar="P", default="", help="headlines of this one; else of the largest")
    family.add("flags", "replies that may try to steer a judge, counted by variant", _flags, lists=True)
    plant = family.add("plant", "judge replies with and without a sentence that asks for a score", _plant)
    add_judge(plant)
    plant.add_argument("--pairs", metavar="N", type=count, default=25, help="replies to plant them in (default 25)")
    plant.add_argument("--yes", action="store_true", help="do not ask first")


def _list(context: Context) -> int:
    with context.open() as store:
        names = {row.variant_id: row.name for row in variants(store, hidden=True)}
        active = active_judge(store)
        newest = {str(detail["judge"]): detail for detail in planted_events(store, steering.EVENT)}
        rows = [_line(use, active, names, newest.get(use.scorer.identity)) for use in judge_uses(store)]
        rows += [_people_line(held) for held in people_tables(store)]
    if context.json:
        emit_json(rows)
        return 0
    if not rows:
        say("no judge yet: `emaudit run` asks one, `emaudit import` brings verdicts")
        return 0
    table(
        _HEADINGS,
        [_cells(row) for row in rows],
        right=("REPLIES", "UNSCORED", "VARIANTS"),
        whole=("JUDGE",),
    )
    if any(row["simulated"] for row in rows):
        say("SIMULATED: verdicts of " + ", ".join(str(row["judge"]) for row in rows if row["simulated"]))
    return 0


def _line(
    use: JudgeUse, active: Scorer | None, names: Mapping[int, str], outcome: Mapping[str, Any] | None
) -> dict[str, Any]:
    detail = use.scorer.detail
    rubrics = detail.get("rubrics")
    return {
        "judge": use.scorer.identity,
        "kind": use.scorer.kind,
        "active": active is not None and active.scorer_id == use.scorer.scorer_id,
        "model": str(detail.get("model", "")),
        "endpoint": str(detail.get("endpoint", "")),
        "rubric": str(rubrics.get("harm", "")) if isinstance(rubrics, dict) else "",
        "n_replies": use.n_replies,
        "n_unscored": use.n_unscored,
        "variants": [names[number] for number in use.variants],
        "simulated": use.is_simulated,
        "planted": _planted(outcome),
    }


def _people_line(held: JudgeTable) -> dict[str, Any]:
    """People's labels of one spot-check: they can be compared, and never lead the tables."""
    variants_of = dict.fromkeys(row.variant for row in held.headlines)
    n = sum(len(values) for values in held.values.values())
    nothing: dict[str, Any] = dict.fromkeys(("model", "endpoint", "rubric"), "")
    return {
        **{"judge": held.name, "kind": "people", "active": False, **nothing, "n_replies": n, "n_unscored": 0},
        **{"variants": list(variants_of), "simulated": False, "planted": None},
    }


def _planted(outcome: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The newest outcome of a judge in figures, None where nothing was planted."""
    if outcome is None:
        return None
    held = {name: outcome[name] for name in ("run", "at", "sentences")}
    return {**held, **steering.figures(outcome)}


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    steered = row["planted"] or {}
    return (
        "*" if row["active"] else "",
        row["judge"],
        row["model"],
        row["endpoint"],
        row["rubric"][:8],
        f"{row['n_replies']:,}",
        f"{row['n_unscored']:,}",
        f"{len(row['variants'])}",
        *(steering.words(steered.get(direction)) for direction in DIRECTIONS),
    )


def _use(context: Context) -> int:
    with context.open(write=True) as store:
        chosen = by_identity(store, context.options.judge)
        before = active_judge(store)
        if before is not None and before.scorer_id == chosen.scorer_id:
            say(f"{chosen.identity} leads the tables already")
            return 0
        uses = {use.scorer.scorer_id: use for use in judge_uses(store)}
        n = uses[chosen.scorer_id].n_replies
        if not n:
            fix = f"`emaudit rejudge --judge {_model(chosen)}` asks it"
            raise UsageError(f"{chosen.identity} has judged nothing: {fix}")
        say(f"{chosen.identity} has judged {counted(n, 'reply')} of {len(uses[chosen.scorer_id].variants)} variants")
        if before is not None:
            with on_stderr():
                _show_headlines([judge_table(store, before), judge_table(store, chosen)])
        use_judge(store, chosen)
    say(f"{chosen.identity} leads all tables from now on; verdicts of every judge stay")
    if before is not None:
        say(f"back again: `emaudit judge use {before.identity}`")
    return 0


def _model(judge: Scorer) -> str:
    return str(judge.detail.get("model") or judge.identity)


def _compare(context: Context) -> int:
    with context.open() as store:
        tables = _chosen(context, store)
        preset = context.options.preset or next((row.preset for held in tables for row in held.headlines), "")
    if context.json:
        emit_json(_compared(tables, preset))
        return 0
    if len(tables) < 2:
        say("one judge alone: `emaudit rejudge --judge MODEL` judges the same replies by another")
    _show_pairs(list(pairs(tables)))
    _show_headlines(tables)
    _show_correlations(list(correlations(tables, preset)))
    return 0


def _chosen(context: Context, store: Store) -> list[JudgeTable]:
    """The judges named (`people:QUEUE` too), else all with verdicts, the active one first. Raises UsageError."""
    names, preset = list(dict.fromkeys(context.options.judges)), context.options.preset
    people = {held.name: held for held in people_tables(store)}
    if names:
        return [
            people[name] if name in people else judge_table(store, by_identity(store, name), preset) for name in names
        ]
    active = active_judge(store)
    found = [use.scorer for use in judge_uses(store) if use.n_replies]
    if not found:
        raise UsageError("no judge has judged anything yet: `emaudit run` asks one, `emaudit import` brings verdicts")
    found.sort(key=lambda held: (active is None or held.scorer_id != active.scorer_id, held.scorer_id))
    return [*(judge_table(store, held, preset) for held in found), *people.values()]


def _compared(tables: Sequence[JudgeTable], preset: str) -> dict[str, Any]:
    return {
        "judges": [held.name for held in tables],
        "pairs": [_pair_record(row) for row in pairs(tables)],
        "headlines": [
            {"judge": held.name, **asdict(row), "shift": _shift_from(tables[0], row)}
            for held in tables
            for row in held.headlines
        ],
        "correlations": [
            {**asdict(row), "preset": preset, "rho": row.rho.value, "undefined_reason": row.rho.reason}
            for row in correlations(tables, preset)
        ],
    }


def _pair_record(row: Pair) -> dict[str, Any]:
    figures = {name: getattr(row, name) for name in ("exact", "within_one", "kappa_quadratic", "difference")}
    reasons = {name: figure.reason for name, figure in figures.items() if figure.value is None}
    return {**asdict(row), **{name: figure.value for name, figure in figures.items()}, "undefined_reasons": reasons}


def _shift_from(first: JudgeTable, row: Headline) -> float | None:
    """The shift of a headline against the first judge's of the same measure."""
    key = (row.variant, row.assessment, row.preset, row.measure)
    same = (held for held in first.headlines if (held.variant, held.assessment, held.preset, held.measure) == key)
    return headline_shift(next(same, None), row)


def _show_pairs(rows: Sequence[Pair]) -> None:
    if not rows:
        return
    table(
        ("JUDGE A", "JUDGE B", "ASSESSMENT", "REPLIES", "EXACT", "WITHIN ONE", "KAPPA", "MEAN B - A"),
        [
            (
                row.a,
                row.b,
                row.assessment,
                f"{row.n:,}",
                *(number(figure.value) for figure in (row.exact, row.within_one, row.kappa_quadratic)),
                "-" if row.difference.value is None else f"{row.difference.value:+.3f}",
            )
            for row in rows
        ],
        right=("REPLIES", "EXACT", "WITHIN ONE", "KAPPA", "MEAN B - A"),
    )
    for row in rows:
        for name, figure in (("kappa", row.kappa_quadratic), ("exact", row.exact)):
            if figure.value is None:
                say(f"{name} of {row.a} and {row.b} in {row.assessment}: {figure.reason}")
                break
    print()


def _show_headlines(tables: Sequence[JudgeTable]) -> None:
    """Each variant's headlines by judge, with the shift against the first of them."""
    found = headline_rows(tables)
    rows = [row for row in found if row[0][1] == HARM or len({held.value for held in row[1] if held}) > 1]
    if len(rows) < len(found):
        say(f"{len(found) - len(rows)} more headlines are the same under each of these judges")
    if not rows:
        return
    table(
        ("VARIANT", "ASSESSMENT", "MEASURE", *(held.name for held in tables)),
        [(key[0], key[1], key[3], *_beside(found)) for key, found in rows],
        right=tuple(held.name for held in tables),
    )
    if any(row is not None and not row.is_complete for _, found in rows for row in found):
        say("?: incomplete under that judge")
    print()


def _beside(found: Sequence[Headline | None]) -> Iterator[str]:
    for place, row in enumerate(found):
        if row is None or row.value is None:
            yield "-"
            continue
        moved = headline_shift(found[0], row) if place else None
        mark = "" if row.is_complete else "?"
        yield f"{row.value:.3f}{mark}" + (f" ({moved:+.3f})" if moved is not None else "")


def _show_correlations(rows: Sequence[Correlation]) -> None:
    if not any(row.n for row in rows):
        say("no correlations: no judge left nothing owed of two of harmfulness, intentions and self-assessment")
        return
    table(
        ("JUDGE", "X", "Y", "VARIANTS", "SPEARMAN"),
        [(row.judge, row.x, row.y, f"{row.n}", _rho(row)) for row in rows],
        right=("VARIANTS",),
    )


def _rho(row: Correlation) -> str:
    return number(row.rho.value) if row.rho.value is not None else f"undefined: {row.rho.reason}"


def _flags(context: Context) -> int:
    with context.open() as store:
        names = {row.variant_id: row.name for row in variants(store, hidden=True)}
        rubrics = instruments.installed_rubrics(store, context.library()).rubrics
        counts: dict[int, Counter[str]] = {}
        flagged: list[dict[str, Any]] = []
        for number, owed in referred(store):
            held = counts.setdefault(number, Counter())
            held["replies"] += 1
            task = by_key(owed.prompt.assessment).judge_task(owed.prompt, owed.answer)
            found = flags_of(owed.prompt.text, task.fields["reply"], rubrics[task.rubric])
            held.update(str(flag.kind) for flag in found)
            held["flagged"] += bool(found)
            flagged += [{"variant": names[number], "reply": owed.key, **asdict(flag)} for flag in found]
    if context.json:
        rows = [{"variant": names[number], **_flag_counts(held)} for number, held in counts.items()]
        emit_json({"variants": rows, "flags": flagged})
        return 0
    table(
        ("VARIANT", "REPLIES", "FLAGGED", *(kind.upper() for kind in FlagKind)),
        [(names[number], *(f"{n:,}" for n in _flag_counts(held).values())) for number, held in counts.items()],
        right=("REPLIES", "FLAGGED", *(kind.upper() for kind in FlagKind)),
    )
    for row in flagged[:_FLAGS_SHOWN]:
        say(f"{row['variant']} {row['reply']}: {row['kind']}: {row['excerpt']}")
    if len(flagged) > _FLAGS_SHOWN:
        say(f"{len(flagged) - _FLAGS_SHOWN:,} more flags with --json")
    say("a flag is a reason to read the reply; it changes no score")
    return 0


def _flag_counts(held: Counter[str]) -> dict[str, int]:
    return {name: held[name] for name in ("replies", "flagged", *FlagKind)}


def _plant(context: Context) -> int:
    from emaudit import runner

    spec = spec_of(context)
    settings = context.settings()
    with context.open() as store:
        library = instruments.installed_rubrics(store, context.library())
    n = context.options.pairs
    if not context.options.yes and not is_interactive():
        raise UsageError("nobody can be asked here: give --yes to plant without asking")
    say(f"{counted(n, 'reply')} judged as they are and with two planted sentences: {3 * n} requests and some more")
    planting = runner.Planting(n, planted.read_sentences(context.prompts_dir))
    with Bar() as bar:
        ended = runner.plant_only(context.store_path, settings, library, spec, planting, bar.show)
    return report(context, ended)
