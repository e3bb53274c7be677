import gzip
from pathlib import Path
from typing import Any

import pytest

SMALLER = gzip.compress(b"plain();")
APP_ADDRESSES = ("/", "/watch/01890000-0000-7000-8000-000000000001", "/studio", "/admin")


@pytest.fixture
def built(pages_folder: Path) -> Path:
    (pages_folder / "assets").mkdir(parents=True)
    (pages_folder / "index.html").write_text("<!doctype html><title>The app</title>")
    (pages_folder / "favicon.svg").write_text("<svg/>")
    (pages_folder / "assets" / "app-1a2b3c.js").write_text("plain();")
    (pages_folder / "assets" / "app-1a2b3c.js.gz").write_bytes(SMALLER)
    (pages_folder.parent / "secret.txt").write_text("secret")
    return pages_folder


async def test_every_address_of_the_app_is_the_index(built: Path, api: Any) -> None:
    for path in APP_ADDRESSES:
        reply = await api("GET", path)
        assert (reply.status, "The app" in reply.text) == (200, True)
        assert reply.headers["Content-Type"].startswith("text/html")
        assert reply.headers["Cache-Control"] == "no-cache"


async def test_pages_run_our_scripts_and_reach_our_chat_alone(built: Path, api: Any) -> None:
    policy = (await api("GET", "/")).headers["Content-Security-Policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert f"connect-src 'self' ws://127.0.0.1:{api.services.chat.port}/" in policy
    assert "frame-ancestors 'none'" in policy
    forged = await api("GET", "/", headers={"Host": "x; script-src *"})
    assert "script-src *" not in forged.headers["Content-Security-Policy"]


async def test_hashed_files_are_kept_forever(built: Path, api: Any) -> None:
    plain = {"Accept-Encoding": "identity"}
    asset = await api("GET", "/assets/app-1a2b3c.js", headers=plain)
    assert (asset.status, asset.text) == (200, "plain();")
    assert asset.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "javascript" in asset.headers["Content-Type"]
    icon = await api("GET", "/favicon.svg")
    assert (icon.status, icon.headers["Cache-Control"]) == (200, "no-cache")


async def test_a_compressed_neighbour_is_sent_to_who_takes_it(built: Path, api: Any) -> None:
    reply = await api("HEAD", "/assets/app-1a2b3c.js", headers={"Accept-Encoding": "gzip"})
    assert reply.headers["Content-Encoding"] == "gzip"
    assert reply.headers["Content-Length"] == str(len(SMALLER))
    assert "javascript" in reply.headers["Content-Type"]


async def test_nothing_outside_of_the_folder_is_served(built: Path, api: Any) -> None:
    for path in (
        "/assets/none.js",
        "/assets/..%2f..%2fsecret.txt",
        "/..%2fsecret.txt",
        "/secret.txt",
        "/assets/.hidden",
        "/assets/",
        "/assets/a%00b",
    ):
        reply = await api("GET", path)
        assert (reply.status, reply.code) == (404, "not_found"), path


async def test_without_a_build_the_page_says_what_to_do(api: Any) -> None:
    reply = await api("GET", "/studio")
    assert reply.status == 503
    assert "make run" in reply.text
    assert reply.headers["Content-Type"].startswith("text/html")
