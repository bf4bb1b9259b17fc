package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// client reads from one hub, and goes on at the next when that ends.
type client struct {
	urls  []string
	at    atomic.Int32 // index of the hub
	lines atomic.Int64 // of the writers

	mu      sync.Mutex
	seen    map[string]*seen // by writer
	warmed  map[string]bool  // hosts of which a line has come
	lastID  string
	again   int
	notices int
	moves   int
	first   string // what went wrong first
	message [256]byte
}

// seen are the numbers of the lines of one writer.
type seen struct {
	bits []uint64
	n    int64
}

func newClient(urls []string) *client {
	return &client{urls: urls, seen: make(map[string]*seen), warmed: make(map[string]bool)}
}

func (c *client) run(ctx context.Context) {
	for ctx.Err() == nil {
		c.read(ctx, c.urls[c.at.Load()])
		if ctx.Err() != nil {
			return
		}
		c.at.Store((c.at.Load() + 1) % int32(len(c.urls)))
		c.mu.Lock()
		c.moves++
		c.mu.Unlock()
		time.Sleep(100 * time.Millisecond)
	}
}

func (c *client) read(ctx context.Context, url string) {
	q := url + "/stream?format=ndjson&ids=1"
	c.mu.Lock()
	if c.lastID != "" {
		q += "&last_event_id=" + c.lastID
	} else {
		q += "&from=earliest"
	}
	c.mu.Unlock()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, q, nil)
	if err != nil {
		return
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return // it is not up again
	}
	lines := bufio.NewReaderSize(answer.Body, 1<<20)
	for {
		line, err := lines.ReadSlice('\n')
		if err != nil {
			return // what is cut comes again
		}
		c.take(line)
	}
}

// entry is what is looked at.
type entry struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Message string `json:"message"`
	Fields  struct {
		Host string `json:"host"`
	} `json:"fields"`
}

func (c *client) take(line []byte) {
	var e entry
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := json.Unmarshal(bytes.TrimSpace(line), &e); err != nil {
		c.wrong(fmt.Sprintf("a line is no JSON: %.200s", line))
		return
	}
	switch e.Type {
	case "":
	case "connected", "heartbeat", "disconnect":
		return
	default:
		c.wrong(strings.TrimSpace(string(line)))
		return
	}
	c.lastID = e.ID
	if e.Message == warming {
		c.warmed[e.Fields.Host] = true
		return
	}
	name, rest, _ := strings.Cut(e.Message, " ")
	number, _, _ := strings.Cut(rest, " ")
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil || e.Message != string(appendMessage(c.message[:0], name, n)) {
		c.wrong("a line that nobody wrote: " + strings.TrimSpace(string(line)))
		return
	}
	s := c.seen[name]
	if s == nil {
		s = &seen{}
		c.seen[name] = s
	}
	for int(n/64) >= len(s.bits) {
		s.bits = append(s.bits, 0)
	}
	if s.bits[n/64]>>(n%64)&1 == 1 {
		c.again++
		if c.first == "" {
			c.first = "twice: " + e.Message
		}
		return
	}
	s.bits[n/64] |= 1 << (n % 64)
	s.n++
	c.lines.Add(1)
}

func (c *client) wrong(what string) {
	c.notices++
	if c.first == "" {
		c.first = what
	}
}

func (c *client) warm(hosts int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.warmed) >= hosts
}

// distinct returns how many lines of the writers were seen, and notes the first
// that was not.
func (c *client) distinct(writers []*writer) (n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range writers {
		s := c.seen[w.name]
		if s == nil {
			continue
		}
		n += s.n
		for i := range uint64(w.written.Load()) {
			if int(i/64) >= len(s.bits) || s.bits[i/64]>>(i%64)&1 == 0 {
				if c.first == "" {
					c.first = fmt.Sprintf("missing: %s %09d", w.name, i)
				}
				break
			}
		}
	}
	return n
}
