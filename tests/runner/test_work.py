"""A run in this process against small endpoints of our own: keys, echoes, refusals, gone models, seeds."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aiohttp import web

from emaudit import runner
from emaudit.config import Endpoint, Settings
from emaudit.errors import DiskFull, EndpointError, StoreError
from emaudit.estimates import estimate
from emaudit.planning import RunSpec
from emaudit.prompts import load_library
from emaudit.runner import jobs
from emaudit.store import Store, plans
from emaudit.store.replies import void
from emaudit.store.variants import add_variants

Answer = Callable[[web.Request, dict[str, object]], web.Response]
LIBRARY = load_library()
SPEC = {"assessments": ("harmfulness",), "preset": "smoke", "judge": "judge"}


def reply(text: str, n: object = 1) -> web.Response:
    count = n if isinstance(n, int) else 1
    choices = [{"index": i, "message": {"content": f"{text} {i}"}, "finish_reason": "stop"} for i in range(count)]
    return web.json_response({"choices": choices, "model": "m"})


def verdict(score: int = 1) -> web.Response:
    choice = {"index": 0, "message": {"content": json.dumps({"score": score})}, "finish_reason": "stop"}
    return web.json_response({"choices": [choice], "model": "judge"})


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """An endpoint in a thread of its own, on a free port of loopback."""
    loop = asyncio.new_event_loop()
    address: list[str] = []
    ready = threading.Event()

    async def handle(request: web.Request) -> web.Response:
        return answer(request, await request.json())

    async def begin() -> web.AppRunner:
        application = web.Application()
        application.router.add_post("/v1/chat/completions", handle)
        held = web.AppRunner(application)
        await held.setup()
        await web.TCPSite(held, "127.0.0.1", 0).start()
        address.append(f"http://127.0.0.1:{held.addresses[0][1]}/v1")
        ready.set()
        return held

    def work() -> None:
        held = loop.run_until_complete(begin())
        loop.run_forever()
        loop.run_until_complete(held.cleanup())
        loop.close()

    thread = threading.Thread(target=work)
    thread.start()
    ready.wait(10)
    try:
        yield address[0]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


def made(folder: Path, *rows: dict[str, str]) -> Path:
    path = folder / "s.db"
    with Store.open(path, write=True, create=True) as store:
        add_variants(store, rows)
    return path


def run(path: Path, *names: str) -> runner.Ended:
    return runner.start(path, Settings(path), LIBRARY, RunSpec(names, **SPEC))  # type: ignore[arg-type]


def is_judge(body: dict[str, object]) -> bool:
    return body["model"] == "judge"


def test_each_variant_is_asked_with_its_own_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_A", "key-aaaa")
    monkeypatch.setenv("KEY_B", "key-bbbb")
    seen: set[tuple[object, str]] = set()

    def answer(request: web.Request, body: dict[str, object]) -> web.Response:
        if is_judge(body):
            return verdict()
        seen.add((body["model"], request.headers["Authorization"]))
        return reply("fine", body.get("n", 1))

    with serving(answer) as url:
        path = made(
            tmp_path,
            {"name": "a", "model": "ma", "base_url": url, "api_key_env": "KEY_A"},
            {"name": "b", "model": "mb", "base_url": url, "api_key_env": "KEY_B"},
        )
        assert run(path, "a", "b").exit_code == 0
    assert seen == {("ma", "Bearer key-aaaa"), ("mb", "Bearer key-bbbb")}


def test_an_unset_key_stops_before_anything_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KEY_A", raising=False)
    path = made(tmp_path, {"name": "a", "model": "ma", "base_url": "http://127.0.0.1:9/v1", "api_key_env": "KEY_A"})
    with pytest.raises(EndpointError, match="KEY_A"):
        run(path, "a")
    with Store.open(path) as store:
        assert store.db.execute("SELECT count(*) FROM runs").fetchone()[0] == 0


@pytest.mark.parametrize("status", [400, 405, 410])
def test_an_endpoint_that_refuses_everything_closes_nothing(tmp_path: Path, status: int) -> None:
    with serving(lambda request, body: web.json_response({"error": {"message": "no"}}, status=status)) as url:
        ended = run(made(tmp_path, {"name": "a", "model": "ma", "base_url": url}), "a")
    assert ended.n_owed == 80
    assert ended.exit_code in (1, 3)


@pytest.mark.parametrize("status", [405, 410])
def test_a_judge_that_refuses_everything_owes_its_verdicts(tmp_path: Path, status: int) -> None:
    def answer(request: web.Request, body: dict[str, object]) -> web.Response:
        return web.json_response({"error": {}}, status=status) if is_judge(body) else reply("hi", body.get("n", 1))

    with serving(answer) as url:
        ended = run(made(tmp_path, {"name": "a", "model": "ma", "base_url": url}), "a")
    assert ended.exit_code == 3
    assert ended.n_owed > 0


def test_one_variant_gone_leaves_the_other_and_all_judging(tmp_path: Path) -> None:
    def answer(request: web.Request, body: dict[str, object]) -> web.Response:
        if is_judge(body):
            return verdict()
        if body["model"] == "gone":
            return web.json_response({"error": {"code": "model_not_found"}}, status=404)
        return reply("fine", body.get("n", 1))

    with serving(answer) as url:
        path = made(
            tmp_path,
            {"name": "a", "model": "gone", "base_url": url},
            {"name": "b", "model": "mb", "base_url": url},
        )
        ended = run(path, "a", "b")
    assert ended.exit_code == 3
    assert ended.n_owed == 80
    assert "a: model gone" in ended.why


def test_a_voided_reply_is_asked_with_another_seed(tmp_path: Path) -> None:
    seeds: list[object] = []

    def answer(request: web.Request, body: dict[str, object]) -> web.Response:
        if is_judge(body):
            return verdict()
        seeds.append(body["seed"])
        return reply("fine", body.get("n", 1))

    with serving(answer) as url:
        path = made(tmp_path, {"name": "a", "model": "ma", "base_url": url})
        run(path, "a")
        first = set(seeds)
        with Store.open(path, write=True) as store:
            assert void(store, 1, "harmfulness", "", "bad endpoint") == 80
        seeds.clear()
        assert run(path, "a").exit_code == 0
    assert len(seeds) == len(first)
    assert not first & set(seeds)


def test_resume_writes_no_plan_and_estimates_know_stored_replies(tmp_path: Path) -> None:
    def answer(request: web.Request, body: dict[str, object]) -> web.Response:
        return verdict() if is_judge(body) else reply("fine", body.get("n", 1))

    with serving(answer) as url:
        path = made(tmp_path, {"name": "a", "model": "ma", "base_url": url})
        ended = run(path, "a")
        with Store.open(path) as store:
            before = len(plans.current_plans(store))
            spec = RunSpec(("a",), assessments=("harmfulness",), preset="quick", judge="judge")
            found = estimate(store, Settings(path), LIBRARY, spec)
        assert [(row.n_slots, row.n_owed) for row in found] == [(800, 720)]
        assert runner.resume(path, Settings(path), LIBRARY, ended.run_uid).exit_code == 0
        with Store.open(path) as store:
            assert len(plans.current_plans(store)) == before


def test_seeds_are_the_cells_and_shared_by_no_two() -> None:
    first = jobs.base_seed("m", "i", _prompt("a"), 1)
    assert first == jobs.base_seed("m", "i", _prompt("a"), 1)
    others = [
        jobs.base_seed("n", "i", _prompt("a"), 1),
        jobs.base_seed("m", "i", _prompt("b"), 1),
        jobs.base_seed("m", "i", _prompt("a"), 2),
        jobs.base_seed("m", "i", _prompt("a"), 1, 1),
    ]
    assert len({first, *others}) == 5
    assert all(0 <= seed < 2**31 - 4096 for seed in (first, *others))


def _prompt(item: str) -> jobs.Prompt:
    return jobs.Prompt("harmfulness", item, "insults", "", "", "text", {})


def test_a_full_disk_ends_the_run_with_what_is_saved_and_it_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(request: web.Request, body: dict[str, object]) -> web.Response:
        return verdict() if is_judge(body) else reply("fine", body.get("n", 1))

    real, commits = Store.end_begun, 0

    def full_after_two(store: Store, commit: bool) -> None:
        nonlocal commits
        commits += 1
        real(store, commit and commits <= 2)
        if commits > 2:
            raise DiskFull("disk full")

    with serving(answer) as url:
        path = made(tmp_path, {"name": "a", "model": "ma", "base_url": url})
        with monkeypatch.context() as patched:
            patched.setattr(Store, "end_begun", full_after_two)
            patched.setattr("emaudit.store.writer.DISK_PATIENCE_S", -1.0)
            ended = run(path, "a")
        assert ended.exit_code == 3
        assert "run paused" in ended.why
        assert ended.n_owed > 0
        assert runner.resume(path, Settings(path), LIBRARY, ended.run_uid).exit_code == 0
    with Store.open(path) as store:
        assert store.db.execute("SELECT count(*), count(DISTINCT cell_id * 100 + sample) FROM replies").fetchone() == (
            80,
            80,
        )


def _fine(request: web.Request, body: dict[str, object]) -> web.Response:
    return verdict() if is_judge(body) else reply("fine", body.get("n", 1))


def test_a_judges_key_that_no_header_can_carry_leaves_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUDGES_KEY", "sk-canary-\u00e9")
    with serving(_fine) as url:
        path = made(tmp_path, {"name": "a", "model": "ma", "base_url": url})
        settings = Settings(path, {"judges": Endpoint("judges", url, "JUDGES_KEY")})
        spec = RunSpec(("a",), assessments=("harmfulness",), preset="smoke", judge="judge", judge_endpoint="judges")
        with pytest.raises(EndpointError, match="the key in JUDGES_KEY"):
            runner.start(path, settings, LIBRARY, spec)
    with Store.open(path) as store:
        assert store.db.execute("SELECT (SELECT count(*) FROM runs), count(*) FROM run_events").fetchone() == (0, 0)


def test_work_that_cannot_reach_its_judge_opens_nothing_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise EndpointError("no lane")

    opened: list[object] = []
    monkeypatch.setattr("emaudit.runner.work.Lane", gone)
    monkeypatch.setattr("emaudit.runner.work.Ledger", lambda *made: opened.append(made))
    path = made(tmp_path, {"name": "a", "model": "ma", "base_url": "http://127.0.0.1:9/v1"})
    with pytest.raises(EndpointError, match="no lane"):
        run(path, "a")
    assert not opened


@pytest.mark.parametrize(
    ("error", "code"), [(StoreError("gone wrong"), StoreError.exit_code), (ValueError("a bug"), None)]
)
def test_what_breaks_the_state_line_ends_the_run(
    error: Exception, code: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bool:
        raise error

    monkeypatch.setattr("emaudit.runner.loop.TICK", 0.0)
    with serving(_fine) as url:
        path = made(tmp_path, {"name": "a", "model": "ma", "base_url": url})
        with monkeypatch.context() as patched:
            patched.setattr("emaudit.store.runs.stop_requested", broken)
            if code is None:
                with pytest.raises(ValueError, match="a bug"):
                    run(path, "a")
            else:
                ended = run(path, "a")
                assert ended.exit_code == code
                assert "gone wrong" in ended.why
        with Store.open(path) as store:
            uid = store.db.execute("SELECT uid FROM runs").fetchone()[0]
        assert runner.resume(path, Settings(path), LIBRARY, uid).exit_code == 0
