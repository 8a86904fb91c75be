"""Places: which small areas a council has, in which census's codes, and how the censuses' areas fit together.

Codes change. LSOAs were drawn for the 2001 census and redrawn in part for 2011 and 2021; districts merge every few
years. So a council's rows are found by the small areas that it has today, not by the district code that
stood in the file of the time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from councilbook.catalogue import Areas, Council, Source
from councilbook.catalogue.councils import (
    describe_end,
    join_names,
    list_codes,
    list_divided_counties,
    list_education_codes,
)
from councilbook.errors import CheckError, NotLinkedError, NotThereError, SourceError

LSOA_COLUMNS = {2011: "lsoa11_code", 2021: "lsoa21_code"}

Gazetteer = tuple[Areas, Callable[[], pd.DataFrame]]


@dataclass(frozen=True)
class Place:
    """A council with the small areas it is made of.

    Attributes:
        lookup: the council's rows of the exact fit lookup: lsoa11_code, lsoa21_code, change, lad22_code, lad22_name.
        shared: its LSOAs of 2011 that lie in another council as well: three of England's were cut by a border in 2021.
    """

    council: Council
    name: str
    lookup: pd.DataFrame
    shared: frozenset[str] = frozenset()

    def lsoas(self, vintage: int) -> set[str]:
        """Return the codes of its LSOAs of 2011 or 2021."""
        return set(self.lookup[LSOA_COLUMNS[vintage]])


def resolve_place(council: Council, lookup: pd.DataFrame, gazetteers: Mapping[str, Gazetteer]) -> Place:
    """Find the small areas of a council.

    Args:
        council: the council; its codes may be districts of any year that a gazetteer knows.
        lookup: the exact fit lookup of all of England.
        gazetteers: by source id, tables that give each LSOA its district; the first that knows a code decides, and
            those after it are not read for that code. Where none knows a council's own code, as it merged after they
            were made, the first that knows those which it took the place of decides.

    Raises:
        CheckError: no table has a row for a code.
    """
    found, names = [], []
    for code, name in council.codes.items():
        for wanted, (areas, read_table) in product(({code}, list_codes(code)), gazetteers.values()):
            table = read_table()
            rows = table[table[areas.district].isin(wanted)]
            if not rows.empty:
                found.append(lookup[LSOA_COLUMNS[areas.vintage]].isin(rows[areas.lsoa]))
                names.append(name or (rows[areas.district_name].iloc[0] if areas.district_name else code))
                break
        else:
            nation = "" if code.startswith("E") else " They hold England only."
            raise CheckError(
                f"Council {code}: no row in {', '.join(gazetteers)}. Give the code of an English district, unitary or "
                f"borough of a year that these files know.{nation}"
            )
    is_here = np.logical_or.reduce(found)
    rows, others = lookup[is_here].reset_index(drop=True), lookup["lsoa11_code"][~is_here]
    shared = frozenset(others[others.isin(rows["lsoa11_code"])])
    name = join_names(names) if council.name == ", ".join(council.codes) else council.name
    return Place(council, name, rows, shared)


def fill_lsoas(frame: pd.DataFrame, areas: Areas, read_lookup: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """Give rows without an LSOA that of their output area: as other rows of the table have it, or else the lookup.

    Args:
        frame: a table as it was read, with the columns that `areas` names.
        areas: names its columns of LSOA and of output area.
        read_lookup: reads oa21_code and lsoa21_code; called only where the table itself does not say.
    """
    says = {name: frame[name].str.startswith("E", na=False) for name in (areas.lsoa, areas.output_area)}
    blank = ~says[areas.lsoa] & says[areas.output_area]
    if not blank.any():
        return frame
    known = frame[says[areas.lsoa]].drop_duplicates(areas.output_area).set_index(areas.output_area)[areas.lsoa]
    filled = frame.loc[blank, areas.output_area].map(known).astype("str")
    if filled.isna().any():
        filled = filled.fillna(
            frame.loc[blank, areas.output_area].map(read_lookup().set_index("oa21_code")["lsoa21_code"])
        )
    return frame.assign(**{str(areas.lsoa): frame[areas.lsoa].mask(blank, filled)})


def follow_lsoas(frame: pd.DataFrame, areas: Areas, lookup: pd.DataFrame) -> pd.DataFrame:
    """Write the LSOA of 2021 that one of 2011 became; one that was split is blank. Notes say how many."""
    codes = frame[areas.lsoa]
    old = codes.isin(lookup["lsoa11_code"]) & ~codes.isin(lookup["lsoa21_code"])
    if not old.any():
        return frame
    became = lookup[~lookup["lsoa11_code"].duplicated(keep=False)].set_index("lsoa11_code")["lsoa21_code"]
    followed = frame.assign(**{str(areas.lsoa): codes.mask(old, codes.map(became))})
    split = old & followed[areas.lsoa].isna()
    told = {"the LSOA of 2021 that it became.": old & ~split, "none, as it was split in 2021.": split}
    notes = [f"{rows.sum():,} rows have an LSOA of 2011, read as {text}" for text, rows in told.items() if rows.any()]
    followed.attrs["notes"] = [*frame.attrs.get("notes", ()), *notes]
    return followed


def fill_places(frame: pd.DataFrame, areas: Areas, known: pd.DataFrame, where: str) -> pd.DataFrame:
    """Say where the rows of a council's own table are, by a table that knows it of their postcodes, or another key.

    Args:
        frame: as it was read.
        areas: names its columns of place.
        known: the key first, then what it says, under the names of `areas`.
        where: what the table is, for the message.

    Returns:
        The rows of which all is known. Notes say how many are left out, and how many said something else.

    Raises:
        NotLinkedError: more are left out, or said something else, than not, and the key is no place.
        SourceError: so it is, and the key is a postcode or a small area.
    """
    key, said = str(known.columns[0]), list(known.columns[1:])
    rows = known.drop_duplicates(key).set_index(key).reindex(frame[key]).set_axis(frame.index)
    own = frame[said].where(frame[said].apply(lambda column: column.str.startswith("E", na=False)))
    lost = rows.isna().any(axis="columns")
    moved = ~lost & (own.notna() & (own != rows)).drop(columns=areas.district or []).any(axis="columns")
    why = "their LSOA is none of 2021" if key == areas.lsoa else f"nothing says in which small area their {key} is"
    told = {
        f"{lost.sum():,} rows are left out, as {why}.": lost.sum(),
        f"{moved.sum():,} rows say another small area than their {key} does, which is followed.": moved.sum(),
    }
    notes = [text for text, number in told.items() if number]
    if 2 * max(told.values()) > len(frame):
        said_of = f"{where}: of {len(frame):,} rows, {' '.join(notes)} That is most of them."
        if key in (areas.postcode, areas.lsoa):
            raise SourceError(f"{said_of} Take the current directory of postcodes.")
        raise NotLinkedError(f"{said_of} Ask for all files from one linkage, with the same pseudonyms.")
    kept = frame.assign(**{name: rows[name] for name in said})[~lost]
    kept.attrs["notes"] = [*frame.attrs.get("notes", ()), *notes]
    return kept


def select_rows(frame: pd.DataFrame, areas: Areas, place: Place, source: Source) -> pd.DataFrame:
    """Return the rows of a table of small areas that lie in a place.

    There is no official lookup from LSOAs of 2001. Most kept their code in 2011, so a district of that table is the
    place's if most of its surviving LSOAs are; then all of its rows are taken. An LSOA of 2011 that lies in another
    council as well is that council's where the table says so, so that a household is counted once.

    Raises:
        NotThereError: there is none.
    """
    if areas.vintage == 2001:
        survivors = frame[frame[areas.lsoa].isin(place.lsoas(2011))]
        shares = survivors[areas.district].value_counts() / frame[areas.district].value_counts()
        rows = frame[frame[areas.district].isin(shares.index[shares > 0.5])]
    else:
        rows = frame[frame[areas.lsoa].isin(place.lsoas(areas.vintage))]
        if areas.vintage == 2011 and areas.district and place.shared:
            own = {code for one in place.council.codes for code in list_codes(one)}
            rows = rows[~rows[areas.lsoa].isin(place.shared) | rows[areas.district].isin(own)]
    if rows.empty:
        raise NotThereError(
            f"Source {source.id} ({source.title}) has no row for {place.name} ({', '.join(place.council.codes)}). "
            "Either its file was cut to other places, or it does not cover this one."
        )
    return rows


def select_by_code(frame: pd.DataFrame, areas: Areas, council: Council, source: Source) -> pd.DataFrame:
    """Return the rows of a table without small areas that are a council's: by district, or by who runs the schools.

    Codes change, and councils merge: see `list_codes` and `list_education_codes`. Where the rows are those of a county
    of which the council was a part, `attrs` says so under notes.

    Raises:
        NotThereError: there is none.
    """
    column, find = (areas.education, list_education_codes) if areas.education else (areas.district, list_codes)
    wanted = {code for own in council.codes for code in find(own)}
    rows = frame[frame[column].isin(wanted)]
    if rows.empty and areas.or_county:
        counties = {one.education_number: one.name for own in council.codes for one in list_divided_counties(own)}
        rows = frame[frame[column].isin(counties)].copy()
        rows.attrs["notes"] = [
            f"The file is older than {council.name}: it has the rows of all of {name}." for name in counties.values()
        ]
    if rows.empty:
        ended = "".join(f" {text}" for text in map(describe_end, council.codes) if text)
        raise NotThereError(
            f"Source {source.id} ({source.title}) has no row for {council.name}: none has "
            f"{' or '.join(sorted(wanted))} as its {column}.{ended} Either its file was cut to other places, or it "
            "does not cover this one."
        )
    return rows


def check_vintage(
    frame: pd.DataFrame, areas: Areas, lookup: pd.DataFrame, where: str, *, show_values: bool = True
) -> None:
    """Check that a table's LSOA codes are of the census that it declares.

    Raises:
        CheckError: codes are in the lookup, but of the other census alone; the message names the first row, and its
            code if it may show values.
    """
    if areas.vintage == 2001:
        return
    other = 2021 if areas.vintage == 2011 else 2011
    right, wrong = lookup[LSOA_COLUMNS[areas.vintage]], lookup[LSOA_COLUMNS[other]]
    codes = frame[areas.lsoa]
    mixed = frame.index[codes.isin(wrong) & ~codes.isin(right)]
    if len(mixed):
        first = f"{codes.loc[mixed[0]]} in row {mixed[0]}" if show_values else f"in row {mixed[0]}"
        raise CheckError(
            f"{where}: expected LSOA codes of {areas.vintage}, but {len(mixed)} rows have codes that exist in {other} "
            f"alone, the first {first}. Set the vintage in the catalogue, or take the "
            "right edition."
        )


def check_coverage(frame: pd.DataFrame, areas: Areas, place: Place, where: str) -> None:
    """Check that as many of a place's LSOAs have a row as the catalogue asks for.

    Raises:
        CheckError: fewer have one.
    """
    wanted = place.lsoas(areas.vintage) if areas.coverage else set()
    absent = sorted(wanted - set(frame[areas.lsoa].unique()))
    if wanted and (len(wanted) - len(absent)) / len(wanted) < areas.coverage:
        raise CheckError(
            f"{where}: {len(absent)} of {len(wanted):,} LSOAs of {place.name} have no row, as {', '.join(absent[:3])}; "
            f"expected at least {areas.coverage:.0%} to have one."
        )


def match_common_areas(lookup: pd.DataFrame) -> pd.DataFrame:
    """Group the LSOAs of 2011 and 2021 into the smallest areas that have the same outline in both.

    An unchanged LSOA is such an area, and so is a 2011 LSOA that was split; LSOAs that were merged or redrawn are
    one together. Counts of either census can then be added up, and none has to be apportioned.

    Args:
        lookup: rows of the exact fit lookup.

    Returns:
        A row a row of the lookup: lsoa11_code, lsoa21_code, area_code (the first LSOA 2011 code of the group).
    """
    old, old_codes = pd.factorize(lookup["lsoa11_code"])
    new, new_codes = pd.factorize(lookup["lsoa21_code"])
    size = len(old_codes) + len(new_codes)
    graph = coo_matrix((np.ones(len(lookup)), (old, new + len(old_codes))), shape=(size, size))
    _, group = connected_components(graph, directed=False)
    pairs = lookup[["lsoa11_code", "lsoa21_code"]].reset_index(drop=True)
    return pairs.assign(area_code=pairs["lsoa11_code"].groupby(group[old]).transform("min"))
