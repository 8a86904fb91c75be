"""The twins of what schools and colleges return on their careers guidance: a spreadsheet, and three PDFs.

The benchmarks of 2014 are drawn so that the place has the published picture of England in 2024/25: 5.96 of eight on
average, and all eight in a quarter of the institutions (Careers & Enterprise Company, Gatsby Benchmark results for
2024/25, September 2025). Which benchmarks, percentages, offers and the returns of 2026 are invented.
"""

from functools import lru_cache

import numpy as np
import pandas as pd

from councilbook.careers.guidance.returns import BENCHMARKS, CONTACTS, FULLY, NO, NOT, OFFERS, PARTLY
from councilbook.careers.twin.guidance_pages import write_blocks, write_columns, write_ruled
from councilbook.careers.twin.institutions import make_institutions
from councilbook.catalogue import Source, TwinRequest
from councilbook.twins.places import make_place

MEAN_MET, ALL_EIGHT = 5.96, 0.25  # England, 2024/25
EASE = np.array([3.0, 2.0, 1.6, 2.2, 3.0, 0.9, 1.0, 1.3])  # by benchmark; invented
RETURNED, RETURNED_AGAIN, IN_SPREADSHEET = 0.92, 0.6, 0.7  # of the institutions; invented
DAYS = {"2014": "2025-07-18", "2025": "2026-07-10"}
POSTS = ["Careers leader", "Careers adviser", "Assistant headteacher", "Head of sixth form", "Student services manager"]
MAILBOXES = ["careers", "office", "careers.team", "sixthform"]
HEADERS = {
    "urn": "URN",
    "institution_name": "School or college",
    "benchmarks_version": "Benchmarks of",
    "return_date": "Date of return",
    "contact_post": "Post to ask",
    "contact_mailbox": "Shared mailbox",
}


def list_schools(request: TwinRequest) -> pd.DataFrame:
    """List the schools and colleges of the place: urn and name; in a real run, those of the official list."""
    is_real = request.mode == "real"
    listed = request.load("school_spine") if is_real else make_institutions(make_place(request.council, request.seed))
    is_open = listed["status"].str.contains("^(?:1$|Open)")  # as either list writes it
    is_meant = (listed["is_secondary"] | listed["is_post16"]) & is_open
    return listed.loc[is_meant, ["urn", "name"]].reset_index(drop=True)


def draw_returns(request: TwinRequest) -> pd.DataFrame:
    """Draw the returns of a place, those that no file has too.

    Returns:
        A row an institution and version of the benchmarks: the fields of a return as text (empty where there was no
        return), and in_spreadsheet: whether the spreadsheet has it.
    """
    schools = list_schools(request)
    return _draw_returns(request.council.slug, request.seed, tuple(schools["urn"]), tuple(schools["name"])).copy()


@lru_cache(maxsize=4)
def _draw_returns(slug: str, seed: int, urns: tuple[str, ...], names: tuple[str, ...]) -> pd.DataFrame:
    rng = np.random.default_rng([seed, 32, *slug.encode()])
    has_all = {version: np.ones(len(urns), dtype=bool) for version in DAYS}
    has_all["2014"][rng.permutation(len(urns))[: len(urns) - max(1, round(RETURNED * len(urns)))]] = False
    has_all["2025"][rng.permutation(len(urns))[max(1, round(RETURNED_AGAIN * len(urns))) :]] = False
    met = _draw_met(int(has_all["2014"].sum()), rng)
    rows = []
    for version, has in has_all.items():
        counts = iter(met if version == "2014" else rng.permutation(np.maximum(met[: int(has.sum())] - 1, 0)))
        for urn, name, is_there in zip(urns, names, has, strict=True):
            told = _draw_return(int(next(counts)), DAYS[version], rng) if is_there else {}
            rows.append({"urn": urn, "institution_name": name, "benchmarks_version": version, **told})
    frame = pd.DataFrame(rows).fillna("")
    boxes = rng.choice(MAILBOXES, len(frame))
    frame["contact_mailbox"] = [f"{box}@school{urn}.example" for box, urn in zip(boxes, frame["urn"], strict=True)]
    frame["contact_post"] = rng.choice(POSTS, len(frame))
    is_there = frame["return_date"] != ""
    frame.loc[~is_there, CONTACTS] = ""
    return frame.assign(in_spreadsheet=is_there & (rng.random(len(frame)) < IN_SPREADSHEET))


def _draw_met(institutions: int, rng: np.random.Generator) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Draw how many benchmarks each institution meets: with England's mean, and its share with all eight."""
    everything = max(1, int(ALL_EIGHT * institutions + 0.5))
    met = np.append(np.full(everything, 8), rng.integers(3, 8, institutions - everything)).astype(np.int64)
    short = round(MEAN_MET * institutions) - int(met.sum())
    while short:
        able = np.flatnonzero((met < 7) if short > 0 else (met > 0) & (met < 8))
        if not len(able):
            break  # a handful of institutions cannot have both
        met[rng.choice(able)] += np.sign(short)
        short -= int(np.sign(short))
    return rng.permutation(met)


def _draw_return(met: int, day: str, rng: np.random.Generator) -> dict[str, str]:
    fully = set(rng.choice(len(EASE), met, replace=False, p=EASE / EASE.sum()))
    shares = [100 if n in fully else int(rng.choice([0, *range(15, 100, 5)])) for n in range(len(EASE))]
    told = {"return_date": day}
    for name, share in zip(BENCHMARKS, shares, strict=True):
        told[name] = FULLY if share == 100 else NOT if share == 0 else PARTLY
        told[f"{name}_pct"] = str(share)
    for name in OFFERS:
        years = sorted(rng.choice(range(7, 14), rng.integers(0, 4), replace=False).tolist())
        told[name] = ", ".join(map(str, years)) or NO
    return told


def list_printed(request: TwinRequest, source: str) -> pd.DataFrame:
    """List the returns that one of the files has, as it has them: other fields are empty."""
    returns = draw_returns(request)
    if source == "guidance_returns":
        return returns[returns["in_spreadsheet"]]
    printed = returns[returns["benchmarks_version"] == ("2025" if source == "guidance_pdf_blocks" else "2014")].copy()
    percent, offers = [f"{name}_pct" for name in BENCHMARKS], set(OFFERS) - {"offer_work_experience", "offer_guidance"}
    lacks = {"guidance_pdf_ruled": [*OFFERS, *CONTACTS], "guidance_pdf_columns": [*percent, *offers, *CONTACTS]}
    printed[lacks.get(source, [])] = ""
    return printed.reset_index(drop=True)


def make_returns(_source: Source, request: TwinRequest) -> bytes:
    """Make the spreadsheet of returns, as a school or college fills it in."""
    printed = list_printed(request, "guidance_returns").drop(columns="in_spreadsheet")
    headers = HEADERS | {name: f"Benchmark {title}" for name, title in BENCHMARKS.items()}
    headers |= {f"{name}_pct": f"Benchmark {title[0]} (%)" for name, title in BENCHMARKS.items()} | OFFERS
    return printed.rename(columns=headers).to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig")


def make_report(source: Source, request: TwinRequest) -> bytes:
    """Make a PDF of returns: a ruled table, columns without lines, or blocks of sentences."""
    printed = list_printed(request, source.id)
    write = {"guidance_pdf_ruled": write_ruled, "guidance_pdf_columns": write_columns}.get(source.id, write_blocks)
    return write(printed, request.council.name)
