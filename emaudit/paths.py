"""Where things are by default: the store, the settings, the logs of detached runs, what can be made anew."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path, user_config_path, user_data_path

from emaudit.errors import UsageError


def typed(name: str) -> Path:
    """A path as somebody typed it, `~` being a home folder. Raises UsageError where there is none of that name."""
    try:
        return Path(name).expanduser()
    except RuntimeError:
        raise UsageError(f"{name}: there is no such home folder") from None


def default_store() -> Path:
    """The store named by EMAUDIT_STORE, else the one in the user's data folder."""
    named = os.environ.get("EMAUDIT_STORE")
    return typed(named) if named else user_data_path("emaudit", appauthor=False) / "emaudit.db"


def default_config() -> Path:
    """The settings named by EMAUDIT_CONFIG, else `emaudit.toml` here, else the one in the user's config folder."""
    named = os.environ.get("EMAUDIT_CONFIG")
    if named:
        return typed(named)
    here = Path("emaudit.toml")
    return here if here.exists() else user_config_path("emaudit", appauthor=False) / "emaudit.toml"


def own_name(store: Path) -> Path:
    """The file that a path leads to: locks and logs stand beside a store, not beside a link to it."""
    return store.resolve() if store.is_symlink() else store.absolute()


def run_log(store: Path, run_uid: str) -> Path:
    """The log file of a detached run, in a folder beside the store."""
    store = own_name(store)
    return store.with_name(store.name + ".logs") / f"run-{run_uid}.log"


def kept_summaries(store_id: str) -> Path:
    """The folder of a store's summed-up plans in the user's cache; it may be deleted at any time."""
    return user_cache_path("emaudit", appauthor=False) / "summaries" / store_id
