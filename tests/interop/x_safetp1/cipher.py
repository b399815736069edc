"""SHAHMAC and CBC3DESEncrypt (section 5)."""

import hmac

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from .errors import Unverified

BLOCK = 8
HMAC_OCTETS = 20


def hmac_sha1(key: bytes, octets: bytes) -> bytes:
    """HMAC-SHA1, RFC 2104."""
    return hmac.digest(key, octets, "sha1")


def seal_shahmac(key: bytes, octets: bytes) -> bytes:
    """`x | HMAC(key, x)`."""
    return octets + hmac_sha1(key, octets)


def open_shahmac(key: bytes, sealed: bytes) -> bytes:
    """The x of a SHAHMAC, compared in constant time."""
    octets, tag = sealed[:-HMAC_OCTETS], sealed[-HMAC_OCTETS:]
    if not hmac.compare_digest(tag, hmac_sha1(key, octets)):
        raise Unverified
    return octets


def encrypt_cbc(key: bytes, iv: bytes, plaintext: bytes) -> bytes:
    """3DES-CBC (des-ede3) of `plaintext | padding`."""
    count = BLOCK - len(plaintext) % BLOCK
    encryptor = Cipher(algorithms.TripleDES(key), modes.CBC(iv)).encryptor()
    return encryptor.update(plaintext + bytes([count]) * count) + encryptor.finalize()


def decrypt_cbc(key: bytes, iv: bytes, ciphertext: bytes) -> bytes:
    """The plaintext with its padding."""
    if not ciphertext or len(ciphertext) % BLOCK:
        raise Unverified
    decryptor = Cipher(algorithms.TripleDES(key), modes.CBC(iv)).decryptor()
    return decryptor.update(ciphertext) + decryptor.finalize()


def open_padded_shahmac(key: bytes, padded: bytes) -> bytes:
    """The x of a padded SHAHMAC. The HMAC is computed whatever the padding is like, and both fail alike."""
    count = padded[-1]
    well_padded = 1 <= count <= BLOCK and padded[-count:] == bytes([count]) * count
    octets = open_shahmac(key, padded[: -count if well_padded else -1])
    if not well_padded:
        raise Unverified
    return octets


class Chain:
    """The CBC chain that continues through all control messages of one direction (section 5, "Control messages")."""

    def __init__(self, key: bytes, iv: bytes) -> None:
        self._key = key
        self._iv = iv

    def encrypt(self, plaintext: bytes) -> bytes:
        """The next message of the chain."""
        ciphertext = encrypt_cbc(self._key, self._iv, plaintext)
        self._iv = ciphertext[-BLOCK:]
        return ciphertext

    def decrypt(self, ciphertext: bytes) -> bytes:
        """The next message of the chain, padded; after a failure the caller must not use the chain again."""
        padded = decrypt_cbc(self._key, self._iv, ciphertext)
        self._iv = ciphertext[-BLOCK:]
        return padded
