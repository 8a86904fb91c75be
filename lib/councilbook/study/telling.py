"""What a reader is told: where figures come from, what they assume, and where the study's ethics canvas stands."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from councilbook.catalogue import Canvas, Dataset
from councilbook.gate.ethics.points import Standing
from councilbook.pages import html
from councilbook.pages.html import Html
from councilbook.pages.html.wording import format_date

DAY = re.compile(r"\b\d{4}-\d\d-\d\d\b")
Package = Mapping[str, Any]  # the data package of a released dataset
Trace = Mapping[str, Any]  # what is known of a source's file; see `gate.writing.describe_sources`

PROVENANCE = {  # what a trace has, and what it is called in the table
    "series_title": "series",
    "title": "source",
    "publisher": "publisher",
    "spectrum": "spectrum",
    "synthetic": "data",
    "licence": "licence",
    "published": "date",
    "file": "file",
    "sha256": "checksum",
    "basis": "basis",
}


def tabulate_provenance(traces: Mapping[str, Trace]) -> pd.DataFrame:
    """Say where figures come from; see `Study.provenance`."""
    rows = [
        [("synthetic" if one[key] else "real") if key == "synthetic" else one[key] for key in PROVENANCE]
        for _, one in sorted(traces.items())
    ]
    return pd.DataFrame(rows, columns=list(PROVENANCE.values()))


def show_provenance(traces: Mapping[str, Trace], assumed: pd.DataFrame) -> Html:
    """Show where figures come from: a row a source or series, what is assumed, and every file with its checksum.

    Args:
        traces: by id of a source.
        assumed: from `list_assumed`.
    """
    files = tabulate_provenance(traces)
    rows = files.drop_duplicates(["series", "data"])
    counts = files.groupby(["series", "data"])["file"].transform("size")
    alike = rows.dropna(subset=["basis"]).groupby("basis", sort=False)["series"].agg("; ".join)
    made = dict(zip(alike, alike.index, strict=True))
    rows = rows.drop(columns=["source", "file", "checksum", "basis"])
    rows["licence"] = rows["licence"].replace("not_stated", "not stated")
    rows["date"] = [DAY.sub(lambda day: format_date(day[0]), str(one)) for one in rows["date"]]
    rows["date"] = rows["date"].where(counts == 1, counts.astype("str") + " editions")
    for column in ("spectrum", "data"):
        rows[column] = rows[column].map(lambda word: html.badge(word, word))
    headers = {name: name.capitalize() for name in rows.columns} | {"series": "Source"}
    parts = [html.table(rows, "Sources of every figure on this page", headers=headers)]
    if len(assumed):
        parts.append(html.table(assumed, "What is assumed, since no source of this run gives it"))
    mended = {one["title"]: " ".join(one["notes"]) for one in traces.values() if one.get("notes")}
    folded = {
        "How the synthetic data were made": made,
        "What was repaired or set aside to read the files": mended,
    }
    parts += [html.fold(title, html.definition_list(told)) for title, told in folded.items() if told]
    headers = {"source": "Source", "file": "File", "checksum": "SHA-256"}
    listed = html.table(files[list(headers)], "Files read", headers=headers)
    return html.join([*parts, html.fold("Every file with its checksum", listed)])


def list_assumed(read: Iterable[Package], made: Iterable[Dataset]) -> pd.DataFrame:
    """List the datasets read or made that rest on assumptions, each with a badge and what is assumed."""
    told = {one["title"]: one["councilbook"].get("assumptions", []) for one in read}
    told |= {one.title: [one.assumes] for one in made if one.assumes}
    rows = [(title, html.badge("assumed", "assumed"), "; ".join(texts)) for title, texts in told.items() if texts]
    return pd.DataFrame(rows, columns=["Dataset", "Data", "Assumptions about"])


def tabulate_points(points: Sequence[Standing], canvas: Canvas | None) -> pd.DataFrame:
    """List the points of a data ethics canvas, and where each stands; see `Study.list_ethics`."""
    kept = [canvas.owner, pd.Timestamp(canvas.written), pd.Timestamp(canvas.review_by)] if canvas else []
    rows = [
        (
            *(one.name, one.point.question, one.point.answer, one.state, one.point.by),
            pd.Timestamp(one.day) if one.day else pd.NaT,
            one.point.to_do if one.state == "open" else None,
            *kept,
        )
        for one in points
    ]
    about = ["question_id", "question", "answer", "state", "role", "decided_on", "to_do"]
    return pd.DataFrame(rows, columns=[*about, "owner", "written", "review_by"])


def show_points(points: pd.DataFrame) -> Html:
    """Show a data ethics canvas: each question and answer, where it stands, and who keeps it.

    Args:
        points: from `tabulate_points`.
    """
    kept = points.iloc[0]
    caption = (
        f"Data ethics canvas, kept by the {kept['owner'].lower()}, who looks at it again by "
        f"{format_date(kept['review_by'])}"
    )
    columns = ["question", "answer", "state", "role", "to_do"]
    headers = {"role": "who settles it", "to_do": "what to do first"}
    return html.table(points[columns].fillna({"to_do": "nothing"}), caption, headers=headers)


def tabulate_notices(canvas: Canvas | None) -> pd.DataFrame:
    """List what people are told where they meet a study; see `Study.list_notices`."""
    told = canvas.notice.items() if canvas else ()
    rows = [(place, line, text) for place, texts in told for line, text in enumerate(texts, start=1)]
    return pd.DataFrame(rows, columns=["place", "line", "text"])
