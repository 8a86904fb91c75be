"""The twin of the estimates of people by single year of age, in the layout of a copy of the official workbook."""

import numpy as np

from councilbook.catalogue import Source, TwinRequest
from councilbook.twins.places import make_place, write_csv

AGES = np.arange(91)
PEOPLE_A_HOME = 2.4


def population_by_age(_source: Source, request: TwinRequest) -> bytes:
    """Make people by year of age for each LSOA of 2011: more of 18 to 34 where homes are rented privately.

    Counts are written as 12.0, as the copy has them.
    """
    place = make_place(request.council, request.seed)
    areas = place.make_areas(2011, 2020)
    rng = place.stream("population_by_age")
    spread = 1.1 - 0.3 * (AGES > 60) - 0.5 * (AGES > 75)
    young = ((AGES >= 18) & (AGES < 35)).astype(float)
    weights = spread * np.exp(0.25 * young * areas["private_renting"].to_numpy()[:, None])
    shares = weights / weights.sum(axis=1, keepdims=True)
    people = rng.poisson(shares * (areas["households"] * PEOPLE_A_HOME).to_numpy()[:, None]).astype(float)
    named = {f"{age}" if age < AGES[-1] else f"{age}+": people[:, age] for age in AGES}
    table = areas[["lsoa_name", "lsoa_code"]].rename(columns={"lsoa_name": "lsoa11_name", "lsoa_code": "lsoa11_code"})
    return write_csv(table.assign(total_population=people.sum(axis=1), **named))
