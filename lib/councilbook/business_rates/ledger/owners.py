"""Whose roll a file is: told by its name, by a column in it, and by where its properties lie.

Rolls look alike in every council, so a wrong file in the right place would be published as another council's. What is
known of any council's area without a network is where its food premises are: on the published rolls of six councils,
98.8 to 99.9% of the postcodes lie in a sector with food premises of their own council, and at most 3.1% in one of
another's.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from councilbook.business_rates.ledger.reading import read_ledger
from councilbook.business_rates.missing.lists import tidy_postcodes
from councilbook.business_rates.register.properties import find_places
from councilbook.business_rates.roll.files import find_head, read_records
from councilbook.business_rates.roll.headers import normalise_header
from councilbook.catalogue import Council, FoundFile
from councilbook.catalogue.councils import Authority, find_authority, list_codes
from councilbook.errors import CatalogueError, CheckError

if TYPE_CHECKING:
    from councilbook.study import Study

FOOD, WARDS = "food_hygiene_ratings", "wards"
OF_AUTHORITY = re.compile(
    r"((name of )?(billing|local|rating|charging|collecting) (authority|council)|authority|council|organi[sz]ation|"
    r"la|lad|gss)"
    r"( \d\d)?( ?(name|code|label|cd|nm))?"
)
SAMPLED_ROWS = 20_000
LEAST_INSIDE = 0.5  # of a council's own roll
LEAST_INSIDE_UNNAMED = 0.8  # where neither name nor column tells the council
LEAST_REACHED = 0.5  # of the council's food premises, by a whole roll of its own
WHOLE_ROLL = 200  # rows; of fewer it is not asked that they reach everywhere
NEAR_KM = 5
KM_A_DEGREE = 111.2


@dataclass(frozen=True)
class Agreement:
    """How well a roll's properties lie where a council's food premises are.

    Attributes:
        what: postcodes or positions.
        rows: properties that have one.
        inside: the share of these that lie in a postcode sector with food premises, or near some.
        reached: the share of the food premises that lie so by the properties.
    """

    what: str
    rows: int
    inside: float
    reached: float


def refuse_other_council(study: "Study", found: FoundFile) -> None:
    """Refuse a roll that is not the council's, or of which nothing tells whose it is.

    Args:
        study: for its council, and its food premises.
        found: the roll.

    Raises:
        SourceError, CheckError: the roll cannot be read; see `read_roll`.
        CheckError: it is another council's by what it says or where its properties lie, or nothing says that it is this
            one's. No cell is shown.
    """
    council, where = study.finder.council, f"Source {found.source.id}, file {found.path.name}"
    roll = read_ledger(study, found).frame
    named = list_named(found.path, study.read_mapping(found) or {})
    way = "Correct --council, or put the right file in its place."
    if named and (others := [one for one in named if not _is_part(one, council)]):
        raise CheckError(f"{where}: a column of it names {others[0]}, and this run is for {council.name}. {way}")
    food = study.load_table(study.catalogue.source(FOOD), None)
    if others := [one for one in _find_authorities(food["authority"]) if not _is_part(one, council)]:
        raise CheckError(f"Source {FOOD}: its premises are of {others[0]}, and this run is for {council.name}. {way}")
    refuse_other_wards(study, food)
    agreements = measure_agreement(roll, food)
    for one in agreements:
        if one.inside < LEAST_INSIDE:
            raise CheckError(
                f"{where}: {one.inside:.0%} of its {one.rows:,} {one.what} lie where {council.name} has food premises, "
                f"and at least {LEAST_INSIDE:.0%} of its own roll's would. It looks like another council's. {way}"
            )
    if not (named or found.names_council or found.origin != "closed folder" or _agrees_well(agreements)):
        name = f"{found.source.file.partition('.')[0]}_{council.slug}.{found.path.name.partition('.')[2]}".rstrip(".")
        places = " and ".join(f"{one.inside:.0%} of its {one.what}" for one in agreements)
        told = (
            f"{places} lie where {council.name} has food premises" if places else "it has no postcodes and no positions"
        )
        raise CheckError(
            f"{where}: neither its name nor a column in it says whose roll it is, and where its properties lie does "
            f"not tell it well enough ({told}). If it is {council.name}'s, call it {name}; else correct --council."
        )


def refuse_other_wards(study: "Study", food: pd.DataFrame) -> None:
    """Refuse outlines of wards that a council's food premises do not lie in; where there are none, all is well.

    Raises:
        CheckError: most premises lie outside.
    """
    source = study.catalogue.source(WARDS)
    known = food[food[["latitude", "longitude"]].notna().all(axis="columns")]
    if not study.is_there(source) or known.empty:
        return
    inside = find_places(known, gpd.GeoDataFrame(study.load_table(source, None)), None)["ward_code"].notna().mean()
    if inside < LEAST_INSIDE:
        raise CheckError(
            f"Source {WARDS}: {inside:.0%} of {study.finder.council.name}'s food premises lie in one of its outlines, "
            f"and at least {LEAST_INSIDE:.0%} would. They may be another council's, or not all of them."
        )


def list_named(path: Path, confirmed: Iterable[str]) -> list[Authority]:
    """List the councils that a column of billing authorities names, if a roll has one; in a sample of its rows.

    Args:
        path: the roll.
        confirmed: headers of which the council has said what they are.
    """
    layout = find_head(path, list(confirmed))
    places = [n for n, cell in enumerate(layout.header) if OF_AUTHORITY.fullmatch(normalise_header(cell))]
    sample = [cells for _, cells in islice(read_records(layout), SAMPLED_ROWS)] if places else []
    return _find_authorities(pd.Series([cells[n] for cells in sample for n in places if n < len(cells)], dtype="str"))


def measure_agreement(roll: pd.DataFrame, food: pd.DataFrame) -> list[Agreement]:
    """Measure how well a roll's properties lie where food premises are.

    Args:
        roll: postcode, latitude, longitude of each property.
        food: the same of each food premises.

    Returns:
        One for postcodes and one for positions, where both files have some.
    """
    found = []
    ours, theirs = (tidy_postcodes(one["postcode"]).dropna().str[:-2] for one in (roll, food))
    if len(ours) and len(theirs):
        found.append(Agreement("postcodes", len(ours), ours.isin(theirs).mean(), theirs.isin(ours).mean()))
    here, there = _place_points(roll), _place_points(food)
    if len(here) and len(there):
        shares = (float((cKDTree(b).query(a)[0] <= NEAR_KM).mean()) for a, b in ((here, there), (there, here)))
        found.append(Agreement("positions", len(here), *shares))
    return found


def _agrees_well(agreements: Iterable[Agreement]) -> bool:
    return any(agreements) and all(
        one.inside >= LEAST_INSIDE_UNNAMED and (one.rows < WHOLE_ROLL or one.reached >= LEAST_REACHED)
        for one in agreements
    )


def _place_points(frame: pd.DataFrame) -> np.ndarray:
    """Return positions as kilometres east and north, near enough within one council."""
    degrees = frame[["latitude", "longitude"]].astype("float64").dropna().to_numpy()
    east = degrees[:, 1] * np.cos(np.radians(degrees[:, 0]))
    return np.column_stack([east, degrees[:, 0]]) * KM_A_DEGREE


def _find_authorities(names: pd.Series) -> list[Authority]:
    found = []
    for name in names.dropna().str.strip().unique():
        try:
            found.append(find_authority(str(name)) if name else None)
        except CatalogueError:  # several are called so
            continue
    return [one for one in found if one]


def _is_part(one: Authority, council: Council) -> bool:
    return any(one.gss_code in list_codes(code) for code in council.codes) or one == council.county
