"""Coefficients and scores of a model: whether they could give records back."""

from typing import Any

import pandas as pd

from councilbook.catalogue import ModelRule
from councilbook.errors import ReleaseRefusedError


def check_model(frame: pd.DataFrame, rule: ModelRule) -> dict[str, Any]:
    """Check that a model is far from saturated, and that no coefficient is about a small group.

    A coefficient on its own is safe if the model has enough residual degrees of freedom; one of a level that few
    records have, or that few have not, is little else than their mean (Ritchie 2019, Analyzing the disclosure risk of
    regression coefficients, Transactions on Data Privacy 12(2); the same in ACRO and the SACRO guide). Nothing is
    changed, as a model cannot be mended by hiding a coefficient: the others and the scores give it back.

    Args:
        frame: a row a coefficient, with the columns that the rule names. A missing group size says that the
            coefficient is about all observations, as that of a continuous covariate is.
        rule: what is declared of them.

    Returns:
        What was checked, for the audit record.

    Raises:
        ReleaseRefusedError: with each fault and how many coefficients have it.
    """
    observations = frame[rule.observations].astype("Float64")
    freedom = frame[rule.degrees_of_freedom].astype("Float64")
    group = frame[rule.group_size].astype("Float64").fillna(observations)
    rest = observations - group
    threshold, least = rule.threshold, rule.least_degrees_of_freedom
    refit = "Join levels until each has as many, or leave the covariate out, and fit the model again."
    faults = {
        "do not say how many observations or residual degrees of freedom their model has. Add these.": (
            observations.isna() | freedom.isna()
        ),
        f"name a group, or degrees of freedom, that {rule.observations} cannot have. Mend these.": (
            (rest < 0) | (freedom >= observations)
        ),
        "are of a saturated model, which gives the records back. Join levels, or leave covariates out.": freedom <= 1,
        f"are of a model with fewer than {least} residual degrees of freedom. Join levels, or leave covariates out.": (
            (freedom > 1) & (freedom < least)
        ),
        f"are about fewer than {threshold} records. {refit}": group < threshold,
        f"are about all but fewer than {threshold} records. {refit}": (rest > 0) & (rest < threshold),
    }
    if found := [f"{n} of {len(frame)} coefficients {fault}" for fault, at in faults.items() if (n := at.sum())]:
        raise ReleaseRefusedError(" ".join(found))
    return {
        "checked": {
            "coefficients": len(frame),
            "fewest_degrees_of_freedom": int(freedom.min()) if len(frame) else None,
            "smallest_group": int(group.min()) if len(frame) else None,
        }
    }
