"""A line of processes before something that one of them may have at a time: first come, first served, also between containers.

Each takes a ticket, a file in a folder that all of them see, with the next number, and holds a lock of the kernel's on it while
it lives. Whoever has the lowest ticket has the turn. A process that is killed lets go of its lock: the others throw its ticket
away. It takes one kernel, and a file system of its own (no NFS).
"""

import contextlib
import fcntl
import os
from typing import Iterator, List

MUTEX = "line"
"""File whose lock whoever looks at the tickets holds, for microseconds."""


class Line:
    """The line in a folder, which is made where it is missing."""

    def __init__(self, folder: str) -> None:
        """Raises ValueError when the folder cannot be written to."""
        self._folder = folder
        try:
            os.makedirs(folder, exist_ok=True)
            with self._alone():
                pass
        except OSError as error:
            raise ValueError(
                "HOWSFIT_DEVICE_LOCK must be a folder that every engine of the device can write to: %s" % error
            ) from None

    def join(self) -> "Ticket":
        """Take a ticket, behind all others."""
        with self._alone():
            number = max(self._tickets() or [0]) + 1
            file = os.open(self._path(number), os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return Ticket(self, number, file)

    def tickets(self) -> List[int]:
        """Those in the line, the one whose turn it is first."""
        with self._alone():
            return self._tickets()

    def leave(self, number: int, file: int) -> None:
        """Give a ticket back."""
        with self._alone():
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path(number))
            os.close(file)

    def _tickets(self) -> List[int]:
        numbers = sorted(int(name) for name in os.listdir(self._folder) if name.isdigit())
        return [number for number in numbers if self._is_held(number)]

    def _is_held(self, number: int) -> bool:
        file = os.open(self._path(number), os.O_RDONLY)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            os.unlink(self._path(number))  # its process was killed
            return False
        finally:
            os.close(file)

    def _path(self, number: int) -> str:
        return os.path.join(self._folder, "%012d" % number)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        file = os.open(os.path.join(self._folder, MUTEX), os.O_CREAT | os.O_RDONLY, 0o666)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        finally:
            os.close(file)


class Ticket:
    """A place in the line."""

    def __init__(self, line: Line, number: int, file: int) -> None:
        self._line = line
        self._number = number
        self._file = file

    def before(self) -> int:
        """How many go before: with 0 it has the turn."""
        return sum(number < self._number for number in self._line.tickets())

    def is_wanted(self) -> bool:
        """Whether anybody waits behind."""
        return any(number > self._number for number in self._line.tickets())

    def leave(self) -> None:
        """Give it back: the next one has the turn."""
        self._line.leave(self._number, self._file)
