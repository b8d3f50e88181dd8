"""The cleaning of `cleaning`, as a Spark job: the same functions, run by many workers, and the same texts at the end.

    python -m lmcourse.data.spark_cleaning        both on the reviews, with times; needs Java 17 or newer and `pip install pyspark`

What one machine does with a dictionary becomes a grouping by key here: copies by the text's key, candidates for near copies by their
bands. Left out on purpose: reading from and writing to a cluster's storage, and tuning.
"""

import os
import shutil
import sys
import time
from functools import partial
from importlib.util import find_spec

from lmcourse.data import cleaning, reviews
from lmcourse.language import pick, say


def missing() -> str:
    """What this machine lacks to run Spark, as a sentence; empty when nothing."""
    if find_spec("pyspark") is None:
        return pick(en="pyspark is not installed: pip install pyspark", zh="没有安装 pyspark：pip install pyspark")
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        return pick(
            en="Java is missing: Spark needs version 17 or newer.", zh="没有找到 Java：Spark 需要 17 或更新的版本。"
        )
    return ""


def session(workers: int = 2):
    """A Spark session on this machine alone: it listens on the loopback only, and its workers run this very Python."""
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    settings = {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.shuffle.partitions": workers,
    }
    return SparkSession.builder.master(f"local[{workers}]").config(map=settings).getOrCreate()


def clean(spark, texts: list[str], labels):
    """The texts that `cleaning.clean` keeps.

    Args:
        spark: a session.
        texts: n strings.
        labels: n whole numbers.

    Returns:
        A DataFrame with the columns place (0 … n - 1), text (tidied) and key, in no order.
    """
    from pyspark.sql import functions as f

    udf = partial(f.udf, useArrow=False)  # Arrow would need pandas
    rows = [(i, text, int(label)) for i, (text, label) in enumerate(zip(texts, labels, strict=True))]
    lines = spark.createDataFrame(rows, "place long, text string, label int").repartition(
        spark.sparkContext.defaultParallelism
    )
    lines = lines.withColumn("text", udf(cleaning.tidy)("text"))
    lines = lines.withColumn("key", udf(cleaning.key)("text"))
    lines = lines.where(f.length("key").between(cleaning.SHORTEST, cleaning.LONGEST))
    lines = lines.where(udf(cleaning.is_chinese, "boolean")("text"))
    one_label = lines.groupBy("key").agg(f.min("place").alias("place"), f.countDistinct("label").alias("classes"))
    return lines.join(one_label.where("classes = 1"), ["key", "place"]).select("place", "text", "key").cache()


def near_copies(cleaned, threshold: float = 0.5, size: int = 128, bands: int = 32) -> dict[tuple[int, int], float]:
    """What `cleaning.near_copies` finds: every band's numbers become a key, and texts that share a key meet.

    Args:
        cleaned: see `clean`.
        threshold, size, bands: as there.

    Returns:
        (place, place) → similarity, in order; places are those of the column, not counted anew.
    """
    from pyspark.sql import functions as f

    udf = partial(f.udf, useArrow=False)
    a, b = cleaning.permutations(size)

    def cut(key):
        numbers = cleaning.signature(cleaning.shingles(key), a, b).reshape(bands, -1)
        return [f"{band}:{row.tobytes().hex()}" for band, row in enumerate(numbers)]

    def exact(one, two):
        return float(cleaning.similarity(cleaning.shingles(one), cleaning.shingles(two)))

    banded = cleaned.select("place", "key", f.explode(udf(cut, "array<string>")("key")).alias("band"))
    crowded = banded.groupBy("band").count().where("count > 1")
    banded = banded.join(crowded.select("band"), "band")
    pairs = (
        banded.alias("one")
        .join(banded.alias("two"), "band")
        .where("one.place < two.place")
        .selectExpr("one.place as i", "two.place as j", "one.key as first", "two.key as second")
        .dropDuplicates(["i", "j"])
        .withColumn("similarity", udf(exact, "double")("first", "second"))
        .where(f.col("similarity") >= threshold)
    )
    return {(row.i, row.j): row.similarity for row in pairs.select("i", "j", "similarity").orderBy("i", "j").collect()}


def main() -> None:
    """Clean the reviews twice, here and on Spark; print both times and whether the results are equal."""
    lacking = missing()
    if lacking:
        sys.exit(lacking)
    texts, labels = reviews.load()
    start = time.perf_counter()
    tidied, kept = cleaning.clean(texts, labels)
    places = kept["copies"]
    near = cleaning.near_copies([tidied[i] for i in places])
    local = time.perf_counter() - start
    start = time.perf_counter()
    spark = session()
    up = time.perf_counter() - start
    cleaned = clean(spark, texts, labels)
    equal = sorted(row.place for row in cleaned.select("place").collect()) == places
    found = near_copies(cleaned)
    spent = time.perf_counter() - start - up
    equal &= found == {(places[i], places[j]): value for (i, j), value in near.items()}
    spark.stop()
    say(
        en=f"{len(texts):,} lines → {len(places):,} texts, {len(near)} near copies; equal: {equal}. "
        f"One process {local:.1f} s; Spark {up:.1f} s to start and {spent:.1f} s to run.",
        zh=f"{len(texts):,} 行 → {len(places):,} 条文本，{len(near)} 对近似重复；结果相同：{'是' if equal else '否'}。"
        f"单进程 {local:.1f} 秒；Spark 启动 {up:.1f} 秒，运行 {spent:.1f} 秒。",
    )


if __name__ == "__main__":
    main()
