"""Function calls in a forked copy of the process, which change nothing in the process itself."""

import gc
import multiprocessing
import os
import pickle
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
# three threads ran convolutions, one stopped. A copy that waits this long without computing is replaced.
_STALL_SECONDS = 10.0
_POLL_SECONDS = 1.0
_ATTEMPTS = 3


class _StalledError(Exception):
    """The copy waits without computing."""


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
    A copy that stops is replaced, and after three such copies the function is called in this process.

    Raises:
        ChildProcessError: the copy ends without a result, for example by a segmentation fault.
    """
    for _ in range(_ATTEMPTS):
        with suppress(_StalledError):
            return _in_copy(function, args)
    return function(*args)


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
    while not receiver.poll(_POLL_SECONDS):
        state, *now = _state(child)
        if state == "R" or " ".join(now) != spent:
            spent, since = " ".join(now), time.monotonic()
        elif time.monotonic() - since > _STALL_SECONDS:
            raise _StalledError
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


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):  # The stream is None or closed.
            stream.flush()
