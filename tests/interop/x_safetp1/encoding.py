"""Base64 as of RFC 4648 section 4, canonical: each octet string has exactly one text (section 1)."""

from base64 import b64decode, b64encode
from binascii import Error

from .errors import MalformedMessage


def encode(octets: bytes) -> bytes:
    """With padding, without line breaks."""
    return b64encode(octets)


def decode(text: bytes) -> bytes:
    """Refuses foreign characters, missing padding and stray bits in the last character."""
    try:
        octets = b64decode(text, validate=True)
    except Error:
        raise MalformedMessage("not base64") from None
    if b64encode(octets) != text:
        raise MalformedMessage("not canonical base64")
    return octets
