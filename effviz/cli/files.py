"""Input and output: designs from files, files written without loss, standard output and standard error."""

import errno
import io
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from pathlib import Path
from typing import TextIO

import click

from effviz import ALIASES, ARCHITECTURES, Design, DesignError, architecture
from effviz.core.errors import show
from effviz.core.text import visible
from effviz.core.units import binary

MAX_BYTES = 4 * 2**20
"""Largest design file. The JSON of a design with a thousand rows, the maximum, is a tenth of it."""

MAX_MESSAGE = 1_000
"""Characters of an error message. It may contain a value of any length."""


def load(source: str, groups: int | None = None, variant: str | None = None) -> Design:
    """Return the architecture of this name, or the design in a JSON file; ``-`` is standard input.

    Raises:
        DesignError: the architecture does not exist with these groups, or not in this variant.
        click.ClickException: there is no such design, or `groups` or `variant` is given for a file.
    """
    if source in ARCHITECTURES or source in ALIASES:
        return architecture(source, variant=variant, groups=groups)
    label = "standard input" if source == "-" else show(source)
    if groups is not None:
        raise click.ClickException(f"--groups needs the name of an architecture; the groups of {label} are in its rows")
    if variant is not None:
        raise click.ClickException(f"--variant needs the name of an architecture; {label} has its own rules")
    try:
        content = _read(source)
    except FileNotFoundError:
        raise click.ClickException(_unknown(source)) from None
    # ValueError: the name contains a null character.
    except (OSError, ValueError) as error:
        raise click.ClickException(f"cannot read {label}: {_reason(error)}") from None
    if len(content) > MAX_BYTES:
        raise click.ClickException(f"{label} is larger than {binary(MAX_BYTES)}, the limit for a design file")
    try:
        return Design.from_json(content)
    except DesignError as error:
        raise click.ClickException(f"{label}: {error}") from None


def _read(source: str) -> bytes:
    if not source:
        raise FileNotFoundError
    if source != "-":
        with Path(source).open("rb") as file:
            return file.read(MAX_BYTES + 1)
    if sys.stdin is None:
        raise OSError(errno.EBADF, "it is closed")
    return sys.stdin.buffer.read(MAX_BYTES + 1)


def _unknown(source: str) -> str:
    near = get_close_matches(source.lower(), [*ARCHITECTURES, *ALIASES], n=3) if len(source) < 100 else []
    hint = f"did you mean {' or '.join(near)}?" if near else "the command 'list' prints all architectures"
    return f"{show(source)} is neither an architecture nor a file; {hint}"


def save(file: str, text: str | bytes, *, overwrite: bool) -> None:
    """Write a file completely or not at all: after an error, the previous content is unchanged.

    Raises:
        click.ClickException: the file exists and `overwrite` is false, or it cannot be written.
    """
    try:
        _save(file, text, overwrite=overwrite)
    except FileExistsError:
        raise click.ClickException(f"{show(file)} already exists; --force overwrites it") from None
    except (OSError, ValueError) as error:
        raise click.ClickException(f"cannot write {show(file)}: {_reason(error)}") from None


def _save(file: str, text: str | bytes, *, overwrite: bool) -> None:
    # The target of a symbolic link is replaced, the link is kept.
    target = Path(os.path.realpath(file))
    if target.is_dir() or file.endswith("/"):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    exists = target.exists()
    if not overwrite:
        _create(target, text, 0o666)
    elif exists and not target.is_file():
        # A pipe or a device has no content to lose and must not be replaced by a file.
        target.write_bytes(text if isinstance(text, bytes) else text.encode())
    elif exists and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    else:
        temporary = target.with_name(f".effviz-{os.urandom(8).hex()}.tmp")
        _create(temporary, text, 0o600 if exists else 0o666)
        try:
            if exists:
                shutil.copymode(target, temporary)
            temporary.replace(target)
        except BaseException:
            temporary.unlink()
            raise


def _create(file: Path, text: str | bytes, mode: int) -> None:
    """Write a new file, and remove it if that fails.

    Raises:
        FileExistsError: it exists; its content is unchanged.
    """
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        if isinstance(text, bytes):
            with os.fdopen(descriptor, "wb") as binary_stream:
                binary_stream.write(text)
        else:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
    except BaseException:
        file.unlink()
        raise


def _reason(error: OSError | ValueError) -> str:
    """Return an error's description without its number and file name."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


# --- streams ---------------------------------------------------------------------------------------------------------


def write(text: str) -> None:
    """Print to standard output.

    Raises:
        click.ClickException: standard output is closed or cannot be written.
        BrokenPipeError: the reader has closed the pipe.
    """
    if not text:
        return
    if sys.stdout is None:
        raise click.ClickException("cannot write to standard output: it is closed")
    try:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _discard(sys.stdout)
        raise
    except OSError as error:
        _discard(sys.stdout)
        raise click.ClickException(f"cannot write to standard output: {_reason(error)}") from None


def complain(problem: str) -> None:
    """Print one line to standard error, if it is open."""
    if sys.stderr is not None:
        line = visible(problem)
        if len(line) > MAX_MESSAGE:
            line = f"{line[: MAX_MESSAGE // 2]} ... {line[-MAX_MESSAGE // 2 :]}"
        try:
            print(f"effviz: {line}", file=sys.stderr, flush=True)
        except OSError:
            _discard(sys.stderr)


def _discard(stream: TextIO) -> None:
    """Redirect a stream to the null device, because Python flushes it again at exit."""
    # A stream in memory has no file descriptor.
    with suppress(io.UnsupportedOperation):
        _redirect(stream.fileno())


def _redirect(descriptor: int) -> None:
    """Redirect a file descriptor to the null device."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, descriptor)
    os.close(null)


@contextmanager
def silent_children() -> Iterator[None]:
    """Start processes without this process's standard error.

    The torch process logs the traceback of a failed job there. The error that reaches the caller has the reason too.
    """
    try:
        saved = os.dup(2)
    except OSError:  # standard error is closed
        yield
        return
    try:
        _redirect(2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
