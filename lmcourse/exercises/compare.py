"""Compare what came out with what should have: any array library, any dtype, a tolerance that the dtypes justify.

Left out on purpose: comparing objects by anything but `==`; an exercise's `use` turns those into numbers first.
"""

import math
import re
from dataclasses import dataclass
from itertools import islice
from numbers import Number

import numpy as np

from lmcourse.language import pick

_EPS = {"bfloat16": 2.0**-7}  # NumPy does not know it


def plain(value):
    """A copy made of NumPy arrays, scalars, strings, lists and dicts; other objects stay as they are.

    Numbers, and nested lists of numbers with a regular shape, become arrays. Tensors of TensorFlow, Keras, JAX and PyTorch too.
    """
    if hasattr(value, "detach"):  # PyTorch
        value = value.detach().cpu()
    if isinstance(value, Number | np.generic) or (hasattr(value, "__array__") and not isinstance(value, type)):
        array = np.asarray(value).copy()  # np.array would ask tensors to copy, which some do not understand
        if array.dtype == object:
            return plain(array.tolist()) if array.ndim else value
        return array
    if isinstance(value, list | tuple):
        parts = [plain(part) for part in value]
        regular = all(isinstance(part, np.ndarray) for part in parts) and len({part.shape for part in parts}) <= 1
        return np.array(parts) if regular else parts
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    return value


def precision(*values) -> tuple[str, float]:
    """The coarsest floating-point dtype in some plain values, "" if there is none, and its spacing at 1, at least float64's."""
    coarsest = ("", float(np.finfo(np.float64).eps))
    for value in values:
        if isinstance(value, list | dict):
            found = precision(*(value.values() if isinstance(value, dict) else value))
        elif isinstance(value, np.ndarray) and (value.dtype.name in _EPS or value.dtype.kind in "fc"):
            name = value.dtype.name
            found = (name, _EPS.get(name) or float(np.finfo(value.dtype).eps))
        else:
            continue
        coarsest = max(found, coarsest, key=lambda pair: pair[1])  # of equals the first: a name rather than ""
    return coarsest


@dataclass(frozen=True)
class Tolerance:
    """|got − expected| ≤ relative · |expected| + absolute · (largest |expected|).

    Attributes:
        dtype: the coarsest dtype involved, which justifies it; "" where there are only whole numbers or texts.
        relative: by default its spacing to the power 2/3: 4e-11 for float64, 2e-5 for float32, 1e-2 for float16.
        absolute: eight spacings: what cancellation leaves of numbers of the largest one's size.
        floor: below it the dtype has no numbers of full precision.
    """

    dtype: str
    relative: float
    absolute: float
    floor: float

    @classmethod
    def of(cls, *values, relative: float | None = None) -> "Tolerance":
        """The tolerance for some plain values; `relative` overrides."""
        dtype, eps = precision(*values)
        floor = float(np.finfo({"float16": "float16", "float64": "float64", "": "float64"}.get(dtype, "float32")).tiny)
        return cls(dtype, eps ** (2 / 3) if relative is None else relative, 8 * eps, floor)

    def __str__(self) -> str:
        return pick(
            en=f"relative {self.relative:.0e}, and {self.absolute:.0e} of the largest value ({self.dtype})",
            zh=f"相对误差 {self.relative:.0e}，另加最大值的 {self.absolute:.0e}（{self.dtype}）",
        )


@dataclass(frozen=True)
class Difference:
    """What differs, in a sentence, and a suggestion (or "")."""

    what: str
    suggestion: str = ""


def difference(expected, got, tolerance: Tolerance, where: str = "") -> Difference | None:
    """The first or worst difference of two plain values, or None. `where` names the part compared, as in `[0]`."""
    if isinstance(expected, np.ndarray):
        return _arrays(expected, got, tolerance, where)
    at = pick(en=f" at {where}", zh=f"（位置 {where}）") if where else ""
    if isinstance(expected, list | dict):
        if type(got) is not type(expected) and not (
            np.ndim(got) and isinstance(got, np.ndarray) and isinstance(expected, list)
        ):
            return _kind(expected, got, at)
        if len(got) != len(expected):
            return Difference(pick(en=f"{len(expected)} items expected{at}, got {len(got)}",
                                   zh=f"应有 {len(expected)} 项{at}，实际有 {len(got)} 项"))  # fmt: skip
        if isinstance(expected, dict) and expected.keys() != got.keys():
            lost, extra = list(expected.keys() - got.keys()), list(got.keys() - expected.keys())
            return Difference(pick(en=f"keys differ{at}: missing {lost}, unexpected {extra}",
                                   zh=f"键不同{at}：缺少 {lost}，多出 {extra}"))  # fmt: skip
        for key in expected if isinstance(expected, dict) else range(len(expected)):
            found = difference(expected[key], plain(got[key]), tolerance, f"{where}[{key!r}]")
            if found:
                return found
        return None
    if type(expected) is not type(got):
        return _kind(expected, got, at)
    if expected == got:
        return None
    if isinstance(expected, str):
        first = next(
            (i for i, (a, b) in enumerate(zip(expected, got, strict=False)) if a != b), min(len(expected), len(got))
        )
        return Difference(pick(en=f"from character {first} on{at}", zh=f"从第 {first} 个字符起（从 0 数）{at}"))
    return Difference(pick(en=f"the values{at}", zh=f"值不同{at}"))


def _kind(expected, got, at: str) -> Difference:
    if got is None:
        return Difference(pick(en=f"nothing was returned{at}", zh=f"没有返回值{at}"),
                          pick(en="Is a `return` missing?", zh="是不是漏了 `return`？"))  # fmt: skip
    return Difference(
        pick(
            en=f"{_name(expected)} expected{at}, got {_name(got)}",
            zh=f"应为 {_name(expected)}{at}，实际是 {_name(got)}",
        )
    )


def _name(value) -> str:
    if isinstance(value, np.ndarray):
        return pick(en="a number", zh="数") if value.ndim == 0 else pick(en="an array", zh="数组")
    return type(value).__name__


def _arrays(expected: np.ndarray, got, tolerance: Tolerance, where: str) -> Difference | None:
    at = pick(en=f" at {where}", zh=f"（位置 {where}）") if where else ""
    if not isinstance(got, np.ndarray) or (expected.dtype.kind in "US") != (got.dtype.kind in "US"):
        return _kind(expected, got, at)
    if expected.shape != got.shape:
        return Difference(pick(en=f"shape {expected.shape} expected{at}, got {got.shape}", zh=f"形状应为 {expected.shape}{at}，实际是 {got.shape}"),
                          _shape_suggestion(expected.shape, got.shape))  # fmt: skip
    if expected.dtype.kind in "US":
        wrong = expected != got
        a = b = np.zeros(expected.shape)
    else:
        kind = np.complex128 if "c" in (expected.dtype.kind, got.dtype.kind) else np.float64
        exact = expected.dtype.kind in "biu" and got.dtype.kind in "biu"
        a, b = expected.astype(kind), got.astype(kind)
        wrong = expected != got if exact else ~_close(a, b, tolerance)
    if not wrong.any():
        return None
    with np.errstate(all="ignore"):
        gap = np.where(wrong, np.nan_to_num(np.abs(a - b), nan=np.inf, posinf=np.inf), -1)
    worst = tuple(int(i) for i in np.unravel_index(np.argmax(gap), gap.shape))
    size = f"{gap[worst]:.3g}" if math.isfinite(gap[worst]) and a is not b else "–"
    spot = where + (str(list(worst)) if worst else "")
    if expected.ndim == 0:
        what = pick(en=f"by {size}{at}", zh=f"相差 {size}{at}")
    else:
        count = int(wrong.sum())
        what = pick(en=f"{count} of {wrong.size} values; worst at {spot}: expected {show(expected[worst])}, got {show(got[worst])}, off by {size}",
                    zh=f"{wrong.size} 个值中有 {count} 个不同；差得最多的是 {spot}：应为 {show(expected[worst])}，实际 {show(got[worst])}，相差 {size}")  # fmt: skip
    return Difference(what, "" if a is b else _value_suggestion(a, b, tolerance))


def _close(a: np.ndarray, b: np.ndarray, tolerance: Tolerance) -> np.ndarray:
    """Elementwise; NaN agrees with NaN, an infinity only with itself."""
    finite = np.abs(a[np.isfinite(a)])
    largest = float(finite.max()) if finite.size else 0.0
    with np.errstate(all="ignore"):
        near = np.abs(a - b) <= tolerance.relative * np.abs(a) + tolerance.absolute * largest + tolerance.floor
    return (a == b) | (np.isnan(a) & np.isnan(b)) | (np.isfinite(a) & near)


def _shape_suggestion(expected: tuple, got: tuple) -> str:
    if sorted(expected) == sorted(got):
        return pick(en="Is something transposed?", zh="是不是转置了？")
    if [n for n in expected if n != 1] == [n for n in got if n != 1]:
        return pick(en="Only axes of length 1 differ: look at keepdims, reshape and [:, None].",
                    zh="只差在长度为 1 的轴：看看 keepdims、reshape 和 [:, None]。")  # fmt: skip
    if len(got) < len(expected):
        return pick(
            en="Along which axis do you sum, take the maximum or the mean?", zh="求和、取最大值或均值时，用的是哪个轴？"
        )
    if len(got) == len(expected) and got[1:] == expected[1:]:
        if got[0] > expected[0]:
            return pick(en="There are too many entries: which are there twice, or should not be there?",
                        zh="条目多了：哪些重复了，或不该出现？")  # fmt: skip
        return pick(en="Entries are missing: which, and at which step do they get lost?",
                    zh="条目少了：少的是哪些，在哪一步丢的？")  # fmt: skip
    return pick(en="Print the shape after each step.", zh="逐步打印形状看看。")


def _value_suggestion(a: np.ndarray, b: np.ndarray, tolerance: Tolerance) -> str:
    """What simple change would turn `b` (got) into `a` (expected)."""
    if not np.isfinite(b[np.isfinite(a)]).all():
        return pick(en="NaN or infinity where a number belongs: look for an overflow, 0/0 or the logarithm of zero.",
                    zh="本应是数的地方出现了 NaN 或无穷：检查溢出、0/0 和对零取对数。")  # fmt: skip
    if not np.isfinite(a).all() or not a.any():
        return ""
    if _close(a, -b, tolerance).all():
        return pick(en="Every sign is the opposite of the expected one.", zh="所有值的符号都反了。")
    ratio = np.vdot(a, b) / np.vdot(a, a)
    told = f"{ratio:.4g}" != "1" and abs(ratio) > tolerance.relative
    if np.count_nonzero(a) > 1 and told and _close(a, b / ratio, tolerance).all():
        return pick(en=f"Every value is {ratio:.4g} times the expected one: a missing or extra factor?",
                    zh=f"每个值都是应有值的 {ratio:.4g} 倍：多了或少了一个因子？")  # fmt: skip
    shift = (b - a).mean()
    if a.size > 1 and _close(a, b - shift, tolerance).all():
        return pick(en=f"Every value is off by the same {shift:.4g}: a missing or extra term?",
                    zh=f"每个值都差了同样的 {shift:.4g}：多了或少了一项？")  # fmt: skip
    if a.ndim == 2 and a.shape[0] == a.shape[1] and _close(a, b.T, tolerance).all():
        return pick(en="Rows and columns are exchanged.", zh="行和列对调了。")
    return ""


def show(value) -> str:
    """A short text of a value; large arrays by shape, dtype and their corners."""
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        if array.dtype.name in _EPS:
            array = array.astype(np.float32)
        text = np.array2string(array, separator=", ", threshold=24, edgeitems=2, precision=8, max_line_width=100)
        return text if array.size <= 24 else pick(en="shape", zh="形状") + f" {array.shape}, {array.dtype}\n{text}"
    try:
        if type(value) is dict:  # of arrays, mostly of single numbers
            text = "{" + ", ".join(f"{key!r}: {show(part)}" for key, part in islice(value.items(), 50)) + "}"
        else:
            text = re.sub(r" at 0x[0-9a-f]+", "", repr(value))  # where an object lies helps nobody
    except Exception:  # a learner's object that cannot be shown
        text = f"<{type(value).__name__}>"
    return text if len(text) <= 300 else text[:297] + "…"
