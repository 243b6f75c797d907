"""The methods page: how replies were judged and how the judge was checked, in words for a paper, from the store.

Every number is the store's; a part that was not done is said not to have been done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from emaudit.planted import Shift, shift, triples_of
from emaudit.scores import Source, Tally
from emaudit.scores.agreement import Checks, Dashboard, dashboard
from emaudit.scores.agreement.board import Detail
from emaudit.scores.agreement.inputs import POOLED
from emaudit.scores.agreement.measures import WITH_HUMAN
from emaudit.scores.agreement.rows import AgreementRow
from emaudit.stats.estimation import Figure, Interval
from emaudit.store.connection import Store
from emaudit.store.judgements import planted_events
from emaudit.store.plans import Plan
from emaudit.store.queues import Queue, queues
from emaudit.store.readings import judge_used, tallies
from emaudit.store.scorers import Scorer
from emaudit.wording import markdown_page, markdown_table

Plans = Sequence[tuple[Source, Plan]]


def methods_page(
    store: Store, preset: str, plans: Plans, judge: Scorer | None = None, found: Checks | None = None
) -> str:
    """The page as Markdown: judging, spot-check, agreement and correction, steering, and what it does not show.

    `plans` are those of the tables; `judge` None stands for the active one; `found` holds what is computed already.
    """
    checks = [(queue, dashboard(store, queue, "", found)) for queue in queues(store) if queue.preset == preset]
    sections = [
        ("Judging", list(_judging(store, plans, judge))),
        ("Spot-check", list(_checks(checks))),
        ("Steering", list(_steering(store, plans, judge))),
        ("What this does not show", list(_limits(checks))),
    ]
    parts = ["# Methods: judging and its check"]
    if any(source.simulated for source, _ in plans):
        parts.append("**SIMULATED.** The replies or the verdicts below are made up by the embedded endpoint.")
    for title, paragraphs in sections:
        parts += [f"## {title}", *paragraphs]
    return markdown_page(parts)


def _judging(store: Store, plans: Plans, judge: Scorer | None) -> Iterator[str]:
    by_assessment: dict[str, list[tuple[Source, Plan]]] = {}
    for source, plan in plans:
        by_assessment.setdefault(source.assessment, []).append((source, plan))
    if not by_assessment:
        yield "No replies are in these tables."
    used: dict[str, Scorer] = {}
    for assessment in sorted(by_assessment):
        members = by_assessment[assessment]
        rows = [row for _, plan in members for row in tallies(store, plan, judge)]
        found = [scorer for _, plan in members if (scorer := judge_used(store, plan, judge)) is not None]
        used |= {scorer.identity: scorer for scorer in found}
        names = " and ".join(f"`{name}`" for name in sorted({scorer.identity for scorer in found}))
        yield _assessment(assessment, members[0][0].preset, len(members), rows, names)
    for identity in sorted(used):
        yield _judge(used[identity])


def _assessment(assessment: str, preset: str, n_variants: int, rows: Sequence[Tally], judges: str) -> str:
    """How many replies of one assessment were read by whom, and what became of them."""
    closed = [row for row in rows if row.outcome]
    n = sum(row.n for row in closed)
    owed = sum(row.n for row in rows if row.status == "owed")
    by_judge = [row for row in closed if row.scored_by not in ("", "parser")]
    words = [
        f"`{assessment}` (preset {preset}): {n:,} replies of {_counted(n_variants, 'variant')}",
        f"{_share(sum(row.n for row in by_judge), n)} were judged by {judges}" if by_judge else "none needed a judge",
        f"{_share(sum(row.n for row in closed if row.status == 'unscored'), n)} got no score{_reasons(closed)}",
    ]
    refused = sum(row.n for row in closed if "refusal" in (row.outcome, row.reason))
    words.append(f"{_share(refused, n)} were refusals")
    if owed:
        words.append(f"{owed:,} replies or verdicts are still owed")
    return f"{'; '.join(words)}. Nothing unscored counts as a number."


def _reasons(rows: Iterable[Tally]) -> str:
    found: Counter[str] = Counter()
    for row in rows:
        if row.status == "unscored":
            found[row.reason or row.outcome] += row.n
    listed = ", ".join(
        f"{reason} {n:,}" for reason, n in sorted(found.items(), key=lambda entry: (-entry[1], entry[0]))
    )
    return f" ({listed})" if listed else ""


def _judge(scorer: Scorer) -> str:
    """Who a judge is, by its stored identity."""
    detail = scorer.detail
    if scorer.kind != "judge":
        return f"The verdicts of `{scorer.identity}` were imported; its rubric and its parameters are not known."
    params = ", ".join(f"{name} {value}" for name, value in sorted(_mapping(detail.get("params")).items()))
    rubrics = ", ".join(f"{key} `{digest[:12]}`" for key, digest in sorted(_mapping(detail.get("rubrics")).items()))
    known = {name: detail.get(name) or "unknown" for name in ("model", "endpoint", "parser")}
    return (
        f"The judge `{scorer.identity}` is the model {known['model']} at the endpoint {known['endpoint']}, asked with "
        f"{params or 'parameters that are not known'}. It was shown a prompt and a reply, fenced as data, and nothing "
        f"that names the variant. Rubrics by hash: {rubrics or 'none'}. A verdict is what verdict parser version "
        f"{known['parser']} reads as exactly one score; anything else leaves the reply unscored."
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _checks(checks: Sequence[tuple[Queue, Dashboard]]) -> Iterator[str]:
    if not checks:
        yield "No spot-check was made of these replies: the judge's scores were not checked by people."
    for queue, board in checks:
        yield _draw(queue)
        yield _raters(board)
        if board.hidden:
            yield f"Agreement is not given: {board.hidden}."
            continue
        yield from _results(board)


def _draw(queue: Queue) -> str:
    """How the labels were drawn."""
    variants = sorted({stratum.variant for stratum in queue.strata})
    main = [item for item in queue.items if item.is_main]
    chances = sorted({item.probability for item in main})
    spread = f"{chances[0]:.3g}" if len(chances) == 1 else f"{chances[0]:.3g} to {chances[-1]:.3g}"
    how = {
        "stratified": f"in {len(queue.strata)} strata, the judge's score by variant, more densely in small strata",
        "simple": "at random within each variant",
        "prompts": f"by whole prompts in {len(queue.strata)} strata, the judge's maximum by variant",
    }[queue.design]
    return (
        f"Spot-check `{queue.name}` ({queue.assessment}): {len(main):,} of {queue.n_frame:,} replies of "
        f"{', '.join(variants)} were drawn {how}, by the scores of `{queue.judge}`, with inclusion probabilities of "
        f"{spread} and the seed {queue.seed}; the draw was fixed before the first label (frame "
        f"`{queue.frame_hash[:12]}`)."
    )


def _raters(board: Dashboard) -> str:
    """Who labelled, how blind, and what could not be labelled."""
    counts = board.counts
    words = [
        f"{board.reviewer} labelled {counts.n_done:,} of {counts.n_planned:,} under the judge's rubric "
        f"(`{board.rubric_hash[:12]}`), seeing prompt, reply and anchors but neither score, variant nor stratum, in "
        f"shuffled order",
        f"{_percent(counts.share_blind)} of the labels were blind",
    ]
    if counts.n_not_blind:
        words.append(f"{counts.n_not_blind} were not, and stay out")
    if counts.n_old_rubric:
        words.append(f"{counts.n_old_rubric} were made under another rubric than the judge's, and stay out")
    if counts.cannot_tell:
        words.append(
            "not judgeable: " + ", ".join(f"{reason or 'no reason'} {n}" for reason, n in counts.cannot_tell.items())
        )
    if counts.n_deferred:
        words.append(f"{counts.n_deferred} were deferred")
    if counts.median_seconds.value is not None:
        words.append(f"the median label took {counts.median_seconds.value:.1f} s")
    if counts.n_voided:
        words.append(f"{_counted(counts.n_voided, 'label')} are of replies voided since the draw, and stay in")
    if board.looks:
        words.append(board.looks)
    if board.stopped:
        words.append(board.stopped)
    others = ", ".join(board.reviewers[1:])
    words.append(f"part of the replies was also labelled by {others}" if others else "there was no second rater")
    return f"{'; '.join(words)}."


def _results(board: Dashboard) -> Iterator[str]:
    first = [detail for detail in board.tables if detail.table.row.reviewer == board.reviewer]
    pooled = [detail for detail in first if detail.table.row.variant == POOLED]
    for detail in pooled:
        if not detail.table.row.measure.endswith(WITH_HUMAN):
            yield _agreement(board, detail)
    yield _table(first)
    yield (
        "Corrected values are stratified difference estimates, the frame-weighted means of people's labels within "
        "strata, with 95% intervals of score type that allow for errors where none was seen."
    )
    people = [table.row for table in (*board.between_people, *board.repeats) if table.row.variant == POOLED]
    yield " ".join(_pair(row) for row in people) or "No reply was labelled twice."
    others = [table.row for table in (*board.judges, *board.judge_repeats) if table.row.variant == POOLED]
    yield " ".join(_pair(row) for row in others) or "No reply was scored twice, by this judge or by another."
    yield from (f"{sentence}" for sentence in board.sentences)
    limits = ", ".join(f"{name} {value:g}" for name, value in board.thresholds.items())
    yield f"Thresholds, set before the labels: {limits}."


def _agreement(board: Dashboard, detail: Detail) -> str:
    """The figures of one pooled table, weighted to the frame."""
    row = detail.table.row
    kappa = Interval(row.kappa_low, row.kappa_high, "")
    words = [
        f"exact {_with(row.exact, detail.exact)}",
        f"within one step {_with(row.within_one, detail.within_one)}",
        f"mean difference judge less human {_signed(row.bias)}",
        f"quadratic kappa on fixed categories {_with(row.kappa_quadratic, kappa)}",
        f"Krippendorff's ordinal alpha {_number(row.alpha_ordinal)}",
        f"Gwet's AC2 {_number(row.ac2)}",
    ]
    text = (
        f"Agreement of `{row.judge}` with {row.reviewer} on {row.measure}, weighted by design over "
        f"{_counted(row.n_blind or 0, 'pair')}: {'; '.join(words)}. A judge that always gave the lowest score would "
        f"agree on {_number(row.baseline_exact)}."
    )
    if board.inflation.value is not None:
        text += f" The judge's errors on replies that people call 1 alone give a max10 of {board.inflation.value:.3f}."
    return text


def _table(details: Sequence[Detail]) -> str:
    """The judge's and the corrected value of every variant, as a Markdown table."""
    rows: list[Sequence[str]] = []
    for detail in details:
        found = detail.table.correction
        if found is not None:
            interval = _bounds(Interval(found.low, found.high, "")) or found.reason or "undefined"
            values = (_number(found.judge_value.value), _number(found.value), interval)
            rows.append((found.variant, found.measure, *values, str(found.n)))
    return markdown_table(("variant", "measure", "judge", "corrected", "95% interval", "labels"), rows)


def _pair(row: AgreementRow) -> str:
    who = row.reviewer or f"`{row.judge}`"
    what = {
        "human-human": f"Two raters ({who})",
        "repeat": f"{who} beside their own earlier labels" if row.reviewer else f"{who} on the same text twice",
        "judge-judge": f"Two judges ({who})",
    }[row.pair]
    kappa = _with(row.kappa_quadratic, Interval(row.kappa_low, row.kappa_high, ""))
    return f"{what}, {_counted(row.n, 'pair')}: exact {_number(row.exact)}, quadratic kappa {kappa}."


def _steering(store: Store, plans: Plans, judge: Scorer | None) -> Iterator[str]:
    used = {scorer.identity for _, plan in plans if (scorer := judge_used(store, plan, judge)) is not None}
    newest = {str(event["judge"]): event for event in planted_events(store, "planted")}
    found = [newest[identity] for identity in sorted(used & newest.keys())]
    if not found:
        yield "No planted pairs were judged: whether a reply can steer the judge was not tried."
    for event in found:
        triples = triples_of(event)
        low, high = (_moved(shift(triples, direction)) for direction in ("low", "high"))
        yield (
            f"{_counted(len(triples), 'stored reply')} were judged by `{event['judge']}` as they are and with a "
            f"planted sentence: one that asks for a 1 moved the score by {low}, one that asks for a 5 by {high}."
        )


def _moved(found: Shift) -> str:
    if found.mean.value is None:
        return f"an unknown amount ({found.mean.reason})"
    return f"{found.mean.value:+.2f} {_bounds(found.interval)} ({found.moved} of {found.movable} moved)"


def _limits(checks: Sequence[tuple[Queue, Dashboard]]) -> Iterator[str]:
    if checks:
        yield (
            "People's labels are taken as truth, and the intervals cover the draw of labels alone: not other prompts, "
            "not other samples of the same variants. A correction from one variant is not another's."
        )
    yield (
        "A judge that agrees with people on these replies need not on others. A low score is no evidence of safety: it "
        "speaks for the prompts that were asked."
    )


def _counted(n: int, what: str) -> str:
    plural = f"{what[:-1]}ies" if what.endswith("y") else f"{what}s"
    return f"{n:,} {what if n == 1 else plural}"


def _share(n: int, of: int) -> str:
    return f"{n:,} ({n / of:.1%})" if of else f"{n:,}"


def _percent(figure: Figure) -> str:
    return f"{figure.value:.0%}" if figure.value is not None else f"an unknown share ({figure.reason})"


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def _signed(value: float | None) -> str:
    return "undefined" if value is None else f"{value:+.3f}"


def _bounds(interval: Interval) -> str:
    return "" if interval.low is None or interval.high is None else f"[{interval.low:.3f}, {interval.high:.3f}]"


def _with(value: float | None, interval: Interval) -> str:
    return f"{_number(value)} {_bounds(interval)}".rstrip()
