// The official Go client, driven by lines of JSON: see official-client.ts.
//
// Usage: client PROTOCOL_VERSION URL NAME
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"log"
	"net/url"
	"os"

	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/modelcontextprotocol/go-sdk/oauthex"
	"golang.org/x/oauth2"
)

const redirectURI = "http://127.0.0.1:33418/callback"

var lines = bufio.NewScanner(os.Stdin)

type command struct {
	Call      string         `json:"call"`
	Arguments map[string]any `json:"arguments"`
	Redirect  string         `json:"redirect"`
}

func send(message map[string]any) {
	if err := json.NewEncoder(os.Stdout).Encode(message); err != nil {
		log.Fatal(err)
	}
}

func receive() (received command, ok bool) {
	if !lines.Scan() {
		return received, false
	}
	if err := json.Unmarshal(lines.Bytes(), &received); err != nil {
		log.Fatal(err)
	}
	return received, true
}

func askPerson(_ context.Context, args *auth.AuthorizationArgs) (*auth.AuthorizationResult, error) {
	send(map[string]any{"open": args.URL})
	received, _ := receive()
	returned, err := url.Parse(received.Redirect)
	if err != nil {
		return nil, err
	}
	query := returned.Query()
	return &auth.AuthorizationResult{
		Code: query.Get("code"), State: query.Get("state"), Iss: query.Get("iss"),
	}, nil
}

func main() {
	ctx := context.Background()
	// The registration of the tokens: the client registers again at each authorization.
	var clientID string
	handler, err := auth.NewAuthorizationCodeHandler(&auth.AuthorizationCodeHandlerConfig{
		AuthorizationCodeFetcher: askPerson,
		DynamicClientRegistrationConfig: &auth.DynamicClientRegistrationConfig{
			Metadata: &oauthex.ClientRegistrationMetadata{
				ClientName:              os.Args[3],
				RedirectURIs:            []string{redirectURI},
				GrantTypes:              []string{"authorization_code", "refresh_token"},
				TokenEndpointAuthMethod: "none",
			},
		},
		NewTokenSource: func(ctx context.Context, config *oauth2.Config, token *oauth2.Token) (oauth2.TokenSource, error) {
			clientID = config.ClientID
			return config.TokenSource(ctx, token), nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	client := mcp.NewClient(&mcp.Implementation{Name: "go", Version: "1"}, nil)
	// Without its standalone stream: when that ends with a session, the client reconnects it with the
	// dead token, and any answer but 200 ends the whole connection.
	transport := &mcp.StreamableClientTransport{
		Endpoint: os.Args[2], OAuthHandler: handler, DisableStandaloneSSE: true,
	}
	session, err := client.Connect(ctx, transport, &mcp.ClientSessionOptions{ProtocolVersion: os.Args[1]})
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	send(map[string]any{"ready": true})
	for received, ok := receive(); ok; received, ok = receive() {
		result, err := session.CallTool(ctx, &mcp.CallToolParams{Name: received.Call, Arguments: received.Arguments})
		if err != nil {
			send(map[string]any{"error": err.Error()})
			continue
		}
		if result.IsError {
			text, _ := json.Marshal(result.Content)
			send(map[string]any{"error": string(text)})
			continue
		}
		answer := map[string]any{"result": result.StructuredContent, "client_id": clientID}
		if session.ID() != "" {
			answer["connection"] = session.ID()
		}
		source, _ := handler.TokenSource(ctx)
		if token, err := source.Token(); err == nil {
			answer["scope"], answer["refresh_token"] = token.Extra("scope"), token.RefreshToken
		}
		send(answer)
	}
}
