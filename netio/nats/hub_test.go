package nats

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"logwisp/netio"
	"logwisp/netio/netiotest"
	"logwisp/ring"
	"logwisp/ring/record"
)

// follows runs a hub with a ring of so many bytes.
func follows(t *testing.T, s *server, bytes int64) (*Hub, *ring.Ring) {
	t.Helper()
	return followsAndTells(t, s, bytes, quiet())
}

// followsAndTells is follows with a log.
func followsAndTells(t *testing.T, s *server, bytes int64, log *slog.Logger) (*Hub, *ring.Ring) {
	t.Helper()
	r := ring.New(ring.Options{Entries: 1 << 10, Bytes: bytes})
	h := NewHub(s.settings(t, ""), Settings{MaxLineBytes: 1 << 20, Alone: true}, r, log)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return h, r
}

// holds returns the ids and texts of what a ring has.
func holds(r *ring.Ring, ids record.IDs) (all []string) {
	c, _ := r.Seek(r.Oldest())
	for {
		p, _, ok := c.Page()
		if !ok {
			return all
		}
		for i := range p.Count() {
			all = append(all, string(ids.AppendID(nil, p.First+uint64(i)))+" "+string(p.Entry(i)))
		}
		c.Advance(p.First + uint64(p.Count()))
	}
}

// ours is an entry as an edge has it.
func ours(message string) string {
	return `a.log {"time":"2026-01-02T03:04:05.000006Z","source":"a.log","level":"warn","message":"` + message + `"}`
}

func TestAnEntryHasTheSameIDOnEveryHub(t *testing.T) {
	s := startServer(t)
	e := edge(t, s, nil)
	early, first := follows(t, s, 4<<20) // before there is a stream
	seq := uint64(1)
	for n := range 5 {
		p := &parcel{first: seq}
		for i := range n + 1 {
			p.entries = append(p.entries, ours(fmt.Sprint(n, ".", i)))
		}
		seq += uint64(n + 1)
		carries(t, e, p)
	}
	late, second := follows(t, s, 4<<20)
	eventually(t, "all entries", func() bool { return first.Head() == 15 && second.Head() == 15 })
	a, b := holds(first, early.Names()), holds(second, late.Names())
	if strings.Join(a, "") != strings.Join(b, "") || len(a) != 15 {
		t.Errorf("one hub has %q, the other %q", a, b)
	}
	if want := "LOGS-" + fmt.Sprint(3<<lineBits+2) + ` {"time":"2026-01-02T03:04:05.000006Z","source":"a.log","level":"warn","message":"2.2","fields":{"host":"web1"}}` + "\n"; a[5] != want {
		t.Errorf("an entry is %q, want %q", a[5], want)
	}
	if got := early.Stats(); got.Messages != 5 || got.Sequence != 5 || got.Became.Lines != 15 || got.Server == "" || !got.IDs {
		t.Errorf("stats %+v", got)
	}
}

// TestWhatOthersPublishIsTheSameOnEveryHub has lines without a time, with line ends of
// another kind, and a long one.
func TestWhatOthersPublishIsTheSameOnEveryHub(t *testing.T) {
	s := startServer(t)
	e := edge(t, s, nil)
	carries(t, e, entries(1, ours("one")))
	stream, js := s.stream(t)
	long := strings.Repeat("x", 800<<10)
	for _, text := range []string{"two\r\nthree\r\n", long} {
		if _, err := js.Publish(t.Context(), "LOGS.other.thing", []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	early, first := follows(t, s, 8<<20)
	eventually(t, "all of it", func() bool { return first.Head() == 4 })
	late, second := follows(t, s, 8<<20)
	eventually(t, "all of it again", func() bool { return second.Head() == 4 })
	a, b := holds(first, early.Names()), holds(second, late.Names())
	if strings.Join(a, "") != strings.Join(b, "") {
		t.Fatalf("one hub has %.200q, the other %.200q", a, b)
	}
	m, err := stream.GetMsg(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	stamp := m.Time.UTC().Format("2006-01-02T15:04:05.000000Z")
	for i, text := range []string{"two", "three"} {
		if got := a[1+i]; !strings.Contains(got, `"message":"`+text+`"`) || !strings.Contains(got, stamp) {
			t.Errorf("an entry is %.300q, want %s at %s", got, text, stamp)
		}
	}
}

func TestAHubGoesOnWhereItWasWhenTheServerIsBack(t *testing.T) {
	s := startServer(t)
	e := edge(t, s, nil)
	carries(t, e, entries(1, ours("1")))
	_, r := follows(t, s, 4<<20)
	eventually(t, "the first entry", func() bool { return r.Head() == 1 })
	s.kill()
	s.start()
	eventually(t, "the second to be published", func() bool {
		done, _ := e.Carry(t.Context(), entries(2, ours("2")))
		return done == 1
	})
	eventually(t, "the second entry", func() bool { return r.Head() == 2 })
	if r.Head() != 2 {
		t.Errorf("%d entries", r.Head())
	}
}

// TestAStreamThatWasMadeAnewIsNotTakenForTheOldOne deletes the stream while a hub
// follows it. Messages of the new one have the numbers of others, and ids would too.
func TestAStreamThatWasMadeAnewIsNotTakenForTheOldOne(t *testing.T) {
	s := startServer(t)
	e := edge(t, s, nil)
	for n := range uint64(3) {
		carries(t, e, entries(n+1, ours(fmt.Sprint(n+1))))
	}
	var log netiotest.Log
	_, r := followsAndTells(t, s, 4<<20, slog.New(slog.NewTextHandler(&log, nil)))
	eventually(t, "what there is", func() bool { return r.Head() == 3 })
	_, js := s.stream(t)
	if err := js.DeleteStream(t.Context(), "LOGS"); err != nil {
		t.Fatal(err)
	}
	e = edge(t, s, nil)
	for n := range uint64(6) {
		carries(t, e, entries(n+4, ours(fmt.Sprint(n+4))))
	}
	eventually(t, "it to be told", func() bool { return strings.Contains(log.String(), "was deleted and created again") })
	if r.Head() != 3 {
		t.Errorf("%d entries, want the 3 of the old stream", r.Head())
	}
	_, after := follows(t, s, 4<<20) // one that is started anew
	eventually(t, "those of the new stream", func() bool { return after.Head() == 6 })
}

// The ring is much smaller than the stream.
func TestWhatIsOlderThanTheRingComesFromTheStream(t *testing.T) {
	s := startServer(t)
	e := edge(t, s, nil)
	const messages, each = 40, 50
	pad := strings.Repeat("x", 300)
	want := []string{}
	for n := range messages {
		p := &parcel{first: uint64(n*each + 1)}
		for i := range each {
			p.entries = append(p.entries, ours(fmt.Sprint(n*each+i+1, " ", pad)))
			want = append(want, fmt.Sprint("LOGS-", (n+1)<<lineBits+i))
		}
		carries(t, e, p)
	}
	h, r := follows(t, s, 100<<10)
	eventually(t, "the newest entry", func() bool { return h.sequence.Load() == messages })
	names := h.Names()
	for _, from := range []int{0, 1, 7, each - 1, each, 3*each + 11, messages*each - 1} {
		if _, held, own := names.Find(want[from]); !own || held && from < each {
			t.Errorf("%s: held %v, own %v", want[from], held, own)
		}
		got := want[: from+1 : from+1]
		next, err := names.Replay(t.Context(), want[from], func(p *ring.Page, at int, ids record.IDs) error {
			for i := at; i < p.Count(); i++ {
				got = append(got, string(ids.AppendID(nil, p.First+uint64(i))))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		c, lost := r.Seek(next)
		for p, _, ok := c.Page(); ok; p, _, ok = c.Page() {
			for i := int(c.Seq() - p.First); i < p.Count(); i++ {
				got = append(got, string(names.AppendID(nil, p.First+uint64(i))))
			}
			c.Advance(p.First + uint64(p.Count()))
		}
		if lost > 0 || strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("behind %s: %d entries, %d lost, want %d", want[from], len(got), lost, len(want))
		}
	}
	if _, err := names.Replay(t.Context(), fmt.Sprint("LOGS-", 99<<lineBits), nil); err == nil || !strings.Contains(err.Error(), "ends at message 40") {
		t.Errorf("an id beyond the stream: %v", err)
	}
	if _, _, own := names.Find("OTHER-7"); own {
		t.Error("an id of another stream is taken for one of this")
	}
}

// Names are what a model of all entries says, however many lines are left out.
func TestNamesAgreeWithAModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := newNames("S", nil, 1)
		begin := rapid.Uint64Range(1, 5).Draw(t, "begin")
		n.passed(begin << lineBits)
		var numbers []uint64
		for at := begin; at < begin+6; at++ {
			for i := range rapid.Uint64Range(0, 4).Draw(t, "lines") {
				if rapid.Bool().Draw(t, "taken") {
					n.add(at<<lineBits + i)
					numbers = append(numbers, at<<lineBits+i)
				}
			}
			n.passed((at + 1) << lineBits)
		}
		for i, number := range numbers {
			if got, want := string(n.AppendID(nil, uint64(i)+1)), fmt.Sprint("S-", number); got != want {
				t.Fatalf("entry %d is %s, want %s", i+1, got, want)
			}
		}
		for at := begin - 1; at < begin+7; at++ {
			for i := range uint64(5) {
				number := at<<lineBits + i
				want := uint64(0)
				for _, k := range numbers {
					if k <= number {
						want++
					}
				}
				seq, older, newer := n.find(number)
				if older != (number+1 < begin<<lineBits) || newer != (number >= (begin+6)<<lineBits) || !older && seq != want {
					t.Fatalf("%d: seq %d older %v newer %v, want %d of %d, begin %d", number, seq, older, newer, want, numbers, begin<<lineBits)
				}
			}
		}
	})
}

var _ netio.Names = hubNames{}
