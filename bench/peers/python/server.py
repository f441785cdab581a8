"""FastMCP as its documentation shows it: stateless, answers in JSON."""

import sys

from fastmcp import FastMCP
from pydantic import BaseModel

PORT, COUNT = int(sys.argv[1]), int(sys.argv[2])


class Text(BaseModel):
    text: str


mcp = FastMCP("bench")

# `echo` stands in the middle; the others do the same under other names.
for index in range(COUNT):

    def echo(text: str) -> Text:
        return Text(text=text)

    name = "echo" if index == COUNT // 2 else f"tool_{index}"
    mcp.tool(echo, name=name, description="Returns its text.")

mcp.run(
    transport="http",
    host="127.0.0.1",
    port=PORT,
    stateless_http=True,
    json_response=True,
    show_banner=False,
    log_level="error",
)
