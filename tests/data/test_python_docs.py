"""Python's documentation: nothing of what judges or chooses stands in what is learned from."""

from lmcourse.data import python_docs

LONG = "a line of text that is longer than forty characters, number {}\n"


def text(*numbers):
    return "".join(LONG.format(n) for n in numbers) + "short line\n"


def test_families_share_two_long_lines():
    family = python_docs.families(
        {"a": text(1, 2), "b": text(2, 1, 3), "c": text(3, 4, 5), "d": text(4, 5), "e": text(9)}
    )
    assert family == {"a": "a", "b": "a", "c": "c", "d": "c", "e": "e"}


def test_three_parts_are_whole_families_and_the_held_out_one_is_that_of_split():
    topics = python_docs.load()
    parts = python_docs.split_three(topics)
    assert sorted(name for part in parts for name in part) == sorted(topics)
    family = python_docs.families(topics)
    homes = [{family[name] for name in part} for part in parts]
    assert all(homes) and not homes[0] & homes[1] | homes[0] & homes[2] | homes[1] & homes[2]
    assert parts[2] == python_docs.split(topics)[1]


def test_a_large_family_is_not_kept_to_choose_by():
    topics = {f"topic {n}": text(n, n + 0.5) for n in range(200)}
    learn, choose, unseen = python_docs.split_three(topics)
    assert 10 < len(choose) < 60 and 10 < len(unseen) < 60
    _, none, same = python_docs.split_three(topics, largest=50)
    assert not none and same == unseen


def test_what_repeats_a_judge_is_left_out():
    judges = {"judge": text(1, 2, 3)}
    others = {"two lines": text(3, 7, 1), "one line": text(2, 8), "short lines": "short line\n" * 9}
    assert list(python_docs.apart(others, judges)) == ["one line", "short lines"]
    _, choose, unseen = python_docs.split_three(python_docs.load())
    kept = python_docs.apart(python_docs.docstrings(), choose | unseen)
    assert len(kept) > 500 and "pdb.py" not in kept, "its docstrings repeat the topic on the debugger"
