"""Small graphs of values for the exercises on backpropagation: a stand-in for the Node that the lesson writes."""


class Knot:
    """A value and what it was made of.

    Attributes:
        value: a number or an array.
        parents: the knots it was made of.
        pull: from the slope of this value to one slope for each parent; None for an input.
        grad: what some earlier run left behind; never a right answer.
    """

    def __init__(self, value, parents=(), pull=None):
        self.value, self.parents, self.pull, self.grad = value, parents, pull, 5.0

    def __repr__(self):
        return f"Node({self.value}, grad={self.grad})"


def times(a: Knot, b: Knot) -> Knot:
    """The product."""
    return Knot(a.value * b.value, (a, b), lambda g: (g * b.value, g * a.value))


def plus(a: Knot, b: Knot) -> Knot:
    """The sum."""
    return Knot(a.value + b.value, (a, b), lambda g: (g, g))


def square(value) -> Knot:
    """x · x of a new input x: one knot used twice."""
    x = Knot(value)
    return times(x, x)


def doubled(count: int) -> Knot:
    """1 doubled `count` times, by adding each knot to itself: 2 to the `count` ways lead from the result to the input."""
    knot = Knot(1.0)
    for _ in range(count):
        knot = plus(knot, knot)
    return knot


def short_and_long_way() -> Knot:
    """x · (x · x + x) at 2: x is reached directly and through two others."""
    x = Knot(2.0)
    return times(x, plus(times(x, x), x))


def parents_first(result: Knot) -> list[Knot]:
    """The knots that a result is made of, each once, each after its parents."""
    order = []

    def visit(knot):
        if knot not in order:
            for parent in knot.parents:
                visit(parent)
            order.append(knot)

    visit(result)
    return order
