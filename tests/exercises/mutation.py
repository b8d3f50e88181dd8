"""Wrong answers by the dozen: small changes to a reference solution's syntax tree. A check that passes one is missing a case.

    python tests/exercises/mutation.py [topic …]     print the share killed and the survivors

A survivor that computes the same as the reference is listed in `equivalent/<topic>.toml`, under its exercise, with the reason.
"""

import ast
import copy
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lmcourse.exercises import stubs
from lmcourse.exercises.exercise import Exercise, collect, topics
from lmcourse.exercises.sandbox import Sandbox

SECONDS = 1
SYMMETRIC = {"maximum", "minimum", "add", "multiply", "swapaxes"}  # in two arguments: exchanging them changes nothing
SIGNS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult, ast.MatMult: ast.Mult,
         ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd}  # fmt: skip
COMPARISONS = {ast.Lt: [ast.LtE, ast.Gt], ast.LtE: [ast.Lt, ast.GtE], ast.Gt: [ast.GtE, ast.Lt], ast.GtE: [ast.Gt, ast.LtE],
               ast.Eq: [ast.NotEq], ast.NotEq: [ast.Eq], ast.In: [ast.NotIn], ast.NotIn: [ast.In], ast.Is: [ast.IsNot],
               ast.IsNot: [ast.Is]}  # fmt: skip
OPPOSITES = {"max": "min", "maximum": "minimum", "sum": "mean", "argmax": "argmin", "ones": "zeros", "any": "all", "exp": "log",
             "sorted": "list", "ones_like": "zeros_like", "cumsum": "cumprod", "floor": "ceil", "rint": "floor"}  # fmt: skip
OPPOSITES |= {b: a for a, b in OPPOSITES.items() if b not in OPPOSITES and b != "list"}


@dataclass(frozen=True)
class Mutant:
    """One changed solution: what was changed, as in "flipped sign: a + b → a - b", and the function."""

    name: str
    function: object


def changes(node: ast.AST, parameters: list[str]) -> Iterator[tuple[str, ast.AST | None]]:
    """Every change of one node: the operator's name and the new node; None removes a statement.

    Args:
        node: of a function's syntax tree.
        parameters: the function's, to be mistaken for one another.
    """

    def altered(**fields):
        new = copy.deepcopy(node)
        for name, value in fields.items():
            setattr(new, name, value)
        return new

    match node:
        case ast.BinOp():
            if type(node.op) in SIGNS:
                yield "flipped sign", altered(op=SIGNS[type(node.op)]())
            yield "dropped term", node.left
            yield "dropped term", node.right
            if isinstance(node.op, ast.Sub | ast.Div | ast.MatMult | ast.Pow):
                yield "swapped operands", altered(left=node.right, right=node.left)
        case ast.UnaryOp(op=ast.USub() | ast.Not() | ast.Invert()):
            yield "flipped sign", node.operand
        case ast.Compare():
            for other in COMPARISONS[type(node.ops[0])]:
                yield "changed comparison", altered(ops=[other(), *node.ops[1:]])
        case ast.BoolOp():
            yield "changed connective", altered(op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
        case ast.Constant(value=bool()):
            yield "changed constant", ast.Constant(not node.value)
        case ast.Constant(value=int()):
            yield "off by one", ast.Constant(node.value + 1)
            yield "off by one", ast.Constant(node.value - 1)
        case ast.Constant(value=float()):
            yield "changed constant", ast.Constant(node.value * 2 if node.value else 1.0)
        case ast.Constant(value=str()):
            yield "changed constant", ast.Constant(node.value + "x")
        case ast.keyword(arg="axis", value=value):
            text = ast.unparse(value)
            yield "changed axis", altered(value=ast.Constant(0 if text != "0" else -1))
            yield "changed axis", altered(value=ast.Constant(None))
        case ast.Call():
            name = getattr(node.func, "attr", getattr(node.func, "id", None))
            if (
                len(node.args) > 1
                and name not in SYMMETRIC
                and not any(isinstance(arg, ast.Starred) for arg in node.args)
            ):
                yield "swapped arguments", altered(args=[node.args[1], node.args[0], *node.args[2:]])
            if name in OPPOSITES:
                func = copy.deepcopy(node.func)
                setattr(func, "attr" if isinstance(func, ast.Attribute) else "id", OPPOSITES[name])
                yield "other function", altered(func=func)
            elif len(node.args) == 1 and not isinstance(node.args[0], ast.Starred | ast.GeneratorExp):
                yield "call left out", node.args[0]
        case ast.Name(ctx=ast.Load()) if node.id in parameters and len(parameters) > 1:
            yield "other variable", altered(id=parameters[parameters.index(node.id) - 1])
        case ast.IfExp() | ast.If():
            yield "negated condition", altered(test=ast.UnaryOp(ast.Not(), node.test))
        case ast.Subscript(ctx=ast.Load()):
            yield "dropped index", node.value
        case ast.Attribute(attr="T"):
            yield "dropped transpose", node.value
        case ast.Slice(lower=None, upper=ast.AST()) | ast.Slice(lower=ast.AST(), upper=None):
            yield "dropped slice bound", altered(lower=None, upper=None)
    if isinstance(
        node,
        ast.Assign | ast.AugAssign | ast.Expr | ast.For | ast.While | ast.If | ast.Raise | ast.Continue | ast.Break,
    ):
        yield "removed statement", None


def mutants(exercise: Exercise) -> list[Mutant]:
    """Every single change of an exercise's reference solution that still compiles."""
    _, tree = stubs.definition(exercise.reference)
    tree.body = tree.body[1:] if ast.get_docstring(tree) else tree.body
    made, count = [], Counter()
    inside = [i for i, node in enumerate(ast.walk(tree)) if i and not isinstance(node, ast.arguments | ast.arg)]
    for i in inside:
        node = list(ast.walk(tree))[i]
        for operator, new in changes(node, stubs.parameters(exercise.reference)):
            changed = copy.deepcopy(tree)
            _Replace(list(ast.walk(changed))[i], copy.deepcopy(new)).visit(changed)
            changed.body = changed.body or [ast.Pass()]
            name = f"{operator}: {_short(node)} → {_short(new)}"
            count[name] += 1
            if count[name] > 1:
                name += f" ({count[name]})"
            names = dict(exercise.reference.__globals__)
            try:
                exec(compile(ast.Module([ast.fix_missing_locations(changed)], []), "<mutant>", "exec"), names)
            except (SyntaxError, ValueError, TypeError):
                continue
            made.append(Mutant(name, names[exercise.name]))
    return made


class _Replace(ast.NodeTransformer):
    def __init__(self, target, new):
        self.target, self.new = target, new

    def visit(self, node):
        if node is not self.target:
            node = self.generic_visit(node)
            if isinstance(node, ast.If | ast.For | ast.While) and not node.body:
                node.body = [ast.Pass()]
            return node
        return self.new


def _short(node: ast.AST | None) -> str:
    return "nothing" if node is None else ast.unparse(node).splitlines()[0]


def survivors(exercise: Exercise) -> tuple[int, list[str]]:
    """How many mutants there are, and the names of those that pass the check. Each has one second."""
    all_mutants, alive = mutants(exercise), []
    usual, exercise.seconds = exercise.seconds, SECONDS
    try:
        for mutant in all_mutants:
            answer, fault = mutant.function, None
            if exercise.takes_value:
                with Sandbox(answer, SECONDS) as box:
                    answer, fault = box.attempt(answer)
            if fault is None and exercise.judge(answer).passed:
                alive.append(mutant.name)
    finally:
        exercise.seconds = usual
    return len(all_mutants), alive


def equivalents(exercise: Exercise) -> dict[str, str]:
    """Survivors that compute the same as the reference: name → reason."""
    path = Path(__file__).parent / "equivalent" / f"{exercise.topic}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")).get(exercise.name, {}) if path.exists() else {}


def exercises() -> list[Exercise]:
    """Every exercise of every topic."""
    return [thing for module in topics().values() for thing in collect(module).values() if isinstance(thing, Exercise)]


def main(chosen: list[str]) -> None:
    total = killed = 0
    for exercise in exercises():
        if chosen and exercise.topic not in chosen:
            continue
        count, alive = survivors(exercise)
        total, killed = total + count, killed + count - len(alive)
        print(f"{exercise.key}: {count - len(alive)}/{count}")
        for name in alive:
            print(
                f"    {name}   {'= ' + equivalents(exercise)[name] if name in equivalents(exercise) else '← a missing case'}"
            )
    print(f"killed {killed} of {total} mutants: {killed / total:.1%}")


if __name__ == "__main__":
    main(sys.argv[1:])
