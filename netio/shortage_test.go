package netio

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"logwisp/ring"
)

// limitDescriptors lets extra more descriptors be opened until restore.
func limitDescriptors(t *testing.T, extra int) (restore func()) {
	t.Helper()
	var old unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	// The limit is on the number, so the gaps below the highest are filled.
	var fill []int
	for {
		fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		fill = append(fill, fd)
		if len(fill) > 1 && noneAbove(fd) {
			break
		}
	}
	highest := fill[len(fill)-1]
	limit := old
	limit.Cur = uint64(highest + 1 + extra)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	return func() {
		_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &old)
		for _, fd := range fill {
			unix.Close(fd)
		}
	}
}

// noneAbove reports whether no descriptor in use has a number above fd.
func noneAbove(fd int) bool {
	for n := fd + 1; n < fd+1000; n++ {
		if _, err := unix.FcntlInt(uintptr(n), unix.F_GETFD, 0); err == nil {
			return false
		}
	}
	return true
}

// TestStartingWithTooFewDescriptorsIsAnError runs in a process of its own: what
// goes wrong here can end it.
func TestStartingWithTooFewDescriptorsIsAnError(t *testing.T) {
	const variable = "NETIO_TEST_FEW_DESCRIPTORS"
	if os.Getenv(variable) != "" {
		startWithFewDescriptors(t)
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), variable+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%.1500s", err, out)
	}
}

func startWithFewDescriptors(t *testing.T) {
	r := ring.New(ring.Options{Entries: 64, Bytes: 1 << 20})
	before := openDescriptors(t)
	for extra := 0; ; extra++ {
		restore := limitDescriptors(t, extra)
		e, err := New(r, Options{Loops: 3})
		restore()
		if err == nil {
			stop(e)
			break
		}
		if !errors.Is(err, unix.EMFILE) {
			t.Errorf("with %d descriptors: %v", extra, err)
		}
		if n := openDescriptors(t); n > before {
			t.Errorf("with %d descriptors %d stay open", extra, n-before)
			before = n
		}
	}
}

// TestAClientThatCannotBeEnrolledLeavesNothingBehind has no descriptor for
// gnet's duplicate.
func TestAClientThatCannotBeEnrolledLeavesNothingBehind(t *testing.T) {
	h := newHost(t, 1, ring.Options{Entries: 64, Bytes: 1 << 20}, &Transport{Name: "t", Form: framedForm()})
	server, client := pair(t)
	restore := limitDescriptors(t, 0)
	err := h.transport.Enroll(server, Subscription{})
	restore()
	if !errors.Is(err, unix.EMFILE) {
		t.Errorf("enrolling without a descriptor: %v", err)
	}
	if !h.empty() {
		t.Errorf("%d subscribers", h.transport.Stats().Active)
	}
	_ = client.SetReadDeadline(time.Now().Add(waitLimit))
	if n, err := client.Read(make([]byte, 1)); n != 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the refused client read %d bytes, %v", n, err)
	}
}

// TestASocketTheLoopCannotWatchIsNotCountedForEver makes gnet's epoll refuse a
// socket (as it does when fs.epoll.max_user_watches is used up) by enrolling a
// second duplicate of a connection under the number of the first.
func TestASocketTheLoopCannotWatchIsNotCountedForEver(t *testing.T) {
	h := newHost(t, 1, ring.Options{Entries: 64, Bytes: 1 << 20}, &Transport{Name: "t", Form: framedForm()})
	server, client := pair(t)
	file, err := server.File()
	if err != nil {
		t.Fatal(err)
	}
	again, err := net.FileConn(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.transport.Enroll(server, Subscription{}); err != nil {
		t.Fatal(err)
	}
	var number int
	for s := range h.transport.live {
		number = s.fd
	}
	unix.Close(number) // the epoll keeps its entry as long as file is open
	var fill []int
	for {
		fd, err := unix.Dup(int(os.Stdin.Fd()))
		if err != nil {
			t.Fatal(err)
		}
		if fd >= number {
			unix.Close(fd)
			break
		}
		fill = append(fill, fd)
	}
	err = h.transport.Enroll(again, Subscription{})
	if n := h.transport.Stats().Active; err == nil && n > 1 && h.transport.Stats().Joined == 1 {
		t.Errorf("Enroll reports no error, and %d subscribers are counted, 1 has joined", n)
	}
	file.Close()
	client.Close()
	for _, fd := range fill {
		unix.Close(fd)
	}
}

// faulty is a listener whose Accept fails until it has run out of errors.
type faulty struct {
	net.Listener
	mu     sync.Mutex
	errors []error
}

func (f *faulty) Accept() (net.Conn, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.errors) > 0 {
		err := f.errors[0]
		f.errors = f.errors[1:]
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", err)}
	}
	return f.Listener.Accept()
}

// TestAcceptSurvivesWhatPasses goes through what accept(2) says is to be
// treated like "try again".
func TestAcceptSurvivesWhatPasses(t *testing.T) {
	for _, errno := range []syscall.Errno{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED,
		syscall.EPERM, syscall.EPROTO, syscall.ENETDOWN, syscall.ENETUNREACH, syscall.EHOSTDOWN, syscall.EHOSTUNREACH,
	} {
		inner, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l := Persistent(&faulty{Listener: inner, errors: []error{errno, errno}}, nil, slog.New(slog.DiscardHandler))
		client, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if c, err := l.Accept(); err != nil {
			t.Errorf("%s (%v) ends the server", unix.ErrnoName(errno), err)
		} else {
			c.Close()
		}
		client.Close()
		l.Close()
	}
}

// noticing is told of every log record.
type noticing struct {
	slog.Handler
	seen chan struct{}
	once atomic.Bool
}

func (n *noticing) Enabled(context.Context, slog.Level) bool { return true }

func (n *noticing) Handle(context.Context, slog.Record) error {
	if n.once.CompareAndSwap(false, true) {
		close(n.seen)
	}
	return nil
}

// TestTheListenerWaitsForADescriptor accepts the client that found none, and
// ends at once when it is closed while it waits.
func TestTheListenerWaitsForADescriptor(t *testing.T) {
	for _, closing := range []bool{false, true} {
		handler := &noticing{Handler: slog.DiscardHandler, seen: make(chan struct{})}
		ln, err := Listen("127.0.0.1", "0", nil, slog.New(handler))
		if err != nil {
			t.Fatal(err)
		}
		client, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		restore := limitDescriptors(t, 0)
		result := make(chan error, 1)
		go func() {
			c, err := ln.Accept()
			if err == nil {
				c.Close()
			}
			result <- err
		}()
		<-handler.seen
		if closing {
			ln.Close()
		}
		restore()
		if err := <-result; closing != errors.Is(err, net.ErrClosed) || (!closing && err != nil) {
			t.Errorf("closed while waiting: %t, Accept returned %v", closing, err)
		}
		client.Close()
		ln.Close()
	}
}
