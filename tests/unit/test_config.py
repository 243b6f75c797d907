"""Settings from a file and from the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from emaudit.config import Settings, load_settings
from emaudit.errors import BadInput, UsageError

KEY = "sk-canary-123"


def settings(folder: Path, *lines: str) -> Settings:
    path = folder / "emaudit.toml"
    path.write_text("\n".join(('[endpoints.lab]\nbase_url = "http://127.0.0.1:9/v1"', *lines)), encoding="utf-8")
    return load_settings(path)


@pytest.mark.parametrize("value", [f'"{KEY}"', f'["{KEY}"]', '"1A"', '"A B"', '"A\\n"', "12345"])
def test_a_key_in_place_of_its_variable_is_refused_and_not_shown(tmp_path: Path, value: str) -> None:
    with pytest.raises(
        BadInput, match=r"endpoints\.lab\.api_key_env: name the environment variable, not the key"
    ) as said:
        settings(tmp_path, f"api_key_env = {value}")
    assert KEY not in str(said.value)
    assert "12345" not in str(said.value)


@pytest.mark.parametrize("name", ["", "LAB_KEY", "_k2"])
def test_the_name_of_a_variable_is_taken(tmp_path: Path, name: str) -> None:
    assert settings(tmp_path, f'api_key_env = "{name}"').endpoints["lab"].api_key_env == name


def test_a_variants_own_key_is_not_taken_for_a_name() -> None:
    with pytest.raises(UsageError, match="not the key") as said:
        Settings(Path("none.toml")).endpoint("", "http://127.0.0.1:9/v1", KEY)
    assert KEY not in str(said.value)


@pytest.mark.parametrize(
    ("caps", "why"),
    [
        ("harmfulnes = 5", "max_tokens.harmfulnes: is not an assessment; known: harmfulness, intentions"),
        ("intentions = 0", "max_tokens.intentions: expected a whole number above 0, found 0"),
        ("intentions = true", "found True"),
        ("intentions = 2.0", "found 2.0"),
        ("intentions = '9'", "found '9'"),
    ],
)
def test_caps_on_tokens_are_whole_numbers_of_assessments(tmp_path: Path, caps: str, why: str) -> None:
    with pytest.raises(BadInput, match=why):
        settings(tmp_path, f"max_tokens = {{ {caps} }}")
    assert settings(tmp_path, "max_tokens = { harmfulness = 5 }").endpoints["lab"].max_tokens == {"harmfulness": 5}


def test_the_environment_makes_an_endpoint_only_without_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    assert list(load_settings(tmp_path / "none.toml").endpoints) == ["openai"]
    assert list(settings(tmp_path).endpoints) == ["lab"]
