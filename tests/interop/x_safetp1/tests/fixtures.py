"""What the tests share: one small key, a finished exchange, and a running server."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from ipaddress import ip_address
from pathlib import Path

from .. import dsa
from ..client import Client, Settings
from ..commands import Account
from ..data import Level
from ..exchange import ClientExchange, ServerExchange, Session
from ..server import Server

ADDRESS = ip_address("192.0.2.7")
LOOPBACK = ip_address("127.0.0.1")


@cache
def key(bits: int = 1024) -> dsa.PrivateKey:
    """A key that all tests use; the short one is found faster."""
    return dsa.generate(bits)


def trust_any(_key: dsa.PublicKey) -> None:
    """Accepts every key that passed its checks."""


def both_sides() -> tuple[ClientExchange, ServerExchange]:
    """Two sides that agree on the address."""
    return ClientExchange(ADDRESS, trust_any), ServerExchange(key(), ADDRESS)


def sessions() -> tuple[Session, Session]:
    """The client's and the server's session of one finished exchange."""
    client, server = both_sides()
    message3 = server.answer_challenge(client.answer_key(server.offer_key()))
    message4, session = client.answer_proof(message3)
    return session, server.check_proof(message4)


@contextmanager
def running_server(root: Path, announced: str = "127.0.0.1", host: str = "127.0.0.1") -> Iterator[Server]:
    """A server on a free port of loopback, for the user `eve` with the password `secret`."""
    server = Server.bind(host, 0, key(), Account("eve", "secret", root, ip_address(announced)))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()


def connect(server: Server, level: Level = Level.PRIVATE, pbsz: int = 65536, **more: object) -> Client:
    """A client of that server, logged in."""
    host = server.listener.getsockname()[0]
    return Client.connect(Settings(host, server.port(), "eve", "secret", level, pbsz, **more))  # type: ignore[arg-type]


def flips(message: bytes) -> Iterator[bytes]:
    """The message with each of its octets changed in one bit."""
    for place in range(len(message)):
        yield message[:place] + bytes([message[place] ^ 1 << place % 8]) + message[place + 1 :]
