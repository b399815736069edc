"""A client that speaks X-SafeTP1 and nothing else: one exchange, one transfer."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import BinaryIO

from . import encoding, stream
from .data import PBSZ_LEAST, Level, Transfer, Wear
from .dsa import PublicKey
from .errors import DowngradedServer, UnexpectedReply, UntrustedKey, Unverified, WornOutKey
from .exchange import Address, ClientExchange, Session
from .keys import DirectionKeys
from .lines import TIMEOUT_SECONDS, LineSocket
from .replies import Reply, read_clear, read_protected

ADAT = b"ADAT "


@dataclass(frozen=True)
class Settings:
    """How to reach the server and what to ask of it."""

    host: str
    port: int
    user: str
    password: str
    level: Level
    pbsz: int
    fingerprint: str | None = None
    expect_ip: Address | None = None
    extended_passive: bool = False


@dataclass
class Client:
    """One control connection; `connect` runs everything up to PROT."""

    settings: Settings
    lines: LineSocket
    codes: list[int] = field(default_factory=list)
    fingerprint: str = ""
    pbsz: int = 0
    _session: Session | None = None

    @classmethod
    def connect(cls, settings: Settings) -> "Client":
        """Dials, authenticates the server, logs in and sets PBSZ and PROT."""
        connection = socket.create_connection((settings.host, settings.port), TIMEOUT_SECONDS)
        client = cls(settings, LineSocket(connection))
        try:
            client._note(read_clear(client.lines)).expect(220)
            client._secure()
            client._log_in()
            client._set_protection()
        except BaseException:
            client.close()
            raise
        return client

    def close(self) -> None:
        """Ends the connection without a word."""
        self.lines.close()

    def quit(self) -> None:
        """Takes leave."""
        self.command("QUIT").expect(221)
        self.close()

    def command(self, text: str) -> Reply:
        """Sends a protected command and reads its reply."""
        self._send(text)
        return self._reply()

    def store(self, source: BinaryIO, path: str) -> stream.Tally:
        """STOR; a success only if the server confirms the whole file with 226 or 250."""
        session = self._keys()
        with self._transfer(f"STOR {path}", session.sent) as (connection, number):
            transfer = self._protection(session.sending, number, session.sent)
            return stream.send(connection, source, transfer)

    def fetch(self, command: str, sink: BinaryIO) -> stream.Tally:
        """RETR, LIST or NLST; a success only with the end of the file and with 226 or 250."""
        session = self._keys()
        with self._transfer(command, session.received) as (connection, number):
            transfer = self._protection(session.receiving, number, session.received)
            return stream.receive(connection, sink, transfer)

    @contextmanager
    def _transfer(self, command: str, wear: Wear) -> Iterator[tuple[socket.socket, int]]:
        if self.settings.level is Level.PRIVATE and wear.is_worn_out():
            raise WornOutKey("this session's key has encrypted as much as 3DES is good for; begin a new session")
        with self._dial_data() as connection:
            number = self._send(command)
            self._reply().expect(125, 150)
            try:
                yield connection, number
            except ConnectionError:
                # The server gave up; its reply says why, and only a reply that confirms the file would be a lie.
                self._reply().expect()
            except Unverified:
                self.close()
                raise
        self._reply().expect(226, 250)

    def _protection(self, sender: DirectionKeys, number: int, wear: Wear) -> Transfer | None:
        if self.settings.level is Level.CLEAR:
            return None
        return Transfer(sender, self.settings.level, number, self.pbsz, wear)

    def _secure(self) -> None:
        """The exchange, and the same FEAT before and after it: TLS must not have been removed from the first."""
        self.lines.write(b"FEAT")
        seen = _offers_tls(self._note(read_clear(self.lines)))
        self._exchange()
        if _offers_tls(self.command("FEAT")) and not seen:
            raise DowngradedServer("this server offers TLS, and a man in the middle has hidden that")

    def _exchange(self) -> None:
        settings = self.settings
        exchange = ClientExchange(settings.expect_ip or self._dialled(), self._trust)
        message1 = self._adat_reply(b"AUTH X-SafeTP1", 334)
        message2 = exchange.answer_key(message1)
        message3 = self._adat_reply(ADAT + encoding.encode(message2), 335)
        message4, session = exchange.answer_proof(message3)
        self.lines.write(ADAT + encoding.encode(message4))
        self._note(read_clear(self.lines)).expect(235)
        self._session = session

    def _adat_reply(self, command: bytes, code: int) -> bytes:
        self.lines.write(command)
        reply = self._note(read_clear(self.lines)).expect(code)
        if len(reply.lines) != 1 or not reply.text().startswith("ADAT="):
            raise UnexpectedReply(f"a {code} came without ADAT=")
        return encoding.decode(reply.text().removeprefix("ADAT=").encode())

    def _trust(self, key: PublicKey) -> None:
        self.fingerprint = key.fingerprint()
        expected = self.settings.fingerprint
        if expected is not None and expected != self.fingerprint:
            raise UntrustedKey(f"the server's key is {self.fingerprint}, expected was {expected}")

    def _log_in(self) -> None:
        if self.command(f"USER {self.settings.user}").expect(230, 331).code == 331:
            self.command(f"PASS {self.settings.password}").expect(230)
        self.command("TYPE I").expect(200)

    def _set_protection(self) -> None:
        asked = self.settings.pbsz
        text = self.command(f"PBSZ {asked}").expect(200).text()
        found = re.search(r"PBSZ=(\d+)", text)
        self.pbsz = int(found[1]) if found else asked
        if not PBSZ_LEAST <= self.pbsz <= asked:
            raise UnexpectedReply(f"the server answered PBSZ={self.pbsz} to PBSZ {asked}")
        self.command(f"PROT {self.settings.level.value}").expect(200)

    def _dial_data(self) -> socket.socket:
        control = self.lines.connection
        peer = control.getpeername()
        extended = self.settings.extended_passive or control.family == socket.AF_INET6
        port = self._extended_port() if extended else self._passive_port()
        return socket.create_connection((peer[0], port), TIMEOUT_SECONDS)

    def _passive_port(self) -> int:
        """The port of a 227; its address is ignored (section 7)."""
        found = re.search(r"(\d+),(\d+),(\d+),(\d+),(\d+),(\d+)", self.command("PASV").expect(227).text())
        if not found:
            raise UnexpectedReply("the 227 has no address")
        return int(found[5]) * 256 + int(found[6])

    def _extended_port(self) -> int:
        found = re.search(r"\(\|\|\|(\d+)\|\)", self.command("EPSV").expect(229).text())
        if not found:
            raise UnexpectedReply("the 229 has no port")
        return int(found[1])

    def _dialled(self) -> Address:
        return ip_address(self.lines.connection.getpeername()[0].split("%")[0])

    def _keys(self) -> Session:
        if self._session is None:
            raise ValueError("the exchange is not done")
        return self._session

    def _send(self, text: str) -> int:
        sealed = self._keys().sealer.seal(text.encode("utf-8", "surrogateescape"))
        self.lines.write(b"ENC " + encoding.encode(sealed.message))
        return sealed.number

    def _reply(self) -> Reply:
        return self._note(read_protected(self.lines, self._keys().opener))

    def _note(self, reply: Reply) -> Reply:
        self.codes.append(reply.code)
        return reply


def _offers_tls(features: Reply) -> bool:
    return features.code == 211 and any(line.strip().upper().startswith("AUTH TLS") for line in features.lines)


def put(client: Client, local: Path, remote: str) -> stream.Tally:
    """Sends a local file."""
    with local.open("rb") as source:
        return client.store(source, remote)


def get(client: Client, remote: str, local: Path) -> stream.Tally:
    """Fetches a file; it has its name only once it is whole."""
    partial = local.with_name(local.name + ".part")
    try:
        with partial.open("wb") as sink:
            tally = client.fetch(f"RETR {remote}", sink)
        partial.replace(local)
    finally:
        partial.unlink(missing_ok=True)
    return tally
