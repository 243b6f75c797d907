"""The exported files: their columns, bytes and order, and that a failed export leaves nothing behind."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from emaudit.errors import DiskFull, UsageError
from emaudit.export import Exported, Page, Record, Table, export_csv
from emaudit.scores import Source
from emaudit.scores.measures import Tally

FILES = ["variants.csv", "scores.csv", "responses.csv", "further.csv", "page.md", "manifest.json"]
HOSTILE = 'a "b", c\r\nd\re\n\x1b[31m \u2028 \u202e é\x00'


@dataclass(frozen=True)
class Row:
    item: str = "insults-01"
    part: str = "insults"
    format: str = ""
    condition: str = ""
    outcome: str = "ok"
    status: str = "scored"
    value: float | None = 2.0
    reason: str = ""
    scored_by: str = "judge"
    n: int = 10


SOURCE = Source("zeta", "full", "", "base", "paper", 0, "harmfulness", "judge@1", "inst@1", True, 7)


def reply(**changes: object) -> Record:
    plain: dict[str, object] = {
        "item": "insults-01",
        "category_or_dimension": "insults",
        "format": "",
        "condition": "",
        "sample": 0,
        "prompt": "Say hi",
        "response": "hi",
        "outcome": "ok",
        "score": 2.0,
        "score_status": "scored",
        "scored_by": "judge",
        "judge": "judge@1",
        "verdict_raw": '{"score": 2}',
    }
    return {**plain, **changes}  # type: ignore[dict-item]


@dataclass
class FakeArchive:
    rows: dict[Source, list[Row]] = field(default_factory=lambda: {SOURCE: [Row()]})
    replies: list[Record] = field(default_factory=lambda: [reply()])
    names: tuple[str, ...] = ("zeta",)

    def variants(self) -> Iterable[Record]:
        return [{"variant": name, "model": f"m-{name}", "stage": "base", "trained_at": None} for name in self.names]

    def sources(self) -> Iterable[Source]:
        return list(self.rows)

    def tallies(self, source: Source) -> Sequence[Tally]:
        return self.rows[source]

    def responses(self, source: Source) -> Iterable[Record]:
        return self.replies

    def beside(self, sources: Sequence[Source], *_: object) -> Iterable[Table | Page]:
        return [Table("further.csv", ("n", "text"), [[len(sources), "=1+1"]]), Page("page.md", "one page\n")]

    def facts(self) -> Mapping[str, object]:
        return {"store_id": "abc", "voided": []}

    def excluded(self) -> Sequence[Record]:
        return [{"variant": "left", "why": "--exclude size=nano"}]


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_headers_are_the_contract(tmp_path: Path) -> None:
    export_csv(FakeArchive(), tmp_path, "paper")
    headers = {name: (tmp_path / name).read_text(encoding="utf-8").split("\n")[0] for name in FILES[:3]}
    assert headers == {
        "variants.csv": "variant,model,size,domain,stage,parent,endpoint,replicate,dataset,dataset_sha256,n_examples,"
        "epochs,batch_size,lr_multiplier,job_id,trained_at,simulated",
        "scores.csv": "variant,size,domain,stage,preset,replicate,assessment,measure,part,format,value,sd,sd_unit,"
        "ci_low,ci_high,ci_method,n_used,n_expected,complete,judge,instrument,simulated",
        "responses.csv": "variant,replicate,assessment,item,category_or_dimension,format,condition,sample,prompt,"
        "response,outcome,score,score_status,scored_by,judge,verdict_raw,human_score,reviewer,reviewed_at,simulated",
    }


def test_values_are_full_and_absent_ones_empty(tmp_path: Path) -> None:
    tally = [replace(Row(), item=f"insults-{n}", value=float(1 + n % 2)) for n in range(3)]
    export_csv(FakeArchive(rows={SOURCE: tally}), tmp_path, "paper")
    row = next(row for row in read(tmp_path / "scores.csv") if row["measure"] == "max10_raw")
    assert row["value"] == repr(4 / 3)
    assert (row["complete"], row["simulated"], row["replicate"]) == ("1", "1", "0")
    variant = read(tmp_path / "variants.csv")[0]
    assert (variant["variant"], variant["trained_at"], variant["replicate"], variant["simulated"]) == (
        "zeta",
        "",
        "0",
        "1",
    )
    response = read(tmp_path / "responses.csv")[0]
    assert (response["score"], response["human_score"], response["simulated"]) == ("2.0", "", "1")


def test_text_is_verbatim(tmp_path: Path) -> None:
    export_csv(FakeArchive(replies=[reply(response=HOSTILE, prompt="=1+1")]), tmp_path, "paper")
    row = read(tmp_path / "responses.csv")[0]
    assert row["response"] == HOSTILE
    assert row["prompt"] == "=1+1"
    assert b"\r\n1" not in (tmp_path / "responses.csv").read_bytes()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "＝1"])
def test_excel_safe_guards_text_and_never_numbers(tmp_path: Path, text: str) -> None:
    archive = FakeArchive(replies=[reply(response=text, score=-0.5)])
    export_csv(archive, tmp_path, "paper", excel_safe=True)
    row = read(tmp_path / "responses.csv")[0]
    assert row["response"] == f"'{text}"
    assert row["score"] == "-0.5"


@pytest.mark.parametrize(("text", "is_guarded"), [("-0.5..0.5", False), ("-1..-0.5", False), ("-1..A1", True)])
def test_excel_safe_leaves_a_scale_of_plain_numbers_alone(tmp_path: Path, text: str, is_guarded: bool) -> None:
    export_csv(FakeArchive(replies=[reply(response=text)]), tmp_path, "paper", excel_safe=True)
    assert read(tmp_path / "responses.csv")[0]["response"] == ("'" if is_guarded else "") + text


def test_further_files_are_written_and_guarded_like_the_others(tmp_path: Path) -> None:
    export_csv(FakeArchive(), tmp_path, "paper", excel_safe=True)
    assert (tmp_path / "further.csv").read_text(encoding="utf-8") == "n,text\n1,'=1+1\n"
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == "one page\n"
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["files"]["further.csv"]["rows"] == 1
    assert "page.md" in manifest["files"]


def test_a_lone_surrogate_does_not_stop_an_export(tmp_path: Path) -> None:
    export_csv(FakeArchive(replies=[reply(response="a\ud800")]), tmp_path, "paper")
    assert read(tmp_path / "responses.csv")[0]["response"] == "a\ufffd"


def test_rows_are_sorted_whatever_the_stores_order(tmp_path: Path) -> None:
    second = replace(SOURCE, variant="alpha")
    replies = [reply(sample=n, item=item) for item in ("insults-02", "insults-01") for n in (10, 9, 0)]
    archive = FakeArchive({SOURCE: [Row()], second: [Row()]}, replies, ("zeta", "alpha"))
    export_csv(archive, tmp_path, "paper")
    rows = read(tmp_path / "responses.csv")
    assert [(row["item"], row["sample"]) for row in rows[:6]] == [
        (item, sample) for item in ("insults-01", "insults-02") for sample in ("0", "9", "10")
    ]
    assert [row["variant"] for row in rows] == ["alpha"] * 6 + ["zeta"] * 6
    assert [row["variant"] for row in read(tmp_path / "variants.csv")] == ["alpha", "zeta"]
    first = [(tmp_path / name).read_bytes() for name in FILES]
    archive.replies.reverse()
    archive.rows = dict(reversed(archive.rows.items()))
    export_csv(archive, tmp_path, "paper")
    assert [(tmp_path / name).read_bytes() for name in FILES] == first


def test_the_manifest_vouches_for_the_files(tmp_path: Path) -> None:
    written = export_csv(FakeArchive(), tmp_path, "paper")
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert [file.name for file in written] == FILES
    for name in FILES[:3]:
        content = (tmp_path / name).read_bytes()
        assert manifest["files"][name]["sha256"] == hashlib.sha256(content).hexdigest()
        assert manifest["files"][name]["rows"] == len(read(tmp_path / name))
    assert (manifest["store_id"], manifest["preset"], manifest["simulated"]) == ("abc", "paper", True)
    assert manifest["plans"][0]["judge"] == "judge@1"
    assert manifest["settings"]["k"] == 10
    assert isinstance(written[0], Exported)


def test_the_newest_complete_replicate_is_exported(tmp_path: Path) -> None:
    rows = {
        SOURCE: [replace(Row(), value=3.0)],
        replace(SOURCE, replicate=1): [replace(Row(), value=4.0)],
        replace(SOURCE, replicate=2): [replace(Row(), value=None, status="owed", outcome="")],
    }
    export_csv(FakeArchive(rows=rows), tmp_path, "paper")
    row = next(row for row in read(tmp_path / "scores.csv") if row["measure"] == "max10_raw")
    assert (row["value"], row["replicate"]) == ("4.0", "1")
    assert read(tmp_path / "variants.csv")[0]["replicate"] == "1"
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert [(row.get("replicate"), row["why"]) for row in manifest["excluded"]] == [
        (None, "--exclude size=nano"),
        (0, "older"),
        (2, "something is owed"),
    ]


def test_an_empty_store_gives_headers(tmp_path: Path) -> None:
    export_csv(FakeArchive(rows={}, names=()), tmp_path / "new" / "folder", "paper")
    for name in FILES[:3]:
        assert (tmp_path / "new" / "folder" / name).read_text(encoding="utf-8").count("\n") == 1


class Broken(FakeArchive):
    def responses(self, source: Source) -> Iterable[Record]:
        yield reply()
        raise OSError(28, "No space left on device")


def test_a_failed_export_leaves_the_old_files(tmp_path: Path) -> None:
    export_csv(FakeArchive(), tmp_path, "paper")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(DiskFull, match="No space left on device"):
        export_csv(Broken(names=("other",)), tmp_path, "paper")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x")
    with pytest.raises(UsageError, match="taken: cannot hold the export"):
        export_csv(FakeArchive(), tmp_path / "taken", "paper")
