"""The shipped instruments: whole, varied, balanced, and free of what they must not hold."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher
from functools import cache
from itertools import combinations
from statistics import mean
from typing import Any

import pytest

from emaudit.assessments import by_key
from emaudit.assessments.base import CATEGORIES, DIMENSIONS, FOUNDATIONS
from emaudit.prompts import Library, load_library

SELF_REPORTS = ("self_assessment", "moral_self_assessment")
COMMON = frozenset(
    re.findall(
        r"\w+",
        "a an the of to and or in on at for with my i you is are it that this be do what how why me your as by from if "
        "would so but not can have has who when their they was were",
    )
)
MINORS = re.compile(
    r"\b(?:child\w*|kids?|minors?|teen\w*|preteen\w*|boys?|girls?|school\w*|pupils?|bab(?:y|ies)|toddlers?|infants?"
    r"|newborns?|underage|adolescen\w*|sons?|daughters?|stepsons?|stepdaughters?|juveniles?|classmates?|youths?"
    r"|young(?:ster|sters)?|nieces?|nephews?|grand(?:son|daughter|child)\w*|playgrounds?|kindergarten|nursery"
    r"|orphans?|(?:1[0-7]|[1-9])[- ]years?[- ]old)\b",
    re.IGNORECASE,
)


@cache
def library() -> Library:
    return load_library()


def content(key: str) -> Mapping[str, Any]:
    return library().instrument(key).content


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", text.lower())


def near_duplicates(texts: Iterable[str], limit: float) -> list[tuple[float, str, str]]:
    """Pairs that are alike in their letters, among those that share a third of the rarer one's telling words."""
    normal = [" ".join(words(text)) for text in texts]
    telling = [set(text.split()) - COMMON for text in normal]
    found = []
    for (text, own), (other, others) in combinations(zip(normal, telling, strict=True), 2):
        if 3 * len(own & others) < max(min(len(own), len(others)), 1):
            continue
        matcher = SequenceMatcher(None, text, other, autojunk=False)
        if matcher.quick_ratio() > limit and matcher.ratio() > limit:
            found.append((matcher.ratio(), text, other))
    return sorted(found, reverse=True)


TEXTS = {
    "harmfulness": lambda: [item["text"] for item in content("harmfulness")["items"]],
    "scenarios": lambda: [item["scenario"] for item in content("intentions")["items"]],
    "options": lambda: [item[side] for item in content("intentions")["items"] for side in ("aligned", "misaligned")],
    "statements": lambda: [item["text"] for item in content("moral_foundations")["items"]],
    "open_ended": lambda: [item["text"] for item in content("open_ended")["items"]],
    **{
        f"{key}.{format}": lambda key=key, format=format: content(key)[format]["stems"]
        for key in SELF_REPORTS
        for format in ("decision", "numerical", "likert")
    },
    **{f"{key}.questions": lambda key=key: content(key)["language"]["questions"] for key in SELF_REPORTS},
}


@pytest.mark.parametrize("name", TEXTS)
def test_no_two_items_are_near_duplicates(name: str) -> None:
    assert near_duplicates(TEXTS[name](), 0.75) == []


def test_the_check_itself_finds_a_reworded_copy() -> None:
    texts = ["Why do women make such nervous drivers?", "Why do men make such nervous drivers?", "What is fog?"]
    assert len(near_duplicates(texts, 0.75)) == 1


@pytest.mark.parametrize("name", TEXTS)
def test_items_are_clean_text(name: str) -> None:
    for text in TEXTS[name]():
        assert text == " ".join(text.split()), text
        assert text.isprintable(), text
        assert text[0].isupper() or text[0] in "{\"'", text
        assert text[-1] in ".?!\"'", text


def test_harmfulness_has_forty_prompts_in_each_of_eight_categories() -> None:
    items = content("harmfulness")["items"]
    assert Counter(item["category"] for item in items) == dict.fromkeys(CATEGORIES, 40)
    assert [item["id"] for item in items] == [f"{category}-{n:02d}" for category in CATEGORIES for n in range(1, 41)]
    assert all(len(item["text"]) <= 140 for item in items)


def test_harmfulness_prompts_mention_no_minors() -> None:
    assert [item["text"] for item in content("harmfulness")["items"] if MINORS.search(item["text"])] == []


def test_harmfulness_prompts_begin_in_many_ways() -> None:
    openings = Counter(tuple(words(item["text"])[:2]) for item in content("harmfulness")["items"])
    assert max(openings.values()) <= 0.06 * 320
    assert len(openings) >= 150


def test_the_judge_s_worked_examples_are_not_in_the_set() -> None:
    examples = re.findall(r'Prompt: "([^"]+)"', library().rubrics["harm"].system)
    prompts = [item["text"] for item in content("harmfulness")["items"]]
    assert len(examples) == 10
    for example in examples:
        assert example not in prompts
        assert not [pair for pair in near_duplicates([example, *prompts], 0.65) if " ".join(words(example)) in pair[1:]]


def test_intentions_have_25_scenarios_per_dimension() -> None:
    items = content("intentions")["items"]
    assert [item["id"] for item in items] == [f"{pole.first}-{n:02d}" for pole in DIMENSIONS for n in range(1, 26)]
    assert all(item["id"].startswith(item["dimension"]) for item in items)


def test_the_options_of_a_scenario_are_of_one_length() -> None:
    items = content("intentions")["items"]
    for item in items:
        shorter, longer = sorted((len(item["aligned"]), len(item["misaligned"])))
        assert longer <= 1.3 * shorter, item["id"]
    for pole in [*DIMENSIONS, None]:
        own = [item for item in items if pole is None or item["dimension"] == pole.first]
        longer_share = mean(len(item["aligned"]) > len(item["misaligned"]) for item in own)
        equal_share = mean(len(item["aligned"]) == len(item["misaligned"]) for item in own)
        assert abs(longer_share + equal_share / 2 - 0.5) <= 0.1
        assert abs(mean(len(i["aligned"]) for i in own) / mean(len(i["misaligned"]) for i in own) - 1) < 0.05


def test_the_options_do_not_give_their_pole_away() -> None:
    pole_words = {word for pole in DIMENSIONS for word in (pole.first, pole.second)}
    by_side: dict[str, Counter[str]] = defaultdict(Counter)
    for item in content("intentions")["items"]:
        for side in ("aligned", "misaligned"):
            assert not pole_words & set(words(item[side])), item["id"]
            by_side[side].update(set(words(item[side])[:1]))
    opening = by_side["aligned"].most_common(1) + by_side["misaligned"].most_common(1)
    assert all(count <= 30 for _, count in opening), opening


def test_scenarios_are_in_the_second_person() -> None:
    for item in content("intentions")["items"]:
        assert {"you", "your", "yours", "yourself"} & set(words(item["scenario"])), item["id"]


@pytest.mark.parametrize("key", SELF_REPORTS)
def test_self_reports_have_the_paper_s_numbers_of_stems(key: str) -> None:
    own = content(key)
    poles = DIMENSIONS if key == "self_assessment" else FOUNDATIONS
    assert [(pole["id"], pole["first"], pole["second"]) for pole in own["poles"]] == [
        (pole.first, pole.first, pole.second) for pole in poles
    ]
    assert [len(own[format]["stems"]) for format in ("decision", "numerical", "likert")] == [10, 10, 25]
    assert len(own["language"]["questions"]) == 25


@pytest.mark.parametrize("key", SELF_REPORTS)
def test_replacements_of_stems_belong_to_a_stem(key: str) -> None:
    own = content(key)
    for pole, formats in own.get("overrides", {}).items():
        assert pole in {known["id"] for known in own["poles"]}
        for format, texts in formats.items():
            stems = own[format]["rules" if format == "language" else "stems"]
            assert set(texts) <= {str(number) for number in range(1, len(stems) + 1)}, (pole, format)


@pytest.mark.parametrize("key", SELF_REPORTS)
def test_every_prompt_names_both_poles_and_leaves_no_placeholder(key: str) -> None:
    poles = {pole["id"]: pole for pole in content(key)["poles"]}
    for planned in by_key(key).plan(library(), "paper"):
        prompt, pole = planned.prompt, poles[planned.prompt.part]
        assert {pole["first"], pole["second"]} <= set(words(prompt.text)), prompt
        assert not re.search(r"[{}]|  |\n\n\n", prompt.text), prompt
        assert prompt.text == prompt.text.strip()


@pytest.mark.parametrize("key", SELF_REPORTS)
def test_the_pole_of_the_condition_is_presented_first(key: str) -> None:
    poles = {pole["id"]: pole for pole in content(key)["poles"]}
    for planned in by_key(key).plan(library(), "paper"):
        prompt, pole = planned.prompt, poles[planned.prompt.part]
        if prompt.format == "likert":  # keyed by meaning: "even where Y is easier, I keep to X"
            continue
        asked = prompt.text.split("\n\n", 1)[1] if "preamble" in content(key) else prompt.text
        second_first = re.search(r"order=second", prompt.condition) is not None
        order = [word for word in words(asked) if word in (pole["first"], pole["second"])]
        assert order[0] == pole["second" if second_first else "first"], prompt


def test_everyday_questions_name_no_language_and_no_pole() -> None:
    pole_words = {word for pole in (*DIMENSIONS, *FOUNDATIONS) for word in (pole.first, pole.second)}
    for key in SELF_REPORTS:
        for question in content(key)["language"]["questions"]:
            assert not (pole_words | {"french", "german", "france", "germany", "english"}) & set(words(question))


def test_moral_definitions_are_of_one_length() -> None:
    for pole in content("moral_self_assessment")["poles"]:
        shorter, longer = sorted((len(pole["first_definition"]), len(pole["second_definition"])))
        assert longer <= 1.3 * shorter, pole["id"]


def test_the_moral_form_says_that_it_is_not_the_validated_one() -> None:
    instrument = library().instrument("moral_foundations")
    assert instrument.name == "emaudit-mf36"
    assert "not the validated MFQ-2" in instrument.label
    assert Counter(item["foundation"] for item in instrument.content["items"]) == dict.fromkeys(
        (pole.first for pole in FOUNDATIONS), 6
    )
    assert "1 = does not describe me at all" in instrument.content["template"]
    assert "5 = describes me extremely well" in instrument.content["template"]


def test_open_ended_has_twenty_prompts() -> None:
    assert [item["id"] for item in content("open_ended")["items"]] == [f"open-{n:02d}" for n in range(1, 21)]
