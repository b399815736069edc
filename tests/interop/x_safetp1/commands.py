"""The FTP commands that the server knows once they came protected."""

import hmac
import io
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import BinaryIO

from . import stream
from .data import PBSZ_LEAST, PBSZ_MOST, Level, Transfer, Wear
from .errors import SafetpError, Unverified
from .exchange import Address, Session
from .fields import U32_END
from .keys import DirectionKeys
from .lines import TIMEOUT_SECONDS
from .root import Root

BEFORE_LOGIN = {"USER", "PASS", "PBSZ", "PROT", "FEAT", "QUIT", "NOOP"}
FEATURES = ["211-Features:", " AUTH X-SafeTP1", " PBSZ", " PROT", " EPSV", " SIZE", "211 End"]


@dataclass(frozen=True)
class Account:
    """Who may log in, to what, and the address that the server says it has."""

    user: str
    password: str | None
    root: Path
    announced: Address


class Refusal(Exception):
    """A command is answered with this code and text, and the session continues."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code} {text}")


class Commands:
    """The state of one protected control connection; `reply` sends one protected line."""

    def __init__(self, account: Account, session: Session, local: socket.socket, reply: Callable[[str], None]) -> None:
        self._account = account
        self._session = session
        self._control = local
        self._reply = reply
        self._root = Root(account.root)
        self._user = ""
        self._logged_in = False
        self._pbsz: int | None = None
        self._level = Level.CLEAR
        self._listener: socket.socket | None = None
        self._rename_from: Path | None = None
        self.ended = False

    def run(self, line: str, number: int) -> None:
        """Answers one command; `number` is the sequence-# that it came under."""
        verb, _, argument = line.partition(" ")
        verb = verb.upper()
        handler: Callable[[str, int], None] | None = getattr(self, f"_do_{verb.lower()}", None)
        try:
            if handler is None:
                raise Refusal(500, "Unknown command")
            if not self._logged_in and verb not in BEFORE_LOGIN:
                raise Refusal(530, "Log in first")
            handler(argument, number)
        except Refusal as refusal:
            self._reply(str(refusal))
        except OSError as error:
            self._reply(f"550 {error.strerror or 'Not possible'}")

    def close(self) -> None:
        """Gives up the listening socket, if there is one."""
        if self._listener:
            self._listener.close()
            self._listener = None

    def _do_user(self, name: str, _number: int) -> None:
        self._user, self._logged_in = name, False
        self._reply("331 Password")

    def _do_pass(self, password: str, _number: int) -> None:
        expected = self._account.password
        fits = expected is None or hmac.compare_digest(password.encode(), expected.encode())
        if self._user != self._account.user or not fits:
            raise Refusal(530, "Login incorrect")
        self._logged_in = True
        self._reply("230 Logged in")

    def _do_pbsz(self, argument: str, _number: int) -> None:
        if not (argument.isascii() and argument.isdigit()) or not PBSZ_LEAST <= int(argument) < U32_END:
            raise Refusal(501, "Not a usable size")
        self._pbsz = min(int(argument), PBSZ_MOST)
        self._reply(f"200 PBSZ={self._pbsz}")

    def _do_prot(self, argument: str, _number: int) -> None:
        if self._pbsz is None:
            raise Refusal(503, "PBSZ first")
        if argument.upper() == "E":
            raise Refusal(536, "X-SafeTP1 has no such level")
        try:
            self._level = Level(argument.upper())
        except ValueError:
            raise Refusal(504, "Unknown level") from None
        self._reply(f"200 Protection level {self._level.value}")

    def _do_feat(self, _argument: str, _number: int) -> None:
        for line in FEATURES:
            self._reply(line)

    def _do_noop(self, _argument: str, _number: int) -> None:
        self._reply("200 OK")

    def _do_quit(self, _argument: str, _number: int) -> None:
        self.ended = True
        self._reply("221 Goodbye")

    def _do_type(self, argument: str, _number: int) -> None:
        if argument.upper() not in ("I", "L 8", "A", "A N"):
            raise Refusal(504, "Unknown type")
        self._reply("200 OK")

    def _do_pwd(self, _argument: str, _number: int) -> None:
        quoted = self._root.working_directory.replace('"', '""')
        self._reply(f'257 "{quoted}"')

    def _do_cwd(self, path: str, _number: int) -> None:
        self._root.change(path)
        self._reply("250 OK")

    def _do_mkd(self, path: str, _number: int) -> None:
        self._root.real(path).mkdir()
        quoted = self._root.virtual(path).replace('"', '""')
        self._reply(f'257 "{quoted}" made')

    def _do_dele(self, path: str, _number: int) -> None:
        self._root.real(path).unlink()
        self._reply("250 Deleted")

    def _do_rnfr(self, path: str, _number: int) -> None:
        source = self._root.real(path)
        source.stat()
        self._rename_from = source
        self._reply("350 And to?")

    def _do_rnto(self, path: str, _number: int) -> None:
        source, self._rename_from = self._rename_from, None
        if source is None:
            raise Refusal(503, "RNFR first")
        source.rename(self._root.real(path))
        self._reply("250 Renamed")

    def _do_size(self, path: str, _number: int) -> None:
        real = self._root.real(path)
        if not real.is_file():
            raise Refusal(550, "Not a file")
        self._reply(f"213 {real.stat().st_size}")

    def _do_pasv(self, _argument: str, _number: int) -> None:
        if not isinstance(self._account.announced, IPv4Address):
            raise Refusal(425, "Use EPSV")
        octets = [*self._account.announced.packed, *divmod(self._listen(), 256)]
        self._reply(f"227 Entering passive mode ({','.join(map(str, octets))})")

    def _do_epsv(self, _argument: str, _number: int) -> None:
        self._reply(f"229 Entering extended passive mode (|||{self._listen()}|)")

    def _do_list(self, path: str, number: int) -> None:
        self._send(io.BytesIO(self._root.listing(_without_options(path))), number)

    def _do_nlst(self, path: str, number: int) -> None:
        self._send(io.BytesIO(self._root.names(_without_options(path))), number)

    def _do_retr(self, path: str, number: int) -> None:
        with self._root.real(path).open("rb") as source:
            self._send(source, number)

    def _do_stor(self, path: str, number: int) -> None:
        target = self._root.real(path)
        partial = target.with_name(f".{secrets.token_hex(8)}.part")
        try:
            transfer = self._protection(self._session.receiving, number, self._session.received)
            with partial.open("xb") as sink, self._data_connection() as connection:
                tally = stream.receive(connection, sink, transfer)
            partial.replace(target)
        except Unverified as error:
            self._reply(f"426 Nothing is stored: {error}")
            self.ended = True
            raise Refusal(421, "These keys are not used again") from error
        except SafetpError as error:
            raise Refusal(426, f"Nothing is stored: {error}") from error
        finally:
            partial.unlink(missing_ok=True)
        self._reply(f"226 {tally.octets} octets stored")

    def _send(self, source: BinaryIO, number: int) -> None:
        transfer = self._protection(self._session.sending, number, self._session.sent)
        try:
            with self._data_connection() as connection:
                tally = stream.send(connection, source, transfer)
        except (SafetpError, ConnectionError, TimeoutError) as error:
            raise Refusal(426, f"Transfer ended: {error}") from error
        self._reply(f"226 {tally.octets} octets sent")

    def _protection(self, sender: DirectionKeys, number: int, wear: Wear) -> Transfer | None:
        if self._level is Level.CLEAR or self._pbsz is None:
            return None
        if self._level is Level.PRIVATE and wear.is_worn_out():
            raise Refusal(534, "This key has encrypted as much as 3DES is good for; connect again")
        return Transfer(sender, self._level, number, self._pbsz, wear)

    def _listen(self) -> int:
        self.close()
        self._listener = socket.create_server((self._control.getsockname()[0], 0), family=self._control.family)
        self._listener.settimeout(TIMEOUT_SECONDS)
        return int(self._listener.getsockname()[1])

    @contextmanager
    def _data_connection(self) -> Iterator[socket.socket]:
        if self._listener is None:
            raise Refusal(425, "PASV or EPSV first")
        self._reply("150 Go ahead")
        try:
            connection, peer = self._listener.accept()
        except OSError:
            raise Refusal(425, "No data connection came") from None
        finally:
            self.close()
        with connection:
            if peer[0] != self._control.getpeername()[0]:
                raise Refusal(425, "The data connection came from elsewhere")
            connection.settimeout(TIMEOUT_SECONDS)
            yield connection


def _without_options(argument: str) -> str:
    """Clients send `LIST -a PATH`; the options mean nothing here."""
    return " ".join(word for word in argument.split(" ") if not word.startswith("-"))
