"""The command line: client, server, check-vectors."""

import argparse
import io
import json
import os
import sys
from ipaddress import ip_address
from pathlib import Path

from . import client, dsa, vectors
from .commands import Account
from .data import Level
from .errors import SafetpError
from .server import Server

PASSWORD_VARIABLE = "SAFETP_PASSWORD"


def main() -> int:
    """Runs one command; a failure is one sentence on standard error and the status 1."""
    arguments = _parser().parse_args()
    try:
        return int(arguments.run(arguments))
    except (SafetpError, OSError, ValueError, KeyError) as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1


def _run_client(arguments: argparse.Namespace) -> int:
    connection = client.Client.connect(_settings(arguments))
    try:
        result = _transfer(arguments, connection)
        connection.quit()
    finally:
        connection.close()
    print(json.dumps(_report(connection) | result))
    return 0


def _settings(arguments: argparse.Namespace) -> client.Settings:
    return client.Settings(
        host=arguments.host,
        port=arguments.port,
        user=arguments.user,
        password=os.environ.get(PASSWORD_VARIABLE, ""),
        level=Level(arguments.level),
        pbsz=arguments.pbsz,
        fingerprint=arguments.ca_fingerprint,
        expect_ip=arguments.expect_ip,
        extended_passive=arguments.epsv,
    )


def _transfer(arguments: argparse.Namespace, connection: client.Client) -> dict[str, object]:
    extra: dict[str, object] = {}
    if arguments.action == "list":
        sink = io.BytesIO()
        tally = connection.fetch(f"LIST {arguments.remote}".rstrip(), sink)
        extra["listing"] = sink.getvalue().decode("utf-8", "replace").splitlines()
    elif arguments.action == "put":
        tally = client.put(connection, arguments.local, arguments.remote)
    else:
        tally = client.get(connection, arguments.remote, arguments.local)
    return {"octets": tally.octets, "sha256": tally.sha256()} | extra


def _report(connection: client.Client) -> dict[str, object]:
    return {
        "fingerprint": connection.fingerprint,
        "codes": connection.codes,
        "level": connection.settings.level.value,
        "pbsz": connection.pbsz,
    }


def _run_server(arguments: argparse.Namespace) -> int:
    host, _, port = arguments.listen.rpartition(":")
    key = dsa.generate(2048) if arguments.key == "generate" else dsa.load(Path(arguments.key).read_bytes())
    account = Account(arguments.user, os.environ.get(PASSWORD_VARIABLE), arguments.root, arguments.announce)
    server = Server.bind(host.strip("[]"), int(port), key, account)
    fingerprint = dsa.PublicKey.of(key).fingerprint()
    print(json.dumps({"port": server.port(), "fingerprint": fingerprint}), flush=True)
    server.run()
    return 0


def _run_check_vectors(arguments: argparse.Namespace) -> int:
    outcome = vectors.check(json.loads(arguments.file.read_text("utf-8")))
    for failure in outcome.failures:
        print(f"failed: {failure}", file=sys.stderr)
    print(json.dumps({"compared": outcome.compared, "failed": len(outcome.failures)}))
    return 1 if outcome.failures or not outcome.compared else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="x_safetp1", description=__doc__)
    commands = parser.add_subparsers(required=True)
    _add_client(commands.add_parser("client", help="one transfer; prints one JSON line"))
    _add_server(commands.add_parser("server", help="serves a folder; the first line is JSON with the port"))
    check = commands.add_parser("check-vectors", help="compares a file of known answers with this implementation")
    check.add_argument("file", type=Path)
    check.set_defaults(run=_run_check_vectors)
    return parser


def _add_client(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    for name in ("put", "get", "list"):
        action = actions.add_parser(name)
        action.add_argument("host")
        action.add_argument("port", type=int)
        action.add_argument("user", help=f"the password comes from {PASSWORD_VARIABLE}")
        if name != "list":
            action.add_argument("local", type=Path)
        action.add_argument("remote", nargs="?" if name == "list" else None, default="")
        action.add_argument("--level", choices=[level.value for level in Level], default="P")
        action.add_argument("--pbsz", type=int, default=65536)
        action.add_argument("--ca-fingerprint", help="the only key to accept; without it any key is taken and printed")
        action.add_argument("--expect-ip", type=ip_address, help="the address for the redirection check")
        passive = action.add_mutually_exclusive_group()
        passive.add_argument("--epsv", action="store_true")
        passive.add_argument("--pasv", dest="epsv", action="store_false", help="the default")
    parser.set_defaults(run=_run_client)


def _add_server(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--listen", default="127.0.0.1:0")
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--user", required=True, help=f"with the password in {PASSWORD_VARIABLE}; unset, any will do")
    parser.add_argument("--key", required=True, help="a PEM file, or the word generate")
    parser.add_argument("--announce", type=ip_address, required=True, help="the address for message 3 and PASV")
    parser.set_defaults(run=_run_server)


if __name__ == "__main__":
    sys.exit(main())
