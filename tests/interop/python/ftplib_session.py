"""One session of ftplib over TLS: stores files, lists, fetches them as got-NAME, lists again."""

import ftplib
import os
import socket
import ssl
import sys
from pathlib import Path


class Session(ftplib.FTP_TLS):
    """Writes every reply to standard error, and resumes the control connection's TLS where it is told to."""

    reuse = False

    def getmultiline(self) -> str:
        """A reply."""
        reply = super().getmultiline()
        print(f"< {reply}", file=sys.stderr)
        return reply

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        """A data connection."""
        connection, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        session = self.sock.session if self.reuse else None
        return self.context.wrap_socket(connection, server_hostname=self.host, session=session), size


def main() -> None:
    """Runs the session of the command line."""
    host, port, user, authority, version, reuse, _passive, *names = sys.argv[1:]
    context = ssl.create_default_context(cafile=authority)
    context.minimum_version = context.maximum_version = ssl.TLSVersion[f"TLSv{version.replace('.', '_')}"]
    ftp = Session(context=context, timeout=20)
    ftp.reuse = reuse == "reuse"
    ftp.connect(host, int(port))
    ftp.login(user, os.environ["SAFETP_PASSWORD"])
    ftp.prot_p()
    for name in names:
        with Path(name).open("rb") as source:
            ftp.storbinary(f"STOR {name}", source)
    ftp.retrlines("LIST")
    for name in names:
        with Path(f"got-{name}").open("wb") as sink:
            ftp.retrbinary(f"RETR {name}", sink.write)
    ftp.retrlines("LIST")
    ftp.quit()


if __name__ == "__main__":
    main()
