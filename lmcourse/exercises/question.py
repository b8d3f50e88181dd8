"""Questions for predict, run, explain: an answer is committed before a cell reveals the truth.

    steepest = number(en="How steep is the sigmoid at most?", zh="…", answer=0.25, tolerance=0.01, because_en="…", because_zh="…")
    deepest = choice(en="…", zh="…", options=[("en", "zh"), …], answer=1, because_en="…", because_zh="…")

In a lesson: `ex.steepest.ask()`, and in a later cell `ex.steepest.reveal()`. Left out on purpose: marks; free text.
"""

import html
import inspect

from lmcourse.exercises import progress
from lmcourse.exercises.verdict import Shown, card, show
from lmcourse.language import pick


class Question:
    """A question; a lesson uses `ask` and `reveal`. Made by `choice` and `number`.

    Attributes:
        name, topic, key: as of an exercise; the name is that of the variable in the topic module.
        options: pairs (English, Chinese); empty when a number is asked for.
    """

    def __init__(self, home: dict, text: tuple[str, str], because: tuple[str, str], answer, tolerance=0.0, options=()):
        self._home, self._text, self._because = home, text, because
        self.answer, self.tolerance, self.options = answer, tolerance, list(options)
        self.topic = home["__name__"].split(".")[-1]

    @property
    def name(self) -> str:
        return next(name for name, thing in self._home.items() if thing is self)

    @property
    def key(self) -> str:
        return f"{self.topic}.{self.name}"

    # For lessons

    def ask(self) -> None:
        """Show the question with its controls; once answered, here or before a restart, the answer."""
        show(_Asked(self))

    def reveal(self) -> None:
        """Show the learner's answer beside the right one, and why."""
        given = self.given()
        if given is None:
            mine = pick(
                en="You have not answered yet: what would you have said?", zh="你还没有作答：先想想你会怎么回答？"
            )
        else:
            right = self.is_right(given)
            mine = pick(en=f"Your answer: {self._shown(given)} – {'right' if right else 'not right'}.",
                        zh=f"你的回答：{self._shown(given)}（{'正确' if right else '不对'}）。")  # fmt: skip
        truth = pick(en=f"The answer: {self._shown(self.answer)}.", zh=f"答案：{self._shown(self.answer)}。")
        lines = [mine, truth, pick(en=self._because[0], zh=self._because[1])]
        show(Shown("\n".join(lines), card("<br>".join(map(html.escape, lines)))))

    def given(self):
        """The learner's stored answer (an index or a number), or None."""
        answer = progress.load().get(self.key, {}).get("answer")
        valid = (
            isinstance(answer, int) and 0 <= answer < len(self.options)
            if self.options
            else isinstance(answer, int | float)
        )
        return answer if valid else None

    def commit(self, answer) -> None:
        """Store an answer; the first one counts."""
        progress.record(self.key, answer=answer)

    def is_right(self, answer) -> bool:
        """Whether an answer is right: the same option, or a number within the tolerance."""
        return abs(answer - self.answer) <= self.tolerance

    def _shown(self, answer) -> str:
        return pick(en=self.options[answer][0], zh=self.options[answer][1]) if self.options else f"{answer:.6g}"

    # For build.py

    def text(self, language: str) -> str:
        """The question, in "en" or "zh"."""
        return self._text[language == "zh"]

    def because(self, language: str) -> str:
        """The explanation, in "en" or "zh"."""
        return self._because[language == "zh"]

    def answer_text(self, language: str) -> str:
        """Question, right answer and explanation in one line, for the teacher."""
        answer = self.options[self.answer][language == "zh"] if self.options else f"{self.answer:g}"
        return f"{self.text(language)} **{answer}** {self.because(language)}"


def choice(*, en: str, zh: str, options, answer: int, because_en: str, because_zh: str) -> Question:
    """A question with a few answers to choose from.

    Args:
        en, zh: the question.
        options: pairs (English, Chinese).
        answer: index of the right one, from 0.
        because_en, because_zh: the explanation, shown by `reveal`.
    """
    home = inspect.currentframe().f_back.f_globals
    return Question(home, (en, zh), (because_en, because_zh), answer, options=options)


def number(*, en: str, zh: str, answer: float, tolerance: float, because_en: str, because_zh: str) -> Question:
    """A question whose answer is a number.

    Args:
        en, zh: the question, with its unit.
        answer: the right number.
        tolerance: how far off counts as right, in the same unit.
        because_en, because_zh: the explanation, shown by `reveal`.
    """
    home = inspect.currentframe().f_back.f_globals
    return Question(home, (en, zh), (because_en, because_zh), answer, tolerance)


class _Asked:
    """A question on show: controls where a notebook can draw them, text elsewhere."""

    def __init__(self, question: Question):
        self.question = question

    def __repr__(self) -> str:
        question, given = self.question, self.question.given()
        lines = [pick(en=question.text("en"), zh=question.text("zh"))]
        lines += [f"  ○ {pick(en=en, zh=zh)}" for en, zh in question.options]
        if given is not None:
            lines.append(pick(en="Your answer: ", zh="你的回答：") + question._shown(given))
        return "\n".join(lines)

    def _repr_mimebundle_(self, **_):
        text = repr(self)
        markup = card("<br>".join(map(html.escape, text.splitlines())))
        bundle = {"text/plain": text, "text/html": markup}
        if self.question.given() is None:
            view = {"version_major": 2, "version_minor": 0, "model_id": self._controls().model_id}
            bundle["application/vnd.jupyter.widget-view+json"] = view
        return bundle

    def _controls(self):
        import ipywidgets

        question = self.question
        words = pick(en=question.text("en"), zh=question.text("zh"))
        head = ipywidgets.HTML(f"<strong>{html.escape(words)}</strong>")
        wide = ipywidgets.Layout(width="auto")
        if question.options:
            labels = [(pick(en=en, zh=zh), i) for i, (en, zh) in enumerate(question.options)]
            entry = ipywidgets.RadioButtons(options=labels, value=None, layout=wide)
        else:
            entry = ipywidgets.Text(placeholder=pick(en="a number", zh="一个数"))
        button = ipywidgets.Button(description=pick(en="Commit", zh="提交"))
        told = ipywidgets.HTML()

        def commit(_):
            try:
                answer = entry.value if question.options else float(entry.value.replace("，", ",").replace(",", "."))
                if answer is None or answer != answer or abs(answer) == float("inf"):
                    raise ValueError
            except ValueError:
                told.value = html.escape(pick(en="Choose first.", zh="请先选择。") if question.options
                                         else pick(en="Write a number, such as 0.5 or 1e-3.", zh="请写一个数，例如 0.5 或 1e-3。"))  # fmt: skip
                return
            question.commit(answer)
            entry.disabled = button.disabled = True
            told.value = html.escape(pick(en="Your answer: ", zh="你的回答：") + question._shown(answer))

        button.on_click(commit)
        return ipywidgets.VBox([head, entry, button, told])
