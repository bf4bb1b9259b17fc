package parse

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestSyslogMessagesAreTakenApart(t *testing.T) {
	const now = "2026-01-03T00:00:00.000000Z"
	type want struct{ time, level, host, members, text string }
	for msg, w := range map[string]want{
		// RFC 5424, with the examples of section 6.5
		"<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \xef\xbb\xbf'su root' failed": {
			"2003-10-11T22:14:15.003000Z", "fatal", "mymachine.example.com",
			`"facility":"auth","severity":"crit","hostname":"mymachine.example.com","app":"su","msgid":"ID47"`, "'su root' failed",
		},
		`<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time.`: {
			"2003-08-24T12:14:15.000003Z", "info", "192.0.2.1",
			`"facility":"local4","severity":"notice","hostname":"192.0.2.1","app":"myproc","pid":"8710"`, "%% It's time.",
		},
		`<14>1 2026-01-02T03:04:05Z h a - - [exampleSDID@32473 iut="3" eventSource="A \"b\" \\ \] \x"][x] text`: {
			"2026-01-02T03:04:05.000000Z", "info", "h",
			`"facility":"user","hostname":"h","app":"a","structured_data":{"exampleSDID@32473":{"iut":"3","eventSource":"A \"b\" \\ ] \\x"},"x":{}}`, "text",
		},
		`<14>1 - - - - - -`: {now, "info", "", `"facility":"user"`, ""},
		`<14>1 - h - - - [origin ip="192.0.2.1" ip="192.0.2.129"] x`:                  {now, "info", "h", `"facility":"user","hostname":"h"`, `[origin ip="192.0.2.1" ip="192.0.2.129"] x`},
		`<14>1 - - - - - [a b="c"][a d="e"]`:                                          {now, "info", "", `"facility":"user"`, `[a b="c"][a d="e"]`},
		`<14>1 - - - - - [a a="" b="" c="" d="" e="" f="" g="" h="" i="" j="" i="1"]`: {now, "info", "", `"facility":"user"`, `[a a="" b="" c="" d="" e="" f="" g="" h="" i="" j="" i="1"]`},
		`<14>1 - - - - - [a b="c"]`:                                                   {now, "info", "", `"facility":"user","structured_data":{"a":{"b":"c"}}`, ""},
		`<14>1 - - - - - [a b="c] text`:                                               {now, "info", "", `"facility":"user"`, `[a b="c] text`},
		`<14>1 - - - - - [a b="c"]text`:                                               {now, "info", "", `"facility":"user"`, `[a b="c"]text`},
		`<14>1 - - - - - dashed - text`:                                               {now, "info", "", `"facility":"user"`, `dashed - text`},
		"<14>1 - h\xff - - - - \xfe":                                                  {now, "info", "h\xff", "\"facility\":\"user\",\"hostname\":\"h\uFFFD\"", "\xfe"},
		`<14>1 2036-01-02T03:04:05Z h - - - x`:                                        {now, "info", "h", `"facility":"user","timestamp":"2036-01-02T03:04:05Z","hostname":"h"`, `x`},
		// RFC 3164
		`<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick`: {
			"2025-10-11T22:14:15.000000Z", "fatal", "mymachine",
			`"facility":"auth","severity":"crit","hostname":"mymachine","app":"su"`, "'su root' failed for lonvick",
		},
		`<13>Jan  1 17:32:18 10.0.0.99 Use the BFG!`: {
			"2026-01-01T17:32:18.000000Z", "info", "10.0.0.99", `"facility":"user","severity":"notice","hostname":"10.0.0.99"`, "Use the BFG!",
		},
		`<30>Jan  2 03:04:05 postfix/smtpd[123]: connect`: { // as syslog(3) writes to /dev/log
			"2026-01-02T03:04:05.000000Z", "info", "", `"facility":"daemon","app":"postfix/smtpd","pid":"123"`, "connect",
		},
		`<30>2026-01-02T03:04:05.678901+01:00 h systemd[1]: Started.`: { // as rsyslog forwards
			"2026-01-02T02:04:05.678901Z", "info", "h", `"facility":"daemon","hostname":"h","app":"systemd","pid":"1"`, "Started.",
		},
		`<27>Jan  2 03:04:05 fe80::1 a[1] no colon`: {
			"2026-01-02T03:04:05.000000Z", "error", "fe80::1", `"facility":"daemon","hostname":"fe80::1","app":"a","pid":"1"`, "no colon",
		},
		`<191>just text: more`:        {now, "debug", "", `"facility":"local7"`, "just text: more"},
		`<12>`:                        {now, "warn", "", `"facility":"user"`, ""},
		`<14>1 not a header`:          {now, "info", "", `"facility":"user"`, "1 not a header"},
		`<14>1 yesterday h a - - - x`: {now, "info", "", `"facility":"user"`, "1 yesterday h a - - - x"},
	} {
		p := &Parser{Location: time.UTC}
		s, ok := p.ParseSyslog([]byte(msg), testNow)
		got := want{
			time.UnixMicro(s.Micros).UTC().Format("2006-01-02T15:04:05.000000Z"), s.Level.String(),
			string(s.Hostname), string(s.Members), string(s.Text),
		}
		if !ok || got != w {
			t.Errorf("%s:\n got %+v, %t\nwant %+v", msg, got, ok, w)
		}
	}
	for _, msg := range []string{"", "<", "<>", "<1", "text", " <14>x", "<192>x", "<-1>x", "<1x>", "<0014>x", "{}"} {
		if s, ok := new(Parser).ParseSyslog([]byte(msg), testNow); ok {
			t.Errorf("%q: %+v", msg, s)
		}
	}
}

func FuzzSyslog(f *testing.F) {
	for _, msg := range []string{
		`<14>1 2026-01-02T03:04:05Z h a - - [x@1 iut="3" s="A \"b\" \\ \] \x"][x] text`,
		`<30>Jan  2 03:04:05 h postfix/smtpd[123]: connect`, "<13>Jan  1 17:32:18 a\xff: \x00", "<191>",
	} {
		f.Add([]byte(msg))
	}
	p := &Parser{Location: time.UTC}
	f.Fuzz(func(t *testing.T, msg []byte) {
		s, ok := p.ParseSyslog(msg, testNow)
		if !ok {
			return
		}
		if object := "{" + string(s.Members) + "}"; !json.Valid([]byte(object)) || !utf8.ValidString(object) || strings.ContainsAny(object, "\r\n") {
			t.Fatalf("%q has the members %q", msg, s.Members)
		}
		if !bytes.HasSuffix(msg, s.Text) || !plausible(s.Micros, testNow) {
			t.Fatalf("%q has the text %q, the time %d", msg, s.Text, s.Micros)
		}
	})
}
