"""What goes over the wire for a stretch of samples or for a verdict, and the rows that come of an answer. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from emaudit import judge as judge_parser
from emaudit.assessments.base import Answer, Assessment, Outcome, Prompt, Reading, Status
from emaudit.completions import Choice, Completion
from emaudit.judges import Judge
from emaudit.store.jsontext import dumps
from emaudit.store.plans import Stretch
from emaudit.store.replies import Owed, ReplyRow, VerdictRow
from emaudit.store.texts import now

JUDGE_ATTEMPTS: Final = 3
_SEED_SPACE: Final = 2**31 - 4096
SIMULATED_FINGERPRINT: Final = "emaudit-sim"
_IDENTICAL_LENGTH: Final = 200


def _hash31(*parts: object) -> int:
    digest = hashlib.sha256("\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") % _SEED_SPACE


def base_seed(model: str, instrument: str, prompt: Prompt, replicate: int, round: int = 0) -> int:
    """The 31-bit seed of a cell; sample s is asked with this plus s, so a repeated request re-rolls nothing.

    A `round` above 0 (the slot was voided that often) gives another seed: the voided reply would come back.
    """
    again = (round,) if round else ()
    return _hash31(model, instrument, prompt.item, prompt.format, prompt.condition, replicate, *again)


def ask_body(model: str, instrument: str, stretch: Stretch) -> dict[str, Any]:
    """The request for a stretch: all its samples with one `n`, seeded by its first."""
    params = json.loads(stretch.params)
    system = [{"role": "system", "content": params["system"]}] if params["system"] else []
    body = {
        "model": model,
        "messages": [*system, {"role": "user", "content": stretch.prompt.text}],
        **params["body"],
        "seed": base_seed(model, instrument, stretch.prompt, stretch.replicate, stretch.round) + stretch.first,
    }
    return body | {"n": stretch.n} if stretch.n > 1 else body


def reply_row(
    stretch: Stretch,
    index: int,
    choice: Choice,
    completion: Completion,
    seed: int,
    attempt: int,
    url: str,
    dropped: Sequence[str],
) -> ReplyRow:
    """The row of choice `index` of a stretch's answer; token counts stand on the first choice."""
    extra = {**choice.extra, **({"dropped": list(dropped)} if dropped else {})}
    counted = index == next((i for i, found in enumerate(completion.choices) if found), 0)
    return ReplyRow(
        cell_id=stretch.cell_id,
        sample=stretch.first + index,
        round=stretch.round,
        outcome=str(choice.outcome),
        text=choice.text,
        finish_reason=choice.finish_reason,
        refusal=choice.refusal,
        extra=dumps(extra) if extra else "{}",
        model=completion.model,
        fingerprint=completion.fingerprint,
        prompt_tokens=completion.prompt_tokens if counted else None,
        completion_tokens=completion.completion_tokens if counted else None,
        seed=seed + index,
        attempt=attempt,
        endpoint_url=url,
        received_at=now(),
    )


def error_row(stretch: Stretch, index: int, message: str, url: str) -> ReplyRow:
    """The row of a slot whose prompt the endpoint refuses for good (HTTP 400): closed, and never scored."""
    return ReplyRow(
        cell_id=stretch.cell_id,
        sample=stretch.first + index,
        round=stretch.round,
        outcome=str(Outcome.ERROR),
        text="",
        extra=dumps({"error": message}),
        endpoint_url=url,
        received_at=now(),
    )


def answer_of(row: ReplyRow) -> Answer:
    """What scoring looks at in a row."""
    return Answer(row.text, Outcome(row.outcome), row.refusal)


def is_collapsed(completion: Completion) -> bool:
    """Whether all of several choices are the same long text: a cache, or one seed for all."""
    texts = {choice.text for choice in completion.choices if choice}
    return len(completion.choices) > 1 and len(texts) == 1 and len(next(iter(texts))) > _IDENTICAL_LENGTH


def judge_body(judge: Judge, assessment: Assessment, owed: Owed, attempt: int) -> dict[str, Any]:
    """The request for one verdict; its seed comes from the reply's key and the attempt."""
    task = assessment.judge_task(owed.prompt, owed.answer)
    rubric = judge.library.rubrics[task.rubric]
    return {
        "model": judge.model,
        "messages": judge_parser.build_messages(rubric, task.fields, attempt),
        **judge.params,
        "response_format": judge_parser.response_format(rubric),
        "seed": _hash31(owed.key, attempt),
    }


def verdict_rows(
    judge: Judge, assessment: Assessment, owed: Owed, attempt: int, completion: Completion
) -> list[VerdictRow]:
    """The rows of a judge's answer: its readings, or RETRY, or UNSCORED after the last attempt."""
    choice = completion.choices[0]
    text = choice.text if choice else ""
    readings = read_judgement(judge, assessment, owed, choice, attempt)
    raw = text or (choice.refusal if choice else "")
    return [
        VerdictRow(
            judge.scorer.scorer_id,
            reading,
            attempt,
            raw,
            completion.model,
            completion.fingerprint,
            completion.prompt_tokens if index == 0 else None,
            completion.completion_tokens if index == 0 else None,
        )
        for index, reading in enumerate(readings)
    ]


def read_judgement(
    judge: Judge, assessment: Assessment, owed: Owed, choice: Choice | None, attempt: int
) -> tuple[Reading, ...]:
    """Read a judge's choice strictly; what cannot be read is asked again, at most twice, then left unscored."""
    task = assessment.judge_task(owed.prompt, owed.answer)
    judgement: Mapping[str, Any] | None = None
    if choice is not None and choice.outcome in (Outcome.OK, Outcome.TRUNCATED):
        judgement = judge_parser.parse_judgement(judge.library.rubrics[task.rubric], choice.text)
    if judgement is not None:
        return assessment.read_judgement(owed.prompt, judgement)
    reason = f"judge {choice.outcome if choice and choice.outcome is not Outcome.OK else 'unreadable'}"
    return (Reading(Status.UNSCORED if attempt >= JUDGE_ATTEMPTS else Status.RETRY, None, reason),)
