"""The four messages that make a session's keys, for both roles and without a connection (section 3)."""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from . import dsa
from .control import Opener, Sealer
from .data import Wear
from .errors import FailedProof, MalformedMessage, RedirectedConnection
from .fields import Reader, encode_mpint
from .keys import MASTER_KEY_OCTETS, DirectionKeys, make_keys

# RFC 3526, section 3: the 2048-bit MODP group, "group 14".
GROUP_P = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74"
    "020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437"
    "4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05"
    "98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB"
    "9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF695581718"
    "3995497CEA956AE515D2261898FA051015728E5A8AACAA68FFFFFFFFFFFFFFFF",
    16,
)
GROUP_G = 2
GROUP_LIMIT = 256
SECRET_OCTETS = 32
CHALLENGE_OCTETS = 16
ADDRESS_OCTETS = 16

Address = IPv4Address | IPv6Address
RandomOctets = Callable[[int], bytes]


@dataclass
class Session:
    """What one side holds once the exchange is done."""

    sealer: Sealer
    opener: Opener
    sending: DirectionKeys
    receiving: DirectionKeys
    sent: Wear = field(default_factory=Wear)
    received: Wear = field(default_factory=Wear)


def encode_address(address: Address) -> bytes:
    """The 16 octets of server-IP; an IPv4 address and its IPv4-mapped form come out the same."""
    if isinstance(address, IPv4Address):
        return bytes(10) + b"\xff\xff" + address.packed
    return address.packed


class ClientExchange:
    """The client's side: message 1 in, 2 out, 3 in, 4 out.

    `trust` gets the server's checked key and raises where it is not the expected one.
    """

    def __init__(
        self, dialled: Address, trust: Callable[[dsa.PublicKey], None], random: RandomOctets = secrets.token_bytes
    ) -> None:
        self._dialled = encode_address(dialled)
        self._trust = trust
        self._secret = int.from_bytes(random(SECRET_OCTETS), "big")
        self._challenge = random(CHALLENGE_OCTETS)
        self._server_key: dsa.PublicKey | None = None

    def answer_key(self, message1: bytes) -> bytes:
        """Message 2 for message 1."""
        key = dsa.PublicKey.decode(message1)
        self._trust(key)
        self._server_key = key
        public = pow(GROUP_G, self._secret, GROUP_P)
        return b"".join(encode_mpint(number) for number in (GROUP_P, GROUP_G, public)) + self._challenge

    def answer_proof(self, message3: bytes) -> tuple[bytes, Session]:
        """Message 4 for message 3, and the session; the checks run in the order of section 3."""
        if self._server_key is None:
            raise ValueError("message 3 came before message 1")
        reader = Reader(message3)
        c1, c2 = reader.mpint(GROUP_LIMIT), reader.mpint(GROUP_LIMIT)
        client_challenge = reader.octets(CHALLENGE_OCTETS)
        server_challenge = reader.octets(CHALLENGE_OCTETS)
        server_ip = reader.octets(ADDRESS_OCTETS)
        body = reader.consumed
        limit = self._server_key.signature_limit()
        signature = dsa.Signature(reader.mpint(limit), reader.mpint(limit))
        reader.finish()
        self._server_key.verify(signature, body)
        if not hmac.compare_digest(client_challenge, self._challenge):
            raise FailedProof("the server answered another challenge than this client's")
        if not (1 < c1 < GROUP_P - 1 and 0 < c2 < GROUP_P):
            raise FailedProof("the encrypted master key is out of range")
        self._check_address(server_ip)
        return self._finish(self._master_key(c1, c2), server_challenge)

    def _check_address(self, server_ip: bytes) -> None:
        if server_ip != self._dialled:
            raise RedirectedConnection(
                f"the redirection check failed: the server says it is {_shown(server_ip)},"
                f" but this client dialled {_shown(self._dialled)}"
            )

    def _master_key(self, c1: int, c2: int) -> bytes:
        number = c2 * pow(c1, -self._secret, GROUP_P) % GROUP_P
        if number >> (8 * MASTER_KEY_OCTETS):
            raise FailedProof("the master key was not encrypted for this client")
        return number.to_bytes(MASTER_KEY_OCTETS, "big")

    @staticmethod
    def _finish(master_key: bytes, server_challenge: bytes) -> tuple[bytes, Session]:
        keys = make_keys(master_key)
        sealer = Sealer(keys.client)
        opener = Opener(keys.server, hears_replies=True)
        return sealer.seal_proof(server_challenge), Session(sealer, opener, keys.client, keys.server)


class ServerExchange:
    """The server's side: message 1 out, 2 in, 3 out, 4 in."""

    def __init__(self, key: dsa.PrivateKey, announced: Address, random: RandomOctets = secrets.token_bytes) -> None:
        self._key = key
        self._announced = encode_address(announced)
        self._random = random
        self._pending: tuple[Session, bytes] | None = None

    def offer_key(self) -> bytes:
        """Message 1."""
        return dsa.PublicKey.of(self._key).encode()

    def answer_challenge(self, message2: bytes) -> bytes:
        """Message 3 for message 2."""
        public, client_challenge = _decode_challenge(message2)
        master_key = self._random(MASTER_KEY_OCTETS)
        exponent = int.from_bytes(self._random(SECRET_OCTETS), "big")
        server_challenge = self._random(CHALLENGE_OCTETS)
        c1 = pow(GROUP_G, exponent, GROUP_P)
        c2 = int.from_bytes(master_key, "big") * pow(public, exponent, GROUP_P) % GROUP_P
        body = encode_mpint(c1) + encode_mpint(c2) + client_challenge + server_challenge + self._announced
        keys = make_keys(master_key)
        opener = Opener(keys.client, hears_replies=False)
        session = Session(Sealer(keys.server), opener, keys.server, keys.client)
        self._pending = session, server_challenge
        return body + dsa.sign(self._key, body).encode()

    def check_proof(self, message4: bytes) -> Session:
        """The session, if message 4 proves that the client has the master key."""
        if self._pending is None:
            raise ValueError("message 4 came before message 2")
        session, server_challenge = self._pending
        self._pending = None
        session.opener.open_proof(message4, server_challenge)
        return session


def _decode_challenge(message2: bytes) -> tuple[int, bytes]:
    reader = Reader(message2)
    p, g, y = (reader.mpint(GROUP_LIMIT) for _ in range(3))
    challenge = reader.octets(CHALLENGE_OCTETS)
    reader.finish()
    if (p, g) != (GROUP_P, GROUP_G):
        raise MalformedMessage("the client's group is not RFC 3526 group 14")
    if not 1 < y < GROUP_P - 1:
        raise MalformedMessage("the client's public key is out of range")
    return y, challenge


def _shown(octets: bytes) -> str:
    address = IPv6Address(octets)
    return str(address.ipv4_mapped or address)
