"""Telling visitors from passers-by by their devices: how strongly they were heard, and for how long.

A visit is all that is heard of a token without a longer gap. A token is of one day, so whoever comes again on another
day is somebody new: that they return is known from what they say on the landing page, and from nothing else.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm
from sklearn.mixture import GaussianMixture

from councilbook.culture.wifi.stays import find_stays
from councilbook.errors import CheckError, NotToldError, TooFewError

STREET = "outside"
FEWEST = 200  # visits that two groups can be told apart in
VISITOR, PASSER, BRIEF, FIXED = "visitor", "passer-by", "heard strongly, too briefly to tell", "there all day"
MOST_RETURNS = 3  # visits of one device in a day; what is heard more often never left

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Threshold:
    """Where one of two groups becomes likelier than the other: two normal distributions, fitted to all.

    `means`, `spreads` and `shares` are of the lower and the upper group, on the scale that was fitted: dBm, or the
    logarithm of minutes; `value` is where they cross.
    """

    value: float
    means: tuple[float, float]
    spreads: tuple[float, float]
    shares: tuple[float, float]

    def draw(self, values: Floats, bins: int = 24) -> pd.DataFrame:
        """Return the share of `values` in each bin beside both groups' curves: x, share_pct, what."""
        ends = np.histogram_bin_edges(values, bins)
        counts, _ = np.histogram(values, ends)
        groups = zip(self.means, self.spreads, self.shares, strict=True)
        low, high = (share * np.diff(norm.cdf(ends, mean, spread)) for mean, spread, share in groups)
        named = {"heard": counts / counts.sum(), "lower group, fitted": low, "upper group, fitted": high}
        middle = (ends[1:] + ends[:-1]) / 2
        parts = [pd.DataFrame({"x": middle, "share_pct": 100 * one, "what": what}) for what, one in named.items()]
        return pd.concat(parts, ignore_index=True)


def fit_threshold(values: Floats) -> Threshold:
    """Fit two normal distributions to values, and find where the upper becomes likelier than the lower.

    That there are two is taken to be so where two fit better than one by the Bayesian criterion (Schwarz 1978).

    Raises:
        TooFewError: there are too few values, or they do not fall into two groups.
    """
    if len(values) < FEWEST:
        raise TooFewError("Too few devices were heard to tell visitors from passers-by.")
    one, fitted = (GaussianMixture(count, random_state=0, n_init=count).fit(values[:, None]) for count in (1, 2))
    order = np.argsort(fitted.means_.ravel())
    means, shares = fitted.means_.ravel()[order], fitted.weights_[order]
    spreads = np.sqrt(fitted.covariances_.ravel()[order])
    grid = np.linspace(means[0], means[1], 2_001)
    upper = fitted.predict_proba(grid[:, None])[:, order[1]] > 0.5
    if one.bic(values[:, None]) < fitted.bic(values[:, None]) or not upper.any() or upper[0]:
        raise TooFewError("The devices that were heard do not fall into two groups, so nobody is called a visitor.")
    pairs = [(float(one[0]), float(one[1])) for one in (means, spreads, shares)]
    return Threshold(float(grid[np.argmax(upper)]), *pairs)


def fit_thresholds(visits: pd.DataFrame) -> tuple[Threshold, Threshold]:
    """Fit where a signal (dBm) becomes that of somebody inside, and where a length of those (log minutes) a visit's."""
    if visits["strongest_dbm"].isna().all():
        raise NotToldError("The log holds no strength of signals, so visitors cannot be told from who passes by.")
    signal = fit_threshold(visits["strongest_dbm"].dropna().to_numpy(float))
    strong = visits.loc[(visits["strongest_dbm"] >= signal.value) & (visits["minutes"] > 0), "minutes"]
    return signal, fit_threshold(np.log(strong.to_numpy(float)))


def find_visits(events: pd.DataFrame, diary: pd.DataFrame, time_zone: str, gap_minutes: float) -> pd.DataFrame:
    """Find the visits: all that is heard of a token without a gap, wherever in the museum.

    Returns:
        token, arrived, left, events, strongest_dbm, minutes, date and hour (local, when it begins), opens and closes
        (UTC, missing on a day without opening), was_open: a row a visit, in order of arrival.

    Raises:
        NotToldError: log and diary are of other days.
    """
    visits = find_stays(events.assign(zone=pd.Categorical(["museum"] * len(events))), gap_minutes).drop(columns="zone")
    visits = visits.sort_values(["arrived", "left", "token"], kind="stable", ignore_index=True)
    local = visits["arrived"].dt.tz_localize("UTC").dt.tz_convert(time_zone)
    visits["minutes"] = visits.pop("dwell_seconds") / 60
    visits["date"], visits["hour"] = local.dt.strftime("%Y-%m-%d"), local.dt.hour
    hours = read_diary(diary, time_zone)
    visits = visits.join(hours[["opens", "closes"]], on="date")
    visits["was_open"] = visits["arrived"].between(visits["opens"], visits["closes"])
    if not visits["was_open"].any():
        raise NotToldError("In the log nothing was heard while the museum was open, going by its diary.")
    return visits


def read_diary(diary: pd.DataFrame, time_zone: str) -> pd.DataFrame:
    """Read the diary: by date (as text), opens and closes in UTC (missing where it stayed closed), and sign.

    Raises:
        CheckError: it says of no day when the museum opened.
    """
    if diary["opens"].isna().all() or diary["closes"].isna().all():
        raise CheckError(
            "Diary of the museum: it gives no day its hours. Expected a time as 10:00 under opens and under closes."
        )
    days = diary.assign(date=pd.to_datetime(diary["date"]).dt.strftime("%Y-%m-%d")).set_index("date")
    for name in ("opens", "closes"):
        hours = days[name].astype("string")
        since = pd.to_timedelta(hours.mask(hours.eq("")) + ":00")  # 24:00 is the next midnight
        local = pd.to_datetime(days.index.to_series()) + since
        days[name] = local.dt.tz_localize(time_zone).dt.tz_convert("UTC").dt.tz_localize(None)
    return days


def tell_visitors(visits: pd.DataFrame, signal_dbm: float, minutes: float) -> pd.DataFrame:
    """Add `who`: a visitor was heard strongly and stayed; a passer-by was heard weakly, however long.

    Who was heard strongly and briefly may be either, as a phone can show each address once. A device that is heard for
    longer than the museum is open, or comes back again and again, is no visitor's, though it is on no list.
    """
    is_strong, stayed = visits["strongest_dbm"] >= signal_dbm, visits["minutes"] >= minutes
    hours = (visits["closes"] - visits["opens"]).dt.total_seconds().fillna(0) / 3_600
    returns = visits.groupby("token")["token"].transform("size")
    stays_put = (visits["minutes"] / 60 > np.maximum(hours, 4)) | (returns > MOST_RETURNS)
    known = [stays_put, is_strong & stayed & visits["was_open"], is_strong]
    return visits.assign(who=np.select(known, [FIXED, VISITOR, BRIEF], PASSER))
