"""What reads bytes from outside, as functions to be fuzzed.

A target takes any bytes and says nothing where the product keeps its promise. It raises AssertionError where what was
read is not what its readers rely on, and whatever the product raises beyond the errors that it names.
"""

from __future__ import annotations

import contextlib
import csv
import fcntl
import io
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from emaudit import folder, importing, prompts, variantfiles
from emaudit.__main__ import main
from emaudit.archive import StoreArchive
from emaudit.assessments import ASSESSMENTS
from emaudit.assessments.base import Answer, Assessment, Outcome, Prompt, Reading, Status
from emaudit.choices import parse_moment
from emaudit.completions import TEXT_LIMIT, parse_completion, parse_models
from emaudit.config import Endpoint, load_settings
from emaudit.errors import BadInput, EmauditError, UsageError
from emaudit.failures import RequestFailed, error_of, retry_after
from emaudit.filters import PLACES, Filters
from emaudit.flags import flags_of
from emaudit.judge import build_messages, fence_nonce, parse_judgement
from emaudit.kept import Shelf, unpacked
from emaudit.keys import scrubbed
from emaudit.latex import paragraph, verbatim
from emaudit.prompts import INSTRUMENT_KEYS, Instrument, Library, Rubric, load_library
from emaudit.reviewing.handoff import read_handoff
from emaudit.scores.measures import Rules
from emaudit.scores.rows import Source
from emaudit.store import Store, runs
from emaudit.store.inspecting import Listing
from emaudit.store.jsontext import dumps
from emaudit.text import one_line, shown, storable, visible
from emaudit.variants import guess
from emaudit.verifying import verify_export

LEFT: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Characters that no terminal may be sent."""
LATEX_SPECIAL: Final = re.compile(r"(?<!\\)[$#%&_^]|~(?!\w*\Z)")
WEEK_S: Final = 7 * 86_400


def text_of(data: bytes) -> str:
    """Any bytes as a text, lone surrogates and all."""
    return data.decode("utf-8", "surrogateescape")


@cache
def library() -> Library:
    """The shipped prompts."""
    return load_library()


@cache
def asked() -> tuple[tuple[Assessment, Prompt], ...]:
    """A prompt of every assessment in every format and, for the language format, every mapping."""
    found: dict[tuple[str, str, bool], tuple[Assessment, Prompt]] = {}
    for assessment in ASSESSMENTS:
        for planned in assessment.plan(library(), "smoke"):
            prompt = planned.prompt
            found.setdefault((assessment.key, prompt.format, "first" in prompt.condition), (assessment, prompt))
    return tuple(found.values())


def completion(data: bytes) -> None:
    """A body under HTTP 200: refused as malformed, or of choices that can be kept and sent on."""
    n = data[0] % 12 + 1 if data else 1
    try:
        found = parse_completion(data[1:], n)
    except RequestFailed as failed:
        assert not LEFT.search(str(failed))
        return
    assert 1 <= len(found.choices) <= n
    assert any(found.choices)
    for text in (found.model, found.fingerprint):
        text.encode()
    for choice in found.choices:
        if choice is not None:
            assert len(choice.text) <= TEXT_LIMIT
            "".join((choice.text, choice.finish_reason, choice.refusal, dumps(choice.extra))).encode()
    assert all(count is None or 0 <= count < 2**62 for count in (found.prompt_tokens, found.completion_tokens))


def models(data: bytes) -> None:
    """A list of models."""
    try:
        found = parse_models(data)
    except RequestFailed:
        return
    for model in found:
        "".join((model.id, model.owned_by, model.shutdown_date, model.judge)).encode()
        suggested = guess(model.id)
        assert 1 <= len(suggested.name) <= 80


def error_body(data: bytes) -> None:
    """The body of an error."""
    code, parameter, message = error_of(data)
    assert parameter in {
        "",
        "max_completion_tokens",
        "max_tokens",
        "response_format",
        "temperature",
        "top_p",
        "seed",
        "n",
    }
    assert not LEFT.search(one_line(message, 300) + one_line(code, 300))


def headers(data: bytes) -> None:
    """What the headers of a refusal say of waiting."""
    names = (
        "retry-after",
        "retry-after-ms",
        "x-ratelimit-reset-requests",
        "x-ratelimit-reset-tokens",
        "x-ratelimit-reset",
    )
    lines = text_of(data).split("\n")
    wait = retry_after(dict(zip(names, lines, strict=False)))
    assert wait is None or 0 <= wait < WEEK_S


def verdict(data: bytes) -> None:
    """A judge's reply: none of its words is a score but those of exactly one verdict."""
    text = text_of(data)
    for rubric in library().rubrics.values():
        found = parse_judgement(rubric, text)
        if found is not None:
            _check_verdict(rubric, found, text)


def _check_verdict(rubric: Rubric, found: Mapping[str, Any], text: str) -> None:
    for name, values in prompts.VERDICTS[rubric.key].items():
        assert found[name] in values and type(found[name]) in {type(value) for value in values}
    said = re.sub(r"\A\s*<think>.*?</think>", "", text, count=1, flags=re.DOTALL)
    if rubric.key == "harm" and "\\" not in said:
        assert set(re.findall(r"[0-9]+", said)) <= {str(found["score"]), "5"}, said
        assert re.sub(r"[\s\"{}:`/.0-9]|score|json", "", said, flags=re.IGNORECASE) == "", said
    for assessment, prompt in asked():
        with contextlib.suppress(NotImplementedError, KeyError):
            for reading in assessment.read_judgement(prompt, found):
                _check_reading(assessment, reading)


def _check_reading(assessment: Assessment, reading: Reading) -> None:
    if reading.status in (Status.SCORED, Status.NEUTRAL):
        assert reading.value is not None
        low, high = (1, 5) if assessment.key in ("harmfulness", "moral_foundations") else (0, 1)
        assert low <= reading.value <= high
    else:
        assert reading.status in (Status.UNSCORED, Status.REFERRED)
        assert reading.value is None


def reply(data: bytes) -> None:
    """A model's reply: every assessment reads it, and hands what it cannot read to its judge inside one fence."""
    outcome = list(Outcome)[data[0] % len(Outcome)] if data else Outcome.EMPTY
    text = storable(text_of(data[1:]))
    said, _, refusal = text.partition("\x1e")
    for assessment, prompt in asked():
        reading = assessment.read(prompt, Answer(said, outcome, refusal))
        _check_reading(assessment, reading)
        if reading.status is Status.REFERRED:
            task = assessment.judge_task(prompt, Answer(said, outcome, refusal))
            _check_fence(library().rubrics[task.rubric], task.fields)


def _check_fence(rubric: Rubric, fields: Mapping[str, str]) -> None:
    system, user = (message["content"] for message in build_messages(rubric, fields, 1))
    assert system == rubric.system.strip()
    nonce = fence_nonce(fields, 1)
    lines = user.splitlines()
    begin, end = lines.index(f"<<<DATA {nonce}>>>"), lines.index(f"<<<END {nonce}>>>")
    assert end == begin + 2, "the data are one line"
    assert user.count("<<<") == user.count(">>>") == 2, "nothing in the data looks like a fence"
    assert set(json.loads(lines[begin + 1])) == set(fields)
    assert "\n".join(lines[end + 1 :]) == "\n".join(rubric.reminder.strip().splitlines())


def flagged(data: bytes) -> None:
    """The flags of a reply: at most one of a kind, each quoting what stands there."""
    text = text_of(data)
    prompt, _, said = text.partition("\x1e")
    found = flags_of(prompt, said, library().rubrics["harm"])
    assert len({flag.kind for flag in found}) == len(found)
    assert all(0 <= flag.at < len(said) and flag.n >= 1 and flag.excerpt for flag in found)


def _file(data: bytes, suffix: str) -> Path:
    path = _folder() / f"given{suffix}"
    path.write_bytes(data)
    return path


@cache
def _folder() -> Path:
    held = tempfile.TemporaryDirectory(prefix="emaudit-fuzz-")
    _HELD.append(held)
    return Path(held.name)


_HELD: Final[list[tempfile.TemporaryDirectory[str]]] = []
"""Folders that go with the process."""


def imported(data: bytes) -> None:
    """Replies made elsewhere: refused naming the file, or whole."""
    suffix = (".jsonl", ".csv", ".txt")[data[0] % 3] if data else ".csv"
    try:
        found = importing.read_set(_file(data[1:], suffix))
    except BadInput as error:
        assert "given" in str(error)
        return
    assert sum(item.n_samples for item in found.items) == len(found.replies)
    for said in found.replies:
        assert (said.value in (1.0, 2.0, 3.0, 4.0, 5.0)) == (said.status == "scored")
        "".join((said.item, said.response, said.finish_reason, said.verdict_raw)).encode()


def prompt_file(data: bytes) -> None:
    """A file of prompts or of a rubric: refused, or one that can be asked to the last prompt."""
    kind = data[0] % 8 if data else 0
    suffix = (".csv", ".csv", ".csv", ".toml", ".toml", ".csv", ".toml", ".jsonl")[kind]
    path = _file(data[1:], suffix)
    try:
        found = _read_prompts(kind, path)
    except EmauditError:
        return
    if isinstance(found, Instrument):
        with contextlib.suppress(UsageError):
            for assessment in ASSESSMENTS:
                if assessment.key == found.assessment:
                    for planned in assessment.plan(library().with_instrument(found), "paper"):
                        assert isinstance(planned.prompt.text, str)
        assert isinstance(found.name, str) and isinstance(found.label, str) and found.hash


def _read_prompts(kind: int, path: Path) -> object:
    if kind == 1:
        template = prompts.read_template(_file(b'name = "x"\ntext = "{scenario} {first} {second}"', ".toml"))
        return prompts.read_intentions(path, template["text"], template["name"])
    readers: Mapping[int, Callable[[Path], object]] = {
        0: prompts.read_harmfulness,
        2: lambda path: prompts.read_statements(path, "{statement}", "x", "x"),
        3: lambda path: prompts.read_self_report(path, "self_assessment"),
        4: lambda path: prompts.read_rubric(path, "harm"),
        5: prompts.read_open_ended,
        6: prompts.read_template,
        7: prompts.read_harmfulness,
    }
    return readers[kind](path)


def settings(data: bytes) -> None:
    """The settings: refused naming file and field, or of endpoints that are sound or say why not."""
    try:
        found = load_settings(_file(data, ".toml"))
    except EmauditError:
        return
    for endpoint in found.endpoints.values():
        _check_endpoint(endpoint)
    with contextlib.suppress(UsageError):
        _check_endpoint(found.endpoint("", text_of(data)))


def _check_endpoint(endpoint: Endpoint) -> None:
    with contextlib.suppress(EmauditError):
        endpoint.check()
        endpoint.key()
        assert endpoint.base_url.startswith(("http", "HTTP"))


def variant_file(data: bytes) -> None:
    """Variants from a file: refused, or each with a name and a model that can be kept."""
    suffix = (".csv", ".toml")[data[0] % 2] if data else ".csv"
    try:
        found = variantfiles.read_variants(_file(data[1:], suffix), {"held": ""}, lambda facts: None, lambda: "sim")
    except BadInput:
        return
    names = [facts["name"] for facts in found]
    assert len(set(names)) == len(names)
    for facts in found:
        assert facts["name"].isprintable() and facts["model"]
        "".join(facts.values()).encode()


def as_of(data: bytes) -> None:
    """A moment: refused, or as the store writes moments."""
    try:
        found = parse_moment(text_of(data))
    except UsageError:
        return
    assert re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z", found), found


def shown_text(data: bytes) -> None:
    """Text on its way to a terminal: nothing of it left that acts, twice as good as once, no longer than asked for."""
    text = text_of(data)
    seen = visible(text)
    assert not LEFT.search(seen)
    assert visible(seen) == seen
    line = one_line(text)
    assert one_line(line) == line and "\n" not in line and "\t" not in line
    for limit in (1, 2, 20, 300):
        cut = one_line(text, limit)
        assert len(cut) <= limit and not LEFT.search(cut)
        assert line == cut or cut.endswith("…"), "what is left out is said"
    assert not LEFT.search(shown(text))
    storable(text).encode()
    assert "secret" not in scrubbed(text, ("secret",))


def cells(data: bytes) -> None:
    """A row of cells as CSV: read back to the last character, and none that a spreadsheet would run."""
    row = [*text_of(data).split("\x1f"), "end"]
    csv.field_size_limit(1 << 30)
    for excel_safe in (False, True):
        written = folder._line(row, excel_safe)
        (found,) = csv.reader(io.StringIO(written, newline=""), strict=True)
        assert (
            [folder.unguarded(cell) for cell in found] == [folder.unguarded(cell) for cell in row]
            if excel_safe
            else found == row
        )
        if excel_safe:
            assert not any(cell.startswith(folder.RUNNABLE) for cell in found if not folder._SCALE.fullmatch(cell))


def latex(data: bytes) -> None:
    """Text as LaTeX: no command, group or special character of its own."""
    text = text_of(data)
    for written in (paragraph(text), verbatim(text)):
        body = re.sub(r"\\emauditchar\{[0-9A-F]{4,6}\}\{.\}", "", written, flags=re.DOTALL)
        body = re.sub(r"\\(?:text[a-z]+|ldots|mbox)\{\}|\\[{}$&#%_]|\\\\\n|\{[\"']\}|-\{\}", "", body)
        assert not re.search(r"[\\{}$&#%^]", body), body


@cache
def store_path() -> Path:
    """A store with a few judged replies and a queue, made once."""
    path = _folder() / "s.db"
    rows = [
        {
            "id": f"p{n // 4}",
            "prompt": f"Prompt {n // 4}?",
            "response": f"alpha {n}",
            "score": f"{n % 5 + 1}",
            "judge": "j",
        }
        for n in range(16)
    ]
    given = _file("".join(json.dumps(row) + "\n" for row in rows).encode(), ".jsonl")
    _do("variant", "add", "v", "--model", "m", "--base-url", "http://127.0.0.1:9/v1")
    _do("import", str(given), "--variant", "v", "--assessment", "harmfulness")
    _do("review", "new", "--all", "--n", "8", "--seed", "4", "--name", "q", "--as", "ann", "--yes")
    _do("review", "handoff", str(_folder() / "out.csv"))
    return path


def _do(*argv: str) -> None:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()) as said:
        code = main(["--store", str(_folder() / "s.db"), *argv])
    assert code == 0, said.getvalue()


@contextlib.contextmanager
def _open(write: bool = False) -> Iterator[Store]:
    with Store.open(store_path(), write=write) as store:
        yield store


@cache
def _reader() -> Store:
    return Store.open(store_path())


def search(data: bytes) -> None:
    """Words from a search box: whatever they are, a list."""
    words = storable(text_of(data[1:]))
    listing = Listing(_reader(), Filters(words=words, place=PLACES[data[0] % len(PLACES)] if data else "all"))
    try:
        assert len(listing.first().reply_ids) <= 16
    finally:
        listing.close()


def labels(data: bytes) -> None:
    """A hand-off that came back: every row of it is taken, or none with the reason."""
    with _open(write=True) as store:
        try:
            taken = read_handoff(store, _file(data, ".csv"), "ben")
        except BadInput:
            return
    assert taken.queue == "q"


@cache
def handoff() -> bytes:
    """A hand-off of the store, as it was written."""
    store_path()
    return (_folder() / "out.csv").read_bytes()


def kept(data: bytes) -> None:
    """A file in the cache: passed over, or one that makes a summary."""
    with _open() as store:
        archive = StoreArchive(store, StoreArchive(store, "").preset or _preset(store))
        shelf = Shelf(store, archive.judge, Rules())
        for _, plan in archive.plans():
            path = shelf._path(plan)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            found = shelf.get(plan)
            if found is not None:
                unpacked(found, Source("", "", "", "", "", 0, plan.assessment, "", "", simulated=False))


def _preset(store: Store) -> str:
    return str(store.db.execute("SELECT preset FROM plans").fetchone()[0])


def lease(data: bytes) -> None:
    """The file of a lease that somebody holds: whoever it is, or unknown."""
    with _open() as store:
        (run, *_) = runs.runs(store)
        place = store.path.with_name(store.path.name + ".leases")
        place.mkdir(exist_ok=True)
        path = place / f"run-{run.uid}"
        path.write_bytes(data)
        descriptor = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            found = runs.holder(store, run)
            assert found is not None and isinstance(found.get("pid", ""), object)
        finally:
            os.close(descriptor)


def manifest(data: bytes) -> None:
    """The manifest of a folder from elsewhere: plain names or none, and a report or a refusal."""
    place = _folder() / "export"
    place.mkdir(exist_ok=True)
    (place / "manifest.json").write_bytes(data)
    for name in folder.listed_files(place / "manifest.json"):
        assert (place / name).resolve().parent == place.resolve()
        assert name.isprintable()
    with contextlib.suppress(UsageError):
        assert verify_export(None, place).problems


TARGETS: Final[Mapping[str, Callable[[bytes], None]]] = {
    target.__name__: target
    for target in (
        *(completion, models, error_body, headers, verdict, reply, flagged, imported, prompt_file, settings),
        *(variant_file, as_of, shown_text, cells, latex, search, labels, kept, lease, manifest),
    )
}
"""Every target by its name."""
assert INSTRUMENT_KEYS
