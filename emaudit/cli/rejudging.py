"""`emaudit rejudge`: stored replies judged by another judge, whose verdicts join the ones there are."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace

from emaudit.cli import estimates, instruments
from emaudit.cli.arguments import Parser, Verbs, amount, count
from emaudit.cli.context import Context
from emaudit.cli.output import ask, counted, is_interactive, on_stderr, say, table
from emaudit.cli.progress import Bar
from emaudit.cli.running import detached_words, flag, global_words, report
from emaudit.errors import UsageError
from emaudit.paths import typed
from emaudit.planted import read_sentences
from emaudit.rejudging import JudgeEstimate, JudgeSpec, estimate, judge_of, stored_plans

_CAPS = ("max_concurrency", "max_requests", "max_tokens", "max_cost")
_HEADINGS = ("VARIANT", "ASSESSMENT", "PRESET", "JUDGEMENTS", "REQUESTS", "TOKENS IN", "TOKENS OUT", "PRICE")


def register(verbs: Verbs) -> None:
    """Add `rejudge`."""
    verb = verbs.add("rejudge", "judge stored replies by another judge; no variant is asked anything", _rejudge)
    verb.add_argument("names", metavar="NAME", nargs="*", help="variants; else every one that has replies")
    verb.add_argument("--assessment", metavar="A", action="append", default=[], help="one of them; else all")
    verb.add_argument("--preset", metavar="P", default="", help="of this one; else all")
    add_judge(verb)
    verb.add_argument("--planted", metavar="N", type=count, default=0, help="then judge so many planted pairs too")
    group = verb.add_argument_group("where")
    group.add_argument("--detach", action="store_true", help="run in the background; prints the run's id")
    group.add_argument("--yes", action="store_true", help="do not ask first")
    group.add_argument("--run-uid", metavar="UID", default="", help=argparse.SUPPRESS)


def add_judge(verb: Parser) -> None:
    """Add the options that name a judge and limit what it is asked."""
    verb.add_argument("--judge", metavar="MODEL", required=True, help="a model, or the NAME of a [judges.NAME]")
    verb.add_argument("--judge-endpoint", metavar="E", default="", help="where it is; else its own or the variants'")
    verb.add_argument("--rubric", metavar="FILE", default="", help="a harmfulness rubric of one's own")
    caps = verb.add_argument_group("limits")
    caps.add_argument("--max-concurrency", metavar="N", type=count, default=0, help="requests in flight")
    caps.add_argument("--max-requests", metavar="N", type=count, default=0, help="stop after this many")
    caps.add_argument("--max-tokens", metavar="N", type=count, default=0, help="stop after this many, in and out")
    caps.add_argument("--max-cost", metavar="X", type=amount, default=0.0, help="stop at this price")
    caps.add_argument("--insecure-http", action="store_true", help="plain http beyond this machine")


def spec_of(context: Context) -> JudgeSpec:
    """What the options ask for. Raises UsageError listing the known assessments."""
    options = context.options
    return JudgeSpec(
        judge=options.judge,
        variants=tuple(dict.fromkeys(getattr(options, "names", ()))),
        assessments=tuple(dict.fromkeys(getattr(options, "assessment", ()))),
        preset=getattr(options, "preset", ""),
        judge_endpoint=options.judge_endpoint,
        rubric=options.rubric,
        insecure_http=options.insecure_http,
        planted=getattr(options, "planted", 0),
        **{name: getattr(options, name) for name in _CAPS},
    )


def words_of(spec: JudgeSpec) -> list[str]:
    """The options as arguments again, for a process of its own."""
    words = list(spec.variants)
    for name in spec.assessments:
        words += ["--assessment", name]
    for name in ("judge", "preset", "judge_endpoint", "rubric", *_CAPS, "planted"):
        value = getattr(spec, name)
        words += [flag(name), str(value)] if value else []
    return words + (["--insecure-http"] if spec.insecure_http else [])


def _rejudge(context: Context) -> int:
    from emaudit import detached, runner

    spec = spec_of(context)
    settings = context.settings()
    with context.open() as store:
        library = instruments.installed_rubrics(store, context.library())
        choice = judge_of(store, settings, library, spec)
        ready = stored_plans(store, spec)
        rows = estimate(store, settings, choice, ready, spec.planted)
    n_variants = len({item.variant.name for item in ready})
    said = f"judge {choice.identity}, {counted(n_variants, 'variant')}: {summary(rows)}"
    if not context.options.yes:
        _confirm(rows, said)
    if context.options.detach:
        uid = detached.start(context.store_path, global_words(context), ["rejudge", *words_of(_placed(spec)), "--yes"])
        return detached_words(context, uid)
    say(said)
    planting = runner.Planting(spec.planted, read_sentences(context.prompts_dir)) if spec.planted else None
    if planting and spec.variants:
        planting = replace(planting, variants=tuple(dict.fromkeys(item.variant.variant_id for item in ready)))
    with Bar() as bar:
        ended = runner.rejudge(context.store_path, settings, library, spec, context.options.run_uid, bar.show, planting)
    return report(context, ended)


def _placed(spec: JudgeSpec) -> JudgeSpec:
    """The spec with its rubric as an absolute path, for a process that may start elsewhere."""

    return replace(spec, rubric=str(typed(spec.rubric).absolute())) if spec.rubric else spec


def summary(rows: Sequence[JudgeEstimate]) -> str:
    """What is owed in all, in a few words."""
    if not any(row.n_judgements for row in rows):
        return "nothing owed"
    n, n_requests = sum(row.n_judgements for row in rows), sum(row.n_requests for row in rows)
    tokens = sum(row.input_tokens + row.output_tokens for row in rows)
    return (
        f"{counted(n, 'judgement')}, {counted(n_requests, 'request')}, about {tokens:,} tokens, "
        f"price {estimates.price(rows)}"
    )


def _confirm(rows: Sequence[JudgeEstimate], said: str) -> None:
    """Show what is owed and ask. Raises UsageError without a terminal, or for a no."""
    if not is_interactive():
        raise UsageError("nobody can be asked here: give --yes to judge without asking")
    if not any(row.n_judgements for row in rows):
        return
    with on_stderr():
        table(_HEADINGS, [_cells(row) for row in rows], right=_HEADINGS[3:])
    if not ask(f"{said}: judge them?"):
        raise UsageError("nothing was judged")


def _cells(row: JudgeEstimate) -> tuple[str, ...]:
    figures = (row.n_judgements, row.n_requests, row.input_tokens, row.output_tokens)
    return (row.variant, row.assessment, row.preset, *(f"{figure:,}" for figure in figures), estimates.price([row]))
