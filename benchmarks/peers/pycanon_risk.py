"""Measure a CSV file with pycanon, and print what it found and the seconds that it took, without reading the file."""

import json
import sys
import time

import pandas as pd
from pycanon import anonymity

path, quasi_identifiers, sensitive = sys.argv[1], sys.argv[2].split(","), sys.argv[3].split(",")
records = pd.read_csv(path, keep_default_na=False)
begin = time.perf_counter()
found = {
    "k": int(anonymity.k_anonymity(records, quasi_identifiers)),
    "l": int(anonymity.l_diversity(records, quasi_identifiers, sensitive)),
    "t": float(anonymity.t_closeness(records, quasi_identifiers, sensitive)),
}
print(json.dumps(found | {"seconds": time.perf_counter() - begin}))
