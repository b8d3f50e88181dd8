import lab
import pytest


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium; skips where there is none."""
    with lab.chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def site(browser, tmp_path_factory):
    """JupyterLab on an empty folder, `site.folder`; started after the browser, so that nothing starts without one."""
    with lab.server(tmp_path_factory.mktemp("work")) as site:
        yield site


@pytest.fixture
def page(browser):
    """A fresh page; fails the test when a script on it fails."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    failures = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    yield page
    page.close()
    assert not failures
