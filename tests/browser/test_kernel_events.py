"""A kernel interrupted or restarted while the microscope trains, and two views of one microscope, in a real JupyterLab."""

import lab
from test_microscope import MICROSCOPE, button, start, wait_for_step


def test_an_interrupt_leaves_kernel_notebook_and_microscope_usable(page, site):
    start(page, site, "micro-interrupted")
    button(page, "Train", exact=True).click()
    wait_for_step(page, 20)
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.interrupt()")
    page.wait_for_timeout(500)
    assert lab.kernel(page, "1 + 1") == "2"
    if lab.kernel(page, "m.playing") == "True":
        button(page, "Pause").click()
    lab.wait_for_kernel(page, "m.playing", "False")
    steps = int(lab.kernel(page, "m._engine.steps"))
    button(page, "Train on one batch").click()
    lab.wait_for_kernel(page, "m._engine.steps", str(steps + 1))
    assert not lab.errors(page)


def test_a_restart_ends_in_a_sentence_and_running_again_works(page, site):
    start(page, site, "micro-restarted")
    button(page, "Train", exact=True).click()
    wait_for_step(page, 20)
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    view = page.locator(MICROSCOPE)
    if view.count():  # JupyterLab may take the dead view away by itself
        button(page, "One step", exact=False).or_(button(page, "Train on one batch")).first.click()
        view.get_by_text("The kernel does not answer").wait_for(timeout=20_000)
    lab.run_all(page)
    page.locator(f"{MICROSCOPE} .neuron").first.wait_for()
    button(page, "Train", exact=True).first.click()
    lab.wait_for_kernel(page, "m.playing", "True")
    button(page, "Pause").first.click()
    lab.wait_for_kernel(page, "m.playing", "False")
    assert not lab.errors(page)


def test_two_views_of_one_microscope_show_the_same(page, site):
    start(page, site, "micro-twice", "en", 0, "m")
    views = page.locator(MICROSCOPE)
    views.nth(1).locator(".neuron").first.wait_for()
    views.nth(0).get_by_role("button", name="Train on one batch").click()
    lab.wait_for_kernel(page, "m._engine.steps", "1")
    page.wait_for_function(
        f"() => [...document.querySelectorAll('{MICROSCOPE}')].every((view) => view.dataset.step === '1')"
    )
    assert lab.picture(page, f"{MICROSCOPE} .side canvas", 0) == lab.picture(page, f"{MICROSCOPE} .side canvas", 1)
