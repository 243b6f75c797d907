"""The starred replies as a Markdown page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from emaudit.papertables.markdownpage import escaped, fenced


def examples_md(examples: Sequence[Mapping[str, object]]) -> str:
    """The replies that were starred, prompt and response as code blocks."""
    lines = ["# Chosen examples", ""]
    if not examples:
        lines += ["No reply of these tables is starred.", ""]
    for row in examples:
        lines += [*_example(row), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _example(row: Mapping[str, object]) -> Iterator[str]:
    place = ", ".join(str(row[name]) for name in ("variant", "assessment", "item", "condition") if row[name])
    score = "unscored" if row["score"] is None else f"score {float(str(row['score'])):g}"
    by = f" by {row['judge']}" if row["judge"] else ""
    human = "" if row["human_score"] is None else f"; {float(str(row['human_score'])):g} by {row['reviewer']}"
    yield "## " + escaped(f"{place}, sample {row['sample']}")
    yield ""
    if row["simulated"]:
        yield "**SIMULATED.**"
        yield ""
    yield escaped(f"{score}{by}{human}")
    for title, column in (("Prompt", "prompt"), ("Response", "response")):
        yield ""
        yield f"**{title}**"
        yield ""
        yield fenced(str(row[column]))
