"""Which judge a run uses: the one named, configured or advertised by the endpoint, or a resumed run's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from emaudit import judge as judge_parser
from emaudit.client import list_models
from emaudit.config import Endpoint, JudgeSetting, Settings
from emaudit.errors import EndpointError, UsageError
from emaudit.failures import RequestFailed
from emaudit.paths import typed
from emaudit.planning import RunSpec, endpoint_of, pinned_library
from emaudit.prompts import Library, read_rubric
from emaudit.store.connection import Store
from emaudit.store.runs import Run
from emaudit.store.scorers import Scorer, judge, judge_identity
from emaudit.store.texts import get_text
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


@dataclass(frozen=True, slots=True)
class Choice:
    """A judge as it was named, before anything of it is stored."""

    model: str
    endpoint: Endpoint
    library: Library
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def detail(self) -> dict[str, Any]:
        """What tells it from another judge: model, endpoint name, parameters, rubrics and parser version."""
        return {
            "model": self.model,
            "endpoint": self.endpoint.name,
            "params": dict(self.params),
            "rubrics": {key: rubric.hash for key, rubric in self.library.rubrics.items()},
            "parser": judge_parser.PARSER_VERSION,
        }

    @property
    def identity(self) -> str:
        """`model@8hex`."""
        return judge_identity(self.model, self.detail)

    def stored(self, store: Store) -> Judge:
        """The judge with its scorer, which is stored if it is new."""
        return Judge(judge(store, self.model, self.detail), self.model, self.endpoint, self.library, self.params)


def choose(settings: Settings, library: Library, spec: RunSpec, rows: list[Variant], rubric: str = "") -> Choice:
    """The judge that a spec names, with a rubric of one's own (a file) where given.

    Raises UsageError where none is named, configured or advertised, BadInput for a rubric that cannot be used.
    """
    setting = settings.judges.get(spec.judge) or JudgeSetting("", spec.judge or settings.judge.model)
    model = setting.model or _advertised(settings, spec, rows)
    endpoint_name = spec.judge_endpoint or setting.endpoint or settings.judge.endpoint
    endpoint = settings.endpoint(endpoint_name) if endpoint_name else _own_endpoint(settings, rows)
    configured = setting.rubric or ("" if spec.judge else settings.judge.rubric)
    if rubric or configured:
        path = typed(rubric) if rubric else (settings.path.parent / configured).resolve()
        library = library.with_rubric(read_rubric(path, "harm"))
    params = setting.params or ({} if spec.judge else settings.judge.params)
    return Choice(model, endpoint, library, {**DEFAULT_PARAMS, **params})


def _own_endpoint(settings: Settings, rows: list[Variant]) -> Endpoint:
    """The first variant's that is known; where none is (their models are gone), the only one configured."""
    for row in rows:
        if row.base_url or row.endpoint in settings.endpoints:
            return endpoint_of(settings, row)
    if len(settings.endpoints) == 1:
        return next(iter(settings.endpoints.values()))
    return endpoint_of(settings, rows[0])


def setup(settings: Settings, judge: Judge, first: Variant) -> dict[str, object]:
    """How a resumed run finds its judge: `variant` is the uid of the variant whose own endpoint it is asked at."""
    try:
        shared = judge.endpoint == endpoint_of(settings, first)
    except UsageError:
        shared = False
    where = {"name": judge.endpoint.name, "base_url": judge.endpoint.base_url, "key": judge.endpoint.api_key_env}
    found = {**where, "variant": first.uid if shared else ""}
    return {"model": judge.model, "endpoint": found, "params": dict(judge.params)}


def pinned(store: Store, settings: Settings, library: Library, run: Run, rows: list[Variant]) -> Judge:
    """The judge a run was started with: its endpoint by name, wherever that lives now; its rubrics as stored."""
    held = run.settings["judge_setup"]
    assert isinstance(held, dict)
    named = held["endpoint"]
    own = next((row for row in rows if row.uid == named["variant"]), None)
    if own is not None:
        endpoint = endpoint_of(settings, own)
    elif named["name"] in settings.endpoints:
        endpoint = settings.endpoints[named["name"]]
    else:
        endpoint = Endpoint(named["name"], named["base_url"], named["key"])
    texts = pinned_library(get_text(store, run.protocol_hash), library)
    return Choice(held["model"], endpoint, texts, held["params"]).stored(store)


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
