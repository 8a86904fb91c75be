"""Sentences on who takes part, computed from what was estimated or released."""

import pandas as pd

from councilbook.pages.html.wording import count_things

EVERYBODY = "Everybody alike"
STABLE = 0.75  # adjusted Rand index; below it, another sample of areas gives other segments
HALF_UP = 1e-6  # what was released has two decimals, and 49.05 in binary lies below
NEVER = ["Some other reason", "No reason in particular"]  # reasons that say nothing


def say_files(whole: int, cut: int) -> str:
    """Say which files of the survey are there, by their adults, and what the page does without."""
    if whole:
        return f"The whole survey is there: {whole:,} adults."
    there = f" A cut of it is: {cut:,} adults, and one question, on cinema." if cut else ""
    return (
        f"The whole Participation Survey is not there.{there} So there is no model of arts, museums, libraries and "
        "heritage, and no reason for not going. The UK Data Service gives it to anybody. Put it into the folder "
        "data/raw/participation_survey."
    )


def say_cinema(shares: pd.DataFrame) -> str:
    """Say how many adults went to the cinema, and how that follows deprivation.

    Args:
        shares: of participation_by_group.
    """
    if shares.empty:
        return "No survey of England's adults is at hand."
    cinema = shares[shares["outcome"].eq("went to the cinema")].set_index("group")
    share, answers = cinema["share_pct"] + HALF_UP, cinema["answers"]["all"]
    return (
        f"In England {share['all']:.1f}% of adults went to the cinema in a year. In the most deprived tenth of areas "
        f"{share['decile 1']:.1f}% did, in the least deprived tenth {share['decile 10']:.1f}%. "
        f"{answers:,} adults answered."
    )


def say_areas(by_area: pd.DataFrame) -> str:
    """Say how far apart areas are, and on what the estimates rest.

    Args:
        by_area: participation_by_area.
    """
    if by_area.empty:
        return "There are no estimates by small area here."
    if by_area["basis"].eq("decile").all():
        return (
            "Each area has the share of England's areas that are as deprived. This is coarse: it cannot tell two areas "
            "of the same tenth apart."
        )
    spread = by_area.groupby("outcome")["share_pct"].agg(["min", "max"]).assign(gap=lambda one: one["max"] - one["min"])
    widest = str(spread["gap"].idxmax())
    low, high = spread["min"][widest], spread["max"][widest]
    return f"Areas differ most in how many {widest}: from {low:.0f}% to {high:.0f}% of adults, by the model."


def say_checks(checks: pd.DataFrame) -> str:
    """Say which method predicted best where it had not looked, and by how much.

    Args:
        checks: survey_checks.
    """
    said = []
    for check, rows in checks[checks["rmse_points"].notna()].groupby("check", sort=False):
        errors = rows.set_index("method")["rmse_points"]
        kind = "on synthetic data" if rows["is_synthetic"].all() else "on real answers"
        said.append(
            f"{check}, {kind}: {str(errors.idxmin()).lower()} is off by {errors.min():.1f} points, England's mean by "
            f"{errors[EVERYBODY]:.1f}."
        )
    return " ".join(said)


def say_stability(tried: pd.DataFrame) -> str:
    """Say how many segments there are, and how far they would come out again."""
    chosen = tried[tried["chosen"]].iloc[0]
    if pd.isna(chosen["adjusted_rand"]):
        return "The council has too few small areas to sort them into segments."
    is_stable = chosen["adjusted_rand"] >= STABLE
    words = "which counts as stable" if is_stable else "so no number is stable: read them as a sketch"
    return (
        f"There are {chosen['segments']:.0f} segments. With areas drawn anew, the index of agreement is "
        f"{chosen['adjusted_rand']:.2f} of 1, {words}."
    )


def say_segments(profiles: pd.DataFrame) -> str:
    """List the segments with their size.

    Args:
        profiles: culture_segment_profiles.
    """
    sizes = profiles.drop_duplicates("segment").sort_values("adults", ascending=False)
    named = (f"{row.segment} ({count_things(int(str(row.areas)), 'area')})" for row in sizes.itertuples())
    return f"From the largest: {'; '.join(named)}."


def say_classification(segments: pd.DataFrame) -> str:
    """Say how far areas of a segment share the supergroup that others put them into.

    Args:
        segments: culture_segments.
    """
    known = segments.dropna(subset=["supergroup"])
    if known.empty:
        return "No classification of output areas is at hand for this council."
    most = known.groupby("segment")["supergroup"].agg(lambda one: one.value_counts().iloc[0]).sum()
    return (
        f"Others have sorted areas too. {100 * most / len(known):.0f}% of the small areas are in the group of the "
        "official classification that is commonest in their segment."
    )


def say_barriers(barriers: pd.DataFrame) -> str:
    """Say what those who did not go name most, and where the most deprived areas differ.

    Args:
        barriers: culture_barriers.
    """
    asked = barriers[barriers["asked"].str.startswith("did not", na=False) & ~barriers["reason"].isin(NEVER)]
    if asked.empty:
        return "Why people do not go is not known here: the whole survey is not there."
    main = asked[asked["grouping"].eq("everybody")].sort_values("share_pct", ascending=False).head(3)
    named = "; ".join(f"{row.reason} ({row.share_pct:.0f}%)" for row in main.itertuples())
    areas = asked[asked["grouping"].eq("deprivation of the area")].pivot_table("share_pct", "reason", "group")
    if areas.shape[1] < 2:
        return f"Those who did not visit a museum or gallery name most: {named}."
    gap = areas["most deprived three tenths"] - areas["least deprived three tenths"]
    return (
        f"Those who did not visit a museum or gallery name most: {named}. The most deprived areas differ most from the "
        f"least in: {gap.idxmax()} ({gap.max():+.0f} points)."
    )


def say_hotspots(spots: pd.DataFrame) -> str:
    """Say how many areas stand out from chance, before and after the false discovery rate.

    Args:
        spots: culture_hotspots.
    """
    if spots.empty:
        return "Hot and cold spots cannot be looked for here: there are no outlines, or too few areas."
    kept = spots[spots["is_spot"].astype(bool)]
    low, high = (int(kept["spot"].eq(kind).sum()) for kind in ("cold", "hot"))
    raw, left = int(spots["is_raw_spot"].sum()), len(kept)
    measure, areas = spots["measure"].iloc[0], count_things(len(spots), "area")
    first = f"Tested one by one, {raw} of {areas} look unusual with their neighbours in how many adults {measure}."
    if not left:
        return f"{first} Chance alone does that to some of so many. Allowing for it (false discovery rate), none is."
    return (
        f"{first} Chance alone does that to some of so many. Allowing for it (false discovery rate), {left} "
        f"{'is' if left == 1 else 'are'}: {low} low and {high} high."
    )


def say_audiences(scores: pd.DataFrame) -> str:
    """Say what bought segments add to open data.

    Args:
        scores: audience_checks.
    """
    by = scores.set_index("method")
    added, known = by.loc["Added by bought segments"], by["saved_pct"]["Census and deprivation"]
    verdict = "Segments add something" if added["low_pct"] > 0 else "Segments add nothing beyond chance"
    low, high = added["low_pct"], added["high_pct"]
    return (
        f"{verdict}. In neighbourhoods held out, open data predict {known:.0f}% of what differs between areas. "
        f"Segments change that by {added['saved_pct']:+.0f} points (95% interval {low:+.0f} to {high:+.0f})."
    )
