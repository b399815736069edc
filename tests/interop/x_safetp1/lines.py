"""Lines over a control connection, with a cap on their length."""

import select
import socket

from .errors import ConnectionEnded, LongLine

LINE_LIMIT = 32768
TIMEOUT_SECONDS = 30.0


class LineSocket:
    """Reads and writes lines that end in CRLF."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(TIMEOUT_SECONDS)
        self.connection = connection
        self._buffer = b""

    def read(self) -> bytes:
        """The next line without its CRLF; one that is too long is skipped to its end."""
        too_long = False
        while b"\n" not in self._buffer:
            # One octet more than the limit may be the CR of the line's end.
            if len(self._buffer) > LINE_LIMIT + 1:
                too_long, self._buffer = True, b""
            self._fill()
        line, self._buffer = self._buffer.split(b"\n", 1)
        line = line.removesuffix(b"\r")
        if too_long or len(line) > LINE_LIMIT:
            raise LongLine(f"a line is longer than {LINE_LIMIT} octets")
        return line

    def write(self, line: bytes) -> None:
        """Sends one line; its CRLF is added here."""
        self.connection.sendall(line + b"\r\n")

    def has_waiting(self) -> bool:
        """Whether octets have come that have not been read yet."""
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
