"""Compares a file of known answers, protocol/testdata/x-safetp1/vectors.json, with this implementation.

Each case of the file is one session with known random octets. Its octets are made here again, as sender, and taken
here, as receiver. Only the signature is not made again but verified: its random number is not known.
"""

import hashlib
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric import dsa as library

from . import dsa, encoding
from .data import BlockOpener, BlockSealer, Level, Transfer
from .errors import SafetpError
from .exchange import GROUP_G, GROUP_P, ClientExchange, RandomOctets, ServerExchange, Session, encode_address
from .keys import make_keys
from .replies import ReplyLines

Vector = dict[str, Any]


class Answer(NamedTuple):
    """What the file says and what this implementation finds."""

    name: str
    known: object
    found: object


class Sides(NamedTuple):
    """Both ends of the case's session, by the file's names for them."""

    client: Session
    server: Session

    def of(self, sender: str) -> tuple[Session, Session]:
        """The sender's session, then the receiver's."""
        return (self.client, self.server) if sender == "client" else (self.server, self.client)


class Outcome(NamedTuple):
    """How many answers were compared, and one sentence for each that differs."""

    compared: int
    failures: list[str]


def check(vectors: Vector) -> Outcome:
    """Compares every answer; a case ends at the first octets that are refused."""
    compared, failures = 0, []
    for case in vectors["cases"]:
        try:
            for answer in _check_case(vectors["group"], case):
                compared += 1
                if answer.known != answer.found:
                    failures.append(f"{case['name']}: {answer.name}: known {answer.known}, found {answer.found}")
        except SafetpError as error:
            failures.append(f"{case['name']}: after {compared} answers the known octets are refused: {error}")
    return Outcome(compared, failures)


def _check_case(group: Vector, case: Vector) -> Iterator[Answer]:
    yield Answer("group", (_number(group["p"]), _number(group["g"])), (GROUP_P, GROUP_G))
    yield from _check_server_key(case["dsa"])
    yield from _check_keys(case)
    yield from _check_exchange(case)
    sides = _sides(case)
    yield from _check_control(case["control"], sides)
    for vector in case["data"]:
        yield from _check_transfer(vector, sides)
    for vector in case["refused"]:
        yield Answer(f"{vector['name']}, to the {vector['to']}", True, _is_refused(case, vector))


def _check_server_key(vector: Vector) -> Iterator[Answer]:
    public = dsa.PublicKey.of(_private_key(vector))
    public.check()
    yield Answer("y of the server", public.y, pow(public.g, _number(vector["x"]), public.p))
    yield Answer("fingerprint", vector["fingerprint"], public.fingerprint())


def _check_keys(case: Vector) -> Iterator[Answer]:
    keys = make_keys(bytes.fromhex(case["server"]["master_key"]))
    for sender, of in (("client", keys.client), ("server", keys.server)):
        yield Answer(f"{sender} control key", case["keys"][f"{sender}-control-3des-key"], of.control_key.hex())
        yield Answer(f"{sender} control IV", case["keys"][f"{sender}-control-3des-iv"], of.control_iv.hex())
        yield Answer(f"{sender} data key", case["keys"][f"{sender}-data-3des-key"], of.data_key.hex())
        yield Answer(f"{sender} shahmac key", case["keys"][f"{sender}-shahmac-key"], of.shahmac_key.hex())


def _check_exchange(case: Vector) -> Iterator[Answer]:
    messages, vector = case["messages"], case["signature"]
    client, server = _exchanges(case)
    address = encode_address(ip_address(case["server"]["address"]))
    yield Answer("address", case["server"]["address_octets"], address.hex())
    yield Answer("message 1", messages["1"], server.offer_key().hex())
    message2 = client.answer_key(bytes.fromhex(messages["1"]))
    yield Answer("message 2", messages["2"], message2.hex())
    body, signature = bytes.fromhex(vector["body"]), dsa.Signature(_number(vector["r"]), _number(vector["s"]))
    made = server.answer_challenge(message2)
    yield Answer("body of message 3", vector["body"], made[: len(body)].hex())
    yield Answer("hash of the body", vector["sha1_of_body"], hashlib.sha1(body).hexdigest())
    yield Answer("message 3", messages["3"], (body + signature.encode()).hex())
    message4, _ = client.answer_proof(bytes.fromhex(messages["3"]))
    yield Answer("message 4", messages["4"], message4.hex())


def _check_control(vectors: list[Vector], sides: Sides) -> Iterator[Answer]:
    reply = ReplyLines()
    for vector in vectors:
        sender, receiver = sides.of(vector["from"])
        line = vector["line"].encode().removesuffix(b"\r\n")
        answers_clear = vector["flags"] == "0a"
        name = f"control message {vector['number']} of the {vector['from']}"
        sealed = sender.sealer.seal(line, answers_clear=answers_clear)
        prefix = b"ENC " if vector["from"] == "client" else reply.prefix(line)
        yield Answer(name, (vector["number"], vector["message"]), (sealed.number, sealed.message.hex()))
        yield Answer(f"line of {name}", vector["wire"], f"{(prefix + encoding.encode(sealed.message)).decode()}\r\n")
        opened = receiver.opener.open(bytes.fromhex(vector["message"]))
        yield Answer(f"{name}, opened", (vector["number"], line, answers_clear), opened)


def _is_refused(case: Vector, vector: Vector) -> bool:
    """Whether a receiver that is where the vector says refuses its octets."""
    octets, place = bytes.fromhex(vector["octets"]), vector["place"]
    client, server = _exchanges(case)
    try:
        message2 = client.answer_key(server.offer_key())
        if place == "message 2":
            server.answer_challenge(octets)
            return False
        server.answer_challenge(message2)
        if place == "message 3":
            client.answer_proof(octets)
            return False
        if place == "message 4":
            server.check_proof(octets)
            return False
        _receive(octets, place, _sides(case).of(vector["to"])[0])
    except SafetpError:
        return True
    return False


def _receive(octets: bytes, place: Any, receiver: Session) -> None:
    """Opens a control message, or the first block of a transfer."""
    if place == "control":
        receiver.opener.open(octets)
        return
    block = place["block"]
    transfer = Transfer(receiver.receiving, Level(block["level"]), block["transfer"], block["pbsz"])
    BlockOpener(transfer).open(octets)


def _check_transfer(vector: Vector, sides: Sides) -> Iterator[Answer]:
    keys = sides.of(vector["from"])[0].sending
    transfer = Transfer(keys, Level(vector["level"]), vector["transfer"], vector["pbsz"])
    sealer, opener = BlockSealer(transfer), BlockOpener(transfer)
    for block in vector["blocks"]:
        name = f"block {block['number']} of transfer {vector['transfer']}"
        payload = _payload(block)
        framed = sealer.seal_end() if block["end"] else sealer.seal(payload)
        length, made = framed[:4], framed[4:]
        yield Answer(f"length of {name}", block["length"], length.hex())
        yield Answer(name, *_known_and_found(block, made))
        yield Answer(f"{name}, opened", (payload, block["end"]), (opener.open(made), opener.ended))
        if "iv" in block:
            yield Answer(f"IV of {name}", block["iv"], transfer.iv(block["number"]).hex())


def _payload(block: Vector) -> bytes:
    """A long payload is given by its length: octet i is i mod 251."""
    if "payload" in block:
        return bytes.fromhex(block["payload"])
    return bytes(place % 251 for place in range(block["payload_i_mod_251"]))


def _known_and_found(block: Vector, made: bytes) -> tuple[str, str]:
    """A long block is given by its hash."""
    if "block" in block:
        return block["block"], made.hex()
    return block["block_sha256"], hashlib.sha256(made).hexdigest()


def _sides(case: Vector) -> Sides:
    """A session that took the known messages 3 and 4."""
    client, server = _exchanges(case)
    server.answer_challenge(client.answer_key(server.offer_key()))
    _, session = client.answer_proof(bytes.fromhex(case["messages"]["3"]))
    return Sides(session, server.check_proof(bytes.fromhex(case["messages"]["4"])))


def _exchanges(case: Vector) -> tuple[ClientExchange, ServerExchange]:
    client, server = case["client"], case["server"]
    address = ip_address(server["address"])
    return (
        ClientExchange(address, lambda _key: None, _known_octets(client["x"], client["challenge"])),
        ServerExchange(
            _private_key(case["dsa"]),
            address,
            _known_octets(server["master_key"], server["k"], server["challenge"]),
        ),
    )


def _known_octets(*known: str) -> RandomOctets:
    """Gives the known octets in the order in which the exchange asks for random ones."""
    left = iter(known)

    def draw(count: int) -> bytes:
        return bytes.fromhex(next(left)).rjust(count, b"\0")

    return draw


def _private_key(vector: Vector) -> dsa.PrivateKey:
    parameters = library.DSAParameterNumbers(_number(vector["p"]), _number(vector["q"]), _number(vector["g"]))
    public = library.DSAPublicNumbers(_number(vector["y"]), parameters)
    return library.DSAPrivateNumbers(_number(vector["x"]), public).private_key()


def _number(text: str) -> int:
    return int(text, 16)
