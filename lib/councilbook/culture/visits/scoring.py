"""How near the estimates come to the truth of an invented museum: scores on synthetic data, and no other."""

import numpy as np
import pandas as pd

from councilbook.catalogue import Council
from councilbook.culture.twin import museum
from councilbook.culture.twin.devices import LOCAL
from councilbook.culture.visits import answers, hours, telling, ways
from councilbook.culture.wifi.stays import find_stays
from councilbook.twins.places import make_place


def score_method(
    council: Council, seed: int, visit_gap_minutes: float, stay_gap_minutes: float, rng: np.random.Generator
) -> pd.DataFrame:
    """Run the same steps on an invented museum, and lay what they find beside what is true there.

    Returns:
        what, unit, estimated, low, high, truth: a row a figure; whole numbers.
    """
    place = museum.draw_museum(make_place(council, seed))
    events, door = _hear(place), ["entrance"]
    visits = telling.find_visits(events, place.diary, museum.TIMEZONE, visit_gap_minutes)
    signal, minutes = telling.fit_thresholds(visits)
    visits = telling.tell_visitors(visits, signal.value, float(np.exp(minutes.value)))
    heads = hours.read_counts(museum.count_heads(place, rng), museum.ZONES)
    scales = hours.fit_scales(hours.compare_counts(heads, visits), rng)
    stays = find_stays(ways.mark_street(events, signal.value, door), stay_gap_minutes)
    followed = ways.follow_visitors(events, stays, visits, museum.ZONES)
    least = float(np.exp(minutes.value))
    lengths = ways.find_lengths(ways.measure_stays(followed, door, least), rng).set_index("zone")
    arrivals = answers.count_arrivals(hours.count_hours(visits, stays, museum.TIMEZONE), scales[hours.CAME_IN].ratio)
    given = answers.keep_consented(museum.ask_visitors(place.people, rng), museum.TIMEZONE)
    weight = answers.weigh_answers(given, arrivals)
    kinds = visits[visits["arrived"].between(visits["opens"], visits["closes"])]["who"].value_counts()
    rows = []
    for what, who, scale in (
        ("people who came in", telling.VISITOR, scales[hours.CAME_IN]),
        ("people who passed while it was open", telling.PASSER, scales[hours.PASSED]),
    ):
        rows.append((what, "people", *(kinds[who] * one for one in (scale.ratio, scale.low, scale.high))))
    for zone, what in ((hours.WHOLE, "median visit"), ("history gallery", "median stay in the history gallery")):
        rows.append((what, "minutes", *lengths.loc[zone, ["median_minutes", "low_minutes", "high_minutes"]]))
    chances = ways.find_chances(ways.count_steps(ways.list_steps(followed)))
    step = chances.loc["history gallery", "community gallery"]
    rows.append(("of 100 who leave the history gallery, go to the community gallery", "steps", step, np.nan, np.nan))
    for name, wanted in (("age_band", "65 and over"), ("reason", "with children")):
        share = 100 * weight[given[name].eq(wanted)].sum() / weight.sum()
        rows.append((f"of 100 visitors: {wanted}", "people", share, np.nan, np.nan))
    table = pd.DataFrame(rows, columns=["what", "unit", "estimated", "low", "high"]).assign(
        truth=_find_truth(place, least)
    )
    numbers = ["estimated", "low", "high", "truth"]
    return table.assign(**{name: table[name].astype(float).round().astype("Int64") for name in numbers})


def _hear(place: museum.Museum) -> pd.DataFrame:
    """Turn the frames of the invented museum into events, as a log that was read."""
    frames = place.frames[~place.frames["address"].isin(place.devices["address"])]
    day = frames["time"].dt.floor("D").astype("int64").to_numpy().astype(np.uint64)
    token = pd.factorize(frames["address"].to_numpy() ^ (day << np.uint64(1)))[0].astype(np.uint64)
    zone = frames["zone"].astype(str).replace(museum.STREET, "entrance")
    local = (frames["address"].to_numpy() & LOCAL) != 0
    kept = frames[["time", "signal_dbm", "fingerprint", "network"]]
    return kept.assign(zone=zone.astype("category"), token=token, is_local=local).reset_index(drop=True)


def _find_truth(place: museum.Museum, least_minutes: float) -> list[float]:
    """List what is true of the figures that are scored, in their order."""
    visitors = place.presences[place.presences["kind"].eq("visitor")]
    inside = visitors[visitors["zone"].ne(museum.STREET)].sort_values(["person", "arrived"])
    whole = inside.groupby("person").agg(arrived=("arrived", "min"), left=("left", "max"))
    minutes = (whole["left"] - whole["arrived"]).dt.total_seconds() / 60
    stays = (inside["left"] - inside["arrived"]).dt.total_seconds() / 60
    days = telling.read_diary(place.diary, museum.TIMEZONE).dropna(subset="opens")
    passers = place.presences.loc[place.presences["kind"].eq("passer-by"), "arrived"]
    own = days.reindex(passers.dt.strftime("%Y-%m-%d"))
    passed = passers.between(own["opens"].set_axis(passers.index), own["closes"].set_axis(passers.index)).sum()
    here = inside["zone"].eq("history gallery")
    goes = inside["zone"].shift(-1).eq("community gallery") & inside["person"].eq(inside["person"].shift(-1))
    said = [
        100 * place.people[name].eq(wanted).mean()
        for name, wanted in (("age_band", "65 and over"), ("reason", "with children"))
    ]
    return [
        float(len(whole)), float(passed), float(minutes[minutes > least_minutes].median()), float(stays[here].median()),
        float(100 * goes[here].mean()), *said,
    ]  # fmt: skip
