"""Kernels: papermill runs each notebook in a fresh one, with an environment and a folder of its own.

Papermill and Jupyter's client are imported only where they are about to be used: they take over a second.
"""

import logging
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from councilbook.catalogue import Catalogue
from councilbook.gate.editions import Staging
from councilbook.paths import (
    CLOSED_VARIABLE,
    HELD_VARIABLE,
    NOTEBOOK_VARIABLE,
    PRIVATE_VARIABLE,
    PROCESSED_VARIABLE,
    RESTRICTED_VARIABLE,
    ROOT_VARIABLE,
    STAND_INS_VARIABLE,
)
from councilbook.running.changes.imports import find_imports
from councilbook.running.jobs import Job
from councilbook.running.kernels.warm import THREADS_VARIABLE, Start, Warm
from councilbook.running.parameters import Value, read_cells
from councilbook.running.sources import list_sources

ERROR_TAG = "papermill-error-cell-tag"
SOCKET_FOLDER_LENGTH = 80  # a socket's path may have some 100 characters
_STARTING = threading.Lock()


class Watch:
    """Follows one notebook's cells, and keeps hold of it so that it can be shown if it fails."""

    def __init__(self, tell_cell: Callable[[int], None]) -> None:
        """Take what to call with the index of each cell that begins."""
        self.tell_cell = tell_cell
        self.tell_started: Callable[[], None] = lambda: None
        self.notebook: Any = None
        self.cell: int | None = None

    def on_notebook_start(self, notebook: Any) -> None:
        """Be told that the kernel has answered."""
        self.tell_started()
        self.notebook = notebook

    def on_cell_start(self, cell: Any, cell_index: int) -> None:  # noqa: ARG002 (nbclient passes both by name)
        """Be told that a cell begins."""
        self.cell = cell_index
        self.tell_cell(cell_index)


def run_cells(
    original: Path,
    executed: Path,
    beside: Path,
    values: Mapping[str, Value],
    folder: Path,
    variables: Mapping[str, str | None],
    watch: Watch,
    warm: Warm | None = None,
) -> None:
    """Let papermill run a notebook in the folder `beside`, its sockets and connection file in a folder of its own.

    Kernels that are started at the same time can be given the same TCP ports. Sockets in a private folder
    cannot meet; Windows has none, so there a kernel that could not start is started again.
    """
    import papermill
    from traitlets.config import Config

    config = Config()
    config.KernelManager.connection_file = str(folder / "kernel.json")
    if sys.platform != "win32":
        config.KernelManager.transport = "ipc"
        config.KernelManager.ip = str(folder / "k")
    # a library that has been imported has settled on its number of threads
    forks = warm and variables.get(THREADS_VARIABLE) == "1"
    with _start_kernel(folder, variables, watch) as said:
        papermill.execute_notebook(
            _escape(original),
            _escape(executed),
            parameters=dict(values),
            kernel_name="python3",
            resources={"metadata": {"path": str(beside)}},  # `cwd` would move this whole process
            progress_bar=False,
            request_save_on_cell_execute=False,  # writing a notebook with maps twice a cell takes its time
            config=config,
            iopub_timeout=60,  # what a busy machine prints may come late
            on_notebook_start=watch.on_notebook_start,
            on_cell_start=watch.on_cell_start,
            **({"kernel_manager_class": _make_manager(warm, said)} if warm and forks else {}),
        )


def _make_manager(warm: Warm, said: Path) -> type:
    """Make the class by which nbclient starts a kernel: as a fork of the warm process, or else plainly."""
    from jupyter_client.manager import AsyncKernelManager
    from jupyter_client.provisioning.local_provisioner import LocalProvisioner

    class Provisioner(LocalProvisioner):
        async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
            _, option, module, *arguments = cmd
            start = Start(arguments, dict(kwargs["env"]), str(kwargs["cwd"]), str(said))
            process = warm.fork(start) if (option, module) == ("-m", "ipykernel_launcher") else None
            if process is None:
                logging.getLogger(__name__).warning("The kernel is started plainly: it could not be forked")
                return await super().launch_kernel(cmd, **kwargs)
            self.process = process  # type: ignore[assignment]
            self.pid, self.pgid, self.cwd = process.pid, process.pid, kwargs["cwd"]
            return self.connection_info

    class Manager(AsyncKernelManager):
        def __init__(self, **given: Any) -> None:
            super().__init__(**given)
            self.provisioner = Provisioner(kernel_id=said.parent.name, kernel_spec=self.kernel_spec, parent=self)

    return Manager


@contextmanager
def _start_kernel(folder: Path, variables: Mapping[str, str | None], watch: Watch) -> Iterator[Path]:
    """Give a kernel its environment while it starts, and keep what it prints past its notebook out of the log.

    What it prints could show a record; what it says before its first cell, as why it cannot start, is logged.
    Environment and output are this process's, so kernels start one at a time, and each keeps what it started with.
    """
    file = folder / "said"
    with file.open("a+", encoding="utf-8", errors="replace") as said, ExitStack() as starting:
        starting.enter_context(_STARTING)
        starting.enter_context(set_variables(variables))
        starting.enter_context(print_to(said))
        watch.tell_started = starting.close
        try:
            yield file
        except Exception:
            if watch.cell is None:
                starting.close()
                said.seek(0)
                logging.getLogger(__name__).error("The kernel said: %s", said.read())
            raise


def _escape(path: Path) -> str:
    """Write a path so that papermill, which fills in {names} in it, leaves it as it is."""
    return str(path).replace("{", "{{").replace("}", "}}")


@contextmanager
def open_folder() -> Iterator[Path]:
    """Yield a folder for one kernel that only we can read, with a path short enough for sockets in it."""
    usual = tempfile.gettempdir()
    parent = usual if len(usual) <= SOCKET_FOLDER_LENGTH else "/tmp"
    with tempfile.TemporaryDirectory(prefix="cb", dir=parent, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def list_variables(
    job: Job, catalogue: Catalogue, notebook: str, staging: Staging, folder: Path
) -> dict[str, str | None]:
    """Return what to set, or to take out, of a kernel's environment.

    The folders are written out in full, as a kernel works in its notebook's. A report notebook is not told where closed
    files and restricted datasets are. Jupyter is told to start this Python, and without the start-up files of whoever
    runs it. Sums are left to one thread unless told otherwise: those of notebooks side by side would wait for each
    other, and the last digits of a result would hang on how many cores there are.
    """
    is_report = catalogue.study(job.study).notebooks[notebook].kind == "report"
    closed = None if is_report else job.workbook.closed
    return {
        ROOT_VARIABLE: str(job.workbook.root),
        PRIVATE_VARIABLE: str(job.workbook.private),
        PROCESSED_VARIABLE: str(staging.processed_root),
        RESTRICTED_VARIABLE: None if is_report else str(staging.restricted_root),
        CLOSED_VARIABLE: str(closed) if closed else None,
        HELD_VARIABLE: str(staging.held),
        STAND_INS_VARIABLE: "1" if job.stand_ins else None,
        NOTEBOOK_VARIABLE: f"{job.study}/{notebook}",
        THREADS_VARIABLE: os.environ.get(THREADS_VARIABLE, "1"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "IPYTHONDIR": str(folder / "ipython"),
    }


@contextmanager
def set_variables(changes: Mapping[str, str | None]) -> Iterator[None]:
    """Change environment variables for a while: a kernel takes on those of the process that starts it."""
    before = {name: os.environ.get(name) for name in changes}
    _change_variables(changes)
    try:
        yield
    finally:
        _change_variables(before)


def _change_variables(changes: Mapping[str, str | None]) -> None:
    for name, value in changes.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@contextmanager
def print_to(stream: TextIO) -> Iterator[None]:
    """Send what this process prints, and those that it starts, to a file for a while."""
    screen = [os.dup(1), os.dup(2)]
    os.dup2(stream.fileno(), 1)
    os.dup2(stream.fileno(), 2)
    try:
        yield
    finally:
        for number, saved in enumerate(screen, start=1):
            os.dup2(saved, number)
            os.close(saved)


def describe_cell(watch: Watch, index: int | None) -> str | None:
    """Say where a cell is: its number in the original notebook, the heading above, its first line."""
    if index is None:
        return None
    cells = [cell for cell in watch.notebook.cells if ERROR_TAG not in cell.metadata.get("tags", [])]
    injected = sum("injected-parameters" in cell.metadata.get("tags", []) for cell in cells[:index])
    texts = [line for cell in cells[:index] if cell.cell_type == "markdown" for line in cell.source.splitlines()]
    headings = [line.lstrip("# ") for line in texts if line.startswith("#")]
    code = next((line for line in cells[index].source.splitlines() if line.strip()), "")
    under = f", under '{headings[-1]}'" if headings else ""
    return f"cell {index + 1 - injected}{under}: {code}"


@contextmanager
def log_to(file: Path) -> Iterator[None]:
    """Send all that papermill and this process say to a file, so that none of it reaches a screen or a public log."""
    root = logging.getLogger()
    level = root.level
    with file.open("w", encoding="utf-8") as stream, print_to(stream):
        handler = logging.StreamHandler(stream)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        root.addHandler(handler)
        root.setLevel(logging.INFO)
        try:
            yield
        except Exception:
            root.exception("The job failed")
            raise
        finally:
            root.setLevel(level)
            root.removeHandler(handler)


def list_imports(job: Job, catalogue: Catalogue, notebooks: Iterable[str]) -> list[str]:
    """Return what notebooks and the twins of their sources import: dotted names, whose last part may be no module."""
    names: set[str] = set()
    for notebook in notebooks:
        for cell in read_cells(job.workbook.notebooks / job.study / f"{notebook}.ipynb"):
            if cell["cell_type"] == "code":
                with suppress(SyntaxError):  # running the cell will tell
                    names |= find_imports(cell["source"])
        twins = [source.twin for source in list_sources(catalogue, job.study, notebook)]
        names |= {twin.make.partition(":")[0] for twin in twins if twin}
    return sorted(names)
