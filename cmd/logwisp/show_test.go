package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"logwisp/netio"
)

// sampleFile has a value of each form.
const sampleFile = `
[monitor]
read_from = "beginning"
small = -3
[[monitor.targets]]
path = "a \u007f\n\"b\""
exclude = ["x", "y z"]
[[monitor.targets]]
path = "c"
[monitor.targets.beat]
format = "json"
[tcpserver]
port = 1
send_buffer = "8KiB"
share = 1
origins = ["https://user:word@host/"]
labels = { a = "1", "b c" = "2" }
[tcpserver.heartbeat]
interval_seconds = 7
`

func sampleView(t *testing.T, toml string) (*view, *sampleConfig) {
	t.Helper()
	cfg := &sampleConfig{}
	origins, problems := load(cfg, sources{File: "logwisp.toml", TOML: []byte(toml)})
	if len(problems) > 0 {
		t.Fatalf("%v\n%s", problems, toml)
	}
	return &view{settings: settingsOf(reflect.TypeFor[sampleConfig]()), root: reflect.ValueOf(cfg).Elem(), origin: origins.of}, cfg
}

func TestShownFileLoadsBackToTheSame(t *testing.T) {
	v, want := sampleView(t, strings.Replace(sampleFile, "user:word@", "", 1))
	for _, origin := range []func(string) string{nil, v.origin} {
		v.origin = origin
		var text bytes.Buffer
		if err := v.toml(&text); err != nil {
			t.Fatal(err)
		}
		if _, got := sampleView(t, text.String()); fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) { // an empty list is as good as none
			t.Errorf("it loads to\n%+v, want\n%+v\n%s", got, want, &text)
		}
	}
}

func TestShownVariablesLoadBackToTheSame(t *testing.T) {
	v, want := sampleView(t, strings.Replace(sampleFile, "user:word@", "", 1))
	v.origin = nil
	var text bytes.Buffer
	if err := v.env(&text, nil); err != nil {
		t.Fatal(err)
	}
	var environ []string
	for line := range strings.Lines(text.String()) {
		environ = append(environ, strings.ReplaceAll(strings.TrimSuffix(line, "\n"), "'", ""))
	}
	got := &sampleConfig{}
	if _, problems := load(got, sources{Environ: environ}); len(problems) > 0 {
		t.Fatal(problems)
	}
	got.Monitor.Targets = want.Monitor.Targets // have no variable
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("they load to\n%+v, want\n%+v\n%s", got, want, &text)
	}
}

func TestShownJSONHasValueAndOriginOfEachKey(t *testing.T) {
	v, _ := sampleView(t, sampleFile)
	var text bytes.Buffer
	if err := v.json(&text); err != nil {
		t.Fatal(err)
	}
	type leaf struct {
		Value  any
		Origin string
	}
	var got struct {
		Monitor struct {
			Targets []struct{ Path, Pattern leaf }
		}
		TCPServer struct {
			Port       leaf
			SendBuffer leaf `json:"send_buffer"`
			Labels     leaf
		}
	}
	if err := json.Unmarshal(text.Bytes(), &got); err != nil {
		t.Fatalf("%v\n%s", err, &text)
	}
	if want := (leaf{float64(1), "logwisp.toml:13"}); got.TCPServer.Port != want {
		t.Errorf("port is %v, want %v", got.TCPServer.Port, want)
	}
	if want := (leaf{float64(8192), "logwisp.toml:14"}); got.TCPServer.SendBuffer != want {
		t.Errorf("send_buffer is %v, want %v", got.TCPServer.SendBuffer, want)
	}
	if want := (leaf{"*.log", "default"}); got.Monitor.Targets[1].Pattern != want {
		t.Errorf("the second pattern is %v, want %v", got.Monitor.Targets[1].Pattern, want)
	}
	if want := map[string]any{"a": "1", "b c": "2"}; !reflect.DeepEqual(got.TCPServer.Labels.Value, want) {
		t.Errorf("labels are %v, want %v", got.TCPServer.Labels.Value, want)
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	cfg := struct {
		Auth struct {
			Hash string `toml:"hash" secret:""`
			URL  string `toml:"url"`
			None string `toml:"none" secret:""`
		} `toml:"auth"`
	}{}
	cfg.Auth.Hash, cfg.Auth.URL = "sha256:0123", "nats://user:pass@host:4222/x"
	v := &view{settings: settingsOf(reflect.TypeOf(cfg)), root: reflect.ValueOf(&cfg).Elem()}
	for name, show := range map[string]func(*bytes.Buffer) error{
		"toml": func(b *bytes.Buffer) error { return v.toml(b) },
		"json": func(b *bytes.Buffer) error { return v.json(b) },
		"env":  func(b *bytes.Buffer) error { return v.env(b, nil) },
	} {
		var text bytes.Buffer
		if err := show(&text); err != nil {
			t.Fatal(err)
		}
		if out := text.String(); strings.Contains(out, "0123") || strings.Contains(out, "pass") ||
			strings.Count(out, netio.Masked) != 2 || !strings.Contains(out, "user:") {
			t.Errorf("%s shows\n%s", name, out)
		}
	}
}
