package nats

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	client "github.com/nats-io/nats.go"

	"logwisp/netio"
)

// Scheme is that of the URLs of this package.
const Scheme = "nats"

// defaultStream is the stream of a URL that names none.
const defaultStream = "logwisp"

// defaultBytes bounds a stream that an Edge creates where the URL does not.
const defaultBytes = 1 << 30

// Options are what a URL says:
//
//	nats://[user:password@]host[:port][,host[:port]…]/[STREAM][?replicas=N&…]
type Options struct {
	Servers     string // as the client library takes them, with what is secret
	Stream      string
	Host        string // name of this machine in subjects
	Credentials string // file with a user's JWT and key; "" = none
	TokenFile   string // read for every connection; "" = none
	TLS         bool   // nothing is said to a server that has none

	// Of a stream that is created because there is none.
	Replicas int
	MaxBytes int64
	MaxAge   time.Duration
}

// parameters are the names of the query.
var parameters = []string{"credentials", "host", "max_age", "max_bytes", "replicas", "tls", "token_file"}

// ParseURL reads a URL. The error does not show what may be secret.
func ParseURL(raw string) (*Options, error) {
	rest, ok := strings.CutPrefix(raw, Scheme+"://")
	if !ok {
		return nil, errors.New("want nats://host:port/stream")
	}
	if err := netio.CheckSecret(raw); err != nil {
		return nil, err
	}
	rest, query, _ := strings.Cut(rest, "?")
	servers, stream, _ := strings.Cut(rest, "/")
	o := &Options{Stream: defaultStream, Replicas: 1, MaxBytes: defaultBytes}
	if stream != "" {
		o.Stream = stream
	}
	if strings.ContainsAny(o.Stream, " \t\r\n.*>/\\") {
		return nil, fmt.Errorf("stream %q: a name has no space, dot, star, slash or >", o.Stream)
	}
	if err := o.setServers(servers); err != nil {
		return nil, err
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, fmt.Errorf("the parameters behind ? are malformed: %w", err)
	}
	for name := range values {
		if !slices.Contains(parameters, name) {
			return nil, fmt.Errorf("parameter %q is not known: there are %s", name, strings.Join(parameters, ", "))
		}
		if err := o.set(name, values.Get(name)); err != nil {
			return nil, fmt.Errorf("parameter %s: %w", name, err)
		}
	}
	if o.Host == "" {
		if o.Host, err = os.Hostname(); err != nil {
			return nil, fmt.Errorf("the host has no name, give it one with ?host=NAME: %w", err)
		}
	}
	return o, nil
}

// setServers takes the part of the URL before the stream. User and password
// stand before the first server and are for all of them.
func (o *Options) setServers(text string) error {
	user := ""
	if i := strings.LastIndexByte(text, '@'); i >= 0 {
		user, text = text[:i+1], text[i+1:]
	}
	var servers []string
	for server := range strings.SplitSeq(text, ",") {
		host, port, err := net.SplitHostPort(server)
		if err != nil {
			host, port = strings.Trim(server, "[]"), "4222"
		}
		if host == "" {
			return errors.New("names no host")
		}
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return fmt.Errorf("port %q of %s is none", port, host)
		}
		servers = append(servers, Scheme+"://"+user+net.JoinHostPort(host, port))
	}
	o.Servers = strings.Join(servers, ",")
	return nil
}

func (o *Options) set(name, value string) (err error) {
	switch name {
	case "credentials":
		o.Credentials = value
	case "token_file":
		o.TokenFile = value
	case "tls":
		if o.TLS, err = strconv.ParseBool(value); err != nil {
			err = errors.New("want true or false")
		}
	case "host":
		if o.Host = value; value == "" || len(value) > 255 {
			err = errors.New("want a name of at most 255 bytes")
		}
	case "replicas":
		if o.Replicas, err = strconv.Atoi(value); err != nil || o.Replicas < 1 || o.Replicas > 5 {
			err = errors.New("want 1 to 5")
		}
	case "max_bytes":
		if o.MaxBytes, err = strconv.ParseInt(value, 10, 64); err != nil || o.MaxBytes < 1 {
			err = errors.New("want a number of bytes")
		}
	case "max_age":
		if o.MaxAge, err = time.ParseDuration(value); err != nil || o.MaxAge < time.Second {
			err = errors.New("want a duration of at least a second, such as 24h")
		}
	}
	return err
}

// window is for how long a stream that is created knows the ids of messages, which
// the server wants to be no longer than it keeps them.
func (o *Options) window() time.Duration {
	if o.MaxAge > 0 {
		return min(o.MaxAge, 2*time.Minute)
	}
	return 2 * time.Minute
}

// connection returns the settings of a connection that is kept up for ever.
func (o *Options) connection(name string) []client.Option {
	settings := []client.Option{
		client.Name(name),
		client.RetryOnFailedConnect(true),
		client.MaxReconnects(-1),
		client.IgnoreAuthErrorAbort(), // a token or password is put right while this goes on
		client.ReconnectWait(250 * time.Millisecond),
		client.ReconnectJitter(250*time.Millisecond, 250*time.Millisecond),
		client.PingInterval(10 * time.Second),
		client.MaxPingsOutstanding(2),
		client.ReconnectBufSize(-1), // what is not sent at once is an error, and sent again by us
		client.Timeout(5 * time.Second),
	}
	if o.TLS {
		settings = append(settings, client.Secure())
	}
	if o.Credentials != "" {
		settings = append(settings, client.UserCredentials(o.Credentials))
	}
	if o.TokenFile != "" {
		settings = append(settings, client.TokenHandler(func() string {
			token, _ := os.ReadFile(o.TokenFile) // without one the server refuses, which is told
			return strings.TrimSpace(string(token))
		}))
	}
	return settings
}
