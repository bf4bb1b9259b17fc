package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"logwisp/bench/freeport"
)

// daemon is a LogWisp at work.
type daemon struct {
	*process
	http, tcp string // ports
}

// daemon starts LogWisp with further settings, TOML, and arguments, and waits
// until it is ready.
func (r *run) daemon(ctx context.Context, settings string, args ...string) (*daemon, error) {
	free, err := freeport.Some(2)
	if err != nil {
		return nil, err
	}
	d := &daemon{http: free[0], tcp: free[1]}
	config, err := r.write(fmt.Sprintf("logwisp%d.toml", len(r.started)), settings)
	if err != nil {
		return nil, err
	}
	args = append([]string{
		"--config", config, "--from-start",
		"--http-host", "127.0.0.1", "--http-port", d.http, "--enable-tcp", "--tcp-host", "127.0.0.1", "--tcp-port", d.tcp,
	}, args...)
	if d.process, err = r.start(r.logwisp, args...); err != nil {
		return nil, err
	}
	return d, d.listens(ctx, d.http)
}

// entries waits until the ring holds so many entries and returns them.
func (d *daemon) entries(ctx context.Context, n int) ([]entry, error) {
	var text []byte
	err := until(ctx, "LogWisp has all entries", func() (_ bool, err error) {
		text, err = get(ctx, "http://127.0.0.1:"+d.http+"/entries?format=ndjson&limit=1000000")
		return bytes.Count(text, []byte("\n")) >= n, err
	})
	if err != nil {
		return nil, fmt.Errorf("%w: it has %d of %d: %s", err, bytes.Count(text, []byte("\n")), n, d.said())
	}
	return ownEntries(text)
}

// writeLog writes lines of every kind that are told apart by a number.
func (r *run) writeLog(name string) error {
	var b []byte
	begin := time.Now().UTC().Add(-time.Minute)
	levels := []string{"debug", "info", "warn", "error"}
	for i := range lineCount {
		at := begin.Add(time.Duration(i) * 1001 * time.Microsecond)
		e := entry{time: at.Truncate(time.Microsecond), level: levels[i/5%4]}
		level, start := e.level, len(b)
		switch i % 5 {
		case 0:
			b = at.AppendFormat(b, "2006-01-02T15:04:05.000000Z07:00")
			level = strings.ToUpper(level) // in lower case it is a word of the text
			b = fmt.Appendf(b, " %s request %d failed: \"quoted\" back\\slash\ttab ünïcode € \u2028 <&>", level, i)
		case 1:
			b = fmt.Appendf(b, `{"time":%q,"level":%q,"msg":"json %d \"quoted\" \\ é","n":%d,"ratio":12.5,"ok":true,"user":{"id":"u%d","tags":["a","b"]},"big":12345678901234567}`,
				at.Format("2006-01-02T15:04:05.000000Z07:00"), level, i, i, i)
			e.message = fmt.Sprintf(`json %d "quoted" \ é`, i)
		case 2:
			b = fmt.Appendf(b, `time=%s level=%s msg="logfmt %d" path=/api/%d status=200`, at.Format("2006-01-02T15:04:05.000000Z07:00"), level, i, i)
			e.message = fmt.Sprintf("logfmt %d", i)
		case 3:
			b = fmt.Appendf(b, "plain line %d without time or level", i)
			e = entry{}
		default:
			e.time = at.Truncate(time.Millisecond)
			b = at.AppendFormat(b, "2006-01-02 15:04:05.000")
			b = fmt.Appendf(b, "Z [%s] long line %d %s", level, i, bytes.Repeat([]byte("0123456789"), i%100))
		}
		if e.message == "" { // text is its own message
			e.message = string(b[start:])
		}
		r.wrote = append(r.wrote, e)
		b = append(b, '\n')
	}
	return os.WriteFile(r.path(name), b, 0o644)
}

// writeJSONLog writes lines of JSON alone: what a syslog header says besides is
// told apart from what they say.
func (r *run) writeJSONLog(name string) error {
	var b []byte
	begin := time.Now().UTC().Add(-time.Minute)
	for i := range lineCount {
		at := begin.Add(time.Duration(i) * 1001 * time.Microsecond)
		r.wrote = append(r.wrote, entry{time: at.Truncate(time.Microsecond), level: "warn", message: fmt.Sprintf("json %d", i)})
		b = fmt.Appendf(b, `{"time":%q,"level":"warn","msg":"json %d","n":%d,"user":{"id":"u%s"}}`+"\n",
			at.Format("2006-01-02T15:04:05.000000Z07:00"), i, i, strconv.Itoa(i))
	}
	return os.WriteFile(r.path(name), b, 0o644)
}
