"""Forms to fill in: a sharing agreement and a data protection impact assessment, as far as the catalogue tells."""

from html import unescape
from pathlib import Path

from councilbook.catalogue import Catalogue
from councilbook.errors import ParameterError
from councilbook.pages.html.pieces import render_template
from councilbook.paths import write_atomically

FORMS = {"agreement": "Agreement", "dpia": "Data protection impact assessment"}


def write_forms(catalogue: Catalogue, source: str, folder: Path) -> list[Path]:
    """Write both forms of a source as Markdown, filled in from the catalogue.

    Raises:
        ParameterError: it is open, so it needs neither; or a form is there already. Nothing is written then.
    """
    about = catalogue.source(source)
    if about.spectrum == "open":
        raise ParameterError(f"{source} is open: it comes under a licence, and needs no agreement.")
    files = {kind: folder / f"{kind}_{source}.md" for kind in FORMS}
    if there := [file for file in files.values() if file.exists()]:
        raise ParameterError(f"{there[0]} is there already. Move it, or choose another folder. Nothing was written.")
    readers = [
        f"{catalogue.study(study).title}: {step.title}"
        for study in catalogue.studies
        for step in catalogue.study(study).notebooks.values()
        if about in catalogue.expand(step.sources)
    ]
    for kind, file in files.items():
        filled = render_template("commons/form.md.j2", kind=kind, title=FORMS[kind], source=about, readers=readers)
        text = unescape(filled.text)  # Markdown, not HTML
        with write_atomically(file) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
    return list(files.values())
