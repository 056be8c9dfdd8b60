"""Function calls in a forked copy of the process, which change nothing in the process itself."""

import gc
import multiprocessing
import os
import pickle
import platform
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import torch

_T = TypeVar("_T")

# A lock that another thread holds at the fork stays locked in the copy. Torch has such locks: of 150 copies made while
# three threads ran convolutions, one stopped. A copy whose threads all wait for locks is replaced once. If it waits
# again, the pass needs a thread of the process, such as one of a pool.
_ATTEMPTS = 2
# Two looks at the copy are this far apart.
_POLL_SECONDS = 0.2
# A copy that waits in another way may be right, but not for longer.
_STALL_SECONDS = 10.0

# The system call of a lock, and the flag of locks within one process, see futex(2).
_FUTEX = {"x86_64": "202", "aarch64": "98"}.get(platform.machine(), "")
_PRIVATE = 128


class StalledError(Exception):
    """The copy waits without computing.

    Attributes:
        certain: all its threads wait for locks, which no other process can release.
    """

    def __init__(self, *, certain: bool) -> None:
        super().__init__(certain)
        self.certain = certain


def is_available(*, accelerator: bool) -> bool:
    """Whether the process can be copied by `os.fork`.

    Args:
        accelerator: the call needs an accelerator; a copied process cannot use one.
    """
    # Libraries of macOS that torch uses fail in a forked process.
    return sys.platform == "linux" and not accelerator


def isolated(function: Callable[..., _T], *args: Any) -> _T:
    """Return ``function(*args)``, called in a copy of the process.

    The result is pickled; the arguments are not. Threads do not exist in the copy, and torch uses one thread there.

    Raises:
        ChildProcessError: the copy ends without a result, for example by a segmentation fault.
        StalledError: the copy waits for a thread that it does not have.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return _in_copy(function, args)
        except StalledError as error:
            if not error.certain:
                raise
    return _in_copy(function, args)


def _in_copy(function: Callable[..., _T], args: tuple[Any, ...]) -> _T:
    receiver, sender = multiprocessing.Pipe(duplex=False)
    _flush()
    with warnings.catch_warnings():
        # Python 3.12 warns of forks in processes with threads; `_receive` handles the problem.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        _answer(sender, function, args)
    sender.close()
    try:
        result, error, cause = _receive(receiver, child)
    finally:
        receiver.close()
        os.kill(child, signal.SIGKILL)
        with suppress(ChildProcessError):  # The caller ignores SIGCHLD.
            os.waitpid(child, 0)
    if error is not None:
        raise error from cause
    return result  # type: ignore[no-any-return]


def _answer(sender: Connection, function: Callable[..., Any], args: tuple[Any, ...]) -> NoReturn:
    """Send the result or the exception, and end the copy without the exit handlers of the process."""
    try:
        # The collector would touch, and therefore copy, all memory pages of the process.
        gc.freeze()
        # The thread pool of OpenMP does not survive a fork.
        torch.set_num_threads(1)
        answer: tuple[Any, BaseException | None, BaseException | None]
        try:
            answer = function(*args), None, None
        except BaseException as error:  # noqa: BLE001 -- the parent process raises it
            answer = None, _portable(error), error.__cause__ and _portable(error.__cause__)
        _flush()
        sender.send(answer)
    finally:
        os._exit(0)


def _portable(error: BaseException) -> BaseException:
    """Return an exception that can be pickled, with the traceback as a note."""
    try:
        # Many classes can be pickled but not restored.
        copy: BaseException = pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 -- the class of the user may raise anything
        copy = RuntimeError(f"{type(error).__name__}: {error}")
    copy.add_note("".join(traceback.format_exception(error, chain=False)).rstrip())
    return copy


def _receive(receiver: Connection, child: int) -> Any:
    spent, since = "", time.monotonic()
    seen: list[str] = []
    while not receiver.poll(_POLL_SECONDS):
        before, seen = seen, _locked(child)
        if seen and seen == before:
            raise StalledError(certain=True)
        state, *now = _state(child)
        if state == "R" or " ".join(now) != spent:
            spent, since = " ".join(now), time.monotonic()
        elif time.monotonic() - since > _STALL_SECONDS:
            raise StalledError(certain=False)
    try:
        return receiver.recv()
    except EOFError:
        reason = ""
        with suppress(ChildProcessError):  # The caller ignores SIGCHLD.
            # None is only for WNOHANG.
            ended: Any = os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
            reason = f" with {'status' if ended.si_code == os.CLD_EXITED else 'signal'} {ended.si_status}"
        raise ChildProcessError(f"the forward pass ends the process{reason}") from None


def _state(process: int) -> tuple[str, str, str]:
    """Return the scheduling state of a process and its CPU time in user and system mode, see proc(5)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return fields[0], fields[11], fields[12]


def _locked(process: int) -> list[str]:
    """Return how often each thread of a process has run, if all of them wait for locks without a time limit."""
    found = []
    try:
        for task in sorted(Path(f"/proc/{process}/task").iterdir()):
            call, *arguments = (task / "syscall").read_text().split()
            # Waiting and waiting for a bit are the commands 0 and 9; without a time limit the fourth argument is 0.
            if call != _FUTEX or int(arguments[1], 16) & 255 not in (_PRIVATE, _PRIVATE + 9) or arguments[3] != "0x0":
                return []
            found += [line for line in (task / "status").read_text().splitlines() if "ctxt_switches" in line]
    except OSError:
        # The thread has ended, or the kernel hides its state.
        return []
    return found


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):  # The stream is None or closed.
            stream.flush()
