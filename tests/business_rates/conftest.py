"""The invented town, which several test modules of the study read."""

import io

import geopandas as gpd
import pandas as pd
import pytest

from councilbook.business_rates.names import persons
from councilbook.business_rates.register import properties
from councilbook.business_rates.roll.reading import read_roll
from councilbook.business_rates.roll.rules import open_rules
from councilbook.business_rates.twin import accounts, views
from councilbook.catalogue import Council, TwinRequest


@pytest.fixture(scope="module")
def rules():
    with open_rules() as database:
        yield database


@pytest.fixture
def read(tmp_path):
    """Read lines as a roll."""

    def read_text(*lines, encoding="utf-8", run_date="2026-01-01", **more):
        path = tmp_path / "roll.csv"
        path.write_bytes("\r\n".join(lines).encode(encoding))
        return read_roll(path, run_date=run_date, **more)

    return read_text


@pytest.fixture(scope="session")
def town(tmp_path_factory):
    """The invented town: its roll, its parties, its places."""
    council = Council(slug="north_lanarkshire", name="North Lanarkshire", codes={"S12000050": "North Lanarkshire"})
    request = TwinRequest(council, 7)
    file = tmp_path_factory.mktemp("town") / "ledger.csv"
    file.write_bytes(accounts.make_ledger(None, request)["rates_ledger"])
    roll = read_roll(file, run_date="2026-11-23").frame
    files = views.make_places(None, request)
    wards = gpd.read_file(io.BytesIO(files["wards"])).rename(columns={"WD25CD": "ward_code"})
    zones = pd.read_csv(io.BytesIO(files["data_zones"])).rename(columns={"Data_Zone": "zone_code"})
    return roll, persons.classify_parties(roll), properties.find_places(roll, wards, zones)
