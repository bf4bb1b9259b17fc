package parse

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

const micros6 = 1767323045678901 // stamp6

func TestCRILinesAreTakenApart(t *testing.T) {
	for line, want := range map[string]CRI{
		"2026-01-02T03:04:05.678901234Z stdout F text":         {Micros: micros6, Stream: []byte("stdout"), Text: []byte("text")},
		"2026-01-02T03:04:05.678901234Z stderr P half a ":      {Micros: micros6, Stream: []byte("stderr"), Partial: true, Text: []byte("half a ")},
		"2026-01-02T04:04:05.678901+01:00 stdout F  two":       {Micros: micros6, Stream: []byte("stdout"), Text: []byte(" two")},
		"2026-01-02T03:04:05.678901Z stdout F:tag:x \xff":      {Micros: micros6, Stream: []byte("stdout"), Text: []byte("\xff")},
		"2026-01-02T03:04:05.678901Z stdout F ":                {Micros: micros6, Stream: []byte("stdout")},
		"2026-01-02T03:04:05.678901Z stdout F":                 {Micros: micros6, Stream: []byte("stdout")},
		"2036-01-02T03:04:05Z stdout F x":                      {Micros: testNow, Stream: []byte("stdout"), Text: []byte("x")},
		"0001-01-01T00:00:00Z stdout F x":                      {Micros: testNow, Stream: []byte("stdout"), Text: []byte("x")},
		`2026-01-02T03:04:05.678901Z stdout F {"msg":"inner"}`: {Micros: micros6, Stream: []byte("stdout"), Text: []byte(`{"msg":"inner"}`)},
	} {
		got, ok := ParseCRI([]byte(line), testNow)
		if !ok || !sameCRI(got, want) {
			t.Errorf("%q: got %+v, %t", line, got, ok)
		}
	}
	for _, line := range []string{
		"", " ", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z ", "2026-01-02T03:04:05Z stdout", "2026-01-02T03:04:05Z stdout ", "2026-01-02T03:04:05Z stdout  x",
		"2026-01-02T03:04:05Z stdout X x", "2026-01-02T03:04:05Z stdout FP x", "2026-01-02T03:04:05Z stdout f x", "2026-01-02T03:04:05Z stdin F x",
		"2026-01-02T03:04:05Z STDOUT F x", "2026-01-02T03:04:05Z  stdout F x", "2026-01-02T03:04:05 stdout F x", "2026-01-02 03:04:05Z stdout F x",
		"2026-01-02T03:04:05 +0100 stdout F x", "2026-13-02T03:04:05Z stdout F x", "2026-01-02T24:04:05Z stdout F x", "x026-01-02T03:04:05Z stdout F x",
		" 2026-01-02T03:04:05Z stdout F x", "2026-01-02T03:04:05Zulu stdout F x", "2026-01-02T03:04:05Z\tstdout\tF\tx",
	} {
		if got, ok := ParseCRI([]byte(line), testNow); ok {
			t.Errorf("%q: %+v", line, got)
		}
	}
}

func sameCRI(a, b CRI) bool {
	return a.Micros == b.Micros && bytes.Equal(a.Stream, b.Stream) && a.Partial == b.Partial && bytes.Equal(a.Text, b.Text) && bytes.Equal(a.Attrs, b.Attrs)
}

func TestDockerLinesAreTakenApart(t *testing.T) {
	p := &Parser{}
	for line, want := range map[string]CRI{
		`{"log":"text\n","stream":"stdout","time":"2026-01-02T03:04:05.678901234Z"}`:                                    {Micros: micros6, Stream: []byte("stdout"), Text: []byte("text")},
		`{"log":"half","stream":"stderr","time":"2026-01-02T03:04:05.678901Z"}`:                                         {Micros: micros6, Stream: []byte("stderr"), Partial: true, Text: []byte("half")},
		`{"log":"\n","stream":"stdout","time":"2026-01-02T03:04:05.678901Z"}`:                                           {Micros: micros6, Stream: []byte("stdout")},
		`{"log":"","stream":"stdout","time":"2026-01-02T03:04:05.678901Z"}`:                                             {Micros: micros6, Stream: []byte("stdout"), Partial: true},
		`{"log":"a\\n","stream":"stdout","time":"2026-01-02T03:04:05.678901Z"}`:                                         {Micros: micros6, Stream: []byte("stdout"), Partial: true, Text: []byte(`a\n`)},
		`{"log":"tty\r\n","stream":"stdout","time":"2026-01-02T03:04:05.678901Z"}`:                                      {Micros: micros6, Stream: []byte("stdout"), Text: []byte("tty")},
		`{"log":"{\"msg\":\"\u003cé\"}\n","stream":"stdout","time":"2026-01-02T03:04:05.678901Z"}`:                      {Micros: micros6, Stream: []byte("stdout"), Text: []byte(`{"msg":"<é"}`)},
		`{"time":"2026-01-02T03:04:05.678901Z", "stream":"stdout", "log":"x\n"}`:                                        {Micros: micros6, Stream: []byte("stdout"), Text: []byte("x")},
		"{\"log\":\"x\\n\",\"stream\":\"stdout\",\"attrs\":{\r\"tag\":\"a\"},\"time\":\"2026-01-02T03:04:05.678901Z\"}": {Micros: micros6, Stream: []byte("stdout"), Text: []byte("x"), Attrs: []byte(`{ "tag":"a"}`)},
		`{"log":"x\n","stream":"stdout","attrs":{"tag":"a"},"time":"2026-01-02T03:04:05.678901Z"}`:                      {Micros: micros6, Stream: []byte("stdout"), Text: []byte("x"), Attrs: []byte(`{"tag":"a"}`)},
		`{"log":"x\n","stream":"stdout","time":"2036-01-02T03:04:05Z"}`:                                                 {Micros: testNow, Stream: []byte("stdout"), Text: []byte("x")},
	} {
		if got, ok := p.ParseDocker([]byte(line), testNow); !ok || !sameCRI(got, want) {
			t.Errorf("%s: got %+v, %t", line, got, ok)
		}
	}
	for _, line := range []string{
		"", "{}", "text", `{"log":"x\n"}`, `{"log":"x\n","stream":"stdout"}`, `{"log":"x\n","stream":"stdout","time":"2026-01-02T03:04:05Z"} `,
		`{"log":"x\n","stream":"stdout","time":"2026-01-02T03:04:05Z","a":1}`, `{"log":"x\n","stream":"stdout","time":"2026-01-02T03:04:05Z","attrs":1}`,
		`{"log":"x\n","stream":"stdout","time":"2026-01-02T03:04:05"}`, `{"log":"x\n","stream":"stdout","time":"2026-01-02T03:04:05Z "}`,
		`{"log":"x\n","stream":"stdin","time":"2026-01-02T03:04:05Z"}`, `{"log":1,"stream":"stdout","time":"2026-01-02T03:04:05Z"}`,
		`{"log":"x\n","stream":null,"time":"2026-01-02T03:04:05Z"}`, `{"log":"x\n","stream":"stdout","time":1767323045}`,
		`{"log":"x\n","log":"y\n","stream":"stdout","time":"2026-01-02T03:04:05Z"}`, `{"log":"x\n","stream":"stdout","time":"2026-01-02T03:04:05Z"`,
		`{"log":"x\n","stream":"stdout","ts":"2026-01-02T03:04:05Z"}`, `{"msg":"x\n","stream":"stdout","time":"2026-01-02T03:04:05Z"}`,
	} {
		if got, ok := p.ParseDocker([]byte(line), testNow); ok {
			t.Errorf("%s: %+v", line, got)
		}
	}
}

func TestTheLineInsideIsParsedByTheSameParser(t *testing.T) {
	p := &Parser{Location: time.UTC}
	for range 3 {
		c, ok := p.ParseDocker([]byte(`{"log":"{\"msg\":\"\\ud83d\\ude00\",\"level\":\"warn\",\"k\":\"v\"}\n","stream":"stdout","time":"2026-01-02T03:04:05Z"}`), testNow)
		want := outcome{"", "warn", "😀", `{"k":"v"}`}
		if got := outcomeOf(t, p, string(c.Text)); !ok || got != want {
			t.Errorf("got %+v", got)
		}
		var r Result
		if p.Line(c.Text, testNow, &r); string(r.Message) != "😀" || string(r.Fields) != `{"k":"v"}` {
			t.Errorf("in place: %q, %q", r.Message, r.Fields)
		}
	}
}

const someID = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestPathsTellNamespacePodAndContainer(t *testing.T) {
	for path, want := range map[string]string{
		"/var/log/pods/kube-system_etcd-node.1_0c9f0a4e-1111-2222-3333-444455556666/etcd/0.log":                   "kube-system etcd-node.1 etcd",
		"/var/log/pods/kube-system_kube-proxy_93a1f36d41dc3f30e0a95eb8cac31fd1/kube-proxy/12.log.20260102-030405": "kube-system kube-proxy kube-proxy",
		"/host/var/log/pods/a_b_c/d/1.log":                                    "a b d",
		"/var/log/containers/web-5d4_default_app-x-" + someID + ".log":        "default web-5d4 app-x",
		"/var/lib/docker/containers/" + someID + "/" + someID + "-json.log":   "  " + someID,
		"/var/lib/docker/containers/" + someID + "/" + someID + "-json.log.1": "  " + someID,
	} {
		namespace, pod, container, ok := KubernetesPath(path)
		if got := namespace + " " + pod + " " + container; !ok || got != want {
			t.Errorf("%s: got %q, %t", path, got, ok)
		}
	}
	for _, path := range []string{
		"", "/", "app.log", "/var/log/app.log", "/var/log/pods/a_b_c/d/e.log", "/var/log/pods/a_b_c/d/1.txt", "/var/log/pods/a_b_c/d/1.logx", "/var/log/pods/a_b_c/d/.log",
		"/var/log/pods/a_b/d/1.log", "/var/log/pods/a_b_c_d/e/1.log", "/var/log/pods/A_b_c/d/1.log", "/var/log/pods/a_-b_c/d/1.log", "/var/log/pods/a__c/d/1.log",
		"/var/log/pods/a_b_/d/1.log", "/var/log/pods/a.x_b_c/d/1.log", "/var/log/pods/a_b_c/d.e/1.log", "/var/log/pods/a_b_c//1.log", "/var/log/pods/a_b_c/../1.log",
		"/var/log/pods/" + strings.Repeat("a", 64) + "_b_c/d/1.log", "/var/log/pods/a_b\"_c/d/1.log",
		"/var/log/containers/a_b_c.log", "/var/log/containers/a_b_c-" + someID[1:] + ".log", "/var/log/containers/a_b_-" + someID + ".log", "/var/log/containers/a_b_c-" + someID,
		"/var/log/containers/a_b_" + someID + ".log", "/var/log/containers/" + someID + "/x-json.log", "/var/log/containers/x/x-json.log",
		"/var/lib/docker/containers/" + someID + "/" + someID + ".log",
	} {
		if namespace, pod, container, ok := KubernetesPath(path); ok || namespace+pod+container != "" {
			t.Errorf("%s: %q %q %q %t", path, namespace, pod, container, ok)
		}
	}
}

func FuzzParseCRI(f *testing.F) {
	f.Add([]byte("2026-01-02T03:04:05.678901234Z stdout F text"))
	f.Add([]byte("2026-01-02T03:04:05+01:00 stderr P:x "))
	f.Fuzz(func(t *testing.T, line []byte) {
		c, ok := ParseCRI(line, testNow)
		if !ok {
			return
		}
		if !isStream(c.Stream) || !bytes.HasSuffix(line, c.Text) || c.Attrs != nil || c.Micros != testNow && !plausible(c.Micros, testNow) {
			t.Fatalf("%q: %+v", line, c)
		}
		head := line[:len(line)-len(c.Text)]
		if bytes.Count(head, []byte(" ")) > 3 || !bytes.Contains(head, append([]byte(" "), c.Stream...)) {
			t.Fatalf("%q: %+v", line, c)
		}
	})
}

func FuzzParseDocker(f *testing.F) {
	f.Add([]byte(`{"log":"text\n","stream":"stdout","time":"2026-01-02T03:04:05.678901234Z"}`))
	f.Add([]byte(`{"log":"\u003c\ud800\\n","stream":"stderr","attrs":{"a":"b"},"time":"2026-01-02T03:04:05+01:00"}`))
	p := &Parser{}
	f.Fuzz(func(t *testing.T, line []byte) {
		before := bytes.Clone(line)
		c, ok := p.ParseDocker(line, testNow)
		if !bytes.Equal(line, before) {
			t.Fatal("the line was changed")
		}
		if !ok {
			return
		}
		var want struct {
			Log, Stream string
			Attrs       json.RawMessage
		}
		if err := json.Unmarshal(line, &want); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		text, ended := strings.CutSuffix(want.Log, "\n")
		if ended {
			text = strings.TrimSuffix(text, "\r")
		}
		if ended == c.Partial || string(appendValid(nil, c.Text)) != text || string(c.Stream) != want.Stream || string(c.Attrs) != strings.NewReplacer("\r", " ", "\n", " ").Replace(string(want.Attrs)) {
			t.Fatalf("%q: %+v, want %+v", line, c, want)
		}
	})
}

func FuzzKubernetesPath(f *testing.F) {
	f.Add("/var/log/pods/a_b_c/d/1.log")
	f.Add("/var/log/containers/a_b_c-" + someID + ".log")
	f.Add("/var/lib/docker/containers/" + someID + "/" + someID + "-json.log")
	f.Fuzz(func(t *testing.T, path string) {
		namespace, pod, container, ok := KubernetesPath(path)
		if !ok {
			if namespace+pod+container != "" {
				t.Fatalf("%q: %q %q %q", path, namespace, pod, container)
			}
			return
		}
		for _, name := range []string{namespace, pod, container} {
			if name == "" && (namespace+pod != "" || container == "") || !strings.Contains(path, name) || strings.ContainsAny(name, "/_\"\\ ") {
				t.Fatalf("%q: %q %q %q", path, namespace, pod, container)
			}
		}
	})
}
