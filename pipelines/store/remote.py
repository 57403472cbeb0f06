"""Remote bytes as a file: read from any place on, and only what is read is fetched."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from pipelines.store.errors import StoreAway


class RemoteFile(io.RawIOBase):
    """`size` bytes; `stream(start)` gives what has `read` and `close`, from that byte on."""

    def __init__(self, stream: Callable[[int], Any], size: int) -> None:
        super().__init__()
        self._stream, self._size = stream, size
        self._at = 0
        self._body: Any = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        wanted = max(0, base + offset)
        if wanted != self._at:
            self._let_go()
            self._at = wanted
        return wanted

    def readinto(self, buffer: Any) -> int:
        """Raises StoreAway when the stream breaks twice at the same byte."""
        wanted = min(len(buffer), self._size - self._at)
        if wanted <= 0:
            return 0
        data = self._read(wanted) or self._again(wanted)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _again(self, wanted: int) -> bytes:
        self._let_go()
        if data := self._read(wanted, last=True):
            return data
        raise StoreAway(f"the store ended at byte {self._at} of {self._size}")

    def _read(self, wanted: int, *, last: bool = False) -> bytes:
        """What comes next; nothing when the stream has broken off."""
        from botocore.exceptions import BotoCoreError

        if self._body is None:
            self._body = self._stream(self._at)
        try:
            return bytes(self._body.read(wanted))
        except BotoCoreError as problem:
            if last:
                raise StoreAway(f"the store cannot be reached any more: {problem}") from problem
            return b""

    def close(self) -> None:
        self._let_go()
        super().close()

    def _let_go(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None
