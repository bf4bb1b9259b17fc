package netio

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"logwisp/ring"
	"logwisp/ring/filter"
	"logwisp/ring/record"
)

const older = 1000 // entries that are no longer in the ring

// past are names for a ring whose first entry follows entry older of a stream.
// Ids are S-<n>.
type past struct {
	ring *ring.Ring
	fail error
}

func (n past) AppendID(dst []byte, seq uint64) []byte { return fmt.Appendf(dst, "S-%d", seq+older) }
func (n past) Run() string                            { return "S" }

func (n past) Find(id string) (seq uint64, held, own bool) {
	number, err := strconv.ParseUint(strings.TrimPrefix(id, "S-"), 10, 64)
	if err != nil || !strings.HasPrefix(id, "S-") {
		return 0, false, false
	}
	if number < older {
		return 0, false, true
	}
	return number - older, true, true
}

// shown are the ids of the ring that a replay goes through.
type shown struct{ past }

func (shown) AppendID(dst []byte, seq uint64) []byte { return fmt.Appendf(dst, "S-%d", seq) }

func (n past) Replay(_ context.Context, id string, show func(p *ring.Page, from int, ids record.IDs) error) (uint64, error) {
	if n.fail != nil {
		return 0, n.fail
	}
	r := ring.New(ring.Options{Entries: older, Bytes: 64 << 20})
	b := r.NewBuilder()
	for seq := range older {
		b.Add(append(b.Text(), pastLine(seq+1)...), 0, pastLevel(seq+1))
		if seq%7 == 0 {
			b.Publish()
		}
	}
	b.Publish()
	number, _ := strconv.ParseUint(strings.TrimPrefix(id, "S-"), 10, 64)
	c, _ := r.Seek(number + 1)
	for p, _, ok := c.Page(); ok; p, _, ok = c.Page() {
		if err := show(&p, int(c.Seq()-p.First), shown{n}); err != nil {
			return 0, err
		}
		c.Advance(p.First + uint64(p.Count()))
	}
	return 1, nil
}

func pastLevel(n int) ring.Level { return []ring.Level{ring.LevelInfo, ring.LevelError}[n%2] }

func pastLine(n int) string {
	return fmt.Sprintf(`{"n":%d,"pad":"%s"}`+"\n", n, strings.Repeat("x", n%3*400))
}

// resumes serves one client that asks for what follows an id, and returns the
// lines that it gets up to the newest entry or to the end, and its totals once
// so many entries were offered.
func resumes(t *testing.T, fail error, id string, offered uint64, sub Subscription) (lines []string, totals Totals) {
	t.Helper()
	r := ring.New(ring.Options{Entries: 1 << 10, Bytes: 8 << 20})
	e, err := New(r, Options{Names: past{r, fail}})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	tr := e.Register(&Transport{Name: "t", Form: JSONLines(true, true), SendBuffer: 4 << 10})
	b := r.NewBuilder()
	for n := range 3 {
		b.Add(append(b.Text(), pastLine(older+n+1)...), 0, pastLevel(older+n+1))
	}
	b.Publish()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	sub.From = e.Resume(id)
	if err := tr.Enroll(c, sub); err != nil {
		t.Fatal(err)
	}
	last := fmt.Sprintf(`{"id":"S-%d"`, older+3)
	for in := bufio.NewScanner(client); in.Scan(); {
		lines = append(lines, in.Text())
		if strings.Contains(in.Text(), last) {
			break
		}
	}
	if offered > 0 { // counted behind the write
		eventually(t, fmt.Sprint(offered, " offered"), func() bool { totals = e.Totals(); return totals.Offered == offered })
	}
	return lines, totals
}

// passes returns the lines for entries from first on that pass.
func passes(first int, pass func(n int) bool) (lines []string) {
	for n := first; n <= older+3; n++ {
		if pass(n) {
			lines = append(lines, fmt.Sprintf(`{"id":"S-%d",%s`, n, strings.TrimSuffix(pastLine(n)[1:], "\n")))
		}
	}
	return lines
}

func TestAClientThatResumesBehindTheRingMissesNothing(t *testing.T) {
	for _, id := range []int{0, 1, 500, older - 1, older, older + 1} {
		n := uint64(older + 3 - id)
		got, totals := resumes(t, nil, fmt.Sprint("S-", id), n, Subscription{})
		want := passes(id+1, func(int) bool { return true })
		if !slices.Equal(got, want) {
			t.Errorf("behind %d: %d lines %.200q, want %d", id, len(got), got, len(want))
		}
		if totals != (Totals{Offered: n, Delivered: n}) {
			t.Errorf("behind %d: %+v, want %d", id, totals, n)
		}
	}
}

func TestAReplayIsFilteredAndLimitedLikeTheStream(t *testing.T) {
	f, err := filter.Compile(filter.Spec{Level: "error"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, totals := resumes(t, nil, "S-10", 993, Subscription{Filter: f})
	odd := func(n int) bool { return n%2 == 1 }
	if want := passes(11, odd); !slices.Equal(got, want) {
		t.Errorf("%d lines %.200q, want %d", len(got), got, len(want))
	}
	if want := (Totals{Offered: 993, Delivered: 497, Filtered: 496}); totals != want {
		t.Errorf("%+v, want %+v", totals, want)
	}
	got, _ = resumes(t, nil, "S-10", 0, Subscription{Filter: f, Limit: 5})
	if want := append(passes(11, odd)[:5], `{"type":"disconnect","reason":"limit"}`); !slices.Equal(got, want) {
		t.Errorf("with a limit: %.300q, want %q", got, want)
	}
	got, _ = resumes(t, nil, "S-990", 0, Subscription{NoFollow: true, Until: 2})
	if want := passes(991, func(n int) bool { return n <= older+2 }); !slices.Equal(got, want) {
		t.Errorf("with an end: %.300q, want %q", got, want)
	}
}

func TestAClientIsToldWhenWhatItAsksForIsGone(t *testing.T) {
	got, _ := resumes(t, errors.New("gone"), "S-10", 0, Subscription{})
	want := append([]string{`{"type":"reset","reason":"expired"}`}, passes(older+1, func(int) bool { return true })...)
	if !slices.Equal(got, want) {
		t.Errorf("%.300q, want %q", got, want)
	}
}

func TestTheEngineClosesWhileAReplayWaits(t *testing.T) {
	r := ring.New(ring.Options{Entries: 16, Bytes: 1 << 20})
	e, err := New(r, Options{Names: forever{past{r, nil}}})
	if err != nil {
		t.Fatal(err)
	}
	tr := e.Register(&Transport{Name: "t", Form: JSONLines(true, true)})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for range 3 {
		client, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if err := tr.Enroll(c, Subscription{From: e.Resume("S-1")}); err != nil {
			t.Fatal(err)
		}
	}
	e.Close()
}

// forever are names whose past never comes.
type forever struct{ past }

func (forever) Replay(ctx context.Context, _ string, _ func(*ring.Page, int, record.IDs) error) (uint64, error) {
	<-ctx.Done()
	return 0, ctx.Err()
}

// TestAReplayThatHasNothingToShowIsHeardOf waits for a heartbeat, which names no
// place: there is none to go on behind.
func TestAReplayThatHasNothingToShowIsHeardOf(t *testing.T) {
	r := ring.New(ring.Options{Entries: 16, Bytes: 1 << 20})
	e := start(t, r, Options{Names: forever{past{r, nil}}})
	tr := e.Register(&Transport{Name: "t", Form: JSONLines(true, true), Heartbeat: HeartbeatPolicy{Interval: time.Millisecond}})
	server, client := pair(t)
	if err := tr.Enroll(server, Subscription{From: e.Resume("S-1")}); err != nil {
		t.Fatal(err)
	}
	_ = client.SetReadDeadline(time.Now().Add(waitLimit))
	line, err := bufio.NewReader(client).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, `{"type":"heartbeat"`) || strings.Contains(line, "S-") {
		t.Errorf("%q, %v", line, err)
	}
}

func TestABatchOfALimitedReplayHasTheIDOfItsLastEntry(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 16, Bytes: 1 << 20}, rawForm())
	defer b.close()
	c := b.ring.Live()
	b.publish(10, 10)
	page, _, _ := c.Page()
	form := rawForm()
	form.Batch = func(dst []byte, ids record.IDs, last uint64, _ []byte) []byte { return ids.AppendID(dst, last) }
	rp := &replay{pieces: make(chan piece, 1)}
	p := &player{loop: b.loop, replay: rp, form: form, batched: true, limited: true, left: 3}
	if err := p.show(t.Context(), &page, 1, shown{}); err != nil {
		t.Fatal(err)
	}
	if got := <-rp.pieces; string(got.text) != "S-4" || got.passing != 3 {
		t.Errorf("three entries behind the first: id %s, %d", got.text, got.passing)
	}
}

// A replay is not faster than max_rate, and what follows it has its share.
func TestAReplayKeepsToMaxRate(t *testing.T) {
	b := newBed(t, ring.Options{Entries: 16, Bytes: 1 << 20}, rawForm())
	defer b.close()
	s := b.joinAs(1<<20, Subscription{MaxRate: 10})
	b.settle()
	s.replay = &replay{pieces: make(chan piece, 100), cancel: func() {}}
	for range 100 {
		s.replay.pieces <- piece{text: []byte("x\n"), passing: 4, covered: 4}
	}
	for second := range 5 {
		b.loop.ring()
		b.settle()
		if got, most := s.delivered.Load(), uint64(10*(second+1)+4); got > most || got < most-8 {
			t.Fatalf("after %d seconds %d were delivered, want %d to %d", second, got, most-8, most)
		}
		b.loop.now = b.loop.now.Add(time.Second)
		s.bounds.grant(b.loop.now)
	}
	if s.bounds.tokens < -4 {
		t.Errorf("%f tokens are owed", s.bounds.tokens)
	}
}

// counted counts the turns of replays.
type counted struct {
	past
	begun *atomic.Int32
}

func (c counted) Replay(ctx context.Context, id string, show func(p *ring.Page, from int, ids record.IDs) error) (uint64, error) {
	c.begun.Add(1)
	return c.past.Replay(ctx, id, show)
}

// As many as may be under way do not read what they have asked for: the next one gets
// its own, and they theirs when they do.
func TestClientsThatDoNotReadTheirReplayHoldUpNoOther(t *testing.T) {
	r := ring.New(ring.Options{Entries: 1 << 10, Bytes: 8 << 20})
	var begun atomic.Int32
	e := start(t, r, Options{Names: counted{past{r, nil}, &begun}})
	e.replayTurn = 10 * time.Millisecond
	tr := e.Register(&Transport{Name: "t", Form: JSONLines(true, true), SendBuffer: 4 << 10})
	b := r.NewBuilder()
	for n := range 3 {
		b.Add(append(b.Text(), pastLine(older+n+1)...), 0, pastLevel(older+n+1))
	}
	b.Publish()
	join := func() *net.TCPConn {
		server, client := pair(t)
		if err := tr.Enroll(server, Subscription{From: e.Resume("S-0")}); err != nil {
			t.Fatal(err)
		}
		return client
	}
	readsAll := func(client *net.TCPConn) {
		t.Helper()
		_ = client.SetReadDeadline(time.Now().Add(waitLimit))
		want := passes(1, func(int) bool { return true })
		for in, i := bufio.NewScanner(client), 0; i < len(want); i++ {
			if !in.Scan() || in.Text() != want[i] {
				t.Fatalf("line %d is %.100q, want %.100q (%v)", i, in.Text(), want[i], in.Err())
			}
		}
	}
	var stuck []*net.TCPConn
	for range maxReplays {
		stuck = append(stuck, join())
	}
	eventually(t, "all have begun", func() bool { return begun.Load() >= maxReplays })
	readsAll(join())
	readsAll(stuck[0])
	readsAll(stuck[maxReplays-1])
}
