"""`emaudit variant models`: what an endpoint offers, with shutdown dates and what a model's name suggests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from emaudit.cli.arguments import Verbs
from emaudit.cli.context import Context
from emaudit.cli.output import emit_json, say, table
from emaudit.config import Endpoint
from emaudit.errors import EndpointError, UsageError
from emaudit.variants import guess

if TYPE_CHECKING:
    from emaudit.completions import Model


def register(family: Verbs) -> None:
    """Add `variant models`."""
    verb = family.add("models", "list the models an endpoint offers, with shutdown dates", _models, lists=True)
    verb.add_argument("--endpoint", metavar="E", default="", help="an endpoint of emaudit.toml; else all of them")
    verb.add_argument("--base-url", metavar="URL", default="", help="an address without settings, ending in /v1")
    verb.add_argument("--api-key-env", metavar="VAR", default="", help="the variable that holds the key")
    verb.add_argument("--insecure-http", action="store_true", help="plain http beyond this machine")


def offered(endpoint: Endpoint, insecure_http: bool = False) -> Sequence[Model]:
    """The models an endpoint lists. Raises EndpointError with the cause and the fix."""
    from emaudit.client import list_models
    from emaudit.failures import RequestFailed

    try:
        return list_models(endpoint, insecure_http)
    except RequestFailed as error:
        raise EndpointError(str(error)) from None


def _endpoints(context: Context) -> list[Endpoint]:
    options = context.options
    settings = context.settings()
    if options.endpoint or options.base_url:
        return [settings.endpoint(options.endpoint, options.base_url, options.api_key_env)]
    if not settings.endpoints:
        raise UsageError(f"no endpoint is configured in {settings.path}: give --base-url URL, or run `emaudit init`")
    return list(settings.endpoints.values())


def _models(context: Context) -> int:
    found: list[tuple[str, Model]] = []
    failures: list[EndpointError] = []
    endpoints = _endpoints(context)
    for endpoint in endpoints:
        try:
            found += [(endpoint.name, model) for model in offered(endpoint, context.options.insecure_http)]
        except EndpointError as error:
            failures.append(error)
    if failures and len(endpoints) == 1:
        raise failures[0]
    for failure in failures:
        say(f"emaudit: {failure}")
    _print(context, found)
    return failures[0].exit_code if failures else 0


def _print(context: Context, found: Sequence[tuple[str, Model]]) -> None:
    if context.json:
        emit_json([_record(endpoint, model) for endpoint, model in found])
        return
    table(
        ("MODEL", "ENDPOINT", "OWNER", "SHUTS DOWN", "JUDGE", "NAME?", "SIZE?", "DOMAIN?", "STAGE?"),
        [tuple(str(value) for value in _row(endpoint, model)) for endpoint, model in found],
    )
    if found:
        say("columns with ? are guesses from the model's name")


def _row(endpoint: str, model: Model) -> tuple[str, ...]:
    guessed = guess(model.id)
    suggested = (guessed.name, guessed.size, guessed.domain, guessed.stage)
    return (model.id, endpoint, model.owned_by, model.shutdown_date, model.judge, *suggested)


def _record(endpoint: str, model: Model) -> dict[str, object]:
    guessed = guess(model.id)
    return {
        "model": model.id,
        "endpoint": endpoint,
        "owned_by": model.owned_by,
        "created": model.created,
        "shutdown_date": model.shutdown_date,
        "judge": model.judge,
        "guess": {"name": guessed.name, "size": guessed.size, "domain": guessed.domain, "stage": guessed.stage},
    }
