"""Words that people read: none that docs/writing.md rules out, wherever somebody may read them."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
LEAST_WORDS = 3  # a string of fewer is a name


def read_ruled_out() -> list[str]:
    """Read the left column of the table in docs/writing.md."""
    rows = re.findall(r"^\| (.+?) \| .+? \|$", (ROOT / "docs/writing.md").read_text(encoding="utf-8"), re.MULTILINE)
    return [word for row in rows[1:] for word in row.split(", ")]


def list_texts(path: Path) -> Iterator[str]:
    """List what a person may read of a file: prose, and sentences that a program prints."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        yield from list_strings(text)
    elif path.suffix == ".ipynb":
        for cell in json.loads(text)["cells"]:
            source = "".join(cell["source"])
            yield from list_strings(source) if cell["cell_type"] == "code" else [source]
    elif path.suffix in {".yaml", ".yml"}:
        yield from walk(yaml.safe_load(text))
    elif path.suffix == ".md":
        yield re.sub(r"^```.*?^```", "", text.partition("\n## Words\n")[0], flags=re.MULTILINE | re.DOTALL)
    else:
        yield re.sub(r"\{[%{#].*?[%}#]\}|<(script|style).*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL)


def list_strings(code: str) -> Iterator[str]:
    """List the sentences in a program: strings of some words that are no docstrings; what is put into them is a 0."""
    tree = ast.parse(code)
    documents = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            words = "".join(str(part.value) if isinstance(part, ast.Constant) else "0" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and not {id(node)} & (documents | inside):
            words = node.value
        else:
            continue
        if len(words.split()) >= LEAST_WORDS:
            yield words


def walk(value: object) -> Iterator[str]:
    """List the texts of some words in a YAML file."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for one in value:
            yield from walk(one)
    elif isinstance(value, str) and len(value.split()) >= LEAST_WORDS:
        yield value


PLACES = [
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/*.md"),
    *ROOT.glob("notebooks/*/*.ipynb"),
    *ROOT.glob("notebooks/*/*.yaml"),
    *ROOT.glob("data/catalogue/*.yaml"),
    *ROOT.glob("lib/councilbook/**/*.py"),
    *ROOT.glob("lib/councilbook/**/*.j2"),
]
RULED_OUT = re.compile(r"\b(" + "|".join(map(re.escape, read_ruled_out())) + r")\b", re.IGNORECASE)


def test_words_are_those_that_people_use() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match[0]!r} in {text[max(0, match.start() - 40) : match.end() + 20]!r}"
        for path in PLACES
        for text in list_texts(path)
        for match in RULED_OUT.finditer(text)
    ]
    assert not found, "\n".join(found)


def test_a_word_that_is_ruled_out_is_found_in_each_kind_of_file(tmp_path: Path) -> None:
    texts = {
        "one.py": 'def f(n):\n    """Whom."""\n    return f"It hangs on {n} things."\n',
        "two.ipynb": json.dumps({"cells": [{"cell_type": "markdown", "source": ["A number that\n", "hangs on it."]}]}),
        "three.yaml": "a: [{b: This hangs on that}]",
        "six.yaml": "It hangs on that: [a, b]",
        "four.md": "It hangs on that.",
        "five.j2": "<p>It {{ one }} hangs on that.</p>",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert [match[0] for one in list_texts(tmp_path / name) for match in RULED_OUT.finditer(one)] == ["hangs on"]


MOST_WORDS = 25  # of a sentence, as docs/writing.md has it


DEFAULT_COUNCILS = re.compile(r"\b(Kent|Doncaster|North Lanarkshire|Waltham Forest)\b")


def list_shown() -> Iterator[tuple[Path, str]]:
    """Texts that a page shows whatever the council: of notebooks, of sources and datasets, of a model's values."""
    for path in ROOT.glob("notebooks/*/*.ipynb"):
        yield from ((path, text) for text in list_texts(path))
    for path in ROOT.glob("data/catalogue/*.yaml"):
        about = yaml.safe_load(path.read_text(encoding="utf-8"))
        for entry in [*about.get("sources", []), *about.get("datasets", [])]:
            said = [entry.get(name) for name in ("description", "known_faults", "assumes")]
            yield from ((path, text) for text in walk([*said, (entry.get("twin") or {}).get("basis")]))
    for path in ROOT.glob("lib/councilbook/**/*.yaml"):
        for note in re.findall(r"note: (\"[^\"]*\"|[^}]*)", path.read_text(encoding="utf-8")):
            yield path, note


def test_what_is_shown_of_any_council_names_no_default_council() -> None:
    texts = list(list_shown())
    assert {path.suffix for path, _ in texts} == {".ipynb", ".yaml"}
    assert len(texts) > 1_000
    found = [(path.name, match[0], text[:60]) for path, text in texts if (match := DEFAULT_COUNCILS.search(text))]
    assert found == []


def list_sentences(markdown: str) -> Iterator[str]:
    """List the sentences of a text in Markdown; a list's line, a table's cell and what a colon ends stand alone."""
    told = re.sub(r"^```.*?^```|!\[.*?\]\(.*?\)", "", markdown, flags=re.MULTILINE | re.DOTALL)
    for block in re.split(r"\n\s*\n|\n\s*- |\n\s*\d+\. |\n#+ |\|", told):
        yield from re.split(r"(?<=[.!?:;])[*\"')]*\s+", " ".join(block.split()))


@pytest.mark.parametrize(
    "path", [path for path in PLACES if path.suffix in {".md", ".ipynb"}], ids=lambda path: path.name
)
def test_sentences_are_short_enough_to_be_heard(path: Path) -> None:
    if path.name == "CHANGELOG.md":
        pytest.skip("its lines are lists of what is new")
    text = path.read_text(encoding="utf-8")
    cells = json.loads(text)["cells"] if path.suffix == ".ipynb" else [{"cell_type": "markdown", "source": [text]}]
    prose = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    long = [one for cell in prose for one in list_sentences(cell) if len(one.split()) > MOST_WORDS]
    assert not long, "\n".join(f"{len(one.split())} words: {one}" for one in long)


def test_sentences_that_pages_and_commands_print_are_short_enough_to_be_heard() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {len(one.split())} words: {one}"
        for path in PLACES
        if path.suffix not in {".md", ".ipynb"}
        for text in list_texts(path)
        for one in list_sentences(text)
        if len(one.split()) > MOST_WORDS and one[0].isupper() and one[-1] in ".!?" and "SELECT" not in one
    ]
    assert not found, "\n".join(found)


def test_a_long_sentence_is_found() -> None:
    long = " ".join(["word"] * 26)
    assert max(len(one.split()) for one in list_sentences(f"Title\n\nShort one. {long}.\n- a line")) == 26
    assert max(len(one.split()) for one in list_sentences(f"# Title\n\nOne two. Three\n- {'four ' * 25}")) == 25
