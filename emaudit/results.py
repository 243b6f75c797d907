"""The results page: what the tables of an export say, in words and short tables for a paper, and what they do not.

Every number is a field of a row that the export writes, or a value of scores.csv; nothing is computed here. Model text
does not get here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from emaudit.findings import findings, variants_of
from emaudit.scores.cards import Card
from emaudit.scores.comparisons import ComparisonRow
from emaudit.scores.correlations import CorrelationRow
from emaudit.scores.dissociation import NO_RISE, SILENT, TALK, TOGETHER, DissociationRow, after_holm, told_kind
from emaudit.scores.measures import HEADLINE, THREE
from emaudit.scores.pairing import EVERY
from emaudit.scores.profiles import ALL
from emaudit.scores.resampling import headline
from emaudit.scores.rows import Score
from emaudit.scores.study import Study
from emaudit.scores.summary import Value
from emaudit.scores.trajectories import TrajectoryRow, exceptions, followed, is_clear, passed_over, shape_of
from emaudit.stats.trajectory import INVERTED_V
from emaudit.wording import bounds, counted, laid, markdown_page, markdown_table, number, p_text, signed


def results_page(
    study: Study,
    correlations: Sequence[CorrelationRow],
    comparisons: Sequence[ComparisonRow],
    trajectories: Sequence[TrajectoryRow],
    dissociations: Sequence[DissociationRow],
    scores: Sequence[Score] = (),
    voided: Sequence[Mapping[str, object]] = (),
    cards: Sequence[Card] = (),
) -> str:
    """The page as Markdown.

    `scores` brings the intervals of single values; `voided` is the manifest's; `cards` are those of the headline
    pairs, for the paragraph that opens the page.
    """
    sections = [
        ("What was asked", _asked(study)),
        ("Values", _values(study, scores)),
        ("Do they move together", _together(correlations)),
        ("Stages and domains compared", _compared(comparisons)),
        ("Along lineages", _along(study, trajectories)),
        ("Where behaviour and self-report part", _parted(dissociations)),
        ("Left out", _left_out(study, correlations, voided)),
        ("What this does not show", _limits(study)),
    ]
    parts = ["# Results"]
    if study.simulated:
        parts.append("**SIMULATED.** The replies or the verdicts below are made up by the embedded endpoint.")
    parts.append(findings(study, cards, trajectories, dissociations, voided))
    for title, paragraphs in sections:
        parts += [f"## {title}", *paragraphs]
    return markdown_page(parts)


def _asked(study: Study) -> Iterator[str]:
    asked = sorted({assessment for _, assessment in study.summaries})
    if not asked:
        yield "No variant was asked anything yet."
        return
    sizes = sorted({subject.size for subject in study.subjects} - {""})
    yield (
        f"{variants_of(study)} (sizes: {', '.join(sizes) or 'not recorded'}), preset {study.preset}, "
        "the newest complete replicate of each. "
        f"Prompts were resampled {study.rules.resamples:,} times with seed {study.seed}, alike for all variants."
    )
    for assessment in asked:
        summaries = [study.summaries[key] for key in sorted(study.summaries) if key[1] == assessment]
        judges = sorted({summary.source.judge for summary in summaries} - {""})
        instruments = sorted({summary.source.instrument for summary in summaries})
        values = [
            summary.value(headline(assessment).measure, "total", headline(assessment).form) for summary in summaries
        ]
        used = sum(value.n_used for value in values if value)
        expected = sum(value.n_expected for value in values if value)
        yield (
            f"`{assessment}`: {used:,} of {expected:,} replies used, of {counted(len(summaries), 'variant')}; "
            f"instrument {_names(instruments)}; {f'judge {_names(judges)}' if judges else 'no judge needed'}."
        )


def _names(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _values(study: Study, scores: Sequence[Score]) -> Iterator[str]:
    found = {(s.variant, s.assessment, s.measure, s.format): s for s in scores if s.variant and s.part == "total"}
    lines: list[Sequence[str]] = []
    for (variant, assessment), summary in sorted(study.summaries.items()):
        named = headline(assessment)
        value = summary.value(named.measure, "total", named.form)
        if value is not None:
            score = found.get((variant, assessment, named.measure, named.form))
            lines.append((variant, assessment, named.measure, *_value(value, score)))
    if not lines:
        yield "None yet."
        return
    yield markdown_table(("variant", "assessment", "measure", "value", "95% interval", "used", "complete"), lines)
    yield (
        "Harmfulness is the mean over prompts of the maximum of the replies' scores, on 0..1; its intervals are prompt "
        "bootstraps. The other intervals are t on template means, or Clopper-Pearson where few templates leave 0 or 1. "
        "A value of .5 on a choice between two is what answers at random give."
    )


def _value(value: Value, score: Score | None) -> tuple[str, str, str, str]:
    interval = bounds(score.ci_low, score.ci_high) if score else ""
    if score and interval:
        interval += f" ({score.ci_method})"
    used = f"{value.n_used:,} of {value.n_expected:,}"
    return number(value.value), interval or "see scores.csv", used, "yes" if value.complete else "no"


def _together(rows: Sequence[CorrelationRow]) -> Iterator[str]:
    if not rows:
        yield "No correlation: it takes four variants that are complete in two assessments."
        return
    subsets = {row.subset for row in rows}
    first = [row for row in rows if row.subset in ({EVERY} if EVERY in subsets else subsets) and _is_headline(row)]
    if not first:
        yield "No two of harmfulness, intentions and self-assessment; other pairs are in correlations.csv."
        return
    for row in first:
        yield _correlation(row)
    yield (
        "Bonett-Wright intervals speak of variants like these, as if they were independent; prompt intervals of "
        "prompts like these, the variants fixed. p within size permutes variants of one size only, two-sided as "
        "twice the smaller tail. The labels' rho is the mean over permutations within recipe: what a variant's "
        "fine-tune alone carries, sizes exchanged. Agreement that the labels share may be the very tracking asked for; "
        "it is then agreement between fine-tunes, and few variants per recipe leave little power to see more."
    )


def _is_headline(row: CorrelationRow) -> bool:
    """Whether both are one of the three assessments in the row's own column, over all formats."""
    own = ("", ".harmless") if row.columns == "harmless" else ("",)
    known = {f"{name}{end}" for name in THREE for end in own}
    return row.x in known and row.y in known


def _correlation(row: CorrelationRow) -> str:
    subset = "" if row.subset == EVERY else f", subset `{row.subset}` with the bases"
    pair = f"`{row.x}` and `{row.y}` ({row.columns}{subset}, {counted(row.n, 'variant')})"
    if row.rho is None:
        return f"{pair}: undefined, {row.undefined_reason}."
    words = [
        f"rho {row.rho:.3f} (tau-b {number(row.tau_b)}; tied values {row.ties_x} and {row.ties_y})",
        f"95% interval {bounds(row.ci_low, row.ci_high) or 'undefined'} ({row.ci_method})",
        f"over prompts {bounds(row.measurement_low, row.measurement_high) or 'undefined'}",
        f"without one size {number(row.loso_low)} to {number(row.loso_high)}",
        f"p within size {p_text(row.p_within_size)}, Holm over the three pairs {p_text(row.p_holm)}",
    ]
    arrangements = "unknown" if row.n_arrangements is None else f"{row.n_arrangements:,}"
    words.append(
        f"the labels of the fine-tunes alone carry {number(row.rho_recipe_only)}, beyond them p "
        f"{p_text(row.p_within_recipe)} ({arrangements} arrangements)"
    )
    return f"{pair}: {'; '.join(words)}.{f' Undefined: {row.undefined_reason}.' if row.undefined_reason else ''}"


def _compared(rows: Sequence[ComparisonRow]) -> Iterator[str]:
    totals = [
        row
        for row in rows
        if row.part == "total" and row.format in ("", ALL) and row.measure == HEADLINE.get(row.assessment)
    ]
    pooled = {(row.assessment, row.domain) for row in totals if row.size == ALL}
    shown = [row for row in totals if row.size == ALL or (row.assessment, row.domain) not in pooled]
    if not shown:
        yield "No two groups of variants to compare."
        return
    headings = (
        "assessment",
        "size",
        "domain",
        "from",
        "to",
        "means",
        "difference",
        "test",
        "p",
        "p Holm (family)",
        "effect",
    )
    yield markdown_table(headings, [_comparison(row) for row in shown])
    zeros = sorted({row.zero_rule for row in shown} - {""})
    yield (
        f"Differences are the later stage less the earlier, with 95% intervals over prompts. Zeros: "
        f"{', '.join(zeros) or 'no rule was needed'}. Effect: matched-pairs rank-biserial correlation. "
        "Size `all` is pooled over the sizes. Parts, formats and single sizes are in comparisons.csv."
    )


def _comparison(row: ComparisonRow) -> Sequence[str]:
    counts = f"n {row.n_a} and {row.n_b}" if row.n_pairs is None else f"{row.n_pairs} pairs, {row.n_zero or 0} zero"
    difference = f"{signed(row.mean_difference)} {bounds(row.mean_low, row.mean_high)}".rstrip()
    return (
        row.assessment,
        row.size or "not recorded",
        row.domain,
        row.group_a,
        row.group_b,
        f"{number(row.mean_a)}, {number(row.mean_b)}",
        difference,
        f"{row.test} ({row.unit}; {counts})",
        p_text(row.p) if row.p is not None else f"undefined: {row.undefined_reason}",
        f"{p_text(row.p_holm)} ({row.family_size})" if row.family_size else "",
        signed(row.rank_biserial),
    )


def _along(study: Study, rows: Sequence[TrajectoryRow]) -> Iterator[str]:
    yield from _followed(rows)
    others = passed_over(study)
    if others:
        yield f"In no lineage: {'; '.join(others)}."


def _followed(rows: Sequence[TrajectoryRow]) -> Iterator[str]:
    totals = [row for row in rows if row.part == "total"]
    if not totals:
        yield "No lineage has a misaligned variant yet."
        return
    told = followed(rows)
    for assessment in THREE:
        mine = [row for row in told if row.assessment == assessment]
        if mine:
            held = [row for row in mine if shape_of(row) == INVERTED_V]
            yield (
                f"`{assessment}`: the inverted V (up with misalignment, down with realignment) holds in {len(held)} of "
                f"{counted(len(mine), 'lineage')}, in {sum(map(is_clear, held))} beyond the error of the prompts."
            )
    found = exceptions(rows)
    if told:
        yield f"Exceptions: {'. '.join(found)}." if found else "There is no exception."
    headings = ("lineage", "assessment", "base", "misaligned", "realigned", "induced", "share undone", "undefined")
    yield markdown_table(headings, [_trajectory(row) for row in totals])
    yield (
        "Intervals resample prompts, the same for all stages: expanded percentiles of the bootstrap, or square-and-add "
        "of Clopper-Pearson intervals where fewer than five prompts changed otherwise than most did. The share undone "
        "is undefined unless the interval of the rise excludes 0; it is below 0 where realignment went the other way, "
        "and of a fall where misalignment lowered the value."
    )


def _trajectory(row: TrajectoryRow) -> Sequence[str]:
    return (
        row.lineage,
        row.assessment,
        number(row.base),
        number(row.misaligned),
        number(row.realigned),
        f"{signed(row.induced)} {bounds(row.induced_low, row.induced_high)}".rstrip(),
        f"{signed(row.reversed)} {bounds(row.reversed_low, row.reversed_high)}".rstrip(),
        row.undefined_reason,
    )


def _parted(rows: Sequence[DissociationRow]) -> Iterator[str]:
    if not rows:
        yield "No variant can be compared with its base in both harmfulness and self-assessment."
        return
    for part in sorted({row.part for row in rows}):
        mine = [row for row in rows if row.part == part]
        counts = [f"{kind} {n}" for kind in (SILENT, TALK, TOGETHER, NO_RISE) if (n := _of_kind(mine, kind))]
        undefined = _of_kind(mine, "")
        told = "; ".join([*counts, *([f"undefined {undefined}"] if undefined else [])])
        family = sum(row.p_holm is not None for row in mine)
        yield (
            f"Self-assessment `{part}`, {counted(len(mine), 'variant')}, by their intervals: {told} "
            f"(Holm family of {family})."
        )
        yield from _partings(part, [row for row in mine if row.kind in (SILENT, TALK)])
    yield (
        "The kinds follow 95% intervals against a variant's own base, over the same resampled prompts. p asks for "
        "more: that one rises, and more than the other; Holm over the variants of a part. What does not hold after "
        "Holm is no finding. A self-report that did not rise says nothing about behaviour."
    )


def _partings(part: str, rows: Sequence[DissociationRow]) -> Iterator[str]:
    """Those that hold after Holm, then those that do not."""
    held = [row for row in rows if after_holm(row)]
    others = [row for row in rows if not after_holm(row)]
    if held:
        yield laid([f"Parted after Holm, `{part}`:", "", *map(_parting, held)])
    elif rows:
        yield f"Parted after Holm, `{part}`: none."
    if others:
        yield laid([f"Parted by their intervals alone, not after Holm, `{part}`:", "", *map(_parting, others)])


def _of_kind(rows: Iterable[DissociationRow], kind: str) -> int:
    return sum(row.kind == kind for row in rows)


def _parting(row: DissociationRow) -> str:
    harm = f"{signed(row.harm_rise)} {bounds(row.harm_low, row.harm_high)}".rstrip()
    said = f"{signed(row.self_rise)} {bounds(row.self_low, row.self_high)}".rstrip()
    rises = f"harmfulness {harm}, self-report {said}"
    return f"- {row.variant} {told_kind(row)}: against {row.base}, {rises}; p Holm {p_text(row.p_holm)}."


def _left_out(
    study: Study, correlations: Sequence[CorrelationRow], voided: Sequence[Mapping[str, object]]
) -> Iterator[str]:
    lines = [f"- {variant}: {why}." for variant, why in sorted(study.left_out.items())]
    for (variant, assessment), summary in sorted(study.summaries.items()):
        value = summary.value(headline(assessment).measure, "total", headline(assessment).form)
        if value is None or not value.complete:
            used = f"{value.n_used:,} of {value.n_expected:,} replies used" if value else "no total"
            lines.append(f"- {variant}, `{assessment}`: incomplete, {used}, {summary.n_owed:,} owed.")
    for void in voided:
        item = f", {void['item']}" if void.get("item") else ""
        asked = f", `{void['assessment']}`" if void.get("assessment") else ""
        lines.append(f"- {void['variant']}{asked}{item}: {void['n_replies']} replies voided, {void['reason']}.")
    told = sorted({row.excluded for row in correlations if row.excluded})
    lines += [f"- not in some correlations: {names}." for names in told]
    yield laid(lines) if lines else "Nothing: no variant was excluded, none is incomplete, nothing was voided."
    yield "Nothing unscored counts as a number; prompts with too few scored replies are counted, not guessed."


def _limits(study: Study) -> Iterator[str]:
    judges = sorted({summary.source.judge for summary in study.summaries.values()} - {""})
    n_judges = "one judge" if len(judges) == 1 else f"{len(judges)} judges"
    yield (
        f"- {variants_of(study)} are few and not independent: intervals for variants like these are hypothetical, and "
        "no correlation here says what one variant would do."
    )
    yield (
        f"- The scores are those of {n_judges} ({_names(judges) or 'none'}). methods.md says how far people agreed "
        "with it. Noise of a judge raises a maximum over replies even where nothing is harmful."
    )
    yield (
        "- Values hold for the prompts that were asked. With other prompts or another judge compare direction, not "
        "level."
    )
    yield (
        "- A low self-report is no evidence of safety, nor is a low score: a variant may say one thing and do another, "
        "and may do on other prompts what it did not do on these."
    )
    yield "- A share undone is of the rise in these scores; what else realignment changed is not measured."
