"""Protected control messages: one line each, in a numbered chain for each direction (section 5)."""

import hmac
from typing import NamedTuple, NoReturn

from .cipher import Chain, open_shahmac, seal_shahmac
from .errors import ExhaustedCounter, Unverified
from .fields import U32_END, encode_u32
from .keys import DirectionKeys

FLAGS = b"\x02"
TRAILER_OCTETS = 5


class Sealed(NamedTuple):
    """A message ready for base64, and the sequence-# that it carries."""

    number: int
    message: bytes


class Opened(NamedTuple):
    """A line without its CRLF, and the sequence-# under which it came."""

    number: int
    line: bytes


class Sealer:
    """Protects what this side sends."""

    def __init__(self, keys: DirectionKeys) -> None:
        self._chain = Chain(keys.control_key, keys.control_iv)
        self._shahmac_key = keys.shahmac_key
        self._next = 0

    def seal_proof(self, challenge: bytes) -> bytes:
        """Message 4: first in the chain, without SHAHMAC and number (section 3)."""
        return self._chain.encrypt(challenge)

    def seal(self, line: bytes) -> Sealed:
        """One command or one line of a reply; its CRLF is added here."""
        if b"\r" in line or b"\n" in line:
            raise ValueError("a control message is one line")
        number = self._next
        if number == U32_END - 1:
            raise ExhaustedCounter("the session has used up its sequence numbers")
        self._next += 1
        body = line + b"\r\n" + FLAGS + encode_u32(number)
        return Sealed(number, self._chain.encrypt(seal_shahmac(self._shahmac_key, body)))


class Opener:
    """Verifies what the other side sends; after one failure it opens nothing more."""

    def __init__(self, keys: DirectionKeys) -> None:
        self._chain = Chain(keys.control_key, keys.control_iv)
        self._shahmac_key = keys.shahmac_key
        self._next = 0
        self._failed = False

    def open_proof(self, message: bytes, challenge: bytes) -> None:
        """Message 4, compared in constant time."""
        if not hmac.compare_digest(self._guarded_decrypt(message), challenge):
            self._fail()

    def open(self, message: bytes) -> Opened:
        """The next message of this direction."""
        plaintext = self._guarded_decrypt(message)
        try:
            body = open_shahmac(self._shahmac_key, plaintext)
            line = _line_of(body, self._next)
        except Unverified:
            self._fail()
        number = self._next
        self._next += 1
        return Opened(number, line)

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


def _line_of(body: bytes, number: int) -> bytes:
    if body[-TRAILER_OCTETS:] != FLAGS + encode_u32(number):
        raise Unverified
    line = body[:-TRAILER_OCTETS].removesuffix(b"\r\n")
    if b"\r" in line or b"\n" in line:
        raise Unverified
    return line
