"""A small FTP server that speaks X-SafeTP1 only; one thread for each connection."""

import re
import socket
import threading
from dataclasses import dataclass, field

from . import encoding
from .commands import Account, Commands
from .control import Opened
from .dsa import PrivateKey
from .errors import ConnectionEnded, FailedProof, LongLine, MalformedMessage, SafetpError, Unverified
from .exchange import ServerExchange, Session
from .lines import LineSocket
from .replies import ReplyLines

MOST_FAILURES = 3
COMMAND = re.compile(rb"[A-Za-z]{3,4}( .*)?")
COMMAND_LIMIT = 4160
REFUSED = {
    b"AUTH": "503 The session is protected already",
    b"ADAT": "503 The session is protected already",
    b"ENC": "537 This is inside of an ENC",
    b"MIC": "537 Use ENC",
    b"CONF": "537 Use ENC",
    b"CCC": "534 The control channel stays protected",
}
BEFORE_EXCHANGE = {b"PBSZ": "503 AUTH first", b"PROT": "503 AUTH first", b"ENC": "503 AUTH first"}


class Ended(Exception):
    """The session is over; everything has been said."""


@dataclass
class Server:
    """Listens, and serves each connection until `close`."""

    listener: socket.socket
    key: PrivateKey
    account: Account

    @classmethod
    def bind(cls, host: str, port: int, key: PrivateKey, account: Account) -> "Server":
        """A server that listens already; port 0 takes a free one."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return cls(socket.create_server((host, port), family=family), key, account)

    def port(self) -> int:
        """The port that it got."""
        return int(self.listener.getsockname()[1])

    def run(self) -> None:
        """Accepts until the listener is closed."""
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def close(self) -> None:
        """Ends `run`; open connections continue."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                ClearDialogue(LineSocket(connection), self.key, self.account).run()
            except (Ended, SafetpError, OSError):
                return


@dataclass
class ClearDialogue:
    """The dialogue of section 1, up to 235; then the protected one takes over."""

    lines: LineSocket
    key: PrivateKey
    account: Account
    _exchange: ServerExchange | None = None
    _challenged: bool = False
    _failures: int = 0
    _session: Session | None = field(default=None)

    def run(self) -> None:
        """Serves the whole connection."""
        self._say("220 X-SafeTP1 test server")
        while self._session is None:
            self._answer(self.lines.read())
        ProtectedDialogue(self.lines, self._session, self.account).run()

    def _answer(self, line: bytes) -> None:
        verb, _, argument = line.partition(b" ")
        match verb.upper():
            case b"AUTH":
                self._auth(argument)
            case b"ADAT":
                self._adat(argument)
            case b"QUIT":
                self._end("221 Goodbye")
            case b"FEAT":
                self._say("211-Features:\r\n AUTH X-SafeTP1\r\n211 End")
            case other:
                self._say(BEFORE_EXCHANGE.get(other, "530 AUTH X-SafeTP1 first"))

    def _auth(self, mechanism: bytes) -> None:
        if mechanism.upper() != b"X-SAFETP1":
            self._say("504 Only X-SafeTP1 is offered")
            return
        self._exchange = ServerExchange(self.key, self.account.announced)
        self._challenged = False
        self._say_adat(334, self._exchange.offer_key())

    def _adat(self, argument: bytes) -> None:
        if self._exchange is None:
            self._say("503 AUTH first")
            return
        try:
            message = encoding.decode(argument)
        except MalformedMessage:
            self._say("501 Not base64")
            return
        try:
            self._advance(self._exchange, message)
        except (MalformedMessage, FailedProof, Unverified) as error:
            self._fail(error)

    def _advance(self, exchange: ServerExchange, message: bytes) -> None:
        if not self._challenged:
            self._say_adat(335, exchange.answer_challenge(message))
            self._challenged = True
            return
        session = exchange.check_proof(message)
        if self.lines.has_waiting():
            self._end("421 Octets came after the last ADAT")
        self._say("235 Protected from here on")
        self._session = session

    def _fail(self, error: SafetpError) -> None:
        self._exchange = None
        self._failures += 1
        self._say(f"535 {error}")
        if self._failures == MOST_FAILURES:
            self._end("421 Too many failures")

    def _say_adat(self, code: int, message: bytes) -> None:
        self.lines.write(f"{code} ADAT=".encode() + encoding.encode(message))

    def _say(self, text: str) -> None:
        self.lines.write(text.encode())

    def _end(self, text: str) -> None:
        self._say(text)
        raise Ended


class ProtectedDialogue:
    """Everything after 235: ENC in, 632 out (section 5)."""

    def __init__(self, lines: LineSocket, session: Session, account: Account) -> None:
        self._lines = lines
        self._session = session
        self._commands = Commands(account, session, lines.connection, self._say)
        self._reply = ReplyLines()

    def run(self) -> None:
        """Serves until QUIT, the end of the connection, or a message that does not verify."""
        try:
            while not self._commands.ended:
                self._answer_next()
        except ConnectionEnded:
            return
        finally:
            self._commands.close()

    def _answer_next(self) -> None:
        try:
            line = self._lines.read()
        except LongLine as error:
            self._say_to_clear(f"500 {error}")
            return
        verb, _, argument = line.partition(b" ")
        if verb.upper() != b"ENC":
            self._say_to_clear(_refuse_clear(line, verb.upper()))
            return
        try:
            message = encoding.decode(argument)
        except MalformedMessage:
            message = b""
        if message:
            self._run(self._open(message))
        else:
            self._say_to_clear("501 Not base64")

    def _open(self, message: bytes) -> Opened:
        try:
            return self._session.opener.open(message)
        except Unverified as error:
            self._say(f"535 {error}")
            raise Ended from None

    def _run(self, opened: Opened) -> None:
        refusal = REFUSED.get(opened.line.split(b" ")[0].upper())
        if refusal:
            self._say(refusal)
            return
        if len(opened.line) > COMMAND_LIMIT:
            self._say("500 Too long")
            return
        self._commands.run(opened.line.decode("utf-8", "surrogateescape"), opened.number)

    def _say(self, line: str, *, answers_clear: bool = False) -> None:
        """Sends one line of a reply."""
        octets = line.encode("utf-8", "surrogateescape")
        sealed = self._session.sealer.seal(octets, answers_clear=answers_clear)
        self._lines.write(self._reply.prefix(octets) + encoding.encode(sealed.message))

    def _say_to_clear(self, line: str) -> None:
        self._say(line, answers_clear=True)


def _refuse_clear(line: bytes, verb: bytes) -> str:
    """What a line in the clear gets."""
    if verb in (b"MIC", b"CONF"):
        return "537 Use ENC"
    return "533 Protect it" if COMMAND.fullmatch(line) else "500 Not a command"
