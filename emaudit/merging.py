"""Stores of several machines, or of several auditors, into one: what is checked before, and what is refused.

Sources are only read. Everything comes in by one transaction, or nothing does.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from emaudit.errors import RunHeld, StoreError, UsageError
from emaudit.store import file, runs, schema, variants
from emaudit.store.chains import chain_problems
from emaudit.store.connection import Store
from emaudit.store.copies import copy_checked
from emaudit.store.merge import bringing
from emaudit.store.merge.bringing import Coming
from emaudit.store.merge.known import Known, known
from emaudit.store.merge.parts import held_part
from emaudit.variants import check_lineage

_TOLD = ("size", "domain", "stage", "parent", "hidden", "dataset", "n_examples", "epochs", "job_id")
"""Facts of a variant of which a merge says where two stores differ."""
_FEW = 5


@dataclass(frozen=True, slots=True)
class Source:
    """One store to merge: the file that was named, the file that is read, and what it says of itself."""

    path: Path
    readable: Path
    immutable: bool
    store_id: str
    kind: str
    is_live: bool


@dataclass(frozen=True, slots=True)
class Merged:
    """What one source brings. `replies` are (variant, replicate, how many); `notes` are worth saying."""

    source: Source
    coming: Coming
    replies: Sequence[tuple[str, int, int]]
    notes: Sequence[str]


class _Unkept(Exception):
    """Ends a transaction of which nothing stays."""


def merge(
    path: Path, paths: Sequence[Path], keep_both: bool = False, agreed: Callable[[Sequence[Merged]], bool] | None = None
) -> list[Merged]:
    """Merge stores into the one at a path, which is made if it is missing; returns what each brought.

    `agreed` is shown what would come in before anything does, and may say no: UsageError. Raises UsageError where
    stores contradict each other, StoreError where one cannot be read, RunHeld where a run goes on in the target,
    DiskFull; then nothing of any source is kept.
    """
    if len(paths) > bringing.MOST:
        raise UsageError(f"{len(paths)} stores at once are too many: merge at most {bringing.MOST} at a time")
    with contextlib.ExitStack() as stack:
        sources = [stack.enter_context(_prepared(found, path)) for found in paths]
        store = stack.enter_context(_target(path))
        _check_kinds(store, sources)
        if agreed is not None and not agreed(_all(store, path, sources, keep_both, rehearse=True)):
            raise UsageError("nothing was merged")
        return _all(store, path, sources, keep_both, rehearse=False)


@contextlib.contextmanager
def _prepared(path: Path, target: Path) -> Iterator[Source]:
    """A source as it can be read: itself, or a copy where it is of an older schema or its folder is read-only."""
    if path.exists() and target.exists() and path.samefile(target):
        raise UsageError(f"{path} is the store that is merged into: name other ones")
    is_older = file.check_file(path) < schema.SCHEMA_VERSION
    log = path.with_name(path.name + "-wal")
    is_cut_off = not os.access(path.parent, os.W_OK) and log.exists() and log.stat().st_size > 0
    with contextlib.ExitStack() as stack:
        readable = path.absolute()
        if is_older or is_cut_off:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="emaudit-merge-"))
            readable = _copied(path, Path(folder), with_log=is_cut_off)
        with Store.open(readable) as store:
            store.quick_check()
            _check_chains(store, path)
            is_live = any(runs.holder(Store(path, store.db, False), run) is not None for run in runs.runs(store))
            immutable = not os.access(readable.parent, os.W_OK)
            yield Source(path, readable, immutable, store.store_id, store.kind, is_live)


def _check_chains(store: Store, path: Path) -> None:
    """Rows that were changed by hand would stay in the target for good: nothing can be taken out of it again."""
    if problem := next(chain_problems(store), None):
        raise StoreError(
            f"{path} does not hold what was received ({problem.place}, {problem.row}: {problem.what}): "
            f"`emaudit verify --store {path}` names every such row; nothing was merged"
        )


def _copied(path: Path, folder: Path, with_log: bool) -> Path:
    copy = folder / path.name
    if with_log:
        for name in (path.name, path.name + "-wal"):
            shutil.copyfile(path.with_name(name), folder / name)
            (folder / name).chmod(0o600)
        return copy
    db = file.connect(path, "mode=ro" if os.access(path.parent, os.W_OK) else "immutable=1")
    try:
        copy_checked(db, copy)
    finally:
        db.close()
    return copy


@contextlib.contextmanager
def _target(path: Path) -> Iterator[Store]:
    """The store to merge into; a new one gets its name only when all of it is there."""
    if path.exists():
        with Store.open(path, write=True) as store:
            _check_idle(store)
            yield store
        return
    with held_part(path.absolute()) as part:
        file.create(part)
        with Store.open(part, write=True) as store:
            yield store
        try:
            path.hardlink_to(part)
        except FileExistsError:
            raise StoreError(f"{path} was made by another process meanwhile: merge again") from None
        except OSError as error:
            raise StoreError(f"no store can be made at {path}: {error.strerror}") from error
        file.sync(part.parent)


def _check_idle(store: Store) -> None:
    for run in runs.runs(store):
        if runs.holder(store, run) is not None:
            raise RunHeld(
                f"run {run.uid} goes on in {store.path.name}: wait for it (`emaudit wait {run.uid}`) or stop it "
                "(`emaudit stop`), then merge"
            )


def _check_kinds(store: Store, sources: Sequence[Source]) -> None:
    kinds = {store.kind: store.path.name} if store.kind else {}
    for source in sources:
        if source.kind:
            kinds.setdefault(source.kind, source.path.name)
    if len(kinds) > 1:
        raise StoreError(
            f"{kinds['simulated']} holds simulated replies and {kinds['real']} real ones: they never share a store"
        )


def _all(store: Store, path: Path, sources: Sequence[Source], keep_both: bool, rehearse: bool) -> list[Merged]:
    """What each source brings; nothing is kept of a rehearsal, which writes all but the last: they may contradict."""
    found: list[Merged] = []
    names: list[str] = []
    with bringing.detaching(store.db, names), contextlib.suppress(_Unkept), store.transaction() as db:
        _check_idle(store)
        for place, source in enumerate(sources):
            names.append(bringing.attach(db, place, source.readable, source.immutable))
            is_last = place == len(sources) - 1
            found.append(_one(store, path, source, names[-1], keep_both, rehearse and is_last))
        if rehearse or all(merged.coming.is_nothing for merged in found):
            raise _Unkept
    return found


def _one(store: Store, path: Path, source: Source, name: str, keep_both: bool, rehearse: bool) -> Merged:
    db = store.db
    ours, theirs = known(db), known(db, name)
    matched = _matched(ours, theirs, path, source.path)
    notes = _notes(ours, theirs, matched, source)
    coming = bringing.bring(db, name, matched, keep_both, rehearse)
    rows = {row.variant_id: row for row in known(db)}
    if not keep_both:
        _refuse_both(coming, rows, source)
    _check_names(store, source)
    if coming.doubled.n:
        notes.append(f"{coming.doubled.n:,} verdicts are of judges that judged the same replies here: they stay apart")
    replies = [(rows[number].name, replicate, n) for (number, replicate), n in coming.replies.items()]
    return Merged(source, coming, sorted(replies), notes)


def _matched(ours: Sequence[Known], theirs: Sequence[Known], store: Path, source: Path) -> dict[int, int]:
    """Which variants of a source are the store's own: known by an id, or of the same name, model and endpoint.

    Raises UsageError where a name stands for two different models.
    """
    by_uid = {uid: row for row in ours for uid in row.uids}
    by_name = {row.name: row for row in ours}
    found: dict[int, int] = {}
    for row in theirs:
        same = next((by_uid[uid] for uid in sorted(row.uids) if uid in by_uid), None) or by_name.get(row.name)
        if same is None:
            continue
        for field in ("model", "endpoint"):
            here, there = same.facts.get(field, ""), row.facts.get(field, "")
            if here != there:
                raise UsageError(
                    f"variant {row.name!r} has {field} {here or 'none'!r} in {store.name} and {there or 'none'!r} in "
                    f"{source}: rename one of them (`emaudit variant rename {row.name} OTHER` in its store), then merge"
                )
        if same.variant_id in found.values():
            raise UsageError(
                f"two variants of {source} are {same.name!r} of {store.name}: rename one there "
                f"(`emaudit variant rename`), then merge"
            )
        found[row.variant_id] = same.variant_id
    return found


def _notes(ours: Sequence[Known], theirs: Sequence[Known], matched: Mapping[int, int], source: Source) -> list[str]:
    held = {row.variant_id: row for row in ours}
    notes = []
    if source.is_live:
        notes.append("a run goes on there: what it has stored until now comes in; merge again when it has ended")
    for row in theirs:
        if row.variant_id not in matched:
            continue
        same = held[matched[row.variant_id]]
        for field in ("name", *_TOLD):
            here, there = same.facts.get(field, ""), row.facts.get(field, "")
            if here != there:
                words = f"{here or 'none'!r} here, {there or 'none'!r} there"
                notes.append(f"{field} of {same.name} is {words}: what was said last holds")
    return notes


def _refuse_both(coming: Coming, rows: Mapping[int, Known], source: Source) -> None:
    """Raise UsageError where both stores hold replies for the same slots, or verdicts that differ."""
    what = [
        f"{clash.n_replies:,} of {rows[clash.variant_id].name!r}, {clash.assessment}, replicate {clash.replicate}"
        for clash in coming.clashes
    ]
    if what:
        more = f" and {len(what) - _FEW} more" if len(what) > _FEW else ""
        raise UsageError(
            f"{source.path} holds other replies for slots that have one here: {'; '.join(what[:_FEW])}{more}; "
            "give --keep-both to bring them in as a replicate of their own"
        )
    if coming.doubled.n_other:
        raise UsageError(
            f"{source.path} holds {coming.doubled.n_other:,} verdicts that say otherwise than those of the same judge "
            "on the same replies here; give --keep-both to keep them apart, where they count in no table"
        )


def _check_names(store: Store, source: Source) -> None:
    """Hold the variants as they would be against each other. Raises UsageError."""
    rows = variants.variants(store, hidden=True)
    names = [row.name for row in rows]
    for name in sorted(set(names)):
        if names.count(name) > 1:
            raise UsageError(
                f"two variants would be named {name!r} after {source.path}: rename one of them in its store "
                "(`emaudit variant rename`), then merge"
            )
    check_lineage({row.name: row.parent for row in rows})
