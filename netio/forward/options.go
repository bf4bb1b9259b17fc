package forward

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"logwisp/netio"
	"logwisp/ring/filter"
)

// Options are the settings of one output.
type Options struct {
	URL        string            `toml:"url"`
	Name       string            `toml:"name"` // "" = scheme, host and path of the URL
	Filter     Filter            `toml:"filter"`
	Preset     string            `toml:"preset" enum:"none,logwisp,victorialogs,loki,elasticsearch,vector,fluentbit,splunk,otlp" default:"none"`
	BatchBytes int64             `toml:"batch_bytes" type:"bytes" default:"1MiB" min:"4096" max:"67108864"` // of entries, before they are encoded
	BatchWait  int               `toml:"batch_ms" default:"200" min:"0" max:"60000"`                        // http: how long an entry waits for company; streams send at once
	Compress   string            `toml:"compress" enum:"none,gzip,zstd" default:"none"`                     // of http bodies
	Headers    map[string]string `toml:"headers" secret:""`                                                 // of http requests; {name}, {hostname}, {token}, {count}, {first}, {last}
	TokenFile  string            `toml:"token_file"`                                                        // read for every request or connection, so that it may be replaced
	Guarantee  bool              `toml:"guarantee" default:"false"`                                         // from the files themselves, until it is acknowledged
}

// Filter is a filter.Spec with the names of the configuration.
type Filter struct {
	Level     string   `toml:"level"`
	Levels    []string `toml:"levels"`
	Source    []string `toml:"source"`
	NotSource []string `toml:"not_source"`
	Q         []string `toml:"q"`
	Re        []string `toml:"re"`
	Not       []string `toml:"not"`
	NotRe     []string `toml:"not_re"`
	Field     []string `toml:"field"`
}

// Schemes are those of the URLs that Options take.
var Schemes = []string{"tcp", "tls", "http", "https", schemeNATS}

// schemeNATS is that of outputs through a netio.Carrier, which checks the URL
// itself.
const schemeNATS = "nats"

// Check reports what is wrong with the settings, naming the key. It looks at
// nothing but them.
func (o *Options) Check() error {
	u, err := o.parseURL()
	if err != nil {
		return err
	}
	web := u.Scheme == "http" || u.Scheme == "https"
	through := u.Scheme == schemeNATS
	p := presets[o.Preset]
	switch {
	case o.Preset != "" && p == nil:
		return fmt.Errorf("preset is %q: there are none, %s", o.Preset, strings.Join(presetNames(), ", "))
	case through && o.Preset != "" && o.Preset != "none":
		return fmt.Errorf("preset %s is not for nats://", o.Preset)
	case !web && p != nil && !p.streams:
		return fmt.Errorf("preset %s is for http:// and https://, not for %s://", o.Preset, u.Scheme)
	case !web && o.Compress != "" && o.Compress != "none":
		return fmt.Errorf("compress is for http:// and https://, not for %s://", u.Scheme)
	case !web && len(o.Headers) > 0:
		return fmt.Errorf("headers are for http:// and https://, not for %s://", u.Scheme)
	case !web && !through && o.TokenFile != "" && o.Preset != "logwisp":
		return fmt.Errorf(`token_file needs preset = "logwisp" with %s://: others are sent nothing but lines`, u.Scheme)
	case o.Guarantee && !web && !through && o.Preset != "logwisp":
		return fmt.Errorf(`guarantee needs a counterpart that acknowledges, and nobody does so on plain %s://: use http:// or https://, or preset = "logwisp" if the receiver is another LogWisp`, u.Scheme)
	}
	for name := range o.Headers {
		if !validHeader(name) {
			return fmt.Errorf("headers: %q is not the name of a header", name)
		}
		if strings.ContainsFunc(o.Headers[name], func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return fmt.Errorf("headers: %s has a line break or another control character", name)
		}
	}
	_, err = filter.Compile(filter.Spec(o.Filter), nil)
	if err != nil {
		return fmt.Errorf("filter: %w", err)
	}
	return nil
}

func validHeader(name string) bool {
	return name != "" && strings.IndexFunc(name, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r)
	}) < 0
}

// parseURL returns the URL, with a port where streams need one.
func (o *Options) parseURL() (*url.URL, error) {
	if o.URL == "" {
		return nil, errors.New("url is empty: name where to send to, like tcp://host:port or https://host/path")
	}
	raw := o.URL
	if strings.HasPrefix(raw, schemeNATS+"://") {
		raw = firstServer(raw)
	}
	u, err := netio.ParseURL(raw)
	if err != nil {
		return nil, fmt.Errorf("url %q is malformed: %w", netio.ShownURL(o.URL), err)
	}
	switch {
	case !slices.Contains(Schemes, u.Scheme):
		return nil, fmt.Errorf("url %q: the scheme must be one of %s", netio.ShownURL(o.URL), strings.Join(Schemes, "://, ")+"://")
	case u.Hostname() == "":
		return nil, fmt.Errorf("url %q names no host", netio.ShownURL(o.URL))
	case u.Port() != "" && !isPort(u.Port()):
		return nil, fmt.Errorf("url %q: the port must be one of 1 to 65535", netio.ShownURL(o.URL))
	}
	if u.Scheme == "tcp" || u.Scheme == "tls" {
		if _, _, err := net.SplitHostPort(u.Host); err != nil || u.Port() == "" {
			return nil, fmt.Errorf("url %q names no port", netio.ShownURL(o.URL))
		}
		if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
			return nil, fmt.Errorf("url %q: only host and port belong in it", netio.ShownURL(o.URL))
		}
	}
	return u, nil
}

func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0
}

// firstServer returns a URL of several servers with the first one only, which
// url.Parse understands.
func firstServer(raw string) string {
	rest := len(schemeNATS + "://")
	end := rest + strings.IndexAny(raw[rest:]+"/", "/?#")
	host := rest + strings.LastIndexByte(raw[rest:end], '@') + 1
	if i := strings.IndexByte(raw[host:end], ','); i >= 0 {
		return raw[:host+i] + raw[end:]
	}
	return raw
}

// Label returns the output's name, which the settings give or the URL: without
// user, password and query.
func (o *Options) Label() string {
	if o.Name != "" {
		return o.Name
	}
	u, err := o.parseURL()
	if err != nil {
		return "output"
	}
	return u.Scheme + "://" + u.Host + strings.TrimSuffix(u.EscapedPath(), "/")
}

// token returns the content of the token file, "" without one.
func (o *Options) token() (string, error) {
	if o.TokenFile == "" {
		return "", nil
	}
	b, err := os.ReadFile(o.TokenFile)
	if err != nil {
		return "", fmt.Errorf("token_file: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}
