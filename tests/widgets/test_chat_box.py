"""The chat box: streamed replies, stop within a token, one reply at a time, failing functions; its view in the page."""

import threading
import time

import pytest

from lmcourse import language
from lmcourse.language import CourseError
from lmcourse.widgets.chat_box import chat_box


class Typist:
    """A reply function that writes one word whenever it is allowed to, and remembers what it was called with."""

    def __init__(self, words=("one ", "two ", "three")):
        self.words, self.calls, self.allowed, self.given = words, [], threading.Semaphore(0), 0

    def __call__(self, messages, temperature, stop_event):
        self.calls.append((messages, temperature))
        for word in self.words:
            self.allowed.acquire(timeout=10)
            if stop_event.is_set():
                return
            self.given += 1
            yield word

    def allow(self, words=1):
        for _ in range(words):
            self.allowed.release()


@pytest.fixture
def open_box():
    boxes = []

    def make(reply, **settings):
        boxes.append(chat_box(reply, **settings))
        return boxes[-1]

    yield make
    for box in boxes:
        if isinstance(box.reply, Typist):
            box.reply.allow(100)
        box.close()


def wait(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.005)


def ask(box, kind, **content):
    """Send what the page sends, and wait until it is acknowledged."""
    step = box.step
    box.receive(kind, content, [])
    wait(lambda: box.step > step)


def say(box, text):
    ask(box, "send", text=text)
    wait(lambda: not box.busy)


def test_a_conversation_is_kept_and_handed_on(open_box):
    typist = Typist()
    typist.allow(100)
    box = open_box(typist, temperature=0.3)
    say(box, "Count.")
    box.temperature = 1.2
    say(box, "Again.")
    count = [{"role": "user", "content": "Count."}, {"role": "assistant", "content": "one two three"}]
    assert typist.calls[0] == (count[:1], 0.3)
    assert typist.calls[1] == ([*count, {"role": "user", "content": "Again."}], 1.2)
    assert len(box.messages) == 4 and not box.writing and not box.problem


def test_a_reply_is_seen_while_it_is_written(open_box):
    typist = Typist()
    box = open_box(typist)
    ask(box, "send", text="Count.")
    assert box.busy and box.messages == [{"role": "user", "content": "Count."}]
    typist.allow()
    wait(lambda: box.writing == "one ")
    typist.allow(2)
    wait(lambda: not box.busy)
    assert box.messages[-1] == {"role": "assistant", "content": "one two three"}


@pytest.mark.parametrize("obeys", [True, False], ids=["looks at the event", "ignores it"])
def test_stop_takes_effect_within_a_token(open_box, obeys):
    typist = Typist([f"{n} " for n in range(50)])
    reply = typist if obeys else lambda messages, t, _: typist(messages, t, threading.Event())
    box = open_box(reply)
    ask(box, "send", text="Count.")
    typist.allow(3)
    wait(lambda: typist.given == 3)
    box.receive("stop", {}, [])
    typist.allow(5)
    wait(lambda: not box.busy)
    assert typist.given <= 4
    assert box.messages[-1]["stopped"] and box.messages[-1]["content"].startswith("0 1 2 ")
    say_again = len(typist.calls)
    box.receive("send", {"text": "Go on."}, [])
    wait(lambda: len(typist.calls) > say_again)
    assert "stopped" not in typist.calls[-1][0][1], "the function sees roles and contents only"
    typist.allow(100)


def test_stopped_before_the_first_word_the_message_comes_back(open_box, monkeypatch):
    box, sent = open_box(Typist()), []
    monkeypatch.setattr(box, "push", lambda kind, **content: sent.append((kind, content)))
    ask(box, "send", text="Count.")
    box.receive("stop", {}, [])
    box.reply.allow()
    wait(lambda: not box.busy)
    assert box.messages == [] and sent == [("back", {"text": "Count."})]


def test_start_over_forgets_everything_even_while_writing(open_box):
    typist = Typist()
    box = open_box(typist)
    ask(box, "send", text="Count.")
    typist.allow()
    wait(lambda: box.writing)
    box.receive("reset", {}, [])
    typist.allow()
    wait(lambda: not box.busy and box.messages == [])
    typist.allow(100)
    say(box, "Count.")
    assert typist.calls[-1][0] == [{"role": "user", "content": "Count."}]


def test_a_second_message_during_a_reply_is_refused(open_box):
    typist = Typist()
    box = open_box(typist)
    ask(box, "send", text="Count.")
    box.receive("send", {"text": "And?"}, [])
    typist.allow()
    wait(lambda: "One reply at a time" in box.problem)
    typist.allow(2)
    wait(lambda: not box.busy)
    assert [m["content"] for m in box.messages] == ["Count.", "one two three"] and len(typist.calls) == 1


def test_two_boxes_do_not_share_a_model_at_the_same_time(open_box):
    typist = Typist()
    first, second = open_box(typist), open_box(typist)
    ask(first, "send", text="Count.")
    ask(second, "send", text="Count.")
    assert "another chat box" in second.problem and not second.busy
    typist.allow(100)
    wait(lambda: not first.busy)
    say(second, "Count.")
    assert not second.problem and len(second.messages) == 2


def test_running_the_cell_again_stops_the_old_reply(open_box):
    typist = Typist()
    old = open_box(typist)
    ask(old, "send", text="Count.")
    new = open_box(typist)
    typist.allow()
    wait(lambda: not old.busy)
    typist.allow(100)
    say(new, "Count.")
    assert new.messages[-1]["content"] == "one two three"


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_an_empty_message_is_not_sent(open_box, text):
    box = open_box(Typist())
    ask(box, "send", text=text)
    assert box.problem == "Type a message first." and not box.messages and not box.reply.calls


def too_long(messages, temperature, stop_event):
    raise CourseError(en="That is longer than 2048 tokens.", zh="超过了 2048 个词元。")
    yield


def breaks_off(messages, temperature, stop_event):
    yield "So far so "
    raise RuntimeError("<b>out of ink</b>")


@pytest.mark.parametrize(
    ("reply", "words", "messages"),
    [
        (too_long, "That is longer than 2048 tokens.", 0),
        (breaks_off, "The model broke off. RuntimeError: <b>out of ink</b>", 2),
        (lambda messages, temperature, stop_event: None, "TypeError", 0),
        (lambda messages, temperature, stop_event: [3], "yielded a int", 0),
        (lambda: ["hello"], "TypeError", 0),
        (None, "TypeError", 0),
    ],
    ids=["too long", "breaks off", "no pieces", "numbers", "other arguments", "no function"],
)
def test_a_function_that_fails_is_a_sentence_and_the_box_goes_on(open_box, reply, words, messages):
    box = open_box(reply)
    say(box, "Hello.")
    assert words in box.problem and len(box.messages) == messages
    assert words.split(".")[0] in box.describe()
    box.reply = lambda messages, temperature, stop_event: iter(["fine"])
    say(box, "Hello.")
    assert box.messages[-1] == {"role": "assistant", "content": "fine"} and not box.problem


def test_a_model_that_says_nothing_has_said_nothing(open_box):
    box = open_box(lambda messages, temperature, stop_event: iter([]))
    say(box, "Hello?")
    assert box.messages[-1] == {"role": "assistant", "content": ""}


def test_the_temperature_stays_in_its_range(open_box):
    box = open_box(Typist(), temperature=9)
    assert box.temperature == 2
    box.temperature = float("nan")
    assert box.temperature == 0.7


def test_closing_ends_the_thread(open_box):
    typist = Typist()
    box = open_box(typist)
    ask(box, "send", text="Count.")
    thread = box._worker.thread
    typist.allow()
    box.close()
    assert not thread.is_alive()


@pytest.mark.parametrize(
    ("lang", "who", "nothing"), [("en", "You: 你好", "Nothing has been"), ("zh", "你：你好", "还没有人")]
)
def test_words_and_picture(open_box, lang, who, nothing):
    language.use(lang)
    typist = Typist(["你好！$x$ <b>" + 400 * "long "])
    typist.allow(100)
    box = open_box(typist)
    assert nothing in box.describe()
    empty = box.png()
    say(box, "你好")
    assert who in box.describe() and "$x$ <b>" in box.describe()
    assert box.png() != empty and len(box.png()) < 60_000


# ---- the page

RENDER = """async ({state}) => {
  const m = await import("/chat_box.js");
  document.body.replaceChildren();
  window.model = window.fakeModel({language: "en", problem: "", messages: [], writing: "", busy: false, temperature: 0.5, step: 0, ...state});
  window.close = m.default.render({model, el: document.body});
}"""
SENT = "() => window.model.sent"


def rendered(page, **state):
    page.evaluate(RENDER, {"state": state})
    return page.locator("textarea")


def tell(page, **changes):
    page.evaluate("(changes) => window.model.set(changes)", changes)


def test_enter_sends_and_shift_enter_begins_a_line(modules):
    box = rendered(modules)
    modules.evaluate(
        "() => document.addEventListener('keydown', (e) => (window.leaked = (window.leaked ?? '') + e.key))"
    )
    box.focus()
    modules.keyboard.type("a")
    modules.keyboard.press("Shift+Enter")
    modules.keyboard.type("b")
    assert box.input_value() == "a\nb" and modules.evaluate(SENT) == []
    modules.keyboard.press("Enter")
    assert modules.evaluate(SENT) == [{"kind": "send", "text": "a\nb"}]
    assert box.input_value() == "a\nb", "it stays until the kernel has it"
    tell(modules, messages=[{"role": "user", "content": "a\nb"}], busy=True, step=1)
    assert box.input_value() == ""
    assert modules.evaluate("() => window.leaked ?? ''").replace("Shift", "") == "", "no key reaches JupyterLab"


def test_a_word_that_an_input_method_ends_with_enter_is_not_sent(modules):
    rendered(modules).focus()
    modules.evaluate(
        "() => document.querySelector('textarea').dispatchEvent(new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true}))"
    )
    assert modules.evaluate(SENT) == []


def test_a_reply_grows_and_what_is_said_is_never_markup(modules):
    rendered(modules, messages=[{"role": "user", "content": "<img src=x onerror=alert(1)>"}], busy=True)
    tell(modules, writing="<b>one")
    tell(modules, writing="<b>one two")
    assert modules.locator(".turn .said").all_inner_texts() == ["<img src=x onerror=alert(1)>", "<b>one two"]
    assert modules.locator(".log img, .log b").count() == 0
    assert modules.get_by_role("button", name="Send").is_disabled()
    modules.get_by_role("button", name="Stop").click()
    assert modules.evaluate(SENT) == [{"kind": "stop"}]
    tell(modules, messages=[{"role": "user", "content": "hi"}, {"role": "assistant", "content": "one", "stopped": True}],
         writing="", busy=False, step=1)  # fmt: skip
    assert "Model, stopped" in modules.locator(".turn").last.inner_text()
    assert modules.get_by_role("button", name="Stop").is_disabled()
    assert modules.evaluate("() => document.activeElement.tagName") == "TEXTAREA", "the keyboard is not lost"
    modules.locator(".heard", has_text="Model: one").wait_for(state="attached")


def test_a_message_during_a_reply_is_refused_and_kept(modules):
    box = rendered(modules, messages=[{"role": "user", "content": "hi"}], busy=True)
    box.fill("more")
    box.press("Enter")
    assert modules.evaluate(SENT) == [] and box.input_value() == "more"
    assert modules.get_by_text("One reply at a time").count() == 1


def test_a_refused_message_comes_back_to_be_changed(modules):
    box = rendered(modules)
    modules.evaluate("() => window.model.trigger('msg:custom', {kind: 'back', text: 'too long'}, [])")
    assert box.input_value() == "too long"
    box.fill("my own")
    modules.evaluate("() => window.model.trigger('msg:custom', {kind: 'back', text: 'too long'}, [])")
    assert box.input_value() == "my own"


def test_a_silent_kernel_is_said(modules):
    modules.clock.install()
    box = rendered(modules)
    box.fill("hello")
    box.press("Enter")
    modules.clock.run_for(6000)
    assert modules.get_by_text("No answer from the kernel").count() == 1 and box.input_value() == "hello"
    tell(modules, messages=[{"role": "user", "content": "hello"}], busy=True, step=1)
    assert modules.get_by_text("No answer from the kernel").count() == 0 and box.input_value() == ""


def test_temperature_and_reset_are_sent_and_followed(modules):
    rendered(modules, language="zh", messages=[{"role": "user", "content": "你好"}])
    slider = modules.get_by_label("温度 T")
    slider.focus()
    modules.keyboard.press("ArrowRight")
    assert modules.evaluate("() => window.model.state.temperature") == 0.55
    modules.keyboard.press("Home")
    assert modules.get_by_text("0：总取最可能的").count() == 1
    tell(modules, temperature=1.5)
    assert slider.input_value() == "1.5"
    modules.get_by_role("button", name="重新开始").click()
    assert modules.evaluate(SENT) == [{"kind": "reset"}]
    tell(modules, messages=[], step=1)
    assert modules.get_by_text("还没有人说话。").count() == 1


def test_two_views_and_a_clean_end(modules):
    rendered(modules, busy=True, writing="so", messages=[{"role": "user", "content": "hi"}])
    listeners = modules.evaluate(
        """async () => {
          const m = await import("/chat_box.js");
          const before = window.model.listeners(), second = document.createElement("div");
          document.body.append(second);
          const close = m.default.render({model: window.model, el: second});
          window.model.set("writing", "so far");
          const texts = [...document.querySelectorAll(".live .said")].map((e) => e.textContent);
          close();
          return [texts, second.childElementCount, window.model.listeners() - before];
        }"""
    )
    assert listeners == [["so far", "so far"], 0, 0]
