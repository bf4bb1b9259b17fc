package netio

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"logwisp/ring"
	"logwisp/ring/filter"
	"logwisp/ring/record"
)

// tellingForm is rawForm or framedForm with notices that say all they know.
func tellingForm(raw bool) *Form {
	f := framedForm()
	if raw {
		f = rawForm()
	}
	f.Drop = func(dst []byte, d *record.Drop) []byte {
		return fmt.Appendf(dst, "drop %s %d %d %d %d\n", d.Reason, d.From, d.To, d.Lost(), d.Total)
	}
	f.Gap = func(dst []byte, g *record.Gap) []byte {
		return fmt.Appendf(dst, "gap %d %d %d\n", g.Requested, g.Resumed, g.Missed)
	}
	f.Batch = func(dst []byte, _ record.IDs, _ uint64, lines []byte) []byte {
		return append(append(dst, lines...), '\n')
	}
	f.Reset = func(dst []byte, reason string) []byte { return fmt.Appendf(dst, "reset %s\n", reason) }
	return f
}

func levelFilter(t failer, level string) *filter.Filter {
	if level == "" {
		return nil
	}
	f, err := filter.Compile(filter.Spec{Level: level}, nil)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return f
}

// witness is a client that knows what it should get.
type witness struct {
	b        *bed
	raw      bool
	rated    bool
	wants    func(seq uint64) bool
	s        *Subscriber
	next     uint64 // not accounted for yet
	got      uint64
	passed   uint64 // entries that do not pass the filter, sampled ones among them
	dropped  uint64
	sampled  uint64
	unwanted uint64
	bye      string
	rest     []byte
}

func (w *witness) feed(p []byte) {
	w.b.f.Helper()
	w.rest = append(w.rest, p...)
	for {
		line, rest, ok := bytes.Cut(w.rest, []byte("\n"))
		if !ok {
			return
		}
		w.rest = rest
		if string(line) == "." && !w.raw {
			w.got++ // it is whole only now
			continue
		}
		w.line(string(line))
	}
}

func (w *witness) line(line string) {
	w.b.f.Helper()
	if w.bye != "" {
		w.b.f.Fatalf("%.60q came after the goodbye", line)
	}
	var from, to, count, total uint64
	switch {
	case strings.HasPrefix(line, "drop lagged "):
		w.scan(line, "drop lagged %d %d %d %d", &from, &to, &count, &total)
		w.skipTo(from)
		w.next, w.dropped = to+1, w.dropped+count
	case strings.HasPrefix(line, "drop sampled "):
		w.scan(line, "drop sampled %d %d %d %d", &from, &to, &count, &total)
		w.sampled += count
	case strings.HasPrefix(line, "bye "):
		w.bye = line[4:]
	case strings.HasPrefix(line, "beat "):
		w.scan(line, "beat %d", &from)
		if from+1 < w.next {
			w.b.f.Fatalf("%q where entry %d is next", line, w.next)
		}
	default:
		if !w.raw {
			_, line, _ = strings.Cut(line, ":")
		}
		n := w.number(line)
		w.skipTo(n)
		if !w.wants(n) || line+"\n" != w.b.line(n) {
			w.b.f.Fatalf("got %.60q, which does not pass or is not entry %d", line, n)
		}
		w.next = n + 1
		if w.raw {
			w.got++
		}
	}
}

func (w *witness) scan(line, format string, into ...any) {
	if _, err := fmt.Sscanf(line, format, into...); err != nil {
		w.b.f.Fatalf("%q: %v", line, err)
	}
}

// number takes an entry's number.
func (w *witness) number(line string) uint64 {
	digits, _, _ := strings.Cut(strings.TrimPrefix(line, `{"n":`), ",")
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		w.b.f.Fatalf("not an entry: %.60q", line)
	}
	return n
}

// skipTo accounts for entries that did not come: none of them may be wanted,
// except where max_rate may have taken them.
func (w *witness) skipTo(seq uint64) {
	w.b.f.Helper()
	if seq < w.next {
		w.b.f.Fatalf("entry %d where %d is next", seq, w.next)
	}
	for ; w.next < seq; w.next++ {
		switch {
		case !w.wants(w.next):
			w.unwanted++
		case w.rated:
			w.passed++
		default:
			w.b.f.Fatalf("entry %d passes the filter and is missing", w.next)
		}
	}
}

// wantTotals checks N5, and the counters against what has arrived whole.
func (w *witness) wantTotals() {
	w.b.f.Helper()
	t := w.s.Totals()
	if t.Delivered+t.Filtered+t.Dropped != t.Offered {
		w.b.f.Fatalf("delivered %d + filtered %d + dropped %d != offered %d", t.Delivered, t.Filtered, t.Dropped, t.Offered)
	}
	if w.s.batching != nil && w.s.rest != nil {
		if t.Delivered > w.got {
			w.b.f.Fatalf("%d counted as delivered, the client has %d", t.Delivered, w.got)
		}
		return // a batch counts when it is whole
	}
	if len(w.rest) == 0 && t.Delivered != w.got {
		w.b.f.Fatalf("%d counted as delivered, the client has %d", t.Delivered, w.got)
	}
}

// anyone joins with something to ask for.
func (b *bed) anyone(t *rapid.T, raw bool) *witness {
	level := rapid.SampledFrom([]string{"", "info", "warn", "error"}).Draw(t, "level")
	sub := Subscription{
		Filter:  levelFilter(t, level),
		Limit:   rapid.SampledFrom([]uint64{0, 0, 1, 30}).Draw(t, "limit"),
		MaxRate: rapid.SampledFrom([]int{0, 0, 3, 1000}).Draw(t, "rate"),
	}
	if rapid.IntRange(0, 2).Draw(t, "batch") == 0 {
		sub.Batch = 500 * time.Millisecond
	}
	if rapid.IntRange(0, 5).Draw(t, "finite") == 0 {
		sub.NoFollow, sub.Until = true, 40
	}
	w := &witness{b: b, raw: raw, rated: sub.MaxRate > 0, next: 1, wants: func(seq uint64) bool {
		return sub.Filter == nil || b.level(seq).String() == level || level == "info" ||
			level == "warn" && b.level(seq) > ring.LevelWarn
	}}
	w.s = b.joinAs(0, sub)
	return w
}

// anyScan is a budget with which the filters of a pass stop everywhere.
func anyScan(t *rapid.T) int { return rapid.SampledFrom([]int{1, 500, 3000, maxScan}).Draw(t, "scan") }

// TestAnyMixOfFiltersBoundsAndShortWritesKeepsTheAccount lets subscribers with
// different filters, limits and rates share a loop that is lapped and cut.
func TestAnyMixOfFiltersBoundsAndShortWritesKeepsTheAccount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.Bool().Draw(t, "raw")
		b := newBed(t, ring.Options{
			Entries: rapid.SampledFrom([]int{4, 16, 64}).Draw(t, "slots"),
			Bytes:   rapid.Int64Range(20<<10, 300<<10).Draw(t, "bytes"),
		}, tellingForm(raw))
		defer b.close()
		b.loop.scan.most = anyScan(t)
		long := rapid.SampledFrom([]int{40, 3000, 100 << 10}).Draw(t, "longest filler")
		b.pad = func(seq uint64) int {
			if seq%7 == 3 {
				return long
			}
			return int(seq*37) % 200
		}
		// Runs of one level, so that pages of all verdicts come up.
		b.level = func(seq uint64) ring.Level { return ring.LevelInfo + ring.Level(seq/11*7919%17/7) }
		var all []*witness
		for range 4 {
			w := b.anyone(t, raw)
			all = append(all, w)
		}
		write := func(w *witness, took func(int) int) {
			w.feed(b.take(w.s, took))
			w.wantTotals()
		}
		who := func(t *rapid.T) *witness { return all[rapid.IntRange(0, len(all)-1).Draw(t, "who")] }
		t.Repeat(map[string]func(*rapid.T){
			"publish": func(t *rapid.T) {
				b.publish(rapid.IntRange(1, 60).Draw(t, "n"), rapid.SampledFrom([]int{1, 2, 20, 1000}).Draw(t, "per page"))
			},
			"some": func(t *rapid.T) {
				per := rapid.IntRange(0, 1000).Draw(t, "per mille")
				write(who(t), func(total int) int { return total * per / 1000 })
			},
			"few": func(t *rapid.T) {
				n := rapid.IntRange(0, 300).Draw(t, "bytes")
				write(who(t), func(total int) int { return min(n, total) })
			},
			"all":  func(t *rapid.T) { write(who(t), everything) },
			"beat": func(t *rapid.T) { who(t).s.heartbeatDue = true },
			"time": func(t *rapid.T) {
				b.loop.now = b.loop.now.Add(time.Duration(rapid.IntRange(1, 1500).Draw(t, "ms")) * time.Millisecond)
			},
		})
		for _, w := range all {
			for !w.s.bye && (w.s.cursor.Behind() > 0 || w.s.rest != nil) || w.s.control != nil {
				b.loop.now = b.loop.now.Add(time.Second) // for what is put off to a batch
				write(w, everything)
			}
			if _, ended := w.s.bounded(); ended {
				write(w, everything)
			}
			w.wantEnd()
		}
		if p := &b.engine.pins; p.bytes != 0 || len(p.held) != 0 {
			t.Fatalf("%d bytes in %d entries stay pinned", p.bytes, len(p.held))
		}
	})
}

// wantEnd checks the sums of a client that has had everything that is for it.
func (w *witness) wantEnd() {
	w.b.f.Helper()
	total, bd := w.s.Totals(), w.s.bounds
	w.skipTo(w.s.seq())
	if total.Offered != w.s.seq()-1 || total.Filtered != w.unwanted || total.Dropped != w.dropped+w.passed {
		w.b.f.Fatalf("counted %+v, the client at %d misses %d by the filter, %d by lag, %d by the rate",
			total, w.s.cursor.Seq(), w.unwanted, w.dropped, w.passed)
	}
	if bd == nil {
		if total.Offered != w.b.published {
			w.b.f.Fatalf("offered %d of %d", total.Offered, w.b.published)
		}
		return
	}
	if w.sampled+bd.sampled != w.passed {
		w.b.f.Fatalf("%d sampled are told and %d not yet, %d are missing", w.sampled, bd.sampled, w.passed)
	}
	if bd.limit > 0 && (w.got > bd.limit || w.got == bd.limit != (w.bye == "limit")) {
		w.b.f.Fatalf("%d delivered with a limit of %d, the goodbye is %q", w.got, bd.limit, w.bye)
	}
	if bd.finite && total.Offered > bd.until {
		w.b.f.Fatalf("offered %d, the stream ends with entry %d", total.Offered, bd.until)
	}
}
