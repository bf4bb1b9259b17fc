package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"

	"logwisp/netio"
)

// defaultURL is where a command looks for a running LogWisp.
const defaultURL = "http://localhost:8080"

// serverFlags are what every command has that talks to a running LogWisp.
type serverFlags struct {
	URL       string `arg:"" optional:"" name:"url" help:"Where it runs (default: http://localhost:8080)."`
	TokenFile string `name:"token-file" placeholder:"FILE" help:"File with the token to show."`
}

// address is where a running LogWisp is reached.
type address struct {
	scheme string   // http, https, tcp or unix
	host   string   // host:port, or the path of a Unix socket
	base   string   // behind that of a Unix socket, what is before the paths of the HTTP server
	url    *url.URL // of http and https only
	token  string   // "" for none
}

// String is the address as a user would write it, without a password.
func (a *address) String() string {
	if a.url != nil {
		return netio.ShownURL(a.url.String())
	}
	return a.scheme + "://" + a.host + a.base
}

// address reads the URL, whose scheme must be one of those given, and the
// token. Its error is a *refusal.
func (f *serverFlags) address(schemes ...string) (*address, error) {
	a, err := parseAddress(f.URL, schemes)
	if err == nil && f.TokenFile != "" {
		a.token, err = readToken(f.TokenFile)
	}
	if err != nil {
		return nil, &refusal{code: exitUsage, lines: []string{err.Error()}}
	}
	return a, nil
}

func parseAddress(text string, schemes []string) (*address, error) {
	if text == "" {
		text = defaultURL
	}
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		if _, err := os.Lstat(text); err == nil || strings.ContainsAny(text[:1], "/.") {
			return nil, fmt.Errorf("%s is a file: `logwisp %[1]s` follows files, this command wants the URL of a running LogWisp", text)
		}
		scheme, rest = "http", text
		if _, _, err := net.SplitHostPort(rest); err != nil && !strings.Contains(rest, "/") {
			rest += ":8080"
		}
		text = "http://" + rest
	}
	if !slices.Contains(schemes, scheme) {
		near := nearest(scheme, schemes)
		if near == "" {
			near = schemes[0]
		}
		return nil, fmt.Errorf("%s: %q is none of the schemes %s; did you mean %s://%s?",
			text, scheme, strings.Join(schemes, ", "), near, rest)
	}
	switch scheme {
	case "unix":
		if rest == "" {
			return nil, fmt.Errorf("%s: name the socket, as in unix:///run/logwisp.sock", text)
		}
		socket, base := splitSocket(rest)
		return &address{scheme: scheme, host: socket, base: base}, nil
	case "tcp":
		return parseTCP(text, strings.TrimSuffix(rest, "/"))
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s is not a URL: %w", text, errors.Unwrap(err))
	}
	if strings.HasPrefix(u.Host, ":") {
		u.Host = "localhost" + u.Host
	}
	if u.Hostname() == "" {
		return nil, fmt.Errorf("%s names no host: write %s://localhost:8080", text, scheme)
	}
	return &address{scheme: scheme, host: u.Host, url: u}, nil
}

// splitSocket cuts what is behind the path of a socket, which is httpserver.base_path
// there.
func splitSocket(path string) (socket, base string) {
	for end := len(path); end > 0; end = strings.LastIndexByte(path[:end], '/') {
		if info, err := os.Stat(path[:end]); err == nil && info.Mode()&os.ModeSocket != 0 {
			return path[:end], path[end:]
		}
	}
	return path, ""
}

// parseTCP fills in the host and the port of the TCP server.
func parseTCP(text, host string) (*address, error) {
	if strings.ContainsAny(host, "/?#@") {
		return nil, fmt.Errorf("%s: a tcp:// address is a host and a port and no more, as in tcp://localhost:9090", text)
	}
	if _, _, err := net.SplitHostPort(host); err != nil {
		host = net.JoinHostPort(strings.Trim(host, "[]"), "9090")
	}
	if strings.HasPrefix(host, ":") {
		host = "localhost" + host
	}
	return &address{scheme: "tcp", host: host}, nil
}

// readToken reads the first line of a file.
func readToken(path string) (string, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("--token-file names %s, which does not exist", path)
	}
	if err != nil {
		return "", fmt.Errorf("--token-file %s: %w", path, cause(err))
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	if line = strings.TrimSpace(line); line == "" {
		return "", fmt.Errorf("--token-file %s is empty: it must hold the token", path)
	}
	return line, nil
}
