"""The twin of the sights: in the publisher's layout, with the publisher's fault."""

import gzip
import io

import pandas as pd

from councilbook.catalogue import TwinRequest, load_catalogue
from councilbook.culture.twin.air import SIGHTS, make_sights
from councilbook.culture.wifi import checks
from councilbook.culture.wifi.intake import Intake
from councilbook.culture.wifi.readers import read_log, recognise
from councilbook.paths import find_workbook


def test_invented_sights_are_read_and_refused():
    catalogue = load_catalogue(find_workbook())
    request = TwinRequest(catalogue.council("waltham_forest"), 3)
    files = make_sights(catalogue.source("wifi_kanazawa_33"), request)
    assert files == make_sights(catalogue.source("wifi_kanazawa_56"), request)
    logs = [files["wifi_kanazawa_33"], files["wifi_kanazawa_56"]]
    assert {recognise(gzip.decompress(log)) for log in logs} == {"facility_csv"}
    with Intake("Asia/Tokyo") as intake:
        events = pd.concat([read_log(log, "", intake, time_zone="Asia/Tokyo") for log in logs])
    listed = pd.read_csv(io.BytesIO(files["wifi_kanazawa_sights"]), encoding="utf-8-sig").iloc[:, [0, 5, 6]]
    positions = listed.set_axis(["zone", "latitude", "longitude"], axis=1).astype({"zone": str})
    assert set(positions["zone"]) == set(events["zone"].astype(str)) == {str(number) for number in SIGHTS}
    checked = checks.check_log(events, positions=positions, time_zone="Asia/Tokyo").set_index("check")
    assert checked["verdict"].to_dict() == {
        checks.PLACES: checks.FAILED, checks.SHARE: checks.FAILED, checks.CLOCKS: checks.PASSED,
        checks.HEADS: checks.NOT_ASKED,
    }  # fmt: skip
