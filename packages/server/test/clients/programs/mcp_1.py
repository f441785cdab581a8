"""The Python client `mcp` 1.x, driven by lines of JSON: see official-client.ts.

Usage: mcp_1.py URL NAME
"""

import asyncio
import sys
from urllib.parse import parse_qs, urlparse

from lines import REDIRECT_URI, Memory, receive, run_calls, send_person
from mcp.client.auth import OAuthClientProvider
from mcp.client.session import ClientSession
from mcp.client.streamable_http import streamablehttp_client
from mcp.shared.auth import OAuthClientMetadata

URL, NAME = sys.argv[1:]


async def person_returned():
    query = parse_qs(urlparse((await receive())["redirect"]).query)
    return query["code"][0], query["state"][0]


async def main():
    memory = Memory()
    metadata = OAuthClientMetadata(
        client_name=NAME,
        redirect_uris=[REDIRECT_URI],
        token_endpoint_auth_method="none",
        scope="mcp",
    )
    auth = OAuthClientProvider(URL, metadata, memory, send_person, person_returned)
    async with streamablehttp_client(URL, auth=auth) as (read, write, connection):
        async with ClientSession(read, write) as session:
            await session.initialize()

            async def call_tool(name, arguments):
                return (await session.call_tool(name, arguments)).structuredContent

            await run_calls(call_tool, memory, connection)


asyncio.run(main())
