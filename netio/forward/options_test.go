package forward

import (
	"strings"
	"testing"
)

func TestBadSettingsAreNamed(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{}, "url is empty"},
		{Options{URL: "tcp://host"}, "names no port"},
		{Options{URL: "tcp://:9000"}, "names no host"},
		{Options{URL: "tcp://host:9000/path"}, "only host and port belong in it"},
		{Options{URL: "ftp://host"}, "the scheme must be one of tcp://"},
		{Options{URL: "https://user:secret@host:x/"}, "malformed"},
		{Options{URL: "tcp://h:1", Preset: "loki"}, "preset loki is for http://"},
		{Options{URL: "tcp://h:1", Preset: "lokki"}, "there are none, elasticsearch"},
		{Options{URL: "tcp://h:1", Compress: "gzip"}, "compress is for http://"},
		{Options{URL: "tcp://h:1", Headers: map[string]string{"A": "b"}}, "headers are for http://"},
		{Options{URL: "tcp://h:1", TokenFile: "x"}, "token_file needs preset"},
		{Options{URL: "http://h", Headers: map[string]string{"a b": "c"}}, `"a b" is not the name of a header`},
		{Options{URL: "http://h", Headers: map[string]string{"X-A": "b\nc"}}, "X-A has a line break"},
		{Options{URL: "http://h:99999"}, "1 to 65535"},
		{Options{URL: "tcp://h:0"}, "1 to 65535"},
		{Options{URL: "tcp://h:1", Guarantee: true}, "guarantee needs a counterpart that acknowledges"},
		{Options{URL: "http://h", Filter: Filter{Re: []string{"("}}}, "filter: "},
		{Options{URL: "http://h", Filter: Filter{Level: "wran"}}, "warn"},
	} {
		err := c.o.Check()
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.o, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the password is shown: %v", err)
		}
	}
	for _, o := range []Options{
		{URL: "tcp://[::1]:9000"},
		{URL: "tls://host:6514"},
		{URL: "https://user:pw@host/path?x=1", Preset: "elasticsearch", Guarantee: true},
		{URL: "tcp://h:1", Preset: "logwisp", Guarantee: true},
	} {
		if err := o.Check(); err != nil {
			t.Errorf("%s: %v", o.URL, err)
		}
	}
}

func TestTheNameOfAnOutputHasNoSecrets(t *testing.T) {
	o := Options{URL: "https://user:pw@host:8088/path/?token=x"}
	if got := o.Label(); got != "https://host:8088/path" {
		t.Error(got)
	}
}
