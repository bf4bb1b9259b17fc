package nats

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"logwisp/netio/netiotest"
)

// twin says of entry n that it ends at ten times n in the file with an identity.
type twin string

func (f twin) Origin(seq uint64) (Origin, bool, bool) {
	return Origin{File: string(f), End: 10 * int64(seq), Position: behindIn{f, seq}}, true, true
}

// behindIn is the position behind an entry of a twin's file.
type behindIn struct {
	file twin
	seq  uint64
}

func (b behindIn) Position() []byte {
	var dev, inode, born int64
	if _, err := fmt.Sscanf(string(b.file), "%x-%x-%x", &dev, &inode, &born); err != nil {
		panic(err)
	}
	return fmt.Appendf(nil, `{"path":"/a","dev":%d,"inode":%d,"born":%d,"offset":%d}`, dev, inode, born, 10*b.seq)
}

// TestTwoMachinesOfOneNameLoseNothingAndAreTold has both publish to one subject at
// the same time.
func TestTwoMachinesOfOneNameLoseNothingAndAreTold(t *testing.T) {
	s := startServer(t)
	const each = 40
	var log netiotest.Log
	var both sync.WaitGroup
	for _, name := range []string{"1-2-3", "4-5-6"} {
		e, err := NewEdge(s.settings(t, ""), 7, twin(name), slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(e.Close)
		eventually(t, "a connection", e.conn.IsConnected)
		both.Go(func() {
			for n := uint64(1); n <= each; n++ {
				p := entries(n, fmt.Sprintf("a %s/%d", name, n))
				if done, err := e.Carry(t.Context(), p); err != nil || done != 1 {
					t.Errorf("%s: entry %d: %d done, %v", name, n, done, err)
				}
			}
		})
	}
	both.Wait()
	next := map[string]int{"1-2-3": 1, "4-5-6": 1}
	for _, m := range s.payloads(t) {
		var n int
		name, number, _ := strings.Cut(strings.TrimPrefix(m, "LOGS.web1.a: "), "/")
		if _, err := fmt.Sscan(number, &n); err != nil || next[name] != n {
			t.Fatalf("the stream has %q, want entry %d of that machine", m, next[name])
		}
		next[name]++
	}
	if next["1-2-3"] != each+1 || next["4-5-6"] != each+1 {
		t.Errorf("next would be %v, want all of %d each", next, each)
	}
	if !strings.Contains(log.String(), "somebody else publishes to a subject of this host") {
		t.Errorf("nobody is told: %s", log.String())
	}
}
