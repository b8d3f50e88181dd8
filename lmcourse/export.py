"""Saved and exported notebooks that show every widget's picture where no kernel runs.

A widget's output holds two forms: a reference to a live model, which works only while its kernel does, and a picture. Readers
prefer the reference: JupyterLab then shows an error box in a reopened, trusted notebook, and an exported page stays blank.
So the reference is dropped when a notebook is saved (this module is an extension of Jupyter's server) or exported.
"""

from html import escape
from pathlib import Path

from lmcourse.language import CourseError

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"


def strip_widgets(notebook: dict) -> dict:
    """Drop the live form of every output that also has a picture, and the saved state of all widgets.

    Args:
        notebook: a notebook's content, version 4; changed in place.

    Returns:
        The same notebook.
    """
    notebook["metadata"].pop("widgets", None)
    return _strip_views(notebook)


def _strip_views(notebook, keep=()):
    """Drop references to models that are not in `keep` from outputs with a picture."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if "image/png" in data and VIEW in data and data[VIEW].get("model_id") not in keep:
                del data[VIEW]
    return notebook


def before_saving(model: dict, **_) -> None:
    """Jupyter Server's pre-save hook. Widgets whose state is saved in the notebook keep their live form."""
    notebook = model.get("content")
    if model.get("type") == "notebook" and notebook and notebook.get("nbformat") == 4:
        saved = notebook["metadata"].get("widgets", {}).get(STATE, {}).get("state", {})
        _strip_views(notebook, keep=saved)


def _describe_pictures(notebook):
    """Show pictures with their alternative text, which nbconvert's page would leave out."""
    for cell in notebook["cells"]:
        for output in cell.get("outputs", ()):
            told = output.get("metadata", {}).get("image/png", {})
            if "alt" in told:
                size = "".join(f' {side}="{told[side]}"' for side in ("width", "height") if side in told)
                source = f"data:image/png;base64,{output['data']['image/png']}"
                output["data"]["text/html"] = f'<img src="{source}" alt="{escape(told["alt"])}"{size}>'
    return notebook


def _jupyter_server_extension_points():
    return [{"module": "lmcourse.export"}]


def _load_jupyter_server_extension(server) -> None:
    server.contents_manager.register_pre_save_hook(before_saving)


def export(path: str | Path) -> Path:
    """Write a notebook, as it was last saved, as one HTML file beside it.

    Pictures and texts are inside the file and show offline; formulas are typeset when there is a network.

    Args:
        path: the notebook.

    Returns:
        The HTML file.

    Raises:
        CourseError: the file is not a notebook, or nbconvert is missing.
    """
    try:
        import nbformat
        from nbconvert import HTMLExporter
    except ImportError:
        raise CourseError(
            en='nbconvert is missing. Run: pip install "lmcourse[lab]"',
            zh='缺少 nbconvert。请运行：pip install "lmcourse[lab]"',
        ) from None
    path = Path(path)
    try:
        notebook = nbformat.read(path, as_version=4)
    except (OSError, ValueError, AttributeError, nbformat.ValidationError):  # JSON, but no notebook: AttributeError
        raise CourseError(
            en=f"{path} is not a notebook that can be read. Give the path of an .ipynb file.",
            zh=f"无法把 {path} 作为笔记本读取。请给出一个 .ipynb 文件的路径。",
        ) from None
    exporter = HTMLExporter(embed_images=True, require_js_url="", jquery_url="")
    page, _ = exporter.from_notebook_node(
        _describe_pictures(strip_widgets(notebook)), {"metadata": {"name": path.stem}}
    )
    target = path.with_suffix(".html")
    target.write_text(page, encoding="utf-8")
    return target
