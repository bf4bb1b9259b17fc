package ingest

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"logwisp/netio"
	"logwisp/ring/entry"
	"logwisp/ring/parse"
)

// Options are the settings of one input. The defaults in the tags are filled in
// by whoever reads the configuration; New takes the values as they are, zero
// values meaning the same.
type Options struct {
	URL      string            `toml:"url"`                                                      // what is read or listened on, see Schemes
	Source   string            `toml:"source"`                                                   // of entries that name none; "" = the sender's address
	Format   string            `toml:"format" enum:"auto,json,logfmt,text,regex" default:"auto"` // of lines, or of the text of syslog messages
	Regex    string            `toml:"regex"`                                                    // of format regex: named groups time, level, message; others become fields
	Tags     map[string]string `toml:"tags"`                                                     // merged into the fields of every entry
	Timezone string            `toml:"timezone" default:"local"`                                 // of times that name none

	MaxLineBytes   int64  `toml:"max_line_bytes" type:"bytes" default:"1MiB" min:"16" max:"67108864"` // longer lines are cut
	MaxConnections int    `toml:"max_connections" default:"1000" min:"1" max:"1000000"`               // those beyond wait to be accepted
	IdleTimeout    int    `toml:"idle_timeout_seconds" default:"0" min:"0" max:"86400"`               // a connection that sends nothing for so long is closed; 0 = never
	CertFile       string `toml:"cert_file"`                                                          // of tls://, PEM
	KeyFile        string `toml:"key_file"`
	ClientCAFile   string `toml:"client_ca_file"`                             // of tls://, PEM; senders need a certificate of one of these authorities
	Auth           string `toml:"auth" enum:"auto,token,none" default:"auto"` // whether a sender shows a token, where there are any; auto: on tcp and unix, and on tls without client_ca_file
}

// Schemes are what the URL of an input may begin with; - is all of it.
var Schemes = []string{"-", "tcp", "tls", "unix", "syslog+tcp", "syslog+udp", "nats"}

// examples say how a URL of a scheme is written.
var examples = map[string]string{
	"tcp": "tcp://:9091", "tls": "tls://:9092", "unix": "unix:///run/logwisp.sock",
	"syslog+tcp": "syslog+tcp://:6514", "syslog+udp": "syslog+udp://:5514",
}

// endpoint is a URL taken apart.
type endpoint struct {
	scheme     string
	host, port string
	path       string // of unix
}

// parseURL reads the URL of an input.
func parseURL(text string) (endpoint, error) {
	if text == "-" {
		return endpoint{scheme: "-"}, nil
	}
	scheme, rest, found := strings.Cut(text, "://")
	e := endpoint{scheme: scheme, path: rest}
	switch example := examples[scheme]; {
	case text == "":
		return e, errors.New("an input has no url: set it to " + listSchemes())
	case !found || example == "" && scheme != "nats":
		return e, fmt.Errorf("input %q: want %s", netio.ShownURL(text), listSchemes())
	case scheme == "nats":
		return e, fmt.Errorf("input %q: netio/nats reads from NATS", netio.ShownURL(text))
	case scheme == "unix":
		if rest == "" || strings.HasSuffix(rest, "/") || len(rest) > maxSocketPath {
			return e, fmt.Errorf("input %q: name the socket in at most %d bytes, as in %s", text, maxSocketPath, example)
		}
		return e, nil
	default:
		u, err := netio.ParseURL(text)
		if err != nil {
			return e, fmt.Errorf("input %q: %w", netio.ShownURL(text), err)
		}
		if e.host, e.port = u.Hostname(), u.Port(); e.port == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
			return e, fmt.Errorf("input %q: want a host, which may be empty, and a port, and no more, as in %s", netio.ShownURL(text), example)
		}
		if _, err := net.LookupPort("tcp", e.port); err != nil {
			return e, fmt.Errorf("input %q: %s is no port: want a number up to 65535", netio.ShownURL(text), e.port)
		}
		return e, nil
	}
}

// maxSocketPath is what the kernel has room for.
const maxSocketPath = 107

// listSchemes is what there is to choose from.
func listSchemes() string {
	texts := make([]string, len(Schemes))
	for i, scheme := range Schemes {
		if texts[i] = scheme; scheme != "-" {
			texts[i] += "://"
		}
	}
	return "one of " + strings.Join(texts, ", ")
}

// Check reports what is wrong with the settings of an input, and names it.
func (o *Options) Check() error {
	_, err := newInput(o)
	return err
}

// newInput compiles settings.
func newInput(o *Options) (*input, error) {
	in := &input{url: o.URL, source: o.Source, limit: int(o.MaxLineBytes), connections: o.MaxConnections, idle: seconds(o.IdleTimeout), auth: o.Auth}
	var err error
	if in.endpoint, err = parseURL(o.URL); err != nil {
		return nil, err
	}
	in.syslog = strings.HasPrefix(in.scheme, "syslog+")
	if in.limit == 0 {
		in.limit = 1 << 20
	}
	if in.connections == 0 {
		in.connections = 1000
	}
	if len(o.Source) > maxSourceBytes {
		return nil, fmt.Errorf("input %q: source has %d bytes: at most %d", o.URL, len(o.Source), maxSourceBytes)
	}
	if o.Auth == "token" && (in.syslog || in.scheme == "-") {
		return nil, fmt.Errorf("input %q: auth = \"token\" is not possible here, there is no place for one: say who may send with [acl]", o.URL)
	}
	if o.ClientCAFile != "" && in.scheme != "tls" {
		return nil, fmt.Errorf("input %q: client_ca_file belongs to tls://", o.URL)
	}
	if (in.scheme == "tls") != (o.CertFile != "" || o.KeyFile != "") {
		return nil, fmt.Errorf("input %q: cert_file and key_file belong to tls://, and it needs both", o.URL)
	}
	var p parse.Parser
	if err := p.Configure(o.Format, o.Regex, o.Timezone); err != nil {
		return nil, fmt.Errorf("input %q: %w", o.URL, err)
	}
	in.format, in.pattern, in.location = p.Format, p.Pattern, p.Location
	if in.tags, err = entry.Members(o.Tags); err != nil {
		return nil, fmt.Errorf("input %q: %w", o.URL, err)
	}
	if in.scheme == "tls" {
		in.certificates = Options{URL: o.URL, CertFile: o.CertFile, KeyFile: o.KeyFile, ClientCAFile: o.ClientCAFile}
		config, err := serverTLS(o)
		if err != nil {
			return nil, fmt.Errorf("input %q: %w", o.URL, err)
		}
		in.tls.Store(config)
	}
	return in, nil
}
