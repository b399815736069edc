"""Protected blocks of a data connection, without the connection (section 6)."""

from dataclasses import dataclass, field
from enum import Enum

from .cipher import (
    BLOCK,
    HMAC_OCTETS,
    decrypt_cbc,
    encrypt_cbc,
    hmac_sha1,
    open_padded_shahmac,
    open_shahmac,
    seal_shahmac,
)
from .errors import ExhaustedCounter, TruncatedTransfer, Unverified
from .fields import U32_END, encode_u32
from .keys import DirectionKeys

DATA_FLAG = 0x01
ENCRYPTED_FLAG = 0x02
END_FLAG = 0x04
TRAILER_OCTETS = 9
OVERHEAD = TRAILER_OCTETS + HMAC_OCTETS
PBSZ_LEAST = 64
PBSZ_MOST = 65536
MOST_ENCRYPTED = 1 << 30


class Level(Enum):
    """The levels of PROT that X-SafeTP1 has."""

    CLEAR = "C"
    SAFE = "S"
    PRIVATE = "P"


@dataclass
class Wear:
    """How many octets of blocks the data key of one direction has encrypted."""

    octets: int = 0

    def is_worn_out(self) -> bool:
        """Whether no further transfer may be encrypted with it."""
        return self.octets >= MOST_ENCRYPTED


@dataclass(frozen=True)
class Transfer:
    """One protected transfer: the sender's keys, the level, the transfer-# and PBSZ."""

    keys: DirectionKeys
    level: Level
    number: int
    pbsz: int
    wear: Wear = field(default_factory=Wear)

    def most_payload(self) -> int:
        """The largest payload whose block still fits into PBSZ."""
        if self.level is Level.PRIVATE:
            return self.pbsz // BLOCK * BLOCK - OVERHEAD - 1
        return self.pbsz - OVERHEAD

    def trailer(self, block_number: int, *, end: bool) -> bytes:
        """`transfer-# | flags | block-#`."""
        flags = DATA_FLAG
        flags |= ENCRYPTED_FLAG if self.level is Level.PRIVATE else 0
        flags |= END_FLAG if end else 0
        return encode_u32(self.number) + bytes([flags]) + encode_u32(block_number)

    def iv(self, block_number: int) -> bytes:
        """The IV of one block: never the same twice in a session."""
        place = encode_u32(self.number) + encode_u32(block_number)
        return hmac_sha1(self.keys.shahmac_key, b"data iv" + place)[:BLOCK]


class BlockSealer:
    """Makes the blocks of one transfer, each with its length in front."""

    def __init__(self, transfer: Transfer) -> None:
        self._transfer = transfer
        self._next = 0

    def seal(self, payload: bytes) -> bytes:
        """A block that carries octets."""
        if not 0 < len(payload) <= self._transfer.most_payload():
            raise ValueError("the payload does not fit into a block")
        return self._seal(payload, end=False)

    def seal_end(self) -> bytes:
        """The end of the file: an empty payload with its own flag."""
        return self._seal(b"", end=True)

    def _seal(self, payload: bytes, *, end: bool) -> bytes:
        number = self._next
        if number == U32_END:
            raise ExhaustedCounter("the transfer has used up its block numbers")
        self._next += 1
        transfer = self._transfer
        block = seal_shahmac(transfer.keys.shahmac_key, payload + transfer.trailer(number, end=end))
        if transfer.level is Level.PRIVATE:
            block = encrypt_cbc(transfer.keys.data_key, transfer.iv(number), block)
            transfer.wear.octets += len(block)
        return encode_u32(len(block)) + block


class BlockOpener:
    """Verifies the blocks of one transfer in their order."""

    def __init__(self, transfer: Transfer) -> None:
        self._transfer = transfer
        self._next = 0
        self.ended = False

    def open(self, block: bytes) -> bytes:
        """The payload of the next block; empty exactly for the end of the file, which also sets `ended`."""
        if self.ended:
            raise TruncatedTransfer("a block follows the end of the file")
        transfer, number = self._transfer, self._next
        if number == U32_END:
            raise ExhaustedCounter("the transfer has used up its block numbers")
        key = transfer.keys.shahmac_key
        if transfer.level is Level.PRIVATE:
            transfer.wear.octets += len(block)
            body = open_padded_shahmac(key, decrypt_cbc(transfer.keys.data_key, transfer.iv(number), block))
        else:
            body = open_shahmac(key, block)
        payload, trailer = body[:-TRAILER_OCTETS], body[-TRAILER_OCTETS:]
        if trailer != transfer.trailer(number, end=not payload):
            raise Unverified
        self._next += 1
        self.ended = not payload
        return payload
