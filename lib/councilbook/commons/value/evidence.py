"""What each plan of ideas is worth, and what it would be worth to know an uncertain value before choosing one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd
from sklearn.preprocessing import SplineTransformer

from councilbook.commons.value.ideas import Assumed, Model
from councilbook.methods.uncertainty import Floats, find_interval, sample_parameters

DRAWS = 8_192
KNOTS = 8  # of the splines through the draws of one value
MOST_PLANS = 10  # that are told, the best first
EVERYTHING = "everything"


@dataclass(frozen=True)
class Appraisal:
    """All draws of what ideas and plans bring, in pounds of today.

    Attributes:
        drawn: a row a draw, a column an uncertain value.
        alone: draws by ideas: net present value of each idea funded alone.
        cost: by idea, what it is expected to cost, in pounds of today.
        plans: plans by ideas: whether a plan funds an idea; those that the budget allows.
        net: draws by plans: net present value of each plan.
    """

    drawn: pd.DataFrame
    alone: pd.DataFrame
    cost: pd.Series
    plans: pd.DataFrame
    net: Floats

    @property
    def best(self) -> int:
        """The plan that is worth most on average."""
        return int(self.net.mean(axis=0).argmax())


def appraise_ideas(
    model: Model, values: Mapping[str, Assumed], *, budget_gbp: float, years: int, discount_pct: float, seed: int
) -> Appraisal:
    """Draw the uncertain values, and work out what every plan that a budget allows is worth.

    A plan funds some of the ideas. It brings each benefit of them once, however many of them bring it. The cost once is
    paid now, and what is of a year comes at the end of each of the years.

    Args:
        model: the ideas that can be counted.
        values: parameters and figures.
        budget_gbp: most that a plan may be expected to cost over the years, in pounds of today.
        years: how many are counted.
        discount_pct: what a pound loses in worth a year (Green Book: 3.5).
        seed: of the draws.
    """
    used = {name: one for name, one in values.items() if name in model.factors}
    drawn = sample_parameters(used, np.random.default_rng(seed), DRAWS)
    known = pd.DataFrame(
        {name: drawn[name] * one.scale if name in drawn else one.middle for name, one in used.items()},
        index=range(DRAWS),
    )
    worth_year = float(((1 + discount_pct / 100) ** -np.arange(1, years + 1)).sum())  # of a pound a year

    def multiply(names: Sequence[str]) -> Floats:
        found: Floats = known[[*names]].prod(axis=1).to_numpy()
        return found

    benefits = pd.DataFrame(
        {name: worth_year * multiply([*one.amount, *one.worth]) for name, one in model.benefits.items()}
    )
    costs = pd.DataFrame(
        {name: multiply(one.once) + worth_year * multiply(one.year) for name, one in model.ideas.items()}
    )
    brings = pd.DataFrame(
        [[name in one.benefits for name in model.benefits] for one in model.ideas.values()],
        index=pd.Index(model.ideas),
        columns=pd.Index(model.benefits),
        dtype="float64",
    )
    every = np.array(list(product([False, True], repeat=len(model.ideas))))
    plans = pd.DataFrame(every[every @ costs.mean().to_numpy() <= budget_gbp], columns=costs.columns)
    brought = (plans.to_numpy() @ brings.to_numpy()) > 0  # once, however many bring it
    return Appraisal(
        drawn,
        benefits @ brings.T - costs,
        costs.mean(),
        plans,
        benefits.to_numpy() @ brought.T - costs.to_numpy() @ plans.to_numpy().T,
    )


def estimate_evpi(net: Floats) -> float:
    """Return the expected value of perfect information: what it is worth to know everything before choosing.

    E[max over options] - max over options E; Raiffa and Schlaifer 1961, Applied Statistical Decision Theory.

    Args:
        net: draws by options, net present value.
    """
    return max(0.0, float(net.max(axis=1).mean() - net.mean(axis=0).max()))  # rounding may put it below 0


def estimate_evppi(net: Floats, values: Floats) -> float:
    """Return the expected value of perfect information on one value: what it is worth to know that before choosing.

    What each option is worth on average, given the value, is read off a regression of the draws on it; see Strong,
    Oakley and Brennan 2014, Medical Decision Making 34, 311-326. Here that is a cubic spline by least squares. It is
    never below 0, and what chance puts above `estimate_evpi` is cut off.

    Args:
        net: draws by options, net present value.
        values: of each draw.
    """
    curve = SplineTransformer(KNOTS, knots="quantile", include_bias=True).fit_transform(values[:, None])
    told = curve @ np.linalg.lstsq(curve, net)[0]
    return min(estimate_evpi(told), estimate_evpi(net))


def tabulate_ideas(
    model: Model, values: Mapping[str, Assumed], appraisal: Appraisal, councils: Mapping[str, str]
) -> pd.DataFrame:
    """Return a row an idea, what it is worth by itself and whether the best plan funds it.

    Args:
        model: all ideas, those that cannot be counted among them.
        values: parameters and figures.
        appraisal: of the ideas that can be counted.
        councils: by dataset that was read, the council that it is of.

    Returns:
        idea, title, brings (in words, at the middle of each range), councils (whose figures), shares (ideas with which
        it has a benefit in common), cost_gbp, low_gbp, mean_gbp, high_gbp (net present value, with 90% of the draws),
        worth_it_pct (draws above 0), chosen. An idea that cannot be counted has missing brings, councils and numbers.
    """
    rows = []
    for name, one in model.ideas.items():
        alike = [
            other.title for key, other in model.ideas.items() if key != name and {*other.benefits} & {*one.benefits}
        ]
        own = [model.benefits[benefit] for benefit in one.benefits]
        there = [benefit for benefit in own if name in appraisal.cost and values.keys() >= {*benefit.amount}]
        amounts = [np.prod([values[factor].middle for factor in benefit.amount]) for benefit in there]
        told = [f"{amount:,.0f} {benefit.unit}" for amount, benefit in zip(amounts, there, strict=True)]
        read = [model.figures[name].dataset for benefit in there for name in benefit.amount if name in model.figures]
        whose = dict.fromkeys(councils[dataset] for dataset in read)
        rows.append([name, one.title, "; ".join(told) or None, "; ".join(whose) or None, "; ".join(alike) or None])
    low, _, high = find_interval(appraisal.alone.to_numpy().T)
    numbers = pd.DataFrame(
        {
            "cost_gbp": appraisal.cost,
            "low_gbp": low,
            "mean_gbp": appraisal.alone.mean(),
            "high_gbp": high,
            "worth_it_pct": 100 * (appraisal.alone > 0).mean(),
        }
    )
    chosen = appraisal.plans.columns[appraisal.plans.iloc[appraisal.best]]
    table = pd.DataFrame(rows, columns=["idea", "title", "brings", "councils", "shares"])
    table = table.join(numbers, on="idea").assign(chosen=table["idea"].isin(chosen))
    return table.sort_values("mean_gbp", ascending=False, ignore_index=True)


def tabulate_plans(model: Model, appraisal: Appraisal) -> pd.DataFrame:
    """Return the plans that are worth most: plan (a rank), ideas, cost_gbp, low_gbp, mean_gbp, high_gbp, best_pct.

    `best_pct` is the share of draws in which no other plan is worth more.
    """
    mean = appraisal.net.mean(axis=0)
    first = np.argsort(-mean, kind="stable")[:MOST_PLANS]
    low, _, high = find_interval(appraisal.net[:, first].T)
    best = np.bincount(appraisal.net.argmax(axis=1), minlength=len(mean)) / len(appraisal.net)
    members = appraisal.plans.iloc[first]
    titles = [one.title for one in model.ideas.values()]
    return pd.DataFrame(
        {
            "plan": np.arange(1, len(first) + 1),
            "ideas": ["; ".join(np.array(titles)[row]) or "none" for row in members.to_numpy()],
            "cost_gbp": members.to_numpy() @ appraisal.cost.to_numpy(),
            "low_gbp": low,
            "mean_gbp": mean[first],
            "high_gbp": high,
            "best_pct": 100 * best[first],
        }
    )


def tabulate_evidence(values: Mapping[str, Assumed], appraisal: Appraisal) -> pd.DataFrame:
    """Say of each uncertain value what it is worth to know it before choosing.

    Returns:
        value, title, unit, low, default, high, basis, source, question, way, worth_gbp: a row a value that is drawn,
        most worth first; above them the row EVERYTHING, with worth_gbp alone.
    """
    rows = []
    for name, one in ((name, one) for name, one in values.items() if name in appraisal.drawn):
        worth = estimate_evppi(appraisal.net, appraisal.drawn[name].to_numpy())
        about = one.model_dump(include={"title", "unit", "low", "default", "high", "basis", "question", "way"})
        rows.append({"value": name, **about, "source": "; ".join(one.sources) or None, "worth_gbp": worth})
    table = pd.DataFrame(rows).sort_values("worth_gbp", ascending=False, kind="stable")
    all_of_it = {"value": EVERYTHING, "title": "Everything in this table", "worth_gbp": estimate_evpi(appraisal.net)}
    return pd.concat([pd.DataFrame([all_of_it]), table], ignore_index=True)
