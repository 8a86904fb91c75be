"""The warm process of a run: it has imported what the notebooks import, and each kernel is a fork of it.

Importing is most of a small notebook's time, and forks share the memory of what was imported. The warm process does
nothing but import, so that no thread is lost in a fork. It is started without the variables that say where things are,
closed files among them, so it cannot hand them on; a kernel gets exactly the environment that it is to have. Where
nothing can be forked, or a fork fails, kernels are started plainly, as Jupyter does.
"""

import gc
import importlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

CAN_FORK = sys.platform == "linux"  # on macOS, Apple's own libraries do not stand it
OURS = "COUNCILBOOK_"  # how the variables begin that say where things are
THREADS_VARIABLE = "OMP_NUM_THREADS"  # heeded by scikit-learn, and by OpenBLAS where it is told nothing else
BACKEND = {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}  # ipykernel sets it, too late for matplotlib
NO_THREADS = {THREADS_VARIABLE: "1", "JE_ARROW_MALLOC_CONF": "background_thread:false"}
OF_KERNELS = ("ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.zmqshell", "matplotlib_inline.backend_inline")
AT_FIRST_USE = ("pandera.backends.pandas.builtin_checks",)  # what a library imports only when it is used
END_SECONDS = 5
GONE: Any = object()  # the answer of a warm process that is no more


@dataclass(frozen=True)
class Start:
    """What a kernel is started with: ipykernel's arguments, all its environment, its folder, where to print to."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    folder: str
    said: str


# --- in the process that starts it ---


@contextmanager
def open_lines(count: int) -> Iterator[list[Connection | None]]:
    """Start a warm process for so many jobs; it ends when nobody holds a line to it any more.

    Yields:
        A line for each job, to be handed to its process and closed here; None where nothing can be forked.
    """
    if not (CAN_FORK and count):
        yield [None] * count
        return
    pairs = [Pipe() for _ in range(count)]
    theirs = [far.fileno() for _, far in pairs]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    process = subprocess.Popen(
        [sys.executable, "-c", f"from {__name__} import main; main()", *map(str, theirs)],
        env=BACKEND | environment | NO_THREADS,
        pass_fds=theirs,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is told to the run, which ends it in order
    )
    for _, far in pairs:
        far.close()
    try:
        yield [near for near, _ in pairs]
    finally:
        for near, _ in pairs:
            near.close()
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS)
        process.kill()
        process.wait()


# --- in a job's process ---


class Warm:
    """A job's line to the warm process; its threads may share it."""

    def __init__(self, line: Connection) -> None:
        """Take a line from `open_lines`."""
        self.line = line
        self.speaking = threading.Lock()

    def prepare(self, modules: Iterable[str]) -> None:
        """Let it import modules, but those that it cannot. Nobody waits for it."""
        with self.speaking, suppress(OSError):
            self.line.send(("import", list(modules)))

    def fork(self, start: Start) -> "Forked | None":
        """Return a new kernel; None if none can be forked."""
        pid = self._ask("fork", start)
        return Forked(self, pid) if isinstance(pid, int) else None

    def poll(self, pid: int) -> int | None:
        """Return a kernel's exit code, or None while it runs. It does not outlive the warm process."""
        code: int | None = self._ask("poll", pid)
        if code is GONE:
            _signal(pid, signal.SIGKILL)  # it would find out by itself, a second later
            return -signal.SIGKILL
        return code

    def _ask(self, *question: Any) -> Any:
        with self.speaking, suppress(OSError, EOFError):
            self.line.send(question)
            return self.line.recv()
        return GONE


class Forked:
    """A kernel that was forked, to be used as a Popen is. Until its end was told, its number is nobody else's."""

    stdin = stdout = stderr = None

    def __init__(self, warm: Warm, pid: int) -> None:
        """Take the number that the warm process gave."""
        self.warm, self.pid = warm, pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return its exit code, or None while it runs."""
        if self.returncode is None:
            self.returncode = self.warm.poll(self.pid)
        return self.returncode

    def wait(self) -> int:
        """Return its exit code once it has ended."""
        while (code := self.poll()) is None:
            time.sleep(0.02)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal to it and to what it has started, unless its end was told."""
        if self.poll() is None:
            _signal(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


def _signal(pid: int, number: int) -> None:
    """Send a signal to a kernel and those that it started; only to itself as long as it has no group of its own."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


# --- in the warm process ---


def serve(lines: Iterable[Connection]) -> Start | None:
    """Do what is asked until all have hung up; in a fork of this process, return what kernel it is to be.

    A question is ("import", modules), which has no answer, ("fork", start) or ("poll", pid). The kernels of those who
    hang up are killed.
    """
    kernels: dict[Any, set[int]] = {line: set() for line in lines}
    line: Any
    while kernels:
        for line in wait(list(kernels)):
            try:
                what, given = line.recv()
            except (EOFError, OSError):
                line.close()
                _end(kernels.pop(line))
                continue
            if what == "import":
                _import([*OF_KERNELS, *given])
                continue
            answer = _fork() if what == "fork" else _poll(given, kernels[line])
            if what == "fork" and answer == 0:
                for other in kernels:
                    other.close()
                return given  # type: ignore[no-any-return]
            if what == "fork" and answer:
                kernels[line].add(answer)
            with suppress(OSError):
                line.send(answer)
    return None


def _import(modules: Iterable[str]) -> None:
    """Import modules. One that cannot be imported is the affair of the notebook that needs it, which will tell."""
    for name in [*modules, *AT_FIRST_USE]:
        if name not in AT_FIRST_USE or name.partition(".")[0] in sys.modules:
            with suppress(Exception, SystemExit):
                importlib.import_module(name)


def _fork() -> int | None:
    """Return the number of a copy of this process, in the copy 0; None if it has threads, which a copy lacks."""
    if len(list(Path("/proc/self/task").iterdir())) > 1:
        return None
    gc.freeze()  # the collector would write to what is shared, and so make copies of it
    with suppress(OSError):
        return os.fork()
    return None


def _poll(pid: int, kernels: set[int]) -> int | None:
    """Return the exit code of a kernel that has ended, None of one that runs."""
    ended, status = os.waitpid(pid, os.WNOHANG)
    if not ended:
        return None
    kernels.discard(pid)
    return os.waitstatus_to_exitcode(status)


def _end(kernels: Iterable[int]) -> None:
    for pid in kernels:
        _signal(pid, signal.SIGKILL)
    for pid in kernels:
        os.waitpid(pid, 0)


def become_kernel(start: Start, initial: Mapping[str, str], parent: int) -> None:
    """Be a kernel until it is shut down.

    Args:
        start: what it is started with.
        initial: the environment that the warm process was started with. What imports have added is kept.
        parent: the warm process; the kernel ends when that is no more.
    """
    os.setsid()
    for number, file, how in ((0, os.devnull, os.O_RDONLY), (1, start.said, os.O_WRONLY | os.O_APPEND)):
        opened = os.open(file, how)
        os.dup2(opened, number)
        os.close(opened)
    os.dup2(1, 2)
    os.chdir(start.folder)
    added = {name: value for name, value in os.environ.items() if name not in initial}
    os.environ.clear()
    os.environ.update(added | dict(start.environment))
    sys.argv = ["ipykernel_launcher", *start.arguments]
    random.seed()
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()
    gc.enable()
    from ipykernel.kernelapp import launch_new_instance

    launch_new_instance([*start.arguments, f"--IPKernelApp.parent_handle={parent}"])


def main() -> None:
    """Be the warm process, and in each of its forks a kernel."""
    if sys.path[0] == "" or Path(sys.path[0]) == Path.cwd():
        del sys.path[0]  # as ipykernel does
    gc.disable()
    initial, parent = dict(os.environ), os.getpid()
    start = serve([Connection(int(number)) for number in sys.argv[1:]])
    if start:
        become_kernel(start, initial, parent)
