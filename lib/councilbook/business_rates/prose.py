"""Sentences of the business rates report, each computed from what was released."""

from collections.abc import Collection

import pandas as pd

from councilbook.business_rates.missing.chances import OUTCOMES, read_calibration
from councilbook.business_rates.requests.foi_tables import ASSUMED
from councilbook.business_rates.roll import contents
from councilbook.catalogue.councils import join_names
from councilbook.pages.html.wording import write_pounds


def describe_register(register: pd.DataFrame, name: str, told: Collection[str]) -> str:
    """Say how many properties are in the open register, and of how many who pays, if the roll tells it of any."""
    named = int(register["released_name"].notna().sum())
    value = register["rateable_value_gbp"].sum()
    has = (
        f"The open register of {name} has **{len(register):,} properties** with a rateable value of "
        f"£{value / 1e6:,.1f} million."
    )
    if not contents.is_told("released_name", told):
        return f"{has} It names nobody who pays, as the roll that it is made of names nobody."
    return (
        f"{has} It names **{named:,} ratepayers** ({named / len(register):.0%}) and hides the rest, who may be "
        "individuals."
    )


def describe_parties(parties: pd.DataFrame) -> str:
    """Say by which evidence most names were published, and why most were withheld."""
    shown = parties.dropna(subset="properties").sort_values("properties", ascending=False)
    parts = []
    for party, words in (("organisation", "published"), ("withheld", "withheld")):
        rows = shown[shown["party"] == party]
        if len(rows):
            parts.append(f"The most common reason why a name was {words}: {rows['reason'].iloc[0]}.")
    if len(parties) and "withheld" not in set(parties["party"]):
        parts.append("Why other names were withheld is left out, as they are none or too few.")
    return " ".join(parts) or "The counts are too small to be shown."


def describe_few(by_use: pd.DataFrame, told: Collection[str]) -> str:
    """Say that counts are left out where a roll has too few properties for any suppression to do."""
    is_told = "small_business_relief" in told or bool({"is_occupied", "empty_since_date"} & set(told))
    counts = by_use[["withheld_empty", "withheld_relieved"]]
    if not is_told or by_use["is_suppressed"].any() or counts.notna().any(axis=None):
        return ""
    return "The properties are too few to say how many of those whose ratepayer is hidden are empty or have a relief."


def describe_rows(rows: pd.DataFrame) -> str:
    """Say how many rows of the file were kept aside, and how many have a placeholder for a name."""
    is_kept, nameless = rows["what"].isin(["kept", contents.PLACEHOLDER]), rows["what"] == contents.PLACEHOLDER
    kept, aside = rows.loc[is_kept, "rows"].sum(), rows.loc[~is_kept & (rows["what"] != "blank"), "rows"].sum()
    told = "Every row of the roll could be read, or so few could not that their number is hidden."
    if aside:
        told = (
            f"Some {aside:,} rows of the roll, of {kept + aside:,}, did not fit. They were kept aside, with a reason."
        )
    if hidden := rows.loc[nameless, "rows"].sum():
        told += f" In {hidden:,} rows words like 'account holder' stand where a name should be, and count as no name."
    return told


def describe_columns(columns: pd.DataFrame) -> str:
    """Say of which list the rateable values are, and which columns of the roll nothing on the page is made of."""
    named, notes = (
        dict(zip(columns["column"], columns[field].fillna("").astype("str"), strict=True))
        for field in ("file_columns", "note")
    )
    value = notes.get("rateable_value_gbp", "").removeprefix("Warning: ")
    parts = [f"The rateable values{value[len('Its values') :]}"] if "list of" in value else []
    if idle := named.get(contents.NOT_USED, ""):
        parts.append(f"Nothing on this page is made of these columns of the roll, though they hold something: {idle}.")
    return " ".join(parts) or "Every column of the roll that holds something is used."


def describe_changes(changes: pd.DataFrame, register: pd.DataFrame | None = None) -> str:
    """Say what joined, left and changed since the version before, or why that cannot be said."""
    if register is not None and not contents.find_referenced(register["property_reference"]).any():
        return (
            "We cannot say what changed: the roll gives its properties no references, so nothing shows which is which "
            "in the last version. In the register each is called by its row, which says nothing in another version."
        )
    if changes.empty:
        return (
            "We cannot say what changed. The register has no earlier version with the same references, or nothing in "
            "it changed."
        )
    counts = changes["change"].value_counts()
    words = {
        "joined": "joined the roll",
        "left": "left it",
        "new value": "were valued anew",
        "new ratepayer": "have another organisation that pays",
    }
    parts = [f"{counts.get(change, 0):,} {text}" for change, text in words.items()]
    return f"Since the last version, {join_names(parts)}."


def describe_coarse(whole: pd.DataFrame) -> str:
    """Say of which day the coarser table is, and what is left of its detail; or why there is none."""
    if whole.empty:
        return (
            "Here there is no such table. The roll shows no relief, or withholds so few rows that somebody would "
            "stand out."
        )
    details = {
        "use": "what a property is used for",
        "value_band": "a band of its value",
        "liability_year": "the years in which its account began",
        "occupancy": "whether it is occupied",
        "ward_code": "its ward",
    }
    told = {name: text for name, text in details.items() if set(whole[name].dropna()) != {contents.NOT_TOLD}}
    left = [text for name, text in told.items() if whole[name].notna().mean() > 0.5]
    gone = [text for name, text in told.items() if whole[name].notna().mean() <= 0.5]
    lost = f" What had to go: {join_names(gone)}." if gone else ""
    day = whole["version_date"].iloc[0]
    return (
        f"It is made once a financial year, and this one is of {day.day} {day:%B %Y}. "
        f"Each of its {len(whole):,} rows says {join_names([*left, 'its relief'])}.{lost}"
    )


ALL_KINDS = "All kinds"  # of businesses without a link
NO_TOTALS = "The sums of the bills are withheld, as a few bills make up too much of them."
REGISTERS = {
    "food_hygiene": "the food hygiene register",
    "companies_house": "the register of companies",
    "oscr": "the Scottish charity register",
    "charity_commission": "the register of the Charity Commission",
    "directory": "the business directory",
}


def describe_untold(told: Collection[str]) -> str:
    """Say what the roll does not tell, so that a list which is not there is not taken for an empty one."""
    untold = contents.list_untold(told)
    return f"The roll that this page is made of does not say {join_names(untold, 'or')}." if untold else ""


def describe_links(counts: pd.DataFrame) -> str:
    """Say how many properties were linked to each register, beside an exact match."""
    shown = counts.dropna(subset=["linked"])
    if shown.empty:
        return "Too few properties were linked to a register to say how many."
    parts = [
        f"**{row['linked']:,}** in {REGISTERS.get(str(row['register']), row['register'])}"
        for row in shown.to_dict("records")
    ]
    told = f"We found properties of the roll in other lists, rounded to five: {join_names(parts)}."
    both = shown.dropna(subset=["exact"])
    if len(both) < len(shown):
        return told
    return (
        f"{told} A match of name and postcode alone would find {both['exact'].sum():,} of these "
        f"{both['linked'].sum():,}."
    )


FEWEST_CERTAIN = 100  # below, the share that other councils had is told


def describe_recall(counts: pd.DataFrame) -> str:
    """Say how many of the businesses that are certainly on the roll were linked, here or, if too few, elsewhere."""
    known = counts.dropna(subset=["certain", "certain_linked"])
    if len(known) and (row := known.iloc[0])["certain"] >= FEWEST_CERTAIN:
        return (
            f"**{row['certain_linked'] / row['certain']:.0%}** of the businesses that must be on the roll were linked. "
            f"These are some {row['certain']:,} of {REGISTERS.get(str(row['register']), row['register'])}: the roll "
            "has a property of their kind at their number and postcode."
        )
    rows = pd.DataFrame(read_calibration()["recall"])
    return (
        "We cannot say which share of the links we found: too few businesses are sure to be on the roll, or too "
        f"few of them were missed. In {len(rows)} other councils {rows['linked'].sum() / rows['certain'].sum():.0%} of "
        f"{rows['certain'].sum():,} were found."
    )


def describe_calibration(counts: pd.DataFrame) -> str:
    """Say how long the list is, what its chances rest on, and what was found of it in councils left out."""
    total = counts[counts["kind"] == ALL_KINDS].dropna(subset=["listed", "likely"])
    held = read_calibration()
    told = ""
    if len(total):
        listed, likely = (f"{total[name].iloc[0]:,}" for name in ("listed", "likely"))
        told = f"Some {listed} businesses have no link, and some **{likely}** of them are likelier missing than not. "
    verdicts = pd.DataFrame(held["verdicts"])
    fitted = verdicts[~verdicts["left_out"]]
    seen = int(fitted[list(OUTCOMES)].to_numpy().sum())
    tried = " ".join(
        f"In {one['council']}, which played no part in that, {one['on_roll']} of the first {one['seen']} "
        f"{'was' if one['on_roll'] == 1 else 'were'} on the roll after all. {one['not_rated']} owe no rates, mostly "
        "because they trade from home."
        for one in held["left_out"]
    )
    return (
        f"{told}The chances come from {seen} businesses that a clerk looked up in {join_names(fitted['council'])}. "
        f"{tried} Someone who trades from home and publishes the address looks like a shop that is missing."
    )


def describe_review(review: pd.DataFrame) -> str:
    """Say how many of the links that are used are right, by a clerk's verdicts on a sample of them."""
    known = review.dropna(subset=["links", "reviewed", "right", "right_low", "right_high"])
    if known.empty:
        return (
            "Nobody has looked at a sample of these links yet. One lies in the council's closed folder, with what both "
            "sides say of each."
        )
    parts = [
        f"- **{row['right']:,}** of {row['links']:,} links to {REGISTERS.get(str(row['register']), row['register'])} "
        f"(95% interval {row['right_low']:,} to {row['right_high']:,}; the clerk saw {row['reviewed']:,})"
        for row in known.to_dict("records")
    ]
    return "\n".join(["A clerk looked at a sample of the links. From it we estimate how many are right:\n", *parts])


def describe_link_scores(scores: pd.DataFrame) -> str:
    """Say how many links are right in an invented town."""
    parts = []
    for row in scores[scores["method"] != "exact match"].dropna().to_dict("records"):
        precision, recall = row["right_links"] / row["found_links"], row["right_links"] / row["true_links"]
        parts.append(f"- {REGISTERS[str(row['register'])]}: {precision:.0%} right, and {recall:.0%} found")
    told = "In an invented town we know which links are right, and which were found (scores on synthetic data):\n"
    return "\n".join([told, *parts])


def describe_missing(total: pd.DataFrame) -> str:
    """Say how many places to eat and drink there are on each list, and may be in all."""
    row = total.iloc[0]
    if pd.isna(row["seen"]) or pd.isna(row["estimate"]):
        return "There are too few places to eat and drink to say how many are on no list."
    lists = [
        f"the roll has some {row['on_roll']:,} places to eat and drink",
        f"the food register {row['in_register']:,}",
    ]
    if pd.notna(row["in_directory"]):
        lists.append(f"the business directory {row['in_directory']:,}")
    return (
        f"{join_names(lists).capitalize()}. {row['seen']:,} are on at least one list. With those on no list there may "
        f"be **{row['estimate']:,}** (95% interval {row['low']:,} to {row['high']:,})."
    )


def describe_missing_scores(scores: pd.DataFrame) -> str:
    """Say how many of those checked first are truly missing, and would be in random order: a synthetic score."""
    if scores.empty:
        return "The list is too short to be scored."
    row = scores[scores["checked"] <= max(scores["planted"].iloc[0], scores["checked"].min())].iloc[-1]
    return (
        f"In an invented town, no bill goes to {row['planted']} businesses. Of the first {row['checked']} on the list, "
        f"{row['right']} are among them; in random order about {row['at_random']} would be. "
        "These are scores on synthetic data."
    )


def summarise_bills(totals: pd.DataFrame, stakes: pd.DataFrame) -> str:
    """Say in a line what all bills come to by the rules, and how many do not fit; see `describe_bills`."""
    told = _describe_totals(totals)
    count = int(stakes["bills"].sum())
    if not count or told is None:
        return told or NO_TOTALS
    return f"{told} About {count:,} bills do not fit, in charge or in relief; many of these are right all the same."


def find_pounds(totals: pd.DataFrame) -> "pd.Series[float] | None":
    """Return what all bills come to by line; None where the charge or what is left to pay is hidden."""
    pounds = totals.set_index("line")["value_gbp"].dropna()
    return pounds if {"gross", "net"} <= set(pounds.index) else None


def _describe_totals(totals: pd.DataFrame) -> str | None:
    pounds = find_pounds(totals)
    if pounds is None:
        return None
    owe = f"By the rules of {totals['year'].iloc[0]} the properties owe **£{pounds['net'] / 1e6:,.1f} million** a year"
    if pounds["net"] == pounds["gross"]:
        return f"{owe} before reliefs. The roll shows no relief."
    return f"{owe}. Before reliefs it is £{pounds['gross'] / 1e6:,.1f} million."


def describe_accounts(accounts: pd.DataFrame) -> str:
    """Say of which year the bills are and how that is known, how many properties have one, and which have none."""
    year, because = accounts["year"].iloc[0], accounts["because"].iloc[0]
    billed = accounts.loc[accounts["what"] == "billed", "properties"].iloc[0]
    told = ["Too few properties have a bill to say how many" if pd.isna(billed) else f"Some **{billed:,}** have one"]
    for row in accounts[accounts["what"] != "billed"].to_dict("records"):
        count = row["properties"]
        if pd.isna(count) or count:
            told.append(f"{'a few' if pd.isna(count) else f'some {count:,}'} {row['title']}")
    return f"The bills are of **{year}**, {because}. {'; '.join(told)}."


def describe_unknowns(unknowns: pd.DataFrame) -> str:
    """Say by how much the bills may be too high at most, for the thing that is not told and weighs most."""
    shown = unknowns.dropna(subset=["value_gbp", "bills"]).sort_values("value_gbp", ascending=False)
    rest = (
        "We can put no sum on four more things that are not in the roll: a transition from older values, properties in "
        "other councils, limits on subsidies, and changes for earlier days."
    )
    if shown.empty:
        return rest
    first = shown.iloc[0]
    return (
        f"A roll does not say all that a bill rests on. The largest gap in {first['year']} concerns some "
        f"{first['bills']:,} bills, and at most {write_pounds(first['value_gbp'])}: {_lower(first['title'])}. "
        f"{rest}"
    )


def describe_bills(totals: pd.DataFrame, stakes: pd.DataFrame) -> str:
    """Say what all bills come to by the rules, how many differ from them, and what is at stake in both directions."""
    whole = _describe_totals(totals)
    if whole is None:
        return NO_TOTALS
    told = [whole]
    charged = _describe_stakes(stakes[stakes["what"] == "charge"])
    if charged:
        told.append(f"The charge is not what the rules give in {charged}.")
    hidden = stakes[(stakes["what"] == "charge") & stakes["bills"].isna()]
    if len(hidden):
        which = " or ".join(sorted(hidden["direction"]))
        told.append(f"The number of charges that may be {which} is hidden, because it could identify someone.")
    entries = _describe_stakes(stakes[stakes["what"] == "entries"])
    if entries:
        told.append(
            f"The reliefs do not fit the rules in {entries}. Most often nobody has claimed a relief that is due."
        )
    if not charged and not entries and hidden.empty:
        told.append("Too few bills look wrong to say how many.")
    else:
        told.append("A difference is a reason to look. Many are right, for reasons that a ledger does not show.")
    return " ".join(told)


def _describe_stakes(stakes: pd.DataFrame) -> str:
    """Say of how many bills too high and too low, and what they come to; nothing where no count may be shown."""
    parts = []
    for direction, words in (("too high", "too much"), ("too low", "too little")):
        row = stakes[(stakes["direction"] == direction) & stakes["bills"].notna()]
        if len(row):
            value = row["value_gbp"].iloc[0]
            sum_of = (
                "a sum that one or two bills decide and that is withheld" if pd.isna(value) else write_pounds(value)
            )
            parts.append(f"some {row['bills'].iloc[0]:,} bills, perhaps {words} by {sum_of}")
    return ", and in ".join(parts)


def describe_bill_scores(scores: pd.DataFrame) -> str:
    """Say what a hundred checks put right on twins, by the best order, by rules alone and at random."""
    by_order = scores.set_index("order").sort_values("recovered_gbp")
    pounds = by_order["recovered_gbp"]
    best = by_order.drop(index="random").index[-1]
    order = {"both": "rules and model together", "rules": "rules alone", "model": "the model alone"}[best]
    others = {"rules": "by rules alone", "model": "by the model alone"}
    others.pop(best, None)
    rest = "".join(f"{write_pounds(pounds[name])} {words}, " for name, words in others.items())
    low, high = by_order.loc[best, ["recovered_low_gbp", "recovered_high_gbp"]]
    return (
        f"We put errors into synthetic ledgers. A hundred checks in the order of {order} put "
        f"{write_pounds(pounds[best])} right (95% interval {write_pounds(low)} to {write_pounds(high)}). It would be "
        f"{rest}and {write_pounds(pounds['random'])} at random. These are scores on synthetic data."
    )


def describe_costs(costs: pd.DataFrame, claim: pd.DataFrame) -> str:
    """Say what requests cost and what publication saves, beside the case study's figure."""
    by_name = costs.set_index("quantity")
    cost, net = by_name.loc["cost_gbp"], by_name.loc["net_gbp"]
    chance = claim["chance_of_more"].iloc[0]
    basis = ""
    if claim["requests_basis"].iloc[0] == ASSUMED:
        basis = (
            f" This rests on {claim['requests_year'].iloc[0]:,.0f} requests of all kinds a year, an assumption, as the "
            "statistics do not have the council."
        )
    return (
        f"Requests on business rates are estimated to cost **{write_pounds(cost['median'])} a year** "
        f"(90% interval {write_pounds(cost['low'])} to {write_pounds(cost['high'])}). Publishing would save "
        f"{write_pounds(net['median'])} of this after costs ({write_pounds(net['low'])} to "
        f"{write_pounds(net['high'])}). The case study says £{claim['claim_gbp'].iloc[0]:,.0f}: the chance is "
        f"{chance:.0%} that requests cost as much or more.{basis}"
    )


def describe_topics(topics: pd.DataFrame) -> str:
    """Say what is asked for most; where more than two topics are asked for as often, how many these are."""
    all_of = f"Known requests asked for {topics['requests'].sum():,} things in all."
    often = topics["requests"].max()
    if (equal := int(topics["requests"].eq(often).sum())) > 2:
        return f"**{equal} topics** were asked for {often} times each, and none more often. {all_of}"
    most = [f"**{_lower(row['title'])}** ({row['requests']})" for row in topics.head(2).to_dict("records")]
    most[0] = most[0].removesuffix(")") + " times)"
    return f"People asked most often for {join_names(most)}. {all_of}"


def _lower(title: str) -> str:
    return title[:1].lower() + title[1:]
