package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// queryFlags are those of the commands that ask a running LogWisp one thing.
type queryFlags struct {
	serverFlags
	JSON    bool          `name:"json" help:"Print the answer as it came."`
	Timeout time.Duration `name:"timeout" default:"5s" placeholder:"TIME" help:"How long to wait for the answer (default: ${default})."`
}

// ask returns the address asked and its answer.
func (f *queryFlags) ask(path string) (a *address, status int, body []byte, err error) {
	if a, err = f.address("http", "https", "unix"); err != nil {
		return nil, 0, nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), f.Timeout)
	defer cancel()
	status, body, err = a.get(ctx, path)
	return a, status, body, err
}

// read prints the answer to a GET as it came, or decodes it into answer and
// says that it has to be shown.
func (f *queryFlags) read(path string, answer any, std *stdio) (show bool, err error) {
	a, status, body, err := f.ask(path)
	if err != nil {
		return false, err
	}
	if status != http.StatusOK {
		return false, a.refusedBy(status, body)
	}
	if f.JSON {
		_, err := std.out.Write(withNewline(body))
		return false, err
	}
	if err := json.Unmarshal(body, answer); err != nil {
		return false, &refusal{code: exitUnavailable, lines: []string{
			fmt.Sprintf("%s: the answer to GET %s is not that of LogWisp: %v", a, path, err),
		}}
	}
	return true, nil
}

func withNewline(body []byte) []byte {
	if len(body) > 0 && body[len(body)-1] != '\n' {
		body = append(body, '\n')
	}
	return body
}

// healthcheckCommand is for a supervisor that knows no HTTP.
type healthcheckCommand struct{ queryFlags }

func (c *healthcheckCommand) Run(std *stdio) error {
	a, status, body, err := c.ask("/readyz")
	if err != nil {
		if r, ok := err.(*refusal); ok && r.code == exitUnavailable {
			r.code = exitFailure
		}
		return err
	}
	good := status == http.StatusOK
	if c.JSON {
		if _, err := std.out.Write(withNewline(body)); err != nil {
			return err
		}
	}
	if good {
		if !c.JSON {
			fmt.Fprintf(std.out, "%s is ready\n", a)
		}
		return nil
	}
	r := a.refusedBy(status, body)
	r.code = exitFailure
	if status == http.StatusServiceUnavailable {
		r.lines = []string{fmt.Sprintf("%s is not ready: %s", a, reasons(body))}
	}
	if c.JSON {
		r.lines = nil
	}
	return r
}

// reasons finds why a server is not ready, whatever the form of the answer.
func reasons(body []byte) string {
	var answer struct {
		Error   string
		Reasons []string
	}
	if json.Unmarshal(body, &answer) == nil {
		if answer.Error != "" {
			answer.Reasons = append([]string{answer.Error}, answer.Reasons...)
		}
		if len(answer.Reasons) > 0 {
			return escaped(strings.Join(answer.Reasons, "; "))
		}
	}
	if text := strings.TrimSpace(string(body)); text != "" {
		return escaped(text)
	}
	return "it gives no reason"
}

func count[T int | int64 | uint64](n T) string { return humanize.Comma(int64(n)) }

func amount[T int64 | uint64](n T) string { return humanize.IBytes(uint64(max(n, 0))) }
