"""The engine on made-up exercises: what counts as right, what a verdict says, what lessons and the build call."""

import numpy as np
import pytest

from lmcourse import language
from lmcourse.exercises import activations as ex
from lmcourse.exercises.compare import Tolerance, difference, plain
from lmcourse.exercises.exercise import ANY, Case, Exercise, collect, exercise, prop, topics
from lmcourse.exercises.verdict import NOT_ATTEMPTED, NOT_YET, PASSED, Verdict


def made(reference, **changes) -> Exercise:
    given = {"minutes": 1, "task_en": "Do it.", "task_zh": "做吧。", "hints": [("one", "一"), ("two", "二")]}
    return exercise(**(given | changes))(reference)


def shifted(z, by=1.0):
    """Adds `by` to `z`."""
    return z + by


@pytest.fixture
def shift():
    return made(shifted, cases=lambda: [Case(np.array([1.0, 2.0])), Case(np.array([1.0, 2.0]), by=3.0)])


# Any right way is right


@pytest.mark.parametrize(
    "answer",
    [
        lambda z, by=1.0: [v + by for v in z],
        lambda z, by=1.0: tuple(float(v + by) for v in z),
        lambda z, by=1.0: (z + by).astype(np.float32),
        lambda x, step=1.0: x + step,
        lambda *, z, by=1.0: z + by,
        np.vectorize(lambda z, by=1.0: z + by),
    ],
    ids=["list", "tuple", "float32", "other names", "keywords only", "not a plain function"],
)
def test_any_right_way_passes(shift, answer):
    assert shift.judge(answer).passed


def test_tensors_pass(shift):
    import keras
    import tensorflow as tf

    for answer in (
        lambda z, by=1.0: tf.constant(z) + by,
        lambda z, by=1.0: keras.ops.convert_to_tensor(z, "float32") + by,
        lambda z, by=1.0: keras.Variable(z + by),
        lambda z, by=1.0: tf.cast(z, tf.float16) + tf.cast(by, tf.float16),
        lambda z, by=1.0: tf.cast(z, tf.bfloat16) + tf.cast(by, tf.bfloat16),
        tf.function(lambda z, by=1.0: z + by),
    ):
        verdict = shift.judge(answer)
        assert verdict.passed and "warnings" not in str(verdict), verdict


@pytest.mark.parametrize("dtype, error", [("float64", 1e-9), ("float32", 1e-4), ("float16", 0.03)])
def test_tolerance_follows_the_coarsest_dtype(dtype, error):
    expected = np.linspace(1, 2, 50)
    tolerance = Tolerance.of(expected, expected.astype(dtype))
    assert dtype in str(tolerance)
    assert difference(expected, plain(expected.astype(dtype)), tolerance) is None
    assert difference(expected, plain((expected * (1 + error)).astype(dtype)), tolerance) is not None


def test_integers_are_compared_exactly():
    big = np.array([10**15, 2])
    assert difference(big, big + [0, 0], Tolerance.of(big)) is None
    assert "1 of 2" in difference(big, big + [1, 0], Tolerance.of(big)).what


@pytest.mark.parametrize(
    "expected, got",
    [(None, 1), ("ab", "abc"), (["a", "b"], ["b", "a"]), ({"a": 1}, {"b": 1}), ([1, 2], [1]), (1.0, np.nan), (1.0, "1"), (np.inf, -np.inf),
     ([1.0, "a"], [2.0, "a"]), (True, False), ({"a": [1, 2]}, {"a": [1, 3]})],
)  # fmt: skip
def test_different_things_differ(expected, got):
    expected, got = plain(expected), plain(got)
    tolerance = Tolerance.of(expected, got)
    assert difference(expected, expected, tolerance) is None
    assert difference(expected, got, tolerance) is not None


# What a verdict says


def test_worst_place_of_a_large_array():
    def same(z):
        """Gives `z`."""
        return z

    table = made(same, cases=lambda: [Case(np.arange(600.0).reshape(20, 30))])

    def one_wrong(z):
        z = z.copy()
        z[7, 11] += 0.5
        z[1, 1] += 0.25
        return z

    assert "2 of 600 values; worst at [7, 11]: expected 221., got 221.5, off by 0.5" in str(table.judge(one_wrong))


@pytest.mark.parametrize(
    "answer, words",
    [(lambda z, by=1.0: -(z + by), "opposite"), (lambda z, by=1.0: 2 * (z + by), "2 times"), (lambda z, by=1.0: z + by + 5, "same 5"),
     (lambda z, by=1.0: (z + by)[:, None], "length 1"), (lambda z, by=1.0: (z + by).sum(), "which axis"), (lambda z, by=1.0: z / 0, "NaN")],
)  # fmt: skip
def test_one_suggestion(shift, answer, words):
    verdict = shift.judge(answer)
    assert [words in text for label, text in verdict.rows if label == "suggestion"] == [True]


def test_the_learners_line_is_named(shift):
    def wrong(z, by=1.0):
        step = by
        return z[5] + step

    verdict = str(shift.judge(wrong))
    line = wrong.__code__.co_firstlineno + 2
    assert (
        f"IndexError: index 5 is out of bounds for axis 0 with size 2\n      line {line}: return z[5] + step" in verdict
    )


def test_expected_exceptions():
    def checked(n):
        """Refuses negative numbers."""
        if n < 0:
            raise ValueError("negative")
        return n

    careful = made(checked, cases=lambda: [Case(1), Case(-1)])

    def other_message(n):
        if n < 0:
            raise ValueError("no!")
        return n

    assert careful.judge(checked).passed and careful.judge(other_message).passed
    assert "expected: ValueError" in str(careful.judge(lambda n: n))


def test_work_in_place_may_be_wanted():
    def fill(z):
        """Fills `z` with ones in place."""
        z[:] = 1

    filled = made(fill, cases=lambda: [Case(np.zeros(3))])
    assert filled.judge(lambda z: z.fill(1)).passed
    assert "changed in place" in str(filled.judge(lambda z: z.fill(2)))


def test_properties_complain():
    even = [prop(lambda f: f(-2.0) == f(2.0), en="It is even.", zh="它是偶函数。"),
            prop(lambda f: (f"f(3) is {f(3.0)}", "…") if f(3.0) < 0 else None, en="It is positive.", zh="它为正。")]  # fmt: skip

    def squared(z):
        """Squares `z`."""
        return z * z

    square = made(squared, cases=lambda: [Case(1.0, expected=ANY)], properties=even)
    assert square.judge(abs).passed
    assert "should hold: It is even." in str(square.judge(lambda z: z))
    assert "found: f(3) is -9.0" in str(square.judge(lambda z: -z * z))
    assert "ZeroDivisionError" in str(square.judge(lambda z: z / 0))


def test_an_exercise_that_checks_nothing_is_an_error():
    empty = made(lambda z: z, cases=list)
    assert "our fault" in str(empty.judge(lambda z: z))


def test_both_languages_and_both_forms(shift):
    for lang, words in (("en", "not yet"), ("zh", "还不对")):
        language.use(lang)
        verdict = shift.judge(lambda z, by=1.0: "<b>&")
        assert words in str(verdict) and words in verdict._repr_html_()
        assert (
            "<b>" in str(verdict) and "&lt;b&gt;&amp;" in verdict._repr_html_() and "<b>&" not in verdict._repr_html_()
        )


# What a lesson calls


def test_check_shows_and_strictness_raises(shift, capsys, monkeypatch):
    shift.check(shift.reference)
    assert "✔ shifted: passed" in capsys.readouterr().out
    shift.check(lambda z: z)
    assert "✘ shifted: not yet" in capsys.readouterr().out
    monkeypatch.setenv("LMCOURSE_STRICT", "1")
    shift.check(shift.reference)
    with pytest.raises(Verdict) as raised:
        shift.check(lambda z: z)
    assert raised.value._render_traceback_() == str(raised.value).splitlines()
    assert str(raised.value).startswith("✘ shifted: not yet")


def test_hints_come_one_by_one(shift, capsys):
    for words in ("Hint 1/2: one", "Hint 2/2: two", "shifted.solution()"):
        shift.hint()
        assert words in capsys.readouterr().out


def test_solution_shows_the_code(shift, capsys):
    shift.solution()
    assert capsys.readouterr().out == 'def shifted(z, by=1.0):\n    """Adds `by` to `z`."""\n    return z + by\n\n'


def test_best_hands_out_what_works(shift, capsys):
    def mine(z, by=1.0):
        return by + z

    assert shift.best(mine) is mine
    assert "your shifted" in capsys.readouterr().out
    assert shift.best(lambda z: 0) is shift.reference
    assert "the course's shifted" in capsys.readouterr().out


def test_a_value():
    def number_of_weights():
        """How many weights has a layer from 3 to 4 units?"""
        inputs, units = 3, 4
        return inputs * units

    weights = made(number_of_weights)
    weights.mistake(en="The biases count separately.", zh="偏置另算。")(lambda: 16)
    assert weights.stub_source() == "# How many weights has a layer from 3 to 4 units?\nnumber_of_weights = ...\n"
    assert weights.solution_source() == "inputs, units = 3, 4\nnumber_of_weights = inputs * units\n"
    assert [weights.judge(v).state for v in (..., None, 12, 12.0, np.int64(12), 13)] == [NOT_ATTEMPTED] * 2 + [
        PASSED
    ] * 3 + [NOT_YET]
    assert "biases" in str(weights.judge(16))
    assert weights.best(...) == 12


def test_use_says_what_an_answer_is_for():
    class Counter:
        def __init__(self):
            self.seen = 0

        def add(self, n):
            self.seen += n

    def total():
        """A class that counts."""
        return Counter

    def use(kind, *numbers):
        counter = kind()
        for n in numbers:
            counter.add(n)
        return counter.seen

    counting = made(total, use=use, cases=lambda: [Case(1, 2, 3), Case()])
    assert counting.judge(Counter).passed
    assert not counting.judge(type("Other", (Counter,), {"add": lambda self, n: None})).passed


# What the build and the tests call


def test_stub_of_a_function_is_its_head():
    assert ex.sigmoid.stub_source().splitlines()[-1] == "    ..." and len(ex.sigmoid.stub_source().splitlines()) == 3
    assert ex.tanh.stub_source().startswith("def tanh(z):\n") and "(e - 1) / (e + 1)" in ex.tanh.stub_source()


def test_stubs_in_disguise(shift):
    def passing(z, by=1.0):
        pass

    assert shift.judge(passing).state == NOT_ATTEMPTED
    assert shift.judge(...).state == NOT_ATTEMPTED


def test_calling_an_exercise_gives_the_references_result():
    assert np.array_equal(ex.sigmoid(np.zeros(3)), np.full(3, 0.5))


def test_collect_leaves_out_what_is_imported():
    from lmcourse.exercises import gelu

    assert list(collect(gelu)) == ["gelu_slope"]
    assert "activations" in topics() and "exercise" not in topics()
    assert collect(ex)["sigmoid"].key == "activations.sigmoid"


def test_activations_agree_with_keras():
    import keras

    z = np.linspace(-8, 8, 101).astype("float32")
    for ours, theirs in ((ex.sigmoid, keras.ops.sigmoid), (ex.tanh, keras.ops.tanh)):
        np.testing.assert_allclose(ours(z), keras.ops.convert_to_numpy(theirs(z)), rtol=1e-5, atol=1e-7)


def test_a_scalar_where_items_are_expected_is_a_difference():
    found = difference(["name", 1.5], np.array(2.0), Tolerance.of(np.array(2.0)))
    assert found is not None and "len()" not in found.what
