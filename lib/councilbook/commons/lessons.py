"""What the councils learned, side by side: each claim with a figure of its study, or said to be a judgement."""

from pathlib import Path

import pandas as pd

from councilbook.catalogue import Catalogue
from councilbook.catalogue.entries import read_yaml
from councilbook.commons.spectrum import list_studies
from councilbook.methods import ecosystems
from councilbook.methods.ecosystems import Ecosystem
from councilbook.sources.journey import describe_journey

FILE = "lessons.yaml"
BRIEFS = "briefs.yaml"  # a study's own challenges, in its package, from which its ecosystem follows


def read_lessons(catalogue: Catalogue) -> list[dict[str, str]]:
    """Read the lessons: title, lesson (our judgement), and figure (a sentence with the names of measures)."""
    file = catalogue.workbook.notebooks / "commons" / FILE
    lessons: list[dict[str, str]] = read_yaml(file)["lessons"]
    return lessons


def read_ecosystems(catalogue: Catalogue) -> dict[str, Ecosystem]:
    """Read who takes part, by the title of each study that says so: in its ecosystem.yaml, or in its challenge briefs.

    Raises:
        CatalogueError: a file is not as it must be.
    """
    found = {}
    for study in list_studies(catalogue):
        folder = catalogue.workbook.notebooks / study
        if (folder / ecosystems.FILE).exists():
            found[catalogue.study(study).title] = ecosystems.read_ecosystem(folder)
        elif briefs := _read_briefs(catalogue, study):
            exchanges = [one for challenge in briefs["challenges"].values() for one in challenge["exchanges"]]
            about = {"actors": briefs["organisations"], "exchanges": exchanges}
            found[catalogue.study(study).title] = Ecosystem.model_validate(about)
    return found


def _read_briefs(catalogue: Catalogue, study: str) -> dict[str, dict[str, dict[str, list[object]]]]:
    files: list[Path] = sorted((catalogue.workbook.library / study).rglob(BRIEFS))
    return read_yaml(files[0]) if files else {}


def measure_study(catalogue: Catalogue, study: str) -> dict[str, int | str]:
    """Count what a study has, by the names that a lesson's figure may use; 0 where it has none."""
    spec, sources = catalogue.study(study), catalogue.sources_of(study)
    guarded = [one for one in sources if one.spectrum != "open"]
    datasets = [catalogue.dataset(name) for step in spec.notebooks.values() for name in step.releases]
    read = {one.id for step in spec.notebooks.values() for one in catalogue.expand(step.sources)}
    others = {one.id for other in list_studies(catalogue) if other != study for one in catalogue.sources_of(other)}
    canvas, briefs = catalogue.canvases.get(study), _read_briefs(catalogue, study)
    folder = catalogue.workbook.notebooks / study
    measures: dict[str, int | str] = {
        "sources": len(sources),
        "not_open": len(guarded),
        "agreed": sum(one.agreement is not None for one in guarded),
        "unread": _say_how_many(sum(one.id not in read for one in sources)),
        "joint": sum(one.id in others for one in sources),
        "stewards": len({one.steward for one in sources}),
        "builds": len(spec.notebooks) - 1,
        "datasets": len(datasets),
        "guarded": sum(one.disclosure is not None and one.disclosure.rule != "open_sources_only" for one in datasets),
        "requests": sum(one.id.startswith("foi_") for one in datasets),
        "persona_lists": sum("persona" in one.id for one in datasets) + bool(briefs.get("personas")),
        "points": len(canvas.points) if canvas else 0,
        "open_points": sum(one.state == "open" for one in canvas.points.values()) if canvas else 0,
        "flows": len(describe_journey(catalogue, study)),
        "workshops": int((folder / "workshop.yaml").exists()),
        "with_licence": sum(one.states_licence for one in sources),
    }
    if ecosystem := read_ecosystems(catalogue).get(spec.title):
        actors, exchanges = ecosystems.measure_actors(ecosystem), ecosystems.tabulate_exchanges(ecosystem)
        of_data = exchanges[exchanges["kind"] == "data"]
        measures |= {
            "actors": len(actors),
            "bridge": str(actors["title"].iloc[0]).replace("The council", "the council"),
            "bridge_pct": f"{actors['bridge_pct'].iloc[0]:.0f}",
            "givers": int((actors["gives"] > actors["takes"]).sum()),
            "exchanges": len(exchanges),
            "of_data": len(of_data),
            "unagreed": int(of_data["agreement"].isna().sum()),
        }
    return measures


def _say_how_many(count: int) -> str:
    return f"{count or 'None'} {'are' if count > 1 else 'is'}"


def set_side_by_side(catalogue: Catalogue) -> pd.DataFrame:
    """Set the studies side by side on every lesson.

    Returns:
        A row a lesson and study: number, title, lesson (a judgement), study, council, figure (computed from the
        catalogue and the study's own files; missing where the study has nothing to count).
    """
    rows = []
    for study in list_studies(catalogue):
        spec, measures = catalogue.study(study), measure_study(catalogue, study)
        council = catalogue.council(spec.default_council).name
        for number, one in enumerate(read_lessons(catalogue), start=1):
            told = measures.get(one["counts"])
            figure = one["figure"].format(**measures) if told else None
            about = {"number": number, "title": one["title"], "lesson": one["lesson"]}
            rows.append({**about, "study": spec.title, "council": council, "figure": figure})
    return pd.DataFrame(rows).sort_values(["number", "study"], ignore_index=True)


def tabulate(lessons: pd.DataFrame) -> pd.DataFrame:
    """Return a row a lesson, with a column for each council.

    Args:
        lessons: from `set_side_by_side`, or the dataset commons_lessons.
    """
    told = lessons.assign(figure=lessons["figure"].fillna("Nothing to count yet."))
    told = told.assign(council=told["council"] + " (" + told["study"].str.lower() + ")")
    beside = told.pivot_table(index=["number", "title"], columns="council", values="figure", aggfunc="first")
    return beside.reset_index().drop(columns="number")
