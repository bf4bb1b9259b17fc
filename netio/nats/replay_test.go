package nats

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"logwisp/netio"
	"logwisp/ring"
	"logwisp/ring/record"
)

// long puts messages of 50 entries each into the stream, far more than the ring of
// a hub that follows, and returns the ids of all.
func long(t *testing.T, s *server, messages int) (h *Hub, want []string) {
	t.Helper()
	e := edge(t, s, nil)
	const each = 50
	for n := range messages {
		p := &parcel{first: uint64(n*each + 1)}
		for i := range each {
			p.entries = append(p.entries, ours(fmt.Sprintf("%d %0300d", n*each+i+1, 0)))
			want = append(want, fmt.Sprint("LOGS-", (n+1)<<lineBits+i))
		}
		carries(t, e, p)
	}
	h, _ = follows(t, s, 100<<10)
	eventually(t, "the newest entry", func() bool { return h.sequence.Load() == uint64(messages) })
	return h, want
}

// Messages that the stream deletes to make room are not left out in silence.
func TestAReplayThatTheStreamOvertakesSaysSo(t *testing.T) {
	s := startServer(t)
	h, want := long(t, s, 120)
	stream, _ := s.stream(t)
	var got []string
	_, err := h.Names().Replay(t.Context(), want[0], func(p *ring.Page, at int, ids record.IDs) error {
		for i := at; i < p.Count(); i++ {
			if len(got) == 0 {
				if err := stream.Purge(t.Context(), jetstream.WithPurgeSequence(110)); err != nil {
					t.Error(err)
				}
			}
			got = append(got, string(ids.AppendID(nil, p.First+uint64(i))))
		}
		return nil
	})
	if !errors.Is(err, netio.ErrExpired) {
		t.Errorf("error %v, want one that says it is expired", err)
	}
	if !slices.Equal(got, want[1:1+len(got)]) || len(got) > 110*50 {
		t.Errorf("%d entries were shown, which do not follow each other", len(got))
	}
}

// What somebody has deleted on purpose leaves a hole and ends nothing.
func TestAReplayGoesOnBehindAMessageThatWasDeleted(t *testing.T) {
	s := startServer(t)
	h, want := long(t, s, 40)
	stream, _ := s.stream(t)
	if err := stream.DeleteMsg(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	n := 0
	if _, err := h.Names().Replay(t.Context(), want[0], func(p *ring.Page, at int, _ record.IDs) error {
		n += p.Count() - at
		return nil
	}); err != nil || n < 30*50 {
		t.Errorf("%d entries, error %v", n, err)
	}
}

func TestAReplayWaitsForAServerThatIsAway(t *testing.T) {
	s := startServer(t)
	h, want := long(t, s, 40)
	s.kill()
	var got []string
	done := make(chan error, 1)
	go func() {
		_, err := h.Names().Replay(t.Context(), want[0], func(p *ring.Page, at int, ids record.IDs) error {
			for i := at; i < p.Count(); i++ {
				got = append(got, string(ids.AppendID(nil, p.First+uint64(i))))
			}
			return nil
		})
		done <- err
	}()
	s.start()
	if err := <-done; err != nil || !slices.Equal(got, want[1:1+len(got)]) || len(got) < 30*50 {
		t.Errorf("%d entries, error %v", len(got), err)
	}
}

// Its ids mean other entries than those that a client had.
func TestAReplayOfAStreamThatWasMadeAnewIsRefused(t *testing.T) {
	s := startServer(t)
	h, want := long(t, s, 40)
	_, js := s.stream(t)
	if err := js.DeleteStream(t.Context(), "LOGS"); err != nil {
		t.Fatal(err)
	}
	e := edge(t, s, nil)
	for n := range uint64(50) {
		carries(t, e, entries(n+1, ours(fmt.Sprint("new ", n))))
	}
	_, err := h.Names().Replay(t.Context(), want[0], func(*ring.Page, int, record.IDs) error {
		t.Error("something of it is shown")
		return nil
	})
	if !errors.Is(err, netio.ErrExpired) {
		t.Errorf("error %v, want one that says it is expired", err)
	}
}

// A client that was told where an empty stream ends goes on there, whatever has come
// since.
func TestTheEndOfAnEmptyStreamIsAPlaceToGoOnFrom(t *testing.T) {
	s := startServer(t)
	h, want := long(t, s, 40)
	var got []string
	if _, err := h.Names().Replay(t.Context(), fmt.Sprint("LOGS-", 1<<lineBits-1), func(p *ring.Page, at int, ids record.IDs) error {
		for i := at; i < p.Count(); i++ {
			got = append(got, string(ids.AppendID(nil, p.First+uint64(i))))
		}
		return nil
	}); err != nil || len(got) < 30*50 || !slices.Equal(got, want[:len(got)]) {
		t.Errorf("%d entries, error %v", len(got), err)
	}
}

// A client that comes from a hub which is one message ahead has had its line.
func TestTheFirstLineOfTheNextMessageIsYetToCome(t *testing.T) {
	n := newNames("S", nil, 1)
	n.passed(7 << lineBits)
	if got, want := string(n.AppendID(nil, 0)), fmt.Sprint("S-", 7<<lineBits-1); got != want {
		t.Errorf("where nothing was taken is %s, want %s", got, want)
	}
	if _, older, newer := n.find(7<<lineBits - 1); older || newer {
		t.Error("that place is not known again")
	}
	if _, _, newer := n.find(7 << lineBits); !newer {
		t.Error("a line that was not taken counts as had")
	}
}

func TestWhereReadingBackBegins(t *testing.T) {
	kept := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) time.Time { return kept.Add(d) }
	for name, c := range map[string]struct {
		now  time.Duration
		sent []time.Duration // in the order of the stream
		want time.Duration
	}{
		"a source is quiet for weeks":   {time.Hour, []time.Duration{-1000 * time.Hour, -time.Second}, -time.Second},
		"nothing came for weeks":        {1000 * time.Hour, []time.Duration{-time.Minute}, -time.Minute},
		"positions are older":           {time.Hour, []time.Duration{-time.Hour, time.Minute}, 0},
		"the clock was set back since":  {-2 * time.Hour, []time.Duration{-3 * time.Hour, -150 * time.Minute}, -3 * time.Hour},
		"it was set back in between":    {time.Hour, []time.Duration{-time.Minute, -time.Hour, -50 * time.Minute}, -time.Hour},
		"messages cross on their way":   {time.Hour, []time.Duration{-10 * time.Second, -20 * time.Second, -time.Second}, -time.Second},
		"nothing is known of its clock": {time.Hour, nil, -1 << 62},
	} {
		clocks := clocks{from: kept}
		for i, sent := range c.sent {
			clocks.sent = append(clocks.sent, sending{uint64(i + 1), at(sent)})
			clocks.newest, clocks.known = uint64(i+1), true
		}
		got := clocks.since(at(c.now))
		if c.want == -1<<62 {
			if !got.IsZero() {
				t.Errorf("%s: from %v, want all", name, got)
			}
		} else if want := at(c.want - readBack); !got.Equal(want) {
			t.Errorf("%s: from %v before the positions, want %v", name, kept.Sub(got), kept.Sub(want))
		}
	}
}

func TestAStreamThatIsGoneWhileAnotherSubjectAsksIsAnError(t *testing.T) {
	s := startServer(t)
	e := edge(t, s, entries(1, ours("1")))
	e.stream = nil // as explain leaves it
	if _, err := e.lookUp(t.Context(), e.of("LOGS.web1.a")); err == nil {
		t.Error("it is asked for a message")
	}
}

// One who has enough says so by an error, and leaves nothing behind at the server.
func TestAReplayEndsWithTheErrorOfWhomItIsShown(t *testing.T) {
	s := startServer(t)
	h, want := long(t, s, 40)
	stream, _ := s.stream(t)
	before := consumers(t, stream)
	enough := errors.New("enough")
	for range 3 {
		shown := 0
		_, err := h.Names().Replay(t.Context(), want[0], func(*ring.Page, int, record.IDs) error {
			shown++
			return enough
		})
		if err != enough || shown != 1 {
			t.Errorf("error %v after %d pages, want %v after one", err, shown, enough)
		}
	}
	if after := consumers(t, stream); after != before {
		t.Errorf("%d consumers are left, there were %d before", after, before)
	}
}

func consumers(t *testing.T, stream jetstream.Stream) int {
	t.Helper()
	info, err := stream.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return info.State.Consumers
}

// A message of another publisher may be far shorter than its entries.
func TestAReplayShowsAllOfAMessageOfVeryShortLines(t *testing.T) {
	s := startServer(t)
	h, want := long(t, s, 2)
	_, js := s.stream(t)
	const lines = 100_000
	if _, err := js.Publish(t.Context(), "LOGS.elsewhere", bytes.Repeat([]byte("x\n"), lines)); err != nil {
		t.Fatal(err)
	}
	e := edge(t, s, nil)
	for n := range uint64(40) {
		carries(t, e, entries(n+1, ours(fmt.Sprintf("%0300d", n))))
	}
	eventually(t, "the newest entry", func() bool { return h.sequence.Load() == 43 })
	n, last := 0, ""
	if _, err := h.Names().Replay(t.Context(), want[len(want)-1], func(p *ring.Page, at int, ids record.IDs) error {
		for i := at; i < p.Count() && n < lines; i++ {
			n++
			last = string(ids.AppendID(nil, p.First+uint64(i)))
		}
		return nil
	}); err != nil || n != lines || last != fmt.Sprint("LOGS-", 3<<lineBits+lines-1) {
		t.Errorf("%d entries of %d, the last %s, error %v", n, lines, last, err)
	}
}
