"""Where the page is served: a port that is ours before anything heavy is loaded, and the names browsers call it by."""

from __future__ import annotations

import errno
import ipaddress
import os
import re
import secrets
import socket
from dataclasses import dataclass

import psutil

from feeders.errors import CosimError, InputError

__all__ = ["Address", "checked_token", "take_address"]

_WHERE = "cosim app"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,128}")
_TOKEN_ALLOWED = "16 to 128 letters, digits, - or _; auto makes one"


@dataclass(frozen=True)
class Address:
    """A socket that listens, and what it is called.

    Attributes
    ----------
    socket : socket.socket
        Bound and listening; who comes early waits.
    host : str
        Name or number to call it by, without brackets.
    port : int
    names : frozenset of str
        Host headers of those who mean us, in lower case.
    token : str or None
        What a visitor has to know; None where only this machine can connect.
    """

    socket: socket.socket
    host: str
    port: int
    names: frozenset[str]
    token: str | None

    def __enter__(self) -> Address:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    @property
    def name(self) -> str:
        """Host and port as in a URL."""
        return _name(self.host, self.port)

    @property
    def url(self) -> str:
        """What to open first."""
        return f"http://{self.name}/" + (f"?token={self.token}" if self.token else "")


def checked_token(token: str | None) -> str | None:
    """The token to ask for: as given if it is long enough, a fresh one for ``"auto"``, none for None.

    Raises
    ------
    InputError
        When it is short, or has characters that URLs or cookies would quote. The message does not repeat it.
    """
    if token == "auto":
        return secrets.token_urlsafe(24)
    if token is not None and not _TOKEN.fullmatch(token):
        raise InputError(_WHERE, "--token", f"one of {len(token)} characters", _TOKEN_ALLOWED)
    return token


def take_address(host: str, port: int, token: str | None) -> Address:
    """Bind and listen, on one address and nothing else, whatever the environment says.

    Parameters
    ----------
    host : str
        A number or name of this machine.
    port : int
        0 takes any that is free.
    token : str or None
        As `checked_token` returns it; needed where other machines can connect.

    Raises
    ------
    InputError
        When others could connect and there is no token, or the host is none of this machine's.
    CosimError
        When the port is in use, or not for this user.
    """
    family, number = _resolved(host, port)
    at = ipaddress.ip_address(number.partition("%")[0])
    if token is None and not at.is_loopback:
        allowed = f"for --host {host}, which other machines can reach, {_TOKEN_ALLOWED}"
        raise InputError(_WHERE, "--token", None, allowed)
    listening = _listening(family, number, host, port)
    taken = int(listening.getsockname()[1])
    hosts = {*_LOOPBACK, host, number}
    shown = host
    if at.is_unspecified:
        hosts |= _own_names()
        shown = socket.gethostname()
    names = {_name(each, taken) for each in hosts}
    if taken == 80:  # browsers leave it out
        names |= {name.removesuffix(":80") for name in names}
    return Address(listening, shown, taken, frozenset(name.lower() for name in names), token)


def _resolved(host: str, port: int) -> tuple[socket.AddressFamily, str]:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):
        raise InputError(_WHERE, "--host", host, "a name or number of this machine, e.g. 127.0.0.1") from None
    return family, str(address[0])


def _listening(family: socket.AddressFamily, number: str, host: str, port: int) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # else a port is kept for minutes after its server ended
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((number, port))
        made.listen(128)
    except OSError as error:
        made.close()
        raise _refusal(error, host, port) from None
    made.setblocking(False)
    return made


def _refusal(error: OSError, host: str, port: int) -> CosimError:
    another = "another with --port, any free one with --port 0"
    if error.errno == errno.EADDRINUSE:
        return CosimError(f"port {port} of {host} is in use; {another}")
    if error.errno == errno.EACCES:
        return CosimError(f"port {port} of {host} is not for this user; {another}")
    return InputError(_WHERE, "--host", host, f"a name or number of this machine ({error.strerror})")


def _own_names() -> set[str]:
    """All that this machine is called by, for a server that listens to all of it."""
    numbers = {
        each.address
        for addresses in psutil.net_if_addrs().values()
        for each in addresses
        if each.family in (socket.AF_INET, socket.AF_INET6) and "%" not in each.address
    }
    return numbers | {socket.gethostname(), socket.getfqdn()}


def _name(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
