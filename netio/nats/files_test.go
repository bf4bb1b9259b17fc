package nats

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// spread says of entry n that it is of file n modulo as many files as it is, and
// ends at ten times n in it.
type spread uint64

func (f spread) Origin(seq uint64) (Origin, bool, bool) {
	inode := 100 + seq%uint64(f)
	return Origin{File: fmt.Sprintf("1-%x-3", inode), End: 10 * int64(seq), Position: behindOf{inode, seq}}, true, true
}

type behindOf struct{ inode, seq uint64 }

func (b behindOf) Position() []byte {
	return fmt.Appendf(nil, `{"path":"/var/log/%d/app.log","dev":1,"inode":%d,"born":3,"offset":%d}`, b.inode, b.inode, 10*b.seq)
}

func edgeOf(t *testing.T, s *server, origins Origins) *Edge {
	t.Helper()
	e, err := NewEdge(s.settings(t, ""), 7, origins, quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	eventually(t, "a connection", e.conn.IsConnected)
	return e
}

// numbered are entries of one source that say their number.
func numbered(first, last uint64) *parcel {
	p := &parcel{first: first}
	for n := first; n <= last; n++ {
		p.entries = append(p.entries, fmt.Sprintf("a %d", n))
	}
	return p
}

// inOrder fails unless the stream has the entries from 1 to last, each once.
func inOrder(t *testing.T, s *server, last uint64) (messages int) {
	t.Helper()
	var want strings.Builder
	for n := uint64(1); n <= last; n++ {
		fmt.Fprintln(&want, n)
	}
	all := s.payloads(t)
	var got strings.Builder
	for _, m := range all {
		got.WriteString(strings.TrimPrefix(m, "LOGS.web1.a: "))
	}
	if got.String() != want.String() {
		t.Fatalf("the stream has %q", all)
	}
	return len(all)
}

func TestFilesOfOneSourceShareMessages(t *testing.T) {
	s := startServer(t)
	carries(t, edgeOf(t, s, spread(200)), numbered(1, 2000))
	if n := inOrder(t, s, 2000); n > 2000/20 {
		t.Errorf("%d messages for 2000 entries of 200 files", n)
	}
}

func TestARunGoesOnBehindEveryFileOfASource(t *testing.T) {
	s := startServer(t)
	const files = 100
	before := edgeOf(t, s, spread(files))
	carries(t, before, numbered(1, files)) // the checkpoint is of here
	kept := time.Now()
	carries(t, before, numbered(files+1, 2*files))
	for n := uint64(2*files + 1); n <= 3*files; n++ {
		carries(t, before, numbered(n, n))
	}
	positions, err := edgeOf(t, s, spread(files)).Positions(t.Context(), kept)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, p := range positions {
		all[string(p.File)] = true
	}
	for n := uint64(2*files + 1); n <= 3*files; n++ {
		if want := string(behindOf{100 + n%files, n}.Position()); !all[want] {
			t.Fatalf("of %d positions none is %s", len(positions), want)
		}
	}
	if len(positions) != files {
		t.Errorf("%d positions for %d files", len(positions), files)
	}
}

// TestWhatWasUnderWayOfSeveralFilesIsNotStoredTwice has the last message of the
// run before arrive when this one has begun.
func TestWhatWasUnderWayOfSeveralFilesIsNotStoredTwice(t *testing.T) {
	s := startServer(t)
	before := edgeOf(t, s, spread(3))
	carries(t, before, numbered(1, 3))
	e := edgeOf(t, s, spread(3))
	if _, err := e.Positions(t.Context(), time.Time{}); err != nil {
		t.Fatal(err)
	}
	carries(t, before, numbered(4, 7))
	carries(t, e, numbered(4, 12))
	inOrder(t, s, 12)
}

// TestMessagesThatAreAlikeAreNotTakenForOne has a file say the same as before when
// another has had its turn.
func TestMessagesThatAreAlikeAreNotTakenForOne(t *testing.T) {
	s := startServer(t)
	e := edgeOf(t, s, spread(2))
	for n := uint64(1); n <= 5; n++ {
		carries(t, e, entries(n, "a the same"))
	}
	if got := s.payloads(t); len(got) != 5 {
		t.Errorf("%d of 5 messages are in the stream: %q", len(got), got)
	}
}

// TestAnAnswerThatIsLateByMoreThanTheServerRemembersRepeatsNothing has the edge
// ask for the last message, which is the one that it is about to send again.
func TestAnAnswerThatIsLateByMoreThanTheServerRemembersRepeatsNothing(t *testing.T) {
	s := startServer(t)
	e := edgeOf(t, s, spread(2))
	carries(t, e, numbered(1, 2))
	of := e.of(subjectOf("LOGS", "web1", "a"))
	ends := maps.Clone(of.ends)
	stream, js := s.stream(t)
	config := stream.CachedInfo().Config
	config.Duplicates = 100 * time.Millisecond
	if _, err := js.UpdateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	carries(t, e, numbered(3, 4))
	before := len(s.payloads(t))
	of.acked, of.last, of.known, of.ends = 2, 1, false, ends // as if the answer had not come
	probe := func() *jetstream.PubAck {
		ack, err := js.Publish(t.Context(), "LOGS.web2.a", nil, jetstream.WithMsgID("probe"))
		if err != nil {
			t.Fatal(err)
		}
		return ack
	}
	probes := 1
	probe()
	eventually(t, "the server to forget the message", func() bool {
		if probe().Duplicate {
			return false
		}
		probes++
		return true
	})
	carries(t, e, numbered(3, 4))
	if after := len(s.payloads(t)) - probes; after != before {
		t.Errorf("%d messages instead of %d", after, before)
	}
}
