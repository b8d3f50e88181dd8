"""Chat box: a conversation with any function that writes replies; streamed, with a stop button and a temperature.

    def reply(messages, temperature, stop_event):      # messages: [{"role": "user", "content": "Hello"}, …]
        for token in …: yield text_of(token)
    chat_box(reply)

The function runs on a thread beside the notebook, started by the page's own message (`worker`), so cells can run meanwhile and
stop gets through. Left out on purpose: a system message, editing, Markdown (what anybody writes is shown as it is), saving.
"""

import contextlib
import threading
import time
import weakref

from traitlets import Bool, Dict, Float, Int, List, Unicode, validate

from lmcourse.language import CourseError
from lmcourse.widgets.base import Widget, module, sentence
from lmcourse.widgets.worker import Worker

FRAME = 1 / 20  # seconds between two sights of a reply that is being written
SHOWN = 1200  # characters of the conversation in the static picture

_boxes = weakref.WeakSet()


class ChatBox(Widget):
    """See `chat_box`.

    Attributes:
        messages: what was said, {"role": "user" or "assistant", "content": text}; a reply cut short also has {"stopped": True}.
        writing: the reply so far, while one is being written.
        busy: whether one is.
        temperature: 0 to 2, read at the start of a reply.
        step: counts what the page asked for and got an answer to.
    """

    _esm = module("chat_box")
    messages = List(Dict()).tag(sync=True)
    writing = Unicode("").tag(sync=True)
    busy = Bool(False).tag(sync=True)
    temperature = Float(0.7).tag(sync=True)
    step = Int(0).tag(sync=True)

    def __init__(self, reply, temperature):
        self.reply, self._pieces, self._parts, self._due = reply, None, [], 0.0
        self._stopping = threading.Event()
        self._worker = Worker(self._obey, self._tick)
        super().__init__(temperature=temperature)
        _boxes.add(self)

    @validate("temperature")
    def _inside(self, proposal):
        return min(max(proposal.value, 0.0), 2.0) if proposal.value == proposal.value else 0.7

    def receive(self, kind, content, buffers):
        if kind in ("stop", "reset"):
            self._stopping.set()  # at once, for the function may look at it before its next token
        if kind in ("send", "stop", "reset"):
            self._worker.send((kind, content))

    def close(self):
        """End the reply and its thread, then the widget."""
        self._stopping.set()
        self._worker.stop()
        super().close()

    # What follows runs on the worker's thread.

    def _obey(self, command):
        kind, content = command
        if kind == "send":
            self._begin(str(content["text"]))
        elif kind == "stop":
            self._end(stopped=True)
        else:
            self._end(stopped=True)
            self.messages, self.problem = [], ""
        self.step += 1

    def _begin(self, text):
        self.problem = self._refusal(text)
        if self.problem:
            return
        self._stopping.clear()
        self._parts, self._due = [], 0.0
        self.messages, self.busy = [*self.messages, {"role": "user", "content": text}], True
        said = [{name: message[name] for name in ("role", "content")} for message in self.messages]
        try:
            self._pieces = iter(self.reply(said, self.temperature, self._stopping))
        except Exception as error:  # whatever the learner's function raises
            self._fail(error)

    def _refusal(self, text) -> str:
        """Why no reply can begin now; empty if one can."""
        if self.busy:
            return self.text(
                en="One reply at a time: wait until this one is written, or stop it.",
                zh="一次只写一个回答：请等它写完，或者先停止。",
            )
        if any(box.busy and box.reply == self.reply for box in list(_boxes)):
            return self.text(
                en="The model is writing in another chat box: wait until it has finished, or stop it there.",
                zh="模型正在另一个聊天框里写回答：请等它写完，或者在那里停止。",
            )
        return "" if text.strip() else self.text(en="Type a message first.", zh="请先输入消息。")

    def _tick(self):
        if self._pieces is None:
            return None
        try:
            piece = next(self._pieces)
            if not isinstance(piece, str):
                raise CourseError(
                    en=f"The function yielded a {type(piece).__name__}; it must yield pieces of text.",
                    zh=f"函数产出的是 {type(piece).__name__}，应当逐段产出文本。",
                )
        except StopIteration:
            self._end(stopped=self._stopping.is_set())
        except Exception as error:
            self._fail(error)
        else:
            self._parts.append(piece)
            if self._stopping.is_set():
                self._end(stopped=True)
            elif time.perf_counter() >= self._due:
                self.writing, self._due = "".join(self._parts), time.perf_counter() + FRAME
        return None if self._pieces is None else 0.0

    def _fail(self, error):
        """End with a sentence; what was written stays."""
        problem = str(error)
        if not isinstance(error, CourseError):
            what = f"{type(error).__name__}: {(problem.strip().splitlines() or [''])[0][:300]}"
            problem = self.text(en=f"The model broke off. {what}", zh=f"模型中断了。{what}")
        self._end(stopped=True)
        self.problem = problem

    def _end(self, stopped):
        """Keep the reply; without a word of it, hand the message back to be changed."""
        if not self.busy:
            return
        with contextlib.suppress(Exception):  # a generator may refuse to be closed
            self._pieces.close()
        self._pieces, text = None, "".join(self._parts)
        with self.hold_sync():
            if text or not stopped:
                self.messages = [
                    *self.messages,
                    {"role": "assistant", "content": text} | ({"stopped": True} if stopped else {}),
                ]
            else:
                self.push("back", text=self.messages[-1]["content"])
                self.messages = self.messages[:-1]
            self.writing, self.busy = "", False

    def _said(self) -> str:
        """The conversation as lines."""
        names = {"user": self.text(en="You: ", zh="你："), "assistant": self.text(en="Model: ", zh="模型：")}
        cut = self.text(en=" (stopped)", zh="（已停止）")
        lines = [names[m["role"]] + m["content"] + (cut if m.get("stopped") else "") for m in self.messages]
        return "\n".join(lines) or self.text(en="Nothing has been said yet.", zh="还没有人说话。")

    def describe(self):
        words = self.text(
            en=f"Chat box, temperature {self.temperature:.2f}.\n{self._said()}\n{self.problem}",
            zh=f"聊天框，温度 {self.temperature:.2f}。\n{self._said()}\n{self.problem}",
        )
        return words.strip()

    def picture(self):
        said = self._said()
        return sentence(said if len(said) <= SHOWN else "… " + said[-SHOWN:])


def chat_box(reply, *, temperature: float = 0.7) -> ChatBox:
    """Talk with a model.

    Args:
        reply: called with the messages so far (dicts with "role" and "content", the last one the learner's), the temperature and a
            `threading.Event` that says stop; gives the reply in pieces of text, as a generator does. A CourseError that it raises is
            shown in the widget, as is anything else that goes wrong.
        temperature: where the slider stands at first, 0 to 2.

    Returns:
        The widget; `widget.messages` is what was said. A reply that another box is still getting from the same function is stopped, so
        that running a cell again does not leave one behind.
    """
    for box in list(_boxes):
        if box.busy and box.reply == reply:
            box.receive("stop", {}, [])
    return ChatBox(reply, temperature)
