"""The folder that the server shows: virtual paths, and nothing outside of it."""

import os
import posixpath
from pathlib import Path


class Root:
    """Maps the client's paths into one folder of this machine, with a working directory."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self.working_directory = "/"

    def virtual(self, path: str) -> str:
        """The absolute virtual path; `..` stops at the root."""
        return posixpath.normpath("/" + posixpath.join(self.working_directory, path)).replace("//", "/")

    def real(self, path: str) -> Path:
        """Where the virtual path is on this machine; symbolic links must not lead out."""
        real = (self._folder / self.virtual(path).lstrip("/")).resolve()
        if not real.is_relative_to(self._folder):
            raise PermissionError("the path leads out of the root")
        return real

    def change(self, path: str) -> None:
        """Sets the working directory."""
        if not self.real(path).is_dir():
            raise NotADirectoryError("not a directory")
        self.working_directory = self.virtual(path)

    def names(self, path: str) -> bytes:
        """NLST: one name on a line."""
        return b"".join(os.fsencode(entry.name) + b"\r\n" for entry in self._entries(path))

    def listing(self, path: str) -> bytes:
        """LIST: lines as of `ls -l`, with a fixed date."""
        return b"".join(_listing_line(entry) for entry in self._entries(path))

    def _entries(self, path: str) -> list[Path]:
        real = self.real(path)
        return sorted(real.iterdir()) if real.is_dir() else [real]


def _listing_line(entry: Path) -> bytes:
    status = entry.lstat()
    mode = "drwxr-xr-x" if entry.is_dir() else "-rw-r--r--"
    return f"{mode} 1 ftp ftp {status.st_size:>12} Jan  1  2000 ".encode() + os.fsencode(entry.name) + b"\r\n"
