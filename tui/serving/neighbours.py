"""Who is at the other end of a connection from this machine, as the kernel tells it."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from pathlib import Path

_TABLES = {socket.AF_INET: Path("/proc/net/tcp"), socket.AF_INET6: Path("/proc/net/tcp6")}


def is_loopback(host: str) -> bool:
    """True for names and addresses that only this machine itself can reach."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def can_tell() -> bool:
    """True where the kernel says whose connections there are."""
    return all(os.access(table, os.R_OK) for table in _TABLES.values())


def owner(peer: tuple[str, int], ours: tuple[str, int]) -> int | None:
    """The user id of the process at `peer`, which is connected to `ours`; None where it cannot be told."""
    address = ipaddress.ip_address(peer[0])
    table = _TABLES[socket.AF_INET if address.version == 4 else socket.AF_INET6]
    wanted = (_written(*peer), _written(*ours))
    try:
        lines = table.read_text().splitlines()[1:]
    except OSError:
        return None
    for line in lines:
        words = line.split()
        if (words[1], words[2]) == wanted:
            return int(words[7])
    return None


def _written(address: str, port: int) -> str:
    """As the kernel writes it: words of four bytes in the order of the machine, in hexadecimal, then the port."""
    packed = ipaddress.ip_address(address).packed
    words = [int.from_bytes(packed[at : at + 4], sys.byteorder) for at in range(0, len(packed), 4)]
    return "".join(f"{word:08X}" for word in words) + f":{port:04X}"
