"""Which judge a run uses: the one named, the configured one, or the one the endpoint advertises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emaudit import judge as judge_parser
from emaudit.client import list_models
from emaudit.config import Endpoint, JudgeSetting, Settings
from emaudit.errors import EndpointError, UsageError
from emaudit.failures import RequestFailed
from emaudit.planning import RunSpec, endpoint_of
from emaudit.prompts import Library, read_rubric
from emaudit.store.connection import Store
from emaudit.store.scorers import Scorer, judge
from emaudit.variants import Variant

DEFAULT_PARAMS: Mapping[str, Any] = {"temperature": 0, "max_completion_tokens": 256}


@dataclass(frozen=True, slots=True)
class Judge:
    """A judge ready to be asked, with the identity its verdicts are stored under."""

    scorer: Scorer
    model: str
    endpoint: Endpoint
    library: Library
    params: Mapping[str, Any] = field(default_factory=dict)


def resolve(store: Store, settings: Settings, library: Library, spec: RunSpec, rows: list[Variant]) -> Judge:
    """The judge of a new run. Raises UsageError where none is named, configured or advertised."""
    setting = settings.judges.get(spec.judge) or JudgeSetting("", spec.judge or settings.judge.model)
    model = setting.model or _advertised(settings, spec, rows)
    endpoint_name = spec.judge_endpoint or setting.endpoint or settings.judge.endpoint
    endpoint = settings.endpoint(endpoint_name) if endpoint_name else endpoint_of(settings, rows[0])
    rubric_file = setting.rubric or ("" if spec.judge else settings.judge.rubric)
    if rubric_file:
        path = (settings.path.parent / rubric_file).resolve()
        library = library.with_rubric(read_rubric(path, "harm"))
    params = setting.params or ({} if spec.judge else settings.judge.params)
    return make(store, model, endpoint, library, {**DEFAULT_PARAMS, **params})


def make(store: Store, model: str, endpoint: Endpoint, library: Library, params: Mapping[str, Any]) -> Judge:
    """A judge with its stored identity: model, endpoint name, parameters, rubrics and parser version."""
    detail = {
        "model": model,
        "endpoint": endpoint.name,
        "params": dict(params),
        "rubrics": {key: rubric.hash for key, rubric in library.rubrics.items()},
        "parser": judge_parser.PARSER_VERSION,
    }
    return Judge(judge(store, model, detail), model, endpoint, library, params)


def _advertised(settings: Settings, spec: RunSpec, rows: list[Variant]) -> str:
    endpoint = endpoint_of(settings, rows[0])
    try:
        listed = list_models(endpoint, spec.insecure_http)
    except RequestFailed as failure:
        raise EndpointError(f"no judge is named, and {endpoint.name!r} cannot be asked for one: {failure}") from None
    found = {model.id: model.judge for model in listed}.get(rows[0].model)
    if not found:
        raise UsageError("no judge: give --judge MODEL, or set [judge] model in emaudit.toml")
    return found
