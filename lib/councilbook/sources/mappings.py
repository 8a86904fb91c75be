"""Which column of a council's own file is which: the file in which a council says so, and what a reader finds.

A source that each council lays out otherwise has a `reader` in the catalogue. It tells what each column was taken for,
and `councilbook columns` writes that into a YAML file in the closed folder. A council corrects it there, and the next
run goes by it. It holds headers and names of columns of ours, and no cell.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import yaml

from councilbook.errors import CheckError, SourceError
from councilbook.paths import write_atomically

UNKNOWN = "?"  # what stands for a code until a council has said what it is
UNUSED = ("not used", "", "~", "null", "none")  # how a council may write that a column is not used
SHOWN = ["file_column", "column", "found", "fits_pct", "note"]
HEAD = """\
# What each column of {file} is taken for. `councilbook columns` wrote this file.
# Before the colon stands a header of the file; after it, the column of ours that it is read as, or: not used.
# Correct what is wrong and save. `councilbook run` and `councilbook check` then go by this file, and guess no more.
# Delete it to have the columns guessed again; `councilbook columns --force` writes it anew.
"""
CODES_HEAD = (
    "# What each code in a column is taken for: before the colon the code, after it ours; say it where there is a ?.",
    "# A code that is no value is `missing`; a blank cell that means something is `(blank)`. Any code may be added:",
    "# those on fewer than ten rows, and long ones, are not shown.",
)


@dataclass(frozen=True)
class Inspection:
    """What a reader finds in a file. It may be shown: it holds no cell.

    Attributes:
        columns: file_column, column (of ours, or missing), found (how), fits_pct (share of cells that fit, in %), note.
        mapping: by header, the column of ours or None, to be corrected by the council.
        targets: the columns of ours that there are, each with what it is, where that is known.
        result: what a run makes of the file, in one sentence.
        warnings: what the council should look at.
        fault: what stops a run; none if nothing does.
        codes: by header, the codes of its cells and what each is taken for; `UNKNOWN` where nobody can tell.
    """

    columns: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=SHOWN))
    mapping: Mapping[str, str | None] = field(default_factory=dict)
    targets: Mapping[str, str] = field(default_factory=dict)
    result: str = ""
    warnings: Sequence[str] = field(default_factory=list)
    fault: str | None = None
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def list_rows(self) -> list[list[str]]:
        """List the columns in words: header, column of ours, how it was found, share of cells that fit, note."""
        words = self.columns.astype({"fits_pct": "float64"}).assign(
            fits_pct=[
                f"{share:.0f}%" if share == share else "" for share in self.columns["fits_pct"].astype("float64")
            ],
            note=self.columns["note"].astype("str").str.split().str.join(" "),
        )
        shown = words[SHOWN].astype("object").fillna("")
        return [list(map(str, row)) for row in shown.itertuples(index=False)]

    def list_codes(self) -> list[str]:
        """Say in a line a column what each of its codes is taken for."""
        said = {
            header: ", ".join(
                f"{code} is {'not known' if value == UNKNOWN else value}" for code, value in codes.items()
            )
            for header, codes in self.codes.items()
        }
        return [f"Codes of {header}: {words}." for header, words in said.items()]


def read_mapping(file: Path) -> dict[str, str | None] | None:
    """Read what a council says its columns are: by header, the column of ours or None; None where it says nothing.

    Raises:
        CheckError: the file is there, and it cannot be read so.
    """
    if not file.is_file():
        return None
    where = file.name
    node = _compose(file)
    inner = [value for key, value in _list_pairs(node) if key.value == "columns"]
    if len(inner) != 1 or not isinstance(inner[0], yaml.MappingNode):
        raise CheckError(f"{where}: expected one key `columns` at the top, and below it lines of `header: column`.")
    pairs = _read_lines(inner[0], where, "header: column")
    return {header: None if target.casefold() in UNUSED else target for header, target in pairs.items()}


def read_codes(file: Path) -> dict[str, dict[str, str]]:
    """Read what a council says its codes are: by header and code, what it stands for; nothing where it says nothing.

    Raises:
        CheckError: the file is there, and it cannot be read so.
    """
    inner = [value for key, value in _list_pairs(_compose(file)) if key.value == "codes"] if file.is_file() else []
    told = {
        str(header.value).strip(): _read_lines(codes, file.name, "code: value")
        for header, codes in (pair for value in inner for pair in _list_pairs(value))
    }
    return {
        header: {code: value for code, value in codes.items() if value not in ("", UNKNOWN)}
        for header, codes in told.items()
    }


def _compose(file: Path) -> yaml.Node | None:
    try:
        return yaml.compose(file.read_text(encoding="utf-8-sig"), yaml.CBaseLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        place = getattr(error, "problem_mark", None)
        line = f" in line {place.line + 1}" if place else ""
        raise CheckError(f"{file.name}: not YAML that can be read{line}. A header with a colon needs quotes.") from None


def _read_lines(node: yaml.Node, where: str, expected: str) -> dict[str, str]:
    """Read lines of two texts, of which the first stands once."""
    if not isinstance(node, yaml.MappingNode):
        raise CheckError(f"{where}, line {node.start_mark.line + 1}: expected lines of `{expected}`.")
    lines: dict[str, str] = {}
    for key, value in node.value:
        text, line = str(key.value).strip(), key.start_mark.line + 1
        if not (isinstance(key, yaml.ScalarNode) and isinstance(value, yaml.ScalarNode)):
            raise CheckError(f"{where}, line {line}: expected `{expected}`.")
        if text in lines:
            raise CheckError(f"{where}, line {line}: {text!r} stands here twice.")
        lines[text] = str(value.value).strip()
    return lines


def _list_pairs(node: yaml.Node | None) -> list[tuple[yaml.Node, yaml.Node]]:
    return list(node.value) if isinstance(node, yaml.MappingNode) else []


def write_mapping(file: Path, inspection: Inspection, about: str, *, force: bool) -> bool:
    """Write what was found into the closed folder, for the council to correct.

    Args:
        file: in the closed folder.
        inspection: what was found.
        about: the name of the file that was looked at.
        force: write also where there is such a file, which the council may have corrected.

    Returns:
        Whether it was written.

    Raises:
        SourceError: it cannot be written to.
    """
    if file.exists() and not force:
        return False
    try:
        with write_atomically(file) as temporary:
            temporary.write_text(_format_mapping(inspection, about), encoding="utf-8")
    except OSError as error:
        raise SourceError(f"{file} cannot be written ({error.strerror}).") from None
    return True


def _format_mapping(inspection: Inspection, about: str) -> str:
    lines = [HEAD.format(file=about) + "#", "# Columns of ours:"]
    lines += [f"#   {name:<23} {words}".rstrip() for name, words in inspection.targets.items()]
    if inspection.fault:
        lines += ["#", "# As it stands, a run stops here:", *(f"#   {one}" for one in inspection.fault.splitlines())]
    lines += ["", "columns:" if inspection.mapping else "columns: {}"]
    notes = {
        header: "; ".join(part for part in (how if target else "", fits and f"{fits} of the cells fit", note) if part)
        for header, target, how, fits, note in inspection.list_rows()
    }
    for header, target in inspection.mapping.items():
        pair = (
            yaml.safe_dump({header: target or UNUSED[0]}, allow_unicode=True, width=10**6).strip().replace("\n", "\n  ")
        )
        lines.append(f"  {pair}{f'  # {notes[header]}' if notes.get(header) else ''}")
    if inspection.codes:
        told = {header: dict(codes) for header, codes in inspection.codes.items()}
        lines += ["", *CODES_HEAD, yaml.safe_dump({"codes": told}, allow_unicode=True, width=10**6, sort_keys=False)]
    return "\n".join(lines).rstrip() + "\n"
