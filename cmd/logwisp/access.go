package main

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"strconv"
	"strings"

	"logwisp/netio"
	"logwisp/netio/access"
)

// rules are what the settings say of who may do what.
func (s *settings) rules() access.Rules { return access.Rules{Auth: s.Auth, ACL: s.ACL} }

// checkAccess finds what is wrong with the settings of access and TLS.
func (s *settings) checkAccess() []problem {
	_, err := access.NewGate(s.rules())
	problems := s.allPlaced("", err)
	if s.TCP.Enabled {
		_, err := access.NewArrivals(s.TCP.ArrivalOptions, nil)
		problems = append(problems, s.allPlaced("tcpserver", err)...)
		problems = append(problems, s.checkTLS("tcpserver", &s.TCP.TLS)...)
	}
	if s.HTTP.Enabled {
		problems = append(problems, s.allPlaced("httpserver", s.HTTP.Check())...)
		problems = append(problems, s.checkTLS("httpserver", &s.HTTP.TLS)...)
	}
	return problems
}

// checkTLS finds what is wrong with the TLS of a server. Files without a word on
// whether it is enabled are more likely a word that was forgotten: what is meant to
// be encrypted would not be.
func (s *settings) checkTLS(server string, o *netio.TLSOptions) []problem {
	enabled := server + ".tls.enabled"
	if o.CertFile+o.KeyFile+o.ClientCAFile != "" && s.origins.of(enabled) == "default" {
		p := s.at(server + ".tls")
		p.Message, p.Hint = "files are given, but not whether TLS is enabled", "set enabled = true; false has the port speak without TLS"
		return []problem{p}
	}
	_, err := o.Load()
	return s.allPlaced(server, err)
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
