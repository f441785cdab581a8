// The official Go SDK as its documentation shows it: stateless, answers in JSON.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"strconv"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

type text struct {
	Text string `json:"text"`
}

func echo(_ context.Context, _ *mcp.CallToolRequest, input text) (*mcp.CallToolResult, text, error) {
	return nil, input, nil
}

// The port, and how many tools there are: `echo` stands in the middle.
func main() {
	count, err := strconv.Atoi(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	server := mcp.NewServer(&mcp.Implementation{Name: "bench", Version: "1.0.0"}, nil)
	for index := range count {
		name := fmt.Sprintf("tool_%d", index)
		if index == count/2 {
			name = "echo"
		}
		mcp.AddTool(server, &mcp.Tool{Name: name, Description: "Returns its text."}, echo)
	}
	handler := mcp.NewStreamableHTTPHandler(
		func(*http.Request) *mcp.Server { return server },
		&mcp.StreamableHTTPOptions{Stateless: true, JSONResponse: true},
	)
	mux := http.NewServeMux()
	mux.Handle("/mcp", handler)
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], mux))
}
