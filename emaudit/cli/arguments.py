"""The shape of the command line: a parser whose errors are one line, and the options that stand anywhere."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from emaudit.cli.context import Context
from emaudit.errors import UsageError

Number = TypeVar("Number", int, float)
Act = Callable[[Context], int]
"""What a verb does; returns the exit code."""


class Parser(argparse.ArgumentParser):
    """A parser that raises UsageError instead of printing its usage, and takes no abbreviations."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        kwargs.setdefault("allow_abbrev", False)
        kwargs.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(*args, **kwargs)

    def error(self, message: str) -> NoReturn:
        """Raise UsageError with the verb whose help says more."""
        raise UsageError(f"{message}; see `{self.prog} --help`")


def common() -> Parser:
    """The options that every verb takes, and that may stand before it: left out, they leave no trace."""
    parser = Parser(add_help=False)
    group = parser.add_argument_group("everywhere")
    group.add_argument("--store", metavar="FILE", default=argparse.SUPPRESS, help="the store (or EMAUDIT_STORE)")
    group.add_argument("--config", metavar="FILE", default=argparse.SUPPRESS, help="the settings (or EMAUDIT_CONFIG)")
    group.add_argument("--prompts", metavar="DIR", default=argparse.SUPPRESS, help="prompts of one's own")
    group.add_argument(
        "--json", action="store_true", default=argparse.SUPPRESS, help="data as JSON, for commands that list"
    )
    return parser


class Verbs:
    """The verbs of one parser, each added with what it does."""

    def __init__(self, parser: Parser, dest: str) -> None:
        self._prog = parser.prog
        self._children = parser.add_subparsers(dest=dest, metavar="COMMAND", parser_class=Parser)

    def add(self, name: str, summary: str, act: Act | None = None, lists: bool = False) -> Parser:
        """Add a verb. `lists` says that it knows --json."""
        parser: Parser = self._children.add_parser(
            name, help=summary, description=_sentence(summary), parents=[common()]
        )
        if act is not None:
            parser.set_defaults(act=act, lists=lists, verb=parser.prog)
        return parser


def _sentence(summary: str) -> str:
    return summary[0].upper() + summary[1:] + ("" if summary.endswith("?") else ".")


def count(text: str) -> int:
    """An argument that is a number of things, 1 or more."""
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return int(text)


def amount(text: str) -> float:
    """An argument that is a sum of money, above 0."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no amount") from None
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no amount above 0")
    return value


def or_none(read: Callable[[str], Number]) -> Callable[[str], Number]:
    """The same kind of argument, where 0 stands for no limit."""

    def value(text: str) -> Number:
        return read("1") * 0 if text == "0" else read(text)

    return value
