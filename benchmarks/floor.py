"""The least that streaming a file can cost: receive, decrypt, hash, send.

`python -m benchmarks.floor PIECE_BYTES` listens on the port that it prints. The first connection brings the
encrypted bytes, the second one takes them.
"""

from __future__ import annotations

import hashlib
import socket
import sys

import cryptg

from benchmarks.processes import answer

_KEY, _IV = bytes(range(32)), bytes(range(32))


def main(piece_bytes: int) -> None:
    """Pass one stream on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        answer({"port": listener.getsockname()[1]})
        source, _ = listener.accept()
        sink, _ = listener.accept()
    buffer = bytearray(piece_bytes)
    view = memoryview(buffer)
    digest = hashlib.sha256()
    with source, sink:
        while True:
            filled = 0
            while filled < piece_bytes:
                count = source.recv_into(view[filled:])
                if not count:
                    break
                filled += count
            if not filled:
                break
            plain = cryptg.decrypt_ige(bytes(view[:filled]), _KEY, _IV)
            digest.update(plain)
            sink.sendall(plain)
    answer({"sha256": digest.hexdigest()})
    sys.stdin.read()  # until the parent has looked at what it cost


if __name__ == "__main__":
    main(int(sys.argv[1]))
