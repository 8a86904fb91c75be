"""What requests for information on business rates cost a council, and what publication saves, with intervals.

Every value that is not counted is in `foi_costs.yaml`, with its source or marked as an assumption. Requests a year come
from mySociety's counts of 2017, so any council of the United Kingdom can be computed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict

from councilbook.business_rates.requests.rules import Law
from councilbook.errors import CheckError, suggest
from councilbook.methods.uncertainty import (
    Floats,
    Parameter,
    find_interval,
    sample_parameters,
    swing_parameters,
)

PARAMETERS = Path(__file__).with_name("foi_costs.yaml")
DRAWS = 20_000
PRIOR = 0.5  # of each answer, so that none of a few is not taken for none of all (Jeffreys)
ANSWERS = ("answerable", "partly", "not")
QUANTITIES = {  # what it is in words, and its unit
    "requests": ("Requests on business rates", "requests a year"),
    "cost_gbp": ("What they cost", "GBP a year"),
    "hours": ("Hours that they take", "hours a year"),
    "requests_answered": ("Requests that published data answer", "requests a year"),
    "saved_hours": ("Hours that publishing saves", "hours a year"),
    "saved_gbp": ("What publishing saves", "GBP a year"),
    "upkeep_gbp": ("What publishing costs", "GBP a year"),
    "net_gbp": ("What publishing saves after its costs", "GBP a year"),
}
COUNTED = {"share_answerable": "Share of requests that data answer", "share_partly": "Share that data answer in part"}


class Claim(BaseModel):
    """What a case study says it costs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value_gbp: float
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Costs:
    """All of foi_costs.yaml, with the citations in full."""

    claim: Claim
    parameters: Mapping[str, Parameter]

    def choose(self, law: Law) -> dict[str, Parameter]:
        """Return the parameters for councils under a law, by their names without it."""
        chosen = {name.removesuffix(f"[{law}]"): one for name, one in self.parameters.items()}
        return {name: one for name, one in chosen.items() if "[" not in name}


@cache
def load_costs() -> Costs:
    """Read foi_costs.yaml.

    Raises:
        ValueError: a value is out of its range, or has neither a source nor the mark of an assumption.
        KeyError: a source is cited that is not listed.
    """
    content = yaml.safe_load(PARAMETERS.read_text(encoding="utf-8"))

    def cite(entry: Mapping[str, object]) -> dict[str, object]:
        sources = entry["sources"]
        assert isinstance(sources, list)
        return {**entry, "sources": tuple(content["sources"][one].strip() for one in sources)}

    return Costs(
        Claim.model_validate(cite(content["claim"])),
        {name: Parameter.model_validate(cite(entry)) for name, entry in content["parameters"].items()},
    )


def sample_costs(law: Law, seed: int, draws: int = DRAWS, answers: Sequence[int] = (0, 0, 0)) -> pd.DataFrame:
    """Draw the uncertain values; see `uncertainty.sample_parameters`.

    The shares that publication answers come from the Dirichlet posterior of counted requests, with Jeffreys' prior.

    Args:
        law: whose parameters.
        answers: how many requests were counted as answerable, partly and not (from `foi.match_requests`).

    Returns:
        A row a draw; a column a parameter, and share_answerable, share_partly.

    Raises:
        CheckError: a count is negative, or there are not three.
    """
    if len(answers) != len(ANSWERS) or min(answers) < 0:
        raise CheckError(f"Expected how many requests are {', '.join(ANSWERS)}, but {list(answers)} were given.")
    rng = np.random.default_rng(seed)
    drawn = sample_parameters(load_costs().choose(law), rng, draws)
    shares = rng.dirichlet(np.asarray(answers) + PRIOR, draws)
    return drawn.assign(share_answerable=shares[:, 0], share_partly=shares[:, 1])


def simulate_costs(requests: "float | Floats", values: "pd.DataFrame | Mapping[str, float]") -> dict[str, Floats]:
    """Compute a year's requests on business rates, what they cost, and what publication saves of it.

    cost = requests * growth * share on rates * hours * pounds an hour. An answered request saves its hours, but for
    those that still come and are pointed to the data; one answered in part saves a share of that. Net is less upkeep.

    Args:
        requests: of all kinds in the year that was counted: a number, or an array of councils.
        values: of parameters, as `sample_costs` draws them, or one of each.

    Returns:
        By quantity of `QUANTITIES`, an array: draws, or councils by draws.

    Raises:
        CheckError: requests are negative or missing.
    """
    counted = np.asarray(requests, dtype="float64")
    if not (np.isfinite(counted) & (counted >= 0)).all():
        raise CheckError("Requests a year must be numbers of 0 or more.")
    get = {str(name): np.asarray(value, dtype="float64") for name, value in values.items()}
    on_rates = counted[..., None] * (get["growth_since_counted"] * get["share_on_rates"])
    hours, pounds = get["hours_per_request"], get["staff_gbp_hour"]
    answered = get["share_answerable"] + get["share_partly"] * get["partly_saved"]
    spared = np.maximum(hours - get["still_asked"] * get["hours_to_point"], 0)
    saved_hours = on_rates * answered * spared
    upkeep = np.broadcast_to(12 * get["upkeep_hours_month"] * pounds, on_rates.shape)
    return {
        "requests": on_rates,
        "cost_gbp": on_rates * hours * pounds,
        "hours": on_rates * hours,
        "requests_answered": on_rates * answered,
        "saved_hours": saved_hours,
        "saved_gbp": saved_hours * pounds,
        "upkeep_gbp": upkeep,
        "net_gbp": saved_hours * pounds - upkeep,
    }


def estimate_costs(requests: float, law: Law, answers: Sequence[int], seed: int, draws: int = DRAWS) -> pd.DataFrame:
    """Estimate what a council's requests on business rates cost and what publication saves, with intervals.

    Args:
        requests: of all kinds a year.
        law: the Act that the council is under.
        answers: see `sample_costs`.

    Returns:
        quantity, title, unit, low, median, high (of 90 % of the draws): a row a quantity of `QUANTITIES`.

    Raises:
        CheckError: see `sample_costs` and `simulate_costs`.
    """
    found = simulate_costs(requests, sample_costs(law, seed, draws, answers))
    rows = [(name, *words, *find_interval(found[name])) for name, words in QUANTITIES.items()]
    return pd.DataFrame(rows, columns=["quantity", "title", "unit", "low", "median", "high"])


def check_claim(requests: float, law: Law, seed: int, draws: int = DRAWS) -> pd.DataFrame:
    """Hold the case study's yearly cost against what the ranges give.

    Returns:
        One row: claim_gbp, chance_of_more (share of draws that cost at least as much), implied_requests and
        implied_share (how many requests, and what share of all, would have to be on rates) each with _low and _high.
    """
    drawn = sample_costs(law, seed, draws)
    found = simulate_costs(requests, drawn)
    claim = load_costs().claim.value_gbp
    implied = claim / (drawn["hours_per_request"] * drawn["staff_gbp_hour"])
    share = implied / (requests * drawn["growth_since_counted"])
    row: dict[str, float] = {"claim_gbp": claim, "chance_of_more": float((found["cost_gbp"] >= claim).mean())}
    for name, values in {"implied_requests": implied, "implied_share": share}.items():
        low, median, high = find_interval(values.to_numpy())
        row |= {name: median, f"{name}_low": low, f"{name}_high": high}
    return pd.DataFrame([row])


def weigh_costs(
    requests: float, law: Law, answers: Sequence[int], quantity: str, seed: int, draws: int = DRAWS
) -> pd.DataFrame:
    """Tell which uncertain values matter for a quantity, in two ways.

    One at a time (`uncertainty.swing_parameters`; the shares that publication answers at the ends of 90 % of the
    draws). All together: Spearman's rank correlation over the draws.

    Returns:
        parameter, title, unit, basis, low, high, at_low, at_default, at_high, swing, rank_correlation: a row a value,
        the widest swing first; values that the quantity does not depend on are left out.

    Raises:
        CheckError: the quantity is not one of `QUANTITIES`; and see `sample_costs`.
    """
    if quantity not in QUANTITIES:
        raise CheckError(f"There is no quantity {quantity}.{suggest(quantity, QUANTITIES)}")
    parameters, drawn = load_costs().choose(law), sample_costs(law, seed, draws, answers)
    defaults = {name: one.default for name, one in parameters.items()}
    ends = {name: (one.low, one.high) for name, one in parameters.items()}
    for name in COUNTED:
        low, _, high = find_interval(drawn[name].to_numpy())
        defaults[name], ends[name] = float(drawn[name].mean()), (low, high)
    bars = swing_parameters(ends, defaults, lambda values: simulate_costs(requests, pd.DataFrame(values))[quantity])
    titles = {name: one.title for name, one in parameters.items()} | COUNTED
    bars.insert(1, "title", bars["parameter"].map(titles))
    bars.insert(2, "unit", [parameters[name].unit if name in parameters else "dimensionless" for name in ends])
    bars.insert(3, "basis", [parameters[name].basis if name in parameters else "derived" for name in ends])
    output = pd.Series(simulate_costs(requests, drawn)[quantity])
    table = bars.assign(rank_correlation=drawn[list(ends)].corrwith(output, method="spearman").to_numpy())
    return table[table["swing"] > 0].sort_values("swing", ascending=False, kind="stable", ignore_index=True)
