"""Sessions, stays, seconds by zone and moves of a wifi log, by one engine, as JSON with seconds and memory.

python wifi_engines.py ENGINE FILE GAP_SECONDS
"""

import json
import os
import resource
import sys
import time

STAYS = """
with events as (select cast(time as date) as day, address, zone, {micros} as us from log),
marked as (select *, lag(us) over w as before, lag(zone) over w as zone_before from events
    window w as (partition by day, address order by us, zone)),
numbered as (select *, sum(case when before is null or zone <> zone_before or us - before > {gap} then 1 else 0 end)
    over (partition by day, address order by us, zone rows unbounded preceding) as stay from marked),
stays as (select day, address, stay, min(zone) as zone, min(us) as arrived, max(us) as gone from numbered
    group by day, address, stay),
chained as (select *, lag(gone) over v as last_gone, lag(zone) over v as last_zone from stays
    window v as (partition by day, address order by stay))
select last_zone, zone, count(*) as stays, sum(gone - arrived) as micros,
    sum(case when last_gone is not null and arrived - last_gone <= {gap} then 1 else 0 end) as moves
from chained group by last_zone, zone
"""


def total(rows):
    """Total rows of (zone before, zone, stays, microseconds, moves)."""
    stays, moves, seconds, pairs = 0, 0, {}, {}
    for before, zone, count, micros, moved in rows:
        stays, moves = stays + int(count), moves + int(moved)
        seconds[int(zone)] = seconds.get(int(zone), 0) + int(micros) / 1e6
        if moved:
            pairs[f"{int(before)}>{int(zone)}"] = pairs.get(f"{int(before)}>{int(zone)}", 0) + int(moved)
    return stays - moves, stays, seconds, pairs


def run_duckdb(file, gap):
    import duckdb

    base = duckdb.connect()
    base.execute("set threads=2; set preserve_insertion_order=false")
    base.execute(f"create view log as from read_parquet('{file}')")
    begin = mark()
    rows = base.execute(STAYS.format(gap=gap, micros="epoch_us(time)")).fetchall()
    return total(rows), begin


def run_polars(file, gap):
    import polars as pl

    begin = mark()
    keys = ["day", "address"]
    events = pl.scan_parquet(file).select(
        pl.col("time").dt.date().alias("day"), "address", "zone", pl.col("time").cast(pl.Int64).alias("at")
    )
    ordered = events.sort("day", "address", "at", "zone")
    same = pl.all_horizontal([pl.col(key) == pl.col(key).shift(1) for key in keys]).fill_null(False)
    breaks = ~same | (pl.col("zone") != pl.col("zone").shift(1)) | (pl.col("at") - pl.col("at").shift(1) > gap)
    marked = ordered.with_columns(breaks.fill_null(True).cum_sum().alias("stay"))
    stays = marked.group_by("stay", maintain_order=True).agg(
        pl.col("day").first(), pl.col("address").first(), pl.col("zone").first(), pl.col("at").min().alias("arrived"),
        pl.col("at").max().alias("gone"),
    )  # fmt: skip
    goes_on = same & (pl.col("arrived") - pl.col("gone").shift(1) <= gap)
    last = pl.col("zone").shift(1).alias("last_zone")
    rows = (
        stays.with_columns(goes_on.fill_null(False).alias("moved"), last)
        .with_columns((pl.col("gone") - pl.col("arrived")).alias("micros"))
        .group_by("last_zone", "zone")
        .agg(pl.len(), pl.col("micros").sum(), pl.col("moved").sum())
        .collect()
        .rows()
    )
    return total(rows), begin


def run_pandas(file, gap):
    import pandas as pd

    begin = mark()
    log = pd.read_parquet(file)
    log = log.assign(at=log["time"].astype("int64"), day=log.pop("time").dt.floor("D"))
    log = log.sort_values(["day", "address", "at", "zone"], ignore_index=True)
    same = log["day"].eq(log["day"].shift()) & log["address"].eq(log["address"].shift())
    breaks = ~same | log["zone"].ne(log["zone"].shift()) | (log["at"].diff() > gap)
    grouped = log.groupby(breaks.cumsum(), sort=False)
    firsts = {name: (name, "first") for name in ("day", "address", "zone")}
    stays = grouped.agg(**firsts, arrived=("at", "min"), gone=("at", "max"))
    last = stays.shift()
    moved = stays["day"].eq(last["day"]) & stays["address"].eq(last["address"])
    moved &= stays["arrived"] - last["gone"] <= gap
    pairs = stays.assign(last=last["zone"].fillna(-1), micros=stays["gone"] - stays["arrived"], moved=moved)
    found = pairs.groupby(["last", "zone"]).agg(
        stays=("moved", "size"), micros=("micros", "sum"), moves=("moved", "sum")
    )
    return total(found.reset_index().itertuples(index=False, name=None)), begin


def run_movingpandas(file, gap):
    import movingpandas
    import pandas as pd

    begin = mark()
    log = pd.read_parquet(file)
    log["key"] = log["address"].astype(str) + log["time"].dt.strftime("%j")
    paths = movingpandas.TrajectoryCollection(
        log.assign(x=log["zone"].astype(float), y=0.0), traj_id_col="key", t="time", x="x", y="y", crs=None
    )
    from datetime import timedelta

    split = movingpandas.ObservationGapSplitter(paths).split(gap=timedelta(microseconds=gap))
    return (len(split), 0, {}, {}), begin


def run_spark(file, gap):
    from pyspark.sql import SparkSession

    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "8")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.driver.memory", "4g")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    spark.read.parquet(file).createOrReplaceTempView("log")
    begin = mark()
    found = spark.sql(STAYS.format(gap=gap, micros="unix_micros(cast(time as timestamp))")).collect()
    rows = [tuple(row) for row in found]
    return total(rows), begin


def mark():
    return time.perf_counter(), use()


def use():
    return sum(part for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN) for part in resource.getrusage(who)[:2])


if __name__ == "__main__":
    engine, file, gap = sys.argv[1], sys.argv[2], int(sys.argv[3]) * 1_000_000
    os.environ.setdefault("POLARS_MAX_THREADS", "2")
    (sessions, stays, seconds, moves), (wall, cpu) = globals()[f"run_{engine}"](file, gap)
    told = {
        "sessions": sessions, "stays": stays, "seconds": {str(k): seconds[k] for k in sorted(seconds)},
        "moves": dict(sorted(moves.items())), "wall": time.perf_counter() - wall, "cpu": use() - cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }  # fmt: skip
    print(json.dumps(told))
