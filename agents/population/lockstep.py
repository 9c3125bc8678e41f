"""Several SB3 training loops side by side, in turn: one thread each, only one of them running.

SB3's `learn` cannot be left and entered again, and draws from the global random generators. Here
each loop runs until it waits for the others, always in the same order, so that the result depends
on nothing but the seeds.
"""

import threading
from collections.abc import Callable, Sequence

LOOK = 0.1
"""Seconds between two looks at whether the loops have ended."""


class Stopped(BaseException):
    """Raised in a waiting loop when another one has failed."""


class Lockstep:
    """`run` the loops; each calls `wait` where all must have come before anybody goes on."""

    def __init__(self) -> None:
        self._turn = threading.Condition()
        self._running = 0  # whose turn it is
        self._alive: list[bool] = []
        self._error: BaseException | None = None
        self._index = threading.local()

    def run(self, loops: Sequence[Callable[[], None]]) -> None:
        """Run every loop to its end. Raises what the first that failed raised."""
        self._alive, self._running, self._error = [True] * len(loops), 0, None
        threads = [
            threading.Thread(target=self._follow, args=(index, loop), daemon=True)
            for index, loop in enumerate(loops)
        ]
        for thread in threads:
            thread.start()
        try:
            # waking up now and then, for an interrupt that another thread's work kept from us
            while alive := [thread for thread in threads if thread.is_alive()]:
                alive[0].join(LOOK)
        except BaseException as error:  # an interrupt reaches the main thread only
            self._fail(error)
            for thread in threads:
                thread.join()
        if self._error is not None:
            raise self._error

    def wait(self) -> None:
        """Let every other loop come as far as its own `wait`, or its end."""
        self._pass_on()
        self._take(self._index.value)

    def _follow(self, index: int, loop: Callable[[], None]) -> None:
        self._index.value = index
        try:
            self._take(index)
            loop()
        except Stopped:
            return
        except BaseException as error:
            self._fail(error)
            return
        with self._turn:
            self._alive[index] = False
        self._pass_on()

    def _take(self, index: int) -> None:
        with self._turn:
            self._turn.wait_for(lambda: self._running == index or self._error is not None)
            if self._error is not None:
                raise Stopped(f"beside it, {type(self._error).__name__}: {self._error}")

    def _pass_on(self) -> None:
        with self._turn:
            count = len(self._alive)
            following = ((self._running + ahead) % count for ahead in range(1, count + 1))
            self._running = next((index for index in following if self._alive[index]), -1)
            self._turn.notify_all()

    def _fail(self, error: BaseException) -> None:
        with self._turn:
            self._error = self._error or error
            self._turn.notify_all()
