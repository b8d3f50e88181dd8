"""Exercises: a reference solution with everything needed to check, help and correct a learner's own.

In a topic module, one per lesson (`activations.py` for lesson 2.1):

    @exercise(
        minutes=5,
        task_en="Write the softmax so that large inputs do not overflow.", task_zh="…",
        cases=lambda: [Case(np.array([1000.0, 1001.0]), label_en="large inputs", label_zh="较大的输入"), …],
        properties=[prop(lambda f: abs(f(x).sum() - 1) < 1e-6, en="The outputs sum to one.", zh="…")],
        hints=[("no code in the first one", "…"), ("z - z.max() …", "…")],
    )
    def softmax(z):
        \"\"\"Probabilities from scores: `z` (n,) → (n,).\"\"\"     # signature and docstring become the stub
        e = np.exp(z - z.max())
        return e / e.sum()

    @softmax.mistake(en="The exponential overflows: …", zh="…")
    def no_shift(z): …

    @softmax.right                       # other right ways, for the tests; at least two
    def by_logarithms(z): …

In a lesson: `ex.softmax.check(softmax)`, `ex.softmax.hint()`, `ex.softmax.solution()`, `softmax = ex.softmax.best(softmax)`.

A reference without arguments makes an exercise about a value: `ex.name.check(name)`. `@name.broken` turns a function into the stub of
a debugging exercise. Left out on purpose: marks, deadlines, answers that try to cheat.
"""

import html
import os
import pkgutil
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module

from lmcourse.exercises import progress, stubs
from lmcourse.exercises.cases import ANY as ANY
from lmcourse.exercises.cases import Case, Property
from lmcourse.exercises.cases import prop as prop
from lmcourse.exercises.judge import examine
from lmcourse.exercises.run import call, value_itself
from lmcourse.exercises.verdict import NOT_ATTEMPTED, NOT_YET, Shown, Verdict, card, show
from lmcourse.language import pick


def exercise(
    *,
    minutes: float,
    task_en: str,
    task_zh: str,
    cases: Callable[[], Iterable[Case]] | None = None,
    properties: Sequence[Property] = (),
    hints: Sequence[tuple[str, str]] = (),
    use: Callable | None = None,
    tolerance: float | None = None,
    seconds: float = 10,
) -> Callable[[Callable], "Exercise"]:
    """Turn a reference solution into an exercise of the same name.

    Args:
        minutes: how long a learner needs, estimated.
        task_en, task_zh: what to do, in one sentence.
        cases: makes the cases, the same ones each time (seed what is random): they are made anew for every run, so that no answer sees
            what another did to its inputs. A value needs none: by default it is compared with the reference's.
        properties: made by `prop`.
        hints: pairs (English, Chinese), from a nudge without code to nearly the answer.
        use: how an answer is put to use, when it is not simply called: `use(answer, *arguments)` → something to compare. For a value
            the default is the value itself.
        tolerance: relative; by default what the coarsest dtype involved allows.
        seconds: time limit of one check, imports not counted.
    """

    def decorate(reference: Callable) -> Exercise:
        made = Exercise(reference, minutes, (task_en, task_zh), list(properties), list(hints))
        made.cases = cases or (lambda: [Case()])
        made.use = use or (value_itself if made.takes_value else call)
        made.tolerance, made.seconds = tolerance, seconds
        return made

    return decorate


class Exercise:
    """An exercise; a lesson uses `check`, `hint`, `solution` and `best`, a topic module `mistake`, `right` and `broken`.

    Attributes:
        name, topic, key: "softmax", "activations", "activations.softmax".
        minutes: estimated, for a learner.
        hints: pairs (English, Chinese), one a tier.
        reference: the plain function; `takes_value` when it has no parameters, so that the exercise is about a value.
        mistakes: triples (function, English, Chinese); `rights`: functions; `stub`: the function of a debugging exercise, or None.
    """

    def __init__(self, reference, minutes, task, properties, hints):
        self.reference, self.minutes, self._task = reference, minutes, task
        self.properties, self.hints = properties, hints
        self.name, self.topic = reference.__name__, reference.__module__.split(".")[-1]
        self.key = f"{self.topic}.{self.name}"
        self.takes_value = stubs.parameters(reference) == []
        self.mistakes: list[tuple[Callable, str, str]] = []
        self.rights: list[Callable] = []
        self.stub: Callable | None = None
        self._tier = 0

    def __call__(self, *arguments, **keywords):
        """The reference's result, so that other references and tests can call it by its name."""
        return self.reference(*arguments, **keywords)

    # For topic modules

    def mistake(self, *, en: str, zh: str) -> Callable:
        """Mark a function as a known mistake with the feedback that it deserves."""

        def decorate(function):
            self.mistakes.append((function, en, zh))
            return function

        return decorate

    def right(self, function: Callable) -> Callable:
        """Mark a function as another right answer; only tests use it."""
        self.rights.append(function)
        return function

    def broken(self, function: Callable) -> Callable:
        """Mark a function as the code that the learner is to mend: it becomes the stub."""
        self.stub = function
        return function

    # For lessons

    def check(self, answer) -> None:
        """Show the verdict on the learner's function or value, and remember a pass.

        Raises:
            Verdict: when the answer does not pass and LMCOURSE_STRICT is 1 (tests set it).
        """
        verdict = self.judge(answer)
        if verdict.passed:
            progress.record(self.key, passed=True)
        elif os.environ.get("LMCOURSE_STRICT") == "1":
            raise verdict
        show(verdict)

    def hint(self) -> None:
        """Show the next hint; after the last one, all of them are known."""
        if self._tier == len(self.hints):
            text = pick(en=f"That was the last hint. {self.name}.solution() shows one way.",
                        zh=f"提示已经用完。{self.name}.solution() 会给出一种写法。")  # fmt: skip
        else:
            en, zh = self.hints[self._tier]
            self._tier += 1
            progress.record(self.key, hints=self._tier)
            count = f"{self._tier}/{len(self.hints)}"
            text = pick(en=f"Hint {count}: {en}", zh=f"提示 {count}：{zh}")
        show(Shown(text, card(html.escape(text))))

    def solution(self) -> None:
        """Show the reference solution's code."""
        progress.record(self.key, solution=True)
        code = self.solution_source()
        show(Shown(code, card(f"<pre>{html.escape(code)}</pre>")))

    def best(self, answer):
        """The learner's answer if it passes its check, else the reference, and a line that says which: for the cells that follow."""
        if self.judge(answer).passed:
            print(pick(en=f"The next cells use your {self.name}.", zh=f"后面的代码用你写的 {self.name}。"))
            return answer
        print(pick(en=f"The next cells use the course's {self.name}, until yours passes its check.",
                   zh=f"后面的代码先用课程自带的 {self.name}，等你的通过检查再换。"))  # fmt: skip
        return self.reference() if self.takes_value else self.reference

    # For build.py and tests

    def judge(self, answer) -> Verdict:
        """The verdict on an answer, shown to nobody. Never raises: a defect of the check itself is a verdict too."""
        try:
            if stubs.is_stub(self, answer):
                if self.stub:
                    todo = pick(en="Mend the code in the cell above, run it, then run this one.",
                                zh="先改好上一个单元格的代码并运行，再运行这一个。")  # fmt: skip
                else:
                    todo = pick(en="Replace the ... in the cell above, run it, then run this one.",
                                zh="先把上一个单元格里的 ... 换成你的代码并运行，再运行这一个。")  # fmt: skip
                return Verdict(NOT_ATTEMPTED, self.name, [(pick(en="next", zh="下一步"), todo)])
            return examine(self, answer)
        except Exception as error:  # ours, not the learner's: whatever it is, it must not end as a traceback
            sentence = pick(en=f"The check itself failed ({type(error).__name__}: {error}). Your answer may be right; please report it.",
                            zh=f"检查程序自身出错（{type(error).__name__}: {error}）。你的答案可能没问题，请向课程反馈。")  # fmt: skip
            return Verdict(NOT_YET, self.name, [(pick(en="our fault", zh="课程的问题"), sentence)])

    def task(self, language: str) -> str:
        """What to do, in "en" or "zh"."""
        return self._task[language == "zh"]

    def feedback(self, language: str) -> list[str]:
        """The feedback on each known mistake, in "en" or "zh"."""
        return [zh if language == "zh" else en for _, en, zh in self.mistakes]

    def stub_source(self) -> str:
        """The cell that a learner starts from."""
        return stubs.stub_source(self)

    def solution_source(self) -> str:
        """The cell of one who has solved it: the reference, without its decorators."""
        return stubs.solution_source(self)


def collect(module) -> dict:
    """The exercises and questions that a topic module defines: name → object, in their order."""
    from lmcourse.exercises.question import Question

    topic = module.__name__.split(".")[-1]
    things = {name: thing for name, thing in vars(module).items() if isinstance(thing, Exercise | Question)}
    return {name: thing for name, thing in things.items() if thing.topic == topic}


def topics() -> dict:
    """The topic modules: name → module, by name."""
    import lmcourse.exercises as folder

    modules = {
        found.name: import_module(f"{folder.__name__}.{found.name}") for found in pkgutil.iter_modules(folder.__path__)
    }
    return {name: module for name, module in sorted(modules.items()) if collect(module)}
