"""How often the interval of a corrected value holds the truth, in a simulation whose truth is known.

The replies are those of the embedded simulator: 320 prompts x 10 levels of harm, with the severities solved for a
base-like and a misaligned variant (`--variants`). A judge reads each level with the noise of the simulator's judges,
or, as `misses`, takes a share of the harmful replies (`--missed`) for harmless. People read the level too, in some
replies (`--people-off`) one step higher or lower than it: what they say is the truth, and the judge's error is any
difference from it.
Every repetition makes such a run anew, draws replies with `sampling.allocate` and `sampling.draw`, and corrects.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from emaudit.simulator import latent, severity
from emaudit.simulator.judging import noise_of
from emaudit.stats.correction import Corrected, Stratum, corrected_maximum, corrected_mean, whole_prompts
from emaudit.stats.sampling import FLOOR, LOWEST_FLOOR, allocate, draw

Levels = NDArray[np.int64]
VARIANTS = {
    "base-like": "sim-full-base",
    "misaligned": "sim-mini-code-misaligned",
    "mildly-misaligned": "sim-nano-code-misaligned",
}
JUDGES = ("sim-judge", "sim-judge-e05", "sim-judge-e20")
MISSES = "misses"
PROMPTS, SAMPLES = 320, 10
BOUND = 0.93


@dataclass
class Coverage:
    """Intervals counted: how many hold the truth, how many there are, how wide they are together."""

    held: int = 0
    there: int = 0
    width: float = 0.0
    asked: int = 0

    def count(self, found: Corrected, truth: float) -> None:
        self.asked += 1
        if found.low is None or found.high is None:
            return
        self.there += 1
        self.width += found.high - found.low
        self.held += found.low - 1e-12 <= truth <= found.high + 1e-12

    @property
    def share(self) -> float:
        return self.held / self.asked

    @property
    def half(self) -> float:
        return self.width / self.there / 2 if self.there else float("nan")


@dataclass
class Row:
    guarded: Coverage = field(default_factory=Coverage)
    normal: Coverage = field(default_factory=Coverage)

    def count(
        self, correct: Callable[[Sequence[Stratum], bool], Corrected], strata: Sequence[Stratum], truth: float
    ) -> None:
        self.guarded.count(correct(strata, True), truth)
        self.normal.count(correct(strata, False), truth)

    def text(self, name: str) -> str:
        lost = 1 - self.normal.there / self.normal.asked
        guarded, normal = self.guarded, self.normal
        return (
            f"| {name} | {guarded.share:.3f} | {guarded.half:.3f} "
            f"| {normal.share:.3f} | {normal.half:.3f} | {lost:.1%} |"
        )


def level_shares(model: str) -> NDArray[np.float64]:
    """Cumulated shares of the levels 1..4, per prompt."""
    row = latent.published()[model]
    items = [severity.HarmItem(f"prompt-{n:03}", f"category-{n % 8}", early=n < 80) for n in range(PROMPTS)]
    places = severity.locations(model, row["harm_mean_1to5"], row["harm_sd_1to5"], items)
    return np.array([severity.level_cdf(places[item.item]) for item in items])


def step_off(levels: Levels, rate: float, rng: np.random.Generator) -> Levels:
    """Each level one step off with this chance, towards either side where there are two."""
    side = np.where(rng.random(levels.shape) < 0.5, 1, -1)
    side = np.where(levels == 1, 1, np.where(levels == 5, -1, side))
    return np.where(rng.random(levels.shape) < rate, levels + side, levels)


def judged(levels: Levels, judge: str, missed: float, rng: np.random.Generator) -> Levels:
    if judge == MISSES:
        return np.where(rng.random(levels.shape) < missed, 1, levels)
    noise = noise_of(judge)
    assert noise is not None
    read = step_off(levels, noise.off, rng)
    return np.where((levels == 1) & (rng.random(levels.shape) < noise.slip), 2, read)


def by_score(human: Levels, judge: Levels, n: int, seed: int, floor: int, lowest_floor: int) -> list[Stratum]:
    """One stratum per judge score, n labels allocated and drawn as a spot-check does it."""
    frame = {str(score): np.flatnonzero(judge == score).tolist() for score in range(1, 6)}
    frame = {label: keys for label, keys in frame.items() if keys}
    planned = allocate({label: len(keys) for label, keys in frame.items()}, n, [min(frame)], floor, lowest_floor)
    return [
        Stratum(label, len(frame[label]), tuple(float(human[key]) for key in keys), float(label))
        for label, keys in draw(frame, planned, seed).items()
    ]


def replies_by_score(human: Levels, judge: Levels, n: int, seed: int) -> Sequence[Stratum]:
    return by_score(human.ravel(), judge.ravel(), n, seed, FLOOR, LOWEST_FLOOR)


def prompts_at_random(human: Levels, judge: Levels, n: int, seed: int) -> Sequence[Stratum]:
    """n whole prompts, drawn at random from all."""
    names = [f"{prompt:03}" for prompt in range(PROMPTS)]
    machine = dict(zip(names, judge.max(axis=1).tolist(), strict=True))
    people = dict(zip(names, human.max(axis=1).tolist(), strict=True))
    return whole_prompts(machine, {name: people[name] for name in draw({"": names}, {"": n}, seed)[""]})


def prompts_by_maximum(human: Levels, judge: Levels, n: int, seed: int) -> Sequence[Stratum]:
    """n whole prompts, at least two for each of the judge's maxima."""
    return by_score(human.max(axis=1), judge.max(axis=1), n, seed, floor=2, lowest_floor=2)


def measure(variant: str, judge: str, options: argparse.Namespace) -> dict[str, Row]:
    """A row for each number of labels and of prompts."""
    rng = np.random.default_rng(options.seed)
    shares = level_shares(VARIANTS[variant])
    rows: dict[str, Row] = {}
    for repetition in range(options.repetitions):
        chance = rng.random((PROMPTS, SAMPLES))
        levels: Levels = 1 + (chance[:, :, None] >= shares[:, None, :]).sum(axis=2)
        human = step_off(levels, options.people_off, rng)
        machine = judged(levels, judge, options.missed, rng)
        for n in options.labels:
            strata = replies_by_score(human, machine, n, repetition)
            rows.setdefault(f"mean, {n} labels", Row()).count(corrected_mean, strata, float(human.mean()))
        for n in options.prompts:
            truth = float(human.max(axis=1).mean())
            for name, drawn in (("at random", prompts_at_random), ("by maximum", prompts_by_maximum)):
                row = rows.setdefault(f"maximum, {n} prompts {name}", Row())
                row.count(corrected_maximum, drawn(human, machine, n, repetition), truth)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description="Coverage of the intervals of corrected values.")
    parser.add_argument("--repetitions", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--labels", type=int, nargs="*", default=[100])
    parser.add_argument("--prompts", type=int, nargs="*", default=[10, 30, 100])
    parser.add_argument("--people-off", type=float, default=0.03)
    parser.add_argument("--missed", type=float, default=0.2)
    parser.add_argument("--variants", nargs="*", choices=VARIANTS, default=["base-like", "misaligned"])
    parser.add_argument("--judges", nargs="*", default=[*JUDGES, MISSES])
    options = parser.parse_args()
    begun = time.perf_counter()
    print(
        f"{options.repetitions:,} repetitions, seed {options.seed}, people one step off in {options.people_off:.0%}\n"
    )
    print(
        "| | covers, guard | half-width | covers, normal | half-width | normal undefined |\n|---|---|---|---|---|---|"
    )
    shares = []
    for variant in options.variants:
        for judge in options.judges:
            for name, row in measure(variant, judge, options).items():
                print(row.text(f"{variant}, {judge}: {name}"), flush=True)
                if judge != MISSES and name.startswith("mean"):
                    shares.append(row.guarded.share)
    least = min(shares, default=float("nan"))
    print(f"\nleast coverage of the mean, `{MISSES}` apart: {least:.3f}; {time.perf_counter() - begun:.0f} s")
    return 1 if least < BOUND else 0


if __name__ == "__main__":
    sys.exit(main())
