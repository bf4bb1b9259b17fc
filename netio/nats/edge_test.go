package nats

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"logwisp/netio"
	"logwisp/netio/netiotest"
)

// edge starts one whose entries have the origins of p.
func edge(t *testing.T, s *server, p *parcel) *Edge {
	t.Helper()
	var origins Origins
	if p != nil {
		origins = files{p}
	}
	return edgeOf(t, s, origins)
}

// carries has all of p carried, in as many parts as the edge wants.
func carries(t *testing.T, e *Edge, p *parcel) {
	t.Helper()
	for p.Len() > 0 {
		done, err := e.Carry(t.Context(), p)
		if err != nil || done == 0 {
			t.Fatalf("%d of %d entries: %v", done, p.Len(), err)
		}
		p = &parcel{p.Seq(done), p.entries[done:]}
	}
}

func TestEntriesGoToTheSubjectOfTheirSource(t *testing.T) {
	s := startServer(t)
	p := entries(1, "a.log 1", "b.log 2", "a.log 3")
	carries(t, edge(t, s, p), p)
	got := s.payloads(t)
	slices.Sort(got)
	want := []string{"LOGS.web1.a%2Elog: 1\n", "LOGS.web1.a%2Elog: 3\n", "LOGS.web1.b%2Elog: 2\n"}
	if !slices.Equal(got, want) {
		t.Errorf("the stream has %q, want %q", got, want)
	}
}

func TestARunGoesOnBehindWhatTheStreamHolds(t *testing.T) {
	s := startServer(t)
	all := entries(1, "a 1", "a 2", "a 3", "a 4", "a 5")
	before := edge(t, s, all)
	carries(t, before, entries(1, "a 1", "a 2"))
	e := edge(t, s, all)
	positions, err := e.Positions(t.Context(), time.Time{})
	if err != nil || len(positions) != 1 || !strings.Contains(string(positions[0].File), `"offset":20}`) || positions[0].At == 0 {
		t.Fatalf("positions %+v %v", positions, err)
	}
	// What the run before had under way comes only now.
	carries(t, before, entries(3, "a 3"))
	carries(t, e, entries(3, "a 3", "a 4", "a 5"))
	if got := strings.Join(s.payloads(t), ""); got != "LOGS.web1.a: 1\n2\nLOGS.web1.a: 3\nLOGS.web1.a: 4\n5\n" {
		t.Errorf("the stream has %q", got)
	}
}

func TestAMessageWhoseAnswerWasLostIsNotStoredTwice(t *testing.T) {
	s := startServer(t)
	p := entries(1, "a 1", "a 2")
	e := edge(t, s, p)
	carries(t, e, p)
	of := e.of(subjectOf("LOGS", "web1", "a"))
	of.acked, of.last, of.ends = 0, 0, map[string]int64{} // as if nothing had come back
	carries(t, e, p)
	if got := s.payloads(t); len(got) != 1 {
		t.Errorf("the stream has %q", got)
	}
}

func TestAnEntryThatTheServerDoesNotTakeIsRefused(t *testing.T) {
	s := startServer(t)
	e := edge(t, s, nil)
	_, err := e.Carry(t.Context(), entries(1, "a 1", "a "+strings.Repeat("x", 2<<20)))
	if !errors.Is(err, netio.ErrRefused) {
		t.Errorf("error %v", err)
	}
	carries(t, e, entries(1, "a 1"))
	carries(t, e, entries(3, "a "+strings.Repeat("y", 900<<10))) // longer than a message usually is
	if got := s.payloads(t); len(got) != 2 {
		t.Errorf("%d messages", len(got))
	}
}

func TestWhatIsNotAcknowledgedIsNotDelivered(t *testing.T) {
	s := startServer(t)
	p := entries(1, "a 1", "a 2")
	e := edge(t, s, p)
	carries(t, e, entries(1, "a 1"))
	s.kill()
	if done, err := e.Carry(t.Context(), entries(2, "a 2")); done != 0 || err == nil {
		t.Errorf("%d delivered, error %v", done, err)
	}
	s.start()
	eventually(t, "the entry to be delivered", func() bool {
		done, _ := e.Carry(t.Context(), entries(2, "a 2"))
		return done == 1
	})
	if got := strings.Join(s.payloads(t), ""); got != "LOGS.web1.a: 1\nLOGS.web1.a: 2\n" {
		t.Errorf("the stream has %q", got)
	}
}

func TestAStreamThatTakesOtherSubjectsIsNamed(t *testing.T) {
	s := startServer(t)
	e := edge(t, s, nil)
	carries(t, e, entries(1, "a 1"))
	stream, js := s.stream(t)
	config := stream.CachedInfo().Config
	config.Subjects = []string{"other.>"}
	if _, err := js.UpdateStream(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Carry(t.Context(), entries(2, "a 2")); err == nil || !strings.Contains(err.Error(), "LOGS.>") {
		t.Errorf("error %v", err)
	}
}

func TestNobodyWaitsForAServerThatIsNotThere(t *testing.T) {
	o, err := ParseURL("nats://127.0.0.1:1/LOGS?host=x")
	if err != nil {
		t.Fatal(err)
	}
	e, err := NewEdge(o, 7, nil, quiet())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if done, err := e.Carry(ctx, entries(1, "a 1")); done != 0 || err == nil {
		t.Errorf("%d delivered, error %v", done, err)
	}
}

// TestAMessageThatTheLimitsHaveDeletedIsNobodyElses has the last message of a
// subject go, as it does when others of the stream take its room.
func TestAMessageThatTheLimitsHaveDeletedIsNobodyElses(t *testing.T) {
	s := startServer(t)
	var log netiotest.Log
	e, err := NewEdge(s.settings(t, ""), 7, twin("1-2-3"), slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	eventually(t, "a connection", e.conn.IsConnected)
	carries(t, e, entries(1, "a 1"))
	stream, _ := s.stream(t)
	if err := stream.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	carries(t, e, entries(2, "a 2"))
	if got := strings.Join(s.payloads(t), ""); got != "LOGS.web1.a: 2\n" {
		t.Errorf("the stream has %q", got)
	}
	if strings.Contains(log.String(), "somebody else") {
		t.Errorf("it is said that %s", log.String())
	}
}

func TestAStreamOfShortAgeIsCreated(t *testing.T) {
	s := startServer(t)
	o := s.settings(t, "&max_age=2s")
	e, err := NewEdge(o, 7, nil, quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	eventually(t, "a connection", e.conn.IsConnected)
	carries(t, e, entries(1, "a 1"))
}

// TestAnEdgeGoesOnWhenItsTokenIsPutRight starts with a wrong one.
func TestAnEdgeGoesOnWhenItsTokenIsPutRight(t *testing.T) {
	dir := t.TempDir()
	said, token := filepath.Join(dir, "log"), filepath.Join(dir, "token")
	s := startServer(t, "--auth", "RIGHT", "-l", said)
	if err := os.WriteFile(token, []byte("WRONG"), 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := NewEdge(s.settings(t, "&token_file="+token), 7, nil, quiet())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	eventually(t, "more refusals than the library takes by itself", func() bool {
		text, _ := os.ReadFile(said)
		return strings.Count(string(text), "authentication error") > 2
	})
	if _, err := e.Carry(t.Context(), entries(1, "a 1")); err == nil || !strings.Contains(strings.ToLower(err.Error()), "authorization") {
		t.Errorf("the error is %v, which does not name the reason", err)
	}
	if err := os.WriteFile(token, []byte("RIGHT"), 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a connection", e.conn.IsConnected)
	carries(t, e, entries(1, "a 1"))
}
