"""The Python clients `mcp` 2.x and `fastmcp` 4.x, driven by lines of JSON: see official-client.ts.

Usage: mcp_2.py mcp|fastmcp MODE URL NAME
"""

import asyncio
import sys
import webbrowser
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlparse

import httpx2
from fastmcp import Client as FastClient
from fastmcp.client.auth import OAuth
from lines import REDIRECT_URI, Memory, receive, run_calls, send, send_person
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientMetadata

LIBRARY, MODE, URL, NAME = sys.argv[1:]


async def person_returned():
    query = parse_qs(urlparse((await receive())["redirect"]).query)
    return AuthorizationCodeResult(**{name: query[name][0] for name in ("code", "state", "iss")})


@asynccontextmanager
async def mcp_client():
    """Yields a client, its memory and a function that gives the id of its connection."""
    memory = Memory()
    metadata = OAuthClientMetadata(
        client_name=NAME,
        redirect_uris=[REDIRECT_URI],
        token_endpoint_auth_method="none",
        scope="mcp",
    )
    auth = OAuthClientProvider(URL, metadata, memory, send_person, person_returned)
    ids = [None]

    async def keep_id(response):
        if "mcp-session-id" in response.headers:
            ids.append(response.headers["mcp-session-id"])

    hooks = {"response": [keep_id]}
    async with httpx2.AsyncClient(auth=auth, timeout=60, event_hooks=hooks) as http:
        transport = streamable_http_client(URL, http_client=http)
        async with Client(transport, mode=MODE) as client:
            yield client, memory, lambda: ids[-1]


@asynccontextmanager
async def fastmcp_client():
    """Its own callback server takes the code: only the browser is the test's."""
    webbrowser.open = lambda url: send(open=url)
    auth = OAuth(client_name=NAME, scopes="mcp")
    async with FastClient(URL, auth=auth, mode=MODE) as client:
        yield client, auth.token_storage_adapter, client.transport.get_session_id


async def main():
    opened = mcp_client() if LIBRARY == "mcp" else fastmcp_client()
    async with opened as (client, memory, connection):
        # FastMCP raises for a result that is an error, unless asked not to.
        options = {} if LIBRARY == "mcp" else {"raise_on_error": False}

        async def call_tool(name, arguments):
            return (await client.call_tool(name, arguments, **options)).structured_content

        await run_calls(call_tool, memory, connection)


asyncio.run(main())
