"""What may be said of venues, their places, money and stations, in sentences, from what was released."""

import pandas as pd

from councilbook.catalogue.councils import join_names
from councilbook.culture.venues.funding import GRANTS
from councilbook.culture.venues.positions import KINDS, MAPS, MUSEUMS
from councilbook.culture.venues.shifts import KEPT, MOVED, OTHER, REFUSED, UNTOLD
from councilbook.pages.html.wording import count_things

MOST_AREAS = 4  # that a sentence lists
PLURALS = {"library": "libraries"}
DONE = {
    KEPT: "its {position} are right",
    OTHER: "its {position} are right",
    MOVED: "both positions are wrong, so the {position} by {far:,.0f} metres",
    UNTOLD: "too few venues are known elsewhere to say which is right, so each may be {uncertainty:,.0f} metres off",
    REFUSED: "its positions contradict other files without a pattern, so they are not used",
}


def count_kinds(venues: pd.DataFrame) -> pd.DataFrame:
    """Count venues by kind: kind, venues; of `culture_venues`."""
    return venues["kind"].astype(str).value_counts().rename("venues").rename_axis("kind").reset_index()


def say_counts(counts: pd.DataFrame, name: str) -> str:
    """Say how many venues there are, by kind, and which kinds no list here has; of `culture_venue_counts`."""
    if counts.empty:
        return f"No source that is here names a venue in {name}."
    by_kind = counts.set_index("kind")["venues"]
    kinds = [count_kind(int(by_kind[kind]), kind) for kind in KINDS if kind in by_kind]
    absent = [PLURALS.get(kind, f"{kind}s") for kind in MAPS.values() if kind not in by_kind]
    of_all = f"{count_things(int(by_kind.sum()), 'venue')}: " if len(kinds) > 1 else ""
    found = f"{name} has {of_all}{join_names(kinds)}."
    return f"{found} No list here names any {join_names(absent, 'or')}." if absent else found


def say_venues(venues: pd.DataFrame, name: str) -> str:
    """Say how many venues there are, of which kinds, and what no file says; of `culture_venues`."""
    if venues.empty:
        return f"No source that is here names a venue in {name}."
    found = say_counts(count_kinds(venues), name)
    if not venues["source_id"].isin(MAPS).any():
        sources = "the list of all museums" if venues["source_id"].eq(MUSEUMS).any() else "the council's own list"
        return f"{found} We have {sources} alone and no map of venues, so a missing kind is no zero."
    placed = venues["borough_from"].eq("place")
    unnamed = int((placed & venues["borough_in_file"].isna()).sum())
    if unnamed:
        has, lies = ("has", "lies") if unnamed == 1 else ("have", "lie")
        found += f" {unnamed} of them {has} no borough in the file, and {lies} here all the same."
    if not placed.all():
        found += " Outlines of its small areas are not here, so the borough is the one that the file names."
    return found


def count_kind(count: int, kind: str) -> str:
    """Write how many venues of a kind there are, as `2 libraries`."""
    return f"{count} {kind if count == 1 else PLURALS.get(kind, f'{kind}s')}"


def say_positions(checks: pd.DataFrame) -> str:
    """Say how many positions contradict each other, in how many files; of `venue_position_checks`."""
    if checks.empty:
        return "No file here gives a venue two positions."
    wrong, rows = int(checks["contradicting"].sum()), int(checks["rows"].sum())
    if not wrong:
        return f"The positions of all {rows:,} venues agree, as far as a file gives two."
    moved = checks["decision"].eq(MOVED)
    told = f"In {wrong:,} of {rows:,} rows the two positions contradict each other, by {_say_gaps(checks)} metres."
    if moved.any():
        titles = join_names(checks.loc[moved, "title"].str.rsplit(", ", n=1).str[-1])
        far = checks.loc[moved].apply(_far, axis=1).max()
        told += f" Of {titles} neither was right; they were moved by {far:,.0f} metres."
    return told


def _far(check: pd.Series) -> float:
    return float((check["shift_east_m"] ** 2 + check["shift_north_m"] ** 2) ** 0.5)


def _say_gaps(checks: pd.DataFrame) -> str:
    gaps = sorted(set(checks.loc[checks["contradicting"].gt(0), "gap_m"].round().astype(int)))
    return f"{gaps[0]:,}" if len(gaps) == 1 else f"{gaps[0]:,} to {gaps[-1]:,}"


def say_file(check: pd.Series) -> str:
    """Say what was found in one file, and what was done; of a row of `venue_position_checks`."""
    uncertainty = check["uncertainty_m"] if pd.notna(check["uncertainty_m"]) else 0.0
    position = str(check["position_from"]).replace(", moved", " were moved")
    done = DONE[str(check["decision"])].format(position=position, far=_far(check), uncertainty=uncertainty)
    apart = f"the two are {check['gap_m']:,.0f} metres apart; " if check["contradicting"] else ""
    return f"{check['title']}: {apart}{done}."


def say_areas(areas: pd.DataFrame, venues: pd.DataFrame, venue_id: str) -> str:
    """Say in which small areas a venue may lie, all of them with distance and deprivation; of `venue_areas`."""
    name = venues.loc[venues["venue_id"].eq(venue_id), "name"].iloc[0]
    rows = areas[areas["venue_id"].eq(venue_id)]
    if rows.empty:
        return f"Of {name} the small area is not known: no outlines are here."
    if len(rows) > MOST_AREAS:
        deciles = rows["imd_decile"].dropna()
        span = f", of deciles {deciles.min()} to {deciles.max()}" if len(deciles) else ""
        return (
            f"{name} may lie in any of {len(rows)} small areas{span}: another source puts it "
            f"{rows['distance_m'].max():,.0f} metres or more away. Nothing should rest on one of them."
        )
    told = [
        f"{code} ({_say_away(metres)}{f', decile {decile} of deprivation' if pd.notna(decile) else ''})"
        for code, metres, decile in zip(rows["lsoa_code"], rows["distance_m"], rows["imd_decile"], strict=True)
    ]
    if len(told) == 1:
        return f"{name} lies in {told[0]}, whatever its uncertainty."
    some = "either of 2" if len(told) == 2 else f"any of {len(told)}"
    return f"{name} may lie in {some} small areas: {join_names(told)}. Nothing should rest on one of them."


def _say_away(metres: float) -> str:
    return "it lies in this one" if metres == 0 else f"{metres:.0f} metres away" if metres >= 1 else "at its border"


def say_doubt(areas: pd.DataFrame, venues: pd.DataFrame) -> str:
    """Say how many venues could lie in more than one small area, and how many a file's other position moves."""
    if areas.empty:
        return "Which small area a venue lies in cannot be said: outlines of the council's small areas are not here."
    several = int(areas.groupby("venue_id").size().gt(1).sum())
    other = int(venues["other_lsoa_code"].notna().sum())
    moved = f" A position as its file has it would put {other} of them into another." if other else ""
    return f"{several} of {len(venues)} venues may lie in more than one small area, since a border is near.{moved}"


def say_grants(funding: pd.DataFrame, name: str) -> str:
    """Say how many project grants came, and how much in all; of `culture_funding`."""
    grants = funding[funding["programme"].eq(GRANTS)]
    if grants.empty:
        return f"Project grants to {name} are not known: the file that is here was cut to other places."
    return (
        f"{name} had {count_things(int(grants['awards'].sum()), 'project grant')}, "
        f"£{grants['amount_gbp'].sum():,.0f} in all, from {grants['years'].min()} to {grants['years'].max()}."
    )


def say_funding(funding: pd.DataFrame, name: str) -> str:
    """Say which money came, and in a list how much a head beside England; of `culture_funding`."""
    if funding.empty:
        return f"No file of awards that is here says anything of {name}."
    told = [say_grants(funding, name)]
    for row in funding[funding["england_gbp_head"].notna() & funding["awards"].gt(0)].itertuples():
        told.append(
            f"- {str(row.programme).capitalize()}, {row.years}: £{row.amount_gbp_head:,.2f} a head here, "
            f"£{row.england_gbp_head:,.2f} in England."
        )
    return "\n\n".join([told[0], "\n".join(told[1:])]).strip()


def say_stations(stations: pd.DataFrame, name: str) -> str:
    """Say how many stations there are, and which is the busiest; of `culture_stations`."""
    if stations.empty:
        return f"Stations in {name} are not shown: outlines of its area, or the list of stations, are not here."
    inside = stations[stations["is_inside"]]
    around = len(stations) - len(inside)
    told = f"{name} has {count_things(len(inside), 'station')}; {around or 'no'} more within ten minutes on foot."
    counted = inside.dropna(subset=["people"])
    if counted.empty:
        return f"{told} How many people use them is not counted in a file that is here."
    busiest = counted.sort_values("people").iloc[-1]
    missing = len(inside) - len(counted)
    lacks = (
        f" {count_things(missing, 'station')} of its own {'has' if missing == 1 else 'have'} no count."
        if missing
        else ""
    )
    return (
        f"{told} The busiest is {busiest['name']}, with {busiest['people']:,} {busiest['counted']} "
        f"in {busiest['year']}, counted once.{lacks}"
    )


def say_cycleways(lines: pd.DataFrame, name: str) -> str:
    """Say how long the cycleways are; of `culture_cycleways`."""
    if lines.empty:
        return f"Cycleways in {name} are not shown: outlines of its area, or a file with lines in it, are not here."
    return f"{name} has {lines['length_m'].sum() / 1_000:.1f} km of Cycleways, in {count_things(len(lines), 'line')}."
