"""Run by test_lockdown.py in a process of its own: locks down, then tries what a hostile turn process might try.

Writes one JSON object to its socket: for each attempt the error it met, or "succeeded".
"""

import ctypes
import json
import mmap
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable

from services.turn_process.lockdown import lock_down

libc = ctypes.CDLL(None, use_errno=True)
page = mmap.PAGESIZE
memory = mmap.mmap(-1, page)
address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
layers = lock_down(int(sys.argv[1]))
attempts: dict[str, Callable[[], object]] = {}


def attempt(function: Callable[[], object]) -> Callable[[], object]:
    attempts[function.__name__] = function
    return function


def call(name: str, *arguments: object) -> int:
    """Call into libc; a failure becomes the OSError it stands for."""
    result = int(getattr(libc, name)(*arguments))
    if result == -1:
        raise OSError(ctypes.get_errno(), name)
    return result


@attempt
def open_an_inet_socket() -> object:
    return socket.socket(socket.AF_INET)


@attempt
def open_a_unix_socket() -> object:
    return socket.socket(socket.AF_UNIX)


@attempt
def make_a_socket_pair() -> object:
    return socket.socketpair()


@attempt
def read_a_file() -> object:
    return os.open("/etc/hostname", os.O_RDONLY)


@attempt
def write_a_file() -> object:
    return os.open("/tmp/botlane-probe", os.O_WRONLY | os.O_CREAT)


@attempt
def list_a_folder() -> object:
    return os.scandir("/")


@attempt
def read_the_environment_of_the_process() -> object:
    return os.open("/proc/self/environ", os.O_RDONLY)


@attempt
def make_a_file_in_memory() -> object:
    return os.memfd_create("probe")


@attempt
def duplicate_a_descriptor() -> object:
    return os.dup(0)


@attempt
def make_a_pipe() -> object:
    return os.pipe()


@attempt
def fork() -> object:
    child = os.fork()
    if child == 0:
        os._exit(0)
    return child


@attempt
def start_a_program() -> object:
    return subprocess.run(["/bin/true"], check=False)


@attempt
def become_another_program() -> None:
    os.execv("/bin/true", ["true"])


@attempt
def signal_the_parent() -> None:
    os.kill(os.getppid(), 0)


@attempt
def signal_itself() -> None:
    os.kill(os.getpid(), signal.SIGCHLD)


@attempt
def trace_the_parent() -> object:
    return call("ptrace", 16, int(sys.argv[1]), 0, 0)


@attempt
def read_the_memory_of_the_parent() -> object:
    return call("process_vm_readv", int(sys.argv[1]), 0, 0, 0, 0, 0)


@attempt
def map_executable_memory() -> object:
    return mmap.mmap(-1, page, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)


@attempt
def make_memory_executable() -> object:
    return call("mprotect", ctypes.c_void_p(address), ctypes.c_size_t(page), 4)


@attempt
def start_a_thread() -> None:
    threading.Thread(target=print).start()


@attempt
def use_a_gigabyte() -> object:
    return len(bytearray(1 << 30))


@attempt
def raise_a_limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (-1, -1))


@attempt
def gain_a_namespace() -> object:
    return call("unshare", 0x10000000)


@attempt
def load_another_filter() -> object:
    return call("prctl", 22, ctypes.c_ulong(2), ctypes.c_void_p(address), 0, 0)


@attempt
def be_traced() -> object:
    return call("ptrace", 0, 0, 0, 0)


@attempt
def read_from_another_descriptor() -> object:
    return os.read(3, 1)


def outcome(function: Callable[[], object]) -> str:
    try:
        function()
    except Exception as error:  # noqa: BLE001 - any failure is the answer
        return type(error).__name__
    return "succeeded"


answer = {"layers": layers, "attempts": {name: outcome(function) for name, function in attempts.items()}}
os.write(0, json.dumps(answer).encode())
