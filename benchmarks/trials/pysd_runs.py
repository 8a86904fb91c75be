"""The systems model run by PySD, one set of values at a time: the peer of `system.simulate`."""

import shutil
from collections.abc import Mapping
from functools import cache
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pysd
import xarray as xr

from councilbook.fuel_poverty.scenarios.engine import MODEL, load_model
from councilbook.fuel_poverty.scenarios.settings import load_settings


def run_pysd(settings: Mapping[str, float], outputs: list[str] | None = None) -> pd.DataFrame:
    """Run the model once, by PySD.

    Args:
        settings: values by name; what is not named has its default.
        outputs: variables; all of them if none is named.

    Returns:
        A row a year from 0, a column a variable or `name[element]`.
    """
    model = _read_pysd()
    grouped: dict[str, dict[str, float]] = {}
    for name, value in (load_settings().defaults | dict(settings)).items():
        variable, _, element = name.removesuffix("]").partition("[")
        grouped.setdefault(variable, {})[element] = value
    dimension_of = {variable: dimension for variable, dimension in load_model().dimension_of.items() if dimension}
    values: dict[str, Any] = {
        variable: xr.DataArray(
            list(elements.values()), {dimension_of[variable]: list(elements)}, [dimension_of[variable]]
        )
        if variable in dimension_of
        else elements[""]
        for variable, elements in grouped.items()
    }
    result: pd.DataFrame = model.run(
        params=values, return_columns=outputs, return_timestamps=range(load_model().years + 1)
    )
    return result


@cache
def _read_pysd() -> Any:
    """PySD writes a Python file beside the model that it reads: it gets a copy, so that the library stays as it is."""
    with TemporaryDirectory() as folder:
        return pysd.read_xmile(shutil.copy(MODEL, folder))
