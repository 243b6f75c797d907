"""What a TeX engine would stumble over, checked without one: braces, environments, columns, specials, commands."""

from __future__ import annotations

import re
from collections.abc import Iterator

KNOWN = frozenset(
    re.findall(
        r"\w+",
        """
        LTcapwidth
        Umathchar addlinespace begin begingroup bfseries bottomrule caption centering clearpage documentclass else
        emauditchar emergencystretch end endfirsthead endgroup endhead endlastfoot ensuremath fi font footnotesize
        ifdefined ifdim iffontchar input label ldots linewidth mbox medskip midrule par paragraph parbox parindent
        parskip providecommand raggedright resizebox scriptsize section setlength string subsection tabcolsep
        textasciicircum textasciigrave textasciitilde textbackslash textbar textbf textemdash textendash textgreater
        textit textless textquotedblleft textquotedblright textquoteleft textquoteright textsc textsuperscript toprule
        usepackage width
        """,
    )
)
ESCAPED = frozenset("\\{}$&#%_")
TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[{}&$#%_^~]|[^\\{}&$#%_^~]+", re.DOTALL)
ACCENTED = re.compile(r"[^\x20-\x7e\n\u00c0-\u00ff]")
FALLBACK = re.compile(r"^\\providecommand\{\\emauditchar\}.*$", re.MULTILINE)
COMMENT = re.compile(r"(?<!\\)%.*")
CHARACTER = re.compile(r"\\emauditchar\{[0-9A-F]{4,6}\}\{.\}", re.DOTALL)
OPTION = re.compile(r"\\(?:\\|toprule|midrule|bottomrule|addlinespace)\s*[\[*]")


def faults(text: str) -> list[str]:
    """Everything that is wrong with a LaTeX file of ours; empty where nothing is."""
    body = CHARACTER.sub("X", COMMENT.sub("", FALLBACK.sub("", text)))
    found = [f"not for every engine: {character!r}" for character in ACCENTED.findall(body)]
    found += [f"taken for an option: {match[0]!r}" for match in OPTION.finditer(body)]
    found += list(_nesting(body))
    for spec, rows in _tables(body):
        wanted = len(re.sub(r"@\{\}", "", spec))
        found += [f"{_columns(row)} columns, not {wanted}: {row!r}" for row in rows if _columns(row) != wanted]
    return found


def _nesting(body: str) -> Iterator[str]:
    depth = 0
    for match in TOKEN.finditer(body):
        token = match[0]
        depth += (token == "{") - (token == "}")
        if depth < 0:
            yield f"a brace too many at {body[match.start() - 40 : match.end()]!r}"
            depth = 0
        if token.startswith("\\") and token[1:] not in KNOWN and token[1:] not in ESCAPED:
            yield f"unknown command {token!r}"
        if token in {"$", "#", "_", "^"}:
            yield f"raw {token!r} at {body[match.start() - 40 : match.end()]!r}"
    if depth:
        yield f"{depth} braces are open at the end"
    yield from _environments(body)


def _environments(body: str) -> Iterator[str]:
    held: list[str] = []
    for match in re.finditer(r"\\(begin|end)\{(\w+)\}|\\(begingroup|endgroup)\b|&", body):
        kind, name = (match[1], match[2]) if match[1] else (str(match[3])[:-5], "group")
        if match[0] == "&":
            is_escaped = body[: match.start()].endswith("\\")
            if not is_escaped and not {"tabular", "longtable"} & set(held):
                yield f"& outside a table at {body[match.start() - 40 : match.end()]!r}"
        elif kind == "begin":
            held.append(name)
        elif not held or held.pop() != name:
            yield f"{match[0]} ends what was not begun"
    yield from (f"{name} is not ended" for name in held)


def _tables(body: str) -> Iterator[tuple[str, list[str]]]:
    pattern = r"\\begin\{(tabular|longtable)\}\{((?:@\{\}|[lr])+)\}(.*?)\\end\{\1\}"
    for match in re.finditer(pattern, body, re.DOTALL):
        rules = r"\\(?:toprule|midrule|bottomrule|addlinespace|endfirsthead|endhead|endlastfoot)"
        content = re.sub(rules, "", match[3])
        rows = [row.strip() for row in re.split(r"\\\\", content)]
        yield match[2], [row for row in rows if row and not row.startswith("\\caption")]


def _columns(row: str) -> int:
    return len(re.findall(r"(?<!\\)&", row)) + 1
