"""Files that a person or a stranger wrote, as functions to be fuzzed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path

from outside import file_of, folder, library, text_of

from emaudit import importing, prompts, variantfiles
from emaudit.assessments import ASSESSMENTS
from emaudit.config import Endpoint, load_settings
from emaudit.errors import BadInput, EmauditError, UsageError
from emaudit.folder import listed_files
from emaudit.prompts import Instrument
from emaudit.verifying import verify_export


def imported(data: bytes) -> None:
    """Replies made elsewhere: refused naming the file, or whole."""
    suffix = (".jsonl", ".csv", ".txt")[data[0] % 3] if data else ".csv"
    try:
        found = importing.read_set(file_of(data[1:], suffix))
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
    path = file_of(data[1:], suffix)
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
        template = prompts.read_template(file_of(b'name = "x"\ntext = "{scenario} {first} {second}"', ".toml"))
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
        found = load_settings(file_of(data, ".toml"))
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
        found = variantfiles.read_variants(file_of(data[1:], suffix), {"held": ""}, lambda facts: None, lambda: "sim")
    except BadInput:
        return
    names = [facts["name"] for facts in found]
    assert len(set(names)) == len(names)
    for facts in found:
        assert facts["name"].isprintable() and facts["model"]
        "".join(facts.values()).encode()


def manifest(data: bytes) -> None:
    """The manifest of a folder from elsewhere: plain names or none, and a report or a refusal."""
    place = folder() / "export"
    place.mkdir(exist_ok=True)
    (place / "manifest.json").write_bytes(data)
    for name in listed_files(place / "manifest.json"):
        assert (place / name).resolve().parent == place.resolve()
        assert name.isprintable()
    with contextlib.suppress(UsageError):
        assert verify_export(None, place).problems
