"""One reply and what stands beside it, in words. Pure: views in, content out; model text is only ever `visible`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from textual.content import Content

from emaudit.inspection.views import (
    Answered,
    Block,
    Companion,
    JudgeView,
    Measured,
    ReplyView,
    Sample,
    SelfReports,
    Verdict,
)
from emaudit.screens.inspect_text import score_text, tells_verdict
from emaudit.screens.variant_text import field_line, joined
from emaudit.text import DISPLAY_LIMIT, one_line, visible
from emaudit.watch.snapshot import title
from emaudit.widgets import figures

SHOWN_PROMPTS: Final = 6
"""Prompts of a block of self-reports that a pane shows; the whole text has all."""
_NAME: Final = 14
"""Columns of a part's name before its numbers."""
_COLUMN: Final = 10
"""Columns of each of these numbers but that over all formats, which stands on more replies."""
_WIDER: Final = 12
_FORMATS: Final = ("decision", "numerical", "likert", "language", "all")


def heading(text: str) -> Content:
    """A heading inside a pane."""
    return Content.styled(text, "bold $quiet")


def cut(text: str, limit: int | None) -> Content:
    """Outside text, the first `limit` characters of it, saying how much more there is and the key that shows it."""
    if not text:
        return Content.styled("(nothing)", "$quiet")
    if limit is None or len(text) <= limit:
        return Content(visible(text))
    more = f"\n… {len(text) - limit:,} more characters: m shows all"
    return Content.assemble(visible(text[:limit]), (more, "$warning"))


def reply_title(view: ReplyView) -> str:
    """What the pane of a reply is called: the variant, and whose verdict stands there."""
    parts = [one_line(view.variant.name, 40)]
    if view.standing.scorer:
        parts.append(f"read by {one_line(view.standing.scorer, 40)}")
    return " · ".join(parts)


def reply(view: ReplyView, limit: int | None = DISPLAY_LIMIT) -> Content:
    """A reply: what was made of it, the samples beside it, prompt, response, verdicts, the rest."""
    held = view.full.listed
    lines = [_first_line(view), *samples(view.samples, held.reply_id)]
    lines += [Content.styled(f"⚑ {one_line(flag, 200)}", "$warning") for flag in view.flags]
    lines += [
        _mark(mark.kind, mark.reviewer, mark.value, mark.answer, mark.reason, mark.is_blind) for mark in view.marks
    ]
    lines += [Content(""), heading("prompt"), cut(view.full.prompt, limit)]
    lines += [Content(""), _response_heading(view), cut(view.full.text, limit)]
    if view.full.refusal:
        lines += [Content(""), heading("refusal"), cut(view.full.refusal, limit)]
    for verdict in view.verdicts:
        if verdict.status != "referred":
            lines += [Content(""), *verdict_lines(verdict, limit)]
    lines += [Content(""), *_details(view, limit)]
    return joined(lines)


def _first_line(view: ReplyView) -> Content:
    held = view.full.listed
    about = " ".join([held.item, *(part for part in (held.part, held.format) if part and part not in held.item)])
    parts: list[str | tuple[str, str]] = [(score_text(view.standing), _style(view.standing.status)), "  "]
    if view.standing.reason:
        parts += [(f"{one_line(view.standing.reason, 60)}  ", "$quiet")]
    if view.standing.is_disputed:
        parts += [("≠ judges disagree  ", "$warning")]
    parts += [one_line(about, 80), (f"  {one_line(held.condition, 80)}" if held.condition else "", "$quiet")]
    return Content.assemble(*parts)


def _style(status: str) -> str:
    return "bold" if status in {"scored", "neutral"} else "bold $warning"


def samples(found: Sequence[Sample], shown: int = 0) -> Iterator[Content]:
    """The scores of all samples in their order, the one shown and those that set the maximum marked."""
    if len(found) < 2:
        return
    parts: list[str | tuple[str, str]] = [("samples ", "$quiet")]
    for sample in found:
        text = f"{'▲' if sample.is_maximum else ''}{score_text(sample.standing)}"
        style = "bold $primary" if sample.is_maximum else ""
        parts += [(f"[{text}]", "bold reverse") if sample.reply_id == shown else (f" {text} ", style)]
    top = [sample.sample for sample in found if sample.is_maximum]
    values = [sample.standing.value for sample in found if sample.is_maximum]
    at = next((sample.sample for sample in found if sample.reply_id == shown), None)
    if at is not None:
        parts.append((f"  n {at}", "$quiet"))
    if top:
        which = ", ".join(map(str, top[:4])) + (", …" if len(top) > 4 else "")
        parts.append((f"  ▲ maximum {values[0]:g} at n {which}", "$quiet"))
    yield Content.assemble(*parts)


def _mark(kind: str, reviewer: str, value: float | None, answer: str, reason: str, is_blind: bool) -> Content:
    who = one_line(reviewer, 40)
    said = " ".join(part for part in (one_line(answer, 400), one_line(reason, 200)) if part)
    words = {
        "score": f"✓ {who} scored {value:g}" if value is not None else f"✓ {who} scored {said}",
        "cannot_tell": f"✓ {who} cannot tell {said}",
        "note": f"✎ {who}: {said}",
        "flag": f"⚑ flagged by {who} {said}",
        "star": f"★ starred by {who}",
        "adjudicate": f"✓ settled {value:g}" if value is not None else f"✓ settled {said}",
    }
    text = words.get(kind, f"{kind} {said}")
    late = "  not blind" if kind == "score" and not is_blind else ""
    return Content.assemble((text, "$secondary"), (late, "$quiet"))


def _response_heading(view: ReplyView) -> Content:
    full, held = view.full, view.full.listed
    parts: list[str | tuple[str, str]] = [("response", "bold $quiet")]
    if held.outcome != "ok":
        parts.append((f"  {one_line(held.outcome, 30)}", "bold $warning"))
    if full.finish_reason and full.finish_reason != "stop":
        parts.append((f"  finish reason {one_line(full.finish_reason, 40)}", "$quiet"))
    parts.append((f"  {figures.plural(len(full.text), 'character')}", "$quiet"))
    return Content.assemble(*parts)


def verdict_lines(verdict: Verdict, limit: int | None) -> list[Content]:
    """One scorer's verdict: who, what, why, and its reply as it came."""
    value = f"{verdict.value:g} " if verdict.value is not None else ""
    part = f" on {one_line(verdict.part, 40)}" if verdict.part else ""
    tries = f"  after {verdict.n_attempts} tries" if verdict.n_attempts > 1 else ""
    head = Content.assemble(
        (f"{one_line(verdict.scorer, 60)}{part}", "bold $quiet"),
        "  ",
        (f"{value}{_word(verdict)}", _style(verdict.status)),
        (f"  {one_line(verdict.reason, 120)}{tries}", "$quiet"),
    )
    return [head, cut(verdict.raw, limit)] if verdict.raw else [head]


def _word(verdict: Verdict) -> str:
    words = {"retry": "unreadable, asked again"}
    return words.get(verdict.status, "" if verdict.status == "scored" else verdict.status)


def _details(view: ReplyView, limit: int | None) -> Iterator[Content]:
    full, held = view.full, view.full.listed
    yield heading("stored")
    tokens = [str(n) if n is not None else figures.UNKNOWN for n in (full.prompt_tokens, full.completion_tokens)]
    facts = (
        ("outcome", held.outcome),
        ("finish", full.finish_reason),
        ("model", " ".join(part for part in (full.model, full.fingerprint) if part)),
        ("tokens", f"{tokens[0]} in, {tokens[1]} out" if tokens != [figures.UNKNOWN] * 2 else ""),
        ("seed", "" if full.seed is None else str(full.seed)),
        ("received", full.received_at),
        ("endpoint", full.endpoint_url),
        ("run", full.run_uid),
        ("parser", ", ".join(f"{row.scorer}: left to a judge" for row in view.verdicts if row.status == "referred")),
        ("reply", f"{held.reply_id}, sample {held.sample}, replicate {held.replicate}"),
    )
    for name, text in facts:
        if text:
            yield field_line(name, text)
    if full.extra not in {"", "{}"}:
        yield heading("beside the text")
        yield cut(full.extra, limit)


def companion_title(beside: Companion) -> str:
    """What the pane beside the reply is called."""
    if beside.kind == "reports":
        return f"{one_line(beside.name, 40)} · about itself" if beside.reports else "about itself"
    if beside.kind == "variant":
        return f"beside it: {reply_title(beside.other)}" if beside.other else "another variant"
    return f"second judge: {one_line(beside.name, 50)}" if beside.judge else "second judge"


def companion(beside: Companion, limit: int | None = DISPLAY_LIMIT) -> Content:
    """What stands beside a reply."""
    if beside.reports is not None:
        return reports(beside.reports, SHOWN_PROMPTS if limit is not None else None)
    if beside.other is not None:
        return reply(beside.other, limit)
    if beside.judge is not None:
        return _judge(beside.judge, beside.reply_id, limit)
    return Content.styled(one_line(beside.why_not, 400), "$quiet")


def _judge(view: JudgeView, reply_id: int, limit: int | None) -> Content:
    lines = list(samples(view.samples, reply_id))
    for verdict in view.verdicts:
        lines += [Content(""), *verdict_lines(verdict, limit)]
    return joined(lines)


def reports(held: SelfReports, at_most: int | None) -> Content:
    """The numbers of the matching self-reports, then what was said, prompt by prompt."""
    lines = list(_numbers(held.numbers))
    if held.missing:
        names = ", ".join(title(key) for key in held.missing)
        lines.append(Content.styled(f"never asked: {names}", "$warning"))
    for block in held.blocks:
        lines += [Content(""), *_block(block, at_most)]
    return joined(lines)


def _numbers(found: Sequence[Measured]) -> Iterator[Content]:
    for assessment in dict.fromkeys(number.assessment for number in found):
        rows = [number for number in found if number.assessment == assessment]
        formats = [name for name in _FORMATS if any(row.format == name for row in rows)]
        head = "".join(f"{_short(name):>{_width(name)}}" for name in formats)
        yield Content.styled(title(assessment), "bold")
        if formats:
            yield Content.styled(f"{'':{_NAME}}{head}", "$quiet")
        for part in dict.fromkeys(row.part for row in rows):
            cells = {row.format: row for row in rows if row.part == part}
            if not formats:
                yield _lone(next(iter(cells.values())))
                continue
            yield Content.assemble(f" {_pole(part):<{_NAME - 1}}", *(_value(cells.get(name), name) for name in formats))
            behind = "".join(f"{_behind_cell(cells.get(name), name):>{_width(name)}}" for name in formats)
            yield Content.styled(f"{'':{_NAME}}{behind}", "$quiet")


def _short(name: str) -> str:
    return "together" if name == "all" else name


def _pole(part: str) -> str:
    return "all parts" if part == "total" else part


def _width(name: str) -> int:
    return _WIDER if name == "all" else _COLUMN


def _value(number: Measured | None, name: str) -> tuple[str, str]:
    return f"{figures.value(number.value, number.assessment) if number else '':>{_width(name)}}", "bold"


def _behind(number: Measured | None) -> str:
    return f"{figures.count(number.used)}/{figures.count(number.expected)}" if number else ""


def _behind_cell(number: Measured | None, name: str) -> str:
    """The same in a column: `all 3,000` or `2998/3000` where it is too narrow for 3,000/3,000 or 2,998/3,000."""
    text = _behind(number)
    if number is not None and number.used == number.expected:
        forms = [text, f"all {figures.count(number.used)}", f"all {number.used}"]
    else:
        forms = [text, text.replace(",", "")]
    return next((form for form in forms if len(form) < _width(name)), forms[-1])


def _lone(number: Measured) -> Content:
    value = figures.value(number.value, number.assessment)
    return Content.assemble(
        f" {_pole(number.part):<{_NAME - 1}}", (f"{value:>{_COLUMN}}", "bold"), (f"  of {_behind(number)}", "$quiet")
    )


def answered_ids(held: SelfReports, at_most: int | None = SHOWN_PROMPTS) -> Iterator[int]:
    """The replies behind self-reports that are listed with their readings, as `reports` lists them."""
    for block in held.blocks:
        for answered in block.answers[:at_most]:
            n_shown = 1 if block.assessment == "open_ended" else _n_answers(answered, at_most)
            for said, standing in zip(answered.said[:n_shown], answered.standings[:n_shown], strict=True):
                if tells_verdict(standing):
                    yield said.reply_id


def _n_answers(answered: Answered, at_most: int | None) -> int:
    """Different answers to one prompt that are listed."""
    return 4 if at_most is not None else len(answered.said)


def _block(block: Block, at_most: int | None) -> Iterator[Content]:
    where = " · ".join(part for part in (title(block.assessment), block.part, block.format) if part)
    yield heading(where)
    shown = block.answers if at_most is None else block.answers[:at_most]
    for answered in shown:
        yield from _open(answered) if block.assessment == "open_ended" else _answers(answered, at_most)
    left = len(block.answers) - len(shown)
    if left:
        yield Content.styled(f"… {figures.plural(left, 'more prompt')}: m shows all", "$warning")


def _answers(answered: Answered, at_most: int | None) -> Iterator[Content]:
    first = answered.said[0]
    width = 160 if at_most is not None else 1_000
    condition = f"  {one_line(first.condition, 60)}" if first.condition else ""
    yield Content.assemble((f"{one_line(_question(first.prompt), width)}{condition}", "$quiet"))
    n_shown = _n_answers(answered, at_most)
    for said, standing in zip(answered.said[:n_shown], answered.standings[:n_shown], strict=True):
        times = f"×{said.n}" if said.n > 1 else ""
        yield Content.assemble(
            f"  {score_text(standing):>8} ", (f"{times:<4} ", "$quiet"), one_line(said.text, width) or "(nothing)"
        )
    if len(answered.said) > n_shown:
        yield Content.styled(f"           … {len(answered.said) - n_shown} more answers", "$quiet")


def _open(answered: Answered) -> Iterator[Content]:
    first = answered.said[0]
    n = f"  1 of {answered.n}" if answered.n > 1 else ""
    yield Content.assemble((f"{one_line(first.prompt, 300)}{n}", "$quiet"))
    yield Content.assemble(
        f"  {score_text(answered.standings[0]):>8}      ", one_line(first.text, 1_500) or "(nothing)"
    )


def _question(prompt: str) -> str:
    """What a prompt asks, without the paragraphs around it that introduce it and say how to answer."""
    paragraphs = prompt.split("\n\n")
    return " ".join(paragraphs[1:-1] if len(paragraphs) > 2 else paragraphs[:1])
