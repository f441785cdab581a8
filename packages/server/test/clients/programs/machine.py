"""The Python clients `mcp` 1.x and 2.x without a person, through the expiry of a token.

Usage: machine.py secret|key|assertion URL CLIENT_ID SECONDS
SECRET, KEY (PEM) and IDP (an identity provider's address) are in the environment. Prints a line of JSON.
"""

import asyncio
import json
import os
import sys
import urllib.parse
import urllib.request
from contextlib import asynccontextmanager
from importlib.metadata import version

from lines import Memory
from mcp.client.auth.extensions.client_credentials import (
    ClientCredentialsOAuthProvider,
    PrivateKeyJWTOAuthProvider,
    SignedJWTParameters,
)

KIND, URL, CLIENT_ID, SECONDS = sys.argv[1:]
ISSUER = URL.removesuffix("/mcp")
IS_1 = version("mcp").startswith("1.")


async def exchange(audience, resource):
    """An identity assertion of the provider for `ada`, by token exchange (RFC 8693)."""
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "requested_token_type": "urn:ietf:params:oauth:token-type:id-jag",
        "subject_token": "ada",
        "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
        **{"audience": audience, "resource": resource, "client_id": CLIENT_ID},
    }
    body = urllib.parse.urlencode(form).encode()
    with urllib.request.urlopen(f"{os.environ['IDP']}/token", body) as answer:
        return json.load(answer)["access_token"]


def provider(memory):
    if KIND == "secret":
        return ClientCredentialsOAuthProvider(URL, memory, CLIENT_ID, os.environ["SECRET"])
    if KIND == "key":
        signed = SignedJWTParameters(
            issuer=CLIENT_ID, subject=CLIENT_ID, signing_key=os.environ["KEY"]
        )
        return PrivateKeyJWTOAuthProvider(
            URL, memory, CLIENT_ID, signed.create_assertion_provider()
        )
    from mcp.client.auth.extensions.identity_assertion import IdentityAssertionOAuthProvider

    return IdentityAssertionOAuthProvider(
        URL, memory, CLIENT_ID, os.environ["SECRET"], ISSUER, exchange
    )


@asynccontextmanager
async def connected(auth):
    """Yields a function that calls a tool."""
    if IS_1:
        from mcp.client.session import ClientSession
        from mcp.client.streamable_http import streamablehttp_client

        async with streamablehttp_client(URL, auth=auth) as (read, write, _):
            async with ClientSession(read, write) as session:
                await session.initialize()
                yield session.call_tool
    else:
        import httpx2
        from mcp import Client
        from mcp.client.streamable_http import streamable_http_client

        async with httpx2.AsyncClient(auth=auth, timeout=60) as http:
            async with Client(streamable_http_client(URL, http_client=http)) as client:
                yield client.call_tool


async def main():
    memory = Memory()
    async with connected(provider(memory)) as call:

        async def remember(text):
            result = await call("remember", {"text": text})
            content = result.structuredContent if IS_1 else result.structured_content
            return content["before"]

        before = [await remember("first")]
        first = (await memory.get_tokens()).access_token
        await asyncio.sleep(int(SECONDS) + 1)
        before.append(await remember("second"))
        renewed = (await memory.get_tokens()).access_token != first
        print(json.dumps({"before": before, "renewed": renewed}), flush=True)


asyncio.run(main())
