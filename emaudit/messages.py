"""What happened, as messages to the app: past-tense events, posted by workers and widgets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from emaudit.analysing.answers import Answer
    from emaudit.watch.snapshot import Snapshot


class StoreRead(Message):
    """The store was looked at; a newer look replaces an older one that still waits."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__()
        self.snapshot = snapshot

    def can_replace(self, message: Message) -> bool:
        """Only the newest look counts."""
        return isinstance(message, StoreRead)


class RunStarted(Message):
    """A run was started in a process of its own."""

    def __init__(self, uid: str) -> None:
        super().__init__()
        self.uid = uid


class Done(Message):
    """Something asked of the store or of a run was done; `text` says what."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class Refused(Message):
    """Something asked for could not be done; `text` is why, in one line."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class Analysed(Message):
    """An analysis was computed."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


class AnalysisEnded(Message):
    """The computing ended by itself; `why` in one line."""

    def __init__(self, why: str) -> None:
        super().__init__()
        self.why = why
