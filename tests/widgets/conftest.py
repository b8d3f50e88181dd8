from pathlib import Path

import lab
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "lmcourse/widgets"

# A stand-in for the model that anywidget hands to render(): state, events, and what was sent.
FAKE_MODEL = """
window.fakeModel = (state) => {
  const handlers = [];
  return {
    state, sent: [], saved: 0,
    get: (name) => state[name],
    set(name, value) {
      const changes = typeof name === "string" ? {[name]: value} : name;
      Object.assign(state, changes);
      for (const key of Object.keys(changes)) this.trigger("change:" + key);
    },
    save_changes() { this.saved++; },
    send(content, callbacks, buffers) { this.sent.push(content); },
    on: (event, handler) => handlers.push([event, handler]),
    off: (event, handler) => { const i = handlers.findIndex(([e, h]) => e === event && h === handler); if (i >= 0) handlers.splice(i, 1); },
    trigger: (event, ...words) => { for (const [e, handler] of [...handlers]) if (e === event) handler(...words); },
    listeners: () => handlers.length,
  };
};
window.bytes = (numbers) => new DataView(new Float32Array(numbers).buffer);
"""


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium; skips where there is none."""
    with lab.chromium() as browser:
        yield browser


@pytest.fixture
def modules(browser):
    """An empty page on which `import("/common.js")` and every other widget module can be imported as they are."""

    def serve(route):
        name = route.request.url.rpartition("/")[2]
        if name == "empty.html":
            route.fulfill(body="<!doctype html><body></body>", content_type="text/html")
        elif (FOLDER / name).is_file():
            route.fulfill(body=(FOLDER / name).read_bytes(), content_type="text/javascript")
        else:
            route.fulfill(status=404)

    page = browser.new_page()
    failures = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    page.route("**/*", serve)
    page.add_init_script(FAKE_MODEL)
    page.goto("http://widgets.test/empty.html")
    yield page
    page.close()
    assert not failures
