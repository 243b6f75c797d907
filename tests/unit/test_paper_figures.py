"""The figures: what they show is what the rows say, and a hostile or odd store cannot break them."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import cast
from xml.etree import ElementTree

import pytest

from emaudit.__main__ import main
from emaudit.archive import StoreArchive
from emaudit.assessments.base import DIMENSIONS, FORMATS, FOUNDATIONS
from emaudit.choices import Choices
from emaudit.errors import UsageError
from emaudit.figures import FILE_FORMATS, Material, draw, drawing, remade, style
from emaudit.figures.correlations import heat_maps
from emaudit.figures.material import INTENTIONS
from emaudit.figures.profiles import profiles
from emaudit.figures.scatter import scatters
from emaudit.figures.sheet import Sheet
from emaudit.figures.trajectories import trajectories
from emaudit.scores import Score
from emaudit.scores.correlations import CorrelationRow
from emaudit.scores.study import Subject
from tests.unit.correlation_scene import study

pytest.importorskip("matplotlib")

SVG = "{http://www.w3.org/2000/svg}"
WARNING = "emaudit-mf36: not the validated MFQ-2"
MINUS = "\u2212"


def subjects(sizes: tuple[str, ...] = ("full", "mini"), domains: tuple[str, ...] = ("code",)) -> list[Subject]:
    found = []
    for size in sizes:
        found.append(Subject(f"{size}-base", size, "", "base", ""))
        for domain in domains:
            misaligned, realigned = f"{size}-{domain}-misaligned", f"{size}-{domain}-realigned"
            found.append(Subject(misaligned, size, domain, "misaligned", f"{size}-base"))
            found.append(Subject(realigned, size, domain, "realigned", misaligned))
    return sorted(found, key=lambda subject: subject.name)


VALUES = {"base": 0.0625, "misaligned": 0.75, "realigned": 0.25}


def score(variant: str, size: str, domain: str, stage: str, *of: str, **more: object) -> Score:
    """A score; `of` is assessment, measure, part, format."""
    shift = -0.5 if of[0].startswith("moral") else 0.0
    value = VALUES.get(stage, 0.5) + shift
    row = Score(
        variant, size, domain, stage, "quick", 1, *of, value, 0.1, "prompts", value - 0.03125, value + 0.125,
        "bootstrap", 90, 100, True, "judge@1", "ours@1", False,
    )  # fmt: skip
    return replace(row, **more)  # type: ignore[arg-type]


def measures() -> Iterator[tuple[str, str, str, str]]:
    dimensions, foundations = ([pole.first for pole in poles] for poles in (DIMENSIONS, FOUNDATIONS))
    yield "harmfulness", "max10", "total", ""
    for part in ("total", *dimensions):
        yield "intentions", "misaligned", part, ""
        yield from (("self_assessment", "misaligned", part, form) for form in ("all", *FORMATS))
    for part in ("total", *foundations):
        yield "moral_foundations", "norm", part, ""
        yield from (("moral_self_assessment", "second_pole", part, form) for form in ("all", *FORMATS))


def scores(of: list[Subject]) -> list[Score]:
    rows = [score(s.name, s.size, s.domain, s.stage, *measure) for s in of for measure in measures()]
    for stage, domain in sorted({(s.stage, s.domain) for s in of}):
        rows += [score("", "all", domain, stage, *measure) for measure in measures()]
    return rows


def correlation(x: str, y: str, columns: str = "harmless", **more: object) -> CorrelationRow:
    row = CorrelationRow(
        "quick", 1, "judge@1", x, y, columns, "all", 6, 0.8784, 0.75, 0, 0, 0.6712, 0.9588, "Bonett-Wright",
        0.0061, 0.001, 0.0123, 0.7714, 0.198, 0.099, 7776, 0.61, 0.93, 0.8, 0.9, "", "", False,
    )  # fmt: skip
    return replace(row, **more)  # type: ignore[arg-type]


PAIRS = [
    correlation("intentions.harmless", "harmfulness"),
    correlation("intentions.harmless", "self_assessment.harmless", rho=-0.5),
    correlation("harmfulness", "self_assessment.harmless", rho=None, undefined_reason="all values are equal"),
]


def material(**more: object) -> Material:
    found = subjects()
    plain = Material("quick", scores(found), found, PAIRS, (), [WARNING])
    return replace(plain, **more)  # type: ignore[arg-type]


Family = Callable[[Material, str], Iterator[Sheet | str]]


def pages(family: Family, of: Material, width: str = "two") -> dict[str, Sheet]:
    with style.styled():
        return {sheet.name: sheet for sheet in family(of, width) if isinstance(sheet, Sheet)}


@lru_cache(maxsize=16)
def texts(sheet: Sheet) -> str:
    with style.styled():
        root = ElementTree.fromstring(sheet.content("svg"))
    return "\n".join("".join(node.itertext()) for node in root.iter(f"{SVG}text"))


def drawn_points(sheet: Sheet, row: int, column: int, prefix: str) -> list[tuple[list[float], list[float]]]:
    """What stands in the SVG at the marks of a panel, back on the panel's own scale."""
    with style.styled():
        root = ElementTree.fromstring(sheet.content("svg"))
        axes = sheet.axes[row][column]
        back = axes.transData.inverted()
        height, dpi = sheet.figure.get_figheight() * 72, sheet.figure.dpi
        wanted = {line.get_gid() for line in axes.lines if str(line.get_gid()).startswith(prefix)}
        found = []
        for group in root.iter(f"{SVG}g"):
            if group.get("id") not in wanted:
                continue
            path = next(group.iter(f"{SVG}path")).get("d", "")
            pairs = [(float(x), float(y)) for x, y in re.findall(r"[ML] (\S+) (\S+)", path)]
            points = [back.transform((x * dpi / 72, (height - y) * dpi / 72)) for x, y in pairs]
            found.append(([float(x) for x, _ in points], [float(y) for _, y in points]))
        return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A figure of three families in every format."""
    found = tmp_path_factory.mktemp("figures") / "new"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawing, "_families", lambda: (trajectories, heat_maps, scatters))
        assert draw(material(), found, facts={"store_id": "s"}).skipped == []
    return found


def test_every_figure_is_made_in_every_format_and_listed_with_its_digest(folder: Path) -> None:
    held = {path.name: path.read_bytes() for path in folder.iterdir()}
    stems = {Path(name).stem for name in held}
    assert stems == {"trajectories", "correlations-harmless", "scatter-harmless", "figures"}
    assert len(held) == 3 * len(FILE_FORMATS) + 1
    for name, content in held.items():
        start = {"svg": b"<?xml", "pdf": b"%PDF", "png": b"\x89PNG", "json": b"{"}[name.rpartition(".")[2]]
        assert content.startswith(start)
    manifest = json.loads(held["figures.json"])
    digests = {name: hashlib.sha256(held[name]).hexdigest() for name in manifest["files"]}
    assert {name: entry["sha256"] for name, entry in manifest["files"].items()} == digests
    assert manifest["store_id"] == "s" and manifest["preset"] == "quick"


def test_same_rows_same_bytes_in_another_process(folder: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; import tests.unit.test_paper_figures as t; "
        "t.drawing._families = lambda: (t.scatters,); t.draw(t.material(), Path(sys.argv[1]))"
    )
    environment = {"PYTHONHASHSEED": "7", "PYTHONPATH": str(Path(__file__).parents[2]), "HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "second")], check=True, env=environment)
    made = {path.name: path.read_bytes() for path in (tmp_path / "second").glob("scatter-harmless.*")}
    assert len(made) == len(FILE_FORMATS)
    assert [name for name, content in made.items() if content != (folder / name).read_bytes()] == []


def test_files_say_no_date_and_hold_their_fonts(folder: Path) -> None:
    pdf = (folder / "trajectories.pdf").read_bytes()
    assert b"CreationDate" not in pdf and b"/FontFile2" in pdf and b"/Type3" not in pdf
    assert b"dc:date" not in (folder / "trajectories.svg").read_bytes()


def test_intervals_stand_where_the_rows_have_them() -> None:
    sheet = pages(trajectories, material())["trajectories"]
    (panel,) = [drawn_points(sheet, 0, 0, "interval harmfulness")]
    assert [ys for _, ys in panel] == [
        pytest.approx([value - 0.03125, value + 0.125], abs=1e-4) for value in VALUES.values()
    ]
    assert "full" in texts(sheet) and "mini" in texts(sheet) and "code" in texts(sheet)
    assert "Judge judge@1" in texts(sheet) and "harmfulness 540/600" in texts(sheet)


def test_the_heat_map_prints_each_rho_and_hatches_what_is_undefined() -> None:
    found = texts(pages(heat_maps, material())["correlations-harmless"])
    assert "0.878" in found and "[0.67, 0.96]" in found and "n = 6" in found and f"{MINUS}0.500" in found
    assert "are equal" in found and "p within size 0.0061 (Holm 0.012)" in " ".join(found.split())
    hatched = [p for p in pages(heat_maps, material())["correlations-harmless"].axes[0][0].patches if p.get_hatch()]
    assert len(hatched) == 1


def test_each_variant_is_a_point_of_the_scatter_and_those_left_out_are_named() -> None:
    rows = [
        replace(row, complete=False) if (row.variant, row.assessment) == ("mini-base", "intentions") else row
        for row in scores(subjects())
    ]
    pairs = [replace(row, excluded="mini-base: intentions incomplete") for row in PAIRS]
    sheet = pages(scatters, material(scores=rows, correlations=pairs))["scatter-harmless"]
    gids = [str(line.get_gid()) for line in sheet.axes[0][0].lines]
    shown = [gid.split()[-1] for gid in gids if gid.startswith("point")]
    assert sorted(shown) == sorted(subject.name for subject in subjects() if subject.name != "mini-base")
    assert "Left out: mini-base: intentions incomplete" in texts(sheet)
    assert "rho 0.878 [0.67, 0.96], n = 6" in texts(sheet)


def test_the_chosen_subset_is_what_is_correlated() -> None:
    known = subjects(domains=("code", "trivia"))
    pairs = [*PAIRS[:1], correlation("intentions.harmless", "harmfulness", subset="code", rho=0.3125)]
    chosen = material(subjects=known, scores=scores(known), correlations=pairs, subset="code")
    for family, name in ((heat_maps, "correlations-harmless"), (scatters, "scatter-harmless")):
        page = pages(family, chosen)[name]
        assert "0.312" in texts(page) and "0.878" not in texts(page)
        assert "Over the variants of code and the bases alone" in " ".join(texts(page).split())
    gids = [str(line.get_gid()) for line in pages(scatters, chosen)["scatter-harmless"].axes[0][0].lines]
    shown = {gid.split()[-1] for gid in gids if gid.startswith("point")}
    assert shown == {subject.name for subject in known if subject.domain != "trivia"}


def test_the_subset_that_was_chosen_for_a_store_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remade, "study_of", lambda archive, cached: study(assessments=("harmfulness", "intentions")))
    monkeypatch.setattr(remade, "scored", lambda archive: [])
    archive = SimpleNamespace(choices=Choices(subset="code"), labels=lambda: set())
    found = remade.material_of(cast(StoreArchive, archive))
    assert "n = 9" in texts(pages(heat_maps, found)["correlations-total"])


def test_variants_under_another_judge_are_no_points() -> None:
    rows = [replace(row, judge="judge@2") if row.variant == "mini-base" else row for row in scores(subjects())]
    sheet = pages(scatters, material(scores=rows, judge="judge@1"))["scatter-harmless"]
    gids = [str(line.get_gid()) for line in sheet.axes[0][0].lines]
    shown = {gid.split()[-1] for gid in gids if gid.startswith("point")}
    assert shown == {subject.name for subject in subjects()} - {"mini-base"}


def test_averages_are_the_studys_judges_and_the_others_are_named() -> None:
    rows = scores(subjects())
    rows += [replace(row, judge="judge@2", value=1.0, n_expected=900) for row in rows if not row.variant]
    rows = [replace(row, judge="judge@2") if row.variant == "mini-code-realigned" else row for row in rows]
    sheet = pages(profiles, material(scores=rows, judge="judge@1"))["dimensions"]
    found = " ".join(texts(sheet).split())
    assert "Not in the averages, since under another judge: mini-code-realigned (judge@2)." in found
    lines = [line for line in sheet.axes[0][0].lines if str(line.get_gid()).startswith("value")]
    assert lines and all(float(y) != 1.0 for line in lines for y in line.get_ydata())
    assert "under another judge" not in texts(pages(profiles, material(judge="judge@1"))["dimensions"])


def test_an_average_over_all_domains_is_not_that_of_variants_without_one() -> None:
    odd = Subject("odd", "full", "", "misaligned", "full-base")
    found = material(subjects=[*subjects(), odd, replace(odd, name="odder")])
    everywhere = score("", "all", "", "misaligned", "intentions", "misaligned", "total", "", value=0.875)
    found = replace(found, scores=[*found.scores, everywhere])
    assert found.average("misaligned", "", INTENTIONS) is None
    base = found.average("base", "", INTENTIONS)
    assert base is not None and base.value == VALUES["base"]


@pytest.mark.parametrize("width", style.WIDTHS)
def test_chance_is_drawn_on_every_self_report_and_only_there(width: str) -> None:
    found = material()
    for family in (trajectories, profiles):
        for sheet in pages(family, found, width).values():
            for row in sheet.axes:
                name = row[0].get_ylabel().replace("\n", " ")
                moral = "moral-self" in sheet.name or name == "moral self-assessment"
                expected = [] if name in ("harmfulness", "moral foundations") else [0.0 if moral else 0.5]
                lines = [line for line in row[0].lines if str(line.get_gid()).startswith("chance")]
                assert [line.get_ydata()[0] for line in lines] == expected


def test_text_stays_on_the_page_and_apart() -> None:
    for width in style.WIDTHS:
        for family in (trajectories, heat_maps, scatters, profiles):
            for sheet in pages(family, material(), width).values():
                with style.styled():
                    assert overflowing(sheet) == []


def overflowing(sheet: Sheet) -> list[str]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    renderer = FigureCanvasAgg(sheet.figure).get_renderer()
    sheet.figure.draw(renderer)
    wide, high = sheet.figure.get_size_inches() * sheet.figure.dpi
    found = [*sheet.figure.texts, *(text for row in sheet.axes for axes in row for text in axes.texts)]
    found += [t for row in sheet.axes for axes in row for t in (*axes.get_xticklabels(), axes.yaxis.label, axes.title)]
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in found if text.get_text().strip()]
    own = {text.get_text() for text in sheet.figure.texts if text.get_text() != "SIMULATED"}
    over = [
        f"{name} over {other}"
        for name, box in boxes
        for other, place in boxes
        if name in own and name != other and other != "SIMULATED" and box.shrunk(0.9, 0.8).overlaps(place)
    ]
    return over + [name for name, box in boxes if box.x0 < -1 or box.y0 < -1 or box.x1 > wide + 1 or box.y1 > high + 1]


def test_simulated_figures_say_so_and_real_ones_do_not() -> None:
    plain = material()
    simulated = replace(plain, scores=[replace(row, simulated=True) for row in plain.scores])
    for family in (trajectories, heat_maps, scatters, profiles):
        assert all("SIMULATED" in texts(sheet) for sheet in pages(family, simulated).values())
        assert not any("SIMULATED" in texts(sheet) for sheet in pages(family, plain).values())


def test_what_is_incomplete_missing_or_without_an_interval_is_marked_and_named() -> None:
    changes = {
        "mini-base": {"complete": False, "n_used": 10},
        "full-base": {"value": None, "ci_low": None, "ci_high": None, "ci_method": "no reply has a score"},
        "full-code-realigned": {"ci_low": None, "ci_high": None, "ci_method": "undefined: one template"},
    }
    rows = [replace(row, **changes.get(row.variant, {})) for row in scores(subjects())]  # type: ignore[arg-type]
    kept = [row for row in rows if (row.variant, row.assessment) != ("mini-code-misaligned", "intentions")]
    sheet = pages(trajectories, material(scores=kept))["trajectories"]
    found = " ".join(texts(sheet).split())
    assert "No value (hatched): full-base (harmfulness: no reply has a score)" in found
    assert "Incomplete (hollow): mini-base (harmfulness 10/100)" in found
    assert "No interval: full-code-realigned (harmfulness: undefined: one template)" in found
    assert "Not there (never asked, or no average): mini-code-misaligned (intentions)" in found
    full, mini = sheet.axes[0]
    assert [patch for patch in full.patches if patch.get_hatch()]
    faces = [line.get_markerfacecolor() for line in mini.lines if str(line.get_gid()).startswith("value")]
    assert faces[0] == "white" and "white" not in faces[1:]
    (gap,) = [line for line in sheet.axes[1][1].lines if str(line.get_gid()).startswith("line")]
    assert [str(y) for y in gap.get_ydata()][1] == "nan"


def test_the_moral_instrument_is_named_where_it_is_not_the_validated_one() -> None:
    found = pages(profiles, material())
    assert WARNING in texts(found["foundations"])
    assert WARNING not in texts(found["dimensions"])
    assert "not the validated" not in texts(pages(profiles, material(warnings=[]))["foundations"])


def test_published_values_are_dimmed_and_labelled() -> None:
    def published(size: str, stage: str, domain: str, assessment: str, part: str) -> float | None:
        return 0.125 if size in ("full", "mini", "nano") else None

    reference = [replace(PAIRS[0], rho=0.7654, preset="published")]
    with_paper = material().beside(published, reference)
    note = "other prompts, other judge: compare direction, not level"
    for family in (trajectories, heat_maps, scatters):
        for name, sheet in pages(family, with_paper).items():
            assert note in " ".join(texts(sheet).split()), name
    sheet = pages(trajectories, with_paper)["trajectories"]
    dim = [line for line in sheet.axes[0][0].lines if line.get_color() == style.FAINT]
    assert [list(line.get_ydata()) for line in dim] == [[0.125, 0.125, 0.125]]
    assert "paper 0.765" in texts(pages(heat_maps, with_paper)["correlations-harmless"])
    assert note not in " ".join(texts(pages(trajectories, material())["trajectories"]).split())


HOSTILE = ("$\\frac{1}{2}$", "a\x1b[31m\nb", "\u202eevil", "<b>&\"']]>", "\ud800\ufffe", "中文" * 40, "W" * 80, "$", "")


def hostile() -> Material:
    """Every name of a store is hostile, each in its own way."""
    found = subjects()
    words = sorted({word for s in found for word in (s.name, s.size, s.domain, s.stage) if word} | {"judge@1", "quick"})
    names = {word: f"{HOSTILE[index % len(HOSTILE)]}{word}" for index, word in enumerate(words)}

    def renamed(text: str) -> str:
        return names.get(text, text)

    rows = [
        replace(
            row,
            variant=renamed(row.variant),
            size=renamed(row.size),
            domain=renamed(row.domain),
            stage=renamed(row.stage),
            judge=renamed(row.judge),
        )
        for row in scores(found)
    ]
    everything = " ".join(HOSTILE)
    pairs = [replace(row, excluded=everything, judge=everything, undefined_reason=everything) for row in PAIRS]
    known = [Subject(*(renamed(word) for word in (s.name, s.size, s.domain, s.stage, s.parent))) for s in found]
    return Material(renamed("quick"), rows, known, pairs, (), [everything])


def test_hostile_names_are_shown_and_break_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = ""
    for family in (trajectories, heat_maps, scatters, profiles):
        for sheet in pages(family, hostile(), "one").values():
            with style.styled():
                content = sheet.content("svg").decode()
                assert family is heat_maps or overflowing(sheet) == []
            ElementTree.fromstring(content)
            assert not set(content) & {"\x1b", "\u202e", "\ufffe", "\x00", "\x07"}
            written += content
    monkeypatch.setattr(drawing, "_families", lambda: (heat_maps,))
    assert draw(hostile(), tmp_path, ("svg",), width="one").files
    for shown in ("$\\frac{1}{2}$", "a\\x1B[31m b", "\\u202Eevil", "&lt;b&gt;&amp;", "\\uD800\\uFFFE", "\\u4E2D"):
        assert shown in written, shown


def test_one_variant_alone_and_variants_without_a_base() -> None:
    alone = [Subject("a", "", "", "sft", "")]
    rows = [score("a", "", "", "sft", *measure) for measure in measures()]
    with style.styled():
        (why,) = trajectories(material(subjects=alone, scores=rows), "two")
        assert isinstance(why, str) and "parent" in why
    assert "dimensions" in pages(profiles, material(subjects=alone, scores=rows, correlations=()))
    no_base = [replace(s, parent="") if s.stage == "misaligned" else s for s in subjects() if s.stage != "base"]
    sheet = pages(trajectories, material(subjects=no_base, scores=scores(no_base)))["trajectories"]
    assert [tick.get_text() for tick in sheet.axes[-1][0].get_xticklabels()] == ["misaligned", "realigned"]


def test_many_variants_are_spread_over_pages_with_marks_that_differ() -> None:
    many = subjects(("full", "mini"), tuple(f"d{index:02d}" for index in range(10)))
    rows = [row for row in scores(many) if row.assessment in ("harmfulness", "intentions")]
    found = material(subjects=many, scores=rows, correlations=PAIRS[:1])
    sheets = pages(trajectories, found)
    lines = 0
    for sheet in sheets.values():
        for axes in sheet.axes[0]:
            marks = [
                line.get_linestyle() + line.get_color() for line in axes.lines if str(line.get_gid())[:4] == "line"
            ]
            assert len(set(marks)) == len(marks) <= 4
            lines += len(marks)
    assert lines == 20
    assert len(pages(profiles, found)) == 3
    assert "Marks tell the stage alone" in texts(pages(scatters, found)["scatter-harmless"])


def test_every_family_is_drawn() -> None:
    names = [sheet.name for family in drawing._families() for sheet in pages(family, material()).values()]
    assert names == [
        *("trajectories", "correlations-harmless", "scatter-harmless", "dimensions", "foundations"),
        *("formats-self-assessment", "formats-moral-self-assessment"),
    ]


def test_a_figure_whose_assessment_is_missing_is_left_out_with_why(tmp_path: Path) -> None:
    rows = [row for row in scores(subjects()) if not row.assessment.startswith("moral")]
    drawn = draw(material(scores=rows), tmp_path, ("svg",))
    assert not list(tmp_path.glob("*moral*")) and not list(tmp_path.glob("foundations*"))
    told = "\n".join(drawn.skipped)
    assert "foundations: no variant has a value of moral_foundations or moral_self_assessment" in told
    assert json.loads((tmp_path / "figures.json").read_text())["skipped"] == list(drawn.skipped)


def test_nothing_of_matplotlib_is_left_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import matplotlib

    monkeypatch.setattr(drawing, "_families", lambda: (heat_maps, trajectories))
    names = [name for name in matplotlib.rcParams if not name.startswith("backend")]
    before = {name: matplotlib.rcParams[name] for name in names}
    with matplotlib.rc_context({"font.size": 31.0, "axes.facecolor": "red"}):
        draw(material(), tmp_path / "a", ("svg",))
        assert matplotlib.rcParams["font.size"] == 31.0
    draw(material(), tmp_path / "b", ("svg",))
    assert {name: matplotlib.rcParams[name] for name in names} == before
    assert "matplotlib.pyplot" not in sys.modules
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_without_matplotlib_the_command_that_installs_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["--store", str(tmp_path / "s.db"), "figures", str(tmp_path / "out")]) == 2
    assert "pip install 'emaudit[figures]'" in capsys.readouterr().err
    with pytest.raises(UsageError, match="not installed"):
        draw(material(), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("given", [["--format", "svg,bmp"], ["--width", "three"], ["--reference", "other"]])
def test_choices_that_are_not_there_are_refused(
    given: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--store", str(tmp_path / "s.db"), "figures", str(tmp_path / "out"), *given]) == 2
    assert given[0] in capsys.readouterr().err
