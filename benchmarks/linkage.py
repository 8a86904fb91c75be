"""Linking a roll to millions of companies: precision and recall on a twin, seconds and memory, beside two peers.

    python benchmarks/linkage.py [--companies N] [--properties N] [--seed S] [--least P]

The twin is made first (its seconds are told apart), written as Parquet, and every way of linking runs on it in a
process of its own:

- ours: `fit_linkage`, the best link of each property at a probability of at least P;
- exact: equal cleaned name and equal postcode;
- demo: the recipe of Splink's public example of business rates and Companies House (docs/demos/examples/
  duckdb_no_test/business_rates_match of its repository), rebuilt here as we read it: names split at blanks, each word's
  relative frequency, the product of the shared words' frequencies in five levels, Splink's postcode comparison, the
  first number of the address; blocked on postcode, on the two rarest words with the first three letters of the
  postcode, on a rare word in the other's place with the same first letters, and on the whole name; prior one in a
  million, u from 10 million random pairs, m left as Splink's default. The best match of each property is its answer;
  it is scored at every threshold, and shown at a probability of one half and where its F1 is best, which flatters it.

Scores are scores on a twin: they say what planted faults are undone, not how a real register fares.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb
import pandas as pd

from councilbook.methods.linkage.linking import fit_linkage, link_exactly
from trials.linkage_twin import make_linkage_twin, score_links

WAYS = ("ours", "exact", "demo")


def prepare(folder: Path, properties: int, companies: int, seed: int) -> float:
    started = time.perf_counter()
    twin = make_linkage_twin(seed, properties, companies)
    seconds = time.perf_counter() - started
    twin.roll.to_parquet(folder / "roll.parquet")
    twin.register.to_parquet(folder / "register.parquet")
    twin.truth.to_parquet(folder / "truth.parquet")
    return seconds


def link_ours(roll: pd.DataFrame, register: Path) -> pd.DataFrame:
    levels = fit_linkage(roll, register).levels
    return levels.drop_duplicates("property_reference")[["property_reference", "unique_id", "match_probability"]]


def link_like_demo(roll: pd.DataFrame, register: Path) -> pd.DataFrame:
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    con = duckdb.connect()
    con.execute("SET memory_limit = '10GB'")
    con.register("roll", roll)
    con.execute(
        "CREATE MACRO rarity(x, y) AS list_reduce(list_concat([1.0::DOUBLE], "
        "list_transform(list_intersect(x, y), lambda t: t.freq)), lambda p, q: p * q)"
    )
    con.execute(
        f"""CREATE TABLE given AS SELECT row_number() OVER () AS unique_id, * FROM (
        SELECT 'a_roll' AS side, property_reference AS record, upper(trim(ratepayer_name)) AS company_name, address,
        postcode FROM roll UNION ALL
        SELECT 'b_register', unique_id, upper(trim(name)), address, postcode FROM read_parquet('{register}'))"""
    )
    con.execute(
        r"CREATE TABLE word AS SELECT unique_id, unnest(w) AS word, generate_subscripts(w, 1) AS place FROM ("
        r"SELECT unique_id, regexp_split_to_array(company_name, '\s+') AS w FROM given WHERE company_name IS NOT NULL)"
    )
    con.execute(
        "CREATE TABLE tokens AS SELECT unique_id, list({'word': word, 'freq': freq} ORDER BY place) AS name_tokens, "
        "(list(word ORDER BY freq, word) FILTER (freq < 0.01))[:2] AS rarest FROM word JOIN (SELECT word, "
        "count(*) / (SELECT count(*) FROM word)::DOUBLE AS freq FROM word GROUP BY word) USING (word) "
        "GROUP BY unique_id"
    )
    con.execute("DROP TABLE word")
    for side in ("a_roll", "b_register"):
        con.execute(
            f"CREATE TABLE {side} AS SELECT g.unique_id, record, company_name, postcode, name_tokens, rarest, "
            r"nullif(regexp_extract(address, '(\d+[A-Z]?)'), '') AS first_number "
            f"FROM given g LEFT JOIN tokens t ON g.unique_id = t.unique_id WHERE side = '{side}'"
        )
    shared = "rarity(name_tokens_l, name_tokens_r)"
    levels = [{"sql_condition": "name_tokens_l IS NULL OR name_tokens_r IS NULL", "is_null_level": True}]
    levels += [
        {"sql_condition": f"{shared} < {limit}", "label_for_charts": limit}
        for limit in ("1e-12", "1e-10", "1e-8", "1e-6", "1e-4")
    ]
    swapped = "substr(l.company_name, 1, 3) = substr(r.company_name, 1, 3)"
    settings = SettingsCreator(
        link_type="link_only",
        probability_two_random_records_match=1e-6,
        comparisons=[
            {"output_column_name": "tokens", "comparison_levels": [*levels, {"sql_condition": "ELSE"}]},
            cl.PostcodeComparison("postcode"),
            cl.ExactMatch("first_number"),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("postcode"),
            block_on("rarest", "substr(postcode, 1, 3)"),
            f"l.rarest[1] = r.rarest[2] and {swapped}",
            f"l.rarest[2] = r.rarest[1] and {swapped}",
            block_on("company_name"),
        ],
        additional_columns_to_retain=["record"],
        retain_matching_columns=False,
    )
    database = DuckDBAPI(con)
    sides = [database.register(side, dataset_display_name=side) for side in ("a_roll", "b_register")]
    linker = Linker(sides, settings, log_level=None)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e7, seed=1)
    pairs = linker.inference.predict(threshold_match_weight=-5, warning_mode="never").physical_name
    return con.execute(
        f"SELECT record_l AS property_reference, record_r AS unique_id, match_probability FROM {pairs} "
        "QUALIFY row_number() OVER (PARTITION BY record_l ORDER BY match_weight DESC, record_r) = 1"
    ).df()


def measure(way: str, folder: Path) -> None:
    roll = pd.read_parquet(folder / "roll.parquet")
    register = folder / "register.parquet"
    started = time.perf_counter()
    if way == "exact":
        links = link_exactly(roll, register).assign(match_probability=1.0)
    else:
        links = (link_ours if way == "ours" else link_like_demo)(roll, register)
    seconds = time.perf_counter() - started
    usage = resource.getrusage(resource.RUSAGE_SELF)
    truth = pd.read_parquet(folder / "truth.parquet")
    result: dict[str, object] = {
        "seconds": seconds,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_gb": usage.ru_maxrss / 1e6,
    }
    steps = sorted({0.5, *(round(step / 100, 2) for step in range(5, 100, 5)), 0.99, 0.999})
    scores = {step: score_links(links[links["match_probability"] >= step], truth) for step in steps}
    result["at"] = scores
    print(json.dumps(result))


def show(way: str, result: dict[str, object], least: str) -> None:
    scores: dict[str, dict[str, float]] = result["at"]  # type: ignore[assignment]
    best = max(scores, key=lambda step: scores[step]["f1"] if scores[step]["f1"] == scores[step]["f1"] else 0.0)
    print(f"{way}: {result['seconds']:.0f} s, {result['cpu_seconds']:.0f} processor s, peak {result['peak_gb']:.1f} GB")
    for step in dict.fromkeys((least, best)):
        score = scores[step]
        print(
            f"  probability >= {step}: precision {score['precision']:.4f}, recall {score['recall']:.4f}, "
            f"F1 {score['f1']:.4f} ({score['links']:,} links, {score['true_links']:,} true)"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--companies", type=int, default=5_000_000)
    parser.add_argument("--properties", type=int, default=6500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--least", default="0.5")
    parser.add_argument("--ways", nargs="+", default=WAYS, choices=WAYS)
    parser.add_argument("--folder", type=Path, help="keep the twin here, and use it if it is there")
    parser.add_argument("--child", choices=WAYS)
    options = parser.parse_args()
    if options.child:
        measure(options.child, options.folder)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "truth.parquet").exists():
            seconds = prepare(folder, options.properties, options.companies, options.seed)
            print(f"twin of {options.properties:,} properties and {options.companies:,} companies: {seconds:.0f} s")
        for way in options.ways:
            command = [sys.executable, __file__, "--child", way, "--folder", str(folder)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                print(f"{way}: failed\n{done.stderr[-2000:]}")
                continue
            show(way, json.loads(done.stdout.splitlines()[-1]), options.least)


if __name__ == "__main__":
    main()
