package main

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"
)

// Latency is for a machine that is quiet: here nothing may be dropped, memory
// has its bound and problems are logged once.
func TestHostileClientsAndFaultsCostThoseThatReadNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	bin := builtDaemon(t)
	o, err := parseOptions([]string{"-bin", bin, "-mode", "overload", "-case", "300ms", "-rate", "5000"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range troubles {
		if strings.HasPrefix(kind.name, "nothing") {
			continue
		}
		if kind.begin == nil { // here they are of this process
			kind.begin = func(w *overload) (func() error, error) {
				ctx, cancel := context.WithCancel(t.Context())
				h := &hostile{ctx: ctx, tcp: w.daemon.tcp, http: w.daemon.http}
				kinds[kind.name](h)
				return func() error { cancel(); h.clients.Wait(); return nil }, nil
			}
		}
		out, err := troubled(t.Context(), o, kind)
		if err != nil {
			t.Fatalf("%s: %v", kind.name, err)
		}
		if out.void != nil {
			t.Logf("%s: %v", kind.name, out.void)
			continue
		}
		if wrong := out.wrong(time.Hour); len(wrong) > 0 {
			t.Errorf("%s: %q: %+v", kind.name, wrong, out)
		}
	}
}

func TestWhatIsNotAsPromisedIsInTheTable(t *testing.T) {
	clean := outcome{trouble: trouble{name: "never", what: "clients never read"}, written: 1000, p99: time.Millisecond, peak: 50 << 20}
	for want, change := range map[string]func(*outcome){
		"yes":                func(*outcome) {},
		"lines were dropped": func(o *outcome) { o.missing = 1 },
		"late":               func(o *outcome) { o.p99 = 4 * time.Millisecond },
		"memory":             func(o *outcome) { o.peak = 1 << 30 },
		"logged 9 times":     func(o *outcome) { o.said = map[string]int{"accept": 9} },
		"was measured":       func(o *outcome) { o.empty = true },
		"not counted":        func(o *outcome) { o.counter = "errors_total" },
		"no warning":         func(o *outcome) { o.says = "accept" },
	} {
		base := outcome{trouble: trouble{name: "nothing"}, written: 1, p99: time.Millisecond}
		out := clean
		change(&out)
		var b strings.Builder
		good, err := writeOutcomes(&b, []outcome{base, out})
		if err != nil || good != (want == "yes") || !strings.Contains(b.String(), want) {
			t.Errorf("want %q, good %t, %v:\n%s", want, good, err, b.String())
		}
	}
}
