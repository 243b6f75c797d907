"""What the app has other processes do: their arguments, their answers, their failures."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from emaudit import commands
from emaudit.commands import Commands, Cost, Offer, Order
from emaudit.errors import EmauditError
from emaudit.store import Store, variants


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The answers processes give, in order; afterwards the command lines they were started with."""
    held: list[object] = []
    asked: list[object] = []

    def run(command: list[str], **rest: object) -> subprocess.CompletedProcess[bytes]:
        asked.append(command)
        answer = held.pop(0)
        if isinstance(answer, Exception):
            raise answer
        out, err = answer  # type: ignore[misc]
        return subprocess.CompletedProcess(command, 0, out, err)

    monkeypatch.setattr(commands.subprocess, "run", run)
    held.append(asked)
    return held


def _ready(answers: list[object], *given: object) -> tuple[Commands, list[list[str]]]:
    asked = answers.pop(0)
    answers.extend(given)
    return Commands(Path("s.db"), ("--config", "c.toml")), asked  # type: ignore[return-value]


def test_offers(answers: list[object]) -> None:
    listed = b'[{"model": "a", "shutdown_date": "2027-01-14"}, {"id": "b", "shutdown_date": null}]'
    held, asked = _ready(answers, (listed, b""))
    assert held.offers("sim") == [Offer("a", "shuts down 2027-01-14"), Offer("b")]
    assert asked[0][3:] == ["--store", "s.db", "--config", "c.toml", "--json", "variant", "models", "--endpoint", "sim"]


def test_costs_are_summed_over_variants_and_unknown_is_not_0(answers: list[object]) -> None:
    row = '{"variant": "%s", "assessment": "%s", "n_slots": 10, "n_owed": 4, "n_judgements": 4, "n_requests": 1, '
    row += '"input_tokens": 100, "output_tokens": 20, "price": %s}'
    listed = "[" + ",".join([row % ("v", "harmfulness", "1.5"), row % ("w", "harmfulness", "2"),
                             row % ("v", "intentions", "1"), row % ("w", "intentions", "null")]) + "]"  # fmt: skip
    held, asked = _ready(answers, (listed.encode(), b""))
    costs = held.costs(Order(("v", "w"), ("harmfulness", "intentions"), "quick", "j", "e", 9))
    assert costs == [
        Cost("harmfulness", 20, 8, 8, 2, 200, 40, 3.5),
        Cost("intentions", 20, 8, 8, 2, 200, 40, None),
    ]
    words = " ".join(asked[0])
    assert words.endswith(
        "--json estimate v w --preset quick --assessment harmfulness --assessment intentions "
        "--judge j --judge-endpoint e --max-concurrency 9"
    )


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((b"", b"note\nemaudit: 401: set OPENAI_API_KEY\n"), "401: set OPENAI_API_KEY"),
        ((b"", b""), "gave no answer"),
        ((b"not json", b"emaudit: half\n"), "half"),
        ((b"[1, 2]", b""), "unknown shape"),
        (subprocess.TimeoutExpired("x", 90), "no answer within"),
        (FileNotFoundError(2, "No such file"), "cannot be started"),
    ],
)
def test_failures_are_one_line(answers: list[object], answer: object, why: str) -> None:
    held, _ = _ready(answers, answer)
    with pytest.raises(EmauditError, match=why):
        held.offers("sim")


def test_a_store_is_made_when_the_first_variant_comes(tmp_path: Path) -> None:
    held = Commands(tmp_path / "new.db")
    held.add_variants([{"name": "v", "model": "m"}])
    held.set_fields("v", {"name": "w", "size": "mini"})
    held.hide("w", True)
    with Store.open(tmp_path / "new.db") as store:
        assert [(row.name, row.size, row.hidden) for row in variants.variants(store, hidden=True)] == [
            ("w", "mini", "1")
        ]
