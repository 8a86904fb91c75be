"""What may be said of places and who they reach, in a councillor's words; no venue is called the best."""

import geopandas as gpd
import pandas as pd

from councilbook.culture.reach.catchments import ANY, MODE_WORDS
from councilbook.pages.html.wording import write_about

AT_VENUES, ANYWHERE, BEYOND, NEAREST = "at venues", "anywhere", "beyond venues", "shortest way"
EXACT, GREEDY, LARGEST, ALL_VENUES = "exact", "one by one", "largest areas", "all venues"
PLAN_WORDS = {
    AT_VENUES: "at venues that exist",
    ANYWHERE: "at venues or in the middle of any area",
    BEYOND: "for those who have no venue near",
    NEAREST: "with the shortest way on average",
}
VENUE_HEADERS = {
    "not_engaged_adults": "Estimated not to take part",
    "not_engaged_low": "at least",
    "not_engaged_high": "at most",
    "people_16_to_24": "People aged 16 to 24",
}
PLAN_HEADERS = {
    "reached_adults": "Reached, estimated not to take part",
    "reached_low": "at least",
    "reached_high": "at most",
    "reached_pct": "of all (%)",
    "walk_minutes": "Average way on foot (minutes)",
}
BANDS = {1: "one plan chooses it", 2: "two plans", 3: "three plans", 4: "all four plans"}
SHOWN = 3
OFTEN = 90  # per cent of draws from which on a place is said to be sure


def say_reach(reach: pd.DataFrame, minutes: int, mode: str = "walk") -> str:
    """Say who has a venue near: of venue_reach, any kind, by one mode."""
    row = reach[reach["kind"].eq(ANY) & reach["mode"].eq(mode) & reach["minutes"].eq(minutes)].iloc[0]
    shares, without = (row["adults_pct"], row["not_engaged_adults_pct"]), write_about(row["not_engaged_without"])
    said = (
        f"{shares[0]:.0f} in 100 adults live within {minutes} minutes of a {name_kind(reach)} {MODE_WORDS[mode]}. Of "
        f"those who are estimated not to take part, {shares[1]:.0f} in 100 do, and about {without} do not."
    )
    if pd.isna(row["people_16_to_24"]):
        return f"{said} How many people aged 16 to 24 do is not known here: no list of ages has this council."
    return f"{said} Of people aged 16 to 24, {row['people_16_to_24_pct']:.0f} in 100 do."


def name_kind(reach: pd.DataFrame) -> str:
    """Name what is near: a venue, or its kind where lists here name one kind alone; of venue_reach."""
    kinds = set(reach["kind"]) - {ANY}
    return kinds.pop() if len(kinds) == 1 else "venue"


def say_kinds(reach: pd.DataFrame) -> str:
    """Say which kinds of venues are known, so that nobody takes those that no list names for missing."""
    kinds = reach[reach["kind"].ne(ANY)].drop_duplicates("kind")
    listed = ", ".join(f"{row['kind']} ({row['venues']})" for _, row in kinds.iterrows())
    return f"Venues whose places are known here, by kind: {listed}. Others may exist, and are not counted."


def say_young(catchments: pd.DataFrame, minutes: int) -> str:
    """Say which venues have most people of 16 to 24 near, who may volunteer."""
    near = catchments[catchments["mode"].eq("walk") & catchments["minutes"].eq(minutes)]
    near = near.dropna(subset="people_16_to_24")
    if near.empty:
        return "Where people aged 16 to 24 live is not known here, since no list of ages has this council."
    top = near.nlargest(SHOWN, "people_16_to_24")
    listed = "; ".join(f"{row['name']}, {row['people_16_to_24']:,.0f}" for _, row in top.iterrows())
    return f"Most people aged 16 to 24 live within {minutes} minutes' walk of these venues: {listed}."


def say_bridge(bridges: pd.DataFrame, asked: str) -> str:
    """Say where a venue may rank by distance; the first whose name contains the words asked for."""
    own = bridges[bridges["name"].str.contains(asked, case=False, regex=False)] if asked else bridges.head(0)
    own = own[own["venue_id"].eq(own["venue_id"].iloc[0])] if len(own) else own
    known = own.dropna(subset="rank")
    if known.empty:
        return say_first(bridges)
    parts = [
        f"within {row['walk_metres']:,} m it is number {row['rank']} of {row['venues']}, and may be anything from "
        f"{row['rank_first']} to {row['rank_last']}"
        for _, row in known.iterrows()
    ]
    return f"{known['name'].iloc[0]} has no single rank as a bridge: {'; '.join(parts)}. {say_first(bridges)}"


def tabulate_ranks(bridges: pd.DataFrame) -> pd.DataFrame:
    """Tabulate each venue's rank, with the ranks that it may have, by walking distance: name, kind, a column each."""
    known = bridges.dropna(subset="rank")
    ends = known[["rank", "rank_first", "rank_last"]].astype("str")
    written = ends["rank"] + " (" + ends["rank_first"] + " to " + ends["rank_last"] + ")"
    table = known.assign(ranks=written, within="within " + known["walk_metres"].map("{:,} m".format))
    wide = table.set_index(["name", "kind", "venue_id", "within"])["ranks"].unstack("within")  # noqa: PD010
    return wide[table["within"].unique()].fillna("nobody near").reset_index().drop(columns="venue_id")


def say_first(bridges: pd.DataFrame) -> str:
    """Say how many venues may be first at some distance, and how many at each."""
    ranked = bridges.dropna(subset="rank")
    venues, distances = ranked["venue_id"].nunique(), ranked["walk_metres"].nunique()
    if venues < 2:
        return "There are too few venues with people near to compare them as bridges."
    may = ranked.assign(may=ranked["rank_first"].eq(1)).groupby("venue_id")["may"].sum()
    some, every = int((may > 0).sum()), int((may == distances).sum())
    return (
        f"Of {venues} venues, {some} may come first at one of {distances} walking distances, and {every} at each. "
        "So the data do not say which venue is the first."
    )


def say_plan(plans: pd.DataFrame, plan: str, minutes: int) -> str:
    """Say what a plan reaches, beside a simple one."""
    rows = plans[plans["plan"].eq(plan)].set_index("method")
    best = rows.loc[EXACT]
    words = PLAN_WORDS[plan]
    if plan == NEAREST:
        return f"From {best['places']:.0f} places {words}, that takes {best['walk_minutes']:.0f} minutes on foot."
    said = (
        f"{best['places']:.0f} places {words} are within {minutes} minutes' walk of about "
        f"{write_about(best['reached_adults'])} adults who are estimated not to take part, "
        f"{best['reached_pct']:.0f} in 100."
    )
    method, simple = (ALL_VENUES, "All venues") if plan == AT_VENUES else (LARGEST, "The largest areas of a list")
    return f"{said} {simple} would reach {write_about(float(rows['reached_adults'][method]))}."


def say_sure(places: pd.DataFrame) -> str:
    """Say how many of the chosen places stay chosen when the estimates are drawn anew."""
    tried = places.dropna(subset="chosen_pct")
    sure = int(tried["chosen_pct"].ge(OFTEN).sum())
    return (
        f"{sure} of the {len(tried)} places that the plans choose are chosen in nine draws of ten or more. The draws "
        "change the estimates of engagement alone; where people live and how far they walk stay the same."
    )


def band_places(places: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Put the chosen places into bands for a map, by how many plans choose each: a row a place, with its plans."""
    groups = places.groupby("place_id", sort=False)
    mapped = gpd.GeoDataFrame(groups.first().reset_index(), geometry="geometry", crs=places.crs)
    mapped["band"] = groups["plan"].size().to_numpy()
    mapped["plans"] = groups["plan"].agg(", ".join).to_numpy()
    mapped["name"] = mapped["name"] + mapped.groupby("name").cumcount().map(
        lambda again: f" ({again + 1})" * (again > 0)
    )
    return mapped
