"""The order API of the order-status example: three orders, one that is missing, one that cannot be looked up."""

import base64

from aiohttp import web

UNAVAILABLE = {"503", "5030"}

_SHAPES = {
    "lamp": "M92 80l14-44h28l14 44zM120 80v34M98 114h44",
    "mug": "M84 44h60v66a12 12 0 0 1-12 12H96a12 12 0 0 1-12-12zM144 58h14a12 12 0 0 1 12 12v12a12 12 0 0 1-12 12h-14",
    "book": "M78 36h34q8 0 8 8 0-8 8-8h34v76h-34q-8 0-8 8 0-8-8-8H78zM120 44v76",
    "plant": "M100 100h40l-6 26h-28zM120 100V62M120 76c-22 0-28-14-28-28 20 0 28 10 28 28zM120 66c0-18 8-30 28-30",
    "clock": "M120 32a44 44 0 1 0 .1 0zM120 52v26l18 12",
}


def picture(shape: str, ground: str, ink: str) -> str:
    """Return a drawing as a `data:` address, so that the demo needs no other host."""
    svg = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 240 150'><path d='M0 0h240v150H0z' fill='{ground}'/>"
        f"<path d='{_SHAPES[shape]}' fill='none' stroke='{ink}' stroke-width='6' stroke-linejoin='round' "
        "stroke-linecap='round'/></svg>"
    )
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


ARTICLES = {
    "L-20": ("Reading lamp", "Brass, warm white\n49.00", picture("lamp", "#fdf1d6", "#8a5a00")),
    "M-07": ("Stoneware mug", "Two of them, blue glaze\n24.00", picture("mug", "#dcebf7", "#1f5a8a")),
    "B-31": ("Atlas of small islands", "Hardcover, 144 pages\n28.50", picture("book", "#f6e1de", "#9a3b2e")),
    "P-12": ("Rubber plant", "In a clay pot, 60 cm\n32.00", picture("plant", "#dff0e2", "#2a6b3c")),
    "C-05": ("Kitchen clock", "Runs silently\n39.00", picture("clock", "#ebe4f5", "#5b3d8a")),
}

ORDERS = {
    "1001": ("on its way and arrives tomorrow", ["L-20", "M-07", "B-31"]),
    "1002": ("being packed", ["P-12"]),
    "1003": ("delivered", ["L-20", "M-07", "B-31", "P-12", "C-05"]),
}


def build_app() -> web.Application:
    """Return the app: `GET /orders/{number}` answers 200, 404 or 503, always with JSON."""
    app = web.Application()
    app.router.add_get("/orders/{number}", _order)
    return app


async def _order(request: web.Request) -> web.Response:
    number = request.match_info["number"]
    if number in UNAVAILABLE:
        return web.json_response({"error": "The order desk is closed for maintenance."}, status=503)
    if number not in ORDERS:
        return web.json_response({"error": "There is no such order."}, status=404)
    state, codes = ORDERS[number]
    return web.json_response({"number": number, "state": state, "items": [_item(code) for code in codes]})


def _item(code: str) -> dict[str, str]:
    name, detail, image = ARTICLES[code]
    return {"code": code, "name": name, "detail": detail, "picture": image}
