"""The irreversible lock-down of a turn process: no files, no network, no other processes, bounded memory.

Order matters: import everything first, then namespaces, descriptors, resource limits, prctl, and the system call filter
last. The filter is an allow-list in classic BPF, handed to the kernel through ctypes (linux/seccomp.h, linux/filter.h).
"""

import ctypes
import errno
import os
import platform
import resource
import signal
import struct
from pathlib import Path

# linux/prctl.h
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_SECCOMP_MODE_FILTER = 2
# linux/sched.h: a user namespace, and in it a network and an IPC namespace with nothing in them
_CLONE_NEWUSER, _CLONE_NEWNET, _CLONE_NEWIPC = 0x10000000, 0x40000000, 0x08000000
# linux/seccomp.h: what a filter answers
_KILL, _ALLOW, _REFUSE = 0x80000000, 0x7FFF0000, 0x00050000 | errno.EPERM
# linux/bpf_common.h: load a word, compare, test bits, return
_LOAD, _EQUAL, _AT_LEAST, _HAS_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
# struct seccomp_data: number, architecture, instruction pointer, six arguments of eight bytes (little-endian)
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT, _THIRD_ARGUMENT = 0, 4, 16, 32
_PROT_EXEC = 4
# On x86-64, numbers from here on are the x32 variants of the same calls.
_X32 = 0x40000000
_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# What a child needs once it runs: its socket, memory, clocks, signals, and an end. (x86-64, arm64; None: has none.)
_CALLS: dict[str, tuple[int | None, int]] = {
    "read": (0, 63),
    "write": (1, 64),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "brk": (12, 214),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "futex": (202, 98),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sched_yield": (24, 124),
    "getpid": (39, 172),
    "exit": (60, 93),
    "exit_group": (231, 94),
    "poll": (7, 73),
    "gettimeofday": (96, 169),
    "getrusage": (98, 165),
    "clock_gettime": (228, 113),
    "getrandom": (318, 278),
}
_LIMITS = {
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_FSIZE: 0,
    resource.RLIMIT_NPROC: 0,
    resource.RLIMIT_NOFILE: 3,
    resource.RLIMIT_MEMLOCK: 0,
    resource.RLIMIT_MSGQUEUE: 0,
}
_libc = ctypes.CDLL(None, use_errno=True)


class LockdownFailed(Exception):  # noqa: N818 - a state of the machine
    """A layer that must hold cannot be had: the message names it and what the machine has to allow."""


def lock_down(parent: int, memory: int = 512 << 20) -> list[str]:
    """Give up everything but descriptors 0 to 2 and `memory` bytes of address space; die with `parent`.

    Returns the layers in force. Raises LockdownFailed unless all but the namespaces are, or if there are threads.
    """
    if len(list(Path("/proc/self/task").iterdir())) != 1:
        raise LockdownFailed("a turn process has more than one thread: the filter would hold for one of them only")
    layers = ["rlimits", "prctl", "seccomp"]
    if _libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET | _CLONE_NEWIPC) == 0:
        layers.insert(0, "namespaces")
    _close_descriptors()
    for kind, most in (_LIMITS | {resource.RLIMIT_AS: memory}).items():
        resource.setrlimit(kind, (most, most))
    _prctl("die with the parent", _PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise LockdownFailed("the program that started this turn process has already ended")
    _prctl("not be read by others", _PR_SET_DUMPABLE, 0)
    _prctl("gain no privileges", _PR_SET_NO_NEW_PRIVS, 1)
    _filter_calls()
    return layers


def _close_descriptors() -> None:
    """Keep the socket (0); what is printed goes nowhere (1, 2)."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.closerange(3, 4096)


def _prctl(what: str, option: int, argument: int) -> None:
    zero = ctypes.c_ulong(0)
    if _libc.prctl(option, ctypes.c_ulong(argument), zero, zero, zero) != 0:
        raise LockdownFailed(f"a turn process cannot be made to {what}: {os.strerror(ctypes.get_errno())}")


def _filter_calls() -> None:
    """Install the filter. It cannot be taken back, and needs no privilege after NO_NEW_PRIVS."""
    program = _filter_program(platform.machine())
    code = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *step) for step in program))
    header = ctypes.create_string_buffer(struct.pack("<HxxxxxxQ", len(program), ctypes.addressof(code)))
    zero = ctypes.c_ulong(0)
    mode = ctypes.c_ulong(_SECCOMP_MODE_FILTER)
    if _libc.prctl(_PR_SET_SECCOMP, mode, ctypes.c_void_p(ctypes.addressof(header)), zero, zero) != 0:
        reason = os.strerror(ctypes.get_errno())
        raise LockdownFailed(f"the kernel refuses a seccomp filter ({reason}): allow it for this program")


def _filter_program(machine: str) -> list[tuple[int, int, int, int]]:
    """Make the BPF steps (operation, jump if true, jump if false, operand). Raises LockdownFailed: unknown machine."""
    if machine not in _AUDIT:
        raise LockdownFailed(f"turn processes run on x86-64 and arm64, not on {machine}")
    column = 0 if machine == "x86_64" else 1
    numbers = {name: number for name, pair in _CALLS.items() if (number := pair[column]) is not None}
    refuse, allow = (_RETURN, 0, 0, _REFUSE), (_RETURN, 0, 0, _ALLOW)
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, _AUDIT[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if column == 0:
        steps += [(_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _KILL)]
    for name in ("read", "write"):  # descriptors 0 to 2 only
        steps += [
            (_EQUAL, 0, 4, numbers.pop(name)),
            (_LOAD, 0, 0, _FIRST_ARGUMENT),
            (_AT_LEAST, 0, 1, 3),
            refuse,
            allow,
        ]
    for name in ("mmap", "mprotect"):  # nothing that can be executed
        steps += [(_EQUAL, 0, 4, numbers.pop(name)), (_LOAD, 0, 0, _THIRD_ARGUMENT), (_HAS_BITS, 0, 1, _PROT_EXEC)]
        steps += [refuse, allow]
    for number in numbers.values():
        steps += [(_EQUAL, 0, 1, number), allow]
    return [*steps, refuse]
