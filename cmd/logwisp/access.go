package main

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"strconv"
	"strings"

	"logwisp/netio/access"
)

// rules are what the settings say of who may do what.
func (s *settings) rules() access.Rules { return access.Rules{Auth: s.Auth, ACL: s.ACL} }

// checkAccess finds what is wrong with the settings of access and TLS.
func (s *settings) checkAccess() []problem {
	var problems []problem
	add := func(key string, err error) {
		if err != nil {
			problems = append(problems, problem{Where: s.origins.of(key), Key: key, Message: err.Error()})
		}
	}
	if _, err := access.NewGate(s.rules()); err != nil {
		problems = append(problems, problem{Where: s.file, Message: err.Error()})
	}
	wrong := func(server string, err error) {
		if err != nil {
			problems = append(problems, problem{Where: s.file, Message: server + ": " + err.Error()})
		}
	}
	if s.TCP.Enabled {
		_, err := access.NewArrivals(s.TCP.ArrivalOptions, nil)
		wrong("tcpserver", err)
		_, err = s.TCP.TLS.Load()
		add("tcpserver.tls.enabled", err)
	}
	if s.HTTP.Enabled {
		wrong("httpserver", s.HTTP.Check())
		_, err := s.HTTP.TLS.Load()
		add("httpserver.tls.enabled", err)
	}
	return problems
}

// tokenCommands are the commands about tokens.
type tokenCommands struct {
	New tokenCommand `cmd:"" help:"Make a token: print it, once, and the table for the configuration that lets it in."`
}

// tokenCommand makes a token.
type tokenCommand struct {
	Name   string   `name:"name" placeholder:"NAME" help:"What the log calls it (default: that of this machine)."`
	Scopes []string `name:"scope" enum:"stream,admin,ingest" default:"stream" placeholder:"SCOPE" help:"What it allows: stream, admin or ingest; may be repeated (default: stream)."`
}

// tokenBytes is the length of a token before it is encoded.
const tokenBytes = 32

func (c *tokenCommand) Run(std *stdio) error {
	name := c.Name
	if name == "" {
		if name, _ = os.Hostname(); name == "" {
			name = "token"
		}
	}
	secret := make([]byte, tokenBytes)
	_, _ = rand.Read(secret) // it never fails
	token := "lw_" + base64.RawURLEncoding.EncodeToString(secret)
	quotedScopes := make([]string, len(c.Scopes))
	for i, s := range c.Scopes {
		quotedScopes[i] = strconv.Quote(s)
	}
	_, err := fmt.Fprintf(std.out, "token = %s\n\n[[auth.tokens]]\nname = %s\nhash = %q\nscopes = [%s]\n",
		token, quoted(name), access.Hash(token), strings.Join(quotedScopes, ", "))
	return err
}
