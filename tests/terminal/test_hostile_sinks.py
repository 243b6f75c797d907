"""The shield behind the trust boundary, in a real terminal: no kind of widget gets raw text past it."""

from __future__ import annotations

from pathlib import Path

from terminals import ROOT, sequences, terminal

from tests.hostile.sinks import HEIGHT, WIDTH, leaks

SCRIPT = str(ROOT / "tests" / "hostile" / "sinks.py")
PROVED = {"Pretty"}
"""What lets nothing through by itself."""


def drawn(tmp_path: Path, kind: str) -> bytes:
    """Everything that was written while each kind of widget showed raw text."""
    with terminal(str(tmp_path / "s.db"), kind, columns=WIDTH, lines=HEIGHT, program=(SCRIPT,)) as held:
        assert held.end(120) == 0, bytes(held.written)[-2000:]
        return bytes(held.written)


def test_behind_the_shield_no_widget_writes_more_than_with_benign_text(tmp_path: Path) -> None:
    written = drawn(tmp_path, "shielded")
    leaking, kinds = leaks(written)
    assert len(kinds) > 40 and not leaking
    assert sequences(written) <= sequences(drawn(tmp_path, "benign"))


def test_without_the_shield_every_widget_leaks(tmp_path: Path) -> None:
    leaking, kinds = leaks(drawn(tmp_path, "bare"))
    assert kinds - leaking == PROVED
