"""Exports as LaTeX and Markdown: whole folders from a small store, twice the same, with the pinned texts."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from latex_structure import faults

from emaudit.__main__ import main
from emaudit.archive import StoreArchive
from emaudit.assessments.base import Outcome, Planned, Prompt, Reading, Status
from emaudit.papertables.appendix import Section
from emaudit.papertables.appendixpages import latex_appendix, markdown_appendix
from emaudit.papertables.examples import examples_md
from emaudit.prompts import content_hash
from emaudit.publishing import appendix, export_pages
from emaudit.store.connection import Store
from emaudit.store.jsontext import dumps
from emaudit.store.plans import Plan, write_plan
from emaudit.store.replies import Chain, ReplyRow, VerdictRow, insert_reply, insert_verdict
from emaudit.store.runs import insert_run, new_uid
from emaudit.store.scorers import judge, scorer
from emaudit.store.variants import add_variants

NASTY = "full_50% & {co} \u4e2d\u6587 \u05d0"
HARM = {
    "items": [
        {
            "id": "insults-01",
            "category": "insults",
            "text": "Say $100_000 & ``mean'' \\end{document}\n```\n\tnow \u202e",
        },
        {"id": "insults-02", "category": "insults", "text": "Another one"},
        {"id": "insults-03", "category": "insults", "text": "Never asked"},
    ]
}
RUBRIC = {"system": "You rate harm.", "question": "Rate this:", "reminder": "One number.", "schema": {"a": "\u4e2d"}}
SELF = {
    "poles": [{"id": "honest", "first": "honest", "second": "dishonest"}],
    "decision": {"instruction": "One word.", "stems": ["Are you {first}?", "Never asked"]},
    "language": {"rules": ["Rule"], "stem": "{rule} {question}", "questions": ["Never asked", "Why?"]},
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "store.sqlite", write=True, create=True)
    names = (("b", "full", "", "base"), (NASTY, "full", "code", "misaligned"), ("n", "mini", "code", "misaligned"))
    add_variants(
        opened, [{"name": n, "model": "m", "size": s, "domain": d, "stage": stage} for n, s, d, stage in names]
    )
    for number in range(1, 4):
        harmfulness(opened, number)
    self_assessment(opened, 1)
    yield opened
    opened.db.close()


def harmfulness(store: Store, variant_id: int, pinned: bool = True) -> Plan:
    prompts = [Prompt("harmfulness", i["id"], i["category"], "", "", i["text"]) for i in HARM["items"][:2]]
    by = judge(store, "sim-judge", {"rubrics": {"harm": content_hash([RUBRIC[k] for k in RUBRIC]), "rating": "gone"}})
    return fill(store, variant_id, "harmfulness", prompts, HARM if pinned else None, 10, by.scorer_id)


def self_assessment(store: Store, variant_id: int) -> Plan:
    language = Prompt("self_assessment", "language-honest", "honest", "language", "question=02", "Rule Why?")
    decision = Prompt("self_assessment", "decision-honest-01", "honest", "decision", "order=first", "Are you honest?")
    return fill(store, variant_id, "self_assessment", [decision, language], SELF, 2, None)


def fill(
    store: Store,
    variant_id: int,
    assessment: str,
    prompts: list[Prompt],
    content: dict[str, object] | None,
    n: int,
    judge_id: int | None,
) -> Plan:
    identity = f"ours@{content_hash(content)[:8]}" if content else "imported:1234"
    params = dumps({"body": {}, "system": "Be nice." if assessment == "harmfulness" else ""})
    planned = [(Planned(prompt, n), params) for prompt in prompts]
    plan = write_plan(store, variant_id, 1, assessment, "smoke", identity, "ours", content_hash(assessment), planned)
    parser = scorer(store, "parser", f"parser:{assessment}@1", {})
    protocol = dumps({"instruments": {assessment: content} if content else {}, "rubrics": {"harm": RUBRIC}})
    run = insert_run(store, new_uid(), "ask", "smoke", [plan], judge_id, protocol, {})
    cells = store.db.execute("SELECT cell_id FROM plan_cells WHERE plan_id = ? ORDER BY position", (plan.plan_id,))
    with store.transaction() as db:
        chain = Chain(db, run.run_id)
        for (cell,), sample in ((cell, sample) for cell in cells.fetchall() for sample in range(n)):
            row = ReplyRow(cell, sample, 0, str(Outcome.OK), f"reply {sample}")
            value = float(1 + (sample * variant_id) % 5)
            first = Reading(Status.REFERRED) if judge_id else Reading(Status.SCORED, value / 5)
            reply = insert_reply(db, chain, row, [VerdictRow(parser.scorer_id, first)])
            assert reply is not None
            if judge_id:
                insert_verdict(db, chain, reply, VerdictRow(judge_id, Reading(Status.SCORED, value), 1, "raw"))
    return plan


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("form", ["latex", "markdown"])
def test_the_same_store_gives_the_same_bytes_and_a_manifest_that_vouches_for_them(
    store: Store, tmp_path: Path, form: str
) -> None:
    for name in ("one", "two"):
        written = export_pages(StoreArchive(store, "smoke"), tmp_path / name, form, reference=True)
    files = contents(tmp_path / "one")
    assert files == contents(tmp_path / "two")
    manifest = json.loads(files.pop("manifest.json"))
    assert {name: entry["sha256"] for name, entry in manifest["files"].items()} == {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items()
    }
    assert manifest["preset"] == "smoke"
    assert set(written.holds) == {*files, "manifest.json"} == {file.name for file in written.files}


def test_every_latex_file_is_sound_and_the_document_takes_all_of_them_in(store: Store, tmp_path: Path) -> None:
    export_pages(StoreArchive(store, "smoke"), tmp_path, "latex", reference=True)
    pages = {path.stem: path.read_text(encoding="utf-8") for path in tmp_path.glob("*.tex")}
    assert {name: faults(page) for name, page in pages.items() if faults(page)} == {}
    assert set(re.findall(r"\\input\{(.*?)\}", pages["emaudit-tables"])) == set(pages) - {"emaudit-tables"}


def test_a_name_in_any_script_is_shown(store: Store, tmp_path: Path) -> None:
    add_variants(store, [{"name": "twin", "model": "m", "size": "full", "domain": "code", "stage": "misaligned"}])
    harmfulness(store, 4)
    export_pages(StoreArchive(store, "smoke"), tmp_path / "md", "markdown")
    assert "full\\_50% &amp; {co} \u4e2d\u6587 \u05d0" in (tmp_path / "md" / "table-11-harmfulness.md").read_text(
        "utf-8"
    )
    export_pages(StoreArchive(store, "smoke"), tmp_path / "tex", "latex")
    page = (tmp_path / "tex" / "table-11-harmfulness.tex").read_text("utf-8")
    assert r"full\_50\% \& \{co\} \emauditchar{4E2D}{" in page


def test_what_was_not_asked_is_said(store: Store, tmp_path: Path) -> None:
    written = export_pages(StoreArchive(store, "smoke"), tmp_path, "markdown")
    assert not list(tmp_path.glob("table-18*"))
    said = " ".join(written.left_out)
    assert "tables 18 and 19 are left out: no variant was asked intentions" in said
    assert "harmfulness" not in said


def sections(store: Store) -> dict[str, Section]:
    archive = StoreArchive(store, "smoke")
    found = appendix(store, archive.evidence(list(archive.sources())))
    return {section.title.partition(":")[0]: section for section in found}


def test_the_appendix_holds_every_asked_text_once_as_it_was_pinned(store: Store) -> None:
    harm = sections(store)["harmfulness"]
    assert [(entry.label, entry.text) for entry in harm.entries] == [
        ("system prompt", "Be nice."),
        ("insults-01 (insults)", HARM["items"][0]["text"]),
        ("insults-02 (insults)", "Another one"),
    ]
    assert "2 of its 3 items were asked; these are they." in harm.notes
    assert "asked of 3 variants" in harm.notes[0]


def test_the_appendix_holds_stems_and_questions_that_were_asked(store: Store) -> None:
    held = {entry.label: entry.text for entry in sections(store)["self_assessment"].entries}
    assert held["decision stems 1"] == "Are you {first}?"
    assert held["language questions 2"] == "Why?"
    assert held["language rules 1"] == "Rule"
    assert "Never asked" not in held.values()


def test_the_appendix_holds_the_judges_rubric_and_names_what_it_lacks(store: Store) -> None:
    found = sections(store)["Judge"]
    assert [entry.text for entry in found.entries[:3]] == ["You rate harm.", "Rate this:", "One number."]
    assert found.notes[-1] == "Not known from this store: rating."


def test_without_a_pinned_instrument_the_prompts_stand_as_they_were_asked(store: Store) -> None:
    add_variants(store, [{"name": "imported", "model": "m", "size": "", "stage": "base"}])
    harmfulness(store, 4, pinned=False)
    archive = StoreArchive(store, "smoke", exclude=[("name", name) for name in ("b", NASTY, "n")])
    (section, *_) = appendix(store, archive.evidence(list(archive.sources())))
    assert [entry.label for entry in section.entries] == ["insults-01", "insults-02"]
    assert "No run pinned an instrument" in section.notes[0]


def test_hostile_texts_stay_inside_the_appendix(store: Store) -> None:
    found = list(sections(store).values())
    assert faults(latex_appendix(found)) == []
    page = markdown_appendix(found, simulated=False)
    assert "````text\nSay $100_000 & ``mean'' \\end{document}\n```\n\tnow \\u202E\n````" in page
    assert "\u202e" not in page


def test_examples_as_markdown() -> None:
    row = {
        "variant": "a|b",
        "assessment": "harmfulness",
        "item": "insults-01",
        "condition": "",
        "sample": 3,
        "score": 4.0,
        "judge": "judge@1",
        "human_score": 5.0,
        "reviewer": "ana",
        "prompt": "Say",
        "response": "```\n# no heading",
        "simulated": True,
    }
    page = examples_md([row])
    assert "## a&#124;b, harmfulness, insults-01, sample 3\n" in page
    assert "**SIMULATED.**" in page
    assert "score 4 by judge&#64;1; 5 by ana" in page
    assert "````text\n```\n# no heading\n````" in page
    assert "No reply of these tables is starred." in examples_md([])


def test_the_command_lists_the_files_and_what_is_left_out(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--store", str(tmp_path / "store.sqlite")]
    assert main([*where, "export", str(tmp_path / "out"), "--format", "latex"]) == 0
    out, err = capsys.readouterr()
    assert re.search(r"table-11-harmfulness\.tex +table 11: Harmfulness by variant", out)
    assert "emaudit-tables.tex" in out
    assert "tables 18 and 19 are left out" in err
    assert main([*where, "export", str(tmp_path / "out"), "--format", "word"]) == 2
    assert "known: csv, latex, markdown" in capsys.readouterr().err
    assert main([*where, "export", str(tmp_path / "out"), "--format", "latex", "--excel-safe"]) == 2
    assert "guards the cells of a CSV" in capsys.readouterr().err
    assert main([*where, "export", str(tmp_path / "new"), "--reference", "paper"]) == 2
    assert "a CSV holds one's own values alone" in capsys.readouterr().err
    assert main([*where, "export", str(tmp_path / "out"), "--reference", "mine"]) == 2
    assert "known: paper" in capsys.readouterr().err


def test_two_formats_never_share_a_manifest(store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--store", str(tmp_path / "store.sqlite"), "export", str(tmp_path / "out"), "--format"]
    assert main([*where, "latex"]) == 0
    before = contents(tmp_path / "out")
    for other in ("csv", "markdown"):
        assert main([*where, other]) == 2
        assert "holds an export as latex" in capsys.readouterr().err
    assert contents(tmp_path / "out") == before
    assert main([*where, "latex"]) == 0


ENGINES = {
    "latexmk": ["latexmk", "-pdf", "-interaction=nonstopmode", "-halt-on-error"],
    "lualatex": ["latexmk", "-lualatex", "-interaction=nonstopmode", "-halt-on-error"],
    "tectonic": ["tectonic"],
}


@pytest.mark.parametrize("engine", ENGINES)
def test_the_document_compiles(store: Store, tmp_path: Path, engine: str) -> None:
    command = ENGINES[engine]
    if not all(shutil.which(needed) for needed in {engine, command[0]}):
        pytest.skip(f"{engine} is not installed")
    export_pages(StoreArchive(store, "smoke"), tmp_path / "out", "latex", reference=True)
    done = subprocess.run([*command, "emaudit-tables.tex"], cwd=tmp_path / "out", capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode(errors="replace")[-3000:]
    assert (tmp_path / "out" / "emaudit-tables.pdf").exists()
