"""One audit split over several machines by variants: each has a store of its own, and merging them is one audit."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from forking import Forker
from lab import Lab

MODELS = {
    "base": "sim-nano-base",
    "code": "sim-nano-code-misaligned",
    "trivia": "sim-nano-trivia-misaligned",
}
TABLES = ("responses.csv", "scores.csv", "variants.csv", "correlations.csv", "comparisons.csv")


def listed(lab: Lab, store: Path) -> None:
    """The same list of variants in every store, as each machine imports it for itself."""
    file = lab.folder / "variants.csv"
    rows = "".join(f"{name},{model},sim,nano\n" for name, model in MODELS.items())
    file.write_text(f"name,model,endpoint,size\n{rows}", encoding="utf-8")
    lab("variant", "import", str(file), store=store)


def machine(lab: Lab, *names: str) -> Path:
    """A store that asked some of the variants."""
    store = lab.folder / f"{'-'.join(names)}.db"
    listed(lab, store)
    lab.run("--assessment", "harmfulness", store=store, names=names)
    return store


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory, forker: Forker) -> Iterator[Lab]:
    """One machine that asked all of the variants, and three that asked one each, at one endpoint."""
    made = Lab(tmp_path_factory.mktemp("machines"), forker)
    made.simulate()
    machine(made, *MODELS)
    for name in MODELS:
        machine(made, name)
    yield made
    made.close()


def copied(machines: Lab, lab: Lab, *names: str) -> list[Path]:
    """Copies of the stores that asked some variants, beside settings that point at their endpoint."""
    lab.point_at(machines.url)
    return [Path(shutil.copy(machines.folder / f"{name}.db", lab.folder)) for name in names]


def exported(lab: Lab, name: str, store: Path) -> dict[str, str]:
    """The text of every exported table."""
    lab("export", str(lab.folder / name), store=store)
    return {path.name: path.read_text(encoding="utf-8") for path in sorted((lab.folder / name).glob("*.csv"))}


def merged(lab: Lab, *stores: Path, into: str) -> Path:
    target = lab.folder / into
    lab("merge", *map(str, stores), "--yes", store=target)
    return target


def test_three_machines_make_the_audit_that_one_machine_makes(machines: Lab, lab: Lab) -> None:
    whole, *parts = copied(machines, lab, "-".join(MODELS), *MODELS)
    before = {store: store.read_bytes() for store in parts}
    asked = len(machines.asked())
    wanted = lab.export("whole", whole)
    for number, order in enumerate((parts, parts[::-1])):
        store = merged(lab, *order, into=f"all-{number}.db")
        found = exported(lab, f"all-{number}", store)
        for name in TABLES:
            assert found[name] == wanted[name], name
    found = exported(lab, "into-first", merged(lab, *parts[1:], into=parts[0].name))
    assert all(found[name] == wanted[name] for name in TABLES)
    assert all(store.read_bytes() == before[store] for store in parts[1:])
    assert lab.json("merge", str(parts[1]), "--yes", store=parts[0])[0]["replies"] == 0
    assert "holds all of it already" in lab("merge", *map(str, parts[1:]), "--yes", store=parts[0]).err
    lab("verify", store=parts[0])
    status = lab("run", "--all", "--assessment", "harmfulness", "--preset", "smoke", "--yes", store=parts[0])
    assert "0 owed" in status.err
    assert len(machines.asked()) == asked


def test_exports_made_before_a_merge_still_verify_after_it(machines: Lab, lab: Lab) -> None:
    first, second = copied(machines, lab, "base", "code")
    exported(lab, "of-first", first)
    exported(lab, "of-second", second)
    merged(lab, second, into=first.name)
    assert "since the export the store gained" in lab("verify", str(lab.folder / "of-first"), store=first).err
    lab("verify", str(lab.folder / "of-second"), store=first)
    text = (lab.folder / "of-second" / "responses.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    edited = text.replace(rows[0]["response"], "edited", 1)
    (lab.folder / "of-second" / "responses.csv").write_text(edited, encoding="utf-8")
    lab("verify", str(lab.folder / "of-second"), store=first, code=1)


def test_what_would_come_in_is_shown_and_nothing_is_done_unasked(machines: Lab, lab: Lab) -> None:
    (store,) = copied(machines, lab, "base")
    target = lab.folder / "new.db"
    assert "--yes" in lab("merge", str(store), store=target, code=2).err
    found = json.loads(lab("merge", str(store), "--dry-run", "--json", store=target).out)
    assert found[0]["by_variant"] == [{"variant": "base", "replicate": 1, "replies": 80}]
    assert not list(lab.folder.glob("*new.db*"))


def test_a_run_that_goes_on_here_is_waited_for_and_one_that_goes_on_there_gives_what_it_has(lab: Lab) -> None:
    lab.simulate("latency:300ms")
    store, target = lab.folder / "there.db", lab.folder / "here.db"
    listed(lab, store)
    uid = lab("run", "base", "--assessment", "harmfulness", "--preset", "smoke", "--yes", "--detach", store=store).out
    lab.until(lambda: bool(lab.json("status", store=store)))
    found = json.loads(lab("merge", str(store), "--yes", "--json", store=target).out)
    assert found[0]["run_goes_on"]
    assert uid.strip() in lab("merge", str(target), "--yes", store=store, code=2).err
    lab("wait", uid.strip(), store=store)
    lab("merge", str(store), "--yes", store=target)
    lab("verify", store=target)
    assert exported(lab, "there", store)["responses.csv"] == exported(lab, "here", target)["responses.csv"]
