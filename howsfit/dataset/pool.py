"""Work on very many items with all cores, in memory that does not grow with their number."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

CHUNK = 8
"""Items that go to a worker at once."""

_AHEAD = 3  # chunks for each worker that are under way or wait for it


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def work(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    workers: int | None = None,
    chunk: int = CHUNK,
    begin: Callable[[], None] | None = None,
) -> Iterator[Result]:
    """The function's result of each item, as they come, not in the items' order.

    function: of a module, with arguments that can be pickled. workers: processes; None: one for each core; 1: none but this
    one. begin: what each process does first, once. Raises what the function raises, and ValueError where the system ended a
    worker.
    """
    workers = workers or cores()
    if workers == 1:
        if begin is not None:
            begin()
        yield from map(function, items)
        return
    chunks = _chunks(items, chunk)
    # Processes of their own from the start: a forked one would have the locks of this one's threads, and none of the threads.
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _start_worker, (begin,)) as pool:
        waiting: set[Future[list[Result]]] = set()
        try:
            for each in chunks:
                if len(waiting) >= workers * _AHEAD:
                    done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    yield from (result for future in done for result in future.result())
                waiting.add(pool.submit(_work_on, function, each))
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (result for future in done for result in future.result())
        except BrokenProcessPool:
            raise ValueError(
                "The system ended a process of ours, for want of memory most likely. Run it again, with fewer --workers."
            ) from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    left = iter(items)
    while chunk := list(islice(left, size)):
        yield chunk


def _work_on(function: Callable[[Item], Result], items: list[Item]) -> list[Result]:
    return [function(item) for item in items]


def _start_worker(begin: Callable[[], None] | None) -> None:
    import cv2

    cv2.setNumThreads(1)  # there is a process for each core
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends them
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if begin is not None:
        begin()


def _end_with_parent() -> None:
    """A parent that is killed tells nobody, and its workers would wait for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
