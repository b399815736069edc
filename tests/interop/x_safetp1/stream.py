"""Files over data connections: PROT C as in RFC 959, S and P as blocks (section 6)."""

import hashlib
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from .data import BlockOpener, BlockSealer, Transfer
from .errors import TruncatedTransfer

CLEAR_CHUNK = 65536


@dataclass
class Tally:
    """What went through: for the JSON line, and for comparing both ends."""

    octets: int = 0
    _hash: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def add(self, octets: bytes) -> None:
        """Counts and hashes."""
        self.octets += len(octets)
        self._hash.update(octets)

    def sha256(self) -> str:
        """The hash so far, in hexadecimal."""
        return self._hash.hexdigest()


def send(connection: socket.socket, source: BinaryIO, transfer: Transfer | None) -> Tally:
    """Sends a whole file and closes this side; `transfer` is None under PROT C."""
    tally = Tally()
    sealer = BlockSealer(transfer) if transfer else None
    while octets := source.read(transfer.most_payload() if transfer else CLEAR_CHUNK):
        tally.add(octets)
        connection.sendall(sealer.seal(octets) if sealer else octets)
    if sealer:
        connection.sendall(sealer.seal_end())
    connection.shutdown(socket.SHUT_WR)
    return tally


def receive(connection: socket.socket, sink: BinaryIO, transfer: Transfer | None) -> Tally:
    """Receives a whole file up to the sender's close; an incomplete protected file is a `TruncatedTransfer`."""
    tally = Tally()
    payloads = _read_blocks(connection, transfer) if transfer else _read_clear(connection)
    for payload in payloads:
        tally.add(payload)
        sink.write(payload)
    return tally


def _read_clear(connection: socket.socket) -> Iterator[bytes]:
    while octets := _receive_some(connection, CLEAR_CHUNK):
        yield octets


def _read_blocks(connection: socket.socket, transfer: Transfer) -> Iterator[bytes]:
    opener = BlockOpener(transfer)
    while payload := opener.open(_read_block(connection, transfer.pbsz)):
        yield payload
    if _has_more(connection):
        raise TruncatedTransfer("octets follow the end-of-file block")


def _read_block(connection: socket.socket, pbsz: int) -> bytes:
    (length,) = struct.unpack(">I", _receive_exactly(connection, 4))
    if not 0 < length <= pbsz:
        raise TruncatedTransfer(f"a block of {length} octets came under PBSZ {pbsz}")
    return _receive_exactly(connection, length)


def _receive_exactly(connection: socket.socket, count: int) -> bytes:
    octets = bytearray()
    while len(octets) < count:
        some = _receive_some(connection, count - len(octets))
        if not some:
            raise TruncatedTransfer("the data connection ended before the end-of-file block")
        octets += some
    return bytes(octets)


def _has_more(connection: socket.socket) -> bool:
    """One look at what has come, without waiting: the end is proven, and no other end counts (section 6)."""
    connection.setblocking(False)
    try:
        return bool(connection.recv(1))
    except OSError:
        return False


def _receive_some(connection: socket.socket, most: int) -> bytes:
    try:
        return connection.recv(most)
    except OSError as error:
        raise TruncatedTransfer(f"the data connection broke: {error}") from error
