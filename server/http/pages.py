"""The built pages: one `index.html` for every address of the app, and files with hashed names.

The files are those of `server/pages/`, which the build of `web/` writes; a `.br` or `.gz` beside a
file is sent to clients that take it.
"""

import re
from pathlib import Path
from typing import Final

from aiohttp import web

from server.gateway.refusals import NotFound
from server.gateway.route import Call
from server.http.site import html, page_headers

PAGES: Final = web.AppKey("pages", Path)
FOLDER: Final = Path(__file__).parent.parent / "pages"

IMMUTABLE: Final = "public, max-age=31536000, immutable"
REVALIDATED: Final = "no-cache"
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")

NOT_BUILT: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Social Live</title>
<h1>The pages are not built</h1>
<p>The server runs, and its API answers. Build the pages with <code>make run</code>, or with
<code>npm ci &amp;&amp; npm run build</code> in <code>web/</code>, and load this again.</p>
</html>
"""


async def index(call: Call) -> web.StreamResponse:
    """The app; its own router does the rest."""
    path = call.request.app[PAGES] / "index.html"
    if not _is_file(path):
        return html(call, NOT_BUILT, status=503)
    return web.FileResponse(path, headers={"Cache-Control": REVALIDATED, **page_headers(call)})


async def asset(call: Call) -> web.StreamResponse:
    """A file with a hash in its name, which never changes."""
    return _file(call, call.request.app[PAGES] / "assets", IMMUTABLE)


async def file(call: Call) -> web.StreamResponse:
    """A file beside the index, such as the icon."""
    return _file(call, call.request.app[PAGES], REVALIDATED)


def _file(call: Call, folder: Path, cache_control: str) -> web.FileResponse:
    name = call.request.match_info["file"]
    # One path segment of harmless characters can't leave the folder.
    if not _NAME.fullmatch(name) or not _is_file(path := folder / name):
        raise NotFound("There is no such file.")
    return web.FileResponse(path, headers={"Cache-Control": cache_control})


def _is_file(path: Path) -> bool:
    return path.is_file()
