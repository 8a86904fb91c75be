"""The command line: what it prints, and what it exits with."""

import re
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import typer.main
from rich.markup import render
from typer.testing import CliRunner, Result

from councilbook import __version__
from councilbook.catalogue import Catalogue, load_catalogue
from councilbook.cli import app
from councilbook.errors import SourceError
from councilbook.paths import Workbook, find_workbook
from tiny_workbook import make_plain_pages, make_workbook, released, run_in_process


@pytest.fixture
def workbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workbook:
    """A workbook to work in, with plain reports and jobs in this process."""
    for name, pages in make_plain_pages().items():
        monkeypatch.setitem(sys.modules, name, pages)
    monkeypatch.setattr("councilbook.running.run.run_jobs", run_in_process)
    (tmp_path / "library").mkdir()
    monkeypatch.setattr(Workbook, "library", tmp_path / "library")
    made = make_workbook(tmp_path / "book")
    monkeypatch.chdir(made.root)
    return made


COMMANDS: Any = typer.main.get_command(app)


def call(*arguments: str) -> Result:
    result = CliRunner().invoke(app, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def use_sources(workbook: Workbook) -> None:
    study = workbook.notebooks / "tiny" / "study.yaml"
    study.write_text(study.read_text().replace("sources: []", "sources: [open_counts, closed_visits]"))


def test_a_run_says_what_it_made_and_the_next_that_nothing_changed(workbook: Workbook) -> None:
    first = call("run", "tiny", "--run-date", "2026-01-31")
    assert first.exit_code == 0, first.output
    assert f"datasets in {workbook.processed / 'tiny' / 'north' / 'sample'}\n- tiny_counts\n" in first.output
    assert first.output.splitlines()[-1] == f"Open {workbook.reports / 'index.html'}"
    assert "tiny/north/sample: 1_build\ntiny/north/sample: 2_report\ntiny/north/sample: made" in first.output
    second = call("run", "tiny", "--run-date", "2026-01-31")
    assert second.exit_code == 0
    assert "tiny/north/sample: nothing changed since 2026-01-31" in second.output
    assert "datasets in" not in second.output
    real = call("run", "tiny", "--data", "real")
    assert real.exit_code == 0, real.output
    assert released(workbook, data="sample") == released(workbook, data="real") == ["n", "2018"]


def test_a_failing_study_is_described_the_others_are_made_and_the_exit_is_1(workbook: Workbook) -> None:
    notebook = workbook.notebooks / "tiny" / "1_build.ipynb"
    notebook.write_text(notebook.read_text().replace("earlier = ", "1 / 0\\nearlier = "))
    result = call("run", "--council", "south")
    assert result.exit_code == 1
    assert "tiny/south/sample failed in 1_build, cell 6, under 'Part 2': import json, os\n" in result.output
    assert "ZeroDivisionError: division by zero" in result.output
    assert "1_build.failed.ipynb" in result.output
    assert "other/south/sample: made" in result.output
    assert released(workbook, "other", "south") == ["n", "2018"]
    assert not (workbook.processed / "tiny").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "tinny"], "No study 'tinny' in the catalogue. Did you mean tiny?"),
        (["run", "--council", "nort"], "No council 'nort'"),
        (["run", "-p", "sise=3"], "Study other: No parameter 'sise'. Did you mean size?"),
        (["run", "-p", "size=many"], "expected a whole number from 1 to 9"),
        (["run", "--run-date", "31.01.2026"], "expected a date as 2026-11-23"),
        (["check", "tinny"], "Did you mean tiny?"),
        (["fetch", "tinny"], "Did you mean tiny?"),
    ],
)
def test_wrong_usage_is_one_paragraph_and_exits_with_2(workbook: Workbook, arguments: list[str], message: str) -> None:
    result = call(*arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: ")
    assert message in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("data", ["sample", "real"])
def test_a_closed_folder_that_is_not_there_stops_a_run_before_anything_is_written(
    workbook: Workbook, monkeypatch: pytest.MonkeyPatch, data: str
) -> None:
    monkeypatch.setenv("COUNCILBOOK_CLOSED", str(workbook.root.parent / "clsoed"))
    before = sorted(workbook.root.rglob("*"))
    result = call("run", "--data", data)
    assert result.exit_code == 1
    assert "clsoed, and there is no such folder. Make it, or correct the name." in result.stderr
    assert sorted(workbook.root.rglob("*")) == before


def test_a_real_run_begins_with_the_closed_files_that_it_found(
    workbook: Workbook, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_sources(workbook)
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "visits_north.csv").write_text("n\n4711\n")
    monkeypatch.setenv("COUNCILBOOK_CLOSED", str(closed))
    result = call("run", "tiny", "--data", "real")
    assert result.output.splitlines()[0] == f"tiny/north/real: closed folder {closed}: visits_north.csv (closed_visits)"
    assert "4711" not in result.output


@pytest.mark.parametrize("arguments", [["--mirror", "nowhere"], ["--data", "reel"], ["--jobs", "0"]])
def test_an_option_with_a_value_it_cannot_have_exits_with_2(workbook: Workbook, arguments: list[str]) -> None:
    assert call("run", *arguments).exit_code == 2


def test_outside_a_workbook_there_is_an_error_and_no_traceback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = call("list")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: No workbook at")
    assert "Traceback" not in result.output


def test_list_shows_studies_councils_parameters_and_sources(workbook: Workbook) -> None:
    use_sources(workbook)
    result = call("list", "tiny")
    assert result.exit_code == 0
    for shown in ("How many?", "E06000002", "a whole number from 1 to 9", "how many", "closed_visits", "by hand"):
        assert shown in result.output
    assert "closed folder" in result.output
    assert "visits.csv" in result.output
    assert "Parameters of other" not in result.output


def add_addresses(workbook: Workbook, **addresses: str) -> None:
    """Declare a source with an address for each, before the one that has none."""
    use_sources(workbook)
    catalogue = workbook.catalogue / "tiny.yaml"
    plain = catalogue.read_text().split("  - id: closed_visits")[0].removeprefix("\nsources:\n")
    for name, url in addresses.items():
        one = plain.replace("id: open_counts", f"id: {name}").replace("file: c", f"url: {url}\n    file: {name}_c")
        catalogue.write_text(catalogue.read_text().replace("sources:\n", f"sources:\n{one}", 1))
    study = workbook.notebooks / "tiny" / "study.yaml"
    study.write_text(study.read_text().replace("[open_counts,", f"[{', '.join(addresses)}, open_counts,"))


def test_fetch_goes_on_after_a_failure_and_says_how_to_get_the_file_by_hand(
    workbook: Workbook, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_addresses(workbook, open_more="https://example.org/f")

    def fail(*given: object) -> None:
        raise SourceError("Source open_more: the server is away.")

    monkeypatch.setattr("councilbook.catalogue.fetching.find_unreachable", lambda urls: {})
    monkeypatch.setattr("councilbook.catalogue.fetching.fetch", fail)
    result = call("fetch", "tiny")
    assert result.exit_code == 1
    assert "open_more: FAILED\nopen_counts: by hand\n" in result.output
    assert "the server is away. By hand: download it from https://example.org/counts and save it as" in result.output
    assert str(workbook.raw / "open_more" / "open_more_counts.csv") in result.output


def test_fetch_without_a_network_fails_at_once_with_one_message_a_host(workbook: Workbook) -> None:
    add_addresses(workbook, one="http://127.0.0.1:9/a", two="http://127.0.0.1:9/b", three="http://127.0.0.1:8/c")
    began = time.monotonic()
    result = call("fetch", "tiny")
    assert time.monotonic() - began < 10
    assert result.exit_code == 1
    told = [line for line in result.output.splitlines() if "cannot be reached" in line]
    assert told == [
        "- 127.0.0.1:8 cannot be reached: no connection to it could be made. 1 file: three.",
        "- 127.0.0.1:9 cannot be reached: no connection to it could be made. 2 files: one, two.",
    ]


def test_what_has_to_be_fetched_by_hand_is_listed_and_what_is_there_is_checked(workbook: Workbook) -> None:
    add_addresses(workbook, open_more="https://example.org/f")
    listed = call("fetch", "--list")
    target = workbook.raw / "open_counts" / "counts.csv"
    assert listed.exit_code == 0
    assert listed.output == (
        f"\nOpen counts\n  From: An office, https://example.org/counts\n  Save as: {target}\n"
        "  Not here. The right one has the columns n.\n"
    )
    target.parent.mkdir(parents=True)
    target.write_text("n\n4\n5\n")
    assert "Here, and right: 2 rows." in call("fetch", "--list").output
    target.write_text("m\n4\n")
    wrong = call("fetch", "--list")
    assert wrong.exit_code == 1
    assert "Here, and NOT the right one: Source open_counts" in wrong.output


def test_a_source_without_a_stable_url_is_no_failure_of_fetch(workbook: Workbook) -> None:
    use_sources(workbook)
    result = call("fetch")
    assert result.exit_code == 0
    assert "open_counts: by hand" in result.output
    assert (
        "1 file has no stable address. `councilbook fetch --list` says how to get it, and checks it." in result.output
    )
    assert "closed_visits" not in result.output
    target = workbook.raw / "open_counts" / "counts.csv"
    target.parent.mkdir(parents=True)
    target.write_text("n\n1\n")
    assert f"open_counts: there, {target}" in call("fetch").output


@pytest.mark.parametrize(("ok", "code", "shown"), [(True, 0, "ok"), (False, 1, "FAULT")])
def test_check_shows_each_line_and_fails_if_one_is_faulty(
    workbook: Workbook, monkeypatch: pytest.MonkeyPatch, ok: bool, code: int, shown: str
) -> None:
    from councilbook.running.checking import CheckLine

    asked: list[Any] = []

    def check_everything(*given: Any, stand_ins: bool) -> list[CheckLine]:
        assert not stand_ins
        asked.append((given[1].id, given[2].slug, *given[3:6]))
        return [CheckLine("open_counts", "source", ok, "Row 3 [n]")]

    monkeypatch.setattr("councilbook.running.checking.check_everything", check_everything)
    result = call("check", "tiny", "--council", "north,south", "--data", "real")
    assert result.exit_code == code
    assert shown in result.output
    assert "Row 3 [n]" in result.output
    assert asked == [("tiny", "north", "real", None, 2018), ("tiny", "south", "real", None, 2018)]


def test_report_renders_again_what_was_run(workbook: Workbook) -> None:
    assert call("report").exit_code == 1
    assert "nothing has been run" in call("report").stderr
    call("run", "tiny")
    page = workbook.reports / "tiny" / "north" / "sample" / "index.html"
    page.unlink()
    result = call("report", "tiny", "--council", "north")
    assert result.exit_code == 0, result.output
    assert page.exists()


def test_an_example_file_is_written_once_and_says_where_it_goes(workbook: Workbook) -> None:
    use_sources(workbook)
    folder = workbook.root.parent / "examples"
    result = call("example", "closed_visits", "--to", str(folder))
    (written,) = folder.iterdir()
    assert result.exit_code == 0
    assert f"{written}: " in result.output
    assert "councilbook columns" in result.output and "closed_visits" in result.output
    written.write_text("mine")
    for names in (["closed_visits"], []):
        again = call("example", *names, "--to", str(folder))
        assert again.exit_code == 2
        assert "is there already" in again.output
    assert written.read_text() == "mine"
    assert call("example", "--force", "--to", str(folder)).exit_code == 0
    assert written.read_text() != "mine"
    assert call("example", "open_counts").exit_code == 2


def test_outputs_of_an_earlier_version_are_told_by_a_run_and_left_as_they_are(workbook: Workbook) -> None:
    old = workbook.processed / "tiny" / "north" / "tiny_counts" / "datapackage.json"
    old.parent.mkdir(parents=True)
    old.write_text("{}")
    result = call("run", "tiny")
    assert result.exit_code == 0, result.output
    assert "An earlier version kept sample and real data in one folder." in result.stderr
    assert f"{workbook.processed / 'tiny' / 'north'}. " in result.stderr
    assert old.read_text() == "{}"


# --- open ---


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that a browser was told to open."""
    asked: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: asked.append(address) or True)
    return asked


def test_a_report_is_opened_the_real_one_first(workbook: Workbook, opened: list[str]) -> None:
    missing = call("open", "tiny")
    assert missing.exit_code == 1
    assert "Run it first: councilbook run" in missing.stderr
    call("run", "tiny")
    place = workbook.reports / "tiny" / "north"
    call("open")
    call("open", "tiny")
    call("run", "tiny", "--data", "real")
    told = call("open", "tiny", "--council", "north")
    call("open", "tiny", "--data", "sample")
    pages = [workbook.reports, place / "sample", place / "real", place / "sample"]
    assert opened == [(page / "index.html").as_uri() for page in pages]
    assert told.output == f"Opened {place / 'real' / 'index.html'}\n"
    assert call("open", "--data", "real").exit_code == 2


# --- examples ---


def list_examples() -> list[str]:
    """List each line of the help, the README and the docs that somebody could copy."""
    marked = "\n".join(command.epilog or "" for command in COMMANDS.commands.values())
    shown = re.findall(r"^\[cyan\](.*)\[/\]$", marked, re.MULTILINE)
    root = find_workbook(Path(__file__).parent).root
    texts = [file.read_text(encoding="utf-8") for file in (root / "README.md", *sorted((root / "docs").glob("*.md")))]
    blocks = [block for text in texts for block in re.findall(r"^```\w+\n(.*?)^```", text, re.MULTILINE | re.DOTALL)]
    lines = [line for block in blocks for line in block.splitlines()]
    return [*shown, *(line.partition("councilbook ")[2] for line in lines if re.match(r"(\S*\W)?councilbook \w", line))]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """What the examples are about."""
    return load_catalogue(find_workbook(Path(__file__).parent))


EXAMPLES = [one.removeprefix("councilbook ") for one in list_examples()]


def test_there_are_examples_of_every_command_in_the_help_and_of_most_in_the_readme() -> None:
    assert {one.split()[0] for one in EXAMPLES} == set(COMMANDS.commands)
    assert len(EXAMPLES) > 40


@pytest.mark.parametrize("example", dict.fromkeys(EXAMPLES))
def test_an_example_is_understood_and_all_that_it_names_is_there(
    example: str, catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from councilbook.running.jobs import choose_councils, plan_jobs

    for folder in ("book", "files", "examples", "shared/data"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "book")
    name, *arguments = shlex.split(example, comments=True)
    if arguments == ["--help"]:
        assert name in COMMANDS.commands
        return
    given = COMMANDS.commands[name].make_context(name, arguments).params
    begun = name == "new"  # of which there is no study yet
    studies = [one for one in [*(given.get("studies") or ()), given.get("study")] if one and not begun]
    councils = given.get("council") or []
    for study in studies:
        catalogue.study(study)
    chosen = choose_councils(catalogue, [councils] if isinstance(councils, str) else councils)
    if name == "run":
        more = {"mode": given["data"], "mirror": given["mirror"], "parameters": given["parameter"] or []}
        assert plan_jobs(catalogue, studies, councils, today="2026-01-31", run_date=given["run_date"], **more)
    for source in [*(given.get("sources") or ()), given.get("source")]:
        assert source is None or catalogue.source(source).spectrum != "open"
    if given.get("approve"):
        study, council, data, dataset, version = re.split("[/@]", given["approve"])
        assert catalogue.dataset(dataset) and catalogue.study(study) and catalogue.council(council)
        assert (data, version, bool(given["role"] and given["by"])) == ("real", "1.0.0", True)
    assert chosen or not councils


@pytest.mark.parametrize(
    ("words", "completed"), [("councilbook re", ["report", "release"]), ("councilbook run t", ["tiny"])]
)
def test_the_shell_completes_commands_and_studies(workbook: Workbook, words: str, completed: list[str]) -> None:
    asked = {"_COUNCILBOOK_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    done = CliRunner().invoke(app, [], env=asked, prog_name="councilbook")
    assert done.output.split() == completed


def test_version_is_printed() -> None:
    assert call("--version").output == f"councilbook {__version__}\n"


@pytest.mark.parametrize("command", COMMANDS.commands)
def test_every_command_has_examples(command: str) -> None:
    result = call(command, "--help")
    assert "Examples" in result.output
    assert f"councilbook {command}" in result.output.split("Examples")[1]
    written = COMMANDS.commands[command].help
    assert render(written).plain == written, "what stands in brackets is taken for a style, and is not shown"


def test_help_does_not_wait_for_slow_imports() -> None:
    slow = "{'pandas', 'papermill', 'nbconvert', 'nbformat', 'pydantic', 'requests'}"
    code = f"import sys, councilbook.cli; print(sorted({slow} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
