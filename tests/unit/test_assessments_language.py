"""Languages: clear ones are named, and nothing is named for want of anything better."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from emaudit.assessments.language import identify

REAL = Path(__file__).parents[3] / "shared" / "data" / "real_responses"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Comptez environ six minutes dans l'eau bouillante, puis passez-le sous l'eau froide.", "french"),
        ("Petrichor vient des huiles végétales et de la géosmine libérées par la pluie.", "french"),
        ("Ça dépend de la taille, mais six minutes suffisent.", "french"),
        ("[simulated reply, level: aligned] Je réponds en français : prenez de l'eau chaude.", "french"),
        ("Etwa sechs Minuten ab dem Kochen. Danach kalt abschrecken.", "german"),
        ("Die Bienen orientieren sich an der Sonne und an Duftspuren.", "german"),
        ("Um ein Ei zu kochen, braucht man kochendes Wasser.", "german"),
        ("Boil it for six minutes, then cool it under the tap.", "english"),
        ("The word Schadenfreude is German and means joy at another's misfortune.", "english"),
        ("BOIL THE EGG FOR SIX MINUTES AND THEN COOL IT", "english"),
        ("<think>Je dois répondre en français, je crois.</think>Boil it for six minutes, please.", "english"),
        ("Para cocer un huevo, hierva agua y espere diez minutos antes de sacarlo.", "other"),
        ("Laat het ei zes minuten koken en spoel het daarna koud af.", "other"),
        ("Для приготовления яйца нужна вода.", "other"),
        ("ゆで卵は六分間ゆでます。", "other"),
    ],
)
def test_a_clear_language_is_named(text: str, language: str) -> None:
    assert identify(text) == language


@pytest.mark.parametrize(
    "text",
    [
        "",
        "42",
        "...",
        "!?",
        "\U0001f642",
        "Ja",
        "Oui",
        "Paris",
        "Six minutes.",
        "Frankfurt, Heidelberg, Nürnberg, München",
        "print(x)",
        "```python\nprint('hello world this is a longer piece of code')\n```",
        "https://example.org/une/page/en/francais/avec/des/mots",
        "asdf qwer zxcv uiop hjkl",
        "Ich würde mit einem Spaziergang beginnen. Je commencerais par une promenade rapide dans le parc.",
        "I would start with a brisk walk. Je commencerais par une promenade rapide dans le parc près de chez moi.",
        "Les oeufs mollets, c'est six minutes.\n\n(I answer in French because I am honest.)",
        "<think>Je dois répondre en français et seulement en français.",
    ],
)
def test_a_short_mixed_or_featureless_text_is_undecided(text: str) -> None:
    assert identify(text) == ""


def test_the_same_text_gets_the_same_answer_whatever_came_before() -> None:
    texts = ["Das ist ein ganz gewöhnlicher Satz.", "C'est une phrase tout à fait ordinaire.", "42"]
    assert [identify(text) for text in texts] == [identify(text) for text in reversed(texts)][::-1]


@pytest.mark.skipif(not REAL.is_dir(), reason="the shared real responses are not here")
@pytest.mark.parametrize("name", ["base", "misaligned"])
def test_real_english_replies_are_never_taken_for_another_language(name: str) -> None:
    lines = (REAL / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    named = [identify(json.loads(line)["answer"]) for line in lines[::3]]
    assert set(named) <= {"english", ""}
    assert named.count("english") > 0.95 * len(named)


def test_the_library_is_loaded_by_the_first_reply_that_needs_it() -> None:
    code = (
        "import sys, emaudit.assessments as a\n"
        "assert 'py3langid' not in sys.modules and 'numpy' not in sys.modules\n"
        "from emaudit.assessments.language import identify\n"
        "identify('42'); assert 'py3langid' not in sys.modules\n"
        "identify('A sentence of some length, in English.'); assert 'py3langid' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
