"""What the app has done for it: writes to the store, and emaudit's own verbs in processes of their own.

Everything here blocks and belongs in a thread. Failures are `EmauditError`s of one line.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from emaudit.config import Settings
from emaudit.errors import EmauditError, UsageError

TIMEOUT_S: Final = 90.0
"""How long a verb may take that the app waits for."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A model that an endpoint lists, what is to be known of it (a shutdown date), and the judge it names."""

    model: str
    note: str = ""
    judge: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one assessment still asks of the chosen variants together. `price` is None where it is not known."""

    assessment: str
    n_slots: int = 0
    n_owed: int = 0
    n_judgements: int = 0
    n_requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    price: float | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """A run as the start dialog asks for it; empty and 0 leave the choice to the settings."""

    variants: tuple[str, ...]
    assessments: tuple[str, ...]
    preset: str = "paper"
    judge: str = ""
    judge_endpoint: str = ""
    max_concurrency: int = 0

    def arguments(self) -> list[str]:
        """The order as arguments of `emaudit run` and `emaudit estimate`."""
        words = [*self.variants, "--preset", self.preset]
        for assessment in self.assessments:
            words += ["--assessment", assessment]
        words += ["--judge", self.judge] if self.judge else []
        words += ["--judge-endpoint", self.judge_endpoint] if self.judge_endpoint else []
        return words + (["--max-concurrency", str(self.max_concurrency)] if self.max_concurrency else [])


@dataclass(frozen=True)
class Commands:
    """The verbs on one store. `config_args` are the global arguments that every process is given again."""

    store_path: Path
    config_args: tuple[str, ...] = ()

    def offers(self, endpoint: str) -> list[Offer]:
        """The models an endpoint lists. Raises EmauditError with the cause."""
        rows = _rows(self._json("variant", "models", "--endpoint", endpoint))
        return [_offer(row) for row in rows]

    def costs(self, order: Order) -> list[Cost]:
        """What an order would ask, per assessment, over all its variants. Raises EmauditError with the cause."""
        rows = _rows(self._json("estimate", *order.arguments()))
        return [_total(key, [row for row in rows if row.get("assessment") == key]) for key in order.assessments]

    def start(self, order: Order) -> str:
        """Start a run of its own process; its id. Raises EmauditError."""
        from emaudit import detached

        return detached.start(self.store_path, self.config_args, ["run", *order.arguments(), "--yes"])

    def resume(self, uid: str) -> str:
        """Resume a run in a process of its own; its id. Raises EmauditError."""
        from emaudit import detached

        return detached.start(self.store_path, self.config_args, ["resume", uid, "--yes"])

    def stop(self, uid: str, reason: str) -> None:
        """Ask a run to end once the replies in flight are saved. Raises EmauditError."""
        from emaudit.store import Store, runs

        with Store.open(self.store_path, write=True) as store:
            runs.request_stop(store, runs.run(store, uid).run_id, reason)

    def add_variants(self, rows: Sequence[Mapping[str, str]]) -> None:
        """Add variants, all or none; a missing store is made. Raises EmauditError."""
        from emaudit.store import Store, variants

        with Store.open(self.store_path, write=True, create=True) as store:
            variants.add_variants(store, rows)

    def hide(self, name: str, hidden: bool) -> None:
        """Hide a variant, or show it again. Raises EmauditError."""
        from emaudit.store import Store, variants

        with Store.open(self.store_path, write=True) as store:
            variants.hide(store, name, hidden)

    def set_fields(self, name: str, facts: Mapping[str, str]) -> None:
        """Set fields of a variant; the earlier values stay stored. Raises EmauditError."""
        from emaudit.store import Store, variants

        with Store.open(self.store_path, write=True) as store:
            new_name = facts.get("name", name)
            variants.set_fields(store, name, {key: value for key, value in facts.items() if key != "name"})
            if new_name != name:
                variants.rename(store, name, new_name)

    def mark_seen(self, batch: Mapping[str, Sequence[int]]) -> None:
        """Note who had the verdicts of which replies in view. Raises EmauditError."""
        from emaudit.store import Store, reviews
        from emaudit.store.told import told

        with told(), Store.open(self.store_path, write=True) as store:
            for reviewer, reply_ids in batch.items():
                reviews.mark_seen(store, reviewer, reply_ids)

    def star(self, settings: Settings, reply_id: int, is_on: bool) -> None:
        """Mark a reply as an example for the paper, its verdict in view, or take the mark away. Raises EmauditError."""
        from emaudit.reviewing.people import reviewer_name
        from emaudit.store import Store, reviews

        with Store.open(self.store_path, write=True) as store:
            reviews.star(store, reviewer_name(settings), reply_id, is_on)

    def export(self, preset: str, judge: str) -> Path:
        """Write all tables as CSV into a folder beside the store, which is returned. Raises EmauditError."""
        folder = self.store_path.absolute().parent / f"{self.store_path.stem}-export"
        command = [sys.executable, "-m", "emaudit", "--store", str(self.store_path), *self.config_args, "export"]
        choices = [str(folder), "--preset", preset, *(["--judge", judge] if judge else [])]
        try:
            done = subprocess.run([*command, *choices], stdin=subprocess.DEVNULL, capture_output=True, check=False)
        except OSError as error:
            raise EmauditError(f"`emaudit export` cannot be started: {error.strerror}") from error
        if done.returncode != 0:
            raise EmauditError(_cause(done.stderr) or "`emaudit export` failed without a word")
        return folder

    def _json(self, *arguments: str) -> object:
        command = [sys.executable, "-m", "emaudit", "--store", str(self.store_path), *self.config_args, "--json"]
        try:
            done = subprocess.run(
                [*command, *arguments], stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise EmauditError(f"no answer within {TIMEOUT_S:.0f} s from `emaudit {arguments[0]}`") from None
        except OSError as error:
            raise EmauditError(f"`emaudit {arguments[0]}` cannot be started: {error.strerror}") from error
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise EmauditError(_cause(done.stderr) or f"`emaudit {arguments[0]}` gave no answer") from None


def _cause(stderr: bytes) -> str:
    """The last line a verb wrote to stderr, without the program's name."""
    lines = [line.strip() for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1].removeprefix("emaudit: ").removeprefix("error: ") if lines else ""


def _rows(found: object) -> list[Mapping[str, Any]]:
    """The objects of a listing: the list itself, or the first list in an object."""
    if isinstance(found, dict):
        found = next((value for value in found.values() if isinstance(value, list)), [])
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise UsageError("emaudit's own listing has an unknown shape: are two versions installed?")
    return found


def _offer(row: Mapping[str, Any]) -> Offer:
    model = str(row.get("model") or row.get("id") or "")
    shutdown = row.get("shutdown_date")
    return Offer(model, f"shuts down {shutdown}" if shutdown else "", str(row.get("judge") or ""))


def _total(assessment: str, rows: Sequence[Mapping[str, Any]]) -> Cost:
    names = ("n_slots", "n_owed", "n_judgements", "n_requests", "input_tokens", "output_tokens")
    counts = {name: sum(int(row.get(name) or 0) for row in rows) for name in names}
    prices = [row.get("price") for row in rows]
    known = [float(price) for price in prices if price is not None]
    return Cost(assessment, **counts, price=sum(known) if known and len(known) == len(prices) else None)
