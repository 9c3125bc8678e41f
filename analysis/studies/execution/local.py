"""Jobs on the cores of this machine: worker processes that import torch once and run many jobs.

A worker never outlives the study: it is told to end when the study ends, and ends by itself when
the process that started it is gone, even by `kill -9`.
"""

import contextlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from myopia.analysis.studies.execution.job import Event, Job, run_group
from myopia.common.search_path import always_safe_imports, callers_path, safe_imports


def run_local(groups: Sequence[Sequence[Job]], workers: int) -> Iterator[Event]:
    """Run every group in one of `workers` processes; an event as each begins and ends.

    A worker that dies is replaced; the jobs of its group are tried again, each alone, and one that
    was alone has failed.
    """
    waiting = deque(groups)
    pool: list[_Worker] = []
    try:
        pool = [_Worker() for _ in range(min(workers, len(groups)))]
        for worker in pool:
            yield worker.give(waiting.popleft())
        while busy := [worker for worker in pool if worker.group]:
            ready = multiprocessing.connection.wait([worker.pipe for worker in busy])
            for worker in busy:
                if worker.pipe not in ready:
                    continue
                event = worker.take()
                if event.kind == "returned":
                    waiting.extend([job] for job in event.jobs)
                yield event
                if not worker.process.is_alive():
                    pool.remove(worker)
                    worker.end()
                    if not waiting:
                        continue
                    pool.append(worker := _Worker())
                if waiting:
                    yield worker.give(waiting.popleft())
    finally:
        for worker in pool:
            worker.end()


class _Worker:
    """A process, the pipe to it, and the group that it works on."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs,), daemon=True)
        with safe_imports(), callers_path(), _interrupts_wait():
            self.process.start()
        theirs.close()  # so that the pipe ends when the worker does
        self.group: Sequence[Job] = ()

    def give(self, group: Sequence[Job]) -> Event:
        """Send a group to an idle worker."""
        self.group = group
        with contextlib.suppress(OSError):  # it is dead, and `take` tells it
            self.pipe.send(group)
        return Event(group, "began", {})

    def take(self) -> Event:
        """What became of the group; waits for it."""
        group, self.group = self.group, ()
        try:
            return Event(group, "ended", self.pipe.recv())
        except (EOFError, OSError):
            self.process.join()
            if len(group) > 1:
                return Event(group, "returned", {})
            died = f"the worker process died with exit code {self.process.exitcode}"
            return Event(group, "ended", {group[0].name: died})

    def end(self) -> None:
        """Stop the process, in the middle of a job if it must be."""
        self.pipe.close()
        # an idle one has nothing to unwind
        (self.process.terminate if self.group else self.process.kill)()
        self.process.join()


def _work(pipe: Any) -> None:
    """Run what comes through the pipe, one group after the other."""
    always_safe_imports()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the study, which ends its workers
    _mask_interrupts("SIG_UNBLOCK")
    # unwind, so that the runs under way record that they were interrupted
    signal.signal(signal.SIGTERM, _interrupted)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    import torch

    torch.set_num_threads(1)
    # no pipe any more: the study is gone, or it has ended
    with contextlib.suppress(EOFError, BrokenPipeError, KeyboardInterrupt):
        while True:
            pipe.send(run_group(pipe.recv()))


@contextlib.contextmanager
def _interrupts_wait() -> Iterator[None]:
    """Ctrl-C waits; a process that is started meanwhile does not hear it until it is told to."""
    before = _mask_interrupts("SIG_BLOCK")
    try:
        yield
    finally:
        if before is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _mask_interrupts(how: str) -> set[int] | None:
    """Change the mask of this thread, and return what it was; None where there is none."""
    if not hasattr(signal, "pthread_sigmask"):
        return None
    return signal.pthread_sigmask(getattr(signal, how), {signal.SIGINT})


def _interrupted(*_: Any) -> None:
    raise KeyboardInterrupt


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)
