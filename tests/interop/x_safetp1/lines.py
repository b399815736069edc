"""Lines over a control connection, with a cap on their length."""

import select
import socket

from .errors import ConnectionEnded, MalformedMessage

LINE_LIMIT = 16384
TIMEOUT_SECONDS = 30.0


class LineSocket:
    """Reads and writes lines that end in CRLF."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(TIMEOUT_SECONDS)
        self.connection = connection
        self._buffer = b""

    def read(self) -> bytes:
        """The next line without its CRLF."""
        while b"\n" not in self._buffer:
            if len(self._buffer) > LINE_LIMIT:
                raise MalformedMessage(f"a line is longer than {LINE_LIMIT} octets")
            self._fill()
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line.removesuffix(b"\r")

    def write(self, line: bytes) -> None:
        """Sends one line; its CRLF is added here."""
        self.connection.sendall(line + b"\r\n")

    def has_waiting(self) -> bool:
        """Whether octets have come that nobody has read yet."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(self._buffer or readable)

    def close(self) -> None:
        """Ends the connection."""
        self.connection.close()

    def _fill(self) -> None:
        try:
            octets = self.connection.recv(4096)
        except OSError as error:
            raise ConnectionEnded(f"the control connection broke: {error}") from error
        if not octets:
            raise ConnectionEnded("the other side closed the control connection")
        self._buffer += octets
