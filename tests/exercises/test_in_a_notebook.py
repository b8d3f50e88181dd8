"""The same calls in a real kernel: HTML beside text, a live table, controls for questions."""

import re

import nbformat
from nbclient import NotebookClient

CELLS = [
    "from lmcourse.exercises import activations as ex, progress\nimport numpy as np",
    "progress.show()",
    "ex.sigmoid.check(lambda z: '<i>' if True else 0)",
    "ex.sigmoid.check(ex.sigmoid.reference)",
    "ex.sigmoid.hint()",
    "ex.flattest_at_five.ask()",
    "ex.flattest_at_five.reveal()",
    "ex.sigmoid.solution()",
]


def test_what_a_notebook_shows(own_progress):
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    book = nbformat.v4.new_notebook(
        cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    )
    NotebookClient(book, timeout=60).execute()
    _, (table,), (wrong,), (passed,), (hint,), (question,), (revealed,), (solution,) = (
        cell.outputs for cell in book.cells
    )
    # nbclient applies updates to the stored output, as a notebook does
    assert re.search(r">1/\d+<", table.data["text/html"]) and "<td>1</td>" in table.data["text/html"]
    assert (
        "not yet" in wrong.data["text/html"]
        and "&lt;i&gt;" in wrong.data["text/html"]
        and "<i>" in wrong.data["text/plain"]
    )
    assert passed.data["text/plain"].startswith("✔ sigmoid: passed")
    assert "Hint 1/3" in hint.data["text/html"] and "Hint 1/3" in hint.data["text/plain"]
    assert "application/vnd.jupyter.widget-view+json" in question.data and "○ tanh" in question.data["text/plain"]
    assert "not answered yet" in revealed.data["text/plain"]
    assert "def sigmoid(z):" in solution.data["text/html"] and solution.data["text/plain"].startswith("def sigmoid(z):")
