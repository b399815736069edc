#!/usr/bin/env python3
"""Stores a file and fetches it again with the standard library's ftplib, verifying the certificate.

usage: transfer.py HOST PORT CA-FILE USER pasv|epsv LOCAL REMOTE FETCHED   (password in SAFETP_PASSWORD)
With - for CA-FILE: plain FTP.
The whole dialogue goes to standard output; ftplib itself hides the password.
"""
import ftplib
import os
import ssl
import sys


class Passive:
    """ftplib takes EPSV for IPv6 only; `epsv` makes it ask for it, and dial the port that was announced."""

    extended = False

    def makepasv(self):
        if not self.extended:
            return super().makepasv()
        return ftplib.parse229(self.sendcmd("EPSV"), self.sock.getpeername())


class Plain(Passive, ftplib.FTP):
    pass


class Protected(Passive, ftplib.FTP_TLS):
    pass


def main():
    host, port, ca, user, mode, local, remote, fetched = sys.argv[1:]
    if ca == "-":
        client = Plain(timeout=60)
    else:
        client = Protected(context=ssl.create_default_context(cafile=ca), timeout=60)
    client.extended = mode == "epsv"
    client.trust_server_pasv_ipv4_address = True  # dial what 227 says, not the control connection's peer
    client.set_debuglevel(1)
    client.connect(host, int(port))
    client.login(user, os.environ["SAFETP_PASSWORD"])
    if ca != "-":
        client.prot_p()
    with open(local, "rb") as source:
        client.storbinary(f"STOR {remote}", source, blocksize=256 * 1024)
    with open(fetched, "wb") as target:
        client.retrbinary(f"RETR {remote}", target.write, blocksize=256 * 1024)
    client.quit()


if __name__ == "__main__":
    main()
