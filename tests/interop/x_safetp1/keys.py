"""make-keys(): every key of a session comes out of the master key (section 4)."""

import hashlib
from dataclasses import dataclass

MASTER_KEY_OCTETS = 40


@dataclass(frozen=True)
class DirectionKeys:
    """What protects the octets that one side sends."""

    control_key: bytes
    control_iv: bytes
    data_key: bytes
    shahmac_key: bytes


@dataclass(frozen=True)
class SessionKeys:
    """The keys of both directions, named by the sender."""

    client: DirectionKeys
    server: DirectionKeys


def make_keys(master_key: bytes) -> SessionKeys:
    """The table of section 4."""
    if len(master_key) != MASTER_KEY_OCTETS:
        raise ValueError("a master key has 40 octets")
    return SessionKeys(_direction(master_key, "client"), _direction(master_key, "server"))


def _direction(master_key: bytes, sender: str) -> DirectionKeys:
    def derive(label: str) -> bytes:
        return hashlib.sha1(master_key + f"{sender} {label}".encode("ascii")).digest()

    def des3_key(use: str) -> bytes:
        return derive(f"{use} 3des left") + derive(f"{use} 3des right")[:4]

    return DirectionKeys(
        control_key=des3_key("control"),
        control_iv=derive("control 3des iv")[:8],
        data_key=des3_key("data"),
        shahmac_key=derive("shahmac"),
    )
