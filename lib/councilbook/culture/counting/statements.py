"""What may be said of counting people by wifi, in sentences that are made of what was released."""

import pandas as pd

LEFT_OUT, ONE_DAY, SIMULATED = "A term left out", "A term left out, one of its days counted", "A simulated room"
MOST_DAYS = 5  # that a chart can show
HEADERS = {
    "tried_on": "Tried on", "occupied": "Occupied quarter hours",
    "empty": "Empty ones", "error": "People off", "error_addresses": "If each address is a person",
    "error_scaled": "If random ones are dropped, the rest scaled", "covered_pct": "Within the interval (%)",
    "zero_pct": "Empty ones called empty (%)",
}  # fmt: skip
FORMATS = dict.fromkeys(("error", "error_addresses", "error_scaled", "covered_pct", "zero_pct"), ",.1f")


def pool(scores: pd.DataFrame, trial: str) -> pd.Series:
    """Pool the scores of a trial, each row weighing as many quarter hours as it has."""
    rows = scores[scores["trial"].eq(trial)]
    means = {name: (rows[name] * rows["occupied"]).sum() / max(rows["occupied"].sum(), 1) for name in list(FORMATS)[:4]}
    return pd.Series(
        {**means, "zero_pct": (rows["zero_pct"].fillna(0) * rows["empty"]).sum() / max(rows["empty"].sum(), 1)}
    )


def say_scores(scores: pd.DataFrame) -> str:
    """Say how far the estimate is off beside the two usual ways, in a room that is real or synthetic."""
    found, day = pool(scores, LEFT_OUT), pool(scores, ONE_DAY)
    kind = scores.loc[scores["trial"].eq(LEFT_OUT), "made_from"].iloc[0]
    return (
        f"Heads were counted in a {kind} room. In an occupied quarter hour of a term that it has not seen, the "
        f"estimate is {found['error']:.1f} people off. Dropping random addresses and scaling the rest is "
        f"{found['error_scaled']:.1f} off. Taking each address for a person is {found['error_addresses']:.0f} off. "
        f"Of quarter hours with nobody there, {found['zero_pct']:.0f}% are called empty. With one counted day of the "
        f"term, {day['covered_pct']:.0f}% of occupied quarter hours lie within the 90% interval."
    )


def say_policies(scores: pd.DataFrame) -> str:
    """Say how the error depends on how phones change their addresses, in the simulated room."""
    rows = scores[scores["trial"].eq(SIMULATED)].set_index("tried_on")
    best, worst = str(rows["error"].idxmin()), str(rows["error"].idxmax())
    errors, naive = rows["error"], rows["error_addresses"].max()
    return (
        f"In a simulated room (synthetic), the estimate is {errors.min():.1f} to {errors.max():.1f} people off: least "
        f"where {best}, most where {worst}. Taking each address for a person is up to {naive:.0f} off."
    )


def warn(estimates: pd.DataFrame, counted_until: pd.Timestamp) -> str:
    """Warn of estimates that are older than they should be, or beyond what was counted."""
    stale, beyond = int(estimates["is_stale"].sum()), int(estimates["is_beyond"].sum())
    told = [f"Heads were last counted on {counted_until:%-d %B %Y}."]
    if stale:
        told.append(f"{stale:,} quarter hours are four months later or more. Phones change: count heads again.")
    if beyond:
        told.append(
            f"In {beyond:,} quarter hours more was heard than in any counted one. There may have been more people."
        )
    return " ".join(told)


def take_usual(present: pd.DataFrame) -> pd.DataFrame:
    """Divide released person-hours by the weeks: people usually there, low, high, of the five busiest weekdays."""
    usual = {"people": "person_hours", "low": "person_hours_low", "high": "person_hours_high"}
    rows = present.assign(**{name: present[column] / present["weeks"] for name, column in usual.items()})
    busiest = rows.groupby("weekday")["people"].sum().nlargest(MOST_DAYS).index
    return rows[rows["weekday"].isin(busiest)]


def say_two_ways(present: pd.DataFrame, whole: pd.DataFrame) -> str:
    """Say that two methods count the same people, and where they are furthest apart.

    Args:
        present: the dataset people_present.
        whole: from `visits.statements.take_whole`.
    """
    told = (
        "The people counted above and the visitors here come from two methods. A regression learns from the counted "
        "hours; here each phone stands for as many people as were counted."
    )
    sums = present.dropna(subset="person_hours").groupby("hour")[["weeks", "person_hours"]].sum().reset_index()
    both = whole.dropna(subset="in_at_once").merge(sums, on="hour")
    both = both[both["open_days"] == both["weeks"]]  # else a weekday is hidden, or was closed for some weeks
    if both.empty:
        return told
    ours, other = both["person_hours"] / both["weeks"], both["in_at_once"]
    far = int((ours / other - 1).abs().astype(float).argmax())
    hour = both["hour"].iloc[far]
    return (
        f"{told} They are furthest apart between {hour:.0f}:00 and {hour + 1:.0f}:00: "
        f"{ours.iloc[far]:.1f} people at a time above, and {other.iloc[far]:.1f} here."
    )


def say_present(present: pd.DataFrame) -> str:
    """Say when most people are in the museum, and how many."""
    usual = take_usual(present).dropna(subset=["people", "low", "high"])
    if usual.empty:
        return "So few people were in the museum in each hour of the week that no number is shown."
    most = usual.sort_values("people").iloc[-1]
    return (
        f"The museum is fullest on {most['weekday']}s from {most['hour']}:00: some {most['people']:.0f} people are "
        f"there at a time ({most['low']:.0f} to {most['high']:.0f}), by its wifi and counted heads "
        f"({most['made_from']})."
    )
