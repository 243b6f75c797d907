"""One command line, from arguments to exit code, with everything that can go wrong told in one line."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Sequence
from typing import Final

from emaudit import __version__
from emaudit.cli import crash
from emaudit.cli.arguments import Parser, Verbs, common
from emaudit.cli.context import Context
from emaudit.cli.output import say
from emaudit.cli.registry import register
from emaudit.errors import NO_SPACE, DiskFull, EmauditError, UsageError
from emaudit.store.told import told_at
from emaudit.text import storable

EXIT_CODES = """\
exit codes: 0 done, nothing owed; 1 finished or stopped on request with something owed; 2 usage, configuration, or
another runner holds the run; 3 stopped by an endpoint or by the disk; 130, 143, 129 on SIGINT, SIGTERM, SIGHUP"""


def build(argv: Sequence[str] | None = None) -> Parser:
    """The whole command line, or as much of it as the words in `argv` can mean."""
    parser = Parser(
        prog="emaudit",
        description="Audit fine-tuned chat models for emergent misalignment. Without a command: the app.",
        epilog=EXIT_CODES,
        parents=[common()],
    )
    parser.add_argument("--version", action="version", version=f"emaudit {__version__}")
    register(Verbs(parser, "command"), argv)
    return parser


def run(argv: Sequence[str]) -> int:
    """Run one command line; returns its exit code and never raises what a user can cause."""
    _whole_streams()
    _tolerant_output()
    try:
        return _act(argv)
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    except EmauditError as error:
        say(f"emaudit: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _abandon_stdout()
        return 0
    except OSError as error:
        return _cannot(error)
    except Exception as error:  # noqa: BLE001 - the last line: a traceback could show text and keys from outside
        say(crash.report(error))
        return crash.EXIT_CODE


def _cannot(error: OSError) -> int:
    """Say of a file that it cannot be what was asked of it, or that the output takes no more; else it is a defect."""
    if error.errno in NO_SPACE and error.filename is None:
        _abandon_stdout()
        say(f"emaudit: the output cannot be written: {error.strerror}: free some space, or name another place")
        return DiskFull.exit_code
    if error.errno not in _OF_A_PATH or error.filename is None:
        say(crash.report(error))
        return crash.EXIT_CODE
    say(f"emaudit: {os.fsdecode(error.filename)}: {error.strerror}: name another file or folder")
    return UsageError.exit_code


_OF_A_PATH: Final = {
    *(
        errno.ENOENT,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.ENAMETOOLONG,
        errno.ELOOP,
        errno.EACCES,
        errno.EPERM,
        errno.EROFS,
    ),
}


def _check_words(argv: Sequence[str]) -> None:
    """Refuse a word that no store, file of text or request can hold. Raises UsageError."""
    for word in argv:
        if "\0" in word or storable(word) != word:
            raise UsageError(f"{word!r} is not UTF-8: name it in UTF-8")


def _act(argv: Sequence[str]) -> int:
    _check_words(argv)
    options = build(argv).parse_args(list(argv))
    if getattr(options, "json", False) and not getattr(options, "lists", False):
        raise UsageError(f"`{getattr(options, 'verb', 'emaudit')}` lists nothing and takes no --json")
    context = Context(options)
    if options.command is None:
        from emaudit.cli.screen import open_app

        return open_app(context)
    if getattr(options, "act", None) is None:
        raise UsageError(f"`emaudit {options.command}` needs one more word: see `emaudit {options.command} --help`")
    with told_at(context.store_path):
        code: int = options.act(context)
    sys.stdout.flush()
    return code


def _whole_streams() -> None:
    """A stream that was closed is nothing to read or nowhere to write; else the next file opened takes its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 (for the whole process)


def _tolerant_output() -> None:
    """A terminal that is not UTF-8 shows what it cannot write as escapes, instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _abandon_stdout() -> None:
    """Whoever read our output has stopped: point it at nothing, so that Python's own flush at exit stays quiet."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
