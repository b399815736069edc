"""Numbers on the wire: u32, mpint, and the reader that takes a message apart ("Reading" in the page)."""

import struct

from .errors import MalformedMessage

U32_END = 1 << 32


def encode_u32(value: int) -> bytes:
    """A number of four octets, network order."""
    return struct.pack(">I", value)


def octets_of(value: int) -> int:
    """How many octets the magnitude of `value` has; none for zero."""
    return (value.bit_length() + 7) // 8


def encode_mpint(value: int) -> bytes:
    """`u32 length | magnitude`, the magnitude without leading zero octets."""
    size = octets_of(value)
    return encode_u32(size) + value.to_bytes(size, "big")


class Reader:
    """Takes fields off the front of a message; every field that does not fit is a `MalformedMessage`."""

    def __init__(self, message: bytes) -> None:
        self._message = message
        self._position = 0

    @property
    def consumed(self) -> bytes:
        """The octets read so far: what a signature further on covers."""
        return self._message[: self._position]

    def octets(self, count: int) -> bytes:
        """Exactly `count` octets."""
        end = self._position + count
        if end > len(self._message):
            raise MalformedMessage("the message ends inside of a field")
        field = self._message[self._position : end]
        self._position = end
        return field

    def mpint(self, limit: int) -> int:
        """A number whose magnitude has at most `limit` octets and no leading zero octet."""
        (size,) = struct.unpack(">I", self.octets(4))
        if size > limit:
            raise MalformedMessage(f"a number of {size} octets stands where at most {limit} fit")
        magnitude = self.octets(size)
        if magnitude.startswith(b"\0"):
            raise MalformedMessage("a number begins with a zero octet")
        return int.from_bytes(magnitude, "big")

    def finish(self) -> None:
        """Nothing may be left."""
        if self._position != len(self._message):
            raise MalformedMessage("octets follow the end of the message")
