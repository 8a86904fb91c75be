"""The layout of the anonymised National Energy Efficiency Data-Framework (NEED) file, on its first twelve rows."""

from pathlib import Path

import pandas as pd

from councilbook.methods.impact import reshape_need


def test_the_files_own_layout_becomes_a_row_a_valid_reading(mirror: Path) -> None:
    wide = pd.read_csv(mirror / "kent" / "interventions" / "need_anon2025_50k_first12rows.csv")
    panel = reshape_need(wide)
    assert len(panel) == wide.filter(like="GasValFlag").eq("V").sum(axis=None)
    assert panel["year"].agg(["min", "max"]).tolist() == [2005, 2023]
    keyed = panel.set_index(["household_id", "year"])
    for row, column, flag in ((0, "Gcons2023", "GasValFlag2023"), (11, "Gcons2009", "GasValFlag2009")):
        assert wide.loc[row, flag] == "V"
        assert keyed.loc[(row, int(column[5:])), "gas_kwh"] == wide.loc[row, column]
    assert (8, 2007) not in keyed.index  # flagged G
    first = panel.drop_duplicates("household_id").set_index("household_id")
    assert first["loft_first_year"].dropna().to_dict() == {7: 2009, 10: 2011, 11: 2004}
    assert first["cavity_first_year"].dropna().to_dict() == {2: 2012, 7: 2009, 10: 2011}
