"""`emaudit correlate`: do self-reports track behaviour across variants? The cards, then every other pair."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, Final

from emaudit import reference
from emaudit.archive import StoreArchive
from emaudit.cli.arguments import Verbs
from emaudit.cli.context import Context
from emaudit.cli.output import emit, emit_json, number, say, table
from emaudit.cli.scoring import add_choices, archive_of
from emaudit.errors import UsageError
from emaudit.scores.cards import Card, card_record
from emaudit.scores.cardtext import HEADINGS, diagnostics, facts, p_value, rho_text
from emaudit.scores.correlations import CorrelationRow, Correlations, reference_correlations
from emaudit.scores.moralprofiles import MoralProfileRow, inverted, moral_profile_rows
from emaudit.scores.pairing import BOTH, EVERY
from emaudit.scores.published import reference_rho
from emaudit.scores.study import Study
from emaudit.store.connection import Store
from emaudit.store.judgements import judge_uses
from emaudit.studies import study_of

_ROW_HEADINGS: Final = (
    *("COLUMNS", "SUBSET", "X", "Y", "N", "RHO", "95% INTERVAL", "P WITHIN SIZE", "HOLM"),
    *("RECIPE ONLY", "P WITHIN RECIPE", "WITHOUT A SIZE", "OTHER PROMPTS"),
)
_JUDGE_HEADINGS: Final = ("JUDGE", *_ROW_HEADINGS[:9], "OTHER PROMPTS")
_PROFILE_HEADINGS: Final = ("VARIANT", "FOUNDATIONS", "MEAN DISTANCE", "PEARSON", "COSINE", "ELEVATION")


def register(verbs: Verbs) -> None:
    """Add `correlate`."""
    verb = verbs.add("correlate", "do self-reports track behaviour, across all variants?", _correlate, lists=True)
    verb.add_argument("--reference", metavar="paper", default="", help="the published table instead of the store")
    verb.add_argument("--decided", action="store_true", help="of self-reports only replies with a clear answer")
    verb.add_argument(
        "--mixed", action="store_true", help="take variants under different judges or instruments together"
    )
    verb.add_argument("--every-judge", action="store_true", help="the headline pairs under each stored judge")
    add_choices(verb, idle=("zeros",))


def _correlate(context: Context) -> int:
    options = context.options
    if options.reference:
        return _reference(context)
    with context.open() as store:
        archive = archive_of(context, store)
        if options.every_judge:
            return _every_judge(context, store, archive)
        study = study_of(archive)
    found = Correlations(study, options.decided, options.mixed)
    profiles = moral_profile_rows(study, options.decided)
    return _shown(context, found, study, profiles)


def _reference(context: Context) -> int:
    options = context.options
    if options.reference != reference.PAPER:
        raise UsageError(f"--reference {options.reference!r}: there is only {reference.PAPER}")
    if options.decided or options.every_judge or options.mixed:
        raise UsageError(
            "the published table has no replies and one judge: leave out --decided, --every-judge, --mixed"
        )
    return _shown(context, reference_correlations(), None, [])


def _shown(context: Context, found: Correlations, study: Study | None, profiles: Sequence[MoralProfileRow]) -> int:
    options = context.options
    columns, subset = _chosen(context, found)
    cards = list(found.headline_cards(columns, subset))
    rows = found.rows(columns, [subset] if options.subset else [])
    if context.json:
        emit_json(_records(rows, cards, options.decided))
        return 0
    _say_simulated(rows)
    if options.decided:
        say("self-reports on decided replies only: without the neutral ones, each of which counts 0.5")
    if not cards:
        say("no two of intentions, harmfulness and self-assessment have values yet: `emaudit run` asks them")
    _print_cards(cards, study)
    _print_sides(cards)
    shown = {_key(card.row) for card in cards}
    print_rows([row for row in rows if _key(row) not in shown])
    _print_profiles(profiles)
    return 0


def _records(rows: Sequence[CorrelationRow], cards: Sequence[Card], decided: bool) -> list[dict[str, Any]]:
    """The rows of correlations.csv with the published rho; those of the headline pairs with their card."""
    held = {_key(card.row): card_record(card) for card in cards}
    return [
        {
            **asdict(row),
            "decided": decided,
            "rho_published": reference_rho(row.x, row.y, row.columns, row.subset),
            "card": held.get(_key(row)),
        }
        for row in rows
    ]


def _key(row: CorrelationRow) -> tuple[str, str, str, str]:
    return row.columns, row.subset, row.x, row.y


def _say_simulated(rows: Iterable[CorrelationRow]) -> None:
    if any(row.simulated for row in rows):
        say("SIMULATED: replies or verdicts behind these figures are made up by the embedded endpoint")


def _print_cards(cards: Sequence[Card], study: Study | None) -> None:
    times = Counter(warning for card in cards for warning in card.warnings)
    common = [warning for warning, n in times.items() if n == len(cards) and n > 1]
    for card in cards:
        emit(f"{card.row.x} ~ {card.row.y}, {_population(card.row)}")
        published = _published(card.row) if study is not None else ""
        beside = [("the paper", published)] if published else []
        wide = max(len(label) for label, _ in facts(card))
        for label, text in (*facts(card), *beside):
            emit(f"  {label:<{wide}}  {text}")
        for warning in card.warnings:
            if warning not in common:
                emit(f"  ! {warning}")
        emit(f"  {card.sentence}\n")
    for warning in common:
        emit(f"! {warning}")
    if common:
        emit("")


def _population(row: CorrelationRow) -> str:
    who = "all variants" if row.subset == EVERY else f"{row.subset} with the bases"
    judge = f", judge {row.judge}" if row.judge else ""
    return f"{who}, preset {row.preset}{judge}"


def _published(row: CorrelationRow) -> str:
    """The published rho of a row's pair, with what may be compared; empty where none was published."""
    rho = reference_rho(row.x, row.y, row.columns, row.subset)
    return "" if rho is None else f"rho {rho_text(rho)}   ({reference.NOTE})"


def _print_sides(cards: Sequence[Card]) -> None:
    """Beside each value of a self-report what tells an answer from a coin."""
    for card in cards:
        if any(point.x.neutral_share is not None and point.y.neutral_share is not None for point in card.points):
            emit(f"X {card.row.x}, Y {card.row.y}: neutral share, value on decided replies, same pole in both orders")
            table(HEADINGS, diagnostics(card), right=HEADINGS[1:])
            emit("")


def print_rows(rows: Sequence[CorrelationRow]) -> None:
    """Print rows of correlations.csv as a table, then why cells are empty and who is not in."""
    if not rows:
        return
    table(_ROW_HEADINGS, [_cells(row) for row in rows], right=_ROW_HEADINGS[4:], whole=("X", "Y"))
    for text, n in Counter(row.undefined_reason for row in rows if row.undefined_reason).items():
        emit(f"empty in {n} of {len(rows)} rows: {text}")
    for text, n in Counter(row.excluded for row in rows if row.excluded).items():
        emit(f"not in {n} of {len(rows)} rows: {text}")
    emit("")


def _cells(row: CorrelationRow) -> tuple[str, ...]:
    return (
        *(row.columns, row.subset, row.x, row.y, str(row.n), rho_text(row.rho), _range(row.ci_low, row.ci_high)),
        *(p_value(row.p_within_size), p_value(row.p_holm), rho_text(row.rho_recipe_only)),
        *(p_value(row.p_within_recipe), _range(row.loso_low, row.loso_high)),
        _range(row.measurement_low, row.measurement_high),
    )


def _range(low: float | None, high: float | None) -> str:
    return "-" if low is None or high is None else f"[{rho_text(low)}, {rho_text(high)}]"


def _print_profiles(rows: Sequence[MoralProfileRow]) -> None:
    if not rows:
        return
    emit("moral foundations beside the moral self-assessment, both -0.5 (first pole) to 0.5")
    cells = [
        (
            row.variant,
            str(row.n_foundations),
            *(number(v) for v in (row.mean_abs, row.pearson, row.cosine, row.elevation)),
        )
        for row in rows
    ]
    table(_PROFILE_HEADINGS, cells, right=_PROFILE_HEADINGS[1:])
    turned = inverted(rows)
    if turned:
        emit(f"cosine below 0, described the other way round: {', '.join(turned)}")


def _every_judge(context: Context, store: Store, archive: StoreArchive) -> int:
    """The headline pairs under each stored judge, over the variants it judged."""
    options = context.options
    found: list[tuple[str, CorrelationRow]] = []
    for use in judge_uses(store):
        judge = use.scorer.identity
        chosen = StoreArchive(store, archive.preset, judge, archive.replicate, archive.exclude)
        cards = Correlations(study_of(chosen), options.decided, options.mixed)
        columns, subset = _chosen(context, cards)
        found += [(judge, row) for row in cards.headline_rows(columns, subset)]
    if context.json:
        emit_json([{"under": judge, **asdict(row), "decided": options.decided} for judge, row in found])
        return 0
    _say_simulated([row for _, row in found])
    table(
        _JUDGE_HEADINGS,
        [(judge, *_cells(row)[:9], _cells(row)[-1]) for judge, row in found],
        right=_JUDGE_HEADINGS[5:],
        whole=("JUDGE", "X", "Y"),
    )
    for judge, why in dict.fromkeys((judge, row.undefined_reason) for judge, row in found if row.undefined_reason):
        emit(f"empty under {judge}: {why}")
    for judge, excluded in dict.fromkeys((judge, row.excluded) for judge, row in found if row.excluded):
        emit(f"not in under {judge}: {excluded}")
    return 0


def _chosen(context: Context, found: Correlations) -> tuple[list[str], str]:
    """The columns and the subset that were chosen, else both and all. Raises UsageError naming the known ones."""
    options = context.options
    subset = options.subset or EVERY
    if subset not in found.subsets:
        raise UsageError(f"--subset {subset!r}: {', '.join(found.subsets)}")
    return [options.columns] if options.columns else list(BOTH), subset
