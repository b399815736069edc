"""One session of X-SafeTP1: stores files, lists, fetches them as got-NAME, lists again."""

import io
import os
import sys
from pathlib import Path

from x_safetp1 import client
from x_safetp1.data import Level
from x_safetp1.replies import Reply


class Session(client.Client):
    """Writes every reply to standard error."""

    def _note(self, reply: Reply) -> Reply:
        print(f"< {reply.code} {reply.text()}", file=sys.stderr)
        return super()._note(reply)

    def list(self) -> None:
        """Prints the root."""
        listing = io.BytesIO()
        self.fetch("LIST", listing)
        print(listing.getvalue().decode())


def main() -> None:
    """Runs the session of the command line."""
    host, port, user, fingerprint, level, pbsz, passive, *names = sys.argv[1:]
    password = os.environ["SAFETP_PASSWORD"]
    epsv = passive == "EPSV"
    settings = client.Settings(host, int(port), user, password, Level(level), int(pbsz), fingerprint, None, epsv)
    session = Session.connect(settings)
    for name in names:
        client.put(session, Path(name), name)
    session.list()
    for name in names:
        client.get(session, name, Path(f"got-{name}"))
    session.list()
    session.quit()


if __name__ == "__main__":
    main()
