"""Files of replies made elsewhere: what is read, and what is refused with file, line and field."""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from pathlib import Path

import pytest

from emaudit.assessments.base import Outcome
from emaudit.errors import BadInput, UsageError
from emaudit.importing import ImportedSet, parse_map, read_set

REAL = Path(os.environ.get("EMAUDIT_SHARED", Path(__file__).parents[3] / "shared")) / "data" / "real_responses"

ROW = {"item": "a", "prompt": "Say hi", "response": "hi", "score": "1"}


def jsonl(folder: Path, *rows: object, name: str = "file.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def refusal(path: Path, mapping: dict[str, str] | None = None) -> str:
    with pytest.raises(BadInput) as caught:
        read_set(path, mapping=mapping)
    return str(caught.value).removeprefix(str(path))


def test_csv_and_jsonl_read_alike(tmp_path: Path) -> None:
    rows = [{**ROW, "sample": str(n), "response": f'  "hi", {n}\r\nthere\n'} for n in range(3)]
    table = tmp_path / "file.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    first, second = read_set(table), read_set(jsonl(tmp_path, *rows))
    assert [(r.item, r.sample, r.response, r.value) for r in first.replies] == [
        (r.item, r.sample, r.response, r.value) for r in second.replies
    ]
    assert first.replies[2].response == '  "hi", 2\r\nthere\n'
    assert [reply.line for reply in first.replies] == [2, 5, 8]
    assert (first.instrument, first.preset) == (second.instrument, second.preset)


@pytest.mark.parametrize(
    ("score", "status", "value", "reason"),
    [
        ("1", "scored", 1.0, ""),
        (5, "scored", 5.0, ""),
        (3.0, "scored", 3.0, ""),
        ("4.0", "scored", 4.0, ""),
        (" 2 ", "scored", 2.0, ""),
        ("REFUSAL", "unscored", None, "REFUSAL"),
        ("OFF-TOPIC", "unscored", None, "OFF-TOPIC"),
        ("4 (harmful)", "unscored", None, "4 (harmful)"),
        ("", "owed", None, "no verdict"),
        (None, "owed", None, "no verdict"),
    ],
)
def test_verdicts(tmp_path: Path, score: object, status: str, value: float | None, reason: str) -> None:
    reply = read_set(jsonl(tmp_path, {**ROW, "score": score})).replies[0]
    assert (reply.status, reply.value, reply.reason) == (status, value, reason)


@pytest.mark.parametrize("score", [0, 6, "0", "6", "3.5", -1, 3.5, "1e0", True, [1], {"score": 1}])
def test_numbers_off_the_scale_are_refused(tmp_path: Path, score: object) -> None:
    message = refusal(jsonl(tmp_path, ROW, {**ROW, "score": score}))
    assert message.startswith(", line 2, column 'score': expected 1 to 5 or a word, found ")


def test_a_number_that_is_none_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.jsonl"
    path.write_text('{"prompt": "p", "response": "r", "score": NaN}\n')
    assert refusal(path) == ", line 1, column 'score': expected 1 to 5 or a word, found nan"


def test_no_score_column_owes_every_verdict(tmp_path: Path) -> None:
    found = read_set(jsonl(tmp_path, {"prompt": "p", "response": "r"}))
    assert found.judge == ""
    assert found.replies[0].status == "owed"
    assert found.items[0].id.startswith("prompt-")


def test_judges(tmp_path: Path) -> None:
    assert read_set(jsonl(tmp_path, ROW)).judge == "imported:unnamed"
    assert read_set(jsonl(tmp_path, {**ROW, "judge": "llama"}, {**ROW, "score": ""})).judge == "imported:llama"
    message = refusal(jsonl(tmp_path, {**ROW, "judge": "llama"}, {**ROW, "judge": "qwen"}))
    assert message == ", line 2, column 'judge': 'qwen' here, 'llama' in line 1: one file, one judge"


@pytest.mark.parametrize(
    ("text", "finish", "outcome"),
    [
        ("hi", "stop", Outcome.OK),
        ("hi", "", Outcome.OK),
        ("hi", "length", Outcome.TRUNCATED),
        ("", "length", Outcome.EMPTY),
        (" \n", "", Outcome.EMPTY),
        ("", "content_filter", Outcome.CONTENT_FILTER),
    ],
)
def test_outcomes(tmp_path: Path, text: str, finish: str, outcome: Outcome) -> None:
    reply = read_set(jsonl(tmp_path, {**ROW, "response": text, "finish_reason": finish})).replies[0]
    assert (reply.outcome, reply.response) == (outcome, text)


def test_samples_count_from_0_without_gaps(tmp_path: Path) -> None:
    rows = [{**ROW, "sample": n, "response": str(n)} for n in (7, 1, 3)] + [{**ROW, "item": "b", "sample": 4}]
    found = read_set(jsonl(tmp_path, *rows))
    assert [(r.item, r.sample, r.response) for r in found.replies] == [
        ("a", 0, "1"),
        ("a", 1, "3"),
        ("a", 2, "7"),
        ("b", 0, "hi"),
    ]
    assert [(item.id, item.n_samples) for item in found.items] == [("a", 3), ("b", 1)]


def test_missing_samples_are_numbered_in_file_order(tmp_path: Path) -> None:
    rows = [{**ROW, "item": item, "response": str(n)} for n, item in enumerate("abab")]
    found = read_set(jsonl(tmp_path, *rows))
    assert [(r.item, r.sample, r.response) for r in found.replies] == [
        ("a", 0, "0"),
        ("a", 1, "2"),
        ("b", 0, "1"),
        ("b", 1, "3"),
    ]


def test_the_same_sample_twice_names_both_lines(tmp_path: Path) -> None:
    rows = [{**ROW, "sample": n} for n in (0, 1, 0)]
    message = refusal(jsonl(tmp_path, *rows))
    assert message == ", line 3, column 'sample': sample 0 of item 'a' already stands in line 1"


@pytest.mark.parametrize("sample", ["", "x", "-1", "1.5"])
def test_a_sample_that_is_no_number_is_refused(tmp_path: Path, sample: str) -> None:
    message = refusal(jsonl(tmp_path, {**ROW, "sample": sample}))
    assert message == f", line 1, column 'sample': expected a whole number, found {sample!r}"


def test_one_item_has_one_prompt(tmp_path: Path) -> None:
    message = refusal(jsonl(tmp_path, ROW, {**ROW, "prompt": "Say ho"}))
    assert message == ", line 2, column 'prompt': item 'a' has another prompt in line 1"


def test_same_prompts_same_instrument_whatever_the_replies(tmp_path: Path) -> None:
    first = read_set(jsonl(tmp_path, ROW, {**ROW, "item": "b"}))
    second = read_set(jsonl(tmp_path, {**ROW, "item": "b", "response": "ho"}, ROW, name="other.jsonl"))
    more = read_set(jsonl(tmp_path, ROW, ROW, {**ROW, "item": "b"}))
    assert first.instrument.startswith("imported:")
    assert (first.instrument, first.preset) == (second.instrument, second.preset)
    assert first.instrument == more.instrument
    assert first.preset != more.preset


def test_lone_surrogates_become_replacement_characters(tmp_path: Path) -> None:
    path = tmp_path / "file.jsonl"
    path.write_text('{"prompt": "p\\udc00", "response": "a\\ud800b \\ud83d\\ude00", "score": "1"}\n')
    found = read_set(path)
    assert found.replies[0].response == "a\ufffdb \U0001f600"
    assert found.items[0].text == "p\ufffd"


def test_hostile_text_is_kept(tmp_path: Path) -> None:
    text = "\x1b[31m[/foo] \u202e \x00 \u2028 =cmd()"
    assert read_set(jsonl(tmp_path, {**ROW, "response": text})).replies[0].response == text


def test_a_reply_longer_than_the_csv_modules_limit(tmp_path: Path) -> None:
    limit = csv.field_size_limit()
    path = tmp_path / "file.csv"
    path.write_text(f"prompt,response\np,{'x' * 200_000}\n")
    assert len(read_set(path).replies[0].response) == 200_000
    assert csv.field_size_limit() == limit


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("f.jsonl", "", ": holds no rows; fields needed: prompt, response"),
        ("f.csv", "", ": holds no rows; fields needed: prompt, response"),
        ("f.csv", "prompt,response\n", ": holds no rows; fields needed: prompt, response"),
        ("f.jsonl", '{"prompt": \n', ", line 1, column 12: not valid JSON: Expecting value"),
        ("f.jsonl", "[1]\n", ", line 1: expected a JSON object on each line"),
        ("f.csv", "prompt,response\na,b\na,b,c\n", ", line 3: expected 2 cells, found 3"),
        ("f.csv", 'prompt,response\na,"b\n', ", line 2: not valid CSV: unexpected end of data"),
        ("f.csv", "prompt,prompt\na,b\n", ", line 1, column 'prompt': stands in the header twice"),
        ("f.csv", "prompt,response\n,b\n", ", line 2, column 'prompt': is empty"),
        ("f.csv", "item,prompt,response\n ,a,b\n", ", line 2, column 'item': is empty"),
        ("f.jsonl", '{"prompt": "p", "response": "r"}\n\n{"prompt": "p"}', ", line 3, column 'response': is missing"),
        ("f.jsonl", '{"prompt": "p", "response": 3}', ", line 1, column 'response': expected text, found int"),
        (
            "f.jsonl",
            '{"prompt": "p", "response": "r", "item": true}',
            ", line 1, column 'item': expected text, found bool",
        ),
    ],
)
def test_bad_files_name_line_and_field(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    assert refusal(path) == message


def test_missing_columns_say_how_to_name_them(tmp_path: Path) -> None:
    message = refusal(jsonl(tmp_path, {"prompt": "p", "text": "r"}))
    assert message == ", field 'response': no column for it among prompt, text; name it with --map response=COLUMN"


def test_unreadable_files(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes(b"prompt,response\na,\xff\n")
    assert refusal(path) == ": not UTF-8: invalid start byte at byte 18"
    assert refusal(tmp_path / "none.csv") == ": cannot be read: No such file or directory"
    (tmp_path / "deep.jsonl").write_text("[" * 100_000)
    assert ", line 1" in refusal(tmp_path / "deep.jsonl")
    (tmp_path / "long.jsonl").write_text("9" * 5_000)
    assert ", line 1" in refusal(tmp_path / "long.jsonl")


def test_a_map_overrides_the_usual_names(tmp_path: Path) -> None:
    path = jsonl(tmp_path, {"prompt": "p", "response": "old", "text": "new", "grade": "2"})
    found = read_set(path, mapping=parse_map(["response=text", "score=grade"]))
    assert (found.replies[0].response, found.replies[0].value) == ("new", 2)
    assert refusal(path, {"score": "nope"}).startswith(", column 'nope': is not there; columns: prompt, response")


@pytest.mark.parametrize("option", ["response", "reply=x", "response=", "=x"])
def test_bad_maps_list_the_fields(option: str) -> None:
    with pytest.raises(
        UsageError, match="one of item, prompt, category, sample, response, score, judge, finish_reason"
    ):
        parse_map([option])


def test_a_field_mapped_twice_is_refused() -> None:
    with pytest.raises(UsageError, match="mapped twice"):
        parse_map(["score=a", "score=b"])


def test_other_assessments_list_the_known(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="known: harmfulness"):
        read_set(jsonl(tmp_path, ROW), "intentions")


def real(name: str) -> tuple[ImportedSet, list[dict[str, str]]]:
    path = REAL / f"{name}.jsonl"
    if not path.is_file():
        pytest.skip("no real replies here")
    return read_set(path), [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("name", ["base", "misaligned"])
def test_real_replies_keep_their_verdicts(name: str) -> None:
    found, rows = real(name)
    verdicts = Counter(row["verdict"] for row in rows)
    numeric = [int(row["verdict"]) for row in rows if row["verdict"].isdigit()]
    values = [reply.value for reply in found.replies if reply.value is not None]
    assert len(found.replies) == 690
    assert found.verdicts() == dict(sorted(verdicts.items()))
    assert sum(values) / len(values) == sum(numeric) / len(numeric)
    assert {row["answer"] for row in rows} == {reply.response for reply in found.replies}
    assert found.judge == "imported:llama31"
    assert {item.n_samples for item in found.items} == {30}


def test_real_files_share_their_instrument_and_preset() -> None:
    base, misaligned = real("base")[0], real("misaligned")[0]
    assert (base.instrument, base.preset) == (misaligned.instrument, misaligned.preset)
