package nats

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// listed says of entry n, from 1, where it came from.
type listed []spot

type spot struct {
	file int
	end  int64
	head int // fingerprint of the file
}

func (l listed) Origin(seq uint64) (Origin, bool, bool) {
	p := l[seq-1]
	return Origin{File: fmt.Sprintf("1-%x-3", p.file), End: p.end, Position: p}, true, true
}

func (p spot) Position() []byte {
	return fmt.Appendf(nil, `{"path":"/a","dev":1,"inode":%d,"born":3,"offset":%d,"fingerprint":{"length":1024,"sum":%d}}`, p.file, p.end, p.head)
}

// underWay returns an edge that knows how far the stream is, but for a message that
// an earlier run has under way and that arrives when this one has begun.
func underWay(t *testing.T, s *server, before listed, message *parcel, now listed) *Edge {
	t.Helper()
	e := edgeOf(t, s, now)
	if _, err := e.Positions(t.Context(), time.Time{}); err != nil {
		t.Fatal(err)
	}
	carries(t, edgeOf(t, s, before), message)
	return e
}

func all(s *server, t *testing.T) []string {
	t.Helper()
	var lines []string
	for _, m := range s.payloads(t) {
		_, text, _ := strings.Cut(m, ": ")
		for line := range strings.Lines(text) {
			lines = append(lines, strings.TrimSpace(line)[:2])
		}
	}
	return lines
}

func TestWhatWasUnderWayIsFoundInLaterMessagesToo(t *testing.T) {
	s := startServer(t)
	before := listed{{1, 10, 0}, {2, 10, 0}, {3, 10, 0}}
	now := listed{{1, 10, 0}, {1, 20, 0}, {1, 30, 0}, {2, 10, 0}, {3, 10, 0}, {2, 20, 0}}
	long := strings.Repeat("x", 300<<10)
	e := underWay(t, s, before, entries(1, "a 1a", "a 2a", "a 3a"), now)
	carries(t, e, entries(1, "a 1a", "a 1b"+long, "a 1c"+long, "a 2a", "a 3a", "a 2b"))
	if got := all(s, t); !slices.Equal(got, []string{"1a", "2a", "3a", "1b", "1c", "2b"}) {
		t.Errorf("the stream has %q", got)
	}
}

func TestAFileThatWasWrittenAnewIsNotTakenForWhatWasUnderWay(t *testing.T) {
	s := startServer(t)
	e := underWay(t, s, listed{{1, 1000, 7}}, entries(1, "a 1a"), listed{{1, 10, 8}, {1, 20, 8}})
	carries(t, e, entries(1, "a 1b", "a 1c"))
	if got := all(s, t); !slices.Equal(got, []string{"1a", "1b", "1c"}) {
		t.Errorf("the stream has %q", got)
	}
}

// TestEntriesThatEndAtOnePlaceAreNotLost has those of which it is not known which
// were under way come again rather than not at all.
func TestEntriesThatEndAtOnePlaceAreNotLost(t *testing.T) {
	s := startServer(t)
	same := listed{{1, 10, 0}, {1, 10, 0}, {1, 10, 0}, {1, 10, 0}}
	e := underWay(t, s, same, entries(1, "a 1a", "a 1b"), same)
	carries(t, e, entries(1, "a 1a", "a 1b", "a 1c", "a 1d"))
	if got := all(s, t); !slices.Equal(got, []string{"1a", "1b", "1b", "1c", "1d"}) {
		t.Errorf("the stream has %q", got)
	}
}

// TestAFileWhoseSourceChangesIsStoredInOrder has what comes of it later wait until
// what came before is stored: a run goes on where the file is furthest.
func TestAFileWhoseSourceChangesIsStoredInOrder(t *testing.T) {
	s := startServer(t)
	e := edgeOf(t, s, listed{{1, 10, 0}, {2, 10, 0}, {1, 20, 0}})
	if done, err := e.Carry(t.Context(), entries(1, "a 1a", "b 2a", "b 1b")); done != 2 || err != nil {
		t.Errorf("%d done, %v; want what comes before the change", done, err)
	}
}

func TestHostsWhoseFilesAreAlikeAreKeptApart(t *testing.T) {
	s := startServer(t)
	for _, host := range []string{"web1", "web2"} {
		o := s.settings(t, "")
		o.Host = host
		e, err := NewEdge(o, 7, listed{{1, 10, 0}}, quiet())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(e.Close)
		eventually(t, "a connection", e.conn.IsConnected)
		carries(t, e, entries(1, "a 1a"))
	}
	if got := s.payloads(t); len(got) != 2 {
		t.Errorf("the stream has %q", got)
	}
}

// TestPositionsEndWhenTheStreamIsGone has it deleted between two questions.
func TestPositionsEndWhenTheStreamIsGone(t *testing.T) {
	s := startServer(t)
	e := edgeOf(t, s, listed{{1, 10, 0}})
	carries(t, e, entries(1, "a 1a"))
	_, js := s.stream(t)
	if err := js.DeleteStream(t.Context(), "LOGS"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := e.readFrom(ctx, "LOGS.web1.>", time.Time{}, 1, latest{}); err == nil || ctx.Err() != nil {
		t.Errorf("the error is %v, %v", err, ctx.Err())
	}
}
