"""The page of a study on which all councils stand beside each other: what it shows, and in which words."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from statsmodels.stats.meta_analysis import combine_effects

from councilbook.catalogue import Catalogue, StudySpec
from councilbook.pages.charts import draw_funnel, draw_intervals
from councilbook.pages.comparisons.figures import Comparison, compare_councils, list_shared, say_difference
from councilbook.pages.html.pieces import Html, embed_json, fill
from councilbook.pages.html.tables import table
from councilbook.pages.html.wording import count_things
from councilbook.pages.maps.area_maps import draw_area_map
from councilbook.pages.maps.drawn_map import NATIONAL_GRID
from councilbook.pages.reports.report_records import ReportRecord
from councilbook.pages.study_pages import describe_figures
from councilbook.pages.withheld import read_released

MOST_IN_PAIRS = 8
MOST_IN_CHART = 40
LEAST_IN_FUNNEL = 8
BANDS = {"99.8% of councils that differ as these do": 3.09, "95% of them": 1.96}
OUTLINE_METRES = 100.0
DATA = {"real": "real data", "sample": "synthetic samples"}


@dataclass(frozen=True)
class ComparisonPage:
    """A page of the site: the name of its file, its title, and what its template asks for."""

    file: str
    title: str
    values: Mapping[str, Any]


def make_comparison_pages(catalogue: Catalogue, reports: Sequence[ReportRecord]) -> Iterator[ComparisonPage]:
    """Make a page for each study that declares what to compare, and each kind of run that two councils or more have."""
    for study in catalogue.studies.values():
        for data, words in DATA.items() if study.compare else ():
            names = _name_councils([one for one in reports if (one.study, one.data) == (study.id, data)])
            if len(names) > 1:
                title = f"Councils beside each other: {study.title}, {words}"
                yield ComparisonPage(
                    f"councils-{study.id}-{data}.html", title, _describe(catalogue, study, names, data)
                )


def _name_councils(reports: Sequence[ReportRecord]) -> dict[str, ReportRecord]:
    """Name councils in alphabetical order, the slug added where two have the same name."""
    ordered = sorted(reports, key=lambda one: (one.council.name.casefold(), one.council.slug))
    names = [one.council.name for one in ordered]
    twice = {name for name in names if names.count(name) > 1}
    return {
        f"{name} ({one.council.slug})" if name in twice else name: one for name, one in zip(names, ordered, strict=True)
    }


def _describe(catalogue: Catalogue, study: StudySpec, names: Mapping[str, ReportRecord], data: str) -> dict[str, Any]:
    site = catalogue.workbook.reports
    compared = [compare_councils(site, names, spec) for spec in study.compare]
    abouts = {name: one.package["councilbook"] for some in compared for name, one in some.datasets.items()}
    shared = list_shared({name: frozenset(one["council"]["codes"]) for name, one in abouts.items()})
    outlines = _read_outlines(site, study, names)
    return {
        "study": study,
        "count": count_things(len(names), "council"),
        "sections": [_show(catalogue, one, outlines) for one in compared],
        "pairs": [pairs for one in compared for pairs in _tabulate_pairs(one, shared)],
        "chosen": _pack(compared, [name for name in names if name in abouts], shared),
        "shared": bool(shared),
        "invented": False,
        **describe_figures([one for some in compared for one in some.datasets.values()], data),
    }


def _show(catalogue: Catalogue, one: Comparison, outlines: gpd.GeoDataFrame | None) -> dict[str, Any]:
    """Show a figure of all councils: a table by name, and what pictures fit."""
    rows = one.table.rename_axis("council").reset_index()
    title = one.spec.label + (f", {one.period}" if one.period else "")
    counted = catalogue.dataset(one.spec.dataset).fields[one.spec.columns[-1]].unit
    rows["interval"] = _write(rows, lambda row: f"{row['low']:,.1f} to {row['high']:,.1f}")
    link = _write(rows, lambda row: fill('<a href="{}/index.html">{}</a>', row["folder"], row["council"]))
    words = {"link": "Council", "value": f"Figure ({one.spec.unit.strip()})", "interval": "95% interval"}
    words |= {"size": f"Of how many {counted or ''}".strip()} if one.spec.of else {}
    shown = rows.assign(link=link)[list(words)]
    formats = {name: one for name, one in {"value": ",.1f", "size": ",.0f"}.items() if name in words}
    return {
        "title": title,
        "sure": one.spec.sure,
        "left_out": one.left_out,
        "table": table(shown, f"{title}, by name", headers=words, formats=formats) if len(rows) else "",
        "pictures": [
            Html(picture._repr_html_()) for picture in _draw(one, rows, title, words.get("size", ""), outlines)
        ],
    }


def _write(rows: pd.DataFrame, write: Callable[[Any], object]) -> "pd.Series[Any]":
    return pd.Series([write(row) for row in rows.to_dict("records")], index=rows.index, dtype=object)


def _draw(
    one: Comparison, rows: pd.DataFrame, title: str, x_label: str, outlines: gpd.GeoDataFrame | None
) -> Iterator[Any]:
    unit = one.spec.unit
    if 2 <= len(rows) <= MOST_IN_CHART:
        least, most = rows.sort_values("value").iloc[[0, -1]].to_dict("records")
        alt = (
            f"The figures go from {least['value']:,.1f} in {least['council']} to {most['value']:,.1f} in "
            f"{most['council']}. Each has a line for its 95% interval; the table has the ends."
        )
        ends = ("council", "value", "low", "high")
        label, title_of = f"{unit.strip()}, with 95% intervals", f"{title}: each council and its interval"
        yield draw_intervals(rows, *ends, title=title_of, alt=alt, label=label, reference=None, number=",.1f")
    if one.spec.low is None and one.spec.per == 100 and len(rows) >= LEAST_IN_FUNNEL:
        yield _draw_funnel(rows, title, x_label, unit)
    if outlines is not None and outlines["council"].isin(rows["council"]).sum() > 1:
        areas = outlines.merge(rows, on="council")
        alt = f"A map of {count_things(len(areas), 'council')} by their figure. The table above has each figure."
        details = {"value": (unit.strip(), ",.1f"), "interval": ("95% interval", "")}
        yield draw_area_map(
            areas,
            "value",
            title=f"{title}: map",
            alt=alt,
            name="council",
            details=details,
            unit=unit,
            classes=min(5, len(areas)),
        )


def _draw_funnel(rows: pd.DataFrame, title: str, x_label: str, unit: str) -> Any:
    """Draw shares against what they are of, between limits that allow for true differences between councils.

    Limits of Spiegelhalter 2005 (Statistics in Medicine 24(8):1185-1202) with an additive variance between units, by
    DerSimonian and Laird: councils differ by more than chance, and its limits alone would call nearly all unusual.
    """
    middle = float(np.average(rows["value"], weights=rows["size"]))
    noise = middle * (100 - middle)
    between = (
        combine_effects(rows["value"].to_numpy(), noise / rows["size"].to_numpy(), method_re="dl").tau2 if noise else 0
    )
    sizes = np.geomspace(max(rows["size"].min() / 2, 1), rows["size"].max() * 1.05, 60)
    wide = {band: width * np.sqrt(noise / sizes + max(between, 0)) for band, width in BANDS.items()}
    limits = [
        pd.DataFrame({"band": band, "x": sizes, "low": middle - one, "high": middle + one})
        for band, one in wide.items()
    ]
    alt = (
        f"{count_things(len(rows), 'council')} around an average of {middle:.1f}. Limits are wider for few than for "
        "many. Those beyond the inner limits, where 1 in 20 would be by chance, are numbered and named below."
    )
    within = pd.concat(limits).assign(low=lambda one: one["low"].clip(0), high=lambda one: one["high"].clip(upper=100))
    words = {"title": f"{title}: funnel", "alt": alt, "x_label": x_label, "y_label": unit}
    return draw_funnel(rows, "size", "value", "council", within, reference=middle, **words)


def _read_outlines(site: Path, study: StudySpec, names: Mapping[str, ReportRecord]) -> gpd.GeoDataFrame | None:
    """Join each council's released areas to one outline, the largest first; none where they lie on top of each other.

    That synthetic places do; a district may be within its county.
    """
    found = {}
    for name, report in names.items():
        folder = site / report.folder / "data" / (study.outlines or "")
        if study.outlines and (folder / "datapackage.json").exists():
            paths = [one["path"] for one in read_released(folder).package["resources"]]
            for path in [path for path in paths if path.endswith(".parquet")]:
                areas = gpd.read_parquet(folder / path, columns=["geometry"]).to_crs(NATIONAL_GRID)
                found[name] = areas.union_all().simplify(OUTLINE_METRES)
    outlines = gpd.GeoDataFrame({"council": list(found)}, geometry=list(found.values()), crs=NATIONAL_GRID)
    outlines = outlines.assign(area_m2=outlines.area).query("area_m2 > 0").sort_values("area_m2", ascending=False)
    return outlines if outlines["area_m2"].sum() < 2 * outlines.union_all().area else None


def _tabulate_pairs(one: Comparison, shared: Mapping[str, set[str]]) -> Iterator[Html]:
    """Say how each two of a few councils differ."""
    rows = dict(one.table.iterrows())
    if not 2 <= len(rows) <= MOST_IN_PAIRS:
        return
    said = [
        {
            "Councils": f"{first} and {second}",
            "Difference": "They share areas, so no difference is given."
            if second in shared.get(str(first), ())
            else say_difference(one.spec, (first, second), (rows[first], rows[second])),
        }
        for first, second in combinations(rows, 2)
    ]
    yield table(pd.DataFrame(said), f"Each two councils: {one.spec.label}")


def _pack(compared: Sequence[Comparison], names: Sequence[str], shared: Mapping[str, set[str]]) -> Html | None:
    """Pack the figures for the script that compares two councils; none where there are no two."""
    ends = [one.table[["value", "low", "high"]].T.to_dict("list") for one in compared]
    councils = [
        [name, [some.get(name) for some in ends], [names.index(one) for one in sorted(shared.get(name, ()))]]
        for name in names
    ]
    figures = [[one.spec.label, one.spec.difference_unit] for one in compared]
    return embed_json({"figures": figures, "councils": councils}) if len(names) > 1 else None
