package nats

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"

	"logwisp/netio"
	"logwisp/netio/netiotest"
)

// patience is a limit for failures; nothing waits for it to pass.
const patience = 30 * time.Second

func TestMain(m *testing.M) {
	options := netiotest.IgnoreLibraries()
	dir, err := os.MkdirTemp("", "nats")
	if err != nil {
		panic(err)
	}
	binaryDir = dir
	authority, _, err = netiotest.CertificateIn(dir)
	if err == nil {
		err = os.Setenv("SSL_CERT_FILE", authority.CertFile) // read once, before the first connection
	}
	if err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m, append(options, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(dir)
		os.Exit(code)
	}))...)
}

var binaryDir string

// authority is a certificate that is trusted here.
var authority netio.TLSOptions

// serverBinary builds the server that scripts/peers.mod pins.
var serverBinary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(binaryDir, "nats-server")
	build := exec.Command("go", "build", "-modfile=scripts/peers.mod", "-o", path, "github.com/nats-io/nats-server/v2")
	build.Dir = "../.."
	if text, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build nats-server: %w: %s", err, text)
	}
	return path, nil
})

// server is a real one that can be killed and started again.
type server struct {
	t       *testing.T
	binary  string
	port    string
	store   string
	options []string
	cmd     *exec.Cmd
}

func startServer(t *testing.T, options ...string) *server {
	t.Helper()
	binary, err := serverBinary()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	s := &server{t: t, binary: binary, port: port, store: t.TempDir(), options: options}
	s.start()
	t.Cleanup(s.kill)
	return s
}

func (s *server) start() {
	s.t.Helper()
	s.cmd = exec.Command(s.binary, append([]string{"-a", "127.0.0.1", "-p", s.port, "-js", "-sd", s.store}, s.options...)...)
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	eventually(s.t, "the server to listen", func() bool {
		c, err := net.Dial("tcp", "127.0.0.1:"+s.port)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func (s *server) kill() {
	if s.cmd != nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}

func (s *server) settings(t *testing.T, query string) *Options {
	t.Helper()
	o, err := ParseURL("nats://127.0.0.1:" + s.port + "/LOGS?host=web1" + query)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// stream looks at the stream past LogWisp.
func (s *server) stream(t *testing.T) (jetstream.Stream, jetstream.JetStream) {
	t.Helper()
	c, err := client.Connect("nats://127.0.0.1:" + s.port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	js, err := jetstream.New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	stream, err := js.Stream(ctx, "LOGS")
	if err != nil {
		t.Fatal(err)
	}
	return stream, js
}

// payloads returns what the messages of the stream hold, in order.
func (s *server) payloads(t *testing.T) (all []string) {
	t.Helper()
	stream, _ := s.stream(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	state := stream.CachedInfo().State
	for n := state.FirstSeq; n <= state.LastSeq && n > 0; n++ {
		m, err := stream.GetMsg(ctx, n)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m.Subject+": "+string(m.Data))
	}
	return all
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// parcel is a run of entries numbered from first on.
type parcel struct {
	first   uint64
	entries []string // source and text
}

func entries(first uint64, all ...string) *parcel { return &parcel{first, all} }

func (p *parcel) Len() int         { return len(p.entries) }
func (p *parcel) Seq(i int) uint64 { return p.first + uint64(i) }

func (p *parcel) Source(i int) string {
	source, _, _ := strings.Cut(p.entries[i], " ")
	return source
}

func (p *parcel) Entries(first, last int) []byte {
	var b []byte
	for _, e := range p.entries[first:last] {
		_, text, _ := strings.Cut(e, " ")
		b = append(append(b, text...), '\n')
	}
	return b
}

// files says of every entry that it ends at ten times its number in the file
// of its source.
type files struct{ p *parcel }

func (f files) Origin(seq uint64) (Origin, bool, bool) {
	if f.p == nil || seq < f.p.first || seq >= f.p.first+uint64(f.p.Len()) {
		return Origin{}, false, true
	}
	return Origin{File: "1-2-3", End: 10 * int64(seq), Position: behind(seq)}, true, true
}

// behind is the position behind an entry.
type behind uint64

func (b behind) Position() []byte {
	return fmt.Appendf(nil, `{"path":"/a","dev":1,"inode":2,"born":3,"offset":%d}`, 10*b)
}
