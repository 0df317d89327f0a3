"""`/webview.js`: one line on a page of any site loads it, without a console and without asking who."""

from tests.services.gateway.loopback import Gateway, StartGateway


async def test_any_page_may_load_the_script(start_gateway: StartGateway) -> None:
    gateway = await start_gateway(console=False, web_view_origins=("https://forms.example",))
    async with gateway.client.get("/webview.js", headers={"Origin": "https://any.example"}) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert "max-age" in answer.headers["Cache-Control"]
        assert "thirdparty-services-0.1/webview" in await answer.text()


async def test_a_browser_that_has_it_is_told_that_it_is_unchanged(gateway: Gateway) -> None:
    async with gateway.client.get("/webview.js") as answer:
        tag = answer.headers["ETag"]
    async with gateway.client.get("/webview.js", headers={"If-None-Match": tag}) as answer:
        assert answer.status == 304
