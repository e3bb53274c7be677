"""A running product and a Chromium, for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, async_playwright

from tests.support.browser import launch
from tests.support.product import Api, Product


@pytest.fixture
async def product(data_dir: Path) -> AsyncIterator[Product]:
    async with Product(data_dir) as product:
        yield product


@pytest.fixture
async def guest(product: Product) -> AsyncIterator[Api]:
    async with aiohttp.ClientSession() as http:
        yield Api(http, product.url)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await launch(playwright)
        yield browser
        await browser.close()
