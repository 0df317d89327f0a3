"""`[web_view]` of the manifest: by what external forms prove that they may post."""

from typing import Literal

import msgspec

Mode = Literal["compatible", "safe"]


class WebViewPart(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[web_view]`: `safe` takes tokens that scripts make, `compatible` also the hash that anybody can make."""

    mode: Mode = "compatible"
