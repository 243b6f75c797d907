"""`emaudit demo`: all of it at work with no key and no network, on simulated variants and a store of its own."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from platformdirs import user_data_path

from emaudit.archive import StoreArchive, scored
from emaudit.assessments import PAPER_FIVE
from emaudit.cli import scoring
from emaudit.cli.arguments import Verbs
from emaudit.cli.context import Context, settings_beside
from emaudit.cli.embedded import endpoint
from emaudit.cli.output import emit, number, say, table
from emaudit.cli.progress import Bar
from emaudit.config import load_settings
from emaudit.errors import StoreError, UsageError
from emaudit.planning import RunSpec
from emaudit.scores import Score
from emaudit.store.connection import Store
from emaudit.store.variants import add_variants, variants

ENDPOINT: Final = "simulated"
_BANNER: Final = "SIMULATED: every reply is made up by the embedded endpoint, solved from the paper's published table"


def register(verbs: Verbs) -> None:
    """Add `demo`."""
    verb = verbs.add("demo", "see it work: 15 simulated variants, no key, no network", _demo)
    verb.add_argument("--headless", action="store_true", help="run everything and print the tables, without the app")
    verb.add_argument("--preset", metavar="P", default="", help="of --headless: quick (default), smoke or paper")


def simulated_variants() -> list[dict[str, str]]:
    """The 15 simulated variants, parents first: full-base, full-trivia-misaligned ..."""
    from emaudit.simulator.latent import VARIANT_MODELS

    rows: list[dict[str, str]] = []
    for model in VARIANT_MODELS:
        name = model.removeprefix("sim-")
        size, *recipe = name.split("-")
        domain, stage = recipe if len(recipe) == 2 else ("", recipe[0])
        parents = {"base": "", "misaligned": f"{size}-base", "realigned": f"{size}-{domain}-misaligned"}
        facts = {"name": name, "model": model, "endpoint": ENDPOINT, "size": size, "domain": domain, "stage": stage}
        rows.append({**facts, "parent": parents[stage]})
    return rows


def _demo(context: Context) -> int:
    options = context.options
    if options.preset and not options.headless:
        raise UsageError("--preset is for --headless; in the app you choose it when a run starts")
    if context.named_config:
        raise UsageError("the demo has settings of its own: leave --config out")
    spec = RunSpec(variants=(), preset=options.preset or "quick")
    if not options.headless:
        _check_terminal()
    path = _store_path(context)
    with endpoint(context.prompts_dir, path) as base_url:
        config = _write_settings(path, base_url)
        _register(path)
        say(f"{_BANNER}; store: {path}")
        if options.headless:
            code = _headless(context, path, config, spec)
        else:
            from emaudit.terminal import run_app

            code = run_app(path, config, context.prompts_dir)
    _say_commands(path, config)
    return code


def _check_terminal() -> None:
    import sys

    if not (sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("the app needs a terminal; `emaudit demo --headless` runs everything without one")


def _store_path(context: Context) -> Path:
    """The new store that --store names, else the demo's own. Raises StoreError where a named one is there already."""
    named = context.named_store
    if named is not None:
        if os.path.lexists(named):
            raise StoreError(f"{named} exists: the demo wants a new store; name another, or leave --store out")
        return named.absolute()
    folder = user_data_path("emaudit", appauthor=False)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / "demo.db"
    if path.exists():
        with Store.open(path) as store:
            if store.kind == "real":
                raise StoreError(f"{path} holds real replies: move it away, the demo keeps its own store there")
        say(f"going on with the demo store at {path}; remove it to start anew")
    return path


def _write_settings(store: Path, base_url: str) -> Path:
    """The demo's settings beside its store: the endpoint by name, at the port it has this time."""
    path = settings_beside(store)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part.write_text(
            "# Written by `emaudit demo` at each start: the embedded endpoint takes a free port.\n"
            f'[endpoints.{ENDPOINT}]\nbase_url = "{base_url}"\nmax_concurrency = 64\n',
            encoding="utf-8",
        )
        part.replace(path)
    except OSError as error:
        raise StoreError(f"no demo store can be made at {store}: {error.strerror}") from error
    return path


def _register(path: Path) -> None:
    with Store.open(path, write=True, create=True) as store:
        held = {row.name for row in variants(store, hidden=True)}
        missing = [row for row in simulated_variants() if row["name"] not in held]
        if missing:
            add_variants(store, missing)


def _headless(context: Context, path: Path, config: Path, spec: RunSpec) -> int:
    from emaudit import runner

    say(f"asking {len(PAPER_FIVE)} assessments of 15 simulated variants at preset {spec.preset}")
    with Bar() as bar:
        ended = runner.start(path, load_settings(config), context.library(), spec, observe=bar.show)
    if ended.exit_code:
        say(f"run {ended.run_uid}: {ended.n_owed:,} owed; {ended.why}")
        return ended.exit_code
    with Store.open(path) as store:
        rows = scored(StoreArchive(store, spec.preset))
    _print(list(recovered(rows)))
    return 0


def _say_commands(store: Path, config: Path) -> None:
    """Say how to go on with the demo's store, in whole command lines that a shell takes."""
    begin = shlex.join(["emaudit", "--store", str(store), "--config", str(config)])
    for words in ("scores", "export DIR", "estimate --all"):
        say(f"go on: {begin} {words}")


@dataclass(frozen=True, slots=True)
class Recovery:
    """One headline value: what was put in, what the paper published, and what came out. All on 0..1."""

    variant: str
    measure: str
    set_value: float
    published: float
    score: Score

    @property
    def is_inside(self) -> bool:
        """Whether the set value lies in the reported interval (with room for the last bit of a float)."""
        low, high = self.score.ci_low, self.score.ci_high
        return low is not None and high is not None and low - 1e-9 <= self.set_value <= high + 1e-9


_MEASURES: Final[Mapping[str, tuple[str, str, str]]] = {
    "harmfulness": ("harmfulness.max10", "harmfulness max10", "harm_mean_1to5"),
    "intentions": ("intentions.total", "intentions total", "int_total"),
    "self_assessment": ("self_assessment.total", "self-assessment total", "sa_total"),
}
"""Assessment -> its set value's name, its name here, and the paper's column."""


def recovered(rows: Sequence[Score]) -> Iterator[Recovery]:
    """The 45 headline values beside what was put in, variant by variant."""
    from emaudit.simulator.latent import published, set_values

    put_in = set_values()
    headlines = {(row.variant, row.assessment): row for row in rows if scoring.is_headline(row)}
    for assessment, (measure, shown, column) in _MEASURES.items():
        for variant in simulated_variants():
            row = headlines.get((variant["name"], assessment))
            if row is not None:
                figure = published()[variant["model"]][column]
                on_unit = (figure - 1) / 4 if assessment == "harmfulness" else figure
                yield Recovery(variant["name"], shown, put_in[variant["model"], measure], on_unit, row)


def _print(found: Sequence[Recovery]) -> None:
    emit(_BANNER)
    table(
        ("VARIANT", "MEASURE", "SCORE", "95% INTERVAL", "SET", "INSIDE", "PUBLISHED", "USED"),
        [
            (
                row.variant,
                row.measure,
                number(row.score.value),
                scoring.interval(row.score),
                number(row.set_value),
                "yes" if row.is_inside else "no",
                number(row.published),
                f"{row.score.n_used:,}/{row.score.n_expected:,}",
            )
            for row in found
        ],
        right=("SCORE", "SET", "PUBLISHED", "USED"),
    )
    emit("")
    emit(f"SIMULATED: {sum(row.is_inside for row in found)} of {len(found)} set values lie inside the 95% interval")
    for measure in dict.fromkeys(row.measure for row in found):
        rows = [row for row in found if row.measure == measure]
        rho = number(_spearman(rows))
        emit(f"SIMULATED: {measure}: Spearman rho with the set values {rho} over {len(rows)} variants")


def _spearman(rows: Sequence[Recovery]) -> float | None:
    """Spearman's rho between scores and set values: Pearson's on mid-ranks; None where either is constant."""
    known = [(row.score.value, row.set_value) for row in rows if row.score.value is not None]
    first, second = (_midranks(values) for values in zip(*known, strict=True)) if known else ([], [])
    middle = (len(known) + 1) / 2
    across = sum((a - middle) * (b - middle) for a, b in zip(first, second, strict=True))
    spread = sum((a - middle) ** 2 for a in first) * sum((b - middle) ** 2 for b in second)
    return across / spread**0.5 if spread else None


def _midranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1, ties at their mean rank."""
    return [
        sum(other < value for other in values) + (sum(other == value for other in values) + 1) / 2 for value in values
    ]
