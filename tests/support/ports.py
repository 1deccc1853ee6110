"""Ports for the servers that a test starts."""
import socket

KEPT = []  # bound, and never listening


def free_port():
    """A port of 127.0.0.1 where nothing listens, kept for the servers of this process's tests.

    Until it ends nobody else is given it. A server can listen there if it sets SO_REUSEADDR, as
    tursodb and the daemon do.
    """
    kept = socket.socket()
    KEPT.append(kept)
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    kept.bind(("127.0.0.1", 0))
    return kept.getsockname()[1]
