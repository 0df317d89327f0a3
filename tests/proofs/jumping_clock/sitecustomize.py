"""A wall clock that jumps: read by Python before anything else in programs whose PYTHONPATH begins with this folder.

`CLOCK_JUMPS` is by how many seconds it is wrong: ahead in every even second, behind in every odd one.
"""

import os
import time

_real, _jump = time.time_ns, int(os.environ["CLOCK_JUMPS"]) * 10**9  # noqa: TID251 (only tests ask)


def _time_ns() -> int:
    now = _real()
    return now - _jump if now // 10**9 % 2 else now + _jump


time.time_ns = _time_ns
time.time = lambda: _time_ns() / 1e9
