"""Which addresses may be asked, and which key goes where."""

from __future__ import annotations

from pathlib import Path

import pytest

from emaudit.config import Endpoint, Settings
from emaudit.errors import UsageError

LOCAL = (
    "http://127.0.0.1:8000/v1",
    "http://localhost/v1",
    "http://[::1]:9/v1",
    "http://127.9.9.9/v1",
    "http://LOCALHOST",
)
BEYOND = (
    "http://127.0.0.1.evil.example/v1",
    "http://localhost.evil.example/v1",
    "http://2130706433/v1",
    "http://0x7f000001/v1",
    "http://0177.0.0.1/v1",
    "http://127.1/v1",
    "http://0.0.0.0/v1",
    "http://[::]/v1",
    "http://[2001:db8::1]/v1",
    "http://10.0.0.7/v1",
    "http://evil.example/127.0.0.1/v1",
    "http://evil.example?x=http://127.0.0.1/v1",
    "http://evil.example#@127.0.0.1/v1",
    "http://api.openai.com/v1",
)
WITH_KEYS = (
    "http://localhost@evil.example/v1",
    "https://user:canary@host/v1",
    "https://canary@host/v1",
    "https://host/v1?api_key=canary",
    "https://host/v1?x=1&access_token=canary",
    "https://host/v1?auth=canary",
    "https://host/v1?X-Amz-Credential=canary",
    "https://host/v1?X-Amz-Signature=canary",
    "http://evil.example\\@127.0.0.1/v1",
)


@pytest.mark.parametrize("url", LOCAL)
def test_plain_http_stays_on_this_machine(url: str) -> None:
    Endpoint("e", url).check()


@pytest.mark.parametrize("url", BEYOND)
def test_plain_http_beyond_it_must_be_asked_for(url: str) -> None:
    with pytest.raises(UsageError, match="plain http beyond this machine"):
        Endpoint("e", url).check()
    Endpoint("e", url).check(insecure_http=True)
    Endpoint("e", url, insecure_http=True).check()


@pytest.mark.parametrize("url", WITH_KEYS)
def test_no_key_in_an_address(url: str) -> None:
    with pytest.raises(UsageError, match="keep keys out of the address") as found:
        Endpoint("e", url).check(insecure_http=True)
    assert "canary" not in str(found.value)


@pytest.mark.parametrize("url", ["ftp://host/v1", "host/v1", "file:///etc/passwd", "http:///v1", "https://", ""])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="is no http"):
        Endpoint("e", url).check(insecure_http=True)


def test_openais_key_goes_to_openai_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    assert Endpoint("a", "https://api.openai.com/v1").key() == "sk-canary"
    for url in (
        "https://api.openai.com.evil.example/v1",
        "https://evil.example/api.openai.com",
        "https://openai.com/v1",
    ):
        assert Endpoint("a", url).key() == ""
    assert Endpoint("a", "https://evil.example/v1", "OPENAI_API_KEY").key() == "sk-canary"


def test_a_key_does_not_go_with_a_variants_own_address_on_another_host() -> None:
    held = {"lab": Endpoint("lab", "https://lab.example/v1", "LAB_KEY")}
    settings = Settings(Path("emaudit.toml"), held)
    assert settings.endpoint("lab").api_key_env == "LAB_KEY"
    assert settings.endpoint("lab", "https://LAB.example/v2").api_key_env == "LAB_KEY"
    for url in ("https://evil.example/v1", "http://lab.example/v1", "https://lab.example:444/v1"):
        assert settings.endpoint("lab", url).api_key_env == ""
    assert settings.endpoint("lab", "https://new.example/v1", "NEW_KEY").api_key_env == "NEW_KEY"
