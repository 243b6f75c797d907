"""`emaudit run`, `resume`, `estimate`: asking for what is owed, here or detached, and what it would cost."""

from __future__ import annotations

import argparse
import json
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from emaudit.assessments import PAPER_FIVE
from emaudit.child import module_command, module_environment
from emaudit.cli import estimates, instruments, steering
from emaudit.cli.arguments import Parser, Verbs, amount, count, or_none
from emaudit.cli.context import Context
from emaudit.cli.output import ask, counted, emit, emit_json, is_interactive, say
from emaudit.cli.progress import Bar
from emaudit.errors import UsageError
from emaudit.estimates import Estimate, estimate
from emaudit.planning import RunSpec
from emaudit.planted import read_sentences
from emaudit.store import runs
from emaudit.store.connection import Store

if TYPE_CHECKING:
    from emaudit.runner import Ended

_CAPS = ("max_concurrency", "max_requests", "max_tokens")
_RESUME_CAPS = ("max_requests", "max_tokens", "max_cost")
MUCH = 50_000
"""Replies whose summing up is left to a process of its own."""
_SWITCHES = ("retry_errors", "update_prompts", "new", "insecure_http", "allow_identical")


def register(verbs: Verbs) -> None:
    """Add `run`, `resume` and `estimate`."""
    run = verbs.add("run", "ask variants whatever a preset still owes, and judge it", _run)
    _add_what(run)
    _add_how(run)
    resume = verbs.add("resume", "go on with a run: ask what it still owes", _resume)
    resume.add_argument(
        "run", metavar="RUN", nargs="?", default="", help="its id or the beginning of it; else the last"
    )
    _add_caps(resume.add_argument_group("limits, in place of the run's own this time; 0 for none"))
    _add_how(resume)
    cost = verbs.add("estimate", "what a run would ask: replies, requests, tokens, price", _estimate, lists=True)
    _add_what(cost)


def _add_what(parser: Parser) -> None:
    group = parser.add_argument_group("what to ask")
    group.add_argument("names", metavar="NAME", nargs="*", help="variants")
    group.add_argument("--all", action="store_true", help="every variant that is not hidden")
    group.add_argument("--assessment", metavar="A", action="append", help="one of them; else the paper's five")
    group.add_argument("--preset", metavar="P", default="paper", help="paper (default), quick or smoke")
    group.add_argument("--judge", metavar="MODEL", default="", help="else [judge] of the settings, else the endpoint's")
    group.add_argument("--judge-endpoint", metavar="E", default="", help="where the judge is; else the variant's own")
    group.add_argument("--language-judge", metavar="WHO", default="library", help="library (default) or model")
    caps = parser.add_argument_group("limits")
    caps.add_argument("--max-concurrency", metavar="N", type=count, default=0, help="requests in flight per endpoint")
    caps.add_argument("--max-requests", metavar="N", type=count, default=0, help="stop after this many")
    caps.add_argument("--max-tokens", metavar="N", type=count, default=0, help="stop after this many, in and out")
    caps.add_argument("--max-cost", metavar="X", type=amount, default=0.0, help="stop at this price")
    how = parser.add_argument_group("how")
    how.add_argument("--planted", metavar="N", type=count, default=0, help="then plant so many pairs for the judge")
    how.add_argument("--retry-errors", action="store_true", help="ask prompts again that the endpoint refused")
    how.add_argument("--update-prompts", action="store_true", help="use the prompts on disk where they changed")
    how.add_argument("--new", action="store_true", help="a fresh replicate: ask everything anew")
    how.add_argument("--insecure-http", action="store_true", help="plain http beyond this machine")
    how.add_argument("--allow-identical", action="store_true", help="take samples that are all the same")


def _add_how(parser: Parser) -> None:
    group = parser.add_argument_group("where")
    group.add_argument("--detach", action="store_true", help="run in the background; prints the run's id")
    group.add_argument("--yes", action="store_true", help="do not ask first")
    if parser.prog.endswith(" run"):
        group.add_argument("--run-uid", metavar="UID", default="", help=argparse.SUPPRESS)


def _add_caps(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--max-requests", metavar="N", type=or_none(count), help="stop after this many")
    group.add_argument("--max-tokens", metavar="N", type=or_none(count), help="stop after this many, in and out")
    group.add_argument("--max-cost", metavar="X", type=or_none(amount), help="stop at this price")


def spec_of(context: Context) -> RunSpec:
    """What the options ask for. Raises UsageError listing the known assessments or presets."""
    options = context.options
    if bool(options.names) == options.all:
        raise UsageError(
            "name the variants, or --all" if not options.names else "name variants or give --all, not both"
        )
    return RunSpec(
        variants=tuple(dict.fromkeys(options.names)),
        assessments=tuple(dict.fromkeys(options.assessment or PAPER_FIVE)),
        preset=options.preset,
        judge=options.judge,
        judge_endpoint=options.judge_endpoint,
        language_judge=options.language_judge,
        max_cost=options.max_cost,
        planted=options.planted,
        **{name: getattr(options, name) for name in (*_CAPS, *_SWITCHES)},
    )


def words_of(context: Context, spec: RunSpec) -> list[str]:
    """The options as arguments again, for a process of its own."""
    words = [*spec.variants] if spec.variants else ["--all"]
    for name in spec.assessments:
        words += ["--assessment", name]
    for name in ("preset", "judge", "judge_endpoint", "language_judge", *_CAPS, "max_cost", "planted"):
        value = getattr(spec, name)
        words += [flag(name), str(value)] if value else []
    return words + [flag(name) for name in _SWITCHES if getattr(spec, name)]


def flag(name: str) -> str:
    """An option by the name it is parsed under."""
    return "--" + name.replace("_", "-")


def global_words(context: Context) -> list[str]:
    """--config and --prompts as they were given, for a process of its own."""
    words: list[str] = []
    if context.named_config:
        words += ["--config", str(context.named_config)]
    if context.prompts_dir:
        words += ["--prompts", str(context.prompts_dir)]
    return words


def _run(context: Context) -> int:
    from emaudit import detached, runner

    spec = spec_of(context)
    settings = context.settings()
    with context.open() as store:
        library = instruments.installed_rubrics(store, context.library())
        rows = estimate(store, settings, library, spec)
    if not context.options.yes:
        _confirm(rows)
    if context.options.detach:
        uid = detached.start(context.store_path, global_words(context), ["run", *words_of(context, spec), "--yes"])
        return detached_words(context, uid)
    n_variants = len({row.variant for row in rows if row.n_slots})
    say(f"{counted(n_variants, 'variant')}, preset {spec.preset}: {estimates.summary(rows)}")
    planting = runner.Planting(spec.planted, read_sentences(context.prompts_dir)) if spec.planted else None
    with Bar() as bar:
        ended = runner.start(context.store_path, settings, library, spec, context.options.run_uid, bar.show, planting)
    return report(context, ended)


def _confirm(rows: Sequence[Estimate]) -> None:
    """Show what is owed and ask. Raises UsageError without a terminal, or for a no."""
    if not is_interactive():
        raise UsageError("nobody can be asked here: give --yes to run without asking")
    if not any(row.n_owed or row.n_judgements for row in rows):
        return
    estimates.say_table(rows)
    if not ask(f"ask {estimates.summary(rows)}?"):
        raise UsageError("nothing was asked")


def detached_words(context: Context, uid: str) -> int:
    """Say how to follow a run in the background."""
    from emaudit.paths import run_log

    emit(uid)
    say(f"run {uid} goes on in the background; log: {run_log(context.store_path, uid)}")
    say(f"`emaudit status` shows it, `emaudit wait {uid}` waits for it, `emaudit stop {uid}` stops it")
    return 0


def _resume(context: Context) -> int:
    from emaudit import detached, runner

    settings = context.settings()
    with context.open() as store:
        uid = _run_to_resume(store, context.options.run)
        n_events = len(runs.events(store, runs.run(store, uid).run_id))
        library = context.library()
    caps = {name: value for name in _RESUME_CAPS if (value := getattr(context.options, name)) is not None}
    if context.options.detach:
        words = [word for name, value in caps.items() for word in (flag(name), str(value))]
        detached.start(context.store_path, global_words(context), ["resume", uid, *words, "--yes"])
        return detached_words(context, uid)
    say(f"resuming run {uid}")
    with Bar() as bar:
        ended = runner.resume(context.store_path, settings, library, uid, observe=bar.show, caps=caps)
    return report(context, ended, n_events)


def _run_to_resume(store: Store, named: str) -> str:
    """The run named, else the last one. Raises UsageError for none, and for one with nothing to resume."""
    if named:
        run = runs.run(store, named)
        if why := _why_not_resume(store, run):
            raise UsageError(f"run {run.uid} {why}: there is nothing to ask")
        return run.uid
    asked = [run.uid for run in runs.runs(store) if not _why_not_resume(store, run)]
    if not asked:
        raise UsageError("no run to resume: `emaudit run NAME` starts one")
    return asked[-1]


def _why_not_resume(store: Store, run: runs.Run) -> str:
    """Why a run has nothing to resume, whatever else happens; empty where it may have something."""
    if run.kind == "import":
        return "is an import"
    if run.kind == "plant" and any(event.kind == steering.EVENT for event in runs.events(store, run.run_id)):
        return "has its planted pairs"
    return ""


def report(context: Context, ended: Ended, n_events: int = 0) -> int:
    """The final lines of a run: what came in, what is owed, why it ended, what to do next.

    `n_events` is how many events it had before this process: their warnings were told then.
    """
    with context.open() as store:
        run = runs.run(store, ended.run_uid)
        state = runs.state(store, run.run_id)
        happened = runs.events(store, run.run_id)[n_events:]
        warnings = [event.detail for event in happened if event.kind in {"warned", "gone"}]
    for warning in dict.fromkeys(warnings):
        say(f"note: {warning}")
    counts = f"{state.get('n_judged', 0):,} of {state.get('n_referred', 0):,} verdicts, {ended.n_owed:,} owed"
    if run.kind == "ask":
        counts = f"{state.get('n_done', 0):,} of {state.get('n_planned', 0):,} replies, {counts}"
    if run.kind == "plant":
        counts = "planted pairs"
    say(f"run {ended.run_uid}: {counts}" + (f"; {ended.why}" if ended.why else ""))
    for event in happened:
        if event.kind == steering.EVENT:
            steering.say_outcome(json.loads(event.detail))
    if ended.exit_code == 0 and run.kind == "plant":
        say("done: `emaudit judge list` shows the newest shift of every judge")
    elif ended.exit_code == 0 and run.kind == "judge":
        say("done: `emaudit judge compare` sets the judges side by side, `emaudit judge use ID` chooses one")
    elif ended.exit_code == 0:
        say("done: `emaudit scores` shows the scores, `emaudit export DIR` writes them")
        _keep(context, run)
    elif ended.exit_code != UsageError.exit_code:
        say(f"`emaudit resume {ended.run_uid}` asks for the rest")
    return ended.exit_code


def _keep(context: Context, run: runs.Run) -> None:
    """Sum up what the run asked while nobody waits for a table; much of it elsewhere, so that a runner stays small."""
    with context.open() as store:
        plans = runs.run_plans(store, run.run_id)
        if sum(plan.n_slots for plan in plans) < MUCH:
            from emaudit.archive import StoreArchive
            from emaudit.studies import keep

            keep(StoreArchive(store, run.preset), plans)
            return
        order = {"store": str(store.path), "preset": run.preset, "plans": [plan.plan_id for plan in plans]}
    command, text = module_command("emaudit.studies", "keep"), json.dumps(order).encode()
    # where it fails nothing is lost: the next table counts for itself
    subprocess.run(command, env=module_environment(), input=text, capture_output=True, check=False)


def _estimate(context: Context) -> int:
    spec = spec_of(context)
    with context.open() as store:
        rows = estimate(store, context.settings(), context.library(), spec)
    if context.json:
        emit_json([asdict(row) for row in rows])
    else:
        estimates.show_table(rows)
        say(estimates.summary(rows))
    return 0
