"""Settings of a server and of the command line: one table of environment variables.

A variable is read where its setting is used, so that a test or a program can change it. The README contains the same
table.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from effviz.core.errors import fail, whole


class Text(NamedTuple):
    """A setting that is text: its variable, its default in words, and its meaning."""

    variable: str
    default: str
    meaning: str

    @property
    def value(self) -> str | None:
        """The text; None if the variable is not set."""
        return os.environ.get(self.variable)

    @property
    def words(self) -> list[str]:
        """The parts between commas."""
        return [word.strip() for word in (self.value or "").split(",") if word.strip()]


class Number(NamedTuple):
    """A setting that is an integer: its variable, its default, its meaning, and its limits."""

    variable: str
    default: int
    meaning: str
    minimum: int
    maximum: int

    @property
    def value(self) -> int:
        """The number.

        Raises:
            DesignError: the variable is not an integer within the limits.
        """
        text = os.environ.get(self.variable, "").strip()
        if not text:
            return self.default
        try:
            found = int(text)
        except ValueError:
            fail(self.variable, text, f"must be an integer, {self.minimum} to {self.maximum}")
        return whole(self.variable, found, self.minimum, self.maximum)


# The limits of one address carry a hundred students behind it on one replica, with two tabs and two jobs each.
CACHE = Text("EFFVIZ_CACHE", "`~/.cache/effviz`", "folder of saved measurements and searches; empty: in memory only")
CACHE_MB = Number(
    "EFFVIZ_CACHE_MB", 64, "MB of saved measurements, and of searches; the oldest ones are deleted first", 1, 100_000
)
CACHE_DAYS = Number("EFFVIZ_CACHE_DAYS", 365, "days after which a saved measurement or search is deleted", 1, 36_500)
RECORDED = Text(
    "EFFVIZ_RECORDED",
    "the file that effviz ships",
    "file of recorded measurements, which pages show until something is measured; empty: none",
)
LOCK = Text(
    "EFFVIZ_LOCK",
    "none",
    "lock file of all servers on one machine, on a local disk; measurements then run in turn. `make serve` sets it",
)
HOSTS = Text(
    "EFFVIZ_HOSTS",
    "names of this machine, or `*` if the server is open to others",
    "host names in the address of the app, separated by commas; `*.example.org` for subdomains, `*` for all",
)
HSTS_DAYS = Number(
    "EFFVIZ_HSTS_DAYS",
    365,
    "days for which browsers use HTTPS only, after an answer over HTTPS; 0: not at all",
    0,
    3_650,
)
SOCKETS = Number("EFFVIZ_SOCKETS", 256, "open tabs (websockets) of one address", 1, 65_536)
MESSAGE_KB = Number("EFFVIZ_MESSAGE_KB", 1_000, "kB of one message from a browser", 10, 100_000)
MESSAGES = Number("EFFVIZ_MESSAGES", 50, "messages per second from one tab; more are delayed", 1, 100_000)
CONNECTIONS = Number(
    "EFFVIZ_CONNECTIONS",
    1_024,
    "HTTP connections of one address; a proxy may have three quarters of all",
    8,
    65_536,
)
REQUEST_S = Number(
    "EFFVIZ_REQUEST_S", 30, "seconds after which a connection without a complete request is closed", 1, 3_600
)
UPLOADS_MB = Number("EFFVIZ_UPLOADS_MB", 64, "MB of uploaded files that the server keeps for one address", 1, 100_000)
OPEN_FILES = Number(
    "EFFVIZ_OPEN_FILES", 65_536, "open files and sockets of the server, within the system's limit", 64, 2**20
)
VISITOR_JOBS = Number("EFFVIZ_VISITOR_JOBS", 8, "jobs of one tab that wait for the torch process", 1, 10_000)
ADDRESS_JOBS = Number("EFFVIZ_ADDRESS_JOBS", 256, "jobs of one address that wait for the torch process", 1, 100_000)
ROOMS = Number("EFFVIZ_ROOMS", 64, "classrooms that are open at the same time", 1, 10_000)
ADDRESS_ROOMS = Number("EFFVIZ_ADDRESS_ROOMS", 16, "open classrooms of one address", 1, 10_000)
ROOM_MEMBERS = Number("EFFVIZ_ROOM_MEMBERS", 150, "students in one classroom", 1, 10_000)
REPLICA = Number(
    "EFFVIZ_REPLICA", 0, "number of this server behind nginx, with which its codes of classrooms begin; 0: none", 0, 999
)

SETTINGS: tuple[Text | Number, ...] = (
    CACHE, CACHE_MB, CACHE_DAYS, RECORDED, LOCK, HOSTS, HSTS_DAYS, SOCKETS, MESSAGE_KB, MESSAGES, CONNECTIONS,
    REQUEST_S, UPLOADS_MB, OPEN_FILES, VISITOR_JOBS, ADDRESS_JOBS, ROOMS, ADDRESS_ROOMS, ROOM_MEMBERS, REPLICA,
)  # fmt: skip
"""All settings, in the order of the README."""


def check() -> None:
    """Read every setting, so that a wrong one stops the server at its start.

    Raises:
        DesignError: a variable is not an integer within its limits.
    """
    for setting in SETTINGS:
        if isinstance(setting, Number):
            _ = setting.value
