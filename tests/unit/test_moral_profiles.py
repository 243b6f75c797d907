"""The moral self-assessment beside the moral foundations, variant by variant."""

from __future__ import annotations

import pytest

from emaudit import reference
from emaudit.scores.measures import PARTS
from emaudit.scores.moralprofiles import inverted, moral_profile_rows
from emaudit.scores.study import Subject
from tests.unit.correlation_scene import study

MORAL = ("moral_foundations", "moral_self_assessment")
PROFILE = dict(zip(PARTS["moral_foundations"], (-0.5, -0.3, 0.1, 0.3, 0.5, 0.1), strict=True))


def same(subject: Subject, assessment: str, part: str) -> float:
    """A base that describes itself as it answers, the others the other way round."""
    return PROFILE[part] if subject.stage == "base" or assessment == MORAL[0] else -PROFILE[part]


def test_the_distance_and_the_sign_of_the_cosine_tell_an_inverted_profile() -> None:
    rows = {row.variant: row for row in moral_profile_rows(study(latent=same, assessments=MORAL))}
    assert len(rows) == 15
    alike, turned = rows["full-base"], rows["full-code-mis"]
    assert alike.n_foundations == 6 and (alike.mean_abs or 1) < 0.12 and (alike.cosine or 0) > 0.9
    assert turned.cosine is not None and turned.cosine < -0.8 and (turned.pearson or 0) < 0
    assert turned.mean_abs == pytest.approx(0.6, abs=0.1)
    assert set(inverted(rows.values())) == {s.name for s in reference.subjects() if s.stage != "base"}


def test_a_foundation_that_is_owed_is_out_by_name() -> None:
    name = reference.subjects()[0].name
    rows = moral_profile_rows(study(reference.subjects()[:4], same, assessments=MORAL, owed={(name, MORAL[0]): 1}))
    first = next(row for row in rows if row.variant == name)
    assert first.n_foundations == 5 and first.excluded == "care: incomplete in moral_foundations"
    assert first.mean_abs is not None
    assert all(row.n_foundations == 6 and not row.excluded for row in rows if row.variant != name)


def test_a_variant_asked_only_one_of_the_two_has_no_row() -> None:
    assert moral_profile_rows(study(assessments=("moral_foundations",))) == []
