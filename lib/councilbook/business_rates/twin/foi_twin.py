"""The twins of what is known of requests for information: their titles, and how many a council has."""

import numpy as np
import pandas as pd

from councilbook.business_rates.requests.rules import load_rules
from councilbook.catalogue import Source, TwinRequest

PLACES = ["Kirkfold", "Allerhaugh", "Newbrae", "Stanemuir", "Glenwhin", "Carrickshaw"]
OF_A_TOPIC = 3  # requests
YEARS = (2016, 2025)
REQUESTS_MEDIAN = 1500  # a year and council
COUNTED = 40  # councils


def make_requests(source: Source, request: TwinRequest) -> bytes:  # noqa: ARG001 (every twin takes its source)
    """Make the twin of the index of requests on business rates: titles made of each topic's own words."""
    rules = load_rules()
    random = np.random.default_rng([request.seed, 21])
    outcomes = [words for words, outcome in rules.outcomes.items() if outcome in ("released", "in part", "refused")]
    rows = []
    for topic, about in rules.topics.items():
        for words in (about.words.split(", ") * OF_A_TOPIC)[:OF_A_TOPIC]:
            rows.append(
                {
                    "authority": f"{random.choice(PLACES)} Council",
                    "url": "",
                    "title": f"Business rates: {words}",
                    "date_received": f"{random.integers(*YEARS)}-{random.integers(1, 13):02d}-01",
                    "date_responded": "",
                    "topics": topic,
                    "outcome": random.choice(outcomes),
                    "exemptions": "",
                    "note": "invented",
                }
            )
    return pd.DataFrame(rows).to_csv(index=False).encode()


def make_statistics(source: Source, request: TwinRequest) -> dict[str, bytes]:  # noqa: ARG001 (every twin takes its source)
    """Make the twins of the counts of requests by council."""
    random = np.random.default_rng([request.seed, 22])
    names = [request.council.name, *(f"{place} {n}" for n in range(1, 8) for place in PLACES)][:COUNTED]
    total = (REQUESTS_MEDIAN * np.exp(random.normal(0, 0.4, len(names)))).round().astype(int)
    counts = pd.DataFrame({"council name": names, "all": total})
    scottish = np.arange(len(names)) < len(names) // 3
    if not any(code.startswith("S") for code in request.council.codes):
        scottish = ~scottish
    tables = {
        "foi_counts_scotland": counts[scottish],
        "foi_counts": counts[~scottish].rename(columns={"council name": "council"}),
    }
    return {name: table.to_csv(index=False).encode() for name, table in tables.items()}
