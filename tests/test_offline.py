"""The guard that cuts the network for notebooks is itself tested, inside a namespace that no packet can leave."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

OFFLINE = Path(__file__).resolve().parent / "offline"


def guarded(code: str, log: Path, isolate: list[str]) -> subprocess.CompletedProcess:
    environment = os.environ | {"PYTHONPATH": str(OFFLINE), "LMCOURSE_NETWORK_LOG": str(log)}
    return subprocess.run(
        [*isolate, sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(autouse=True)
def needs_a_namespace(isolate):
    if not isolate:
        pytest.skip("this system allows no network namespaces (unshare -rn), so attempts to connect are not tried here")


ATTEMPTS = {
    "connect": "import socket; socket.create_connection(('192.0.2.1', 80), 1)",
    "connect_ex": "import socket; socket.socket().connect_ex(('192.0.2.1', 80))",
    "IPv6": "import socket; socket.socket(socket.AF_INET6).connect(('2001:db8::1', 80))",
    "a name": "import socket; socket.getaddrinfo('example.org', 80)",
    "UDP": "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 9))",
    "urllib": "import urllib.request; urllib.request.urlopen('http://192.0.2.1/')",
    "a thread": "import socket, threading as t; x = t.Thread(target=lambda: socket.create_connection(('192.0.2.1', 80), 1)); x.start(); x.join()",
    "a child": "import subprocess, sys; subprocess.run([sys.executable, '-c', \"import socket; socket.create_connection(('192.0.2.1', 80), 1)\"])",
}


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS.keys())
def test_an_attempt_is_refused_and_logged_even_when_swallowed(attempt, isolate, tmp_path):
    log = tmp_path / "log"
    swallowed = f"try:\n    exec({attempt!r})\nexcept BaseException:\n    pass\nprint(open('/proc/net/dev').read())"
    done = guarded(swallowed, log, isolate)
    assert "refused: no lesson may need the network" in log.read_text()
    (other,) = [line for line in done.stdout.splitlines()[2:] if line.strip()] or [""]  # the namespace holds only lo
    assert other.strip().startswith("lo:")


def test_the_loopback_and_unix_sockets_work(isolate, tmp_path):
    code = f"""
import socket
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(("localhost", server.getsockname()[1])).close()
unix = socket.socket(socket.AF_UNIX); unix.bind({str(tmp_path / "s")!r}); unix.listen()
socket.socket(socket.AF_UNIX).connect({str(tmp_path / "s")!r})
print("fine")
"""
    log = tmp_path / "log"
    assert guarded(code, log, isolate).stdout == "fine\n"
    assert not log.exists()
