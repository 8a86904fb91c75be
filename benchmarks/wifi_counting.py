"""People in a room by wifi: the estimate beside addresses, and beside random ones dropped and the rest scaled.

    python benchmarks/wifi_counting.py --mirror FOLDER [--unseen FOLDER ...]

Learnt and tried on the 19 days of Brno's first sensor, a term left out at a time, without and with one counted day of
it. `--unseen` tries what was learnt from all of them on another folder of the same layout: a later term, or another
sensor. Then a simulated room by the way in which phones change their addresses, which is synthetic.
"""

import argparse
import time
from pathlib import Path

import pandas as pd

from councilbook.culture.counting import counter, quarters, room, trials

BRNO = "waltham_forest/wifi/brno_probe_requests/position_1"


def describe(folder: Path) -> tuple[dict[int, pd.DataFrame], pd.Series, float]:
    """The believed quarter hours of a folder's days by shift, what was set aside, and processor seconds."""
    start = time.process_time()
    events, _ = room.read_room(sorted(folder.glob("*.csv*")))
    described = counter.describe_shifts(events)
    reason = quarters.find_contradictions(described[0])
    return (
        {one: room.keep_believed(rows, reason) for one, rows in described.items()},
        reason,
        time.process_time() - start,
    )


def show(what: str, scores: pd.DataFrame) -> None:
    print(f"\n{what}\n{scores.round(2).to_string(index=False)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--unseen", type=Path, nargs="*", default=[])
    parser.add_argument("--seed", type=int, default=2018)
    given = parser.parse_args()
    own, reason, seconds = describe(given.mirror / BRNO)
    print(f"read and described in {seconds:.1f} processor seconds; set aside:\n{room.list_aside(reason).to_string()}")
    found, counters = trials.leave_terms_out(own[0], room.PLACE)
    show("a term left out", trials.score_quarters(found, "term"))
    tried = [
        trials.try_counted_days(
            one, own[0][own[0]["term"].ne(term)], {k: rows[rows["term"].eq(term)] for k, rows in own.items()}, "here"
        ).assign(term=term)
        for term, one in counters.items()
    ]
    show("a term left out, one of its days counted, each in turn", trials.score_quarters(pd.concat(tried), "term"))
    whole = counter.fit_counter(own[0], own[0]["term"], room.PLACE)
    for folder in given.unseen:
        there, reason, _ = describe(folder)
        print(f"\n{folder.name}, set aside:\n{room.list_aside(reason).to_string()}")
        learnt_days = own[0].index.normalize().unique()
        there = {k: rows[~rows.index.normalize().isin(learnt_days)] for k, rows in there.items()}
        beside = trials.lay_beside(whole, own[0], there[0], room.PLACE).join(there[0]["term"])
        show(f"{folder.name}, no day counted there", trials.score_quarters(beside, "term"))
        here = trials.try_counted_days(whole, own[0], there, folder.name)
        here = here.assign(what=room.name_terms(pd.DatetimeIndex(here.index)).to_numpy())
        show(f"{folder.name}, one day counted there, each in turn", trials.score_quarters(here, "what"))
        every = here.assign(what="all terms")
        show(f"{folder.name}, the same over all terms", trials.score_quarters(every, "what"))
    show("a simulated room (synthetic)", trials.simulate_policies(given.seed))


if __name__ == "__main__":
    main()
