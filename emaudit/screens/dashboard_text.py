"""A dashboard as lines for the width there is, the line a reader needs first. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from textual.content import Content

from emaudit.text import one_line
from emaudit.widgets import figures

if TYPE_CHECKING:
    from emaudit.scores.agreement.board import Dashboard, Detail
    from emaudit.scores.agreement.corrected import Correction
    from emaudit.scores.agreement.rows import Table
    from emaudit.stats.estimation import Figure, Interval

VERDICTS: Final = {"usable": ("✓", "$success"), "not usable": ("✗", "$error")}
POOLED: Final = "pooled"
UNTOLD: Final = frozenset({"value_judge", "value_corrected", "corrected_low", "corrected_high"})
"""Columns whose reasons stand beside the corrected values."""


def lines(board: Dashboard, width: int) -> list[Content]:
    """Everything the dashboard says; nothing but progress while results are hidden."""
    if board.hidden:
        hidden = [Content.styled(one_line(board.hidden, 300), "bold"), *_looks(board)]
        return [*hidden, Content(""), *_progress(board, width)]
    found = [*_usable(board, width), *_corrected(board, width), *_agreement(board, width), *_confusion(board)]
    return [*found, *_checks(board), *_thresholds(board), *_progress(board, width)]


def _head(title: str) -> list[Content]:
    return [Content.styled(title, "bold $primary")]


def _number(value: float | None, digits: int = 2, signed: bool = False) -> str:
    if value is None:
        return figures.UNKNOWN
    return f"{value + 0.0:+.{digits}f}" if signed else f"{value + 0.0:.{digits}f}"


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.2f} to {high:.2f}"


def _of(interval: Interval | None) -> str:
    return _interval(interval.low, interval.high) if interval is not None else ""


def _figure(figure: Figure, digits: int = 2, signed: bool = False) -> str:
    if figure.value is None:
        return f"{figures.UNKNOWN} ({one_line(figure.reason, 120)})"
    return _number(figure.value, digits, signed)


def _usable(board: Dashboard, width: int) -> Iterator[Content]:
    if board.usable is None:
        return
    glyph, style = VERDICTS.get(board.usable.verdict, ("?", "$warning"))
    yield Content.assemble((f"{glyph} ", style), (one_line(board.usable.sentence, 600), "bold"))
    if board.stopped:
        yield Content.styled(one_line(board.stopped, 200), "$warning")
    yield from _looks(board)
    yield Content("")


def _looks(board: Dashboard) -> Iterator[Content]:
    """That results were seen before the last label, where they were."""
    if board.looks:
        yield Content.styled(one_line(board.looks, 200), "$warning")


def _thresholds(board: Dashboard) -> Iterator[Content]:
    """What the line at the top stands on."""
    if board.usable is None:
        return
    yield from _head("Usable by these thresholds")
    for criterion in board.usable.criteria:
        mark = {True: "✓", False: "✗", None: "?"}[criterion.is_met]
        found = f"{criterion.found:.3g}" if criterion.found is not None else one_line(criterion.reason, 80)
        text = f"  {mark} {one_line(criterion.name, 60)} {found} (threshold {criterion.threshold:.3g})"
        yield Content.styled(text, "$quiet")
    yield Content("")


def _corrected(board: Dashboard, width: int) -> Iterator[Content]:
    found = [detail.table.correction for detail in board.tables if _is_own(board, detail.table)]
    shown = [held for held in found if held is not None and _is_shown(board, held.variant)]
    if not shown:
        return
    yield from _head("The judge's value beside people's")
    name = max(len("variant"), *(len(_label(board, c.variant)) for c in shown)) + 2
    measure = max(len("measure"), *(len(c.measure) for c in shown)) + 2
    yield Content.styled(
        f"{'variant':<{name}}{'measure':<{measure}}{'judge':>6}{'people':>8}  {'95% interval':<14}labels", "$quiet"
    )
    for c in shown:
        people = f"{_number(c.value):>8}  {_interval(c.low, c.high) or figures.UNKNOWN:<14}{c.n:>6}"
        line = f"{_label(board, c.variant):<{name}}{c.measure:<{measure}}{_number(c.judge_value.value):>6}"
        yield Content.assemble(line, (people, "bold" if c.variant == POOLED else ""))
        yield from _remarks(c)
    yield Content("")


def _remarks(correction: Correction) -> Iterator[Content]:
    remarks = [correction.note, correction.reason]
    if correction.n_missing:
        bounds = _interval(correction.bound_low, correction.bound_high)
        remarks.append(f"{correction.n_missing} could not be told: {bounds} with them at the ends of the scale")
    said = "; ".join(one_line(remark, 160) for remark in remarks if remark)
    if said:
        yield Content.styled(f"  {said}", "$warning" if correction.note or correction.reason else "$quiet")


def _is_shown(board: Dashboard, variant: str) -> bool:
    """Whether a row tells anything: of one variant alone the pooled row is the same."""
    return variant == POOLED or len({row.variant for row in board.strata}) > 1


def _label(board: Dashboard, variant: str) -> str:
    names = {row.variant for row in board.strata}
    return one_line(next(iter(names)) if variant == POOLED and len(names) == 1 else variant, 24)


def _is_own(board: Dashboard, table: Table) -> bool:
    return table.row.reviewer == board.reviewer


def _agreement(board: Dashboard, width: int) -> Iterator[Content]:
    found: list[tuple[str, Table, Detail | None]] = [
        (f"judge · {one_line(detail.table.row.reviewer, 16)}", detail.table, detail) for detail in board.tables
    ]
    found += [(one_line(table.row.reviewer, 30), table, None) for table in board.between_people]
    found += [(f"{one_line(table.row.reviewer, 16)} again", table, None) for table in board.repeats]
    found += [("judge again", table, None) for table in board.judge_repeats]
    found += [(one_line(table.row.judge, 36), table, None) for table in board.judges]
    rows = [
        (who, table, detail)
        for who, table, detail in found
        if table.row.n and not table.repeats_pairs and _is_shown(board, table.row.variant)
    ]
    if not rows:
        return
    yield from _head("Agreement, weighted by the design")
    name = max(len("variant"), *(len(_label(board, table.row.variant)) for _, table, _ in rows)) + 2
    who_width = max(len("between"), *(len(who) for who, _, _ in rows)) + 2
    heads = f"{'n':>5}{'exact':>7}{'±1':>6}{'bias':>7}{'kappa':>7}{'alpha':>7}{'AC2':>6}{'all 1':>7}"
    yield Content.styled(f"{'variant':<{name}}{'between':<{who_width}}{heads}", "$quiet")
    for who, table, detail in rows:
        yield _agreement_line(f"{_label(board, table.row.variant):<{name}}{who:<{who_width}}", table)
        yield from _agreement_intervals(table, detail, name)
    yield Content("")


def _agreement_line(label: str, table: Table) -> Content:
    row = table.row
    n = row.n if row.n_blind is None else row.n_blind
    numbers = (
        f"{n:>5}{_number(row.exact):>7}{_number(row.within_one):>6}{_number(row.bias, signed=True):>7}"
        f"{_number(row.kappa_quadratic):>7}{_number(row.alpha_ordinal):>7}{_number(row.ac2):>6}"
        f"{_number(row.baseline_exact):>7}"
    )
    measure = "" if row.measure in {"mean", "misaligned"} else f" {row.measure}"
    return Content.assemble(label, (numbers, "bold" if row.variant == POOLED else ""), (measure, "$quiet"))


def _agreement_intervals(table: Table, detail: Detail | None, indent: int) -> Iterator[Content]:
    """The intervals of the pooled row, and why a figure is undefined."""
    row = table.row
    parts = []
    if detail is not None:
        parts += [f"exact {_of(detail.exact)}", f"within one {_of(detail.within_one)}"]
    parts.append(f"kappa {_interval(row.kappa_low, row.kappa_high)}")
    said = [part for part in parts if part[-1].isdigit()]
    if said and row.variant == POOLED:
        yield Content.styled(f"{'':<{indent}}95%: {', '.join(said)}", "$quiet")
    if row.variant == POOLED:
        for name, why in sorted(row.reasons.items()):
            if why and name not in UNTOLD:
                yield Content.styled(f"{'':<{indent}}{one_line(name, 30)}: {one_line(why, 160)}", "$quiet")


def _confusion(board: Dashboard) -> Iterator[Content]:
    own = [d.table for d in board.tables if _is_own(board, d.table) and d.table.row.variant == POOLED]
    table = next((table for table in own if table.confusion), None)
    if table is None:
        return
    cells = {(cell.first_score, cell.second_score): cell.n for cell in table.confusion}
    seen = sorted({score for pair in cells for score in pair})
    scores = [1.0, 2.0, 3.0, 4.0, 5.0] if board.assessment == "harmfulness" else seen
    yield from _head("Confusion, in labels: the judge down, people across")
    yield Content.styled(f"{'':<9}" + "".join(f"{score:>6g}" for score in scores), "$quiet")
    for judge in scores:
        line: list[tuple[str, str]] = [(f"judge {judge:<3g}", "$quiet")]
        for human in scores:
            n = cells.get((judge, human), 0)
            line.append((f"{n if n else '·':>6}", "bold" if judge == human else "" if n else "$quiet"))
        yield Content.assemble(*line)
    yield Content("")


def _checks(board: Dashboard) -> Iterator[Content]:
    counts = board.counts
    yield from _head("Checks")
    for sentence in board.undetected_sentences:
        yield Content.styled(one_line(sentence, 300), "bold")
    for name, half in zip(("first half ", "second half"), board.halves, strict=False):
        yield Content(f"{name}  {half.n} labels, exact {_figure(half.exact)}, bias {_figure(half.bias, signed=True)}")
    for stage, bias in board.stage_bias.items():
        yield Content(f"judge less people, {one_line(stage, 20) or 'no stage'}: {_figure(bias, signed=True)}")
    if board.assessment == "harmfulness":
        yield Content(f"the judge's noise alone gives max10 {_figure(board.inflation)} where people call every reply 1")
    blind = "" if counts.share_blind.value is None else f"{counts.share_blind.value:.0%} blind"
    seconds = "" if counts.median_seconds.value is None else f"median {counts.median_seconds.value:.1f} s a label"
    voided = f"{counts.n_voided} of replies voided since the draw, which stay in" if counts.n_voided else ""
    yield Content(", ".join(part for part in (blind, seconds, voided) if part))
    for sentence in board.sentences:
        if board.usable is None or sentence != board.usable.sentence:
            yield Content.styled(one_line(sentence, 600), "$quiet")
    yield Content("")


def _progress(board: Dashboard, width: int) -> Iterator[Content]:
    """Labels done and planned, a row per variant and a column per score of the judge.

    While results are hidden only what is planned: what is done would tell the stratum of the item just scored.
    """
    counts = board.counts
    out = [
        (counts.n_not_blind, "not blind"),
        (counts.n_old_rubric, "under another rubric"),
        (sum(counts.cannot_tell.values()), "cannot tell"),
        (counts.n_deferred, "later"),
        (counts.n_flagged, "flagged"),
    ]
    said = ", ".join(f"{figures.count(n)} {what}" for n, what in out if n)
    yield from _head(f"Labels: {counts.n_done} of {counts.n_planned}" + (f"   {said}" if said else ""))
    yield from _grid(board)


def _grid(board: Dashboard) -> Iterator[Content]:
    names = list(dict.fromkeys(row.variant for row in board.strata))
    scores: Sequence[float | None] = sorted(
        {row.judge_value for row in board.strata}, key=lambda score: (score is None, score or 0.0)
    )
    cells = {
        (row.variant, row.judge_value): f"{row.n_planned}" if board.hidden else f"{row.n_done}/{row.n_planned}"
        for row in board.strata
    }
    first = max([len("judge's score"), *(len(one_line(name, 24)) for name in names)]) + 1
    heads = ["none" if score is None else f"{score:g}" for score in scores]
    yield Content.styled(f"{'judge score':<{first}}" + "".join(f"{head:>8}" for head in heads), "$quiet")
    for name in names:
        yield Content(f"{one_line(name, 24):<{first}}" + "".join(f"{cells.get((name, s), '·'):>8}" for s in scores))
