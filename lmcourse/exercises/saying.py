"""The rows of a verdict, in the learner's language."""

import inspect

from lmcourse.exercises.cases import ANY
from lmcourse.exercises.compare import Tolerance, difference, show
from lmcourse.exercises.run import Outcome, Run, call, visible
from lmcourse.exercises.sandbox import Fault
from lmcourse.exercises.state import Traces
from lmcourse.language import pick

Rows = list[tuple[str, str]]


def checked(cases: int, properties: int, tolerance: Tolerance) -> Rows:
    """What a passed answer was tried on."""
    count = pick(en=f"cases {cases}", zh=f"用例 {cases} 个")
    if properties:
        count += pick(en=f", properties {properties}", zh=f"，性质 {properties} 条")
    return [(pick(en="checked", zh="已检查"), count), *_allowed(tolerance)]


def _allowed(tolerance: Tolerance) -> Rows:
    """The tolerance, where there is one: whole numbers and texts must be the same."""
    return [(pick(en="tolerance", zh="容差"), str(tolerance))] if tolerance.dtype else []


def case_rows(exercise, case, want: Outcome, outcome: Outcome, finding, tolerance: Tolerance) -> Rows:
    """The first failing case: input, expected, got and where they differ."""
    rows = []
    label = pick(en=case.label_en, zh=case.label_zh)
    if label:
        rows.append((pick(en="case", zh="用例"), label))
    if case.arguments or case.keywords:
        rows.append((pick(en="input", zh="输入"), _arguments(exercise, case)))
    if case.expected is not ANY:
        rows.append((pick(en="expected", zh="应得"), f"{want.fault.type}" if want.fault else show(want.output)))
    if outcome.fault:
        return rows + [(pick(en="yours", zh="你的"), fault_text(outcome.fault, exercise.seconds))]
    rows.append((pick(en="yours", zh="你的"), show(outcome.output)))
    if finding and finding.difference:
        rows.append((pick(en="difference", zh="差别"), finding.difference.what))
        rows += _allowed(tolerance)
    elif not want.fault:
        text = pick(en="It changes its input, which the caller still needs: work on a copy, without `+=` or `x[…] =` on the argument.",
                    zh="它改动了输入，而调用者还要用：请在副本上计算，不要对参数用 `+=` 或 `x[…] =`。")  # fmt: skip
        if not _kept(case, want):
            text = pick(en="The input should be changed in place, and afterwards it is not as expected.",
                        zh="应当原地修改输入，但修改后的结果不对。")  # fmt: skip
        rows.append((pick(en="input changed", zh="输入被改"), text))
    return rows


def _kept(case, want: Outcome) -> bool:
    """Whether a right answer leaves the input of a fresh case as it is."""
    return difference(visible(case), want.arguments, Tolerance.of(want.arguments)) is None


def _arguments(exercise, case) -> str:
    function = exercise.reference if exercise.use is call else exercise.use
    names = list(inspect.signature(function).parameters)[0 if exercise.use is call else 1 :]
    names += [f"[{i}]" for i in range(len(names), len(case.arguments))]
    pairs = [*zip(names, case.arguments, strict=False), *case.keywords.items()]
    return "\n".join(f"{name} = {show(value)}" for name, value in pairs)


def property_row(broken, got: Run, seconds: float) -> Rows:
    """A property that does not hold."""
    rows = [(pick(en="should hold", zh="应当成立"), pick(en=broken.en, zh=broken.zh))]
    found = fault_text(got.fault, seconds) if got.fault else got.complaint
    return rows + ([(pick(en="found", zh="发现"), found)] if found else [])


def advice(exercise, mistake, suggestion: str) -> tuple[str, str]:
    """One suggestion: the known mistake's feedback, else what the difference suggests, else where help is."""
    if mistake:
        return pick(en="recognised", zh="常见错误"), pick(en=mistake[1], zh=mistake[2])
    general = pick(en=f"Try this case by hand, step by step, or ask for a hint: {exercise.name}.hint().",
                   zh=f"手算一遍这个用例，逐步对照；也可以看提示：{exercise.name}.hint()。")  # fmt: skip
    return pick(en="suggestion", zh="建议"), suggestion or general


def fault_text(fault: Fault, seconds: float) -> str:
    """How the code ended instead of returning: a sentence, and the line."""
    text = {
        "time": pick(en=f"It did not end within {seconds:g} s. Is there a loop without an end?", zh=f"{seconds:g} 秒内没有结束。是不是有死循环？"),
        "memory": pick(en="It asked for more memory than a check allows. How large are its arrays?", zh="它要的内存超出了检查的上限。数组有多大？"),
        "recursion": pick(en="It calls itself without end. Which input should end the recursion?", zh="它无休止地调用自己。什么输入应当结束递归？"),
        "exit": pick(en="It ends the program (exit, quit or sys.exit). Use `return` instead.", zh="它要结束程序（exit、quit 或 sys.exit）。请改用 `return`。"),
        "input": pick(en="It asks for keyboard input. Use the arguments instead.", zh="它在等键盘输入。请改用参数。"),
        "interrupt": pick(en="You interrupted it.", zh="运行被你中断了。"),
    }.get(fault.kind) or (fault.message if fault.type == "Unfit" else f"{fault.type}: {fault.message}")  # fmt: skip
    return text + (
        pick(en=f"\nline {fault.line}: {fault.code}", zh=f"\n第 {fault.line} 行：{fault.code}") if fault.line else ""
    )


def notes(after: Traces) -> Rows:
    """What else is worth knowing: output, warnings, side effects that were undone."""
    rows = []
    if after.printed.strip():
        lines = after.printed.strip().splitlines()
        cut = ["…"] if len(lines) > 8 or len(after.printed) > 600 else []
        rows.append((pick(en="printed", zh="打印了"), "\n".join([*lines[:8], *cut])[:600]))
    if after.warned:
        rows.append((pick(en="warnings", zh="警告"), "\n".join(after.warned)))
    if after.random:
        rows.append((pick(en="note", zh="注意"), pick(en="It uses or sets the global random state, which was put back.",
                                                      zh="它使用或设置了全局随机状态；状态已恢复。")))  # fmt: skip
    if after.variables:
        names = ", ".join(after.variables)
        rows.append((pick(en="note", zh="注意"), pick(en=f"It changes the variables {names} outside the function; they were put back.",
                                                      zh=f"它改动了函数外的变量 {names}；变量已恢复。")))  # fmt: skip
    return rows
