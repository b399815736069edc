"""Protected control messages: one line each, in a numbered chain for each direction (section 5)."""

import hmac
from typing import NamedTuple, NoReturn

from .cipher import BLOCK, Chain, open_padded_shahmac, seal_shahmac
from .errors import ExhaustedCounter, Unverified
from .fields import U32_END, encode_u32
from .keys import DirectionKeys

FLAGS = b"\x02"
FLAGS_TO_CLEAR = b"\x0a"
TRAILER_OCTETS = 5
MOST_OCTETS = 24573


class Sealed(NamedTuple):
    """A message ready for base64, and the sequence-# that it carries."""

    number: int
    message: bytes


class Opened(NamedTuple):
    """A line without its CRLF, and the sequence-# under which it came."""

    number: int
    line: bytes
    answers_clear: bool = False


class Sealer:
    """Protects what this side sends."""

    def __init__(self, keys: DirectionKeys) -> None:
        self._chain = Chain(keys.control_key, keys.control_iv)
        self._shahmac_key = keys.shahmac_key
        self._next = 0

    def seal_proof(self, challenge: bytes) -> bytes:
        """Message 4: first in the chain, without SHAHMAC and number (section 3)."""
        return self._chain.encrypt(challenge)

    def seal(self, line: bytes, *, answers_clear: bool = False) -> Sealed:
        """One command or one line of a reply; its CRLF is added here."""
        if b"\r" in line or b"\n" in line:
            raise ValueError("a control message is one line")
        number = self._next
        if number == U32_END:
            raise ExhaustedCounter("the session has used up its sequence numbers")
        self._next += 1
        flags = FLAGS_TO_CLEAR if answers_clear else FLAGS
        body = line + b"\r\n" + flags + encode_u32(number)
        return Sealed(number, self._chain.encrypt(seal_shahmac(self._shahmac_key, body)))


class Opener:
    """Verifies what the other side sends; after one failure it opens nothing more.

    `hears_replies`: only in a reply can the flags say that it is one to a line in the clear.
    """

    def __init__(self, keys: DirectionKeys, *, hears_replies: bool) -> None:
        self._flags = (FLAGS, FLAGS_TO_CLEAR) if hears_replies else (FLAGS,)
        self._chain = Chain(keys.control_key, keys.control_iv)
        self._shahmac_key = keys.shahmac_key
        self._next = 0
        self._failed = False

    def open_proof(self, message: bytes, challenge: bytes) -> None:
        """Message 4, compared in constant time together with its padding."""
        if not hmac.compare_digest(self._guarded_decrypt(message), challenge + bytes([BLOCK]) * BLOCK):
            self._fail()

    def open(self, message: bytes) -> Opened:
        """The next message of this direction."""
        if len(message) > MOST_OCTETS:
            self._fail()
        padded = self._guarded_decrypt(message)
        try:
            opened = self._opened(open_padded_shahmac(self._shahmac_key, padded))
        except Unverified:
            self._fail()
        self._next += 1
        return opened

    def _opened(self, body: bytes) -> Opened:
        for flags in self._flags:
            if body[-TRAILER_OCTETS:] == flags + encode_u32(self._next):
                return Opened(self._next, _line_of(body), flags == FLAGS_TO_CLEAR)
        raise Unverified

    def _guarded_decrypt(self, message: bytes) -> bytes:
        if self._failed or self._next == U32_END:
            raise Unverified
        try:
            return self._chain.decrypt(message)
        except Unverified:
            self._fail()

    def _fail(self) -> NoReturn:
        self._failed = True
        raise Unverified from None


def _line_of(body: bytes) -> bytes:
    line = body[:-TRAILER_OCTETS].removesuffix(b"\r\n")
    if b"\r" in line or b"\n" in line:
        raise Unverified
    return line
