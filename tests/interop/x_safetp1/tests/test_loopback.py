"""The client against the server, over loopback."""

import io
import random
import socket
import tempfile
import unittest
from ipaddress import ip_address
from pathlib import Path
from unittest import mock

from .. import client, commands, encoding
from ..data import BlockSealer, Level, Wear
from ..dsa import PublicKey
from ..errors import (
    ConnectionEnded,
    DowngradedServer,
    InjectedCommand,
    MalformedMessage,
    RedirectedConnection,
    UnexpectedReply,
    UntrustedKey,
    WornOutKey,
)
from ..lines import LineSocket
from ..replies import read_clear, read_protected
from .fixtures import connect, key, running_server, sessions

SIZES = (0, 1, 100 * 1024)
WITH_TLS = ["211-Features:", " AUTH TLS", " AUTH X-SafeTP1", "211 End"]


class WithFolder(unittest.TestCase):
    """A served folder and a local one."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name, "served")
        self.local = Path(folder.name, "local")
        self.root.mkdir()
        self.local.mkdir()


class Transfers(WithFolder):
    def test_files_go_there_and_back_at_every_level_and_block_size(self) -> None:
        with running_server(self.root) as server:
            for level in Level:
                for pbsz in (64, 65536):
                    with self.subTest(level=level.value, pbsz=pbsz):
                        self._there_and_back(connect(server, level, pbsz))

    def test_epsv_and_ipv6_work(self) -> None:
        with running_server(self.root) as server:
            self._there_and_back(connect(server, extended_passive=True))
        with running_server(self.root, "::1", "::1") as server:
            self._there_and_back(connect(server))

    def test_a_listing_names_the_files(self) -> None:
        (self.root / "a file").write_bytes(b"abc")
        with running_server(self.root) as server:
            ftp = connect(server)
            for command, pattern in (("LIST", rb"-rw.* 3 .* a file\r\n"), ("NLST /", rb"^a file\r\n$")):
                sink = io.BytesIO()
                ftp.fetch(command, sink)
                self.assertRegex(sink.getvalue(), pattern)
            ftp.quit()

    def test_the_commands_that_carry_no_data_work(self) -> None:
        (self.root / "a").write_bytes(b"abc")
        talk = [
            ("MKD d", 257), ("CWD d", 250), ("PWD", 257), ("CWD ..", 250), ("SIZE a", 213), ("RNFR a", 350),
            ("RNTO d/b", 250), ("SIZE a", 550), ("RNTO x", 503), ("DELE d/b", 250), ("DELE d/b", 550), ("FEAT", 211),
            ("RNFR ../../etc", 550), ("XYZ", 500), ("CCC", 534), ("AUTH X-SafeTP1", 503), ("MIC", 537), ("CONF", 537),
            ("ENC AA==", 537), ("NOOP " + "x" * 4156, 500), ("NOOP " + "x" * 20000, 500),
            ("PROT E", 536), ("PROT X", 504), ("PBSZ 63", 501), ("PBSZ x", 501), ("PBSZ 4294967296", 501),
            ("TYPE E", 504), ("RETR d", 550), ("STOR x", 425),
        ]  # fmt: skip
        with running_server(self.root) as server:
            ftp = connect(server)
            for command, code in talk:
                with self.subTest(command):
                    self.assertEqual(ftp.command(command).code, code)
            ftp.quit()

    def test_a_larger_pbsz_than_the_server_takes_is_lowered(self) -> None:
        with running_server(self.root) as server:
            ftp = connect(server, pbsz=1 << 20)
            self.assertEqual(ftp.pbsz, 65536)
            self._there_and_back(ftp)

    def _there_and_back(self, ftp: client.Client) -> None:
        for size in SIZES:
            octets = random.Random(size).randbytes(size)
            (self.local / "up").write_bytes(octets)
            put = client.put(ftp, self.local / "up", "stored")
            self.assertEqual((self.root / "stored").read_bytes(), octets)
            got = client.get(ftp, "stored", self.local / "down")
            self.assertEqual((self.local / "down").read_bytes(), octets)
            self.assertEqual((put.octets, put.sha256()), (size, got.sha256()))
        ftp.quit()


class Refusals(WithFolder):
    def test_a_redirected_connection_is_refused(self) -> None:
        with running_server(self.root, announced="192.0.2.1") as server:
            with self.assertRaisesRegex(RedirectedConnection, "redirection check"):
                connect(server)
            connect(server, expect_ip=ip_address("192.0.2.1")).quit()

    def test_only_the_expected_key_is_taken(self) -> None:
        with running_server(self.root) as server:
            connect(server, fingerprint=PublicKey.of(key()).fingerprint()).quit()
            with self.assertRaises(UntrustedKey):
                connect(server, fingerprint="SHA256:" + "A" * 43)

    def test_a_truncated_upload_is_not_stored(self) -> None:
        with running_server(self.root) as server:
            for cut in ("whole blocks", "inside of a block"):
                with self.subTest(cut):
                    ftp = connect(server)
                    with self.assertRaisesRegex(UnexpectedReply, "426"):
                        self._upload_without_end(ftp, 0 if cut == "whole blocks" else 3)
                    self.assertEqual(list(self.root.iterdir()), [])
                    ftp.quit()

    def test_a_stranger_on_the_data_port_stores_nothing(self) -> None:
        with running_server(self.root) as server:
            ftp = connect(server)
            with self.assertRaisesRegex(UnexpectedReply, "426"), ftp._transfer("STOR x", Wear()) as (connection, _):
                connection.sendall(bytes([0, 0, 0, 40]) + bytes(40))
                connection.shutdown(socket.SHUT_WR)
            self.assertEqual(list(self.root.iterdir()), [])
            self.assertEqual(ftp._reply().code, 421)
            with self.assertRaises(ConnectionEnded):
                ftp.lines.read()
            ftp.close()

    def test_a_wrong_password_logs_nobody_in(self) -> None:
        with running_server(self.root) as server:
            ftp = connect(server)
            ftp.command("USER eve").expect(331)
            ftp.command("PASS wrong").expect(530)
            ftp.command("LIST").expect(530)
            ftp.quit()

    def test_a_command_in_the_clear_is_refused_and_the_session_lives(self) -> None:
        with running_server(self.root) as server:
            ftp = connect(server)
            for line, code in (
                (b"NOOP", 533), (b"\x80\x81", 500), (b"AUTH X-SafeTP1", 533), (b"MIC x", 537),
                (b"ENC not base64", 501), (b"ENC ", 501), (b"ENC " + b"A" * 32765, 500),
            ):  # fmt: skip
                with self.subTest(line[:20]):
                    ftp.lines.write(line)
                    self.assertEqual(read_protected(ftp.lines, ftp._keys().opener, to_clear=True).code, code)
            ftp.quit()

    def test_a_client_that_sent_nothing_in_the_clear_takes_no_answer_to_that(self) -> None:
        with running_server(self.root) as server:
            ftp = connect(server)
            ftp.lines.write(b"NOOP")
            with self.assertRaises(InjectedCommand):
                ftp.command("PWD")
            ftp.close()

    def test_a_server_that_offers_tls_only_under_protection_has_been_tampered_with(self) -> None:
        with running_server(self.root) as server, mock.patch.object(commands, "FEATURES", WITH_TLS):
            with self.assertRaises(DowngradedServer):
                connect(server)

    def test_a_key_that_has_encrypted_1_gib_encrypts_no_further_transfer(self) -> None:
        with running_server(self.root) as server, mock.patch("x_safetp1.data.MOST_ENCRYPTED", 2000):
            (self.local / "up").write_bytes(bytes(2000))
            for level, worn in ((Level.PRIVATE, True), (Level.SAFE, False)):
                with self.subTest(level=level.value):
                    ftp = connect(server, level)
                    client.put(ftp, self.local / "up", "stored")
                    if worn:
                        with self.assertRaises(WornOutKey):
                            client.put(ftp, self.local / "up", "again")
                        ftp.command("PASV").expect(227)
                        ftp.command("STOR again").expect(534)
                    client.get(ftp, "stored", self.local / "down")
                    ftp.quit()

    def test_a_message_that_does_not_verify_ends_the_session(self) -> None:
        with running_server(self.root) as server:
            ftp = connect(server)
            ftp.lines.write(b"ENC " + encoding.encode(bytes(48)))
            self.assertEqual(ftp._reply().code, 535)
            with self.assertRaises(ConnectionEnded):
                ftp.lines.read()
            ftp.close()

    def _upload_without_end(self, ftp: client.Client, cut: int) -> None:
        with ftp._transfer("STOR x", Wear()) as (connection, number):
            transfer = ftp._protection(ftp._keys().sending, number, Wear())
            assert transfer is not None
            block = BlockSealer(transfer).seal(b"octets")
            connection.sendall(block[: len(block) - cut])
            connection.shutdown(socket.SHUT_WR)


class Dialogue(WithFolder):
    def test_the_exchange_answers_what_comes_in_a_wrong_order(self) -> None:
        talk = [
            (b"USER eve", 530), (b"PBSZ 64", 503), (b"ADAT QQ==", 503), (b"AUTH TLS", 504), (b"AUTH X-SafeTP1", 334),
            (b"ADAT ?", 501), (b"ADAT QQ==", 535), (b"ADAT QQ==", 503), (b"AUTH X-SafeTP1", 334),
            (b"AUTH X-SafeTP1", 334), (b"ADAT QQ==", 535), (b"AUTH X-SafeTP1", 334), (b"ADAT QQ==", 535),
        ]  # fmt: skip
        with running_server(self.root) as server, socket.create_connection(server.listener.getsockname()) as connection:
            lines = LineSocket(connection)
            read_clear(lines).expect(220)
            for command, code in talk:
                lines.write(command)
                self.assertEqual(read_clear(lines).code, code)
            self.assertEqual(read_clear(lines).code, 421)

    def test_octets_behind_the_last_adat_end_the_session(self) -> None:
        class Hasty(LineSocket):
            def write(self, line: bytes) -> None:
                self.adats = getattr(self, "adats", 0) + line.startswith(b"ADAT ")
                super().write(line + b"\r\nUSER mallory" if self.adats == 2 else line)

        with running_server(self.root) as server:
            connection = socket.create_connection(server.listener.getsockname())
            ftp = client.Client(client.Settings("", 0, "", "", Level.CLEAR, 64), Hasty(connection))
            ftp._note(read_clear(ftp.lines)).expect(220)
            with self.assertRaisesRegex(UnexpectedReply, "421"):
                ftp._exchange()
            ftp.close()


class Replies(unittest.TestCase):
    """The client's reaction to replies that were changed on the wire."""

    def setUp(self) -> None:
        ours, self.theirs = socket.socketpair()
        self.addCleanup(ours.close)
        self.addCleanup(self.theirs.close)
        self.lines = LineSocket(ours)
        own, peer = sessions()
        self.opener = own.opener
        lines = (b"211-A", b" B", b"211 C", b"200 D")
        self.sealed = [encoding.encode(peer.sealer.seal(line).message) for line in lines]

    def _send(self, *lines: bytes) -> None:
        self.theirs.sendall(b"".join(line + b"\r\n" for line in lines))

    def test_a_reply_of_many_lines_is_one_reply(self) -> None:
        one, two, three, four = self.sealed
        self._send(b"632-" + one, b"632-" + two, b"632 " + three, b"632 " + four)
        self.assertEqual(read_protected(self.lines, self.opener).lines, ("211-A", " B", "211 C"))
        self.assertEqual(read_protected(self.lines, self.opener).lines, ("200 D",))

    def test_a_changed_hyphen_changes_nothing(self) -> None:
        one, two, three, four = self.sealed
        self._send(b"632 " + one, b"632 " + two, b"632-" + three, b"632-" + four)
        self.assertEqual(read_protected(self.lines, self.opener).lines, ("211-A", " B", "211 C"))
        self.assertEqual(read_protected(self.lines, self.opener).lines, ("200 D",))

    def test_a_reply_in_the_clear_is_refused(self) -> None:
        self._send(b"230 Logged in")
        with self.assertRaises(MalformedMessage):
            read_protected(self.lines, self.opener)
