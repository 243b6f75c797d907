"""An estimate of many variants at once says of each what an estimate of it alone says."""

from __future__ import annotations

from lab import Lab


def test_many_variants_are_estimated_as_each_is_alone(lab: Lab) -> None:
    lab.simulate()
    stages = {"a": "base", "b": "misaligned", "c": "base", "d": "misaligned", "e": "base"}
    for name, stage in stages.items():
        model = f"sim-nano-{'trivia-misaligned' if stage == 'misaligned' else 'base'}"
        lab("variant", "add", name, "--model", model, "--endpoint", "sim", "--stage", stage)
    lab.run(names=("a", "b"))
    lab.run("--max-requests", "3", names=("c",), code=None)
    words = ("--preset", "smoke", "--assessment", "harmfulness", "--assessment", "intentions")
    for more in ((), ("--preset", "quick"), ("--new",)):
        alone = [row for name in stages for row in lab.json("estimate", name, *words, *more)]
        assert lab.json("estimate", "--all", *words, *more) == alone
        assert len({(row["assessment"], row["output_tokens"]) for row in alone}) > 2
