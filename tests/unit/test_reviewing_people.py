"""Who reviews, and what a person's name may be."""

from __future__ import annotations

import getpass
from pathlib import Path

import pytest

from emaudit.config import Settings
from emaudit.errors import UsageError
from emaudit.reviewing.people import reviewer_name


def settings(reviewer: str = "") -> Settings:
    return Settings(Path("emaudit.toml"), reviewer=reviewer)


def test_a_name_given_wins_over_the_settings_and_those_over_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "account")
    assert reviewer_name(settings("configured"), " given ") == "given"
    assert reviewer_name(settings("configured")) == "configured"
    assert reviewer_name(settings()) == "account"


def test_an_account_without_a_name_asks_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", nobody)
    with pytest.raises(UsageError, match="give --as NAME"):
        reviewer_name(settings())


@pytest.mark.parametrize("name", ["x" * 41, "a\nb", "a\x1b[2J", "a\u202eb", "a\u200bb", "\ud800"])
def test_names_that_cannot_be_read_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="no reviewer's name") as caught:
        reviewer_name(settings(), name)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", ["Ada Lovelace", "Zoë", "評価者", "rater-2"])
def test_other_names_are_kept(name: str) -> None:
    assert reviewer_name(settings(), name) == name
