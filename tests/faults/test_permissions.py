"""Whose files they are: nobody else's from the first byte, never through a link that someone else laid."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from lab import Lab

RUN = ("run", "v", "--assessment", "harmfulness", "--preset", "smoke", "--yes")
PRECIOUS = '{"pid": 0}\n'


@pytest.fixture(autouse=True)
def _open_to_all() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, str]:
    """What others may do with what lies in a folder."""
    return {
        str(path.relative_to(folder)): f"{path.lstat().st_mode & 0o777:o}"
        for path in folder.rglob("*")
        if not path.is_symlink() and path.lstat().st_mode & 0o077
    }


def test_everything_written_is_its_users_alone(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> None:
    lab.simulate()
    lab.config.chmod(0o600)
    made = tmp_path_factory.mktemp("made")
    lab.store = made / "new" / "s.db"
    lab.environment |= {"HOME": str(made), "XDG_CACHE_HOME": str(made / "cache"), "XDG_STATE_HOME": str(made / "state")}
    lab("--config", str(made / "emaudit.toml"), "init", code=None)
    lab.add()
    lab(*RUN)
    uid = lab(*RUN, "--new", "--detach").out.strip()
    lab("wait", uid)
    lab("scores", "--preset", "smoke")
    lab("backup", str(made / "copy.db"))
    lab("export", str(made / "out"), "--preset", "smoke")
    found = {path.name for path in made.rglob("*")}
    assert {"s.db", "s.db.lock", f"run-{uid}.log", f"run-{uid}", "copy.db", "responses.csv", "summaries"} <= found
    assert modes(made) == {}


def test_a_link_to_a_store_is_that_store_with_its_own_lock_and_log(lab: Lab) -> None:
    lab.simulate()
    lab.add()
    link = lab.folder / "elsewhere" / "link.db"
    link.parent.mkdir()
    link.symlink_to(lab.store)
    uid = lab(*RUN, "--detach", store=link).out.strip()
    lab("wait", uid, store=link)
    assert [path.name for path in link.parent.iterdir()] == ["link.db"]
    assert lab.json("status")[-1]["log"] == lab.json("status", store=link)[-1]["log"] != ""


def test_a_store_with_two_names_is_not_written(lab: Lab) -> None:
    lab.simulate()
    lab.add()
    other = lab.folder / "other.db"
    other.hardlink_to(lab.store)
    assert "second name (a hard link)" in lab(*RUN, code=2, store=other).err
    assert lab.asked() == []
    lab("variant", "list")
    other.unlink()
    lab(*RUN)


def test_a_store_made_by_a_process_that_was_killed_in_between_is_written(lab: Lab) -> None:
    lab.simulate()
    lab.add()
    left = lab.folder / ".s.db.0123abcd.part"
    left.hardlink_to(lab.store)
    lab(*RUN)
    assert not left.exists()


def test_a_link_where_a_file_of_the_store_belongs_is_not_followed(lab: Lab) -> None:
    from emaudit import detached
    from emaudit.errors import StoreError

    lab.simulate()
    lab.add()
    target = lab.folder / "precious"
    target.write_text(PRECIOUS, encoding="utf-8")
    for name in ("s.db.lock", "s.db.leases/run-cafe0123", "s.db.logs/run-cafe0123.log"):
        laid = lab.folder / name
        laid.parent.mkdir(exist_ok=True)
        laid.unlink(missing_ok=True)
        laid.symlink_to(target)
        if name.endswith(".log"):
            with pytest.raises(StoreError, match="no log file at"):
                detached._spawn(["true"], laid)
        else:
            more = ("--run-uid", "cafe0123") if "leases" in name else ()
            assert "is a link" in lab(*RUN, *more, code=2).err
        assert target.read_text(encoding="utf-8") == PRECIOUS
        laid.unlink()


def test_an_export_replaces_a_link_and_leaves_what_it_led_to(lab: Lab) -> None:
    lab.simulate()
    lab.add()
    lab(*RUN)
    target, out = lab.folder / "precious", lab.folder / "out"
    target.write_text(PRECIOUS, encoding="utf-8")
    out.mkdir()
    for name in ("responses.csv", "manifest.json"):
        (out / name).symlink_to(target)
    lab("export", str(out), "--preset", "smoke")
    assert target.read_text(encoding="utf-8") == PRECIOUS
    assert not (out / "responses.csv").is_symlink()
    assert len((out / "responses.csv").read_text(encoding="utf-8")) > 1000


def test_settings_that_others_may_write_are_told(lab: Lab) -> None:
    lab.simulate()
    lab.config.chmod(0o620)
    assert "others may write" in lab("doctor", code=None).out
    lab.config.chmod(0o640)
    assert "others may write" not in lab("doctor", code=None).out
