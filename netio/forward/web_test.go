package forward

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"logwisp/ring"
)

func TestEntriesArePostedInOrderAndInBatches(t *testing.T) {
	c := receive(t, nil)
	b := newBench(t, 0, Options{URL: c.URL + "/in"})
	want := numbered("line", 3000)
	for part := range slices.Chunk(want, 100) {
		b.publish(part...)
	}
	s := b.settles()
	if got := messages(c.got()); !slices.Equal(got, want) {
		t.Errorf("%d entries came, want %d in order", len(got), len(want))
	}
	if s.Delivered != 3000 || s.Offered != 3000 || s.SentEntries != 3000 {
		t.Errorf("counted %+v", s)
	}
	if n := len(c.bodies); n < 3 || n > 100 {
		t.Errorf("%d requests for 3000 entries of 130 bytes in batches of 64 KiB", n)
	}
	for _, body := range c.bodies {
		if len(body) > 64<<10 {
			t.Errorf("a batch of %d bytes, at most 64 KiB were asked for", len(body))
		}
	}
}

func TestAnEntryLargerThanABatchIsSentAlone(t *testing.T) {
	c := receive(t, nil)
	b := newBench(t, 0, Options{URL: c.URL, BatchBytes: 4096})
	want := []string{"before", strings.Repeat("x", 100_000), "after"}
	b.publish(want...)
	b.settles()
	if got := messages(c.got()); !slices.Equal(got, want) || len(c.bodies) != 3 {
		t.Errorf("%d entries in %d bodies", len(got), len(c.bodies))
	}
}

func TestCompressedBodiesHoldTheSameEntries(t *testing.T) {
	for name, unpack := range map[string]func(io.Reader) (io.Reader, error){
		"gzip": func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		"zstd": func(r io.Reader) (io.Reader, error) {
			d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
			if err != nil {
				return nil, err
			}
			t.Cleanup(d.Close)
			return d, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := receive(t, func(r *http.Request, _ string) (int, string) {
				if r.Header.Get("Content-Encoding") != name {
					return 500, "not compressed"
				}
				return 200, ""
			})
			b := newBench(t, 0, Options{URL: c.URL, Compress: name})
			want := numbered("line", 500)
			b.publish(want[:250]...)
			b.settles()
			b.publish(want[250:]...)
			b.settles()
			var got []string
			for _, body := range c.bodies {
				r, err := unpack(strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				plain, err := io.ReadAll(r)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, messages(string(plain))...)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%d entries came, want %d in order", len(got), len(want))
			}
		})
	}
}

func TestAFailingServerIsTriedAgainAndNothingIsLost(t *testing.T) {
	var tries atomic.Int64
	c := receive(t, func(*http.Request, string) (int, string) {
		switch tries.Add(1) {
		case 1:
			return 500, "out of order"
		case 2:
			return 429, ""
		case 3:
			return 401, "who are you?"
		}
		return 200, ""
	})
	b := newBench(t, 0, Options{URL: c.URL})
	b.publish("one", "two")
	b.until("a failure, and nobody to wait for it when it has lasted", func(s Stats) bool {
		return s.Circuit != "closed" && strings.Contains(s.LastError, "out of order") && b.out.Reached() == 0 && b.out.stats.failing(0)
	})
	s := b.settles()
	if got := b.out.Reached(); got != 2 {
		t.Errorf("it has reached %d, want 2", got)
	}
	if got := messages(c.got()); !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("came %q", got)
	}
	if s.Circuit != "closed" || s.Retries != 3 || !strings.Contains(s.LastError, "who are you?") {
		t.Errorf("counted %+v", s)
	}
}

func TestAnEntryThatIsRefusedIsFoundAndTheOthersGoOn(t *testing.T) {
	c := receive(t, func(_ *http.Request, body string) (int, string) {
		if strings.Contains(body, "poison") {
			return 400, "cannot parse that"
		}
		return 200, ""
	})
	b := newBench(t, 0, Options{URL: c.URL})
	want := numbered("line", 100)
	b.publish(slices.Concat(want[:37], []string{"poison 1"}, want[37:80], []string{"poison 2"}, want[80:])...)
	s := b.settles()
	if got := messages(c.got()); !slices.Equal(got, want) {
		t.Errorf("came %d entries %q", len(got), got)
	}
	if s.Delivered != 100 || s.Dropped != 2 || s.Refused != 2 {
		t.Errorf("counted %+v", s)
	}
	b.stop()
	if said := b.said.String(); strings.Count(said, "cannot parse that") != 2 || !strings.Contains(said, "id=7-38") {
		t.Errorf("said %s", said)
	}
}

func TestWhatIsOverwrittenWhileTheServerIsDownIsCounted(t *testing.T) {
	var up atomic.Bool
	c := receive(t, func(*http.Request, string) (int, string) {
		if !up.Load() {
			return 503, ""
		}
		return 200, ""
	})
	b := newBench(t, 64<<10, Options{URL: c.URL, BatchBytes: 4096})
	b.publish("first")
	b.until("a failure", func(s Stats) bool { return s.LastError != "" })
	for part := range slices.Chunk(numbered("line", 5000), 20) {
		b.publish(part...)
	}
	up.Store(true)
	s := b.settles()
	got := messages(c.got())
	if uint64(len(got)) != s.Delivered || s.Dropped == 0 || s.Offered != 5001 {
		t.Errorf("%d came, counted %+v", len(got), s)
	}
	if got[0] != "first" || got[len(got)-1] != "line 04999" || !slices.IsSorted(got) {
		t.Errorf("from %q to %q", got[0], got[len(got)-1])
	}
}

func TestAFilterKeepsBackAndIsCounted(t *testing.T) {
	c := receive(t, nil)
	b := newBench(t, 0, Options{URL: c.URL, Filter: Filter{Level: "error", Not: []string{"noise"}}})
	b.publish("calm", "error 1", "error noise", "error 2", "calm")
	b.publish("calm")
	s := b.settles()
	if got := messages(c.got()); !slices.Equal(got, []string{"error 1", "error 2"}) {
		t.Errorf("came %q", got)
	}
	if s.Delivered != 2 || s.Filtered != 4 {
		t.Errorf("counted %+v", s)
	}
}

func TestDrainDeliversWhatIsThereAndEnds(t *testing.T) {
	c := receive(t, nil)
	b := newBench(t, 0, Options{URL: c.URL, BatchWait: 60_000})
	b.publish(numbered("line", 10)...)
	b.out.Drain()
	b.settles()
	if got := messages(c.got()); len(got) != 10 {
		t.Errorf("%d came", len(got))
	}
	b.stop()
}

func TestHeadersHaveTheTokenAndWhatIsFilledIn(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := receive(t, nil)
	b := newBench(t, 0, Options{URL: c.URL, Name: "main", TokenFile: token, Headers: map[string]string{"X-Batch": "{name}/{first}-{last}/{count}"}})
	b.publish("a", "b", "c")
	b.settles()
	if err := os.WriteFile(token, []byte("changed"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.publish("d")
	b.settles()
	for i, want := range []string{"Bearer s3cret main/1-3/3", "Bearer changed main/4-4/1"} {
		if got := c.requests[i].Header.Get("Authorization") + " " + c.requests[i].Header.Get("X-Batch"); got != want {
			t.Errorf("request %d: %q, want %q", i, got, want)
		}
	}
	var own bytes.Buffer
	own.WriteString(b.said.String())
	if strings.Contains(own.String(), "s3cret") {
		t.Error("the token is in the log")
	}
}

func TestARedirectionIsNotFollowed(t *testing.T) {
	c := receive(t, nil)
	c.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			t.Error("the entries of a redirected request are lost")
		}
		http.Redirect(w, r, "/elsewhere?token=lw_secret", http.StatusFound)
	})
	b := newBench(t, 0, Options{URL: c.URL})
	b.publish("a")
	s := b.until("a failure", func(s Stats) bool { return s.LastError != "" })
	if !strings.Contains(s.LastError, "set url to /elsewhere if") || strings.Contains(s.LastError, "secret") {
		t.Error(s.LastError)
	}
}

// TestAnOutputThatWaitsTriesOnceMoreWhenItIsDrained has a counterpart that wants to be
// left alone for an hour.
func TestAnOutputThatWaitsTriesOnceMoreWhenItIsDrained(t *testing.T) {
	r := ring.New(ring.Options{Entries: 64, Bytes: 1 << 20})
	out, err := New(Options{URL: "http://127.0.0.1:1"}, r, false, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer out.collect.reader.Close()
	out.Drain()
	if !out.pause(t.Context(), &busy{"busy", time.Hour}) {
		t.Error("it gives up")
	}
	ended, end := context.WithCancel(t.Context())
	time.AfterFunc(time.Millisecond, end)
	if out.pause(ended, &busy{"busy", time.Hour}) {
		t.Error("it tries again and again")
	}
}

func TestAProblemIsTheSameWhateverThePort(t *testing.T) {
	reset := func(port int) error {
		return fmt.Errorf("post: %w", &net.OpError{Op: "read", Net: "tcp", Source: &net.TCPAddr{Port: port}, Err: syscall.ECONNRESET})
	}
	if a, b := problemOf(reset(1)), problemOf(reset(2)); a != b {
		t.Errorf("%q and %q", a, b)
	}
	if a, b := problemOf(reset(1)), problemOf(errors.New("the answer is 500")); a == b {
		t.Errorf("both are %q", a)
	}
}

// TestABodyThatIsAnsweredEarlyIsLeftAlone has a server refuse a batch before it has
// read it, so that the halves are made while the whole may still be on its way. It
// is for the race detector.
func TestABodyThatIsAnsweredEarlyIsLeftAlone(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > 64<<10 {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	t.Cleanup(server.Close)
	b := newBench(t, 32<<20, Options{URL: server.URL, BatchBytes: 8 << 20})
	b.publish(numbered(strings.Repeat("x", 2000), 2000)...)
	if s := b.settles(); s.Delivered != 2000 {
		t.Errorf("counted %+v", s)
	}
	b.stop()
}
