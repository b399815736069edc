"""Blocks of data connections that a man in the middle changes."""

import io
import socket
import threading
import unittest
from collections.abc import Callable
from dataclasses import replace

from .. import stream
from ..data import BlockOpener, BlockSealer, Level, Transfer
from ..errors import ExhaustedCounter, SafetpError, TruncatedTransfer, Unverified
from .fixtures import flips, sessions

LEVELS = (Level.SAFE, Level.PRIVATE)
PAYLOADS = [b"first", b"second", b"third"]


def transfer(level: Level, pbsz: int = 64, number: int = 9) -> Transfer:
    """A transfer of a new session, from the client to the server."""
    return Transfer(sessions()[0].sending, level, number, pbsz)


def blocks(of: Transfer) -> list[bytes]:
    """Three blocks and the end, with their lengths in front."""
    sealer = BlockSealer(of)
    return [sealer.seal(payload) for payload in PAYLOADS] + [sealer.seal_end()]


def receive(of: Transfer, octets: bytes) -> bytes:
    """A receiver's result for these octets and the close after them."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sender = threading.Thread(target=_send_and_close, args=(theirs, octets))
        sender.start()
        sink = io.BytesIO()
        try:
            stream.receive(ours, sink, of)
        finally:
            ours.close()
            sender.join()
    return sink.getvalue()


def _send_and_close(connection: socket.socket, octets: bytes) -> None:
    try:
        connection.sendall(octets)
        connection.shutdown(socket.SHUT_WR)
    except OSError:
        return  # the receiver refused and closed, which is what most tests want


class Blocks(unittest.TestCase):
    def for_each_level(self, test: Callable[[Transfer], None], pbsz: int = 64) -> None:
        for level in LEVELS:
            with self.subTest(level=level.value):
                test(transfer(level, pbsz))

    def assert_refused(self, of: Transfer, octets: bytes) -> None:
        with self.assertRaises(SafetpError):
            receive(of, octets)

    def test_a_whole_file_comes_through(self) -> None:
        self.for_each_level(lambda of: self.assertEqual(receive(of, b"".join(blocks(of))), b"".join(PAYLOADS)))

    def test_every_flipped_octet_of_a_block_is_detected(self) -> None:
        def run(of: Transfer) -> None:
            block = blocks(of)[0][4:]
            for tampered in flips(block):
                with self.assertRaises(Unverified):
                    BlockOpener(of).open(tampered)

        self.for_each_level(run)

    def test_every_flipped_octet_of_a_stream_is_detected(self) -> None:
        def run(of: Transfer) -> None:
            for tampered in flips(b"".join(blocks(of))):
                self.assert_refused(of, tampered)

        self.for_each_level(run)

    def test_a_dropped_block_is_detected(self) -> None:
        def run(of: Transfer) -> None:
            sent = blocks(of)
            for place in range(len(sent)):
                self.assert_refused(of, b"".join(sent[:place] + sent[place + 1 :]))

        self.for_each_level(run)

    def test_a_duplicated_block_is_detected_also_behind_the_end(self) -> None:
        def run(of: Transfer) -> None:
            sent = blocks(of)
            for place in range(len(sent)):
                self.assert_refused(of, b"".join(sent[: place + 1] + sent[place:]))

        self.for_each_level(run)

    def test_swapped_blocks_are_detected(self) -> None:
        def run(of: Transfer) -> None:
            one, two, three, end = blocks(of)
            for order in ((two, one, three, end), (one, two, end, three), (one, three, two, end)):
                self.assert_refused(of, b"".join(order))

        self.for_each_level(run)

    def test_a_stream_cut_anywhere_is_truncated(self) -> None:
        def run(of: Transfer) -> None:
            octets = b"".join(blocks(of))
            for cut in range(len(octets)):
                with self.assertRaises(TruncatedTransfer):
                    receive(of, octets[:cut])

        self.for_each_level(run)

    def test_an_octet_behind_the_end_is_an_error(self) -> None:
        self.for_each_level(lambda of: self.assert_refused(of, b"".join(blocks(of)) + b"\0"))

    def test_a_block_of_another_transfer_direction_or_level_is_refused(self) -> None:
        client, server = sessions()
        for level, other_level in (LEVELS, LEVELS[::-1]):
            of = Transfer(client.sending, level, 9, 65536)
            octets = b"".join(blocks(of))
            for other in (replace(of, number=10), replace(of, keys=server.sending), replace(of, level=other_level)):
                self.assert_refused(other, octets)

    def test_a_block_of_no_octets_or_of_more_than_pbsz_is_refused(self) -> None:
        self.for_each_level(lambda of: self.assert_refused(of, bytes(4) + b"".join(blocks(of))))
        for level in LEVELS:
            large = transfer(level, 128)
            sealer = BlockSealer(large)
            octets = sealer.seal(bytes(large.most_payload())) + sealer.seal_end()
            self.assertEqual(len(receive(large, octets)), large.most_payload())
            self.assert_refused(replace(large, pbsz=64), octets)

    def test_the_fullest_block_is_as_large_as_pbsz_allows(self) -> None:
        for level, pbsz, payload, size in (
            (Level.SAFE, 64, 35, 64), (Level.PRIVATE, 64, 34, 64),
            (Level.SAFE, 71, 42, 71), (Level.PRIVATE, 71, 34, 64),
            (Level.SAFE, 65536, 65507, 65536), (Level.PRIVATE, 65536, 65506, 65536),
        ):  # fmt: skip
            with self.subTest(level=level.value, pbsz=pbsz):
                of = transfer(level, pbsz)
                self.assertEqual(of.most_payload(), payload)
                self.assertEqual(len(BlockSealer(of).seal(bytes(payload))), 4 + size)

    def test_an_empty_payload_is_no_block_and_an_end_flag_needs_an_empty_one(self) -> None:
        of = transfer(Level.SAFE)
        with self.assertRaises(ValueError):
            BlockSealer(of).seal(b"")
        for payload, end in ((b"", False), (b"x", True)):
            forged = BlockSealer(of)._seal(payload, end=end)  # pylint: disable=protected-access
            with self.assertRaises(Unverified):
                BlockOpener(of).open(forged[4:])

    def test_a_transfer_ends_before_its_counter_wraps(self) -> None:
        sealer = BlockSealer(transfer(Level.SAFE))
        sealer._next = 2**32 - 1  # pylint: disable=protected-access
        sealer.seal(b"x")
        with self.assertRaises(ExhaustedCounter):
            sealer.seal(b"x")
