import copy
import re

import nbformat
import pytest

from lmcourse import export, language
from lmcourse.language import CourseError
from lmcourse.widgets.activation_explorer import activation_explorer

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="


def notebook(**outputs):
    """A notebook with a code cell per output (mime type → value), and the saved state of the model "saved"."""
    cells = [
        nbformat.v4.new_code_cell("w", outputs=[nbformat.v4.new_output("display_data", data)], id=name)
        for name, data in outputs.items()
    ]
    metadata = {"widgets": {export.STATE: {"state": {"saved": {}}, "version_major": 2, "version_minor": 0}}}
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("text", id="m"), *cells], metadata=metadata)


def view(model):
    return {export.VIEW: {"model_id": model, "version_major": 2, "version_minor": 0}}


ALL = {
    "live": {**view("gone"), "image/png": PNG, "text/plain": "words"},
    "kept": {**view("saved"), "image/png": PNG, "text/plain": "words"},
    "other": {**view("gone"), "text/plain": "IntSlider(value=0)"},
    "plain": {"image/png": PNG},
}


def live(content):
    return [cell["id"] for cell in content["cells"] for o in cell.get("outputs", ()) if export.VIEW in o["data"]]


def test_export_keeps_pictures_and_texts_only():
    stripped = export.strip_widgets(notebook(**ALL))
    assert live(stripped) == ["other"]
    assert "widgets" not in stripped.metadata
    for before, after in zip(notebook(**ALL).cells[1:], stripped.cells[1:], strict=True):
        assert {k: v for k, v in before.outputs[0].data.items() if k != export.VIEW} | view("gone") == {
            **after.outputs[0].data, **view("gone")
        }  # fmt: skip


def test_saving_keeps_widgets_whose_state_is_saved():
    model = {"type": "notebook", "content": notebook(**ALL)}
    export.before_saving(model=model, path="a.ipynb", contents_manager=None)
    assert live(model["content"]) == ["kept", "other"]
    assert "widgets" in model["content"]["metadata"]


@pytest.mark.parametrize("model", [{"type": "file", "content": "x"}, {"type": "directory"}, {"type": "notebook", "content": None},
                                   {"type": "notebook", "content": {"nbformat": 3, "worksheets": []}}])  # fmt: skip
def test_saving_leaves_everything_else_alone(model):
    before = copy.deepcopy(model)
    export.before_saving(model=model)
    assert model == before


def test_a_stream_or_an_error_is_left_alone():
    content = notebook()
    content.cells.append(nbformat.v4.new_code_cell(outputs=[nbformat.v4.new_output("stream", text="hello")]))
    before = copy.deepcopy(content)
    export.before_saving(model={"type": "notebook", "content": content})
    assert content == before


def test_page_holds_the_picture_its_text_and_no_script_for_widgets(tmp_path):
    data, metadata = activation_explorer("tanh")._repr_mimebundle_()
    content = notebook(w=data)
    content.cells[1].outputs[0].metadata = metadata
    path = tmp_path / "课 1.ipynb"
    nbformat.write(content, path)
    target = export.export(path)
    assert target == tmp_path / "课 1.html"
    page = target.read_text(encoding="utf-8")
    assert f"data:image/png;base64,{data['image/png']}" in page
    assert 'alt="Activation explorer, tanh.' in page
    assert not re.search(r"require\.min\.js|html-manager|vnd\.jupyter\.widget-(view|state)", page)
    assert live(nbformat.read(path, as_version=4)) == ["w"], "the notebook itself is not changed"


@pytest.mark.parametrize("content", [None, "not JSON", '{"a": 1}', b"\xff\xfe\x00", "[]"])
def test_a_file_that_is_no_notebook_becomes_a_sentence(tmp_path, content):
    path = tmp_path / "a.ipynb"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(CourseError, match="not a notebook"):
        export.export(path)
    language.use("zh")
    with pytest.raises(CourseError, match="无法"):
        export.export(path)
