"""The code of an exercise as cells: its stub, its solution, and whether an answer is still the stub."""

import ast
import dis
import inspect
import re
import textwrap


def parameters(function) -> list[str]:
    """The names of a function's parameters."""
    return list(inspect.signature(function).parameters)


def stub_source(exercise) -> str:
    """Signature, docstring and `...`; for a value its description and `name = ...`; or the broken code that is to be mended."""
    if exercise.stub:
        code, node = definition(exercise.stub)
        return re.sub(rf"^def {node.name}\b", f"def {exercise.name}", code)
    code, node = definition(exercise.reference)
    if exercise.takes_value:
        comments = [f"# {line}".rstrip() for line in inspect.cleandoc(ast.get_docstring(node)).splitlines()]
        return "\n".join([*comments, f"{exercise.name} = ...\n"])
    head = code.splitlines()[: node.body[0].end_lineno]  # to the end of the docstring
    return "\n".join([*head, "    ...\n"])


def solution_source(exercise) -> str:
    """The reference without decorators; for a value its statements, the last one as `name = …`."""
    code, node = definition(exercise.reference)
    if not exercise.takes_value:
        return code
    first = node.body[0].end_lineno  # after the docstring
    body = textwrap.dedent("\n".join(code.splitlines()[first:])) + "\n"
    return re.sub(r"^return\b", f"{exercise.name} =", body, flags=re.M)


def is_stub(exercise, answer) -> bool:
    """Whether the learner has not begun: `...` or None for a value, unchanged code for a function."""
    if exercise.takes_value:
        return answer is ... or answer is None
    if answer is ... or not inspect.isfunction(answer):
        return answer is ...
    names = dict(exercise.reference.__globals__)
    exec(stub_source(exercise), names)
    code = _instructions(answer)
    return code in (_instructions(names[exercise.name]), _instructions(_nothing))


def _nothing(): ...


def definition(function) -> tuple[str, ast.FunctionDef]:
    """A function's source from `def` on, and its node; lines are counted from `def`, where the source begins."""
    lines, _ = inspect.getsourcelines(function)
    source = textwrap.dedent("".join(lines))
    start = ast.parse(source).body[0].lineno - 1  # a decorated function's own line is that of `def`
    code = "".join(source.splitlines(keepends=True)[start:]).rstrip() + "\n"
    return code, ast.parse(code).body[0]


def _instructions(function) -> list[tuple]:
    """A function's bytecode without its docstring, line numbers and file."""
    return [
        (step.opname, getattr(step.argval, "co_code", step.argval)) for step in dis.get_instructions(function.__code__)
    ]
