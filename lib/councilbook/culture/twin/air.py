"""Twins of open logs of wifi: sights of an invented town whose identifiers are no single devices, as in Kanazawa."""

import gzip
from collections.abc import Mapping
from hashlib import sha256

import numpy as np
import pandas as pd

from councilbook.catalogue import Source, TwinRequest
from councilbook.twins.places import make_place

SIGHTS = {901: ("Museum of Invented Art", 36.561, 136.659), 902: ("Museum of Invented Bones", 36.083, 136.507)}
DAY, HOURS, IDENTIFIERS, EVENTS = "2024-10-10", (8, 19), 60, 5000
HEADER = "時間,施設No,ユーザー情報\r\n"


def make_sights(_source: Source, request: TwinRequest) -> Mapping[str, bytes]:
    """Make a day's logs of two sights 55 km apart, and the list of both, in the layout of the open ones.

    The fault is that of Kanazawa: an identifier is the hash of the first half of an address, so all phones of a maker
    share it. The commonest has more than half of the records, and is in both places at once.
    """
    rng = make_place(request.council, request.seed).stream("sights")
    share = 1 / np.arange(1, IDENTIFIERS + 1) ** 2
    names = np.array([sha256(f"invented maker {one}".encode()).hexdigest() for one in range(IDENTIFIERS)])
    files = {}
    for number, (sight, _) in zip(SIGHTS, SIGHTS.items(), strict=True):
        seconds = np.sort(rng.integers(HOURS[0] * 3600, HOURS[1] * 3600, EVENTS))
        times = (pd.Timestamp(DAY) + pd.to_timedelta(seconds, unit="s")).strftime("%Y-%m-%d %H:%M:%S")
        who = names[rng.choice(IDENTIFIERS, EVENTS, p=share / share.sum())]
        rows = "".join(f"{time},{sight},{one}\r\n" for time, one in zip(times, who, strict=True))
        files[f"wifi_kanazawa_{33 if number == min(SIGHTS) else 56}"] = gzip.compress(
            f"\ufeff{HEADER}{rows}".encode(), mtime=0
        )
    listed = [f"{number},,,{name},{name},{north},{east}" for number, (name, north, east) in SIGHTS.items()]
    head = "No.,エリア,業種,施設名(日本語),施設名(ローマ字),緯度,経度"
    files["wifi_kanazawa_sights"] = ("\ufeff" + "\r\n".join([head, *listed, ""])).encode()
    return files
