"""Numbers, base64, the group, the key table and the DSA key."""

import hashlib
import unittest
from dataclasses import replace

from .. import dsa, encoding
from ..cipher import encrypt_cbc, hmac_sha1, open_padded_shahmac, seal_shahmac
from ..errors import FailedProof, MalformedMessage, UntrustedKey, Unverified
from ..exchange import GROUP_P
from ..fields import Reader, encode_mpint
from ..keys import make_keys
from .fixtures import key


class Numbers(unittest.TestCase):
    def test_an_mpint_comes_back_as_it_went(self) -> None:
        for number in (0, 1, 255, 256, 1 << 2047):
            reader = Reader(encode_mpint(number))
            self.assertEqual(reader.mpint(256), number)
            reader.finish()

    def test_zero_has_no_magnitude(self) -> None:
        self.assertEqual(encode_mpint(0), bytes(4))

    def test_a_leading_zero_octet_a_long_length_and_a_short_message_are_refused(self) -> None:
        for wrong in ("0000000100", "0000000200ff", "00000003010203", "0000000201", "000001"):
            with self.subTest(wrong), self.assertRaises(MalformedMessage):
                Reader(bytes.fromhex(wrong)).mpint(2)

    def test_octets_behind_the_end_are_refused(self) -> None:
        with self.assertRaises(MalformedMessage):
            Reader(b"x").finish()

    def test_the_group_is_the_one_that_rfc_3526_derives_from_pi(self) -> None:
        self.assertEqual(GROUP_P, 2**2048 - 2**1984 - 1 + 2**64 * (_pi_times_two_to(1918) + 124476))


class Base64(unittest.TestCase):
    def test_only_the_one_text_of_an_octet_string_is_taken(self) -> None:
        self.assertEqual(encoding.decode(b"QQ=="), b"A")
        for wrong in (b"QR==", b"QQ", b"QQ=", b"Q Q==", b"QQ==\n", b"Q-==", b"QQ==QQ=="):
            with self.subTest(wrong), self.assertRaises(MalformedMessage):
                encoding.decode(wrong)


class Primitives(unittest.TestCase):
    def test_hmac_sha1_gives_the_answer_of_rfc_2202(self) -> None:
        self.assertEqual(hmac_sha1(b"\x0b" * 20, b"Hi There").hex(), "b617318655057264e28bc0b6fb378c8ef146be00")

    def test_three_equal_des_keys_encrypt_as_single_des(self) -> None:
        single = bytes.fromhex("133457799bbcdff1")
        ciphertext = encrypt_cbc(single * 3, bytes(8), bytes.fromhex("0123456789abcdef"))
        self.assertEqual(ciphertext[:8].hex(), "85e813540f0ab405")

    def test_a_padding_that_is_not_that_of_pkcs_5_is_refused_under_a_right_hmac(self) -> None:
        key, signed = bytes(20), seal_shahmac(bytes(20), b"octets of x.")
        self.assertEqual(open_padded_shahmac(key, signed + bytes([8] * 8)), b"octets of x.")
        for wrong in ("0000000000000000", "0000000000000009", "0808080808080708", "0000000000000102"):
            with self.subTest(wrong), self.assertRaises(Unverified):
                open_padded_shahmac(key, signed + bytes.fromhex(wrong))

    def test_a_padding_that_is_right_is_refused_under_a_wrong_hmac(self) -> None:
        signed = seal_shahmac(bytes(20), b"octets of x.")
        with self.assertRaises(Unverified):
            open_padded_shahmac(b"another key of 20 oc", signed + bytes([8] * 8))

    def test_a_3des_key_is_one_hash_and_four_octets_of_another(self) -> None:
        master_key = bytes(range(40))
        keys = make_keys(master_key)
        left = hashlib.sha1(master_key + b"server data 3des left").digest()
        right = hashlib.sha1(master_key + b"server data 3des right").digest()
        self.assertEqual(keys.server.data_key, left + right[:4])
        self.assertEqual(keys.client.control_iv, hashlib.sha1(master_key + b"client control 3des iv").digest()[:8])


class ServerKeys(unittest.TestCase):
    def setUp(self) -> None:
        self.public = dsa.PublicKey.of(key())

    def test_a_key_comes_back_as_it_went(self) -> None:
        self.assertEqual(dsa.PublicKey.decode(self.public.encode()), self.public)

    def test_octets_behind_a_key_are_refused(self) -> None:
        with self.assertRaises(MalformedMessage):
            dsa.PublicKey.decode(self.public.encode() + b"\0")

    def test_weak_keys_are_refused(self) -> None:
        public = self.public
        wrong = {
            "short p": replace(public, p=public.p >> 1),
            "even p": replace(public, p=public.p - 1),
            "even q": replace(public, q=public.q - 1),
            "g is one": replace(public, g=1),
            "y is one": replace(public, y=1),
            "y is zero": replace(public, y=0),
            "y is p + 1": replace(public, y=public.p + 1),
            "y is outside of the group": replace(public, y=public.p - 1),
            "g is outside of the group": replace(public, g=public.p - 2),
        }
        for name, candidate in wrong.items():
            with self.subTest(name), self.assertRaises(UntrustedKey):
                dsa.PublicKey.decode(candidate.encode())

    def test_both_lengths_of_keys_sign_and_verify(self) -> None:
        for bits in (1024, 2048):
            with self.subTest(bits):
                public = dsa.PublicKey.of(key(bits))
                public.verify(dsa.sign(key(bits), b"body"), b"body")

    def test_the_signature_is_fips_186_with_the_whole_sha_1_hash(self) -> None:
        public, signature = dsa.PublicKey.of(key(2048)), dsa.sign(key(2048), b"body")
        inverse = pow(signature.s, -1, public.q)
        digest = int.from_bytes(hashlib.sha1(b"body").digest(), "big")
        left = pow(public.g, digest * inverse % public.q, public.p)
        right = pow(public.y, signature.r * inverse % public.q, public.p)
        self.assertEqual(left * right % public.p % public.q, signature.r)

    def test_a_signature_of_other_octets_or_out_of_range_is_refused(self) -> None:
        good = dsa.sign(key(), b"body")
        wrong = ((good, b"bodY"), (dsa.Signature(0, good.s), b"body"), (dsa.Signature(good.r, self.public.q), b"body"))
        for signature, body in wrong:
            with self.assertRaises(FailedProof):
                self.public.verify(signature, body)


def _pi_times_two_to(exponent: int) -> int:
    """floor(pi * 2^exponent) by Machin's formula."""
    unit = 1 << exponent + 64
    return (16 * _arctangent_of_inverse(5, unit) - 4 * _arctangent_of_inverse(239, unit)) >> 64


def _arctangent_of_inverse(divisor: int, unit: int) -> int:
    power = unit // divisor
    total, odd, sign = 0, 1, 1
    while power:
        total += sign * (power // odd)
        power //= divisor * divisor
        odd, sign = odd + 2, -sign
    return total
