"""The official Python client: authorized, then step-up, expiry, logout and revocation in mid-session.

Usage: python-client.py URL SECONDS_UNTIL_EXPIRY. Prints what each step came to as a line of JSON.
"""

import asyncio
import json
import sys
from urllib.parse import parse_qs, urljoin, urlparse

import httpx
from mcp.client.auth import OAuthClientProvider
from mcp.client.session import ClientSession
from mcp.client.streamable_http import streamablehttp_client
from mcp.shared.auth import OAuthClientMetadata

URL, EXPIRY = sys.argv[1], float(sys.argv[2])
REDIRECT_URI = "http://127.0.0.1:33418/callback"


class Memory:
    tokens = None
    client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


class Person:
    """Allows the client, and signs in where the provider asks, always in the same browser."""

    def __init__(self):
        self.browser = httpx.AsyncClient()
        self.code = None
        self.consents = 0

    async def follow(self, response):
        while response.is_redirect:
            location = urljoin(str(response.url), response.headers["location"])
            if location.startswith(REDIRECT_URI):
                query = parse_qs(urlparse(location).query)
                self.code = query["code"][0], query["state"][0]
                return None
            response = await self.browser.get(location)
        return response

    async def open(self, url):
        self.consents += 1
        page = await self.follow(await self.browser.get(url))
        page = await self.follow(await self.browser.post(page.url, data={"decision": "allow"}))
        if page is not None:
            await self.follow(await self.browser.post(page.url, data={"person": "ada"}))

    async def returned(self):
        return self.code


async def main():
    memory, person = Memory(), Person()
    metadata = OAuthClientMetadata(
        client_name="A Python client",
        redirect_uris=[REDIRECT_URI],
        token_endpoint_auth_method="none",
        scope="mcp",
    )
    auth = OAuthClientProvider(URL, metadata, memory, person.open, person.returned)
    async with streamablehttp_client(URL, auth=auth) as (read, write, connection_id):
        async with ClientSession(read, write) as session:
            await session.initialize()
            first = connection_id()

            async def step(name, tool="remember", **arguments):
                result = await session.call_tool(tool, arguments)
                before = (result.structuredContent or {}).get("before")
                same = connection_id() == first
                scope, consents = memory.tokens.scope, person.consents
                said = {"step": name, "before": before, "same": same, "scope": scope}
                print(json.dumps({**said, "consents": consents}), flush=True)

            await step("authorized", text="kept")
            await session.call_tool("service", {})
            await step("step-up")
            await asyncio.sleep(EXPIRY)
            await step("expiry")
            await session.call_tool("logout", {})
            await step("logout", text="anew")
            body = {"client_id": memory.client.client_id, "token": memory.tokens.refresh_token}
            await person.browser.post(URL.removesuffix("/mcp") + "/revoke", data=body)
            await step("revocation")


asyncio.run(main())
