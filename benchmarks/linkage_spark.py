"""The same linkage on Spark: the same model and the same cleaned sides must give the same pairs and weights.

    python benchmarks/linkage_spark.py --peer PYTHON [--properties N] [--companies N]

PYTHON is that of an environment with pyspark 4, splink 5, pandas and pyarrow, and Java 17 on the machine. A twin is
linked on DuckDB here; its cleaned sides, term frequencies and fitted model are written out; Splink's SparkAPI blocks
and scores them there. Two functions that DuckDB has and Spark has not are defined in Spark SQL, so that the settings
are the same to the letter; Jaro-Winkler comes from the JAR that Splink ships. Stops where a pair is missing or a weight
differs by more than 0.001 bits. This is the way out for a register that one machine cannot hold, not a faster one.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TABLES = ("a_roll", "b_register", "name_frequency", "place_frequency", "door_frequency")


def write_sides(folder: Path, properties: int, companies: int) -> None:
    import duckdb

    from councilbook.methods.linkage.comparisons import SETTINGS
    from councilbook.methods.linkage.linking import fit_linkage
    from councilbook.methods.linkage.sides import prepare_sides
    from trials.linkage_twin import make_linkage_twin

    twin = make_linkage_twin(1, properties, companies)
    started = time.perf_counter()
    linkage = fit_linkage(twin.roll, twin.register)
    print(f"DuckDB: {time.perf_counter() - started:.1f} s, {len(linkage.links):,} links")
    settings = SETTINGS["companies_house"]
    with duckdb.connect() as con:
        prepare_sides(
            con, twin.roll, twin.register, settings.largest_block, settings.random_pairs, settings.seed, seats=True
        )
        for table in TABLES:
            con.execute(f"COPY {table} TO '{folder / table}.parquet'")
    (folder / "model.json").write_text(json.dumps(linkage.model))
    linkage.levels.to_parquet(folder / "levels.parquet")


def link_on_spark(folder: Path) -> None:
    import pandas as pd
    from pyspark.sql import SparkSession
    from splink import Linker, SettingsCreator, SparkAPI
    from splink.backends.spark import similarity_jar_location

    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.jars", similarity_jar_location())
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.driver.memory", "4g")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    spark.sparkContext.setCheckpointDir(str(folder / "checkpoints"))
    started = time.perf_counter()
    database = SparkAPI(spark_session=spark, break_lineage_method="parquet", num_partitions_on_repartition=4)
    token = "ARRAY<STRUCT<word: STRING, bits: DOUBLE>>"
    for definition in (
        f"shared_bits(x {token}, y {token}) RETURNS DOUBLE RETURN "
        "coalesce(aggregate(array_intersect(x, y), 0D, (total, t) -> total + t.bits), 0D)",
        "list_has_any(x ARRAY<STRING>, y ARRAY<STRING>) RETURNS BOOLEAN RETURN arrays_overlap(x, y)",
    ):
        spark.sql(f"CREATE OR REPLACE TEMPORARY FUNCTION {definition}")
    tables = {name: spark.read.parquet(str(folder / f"{name}.parquet")) for name in TABLES}
    sides = [database.register(tables[name], dataset_display_name=name) for name in TABLES[:2]]
    model = json.loads((folder / "model.json").read_text())
    linker = Linker(sides, SettingsCreator.from_path_or_dict(model), log_level=None)
    used = json.dumps(model)
    for column, table in (("name", TABLES[2]), ("postcode", TABLES[3]), ("door", TABLES[4])):
        if f'"tf_adjustment_column": "{column}"' in used:
            linker.table_management.register_term_frequency_lookup(database.register(tables[table]), column)
    found = linker.inference.predict(warning_mode="never").as_spark_dataframe()
    here = found.select("record_l", "record_r", "match_weight").toPandas()
    here = here.groupby(["record_l", "record_r"], as_index=False)["match_weight"].max()
    there = pd.read_parquet(folder / "levels.parquet")
    both = there.merge(
        here,
        left_on=["property_reference", "unique_id"],
        right_on=["record_l", "record_r"],
        how="left",
        suffixes=("", "_spark"),
    )
    missing = int(both["match_weight_spark"].isna().sum())
    differing = int(((both["match_weight"] - both["match_weight_spark"]).abs() > 1e-3).sum())
    print(f"Spark: {time.perf_counter() - started:.1f} s, {len(here):,} pairs scored")
    print(f"of {len(both):,} pairs that DuckDB kept: {missing} missing on Spark, {differing} with another weight")
    if missing or differing:
        raise SystemExit(1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", help="the Python of an environment with pyspark and splink")
    parser.add_argument("--properties", type=int, default=1000)
    parser.add_argument("--companies", type=int, default=20_000)
    parser.add_argument("--child", type=Path)
    options = parser.parse_args()
    if options.child:
        link_on_spark(options.child)
        return
    with tempfile.TemporaryDirectory() as folder:
        write_sides(Path(folder), options.properties, options.companies)
        sys.exit(subprocess.run([options.peer or sys.executable, __file__, "--child", folder], check=False).returncode)


if __name__ == "__main__":
    main()
