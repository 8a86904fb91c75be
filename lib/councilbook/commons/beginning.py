"""A new study that runs, reports and passes its tests at once: a folder of templates, copied under another name."""

import json
import keyword
import re
from collections.abc import Iterator
from pathlib import Path

from councilbook.catalogue import Catalogue
from councilbook.errors import ParameterError
from councilbook.paths import Workbook, write_atomically

TEMPLATES = Path(__file__).parent / "new_study"
IMPORTS = re.compile(r'(?m)(^ *"?from councilbook\.\S+ import .+\n)+')
SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def begin_study(catalogue: Catalogue, study: str, title: str = "") -> list[Path]:
    """Write a study's notebooks, catalogue, package and tests into a workbook.

    Args:
        catalogue: whose workbook it joins.
        study: its id, in small letters with underscores.
        title: what pages call it; its id in words if empty.

    Returns:
        The files that were written.

    Raises:
        ParameterError: the id cannot be one, or something of that name is there; nothing is written then.
    """
    if not SNAKE_CASE.fullmatch(study) or keyword.iskeyword(study):
        raise ParameterError(
            f"{study!r} cannot be the id of a study. Use small letters, digits and _, as `road_repairs`."
        )
    workbook = catalogue.workbook
    folders = [one / study for one in (workbook.library, workbook.notebooks, workbook.root / "tests")]
    taken = [one for one in (*folders, workbook.library / f"{study}.py") if one.exists()]
    targets = dict(_list_targets(workbook, study))
    if there := [*taken, *(target for target in targets if target.exists())]:
        raise ParameterError(f"{there[0]} is there already. Choose another id, or remove it. Nothing was written.")
    titled = " ".join(title.split()) or study.replace("_", " ").capitalize()
    quoted = json.dumps(titled, ensure_ascii=False)[1:-1]  # all templates have it between quotation marks
    words = {"STUDY_ID": study, "STUDY_TITLE": quoted}
    for target, template in targets.items():
        text = template.read_text(encoding="utf-8")
        for word, put in words.items():
            text = text.replace(word, put)
        text = _sort_imports(text)
        with write_atomically(target) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
    return list(targets)


def _list_targets(workbook: Workbook, study: str) -> Iterator[tuple[Path, Path]]:
    """Yield each file to write, and the template that it is written from."""
    for template in sorted(TEMPLATES.iterdir()):
        match template.name:
            case "catalogue.yaml":
                yield workbook.catalogue / f"{study}.yaml", template
            case "test.py.txt":
                yield workbook.root / "tests" / study / f"test_{study}.py", template
            case name if name.endswith(".py.txt"):
                yield workbook.library / study / name.removesuffix(".txt"), template
            case name:
                yield workbook.notebooks / study / name.removesuffix(".txt"), template


def _sort_imports(text: str) -> str:
    """Put imports of the library into their order again, which depends on the study's id."""
    return IMPORTS.sub(lambda found: "".join(sorted(found[0].splitlines(keepends=True))), text)
