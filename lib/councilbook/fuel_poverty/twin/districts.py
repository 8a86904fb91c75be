"""Twins of the published tables that have a row a district: ratings of homes, people by age, deaths in winter."""

import numpy as np
import pandas as pd

from councilbook.catalogue import Source, TwinRequest
from councilbook.twins.places import SYNTHETIC_NOTE, make_place, write_csv, write_workbook

# By the start of a field's name, its mean in England and how far a district lies from it: of 100 dwellings, or of 1,000
# households. Sources: the publications themselves, for England as a whole.
TYPICAL = {
    "band_c_or_above_pct": (42.0, 4.0),
    "people_0_to_4": (130.0, 12.0),
    "people_5_to_9": (142.0, 12.0),
    "people_10_to_15": (172.0, 14.0),
    "people_65_to_74": (236.0, 45.0),
    "people_75_to_84": (144.0, 28.0),
    "people_85_and_over": (58.0, 12.0),
    "people": (2_410.0, 60.0),
    "winter_deaths": (1.3, 0.3),
}


def make_district_table(source: Source, request: TwinRequest) -> bytes:
    """Make a table with a row a district of the council, under the publisher's headers, on its sheet if it has one."""
    table = source.table()
    place = make_place(request.council, request.seed)
    sizes = place.make_areas(2021, 2021).groupby("lad_code")["households"].sum() / 1000
    random = place.stream(source.id)
    columns: dict[str, object] = {}
    for name, field in table.fields.items():
        if field.type == "string":
            columns[field.column[0]] = sizes.index if name == "lad_code" else sizes.index.map(place.districts)
            continue
        mean, spread = next(pair for start, pair in TYPICAL.items() if name.startswith(start))
        values = random.normal(mean, spread, len(sizes))
        columns[field.column[0]] = (
            np.round(values, 2) if field.unit == "percent" else np.round(values * sizes.to_numpy())
        )
    frame = pd.DataFrame(columns)
    if table.sheet is None:
        return write_csv(frame)
    above = [[source.title], [SYNTHETIC_NOTE], *[[]] * (table.header_row - 3)]
    return write_workbook({table.sheet: [*above, list(frame), *frame.itertuples(index=False, name=None)]})
