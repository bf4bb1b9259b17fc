package access

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"logwisp/netio"
)

const (
	// triesPerMinute is how many wrong tokens an address may present, at first
	// and then in every minute.
	triesPerMinute = 10
	// maxAddresses is how many addresses are remembered. Beyond, all are
	// forgotten: that costs an attacker with so many addresses nothing, and
	// bounds the memory.
	maxAddresses = 10_000
)

// failures are the wrong tries of addresses. The zero value is ready.
type failures struct {
	mu sync.Mutex
	by map[netip.Addr]*rate.Limiter
}

// mayTry reports whether an address has a try left.
func (f *failures) mayTry(a netip.Addr) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.by[netio.HostOf(a)]
	return l == nil || l.Tokens() >= 1
}

// add counts a wrong try.
func (f *failures) add(a netip.Addr) {
	if !a.IsValid() {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.by) >= maxAddresses || f.by == nil {
		f.by = make(map[netip.Addr]*rate.Limiter)
	}
	l := f.by[netio.HostOf(a)]
	if l == nil {
		l = rate.NewLimiter(rate.Every(time.Minute/triesPerMinute), triesPerMinute)
		f.by[netio.HostOf(a)] = l
	}
	l.Allow()
}
