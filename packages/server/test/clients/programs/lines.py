"""Shared code of the Python clients: lines of JSON from and to official-client.ts, and a memory."""

import asyncio
import json
import sys

REDIRECT_URI = "http://127.0.0.1:33418/callback"


def send(**message):
    print(json.dumps(message), flush=True)


async def receive():
    line = await asyncio.to_thread(sys.stdin.readline)
    return json.loads(line) if line else None


async def send_person(url):
    send(open=url)


async def run_calls(call_tool, memory, connection):
    """Makes the requested calls, and reports the outcome of each."""
    send(ready=True)
    while (command := await receive()) is not None:
        result = await call_tool(command["call"], command["arguments"])
        tokens, client = await memory.get_tokens(), await memory.get_client_info()
        send(
            result=result,
            connection=connection(),
            scope=tokens.scope,
            refresh_token=tokens.refresh_token,
            client_id=client.client_id,
        )


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
