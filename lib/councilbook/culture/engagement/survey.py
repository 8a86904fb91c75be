"""The published figures of authorities, and how sure each is: the sample is assumed, since no source of a run has it.

By its design the Active Lives Adult Survey wants at least 500 answers a year from each English authority, 250 from the
City of London and the Isles of Scilly, and 2,000 from each of the eight Core Cities (Sport England, "Method behind
Active Lives", 2016; Arts Professional, "Survey to collect local level data on arts engagement", 2015). What came back
in 2018/19 is not in the file. Weights make a sample worth less; by how much is assumed as well.
"""

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from councilbook.catalogue.councils import read_authorities
from councilbook.culture.engagement.frame import Frame
from councilbook.culture.engagement.model import Design
from councilbook.errors import CheckError

CORE_CITIES = {
    "E08000003": "Manchester",
    "E08000012": "Liverpool",
    "E08000035": "Leeds",
    "E08000021": "Newcastle upon Tyne",
    "E08000019": "Sheffield",
    "E06000018": "Nottingham",
    "E08000025": "Birmingham",
    "E06000023": "Bristol",
}
SMALLEST = {"E09000001": "City of London", "E06000053": "Isles of Scilly"}
NORMAL = 1.959964


def read_figures(
    published: pd.DataFrame, frame: Frame, returns: tuple[int, int, int], design_effect: float
) -> pd.DataFrame:
    """Give each authority its region, its adults, and the sample that its figure is assumed to rest on.

    Args:
        published: lad19_code, lad19_name, engaged_share.
        frame: England by LSOA.
        returns: answers assumed of an authority, of a Core City, and of the two smallest.
        design_effect: by how much weights make the variance larger than that of a simple random sample.

    Returns:
        A row an authority that has a figure and LSOAs, in order of code: lad19_code, lad19_name, region, adults,
        returns_assumed, effective (answers of a simple random sample), engaged_share, low and high (95%, by the
        sample), rank (1 is the highest).

    Raises:
        CheckError: an authority has LSOAs and no figure, or a figure and no LSOA, or a share of none or all.
    """
    adults = frame.areas.groupby("lad19_code")["adults"].sum()
    if odd := sorted(set(adults.index) ^ set(published["lad19_code"])):
        raise CheckError(
            f"active_lives and imd_2019_domains have different authorities, {len(odd)} of them, as {odd[0]}; expected "
            "the districts of 2019 in both."
        )
    figures = published.sort_values("lad19_code", ignore_index=True)
    if (edge := ~figures["engaged_share"].between(0, 1, inclusive="neither")).any():
        raise CheckError(f"active_lives: {figures.loc[edge, 'lad19_code'].iloc[0]} has a share of none or all.")
    codes = figures["lad19_code"]
    each = np.select([codes.isin(CORE_CITIES), codes.isin(SMALLEST)], returns[1:], returns[0])
    figures = figures.assign(
        region=codes.map(find_region), adults=codes.map(adults), returns_assumed=each, effective=each / design_effect
    )
    spread = 1 / np.sqrt(figures["effective"] * figures["engaged_share"] * (1 - figures["engaged_share"]))
    centre = logit(figures["engaged_share"])
    figures["low"], figures["high"] = expit(centre - NORMAL * spread), expit(centre + NORMAL * spread)
    return figures.assign(rank=figures["engaged_share"].rank(ascending=False, method="min").astype("int64"))


def find_region(code: str) -> str:
    """Return the region of England that an authority of any year lies in, or that of what replaced it."""
    known = read_authorities()
    if code not in known:
        raise CheckError(f"Authority {code} is in no list of councils; expected a district of England.")
    one = known[code]
    return one.region or (find_region(one.replaced_by[0]) if one.replaced_by else "")


def make_design(frame: Frame, figures: pd.DataFrame, values: pd.DataFrame) -> Design:
    """Lay out LSOAs and published figures for the model.

    Args:
        frame: England by LSOA.
        figures: see `read_figures`.
        values: what is known of each LSOA of the frame, in its order.
    """
    authority = pd.Index(figures["lad19_code"]).get_indexer(frame.areas["lad19_code"])
    adults = frame.areas["adults"].to_numpy(float)
    weight = adults / figures["adults"].to_numpy(float)[authority]
    region = pd.factorize(figures["region"], sort=True)[0]
    share, effective = (figures[name].to_numpy(float) for name in ("engaged_share", "effective"))
    return Design(values.to_numpy(float), authority, weight, share, effective, region)
