"""The server's DSA key, its fingerprint, and its signatures (section 2)."""

import hashlib
from base64 import b64encode
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from .errors import FailedProof, UntrustedKey
from .fields import Reader, encode_mpint, octets_of

BITS_OF_Q = {1024: 160, 2048: 256}
P_LIMIT = 256
Q_LIMIT = 32

PrivateKey = dsa.DSAPrivateKey


@dataclass(frozen=True)
class Signature:
    """The pair (r, s)."""

    r: int
    s: int

    def encode(self) -> bytes:
        """`mpint(r) | mpint(s)`, the end of message 3."""
        return encode_mpint(self.r) + encode_mpint(self.s)


@dataclass(frozen=True)
class PublicKey:
    """p, q, g and y of section 2."""

    p: int
    q: int
    g: int
    y: int

    @classmethod
    def of(cls, private: PrivateKey) -> "PublicKey":
        """The public half of a private key."""
        numbers = private.public_key().public_numbers()
        parameters = numbers.parameter_numbers
        return cls(parameters.p, parameters.q, parameters.g, numbers.y)

    @classmethod
    def decode(cls, octets: bytes) -> "PublicKey":
        """A DSA-public-key that passes every check of section 2."""
        reader = Reader(octets)
        key = cls(reader.mpint(P_LIMIT), reader.mpint(Q_LIMIT), reader.mpint(P_LIMIT), reader.mpint(P_LIMIT))
        reader.finish()
        key.check()
        return key

    def encode(self) -> bytes:
        """The DSA-public-key of section 2."""
        return b"".join(encode_mpint(number) for number in (self.p, self.q, self.g, self.y))

    def fingerprint(self) -> str:
        """`SHA256:` and unpadded base64 of the hash of the encoded key."""
        return "SHA256:" + b64encode(hashlib.sha256(self.encode()).digest()).decode("ascii").rstrip("=")

    def check(self) -> None:
        """The client's conditions on p, q, g and y."""
        if BITS_OF_Q.get(self.p.bit_length()) != self.q.bit_length():
            raise UntrustedKey("the server's key has neither 1024/160 nor 2048/256 bits")
        if self.p % 2 == 0 or self.q % 2 == 0:
            raise UntrustedKey("p or q of the server's key is even")
        if not all(1 < number < self.p and pow(number, self.q, self.p) == 1 for number in (self.g, self.y)):
            raise UntrustedKey("g or y of the server's key is not in the group of order q")

    def verify(self, signature: Signature, body: bytes) -> None:
        """Checks a signature with SHA-1; all 160 bits of the hash count, also where q has 256."""
        if not (0 < signature.r < self.q and 0 < signature.s < self.q):
            raise FailedProof("the signature's numbers are out of range")
        numbers = dsa.DSAPublicNumbers(self.y, dsa.DSAParameterNumbers(self.p, self.q, self.g))
        try:
            numbers.public_key().verify(encode_dss_signature(signature.r, signature.s), body, hashes.SHA1())
        except InvalidSignature:
            raise FailedProof("the server's signature is wrong") from None

    def signature_limit(self) -> int:
        """The most octets that r and s can have."""
        return octets_of(self.q)


def sign(private: PrivateKey, body: bytes) -> Signature:
    """A DSA signature with SHA-1."""
    return Signature(*decode_dss_signature(private.sign(body, hashes.SHA1())))


def generate(bits: int) -> PrivateKey:
    """A new key; slow, since p is searched for."""
    return dsa.generate_private_key(bits)


def load(pem: bytes) -> PrivateKey:
    """A private key out of a PEM file without a passphrase, of a length that the page allows."""
    private = load_pem_private_key(pem, password=None)
    if not isinstance(private, dsa.DSAPrivateKey):
        raise UntrustedKey("the key file holds no DSA key")
    PublicKey.of(private).check()
    return private
