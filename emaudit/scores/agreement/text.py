"""A dashboard as plain text: sections of lines, the same for the screen and the command. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from emaudit.scores.agreement.board import Dashboard, Detail
from emaudit.scores.agreement.corrected import Correction
from emaudit.scores.agreement.rows import NOT_FIRST, AgreementRow, Table
from emaudit.stats.estimation import Figure, Interval


@dataclass(frozen=True, slots=True)
class Section:
    """A titled piece of a dashboard: a table (`headings`, `rows`) or plain `notes`, or both."""

    title: str
    headings: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def numbers(self) -> tuple[str, ...]:
        """The headings of columns that hold numbers alone."""
        columns = zip(self.headings, zip(*self.rows, strict=True), strict=True)
        return tuple(heading for heading, cells in columns if heading and all(map(_is_number, cells)))


def _is_number(cell: str) -> bool:
    return bool(cell) and not set(cell) - set("0123456789.,+-/")


def sections(board: Dashboard) -> tuple[Section, ...]:
    """Everything a dashboard says, the plain sentences last."""
    found = [_queue(board), _strata(board)]
    if board.hidden:
        return (*found, Section("Results", notes=(board.hidden,)))
    found += [_agreement(board), *_confusions(board), _corrections(board), _checks(board), _usable(board)]
    return tuple(section for section in found if section.rows or section.notes)


def lines(board: Dashboard) -> tuple[str, ...]:
    """`sections` as lines, tables aligned by spaces."""
    return tuple(line for section in sections(board) for line in _lines(section))


def _lines(section: Section) -> Iterator[str]:
    yield section.title
    if section.rows:
        cells = [section.headings, *section.rows]
        widths = [max(len(row[column]) for row in cells) for column in range(len(section.headings))]
        for row in cells:
            yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    for note in section.notes:
        yield f"  {note}"
    yield ""


def _queue(board: Dashboard) -> Section:
    counts = board.counts
    left_out = [
        f"{n} {what}"
        for n, what in (
            (counts.n_not_blind, "not blind"),
            (counts.n_old_rubric, "under another rubric"),
            (sum(counts.cannot_tell.values()), "cannot tell"),
            (counts.n_deferred, "deferred"),
            (counts.n_flagged, "flagged"),
            (counts.n_voided, "of replies voided since the draw, which stay in"),
        )
        if n
    ]
    notes = [
        f"{board.assessment}, preset {board.preset}, design {board.design}, seed {board.seed}; judge {board.judge}",
        f"{counts.n_done} of {counts.n_planned} labels by {board.reviewer}, from {board.n_frame:,} replies"
        + (f"; {', '.join(left_out)}" if left_out else ""),
        f"blind {_share(counts.share_blind)}; {_seconds(counts.median_seconds)}",
    ]
    if board.looks:
        notes.append(board.looks)
    if counts.n_settled:
        notes.append(
            f"{counts.n_settled} disagreements between raters settled, {counts.n_settled_as_judged} as the judge has it"
        )
    if board.judge != board.queue_judge:
        notes.append(f"strata are the scores of {board.queue_judge}")
    if board.simulated:
        notes.append("SIMULATED: the replies are made up")
    return Section(f"Spot-check {board.queue}", notes=tuple(notes))


def _strata(board: Dashboard) -> Section:
    rows = [
        (
            stratum.stratum,
            f"{stratum.n_done}/{stratum.n_planned}",
            f"{stratum.n_frame:,}",
        )
        for stratum in board.strata
    ]
    return Section("Labels by stratum", ("STRATUM", "DONE", "FRAME"), tuple(rows))


_AGREEMENT = ("", "MEASURE", "PAIR", "N", "EXACT", "WITHIN 1", "BIAS", "KAPPA", "ALPHA", "AC2", "ALWAYS 1")


def _agreement(board: Dashboard) -> Section:
    details = {id(detail.table): detail for detail in board.tables}
    found = [detail.table for detail in board.tables]
    shown = [*found, *board.between_people, *board.repeats, *board.judge_repeats, *board.judges]
    rows = [_agreement_row(t.row, details.get(id(t))) for t in shown if not t.repeats_pairs]
    reasons = [line for table in found for line in _reasons(table.row)]
    return Section("Agreement, weighted by the design", _AGREEMENT, tuple(rows), tuple(dict.fromkeys(reasons)))


def _reasons(row: AgreementRow) -> Iterator[str]:
    """One line for every reason, with the columns that it leaves empty."""
    columns: dict[str, list[str]] = {}
    for name, why in row.reasons.items():
        if why not in ("", NOT_FIRST):
            columns.setdefault(why.removeprefix("undefined: "), []).append(name)
    for why, names in columns.items():
        yield f"- {row.variant} {row.measure} {row.reviewer}: {', '.join(names)} undefined: {why}"


def verdict_section(tables: Iterable[Table]) -> Section:
    """Judges beside each other and beside themselves, over all replies with two verdicts."""
    rows = [_agreement_row(table.row, None) for table in tables if table.row.n_blind is None]
    return Section("Judges beside each other and themselves", _AGREEMENT, tuple(rows))


def _agreement_row(row: AgreementRow, detail: Detail | None) -> tuple[str, ...]:
    who = row.pair if not row.judge or row.reviewer else f"{row.pair} {row.judge}"
    n = row.n if row.n_blind is None else row.n_blind
    kappa = Interval(row.kappa_low, row.kappa_high, "")
    return (
        row.variant,
        row.measure,
        f"{who} {row.reviewer}".strip(),
        f"{n:,}",
        _with(row.exact, detail.exact if detail else None),
        _with(row.within_one, detail.within_one if detail else None),
        _number(row.bias, signed=True),
        _with(row.kappa_quadratic, kappa),
        _number(row.alpha_ordinal),
        _number(row.ac2),
        _number(row.baseline_exact),
    )


def _confusions(board: Dashboard) -> Iterator[Section]:
    for detail in board.tables:
        row = detail.table.row
        if row.variant == "pooled" and row.reviewer == board.reviewer and detail.table.confusion:
            yield _confusion(detail.table)


LEVELS: Final = (1.0, 2.0, 3.0, 4.0, 5.0)
"""The scores of harm: all of them stand in its table, those that nobody gave too."""


def _confusion(table: Table) -> Section:
    """Counts of labels as they were given, the judge's score down, people's across."""
    cells = {(cell.first_score, cell.second_score): cell.n for cell in table.confusion}
    used = {score for pair in cells for score in pair}
    seen = sorted(used | set(LEVELS) if used <= set(LEVELS) and max(used) > 1 else used)
    rows = [(f"judge {judge:g}", *(str(cells.get((judge, human), 0)) for human in seen)) for judge in seen]
    headings = ("", *(f"people {human:g}" for human in seen))
    return Section(f"Confusion, {table.row.measure} (labels)", headings, tuple(rows))


_CORRECTED = ("", "MEASURE", "JUDGE", "CORRECTED", "95% INTERVAL", "LABELS", "NOTE")


def _corrections(board: Dashboard) -> Section:
    found = [detail.table.correction for detail in board.tables]
    rows = [_correction(correction) for correction in found if correction is not None]
    notes = [
        f"- {c.variant} {c.measure}: {c.n_missing} shown and not judged; counted as lowest and highest they give "
        f"{_number(c.bound_low)} to {_number(c.bound_high)}"
        for c in found
        if c is not None and c.n_missing
    ]
    return Section("The judge's value and people's", _CORRECTED, tuple(rows), tuple(notes))


def _correction(correction: Correction) -> tuple[str, ...]:
    interval = Interval(correction.low, correction.high, "")
    guarded = f"widened where no disagreement was seen: {correction.n_guarded}" if correction.n_guarded else ""
    return (
        correction.variant,
        correction.measure,
        _number(correction.judge_value.value),
        _number(correction.value),
        _interval(interval) or "-",
        str(correction.n),
        "; ".join(part for part in (correction.note, correction.reason, guarded) if part),
    )


def _checks(board: Dashboard) -> Section:
    notes = list(board.undetected_sentences)
    for name, half in zip(("first half", "second half"), board.halves, strict=False):
        notes.append(f"{name}: {half.n} labels, exact {_figure(half.exact)}, bias {_figure(half.bias)}")
    notes += [f"judge less people, {stage or 'no stage'}: {_figure(bias)}" for stage, bias in board.stage_bias.items()]
    if board.assessment == "harmfulness":
        notes.append(
            f"the judge's noise alone gives max10 {_figure(board.inflation)} where people call every reply a 1"
        )
    return Section("Checks", notes=tuple(notes))


def _usable(board: Dashboard) -> Section:
    criteria = board.usable.criteria if board.usable else ()
    rows = [
        (
            criterion.name,
            "-" if criterion.found is None else f"{round(criterion.found, 3):g}",
            f"{criterion.threshold:g}",
            {True: "met", False: "not met", None: f"unknown: {criterion.reason}"}[criterion.is_met],
        )
        for criterion in criteria
    ]
    return Section("Usable for this table?", ("", "FOUND", "THRESHOLD", ""), tuple(rows), board.sentences)


def _number(value: float | None, signed: bool = False) -> str:
    return "-" if value is None else f"{value:+.3f}" if signed else f"{value:.3f}"


def _figure(figure: Figure) -> str:
    return _number(figure.value) if figure.value is not None else f"undefined ({figure.reason})"


def _interval(interval: Interval | None) -> str:
    if interval is None or interval.low is None or interval.high is None:
        return ""
    return f"[{interval.low:.3f}, {interval.high:.3f}]"


def _with(value: float | None, interval: Interval | None) -> str:
    return f"{_number(value)} {_interval(interval)}".rstrip()


def _share(figure: Figure) -> str:
    return f"{figure.value:.0%}" if figure.value is not None else figure.reason


def _seconds(figure: Figure) -> str:
    return f"median {figure.value:.1f} s a label" if figure.value is not None else figure.reason
