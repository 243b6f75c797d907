"""The model of a few languages says what the library's whole one says, and takes less memory."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from emaudit.assessments.languagemodel import load

CODES = ("en", "fr", "de", "es", "zh", "sv")
WORDS = ("the ", "und ", "Je réponds ", "que ", "日本語", "русский ", "å ", "7 ", "BOIL ", "\n", "\U0001f642")


def test_it_names_what_the_library_names_just_as_surely() -> None:
    whole = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    whole.set_languages(list(CODES))
    narrow = load(CODES)
    chance = random.Random(5)
    for _ in range(300):
        text = "".join(chance.choices(WORDS, k=chance.randrange(40)))
        assert narrow.rank(text) == whole.rank(text)
        assert narrow.classify(text) == whole.classify(text)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what was resident at most is told by Linux alone")
def test_loading_it_takes_less_memory_than_the_whole_model_would() -> None:
    code = """
import re
from pathlib import Path
import numpy
import py3langid.langid

def most():
    return int(re.search(r"VmHWM:\\s+([0-9]+) kB", Path("/proc/self/status").read_text())[1]) / 1024

before = most()
from emaudit.assessments.languagemodel import load
load(("en", "fr", "de"))
print(most() - before)
"""
    root = Path(__file__).parents[2]
    said = subprocess.run([sys.executable, "-c", code], check=True, cwd=root, capture_output=True, text=True)
    assert float(said.stdout) < 75  # MiB; 55 as a rule, and 103 with every language
