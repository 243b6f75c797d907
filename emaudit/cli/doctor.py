"""`emaudit doctor`: what is configured, reachable and installed, a line each with the fix."""

from __future__ import annotations

import os
import shlex
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final

from emaudit import __version__, prompts
from emaudit.cli.arguments import Verbs
from emaudit.cli.context import Context
from emaudit.cli.models import offered
from emaudit.cli.output import emit, emit_json
from emaudit.config import Endpoint, Settings
from emaudit.errors import EmauditError
from emaudit.planning import endpoint_of
from emaudit.store.connection import Store
from emaudit.store.texts import installed_instruments
from emaudit.store.variants import variants
from emaudit.variants import Variant

SAFE_SQLITE: Final = (3, 51, 3)
ROOM: Final = 1 << 30
"""Bytes of free disk below which doctor warns: 15 variants at preset paper take about this."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: `state` is ok, warn or fail; `fix` is empty where nothing is to be done."""

    state: str
    what: str
    found: str
    fix: str = ""


def register(verbs: Verbs) -> None:
    """Add `doctor`."""
    verbs.add("doctor", "what is configured, reachable and installed, with the fix", _doctor, lists=True)


def _doctor(context: Context) -> int:
    findings = list(_findings(context))
    if context.json:
        emit_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            fix = f" -> {finding.fix}" if finding.fix else ""
            emit(f"{finding.state:<4}  {finding.what}: {finding.found}{fix}".replace("\n", " "))
    return 2 if any(finding.state == "fail" for finding in findings) else 0


def _findings(context: Context) -> Iterator[Finding]:
    yield _python()
    yield _sqlite()
    yield _store(context)
    yield _disk(context)
    try:
        settings = context.settings()
    except EmauditError as error:
        yield Finding("fail", "settings", str(error), "correct the file")
    else:
        yield _settings(settings)
        yield from _endpoints(settings)
        yield from _own_endpoints(context, settings)
        yield _judge(settings)
    yield from _instruments(context)
    yield _terminal()


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("ok", "emaudit", f"{__version__} on Python {version}")


def _sqlite() -> Finding:
    found = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info >= SAFE_SQLITE:
        return Finding("ok", "SQLite", found)
    return Finding(
        "warn",
        "SQLite",
        f"{found}: before 3.51.3 two writers at one instant can damage a WAL database; emaudit's lock file lets "
        "only one write at a time",
        "write to a store with emaudit only",
    )


def _store(context: Context) -> Finding:
    path = context.store_path
    if not path.exists():
        return Finding("ok", "store", f"none yet at {path}", "`emaudit variant add` or `emaudit demo` makes one")
    try:
        with Store.open(path) as store:
            store.quick_check()
            kind, banner = store.kind or "empty", store.banner
    except (EmauditError, sqlite3.Error) as error:
        return Finding("fail", "store", str(error), "name another with --store, or restore a backup")
    return Finding("warn" if banner else "ok", "store", f"{path} ({kind})" + (f"; {banner}" if banner else ""))


def _disk(context: Context) -> Finding:
    folder = context.store_path.absolute().parent
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    found = f"{free / (1 << 30):,.1f} GiB free at {folder}"
    return Finding("ok", "disk", found) if free >= ROOM else Finding("warn", "disk", found, "free some space")


def _settings(settings: Settings) -> Finding:
    path = settings.path
    if path.exists():
        if path.stat().st_mode & 0o022:
            told = f"{path}: others may write it, and so have your keys sent elsewhere"
            return Finding("warn", "settings", told, f"chmod go-w {shlex.quote(str(path))}")
        return Finding("ok", "settings", str(path))
    return Finding("ok", "settings", f"none at {settings.path}", "`emaudit init` writes one to edit")


def _endpoints(settings: Settings) -> Iterator[Finding]:
    if not settings.endpoints:
        fix = "`emaudit init`, or give variants a --base-url, or set OPENAI_API_KEY"
        yield Finding("warn", "endpoints", "none configured", fix)
    for endpoint in settings.endpoints.values():
        yield _key(endpoint)
        yield _reachable(endpoint)


def _key(endpoint: Endpoint) -> Finding:
    what = f"key of {endpoint.name}"
    try:
        return Finding("ok", what, "set" if endpoint.key() else "none needed")
    except EmauditError as error:
        return Finding("fail", what, str(error), f"export {endpoint.api_key_env or 'OPENAI_API_KEY'}=...")


def _reachable(endpoint: Endpoint) -> Finding:
    what = f"endpoint {endpoint.name}"
    try:
        models = offered(endpoint)
    except EmauditError as error:
        return Finding("fail", what, str(error), "start it, or correct [endpoints." + endpoint.name + "]")
    leaving = sorted(model.shutdown_date for model in models if model.shutdown_date)
    shutdown = f"; {len(leaving)} with a shutdown date, the first {leaving[0]}" if leaving else ""
    return Finding("ok", what, f"{len(models)} models at {endpoint.base_url}{shutdown}")


def _own_endpoints(context: Context, settings: Settings) -> Iterator[Finding]:
    """A line per endpoint that variants bring themselves, or name although it is not configured."""
    configured = {(held.base_url, held.api_key_env) for held in settings.endpoints.values()}
    by_address: dict[tuple[str, str], list[Variant]] = {}
    for row in _variants(context):
        held = settings.endpoints.get(row.endpoint)
        address = (row.base_url, row.api_key_env or (held.api_key_env if held else ""))
        if row.base_url and address not in configured:
            by_address.setdefault(address, []).append(row)
        elif not row.base_url and held is None:
            by_address.setdefault((row.endpoint, ""), []).append(row)
    for rows in by_address.values():
        yield _own_endpoint(settings, rows)


def _variants(context: Context) -> list[Variant]:
    """The variants of a store that can be read; why one cannot is told by the line of the store."""
    if not context.store_path.exists():
        return []
    try:
        with Store.open(context.store_path) as store:
            return variants(store)
    except (EmauditError, sqlite3.Error):
        return []


def _own_endpoint(settings: Settings, rows: list[Variant]) -> Finding:
    first = rows[0]
    what = f"endpoint of {first.name}" + (f" and {len(rows) - 1} more" if len(rows) > 1 else "")
    try:
        endpoint = endpoint_of(settings, first)
    except EmauditError as error:
        return Finding("fail", what, str(error), "name the settings that have it with --config")
    key = _key(endpoint)
    found = key if key.state == "fail" else _reachable(endpoint)
    fix = f"start it, or `emaudit variant set {first.name} base_url=URL`" if found.state == "fail" else ""
    return Finding(found.state, what, found.found, key.fix or fix)


def _judge(settings: Settings) -> Finding:
    judge = settings.judge
    if not judge.model:
        found = "none configured: a run takes the judge that the variant's endpoint advertises, where there is one"
        return Finding("warn", "judge", found, "set [judge] model, or give --judge to `emaudit run`")
    if judge.endpoint and judge.endpoint not in settings.endpoints:
        return Finding(
            "fail", "judge", f"its endpoint {judge.endpoint!r} is not configured", "correct [judge] endpoint"
        )
    return Finding("ok", "judge", f"{judge.model} at {judge.endpoint or 'the endpoint of the variant'}")


def _instruments(context: Context) -> Iterator[Finding]:
    try:
        library = context.library()
        if context.store_path.exists():
            with Store.open(context.store_path) as store:
                for _, instrument in installed_instruments(store):
                    library = library.with_instrument(instrument)
    except (EmauditError, sqlite3.Error) as error:
        yield Finding("fail", "instruments", str(error), "correct the file, or leave --prompts out")
        return
    for key in prompts.INSTRUMENT_KEYS:
        held = library.instrument(key)
        label = f" ({held.label})" if held.label != held.name else ""
        yield Finding("ok", f"instrument {key}", held.identity + label)


def _terminal() -> Finding:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return Finding("ok", "terminal", "none here: commands work, the app needs one")
    columns, lines = shutil.get_terminal_size()
    kind = os.environ.get("TERM", "")
    if kind in {"", "dumb"}:
        return Finding(
            "warn", "terminal", f"TERM={kind or 'unset'}: the app may not draw", "set TERM, e.g. xterm-256color"
        )
    encoding = (sys.stdout.encoding or "").lower()
    if "utf" not in encoding:
        return Finding("warn", "terminal", f"{encoding} instead of UTF-8", "use a UTF-8 locale")
    small = columns < 80 or lines < 24
    fix = "80x24 or more shows everything" if small else ""
    return Finding("warn" if small else "ok", "terminal", f"{kind}, {columns}x{lines}", fix)
