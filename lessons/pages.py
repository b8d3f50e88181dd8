"""What is generated besides notebooks: each lesson's page for the teacher, and the table of lessons in both READMEs."""

import re
import tomllib

from source import LANGUAGES, ROOT, Lesson

PARTS = {
    "0_start": {"en": "Start", "zh": "开始"},
    "1_concepts": {"en": "Concepts", "zh": "概念"},
    "2_mathematics": {"en": "Mathematics", "zh": "数学"},
    "3_training": {"en": "Training", "zh": "训练"},
    "4_adaptation": {"en": "Adaptation", "zh": "适配"},
    "5_applications": {"en": "Applications", "zh": "应用"},
    "6_deployment": {"en": "Deployment", "zh": "部署"},
    "7_outlook": {"en": "Outlook", "zh": "展望"},
}
WORDS = {
    "en": {
        "colon": ": ",
        "short": "min",
        "for": "For the teacher",
        "whole": "Estimated minutes for the whole lesson",
        "section": "Section",
        "minutes": "Minutes",
        "exercises": "Exercises",
        "mistakes": "mistakes that the check names",
        "questions": "Answers to the questions",
        "table": ("Lesson", "Minutes", "Open"),
        "teacher": "teacher's page",
    },
    "zh": {
        "colon": "：",
        "short": "分钟",
        "for": "教师用",
        "whole": "整课预计分钟数",
        "section": "小节",
        "minutes": "分钟",
        "exercises": "练习",
        "mistakes": "检查能指出的错误",
        "questions": "问题的答案",
        "table": ("课", "分钟", "打开"),
        "teacher": "教师页",
    },
}


def repository() -> str:
    """The repository's public address, from the one place that names it."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]["Repository"]


def teacher_page(lesson: Lesson, language: str) -> str:
    """Minutes by section, the author's notes, what the exercises catch, the questions' answers."""
    words = WORDS[language]
    lines = [
        f"# {lesson.title(language)} · {words['for']}",
        "",
        f"{words['whole']}{words['colon']}{lesson.minutes()}",
        "",
    ]
    lines += [f"| {words['section']} | {words['minutes']} |", "|---|---|"]
    lines += [f"| {title[language]} | {minutes:.0f} |" for title, minutes in lesson.sections() if minutes >= 0.5]
    for note in lesson.notes:
        lines += ["", note.text[language]]
    exercises = [cell.exercise for cell in lesson.cells if cell.exercise is not None]
    if exercises:
        lines += ["", f"## {words['exercises']}", ""]
        for exercise in exercises:
            lines.append(
                f"- `{exercise.name}` ({exercise.minutes:g} {words['short']}){words['colon']}{exercise.task(language)}"
            )
            lines += [f"  - {words['mistakes']}{words['colon']}{feedback}" for feedback in exercise.feedback(language)]
    if lesson.questions:
        lines += ["", f"## {words['questions']}", ""]
        lines += [f"- {question.answer_text(language)}" for question in lesson.questions]
    return "\n".join(lines) + "\n"


def lesson_table(lessons: list[Lesson], language: str) -> str:
    """The README's table: one row a lesson, with Binder and Colab links and the teacher's page."""
    address, words = repository(), WORDS[language]
    binder = address.replace("https://github.com/", "https://mybinder.org/v2/gh/")
    colab = address.replace("https://github.com/", "https://colab.research.google.com/github/")
    rows = ["| " + " | ".join(words["table"]) + " |", "|---|---|---|"]
    part = None
    for lesson in lessons:
        if lesson.path.parts[0] != part:
            part = lesson.path.parts[0]
            rows.append(f"| **{PARTS[part][language]}** | | |")
        notebook = f"notebooks/{language}/{lesson.path.with_suffix('.ipynb')}"
        page = f"notebooks/{language}/{lesson.path.with_suffix('.teacher.md')}"
        links = (
            f"[Binder]({binder}/HEAD?urlpath=lab/tree/{notebook}) · "
            f"[Colab]({colab}/blob/main/{notebook}) · [{words['teacher']}]({page})"
        )
        rows.append(f"| [{lesson.title(language)}]({notebook}) | {lesson.minutes()} | {links} |")
    return "\n".join(rows)


def with_table(readme: str, table: str) -> str:
    """A README's text with the table put between its two marks."""
    marks = r"(<!-- lessons -->\n).*?(\n<!-- /lessons -->)"
    if not re.search(marks, readme, re.S):
        raise ValueError("README has no <!-- lessons --> … <!-- /lessons --> marks for the table of lessons.")
    return re.sub(marks, lambda m: m[1] + table + m[2], readme, flags=re.S)


def readmes(lessons: list[Lesson]) -> dict:
    """Path → text of both READMEs with a fresh table."""
    paths = {language: ROOT / ("README.md" if language == "en" else f"README.{language}.md") for language in LANGUAGES}
    return {p: with_table(p.read_text(encoding="utf-8"), lesson_table(lessons, k)) for k, p in paths.items()}
