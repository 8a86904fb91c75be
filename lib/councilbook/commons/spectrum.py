"""The data spectrum across all studies: which question needs which source, and what would follow if one opened."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.axes import Axes

from councilbook.catalogue import Catalogue, Finder, Source
from councilbook.pages.diagrams.journeys import COLOURS
from councilbook.pages.pictures import INK, Page, Picture, make_picture
from councilbook.sources.journey import describe_journey
from councilbook.sources.landscape import PLAIN, describe_landscape, find_format, score_sources

KINDS = ("closed", "shared", "open")
PRINCIPLES = ["findable", "accessible", "interoperable", "reusable"]


def list_studies(catalogue: Catalogue) -> list[str]:
    """List the studies that have data of their own."""
    return [study for study in catalogue.studies if catalogue.sources_of(study)]


def list_sources(catalogue: Catalogue, run_date: str) -> pd.DataFrame:
    """Describe every source of every study by what the catalogue knows, and check it against the FAIR principles.

    The checks are what a catalogue can show of Wilkinson and others 2016, Scientific Data 3:160018.

    Args:
        catalogue: the workbook's.
        run_date: ISO date that agreements and age are held against.

    Returns:
        A row a source, closed first: what `describe_landscape` and `score_sources` say but for the run; studies (joined
        by ;), agreement, agreement_kind, review_by (missing where there are none), faults (how many are known),
        findable, accessible, interoperable, reusable (boolean), and fair_checks (how many of the four).
    """
    parts = []
    for study in list_studies(catalogue):
        spec, sources = catalogue.study(study), catalogue.sources_of(study)
        finder = Finder(catalogue, "sample", catalogue.council(spec.default_council), 0)
        rows = score_sources(describe_landscape(sources, spec, finder, run_date), sources, run_date)
        parts.append(rows.assign(study=spec.title))
    found = pd.concat(parts, ignore_index=True)
    studies = found.groupby("source_id")["study"].agg("; ".join).rename("studies")
    found = found.drop_duplicates("source_id").drop(columns=["study", "used_as"]).join(studies, on="source_id")
    known = [catalogue.expand([name])[-1] for name in found["source_id"]]
    agreed = [one.agreement for one in known]
    checks = pd.DataFrame([_check_fair(one) for one in known], columns=PRINCIPLES, index=found.index)
    found = found.assign(
        agreement=pd.Series([one.title if one else None for one in agreed], index=found.index, dtype="str"),
        agreement_kind=pd.Series([one.kind if one else None for one in agreed], index=found.index, dtype="str"),
        review_by=pd.to_datetime(pd.Series([one.review_by if one else None for one in agreed], index=found.index)),
        faults=[len(one.known_faults) for one in known],
        fair_checks=checks.sum(axis="columns"),
    ).join(checks)
    order = found["spectrum"].map({kind: place for place, kind in enumerate(KINDS)})
    return found.assign(order=order).sort_values(["order", "source_id"], ignore_index=True).drop(columns="order")


def _check_fair(source: Source) -> tuple[bool, ...]:
    has_terms = source.states_licence or source.agreement is not None
    return (
        source.landing_page.startswith("http") and bool(source.published),
        bool(source.url) if source.spectrum == "open" else source.agreement is not None,
        bool(source.tables) and find_format(source) in PLAIN,
        has_terms and all(field.description for table in source.tables.values() for field in table.fields.values()),
    )


def list_needs(catalogue: Catalogue) -> pd.DataFrame:
    """Return a row for each source that a step of a study reads: study, step, source_id, title, spectrum."""
    parts = [
        describe_journey(catalogue, study).query("kind == 'source'").assign(study=catalogue.study(study).title)
        for study in list_studies(catalogue)
    ]
    names = {"notebook_title": "step", "item_id": "source_id", "item_title": "title"}
    needs = pd.concat(parts, ignore_index=True).drop(columns="step").rename(columns=names)
    return needs[["study", "step", "source_id", "title", "spectrum"]]


def list_openings(catalogue: Catalogue) -> pd.DataFrame:
    """Say of the records that are not open which steps of a study anybody could repeat if they alone were opened.

    Returns:
        A row for the records that belong together: study, records, sources (how many), personal_data, alone (steps in
        which nothing else is closed or shared, joined by ;, missing if none), steps, together (steps that need others
        as well), datasets (released by the steps alone).
    """
    return pd.DataFrame(row for study in list_studies(catalogue) for row in _list_openings(catalogue, study))


def _list_openings(catalogue: Catalogue, study: str) -> Iterator[dict[str, object]]:
    spec = catalogue.study(study)
    guarded: dict[str, list[Source]] = {}
    for one in catalogue.sources_of(study):
        if one.spectrum != "open":
            guarded.setdefault(one.belongs_with or one.title, []).append(one)
    needed = {
        name: {one.belongs_with or one.title for one in catalogue.expand(step.sources) if one.spectrum != "open"}
        for name, step in spec.notebooks.items()
    }
    for records, sources in guarded.items():
        alone = [name for name, groups in needed.items() if groups == {records}]
        yield {
            "study": spec.title,
            "records": records,
            "sources": len(sources),
            "personal_data": any(one.personal_data for one in sources),
            "alone": "; ".join(spec.notebooks[name].title for name in alone) or None,
            "steps": len(alone),
            "together": sum(records in groups and name not in alone for name, groups in needed.items()),
            "datasets": sum(len(spec.notebooks[name].releases) for name in alone),
        }


def count_spectrum(sources: pd.DataFrame) -> pd.DataFrame:
    """Return a row a study: study, and how many of its sources are closed, shared and open."""
    apart = sources.assign(study=sources["studies"].str.split("; ")).explode("study")
    counts = pd.crosstab(apart["study"], apart["spectrum"])
    return counts.reindex(columns=list(KINDS), fill_value=0).rename_axis(columns=None).reset_index()


def draw_spectrum(sources: pd.DataFrame) -> Picture:
    """Draw how many sources of each study are closed, shared and open: a band a study, to print for a workshop.

    Args:
        sources: from `list_sources`.
    """
    counts = count_spectrum(sources)
    data = counts.melt("study", var_name="spectrum", value_name="sources").sort_values(["study", "spectrum"])

    def draw(axes: Axes, _: Page) -> None:
        left = pd.Series(0, index=counts.index)
        for kind in KINDS:
            axes.barh(counts["study"], counts[kind], left=left, color=COLOURS[kind], label=kind, height=0.6)
            for place, (start, width) in enumerate(zip(left, counts[kind], strict=True)):
                if width > 2:
                    middle = start + width / 2
                    axes.text(middle, place, f"{width}", ha="center", va="center", color=INK, fontweight="bold")
            left += counts[kind]
        axes.invert_yaxis()
        axes.set_xlabel("sources", color=INK)
        axes.figure.legend(loc="outside lower left", ncols=3, frameon=False)

    said = (f"{row.study}: {row.closed} closed, {row.shared} shared, {row.open} open." for row in counts.itertuples())
    alt = " ".join(["A bar a study, from closed on the left to open on the right.", *said])
    heights = 90 + 62 * len(counts), 110 + 70 * len(counts)
    return make_picture(draw, data, "The data spectrum of all studies", alt, heights, {})
