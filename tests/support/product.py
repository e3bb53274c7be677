"""The product as a person runs it: `sociallive demo --no-channel` as a process of its own."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import aiohttp

START_PATIENCE_S = 60
READY = "Ctrl-C ends everything"


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a person types to sign in."""

    email: str
    password: str


class Product:
    """One server with embedded stores in `data_dir`, on free ports."""

    def __init__(self, data_dir: Path, settings: Mapping[str, str] | None = None) -> None:
        self._environment = {
            **os.environ,
            "SOCIALLIVE_STORES__DATA_DIR": str(data_dir),
            "SOCIALLIVE_HTTP__PORT": "0",
            "SOCIALLIVE_CHAT__PORT": "0",
            "SOCIALLIVE_MEDIA__UDP_PORT": "0",
            **(settings or {}),
        }
        self._process: asyncio.subprocess.Process | None = None
        self.output = ""
        self.url = ""
        self.chat_url = ""
        self.accounts: dict[str, SignIn] = {}

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Run it and return when it says where to click."""
        self.output = ""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "server.cli", "demo", "--no-channel"),
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(START_PATIENCE_S):
            await self._read_until_ready()
        self._reader = asyncio.create_task(self._read_on())
        (self.url,) = re.findall(r"watch +(http://\S+?)/\n", self.output)
        self.accounts = {
            label: SignIn(email, password)
            for label, email, password in re.findall(
                r"^  (\w+) +(\S+@\S+) +(\S+)$", self.output, re.M
            )
        }
        async with aiohttp.ClientSession() as http, http.get(f"{self.url}/api/config") as answer:
            self.chat_url = (await answer.json())["chat_url"]

    async def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """Signal it and return its exit status."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(how)
        async with asyncio.timeout(30):
            status = await self._process.wait()
            await self._reader
        return status

    def media_worker(self, name: str) -> int:
        """The process id of a media worker."""
        assert self._process is not None
        pid = self._process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        (found,) = (
            int(child)
            for child in children
            if f"--worker\0{name}\0" in Path(f"/proc/{child}/cmdline").read_text()
        )
        return found

    async def _read_until_ready(self) -> None:
        while READY not in self.output:
            line = await self._stdout.readline()
            assert line, f"the product ended at start:\n{self.output}"
            self.output += line.decode()

    async def _read_on(self) -> None:
        while line := await self._stdout.readline():
            self.output += line.decode()

    @property
    def _stdout(self) -> asyncio.StreamReader:
        assert self._process is not None
        assert self._process.stdout is not None
        return self._process.stdout


class Api:
    """A client of the HTTP API, signed in or not."""

    def __init__(self, http: aiohttp.ClientSession, url: str, token: str | None = None) -> None:
        self._http = http
        self.url = url
        self.token = token

    async def sign_in(self, who: SignIn) -> "Api":
        """Another client that is signed in."""
        body = {"email": who.email, "password": who.password}
        tokens = await self.call("POST", "/auth/login", body, expect=200)
        return Api(self._http, self.url, tokens["access_token"])

    async def call(
        self, method: str, path: str, body: Any = None, *, expect: int | set[int]
    ) -> Any:
        """The JSON answer, whose status must be an expected one."""
        status, answer = await self.try_call(method, path, body)
        assert status in (expect if isinstance(expect, set) else {expect}), (status, answer)
        return answer

    async def try_call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Status and JSON answer."""
        headers = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        async with self._http.request(
            method, self.url + path, json=body, headers=headers
        ) as answer:
            is_json = answer.content_type.endswith("json")
            return answer.status, await answer.json(content_type=None) if is_json else None
