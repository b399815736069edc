"""Control messages that a man in the middle changes."""

import unittest
from copy import deepcopy

from ..cipher import seal_shahmac
from ..control import Opened
from ..errors import ExhaustedCounter, Unverified
from .fixtures import flips, sessions

LINES = [b"USER eve", b"PASS secret", b"PBSZ 65536"]


class ControlMessages(unittest.TestCase):
    def setUp(self) -> None:
        client, server = sessions()
        self.session, self.opener = client, server.opener
        self.messages = [client.sealer.seal(line).message for line in LINES]

    def assert_refused_at(self, place: int, messages: list[bytes]) -> None:
        for message in messages[:place]:
            self.opener.open(message)
        for message in messages[place:]:
            with self.assertRaises(Unverified):
                self.opener.open(message)

    def test_lines_come_in_their_order_with_their_numbers(self) -> None:
        opened = [self.opener.open(message) for message in self.messages]
        self.assertEqual(opened, [Opened(number, line) for number, line in enumerate(LINES)])

    def test_every_flipped_octet_is_detected(self) -> None:
        client, server = sessions()
        message = client.sealer.seal(LINES[0]).message
        for tampered in flips(message):
            opener = deepcopy(server.opener)
            with self.assertRaises(Unverified):
                opener.open(tampered)
        self.assertEqual(server.opener.open(message).line, LINES[0])

    def test_a_dropped_message_is_detected(self) -> None:
        self.assert_refused_at(1, [self.messages[0], self.messages[2]])

    def test_a_duplicated_message_is_detected(self) -> None:
        self.assert_refused_at(1, [self.messages[0], self.messages[0]])

    def test_swapped_messages_are_detected(self) -> None:
        self.assert_refused_at(0, [self.messages[1], self.messages[0]])

    def test_a_truncated_message_is_detected(self) -> None:
        for cut in (0, 1, 8, 16, len(self.messages[0]) - 8):
            with self.subTest(cut), self.assertRaises(Unverified):
                deepcopy(self.opener).open(self.messages[0][:cut])

    def test_a_message_sent_back_to_its_sender_is_detected(self) -> None:
        with self.assertRaises(Unverified):
            self.session.opener.open(self.messages[0])

    def test_nothing_opens_after_a_failure(self) -> None:
        self.assert_refused_at(0, [bytes(48), *self.messages])

    def test_a_line_without_crlf_is_taken_and_one_with_a_line_break_inside_is_not(self) -> None:
        self.assertEqual(self._open_raw(b"NOOP"), b"NOOP")
        for wrong in (b"NOOP\r\nQUIT\r\n", b"NOOP\n", b"NOOP\r", b"NOOP\r\n\r\n"):
            with self.subTest(wrong), self.assertRaises(Unverified):
                self._open_raw(wrong)

    def test_other_flags_and_numbers_are_refused(self) -> None:
        for trailer in ("0000000000", "0300000000", "0600000000", "0200000001", "820000000000", "0a00000000"):
            with self.subTest(trailer), self.assertRaises(Unverified):
                self._open_raw(b"NOOP\r\n", bytes.fromhex(trailer))

    def test_only_a_reply_can_answer_a_line_in_the_clear(self) -> None:
        client, server = sessions()
        sealed = server.sealer.seal(b"533 Protect it", answers_clear=True)
        self.assertTrue(client.opener.open(sealed.message).answers_clear)
        sealed = client.sealer.seal(b"NOOP", answers_clear=True)
        with self.assertRaises(Unverified):
            server.opener.open(sealed.message)

    def test_a_message_beyond_the_limit_is_refused(self) -> None:
        client, server = sessions()
        message = client.sealer.seal(b"x" * 24560).message
        self.assertGreater(len(message), 24573)
        with self.assertRaises(Unverified):
            server.opener.open(message)

    def test_a_session_ends_before_its_counter_wraps(self) -> None:
        self.session.sealer._next = 2**32 - 1  # pylint: disable=protected-access
        self.assertEqual(self.session.sealer.seal(b"NOOP").number, 2**32 - 1)
        with self.assertRaises(ExhaustedCounter):
            self.session.sealer.seal(b"NOOP")

    def _open_raw(self, line: bytes, trailer: bytes = bytes.fromhex("0200000000")) -> bytes:
        client, server = sessions()
        sealed = seal_shahmac(client.sending.shahmac_key, line + trailer)
        return server.opener.open(client.sealer.seal_proof(sealed)).line
