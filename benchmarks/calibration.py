"""Who is missing from real rolls: the model fitted to a clerk's verdicts, and tried where it was not fitted.

    python benchmarks/calibration.py --mirror FOLDER [--write]

The rolls of 2019 and the food registers of 2020 of six councils in Yorkshire. trials/missing_verdicts.csv has what a
clerk found of each business that was drawn, without knowing what any model says: where the roll has it (on_roll), has
what it is in (inside), rightly leaves it out (not_rated), or should have it (missing); unsure counts nowhere. Nothing
but FHRSID and verdict is kept. `--write` puts the coefficients fitted to the councils of FITTED into calibration.yaml.
"""

import argparse
import gzip
import io
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from defusedxml import ElementTree
from sklearn.linear_model import LogisticRegression

from councilbook.business_rates.missing import chances, evidence, linkage_trials, ranking
from councilbook.business_rates.missing.lists import prepare_food
from councilbook.business_rates.roll.reading import read_roll
from councilbook.methods.linkage.linking import fit_linkage

FITTED = ("bradford", "kirklees", "calderdale", "selby")
LEFT_OUT = ("harrogate", "scarborough")
VERDICTS = Path(__file__).with_name("trials") / "missing_verdicts.csv"
SHRINKAGE = 1.0  # scikit-learn's C: chosen among 0.1, 0.3, 1 and 3 by leaving out one council of FITTED after another
BANDS = (0.0, 0.1, 0.3, 0.5, 0.7, 1.0)


def read_verdicts() -> pd.DataFrame:
    return pd.read_csv(VERDICTS, dtype="str")


def read_food(mirror: Path, council: str) -> pd.DataFrame:
    path = next((mirror / "north_lanarkshire" / "fsa").glob(f"*_{council.title()}_*.xml.gz"))
    named = {"FHRSID": "fhrs_id", "BusinessName": "business_name", "BusinessType": "business_type"}
    named |= {"PostCode": "postcode"} | {f"AddressLine{n}": f"address_{n}" for n in range(1, 5)}
    units = ElementTree.parse(io.BytesIO(gzip.decompress(path.read_bytes()))).iter("EstablishmentDetail")
    return prepare_food(
        pd.DataFrame([{ours: unit.findtext(tag) or None for tag, ours in named.items()} for unit in units])
    )


def list_council(mirror: Path, council: str) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, float]]:
    """The list of a council, the features of those on it, and its recall."""
    path = mirror / "north_lanarkshire" / "ndr" / f"nndr_{council}_2019-06.csv.gz"
    roll = read_roll(path, run_date="2026-01-31").frame
    food = read_food(mirror, council)
    levels = fit_linkage(roll, food).levels
    links = linkage_trials.choose_places(levels)
    certain = linkage_trials.count_certain(food, roll, linkage_trials.choose_places(levels, linkage_trials.THRESHOLD))
    listed = ranking.find_missing(food, links, roll)
    rows = food.set_index("unique_id").loc[listed["unique_id"]].reset_index()
    placed = evidence.find_places(rows, roll, links["property_reference"])
    features = chances.describe_features(rows, placed).set_index(listed["unique_id"])
    return listed.set_index("unique_id"), features, certain


def fit_model(parts: list[pd.DataFrame], columns: list[str]) -> LogisticRegression:
    """Fit to the verdicts of several councils, of which each counts alike, however many were seen."""
    whole = pd.concat(parts)
    weights = np.concatenate([np.full(len(part), len(whole) / len(parts) / len(part)) for part in parts])
    return LogisticRegression(C=SHRINKAGE, max_iter=5000).fit(whole[columns], whole["verdict"], weights)


def write_coefficients(model: LogisticRegression, columns: list[str]) -> None:
    path = Path(chances.__file__).with_name("calibration.yaml")
    text = path.read_text(encoding="utf-8").partition("coefficients:")[0]
    table = {
        str(outcome): {"intercept": round(float(model.intercept_[row]), 3)}
        | {name: round(float(c), 3) for name, c in zip(columns, model.coef_[row], strict=True)}
        for row, outcome in enumerate(model.classes_)
    }
    path.write_text(text + yaml.safe_dump({"coefficients": table}, sort_keys=False), encoding="utf-8")


def tell_wilson(right: int, tried: int) -> str:
    if not tried:
        return "none"
    share, z = right / tried, 1.96
    middle, spread = share + z * z / 2 / tried, z * np.sqrt(share * (1 - share) / tried + z * z / 4 / tried**2)
    low, high = (middle - spread) / (1 + z * z / tried), (middle + spread) / (1 + z * z / tried)
    return f"{right} of {tried} ({low:.0%} to {high:.0%})"


def try_list(listed: pd.DataFrame, verdicts: pd.Series) -> None:
    """Of the first hundred that are likelier missing than not, and of each band, what the clerk found."""
    likely = listed[listed["probability"] > chances.HALF]
    first = verdicts.reindex(likely.index[:100]).dropna()
    known = first[first != "unsure"]
    on_roll = known.isin([chances.ON_ROLL, chances.INSIDE])
    print(
        f"  likelier missing than not: {len(likely)}; of the first {len(likely.index[:100])} a clerk saw {len(first)}:"
    )
    print(f"  {first.value_counts().to_dict()}; on the roll {tell_wilson(int(on_roll.sum()), len(known))}")
    both = listed.join(verdicts.rename("verdict"), how="inner").query("verdict != 'unsure'")
    both["band"] = pd.cut(both["probability"], BANDS, include_lowest=True)
    for band, rows in both.groupby("band", observed=True):
        missing = int((rows["verdict"] == chances.MISSING).sum())
        print(f"  {band}: model {rows['probability'].mean():.0%}, clerk {tell_wilson(missing, len(rows))}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    verdicts = read_verdicts()
    found = {council: list_council(given.mirror, council) for council in FITTED + LEFT_OUT}
    told = {c: rows.set_index("fhrs_id")["verdict"] for c, rows in verdicts.groupby("council")}
    parts = {c: found[c][1].join(told[c][told[c] != "unsure"], how="inner") for c in FITTED}
    columns = list(found[FITTED[0]][1].columns)
    if given.write:
        write_coefficients(fit_model(list(parts.values()), columns), columns)
    for council, (listed, features, certain) in found.items():
        print(f"{council}: {len(listed)} without a link; certain pairs {certain}")
        if council in FITTED:  # by the model of the others
            model = fit_model([part for name, part in parts.items() if name != council], columns)
            column = list(model.classes_).index(chances.MISSING)
            own = features[columns].assign(probability=model.predict_proba(features[columns])[:, column])
            listed = listed.assign(probability=own["probability"]).sort_values("probability", ascending=False)
        if council in told:
            try_list(listed, told[council])


if __name__ == "__main__":
    main()
