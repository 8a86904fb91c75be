"""Barriers: why people say that they do not go, by group, and by segment of areas."""

import numpy as np
import pandas as pd

from councilbook.culture.people.poststratify import (
    INTERVAL,
    Frame,
    Model,
    fit_model,
    predict_areas,
    predict_cells,
)
from councilbook.culture.people.survey import LAYOUT, Survey, estimate_shares
from councilbook.methods.uncertainty import find_interval

DRAWS = 60
THIRDS = [0, 3, 7, 10]  # deciles 1 to 3, 4 to 7, 8 to 10
THIRD_NAMES = ["most deprived three tenths", "middle four tenths", "least deprived three tenths"]
COLUMNS = ["asked", "grouping", "group", "reason", "answers", "share_pct", "low_pct", "high_pct", "basis"]
COLUMNS += ["is_suppressed"]
MODELLED = "museums"  # the reasons that are spread over areas


def list_barriers(survey: Survey) -> pd.DataFrame:
    """List the weighted share of each group that gives each reason, with 95% intervals.

    Returns:
        asked (who was asked), grouping, group, reason, answers, share_pct, low_pct, high_pct, basis, is_suppressed:
        fewer than FEWEST_SHOWN answers, so no share is shown.
    """
    people, found = survey.people, []
    if "imd_decile" in people:
        thirds = pd.cut(people["imd_decile"], THIRDS, labels=THIRD_NAMES).astype("string")
        people = people.assign(**{"deprivation of the area": thirds})
    groupings = ["everybody", *survey.groups, *people.columns.intersection(["deprivation of the area"])]
    named = {column: (asked, reason) for column, asked, reason in _list_reasons(survey)}
    for grouping in groupings if named else []:
        shares = estimate_shares(people, list(named), None if grouping == "everybody" else grouping)
        shares["asked"], shares["reason"] = zip(*shares["answer"].map(named), strict=True)
        found.append(shares.assign(grouping=grouping, basis="answers", is_suppressed=shares["share_pct"].isna()))
    return pd.concat(found, ignore_index=True)[COLUMNS] if found else pd.DataFrame(columns=COLUMNS)


def spread_barriers(
    survey: Survey, frame: Frame, segments: pd.Series, visits: Model, area_sd: float, rng: np.random.Generator
) -> pd.DataFrame:
    """Estimate the reasons of those who do not visit in each segment of areas, by the model of each reason.

    Args:
        segments: by lsoa21_code, in the order of the frame's areas.
        visits: model of who visits; the others are those who were asked.

    Returns:
        As `list_barriers`, with the model as basis.
    """
    absent = 1 - predict_cells(visits, frame)
    weight = (frame.adults * absent).sum(axis=1)
    members = pd.get_dummies(segments.reindex(frame.areas.index)).astype(float)
    mean = (members.to_numpy() * weight[:, None]) / (members.to_numpy() * weight[:, None]).sum(axis=0)
    found = []
    for column, asked, reason in _list_reasons(survey, MODELLED):
        model = fit_model(survey.people, column, list(visits.levels), visits.slopes)
        low, middle, high = find_interval(mean.T @ predict_areas(model, frame, rng, DRAWS, area_sd, absent), INTERVAL)
        one = pd.DataFrame({"group": members.columns, "asked": asked, "grouping": "segment", "reason": reason})
        found.append(one.assign(share_pct=100 * middle, low_pct=100 * low, high_pct=100 * high, answers=model.answers))
    return pd.concat(found, ignore_index=True).assign(basis="model", is_suppressed=False)[COLUMNS]


def _list_reasons(survey: Survey, only: str = "") -> list[tuple[str, str, str]]:
    """List column, who was asked, and the reason in words, of the reasons that the file has."""
    reasons = LAYOUT["reasons"].items()
    named = [(f"{name} {tick}", one["words"], words) for name, one in reasons for tick, words in one["ticked"].items()]
    return [one for one in named if one[0] in survey.people and one[0].startswith(only)]
