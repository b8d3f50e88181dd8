"""Refuse every connection that leaves this machine, in this process and in each Python that it starts.

Python imports this module at start when its folder is on PYTHONPATH. The attempt is also written to the file that
LMCOURSE_NETWORK_LOG names, because a lesson may swallow the exception. An audit hook cannot be removed or bypassed from Python.
"""

import ipaddress
import os
import sys
from pathlib import Path


def _is_loopback(host) -> bool:
    if host in (None, "", "localhost", b"localhost"):
        return True
    try:
        return ipaddress.ip_address(host.decode() if isinstance(host, bytes) else host).is_loopback
    except ValueError:  # a name that would have to be looked up
        return False


def _host(event: str, arguments):
    """The host that an audit event is about, or None where there is none."""
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        return arguments[0]
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        address = arguments[1]
        return address[0] if isinstance(address, tuple) else None  # a Unix socket's address is a path
    return None


def _guard(event: str, arguments) -> None:
    if not event.startswith("socket.") or _is_loopback(_host(event, arguments)):
        return
    message = f"{event} to {_host(event, arguments)!r} refused: no lesson may need the network"
    log = os.environ.get("LMCOURSE_NETWORK_LOG")
    if log:
        with Path(log).open("a", encoding="utf-8") as file:
            file.write(f"{os.getpid()} {message}\n")
    raise ConnectionRefusedError(message)


sys.addaudithook(_guard)
