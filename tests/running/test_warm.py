"""The warm process: what its forks get and what they do not, and who ends when. Kernels here are a few lines each."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil
import pytest

from councilbook.running.kernels import warm as warming
from councilbook.running.kernels.warm import Forked, Start, Warm, open_lines

pytestmark = pytest.mark.skipif(not warming.CAN_FORK, reason="here nothing is forked")

KERNEL = "def launch_new_instance(argv):\n    exec(open('code.py').read(), {'argv': argv})\n"
WAITS = "import time; open('waits', 'w').close(); time.sleep(600)"
SECRET = "/closed/somewhere"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kernel's folder, beside an ipykernel that runs the file code.py in it."""
    package = tmp_path / "modules" / "ipykernel"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "kernelapp.py").write_text(KERNEL)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(package.parent), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("COUNCILBOOK_CLOSED", SECRET)
    monkeypatch.setenv("ONLY_OF_THE_RUN", "1")
    (tmp_path / "my folder").mkdir()
    (tmp_path / "said").touch()
    return tmp_path / "my folder"


@pytest.fixture
def lines(folder: Path) -> Iterator[list[Connection]]:
    with open_lines(2) as lines:
        yield lines  # type: ignore[misc]


@pytest.fixture
def warm(lines: list[Connection]) -> Warm:
    return Warm(lines[0])


def fork(warm: Warm, folder: Path, code: str, **environment: str) -> Forked:
    (folder / "code.py").write_text(code)
    kernel = warm.fork(Start(["-f", "k.json"], environment, str(folder), str(folder.parent / "said")))
    assert kernel
    return kernel


def call(warm: Warm, folder: Path, expression: str, **environment: str) -> Any:
    """Return what an expression is in a kernel."""
    code = f"import json, os, sys, signal\nfrom pathlib import Path\nprint(json.dumps({expression}))"
    said = folder.parent / "said"
    said.write_text("")
    assert fork(warm, folder, code, **environment).wait() == 0, said.read_text()
    return eval(said.read_text().replace("null", "None").replace("true", "True").replace("false", "False"))


def wait_until_it_waits(folder: Path) -> None:
    while not (folder / "waits").exists():
        time.sleep(0.01)


def test_a_kernel_gets_its_environment_folder_and_arguments_and_nothing_else(warm: Warm, folder: Path) -> None:
    seen = call(warm, folder, "[dict(os.environ), os.getcwd(), sys.argv, argv]", A="b c", OMP_NUM_THREADS="1")
    environment, place, arguments, given = seen
    assert environment == {"A": "b c", "OMP_NUM_THREADS": "1"}
    assert place == str(folder)
    assert arguments == ["ipykernel_launcher", "-f", "k.json"]
    assert given[:2] == ["-f", "k.json"]


def test_neither_a_kernel_nor_the_warm_process_was_ever_told_of_closed_files(warm: Warm, folder: Path) -> None:
    files = "[f'/proc/{pid}/{name}' for pid in (os.getpid(), os.getppid()) for name in ('environ', 'cmdline')]"
    seen = call(warm, folder, f"[Path(file).read_bytes().decode() for file in {files}]")
    assert "ONLY_OF_THE_RUN=1" in seen[0]  # it is the environment that the warm process started with
    assert not any("COUNCILBOOK" in text or SECRET in text for text in seen)


def test_a_kernel_holds_no_line_and_is_the_first_of_a_session(warm: Warm, folder: Path) -> None:
    fork(warm, folder, WAITS)
    wait_until_it_waits(folder)
    seen = call(warm, folder, "[os.listdir('/proc/self/fd'), os.getpid() == os.getsid(0) == os.getpgid(0)]")
    assert len(seen[0]) <= 4  # input, output, errors, and the folder that is listed
    assert seen[1]


def test_what_was_imported_is_there_and_what_cannot_be_is_no_obstacle(warm: Warm, folder: Path) -> None:
    (folder.parent / "modules" / "ends.py").write_text("raise SystemExit(3)")
    warm.prepare(["no.such.module", "ends", "xml.dom.minidom.Document"])
    assert call(warm, folder, "[name in sys.modules for name in ('xml.dom.minidom', 'ends')]") == [True, False]


def test_kernels_draw_different_numbers(warm: Warm, folder: Path) -> None:
    warm.prepare(["numpy"])
    draw = "[__import__('random').random(), sys.modules['numpy'].random.random()]"
    first, second = (call(warm, folder, draw) for _ in range(2))
    assert first[0] != second[0]
    assert first[1] != second[1]


@pytest.mark.skipif(signal.getsignal(signal.SIGINT) == signal.SIG_IGN, reason="started where no interrupt is heard")
def test_a_kernel_collects_garbage_and_can_be_interrupted(warm: Warm, folder: Path) -> None:
    assert call(warm, folder, "__import__('gc').isenabled()")
    kernel = fork(warm, folder, f"try:\n    {WAITS}\nexcept KeyboardInterrupt:\n    raise SystemExit(7)")
    wait_until_it_waits(folder)
    kernel.send_signal(signal.SIGINT)
    assert kernel.wait() == 7


def test_a_kernel_that_is_killed_takes_nothing_with_it(warm: Warm, folder: Path) -> None:
    kernel = fork(warm, folder, "import os; os.kill(os.getpid(), 9)")
    assert kernel.wait() == -9
    kernel.kill()  # nothing happens
    assert call(warm, folder, "1 + 1") == 2


def test_a_process_with_threads_is_not_forked(warm: Warm, folder: Path) -> None:
    thread = "import threading, time\nthreading.Thread(target=time.sleep, args=[600], daemon=True).start()"
    (folder.parent / "modules" / "spins.py").write_text(thread)
    warm.prepare(["spins"])
    assert warm.fork(Start([], {}, str(folder), str(folder.parent / "said"))) is None


def test_who_hangs_up_has_his_kernels_killed_and_no_others(warm: Warm, lines: list[Connection], folder: Path) -> None:
    other = fork(Warm(lines[1]), folder, WAITS)
    wait_until_it_waits(folder)
    kernel = psutil.Process(fork(warm, folder, f"import subprocess; subprocess.run(['sleep', '600'])\n{WAITS}").pid)
    while not kernel.children():
        time.sleep(0.01)
    family = [kernel, *kernel.children()]
    lines[0].close()
    assert psutil.wait_procs(family, timeout=5)[1] == []
    assert other.poll() is None
    other.kill()
    assert other.wait() == -9


def test_when_the_warm_process_dies_its_kernels_do_and_none_can_be_forked(warm: Warm, folder: Path) -> None:
    kernel = fork(warm, folder, WAITS)
    wait_until_it_waits(folder)
    process = psutil.Process(kernel.pid)
    process.parent().kill()  # type: ignore[union-attr]
    assert kernel.wait() == -9
    assert psutil.wait_procs([process], timeout=5)[1] == []
    assert warm.fork(Start([], {}, str(folder), str(folder.parent / "said"))) is None


def test_where_nothing_can_be_forked_there_is_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warming, "CAN_FORK", False)
    with open_lines(2) as lines:
        assert lines == [None, None]


def test_the_warm_process_imports_nothing_heavy_by_itself(warm: Warm, folder: Path) -> None:
    assert not {"pandas", "pydantic", "numpy"} & set(call(warm, folder, "list(sys.modules)"))
    assert sys.executable in call(warm, folder, "Path(f'/proc/{os.getppid()}/cmdline').read_text()")
