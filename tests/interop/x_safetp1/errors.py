"""What can go wrong, one class for each kind of fault."""


class SafetpError(Exception):
    """Every fault that this package raises by itself; its text is a sentence for people."""


class MalformedMessage(SafetpError):
    """Octets that do not have the form that the page gives them."""


class UntrustedKey(SafetpError):
    """The server's DSA key is not acceptable, or not the expected one (section 2)."""


class FailedProof(SafetpError):
    """A signature, a challenge or an encrypted key of the exchange is wrong (section 3)."""


class RedirectedConnection(SafetpError):
    """The redirection check failed: the server signed another address than the one dialled (section 3)."""


class Unverified(SafetpError):
    """A protected message or block does not verify; the same error whatever failed (section 5)."""

    def __init__(self) -> None:
        super().__init__("a protected message does not verify")


class ExhaustedCounter(SafetpError):
    """A sequence or block number would wrap (sections 5 and 6)."""


class WornOutKey(SafetpError):
    """A data key has encrypted as much as 3DES is good for (section 6); a new session has a new one."""


class InjectedCommand(SafetpError):
    """A reply answers a line in the clear that this client has not sent (section 5)."""


class DowngradedServer(SafetpError):
    """The server offers TLS, but the features that it sent in the clear lack it (section 1)."""


class LongLine(SafetpError):
    """A line is longer than any may be; it has been skipped (section 1)."""


class TruncatedTransfer(SafetpError):
    """A data connection did not end with its end-of-file block, or continued after it (section 6)."""


class UnexpectedReply(SafetpError):
    """The server answered something else than the client needs."""


class ConnectionEnded(SafetpError):
    """The other side closed the control connection."""
