"""The four messages, both sides in this process."""

import unittest
from ipaddress import ip_address

from .. import dsa
from ..errors import FailedProof, MalformedMessage, RedirectedConnection, SafetpError, UntrustedKey, Unverified
from ..exchange import GROUP_P, ClientExchange, ServerExchange
from ..fields import encode_mpint
from .fixtures import ADDRESS, both_sides, flips, key, sessions, trust_any


class Exchange(unittest.TestCase):
    def test_both_sides_come_to_the_same_keys(self) -> None:
        client, server = sessions()
        self.assertEqual((client.sending, client.receiving), (server.receiving, server.sending))

    def test_the_messages_have_the_lengths_of_the_page(self) -> None:
        client, server = both_sides()
        message2 = client.answer_key(server.offer_key())
        self.assertIn(len(message2), range(4 + 256 + 4 + 1 + 4 + 250 + 16, 4 + 256 + 4 + 1 + 4 + 256 + 17))
        message4, _ = client.answer_proof(server.answer_challenge(message2))
        self.assertEqual(len(message4), 24)

    def test_a_key_that_is_not_trusted_ends_the_exchange(self) -> None:
        def trust_none(_key: dsa.PublicKey) -> None:
            raise UntrustedKey("never seen")

        server = ServerExchange(key(), ADDRESS)
        with self.assertRaises(UntrustedKey):
            ClientExchange(ADDRESS, trust_none).answer_key(server.offer_key())

    def test_a_redirected_address_is_refused(self) -> None:
        client, server = both_sides()
        other = ServerExchange(key(), ip_address("192.0.2.8"))
        message3 = other.answer_challenge(client.answer_key(server.offer_key()))
        with self.assertRaisesRegex(RedirectedConnection, "redirection check.*192.0.2.8.*192.0.2.7"):
            client.answer_proof(message3)

    def test_an_ipv4_mapped_address_is_the_ipv4_address(self) -> None:
        client = ClientExchange(ip_address("::ffff:192.0.2.7"), trust_any)
        server = ServerExchange(key(), ADDRESS)
        client.answer_proof(server.answer_challenge(client.answer_key(server.offer_key())))

    def test_every_flipped_octet_of_message_3_is_refused(self) -> None:
        client, server = both_sides()
        message3 = server.answer_challenge(client.answer_key(server.offer_key()))
        for tampered in flips(message3):
            with self.assertRaises(SafetpError):
                client.answer_proof(tampered)

    def test_a_message_3_that_is_cut_or_longer_is_refused(self) -> None:
        client, server = both_sides()
        message3 = server.answer_challenge(client.answer_key(server.offer_key()))
        for tampered in (message3[:-1], message3 + b"\0", b""):
            with self.assertRaises(MalformedMessage):
                client.answer_proof(tampered)

    def test_message_3_of_another_exchange_is_refused(self) -> None:
        (one, server), (another, _) = both_sides(), both_sides()
        another.answer_key(server.offer_key())
        with self.assertRaisesRegex(FailedProof, "another challenge"):
            another.answer_proof(server.answer_challenge(one.answer_key(server.offer_key())))

    def test_a_master_key_for_another_server_is_refused(self) -> None:
        client, server = both_sides()
        other, _ = both_sides()
        own = client.answer_key(server.offer_key())
        theirs = other.answer_key(server.offer_key())
        with self.assertRaisesRegex(FailedProof, "not encrypted for this client"):
            client.answer_proof(server.answer_challenge(theirs[:-16] + own[-16:]))

    def test_a_group_of_the_clients_own_choice_is_refused(self) -> None:
        _, server = both_sides()
        for p, g in ((GROUP_P - 2, 2), (GROUP_P, 3), (23, 5)):
            message2 = encode_mpint(p) + encode_mpint(g) + encode_mpint(4) + bytes(16)
            with self.assertRaises(MalformedMessage):
                server.answer_challenge(message2)

    def test_a_public_key_out_of_range_is_refused(self) -> None:
        _, server = both_sides()
        for y in (0, 1, GROUP_P - 1, GROUP_P, GROUP_P + 1):
            message2 = encode_mpint(GROUP_P) + encode_mpint(2) + encode_mpint(y) + bytes(16)
            with self.assertRaises(MalformedMessage):
                server.answer_challenge(message2)

    def test_every_flipped_octet_of_message_4_is_refused(self) -> None:
        client, server = both_sides()
        message2 = client.answer_key(server.offer_key())
        for place in range(24):
            message4, _ = client.answer_proof(server.answer_challenge(message2))
            tampered = list(flips(message4))[place]
            with self.assertRaises(Unverified):
                server.check_proof(tampered)
