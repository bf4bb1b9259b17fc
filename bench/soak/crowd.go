package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// crowd are clients that read as fast as lines come.
type crowd struct {
	size     int          // of a line
	from, to atomic.Int64 // what is written then counts, whenever it comes; nanos
	members  []*member
	readers  sync.WaitGroup
}

// member is one of them.
type member struct {
	crowd *crowd
	conn  net.Conn
	next  atomic.Uint64 // number of the line that is to come
	gone  atomic.Uint64 // lines that did not come
	ended atomic.Bool

	mu      sync.Mutex
	latency *hdrhistogram.Histogram // µs
}

// gather connects the clients and returns once all of them are in.
func gather(ctx context.Context, d *daemon, size int) (*crowd, error) {
	c := &crowd{size: size} // to is 0: nothing counts yet
	limit := time.Now().Add(startTimeout)
	for len(c.members) < crowdSize {
		at, request := d.tcp, ""
		if len(c.members)%2 == 1 {
			at, request = d.http, "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n"
		}
		conn, err := d.await(ctx, at, request, limit)
		if err != nil {
			c.close()
			return nil, err
		}
		m := &member{crowd: c, conn: conn, latency: hdrhistogram.New(1, latencyMost, 3)}
		c.members = append(c.members, m)
		c.readers.Go(m.read)
	}
	for {
		n, err := d.clients()
		if err == nil && n == crowdSize {
			return c, nil
		}
		if time.Now().After(limit) || ctx.Err() != nil {
			c.close()
			return nil, fmt.Errorf("%d of %d clients are in: %w%s", n, crowdSize, err, d.ownLog())
		}
		time.Sleep(step)
	}
}

func (c *crowd) close() {
	for _, m := range c.members {
		m.conn.Close()
	}
	c.readers.Wait()
}

// measure says whether what is written from now on counts.
func (c *crowd) measure(on bool) {
	if now := nanos(time.Now()); on {
		c.to.Store(math.MaxInt64)
		c.from.Store(now)
	} else {
		c.to.Store(now)
	}
}

var lineMark = []byte(`"message":"` + linePrefix)

// read takes the stream to its end.
func (m *member) read() {
	defer m.ended.Store(true)
	buf := make([]byte, 256<<10)
	held := 0
	for {
		n, err := m.conn.Read(buf[held:])
		if err != nil {
			return
		}
		rest := buf[:held+n]
		now := nanos(time.Now())
		m.mu.Lock()
		for {
			line, after, whole := bytes.Cut(rest, []byte("\n"))
			if !whole {
				break
			}
			rest = after
			if at := bytes.Index(line, lineMark); at >= 0 {
				m.line(line[at+len(lineMark)-len(linePrefix):], now)
			}
		}
		m.mu.Unlock()
		held = copy(buf, rest)
		if held == len(buf) {
			held = 0 // a line that nobody wrote
		}
	}
}

// line takes one line.
func (m *member) line(text []byte, now int64) {
	if len(text) < padAt {
		return
	}
	number, written := digits(text[numberAt:][:numberDigits]), int64(digits(text[nanoAt:][:nanoDigits]))
	if next := m.next.Load(); number > next {
		m.gone.Add(number - next)
	}
	m.next.Store(number + 1)
	if written >= m.crowd.from.Load() && written < m.crowd.to.Load() {
		_ = m.latency.RecordValue(micros(written, now))
	}
}

func digits(text []byte) (n uint64) {
	for _, c := range text {
		n = 10*n + uint64(c-'0')
	}
	return n
}

// crowdSettle is how long nothing may come before the rest counts as missing.
const crowdSettle = 15 * time.Second

// await waits until all have what was written, or nothing comes any more, and
// returns how many lines did not come, for all of them together.
func (c *crowd) await(ctx context.Context, written uint64) (missing uint64) {
	last, moved := uint64(0), time.Now()
	for ctx.Err() == nil && time.Since(moved) < crowdSettle {
		sum, whole := uint64(0), true
		for _, m := range c.members {
			n := m.next.Load()
			sum += n
			whole = whole && (n == written || m.ended.Load())
		}
		if whole {
			break
		}
		if sum != last {
			last, moved = sum, time.Now()
		}
		time.Sleep(step)
	}
	for _, m := range c.members {
		missing += m.gone.Load() + written - min(written, m.next.Load())
	}
	return missing
}

// quantile returns a quantile of the latency of all.
func (c *crowd) quantile(percent float64) time.Duration {
	all := hdrhistogram.New(1, latencyMost, 3)
	for _, m := range c.members {
		m.mu.Lock()
		all.Merge(m.latency)
		m.mu.Unlock()
	}
	if all.TotalCount() == 0 {
		return 0
	}
	return time.Duration(all.ValueAtQuantile(percent)) * time.Microsecond
}

// clients asks /status how many stream.
func (d *daemon) clients() (int, error) {
	s, err := d.status()
	return s.Clients.TCP + s.Clients.SSE, errors.Join(err, d.alive())
}
