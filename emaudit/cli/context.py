"""What every verb is given: the command line as parsed, and the store, settings and prompts it names."""

from __future__ import annotations

import os
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from emaudit import paths
from emaudit.cli.output import say
from emaudit.config import Settings, load_settings
from emaudit.errors import UsageError
from emaudit.prompts import Library, load_library

if TYPE_CHECKING:
    from emaudit.store.connection import Store


def settings_beside(store: Path) -> Path:
    """Where a store has settings of its own: `STORE.toml` beside it, whether or not the file is there."""
    return store.with_name(store.name + ".toml")


@dataclass(frozen=True, slots=True)
class Context:
    """One command line."""

    options: Namespace

    @property
    def store_path(self) -> Path:
        """The store named by --store, EMAUDIT_STORE or the default."""
        return self.named_store or paths.default_store()

    @property
    def named_store(self) -> Path | None:
        """The store named by --store."""
        named = getattr(self.options, "store", None)
        return paths.typed(named) if named else None

    @property
    def config_path(self) -> Path:
        """The settings named by --config or EMAUDIT_CONFIG, else the store's own `STORE.toml`, else the default."""
        if self.named_config:
            return self.named_config
        beside = settings_beside(self.store_path)
        return beside if not os.environ.get("EMAUDIT_CONFIG") and beside.exists() else paths.default_config()

    @property
    def named_config(self) -> Path | None:
        """The settings file named by --config."""
        named = getattr(self.options, "config", None)
        return paths.typed(named) if named else None

    @property
    def prompts_dir(self) -> Path | None:
        """The folder named by --prompts."""
        named = getattr(self.options, "prompts", None)
        return paths.typed(named) if named else None

    @property
    def json(self) -> bool:
        """Whether data are wanted as JSON."""
        return bool(getattr(self.options, "json", False))

    def settings(self) -> Settings:
        """The settings. Raises UsageError where a file was named and is not there."""
        if self.named_config and not self.named_config.exists():
            raise UsageError(f"no settings at {self.named_config}: `emaudit --config FILE init` writes them")
        return load_settings(self.config_path)

    def library(self) -> Library:
        """All prompts, from --prompts or the shipped ones."""
        return load_library(self.prompts_dir)

    def open(self, write: bool = False, create: bool = False) -> Store:
        """The store, as of the moment that is named; its banner, if any, is said."""
        from emaudit.store.connection import Store
        from emaudit.store.horizon import Horizon, look

        store = Store.open(self.store_path, write=write, create=create)
        if store.banner:
            say(store.banner)
        as_of = getattr(self.options, "as_of", None)
        if as_of:
            look(store, Horizon(as_of))
        return store
