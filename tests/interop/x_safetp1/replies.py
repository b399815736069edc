"""Replies of RFC 959 section 4.2, in the clear and in 632 (section 5, "Control messages")."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from . import encoding
from .control import Opener
from .errors import InjectedCommand, MalformedMessage, UnexpectedReply
from .lines import LineSocket

FIRST_LINE = re.compile(rb"[1-6][0-9]{2}[ -]")
LINES_LIMIT = 1024


@dataclass(frozen=True)
class Reply:
    """A whole reply: its code and its lines as they came."""

    code: int
    lines: tuple[str, ...]

    def text(self) -> str:
        """The last line without its code."""
        return self.lines[-1][4:]

    def expect(self, *codes: int) -> "Reply":
        """This reply, if it has one of the codes."""
        if self.code not in codes:
            raise UnexpectedReply(f"the server answered: {self.lines[-1]}")
        return self


class ReplyLines:
    """Says for each line of the server's replies, as they are sent, whether more lines of the same reply follow."""

    def __init__(self) -> None:
        self._last = b""

    def prefix(self, line: bytes) -> bytes:
        """`632-` for all but the last line of a reply."""
        self._last = self._last or line[:3] + b" "
        if not line.startswith(self._last):
            return b"632-"
        self._last = b""
        return b"632 "


def read_clear(lines: LineSocket) -> Reply:
    """A reply before the exchange is done."""
    return _collect(lines.read)


def read_protected(lines: LineSocket, opener: Opener, *, to_clear: bool = False) -> Reply:
    """A reply after 632; `to_clear`: to a line that was sent in the clear.

    The hyphen of `632-` is not covered by any HMAC. So the end of a reply is where the verified lines say.
    """

    def next_line() -> bytes:
        opened = opener.open(_after_632(lines.read()))
        if opened.answers_clear != to_clear:
            raise InjectedCommand("a command that this client did not send was injected into the session")
        return opened.line

    return _collect(next_line)


def _after_632(line: bytes) -> bytes:
    if line[:4] not in (b"632 ", b"632-"):
        raise MalformedMessage("the server sent a reply in the clear in a protected session")
    return encoding.decode(line[4:])


def _collect(next_line: Callable[[], bytes]) -> Reply:
    first = next_line()
    if not FIRST_LINE.match(first):
        raise MalformedMessage("a reply begins without a code")
    collected = [first]
    last = first[:3] + b" "
    while not collected[-1].startswith(last):
        if len(collected) == LINES_LIMIT:
            raise MalformedMessage("a reply does not end")
        collected.append(next_line())
    return Reply(int(first[:3]), tuple(line.decode("utf-8", "surrogateescape") for line in collected))
