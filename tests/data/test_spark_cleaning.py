"""The Spark job against the local cleaning, text for text and pair for pair."""

import random

import pytest

from lmcourse import language
from lmcourse.data import cleaning, reviews, spark_cleaning


@pytest.fixture(scope="module")
def spark():
    language.use("en")  # what is missing is said before a test begins
    if spark_cleaning.missing():
        pytest.skip(spark_cleaning.missing())
    session = spark_cleaning.session()
    yield session
    session.stop()


def some_reviews():
    """Copies, contradictions and near copies made more common than they are, and every kind of dirt."""
    texts, labels = reviews.load()
    pairs = [(texts[i], int(labels[i])) for i in range(0, len(texts), 60)]
    texts = [text for text, _ in pairs]
    pairs += [(text, label) for text, label in pairs[:50]]  # copies
    pairs += [(text + "！", 1 - label) for text, label in pairs[200:220]]  # contradictions, but for punctuation
    pairs += [("再说一遍，" + text, label) for text, label in pairs[300:350]]  # near copies
    pairs += [("&#183;&#183;", 1), ("", 0), ("一般", 0), ("Very good hotel", 1), ("还行\u200b\ue5e5\x00吧朋友", 1)]
    random.Random(0).shuffle(pairs)
    return [text for text, _ in pairs], [label for _, label in pairs]


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # Spark leaves its sockets to the garbage collector
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_spark_gives_the_same_texts_and_pairs(spark):
    texts, labels = some_reviews()
    tidied, kept = cleaning.clean(texts, labels)
    places = kept["copies"]
    cleaned = spark_cleaning.clean(spark, texts, labels)
    rows = sorted((row.place, row.text) for row in cleaned.collect())
    assert rows == [(i, tidied[i]) for i in places]
    assert len(texts) - len(places) > 75, "there was something to clean"

    here = cleaning.near_copies([tidied[i] for i in places])
    assert len(here) > 30
    there = spark_cleaning.near_copies(cleaned)
    assert there == {(places[i], places[j]): value for (i, j), value in here.items()}


def test_what_is_missing_is_named(monkeypatch):
    monkeypatch.setattr(spark_cleaning, "find_spec", lambda name: None)
    assert "pyspark" in spark_cleaning.missing()
    monkeypatch.setattr(spark_cleaning, "find_spec", lambda name: object())
    monkeypatch.setattr(spark_cleaning.shutil, "which", lambda name: None)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert "Java" in spark_cleaning.missing()
