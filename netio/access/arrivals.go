package access

import (
	"fmt"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"logwisp/netio"
)

// ArrivalOptions are the settings of how often connections may be made.
type ArrivalOptions struct {
	Connects          int      `toml:"max_connects_per_minute" kong:"-" default:"60000" min:"0" max:"100000000"`
	ConnectsByAddress int      `toml:"max_connects_per_minute_per_ip" kong:"-" default:"10000" min:"0" max:"100000000"`
	ConnectsExempt    []string `toml:"connects_exempt" kong:"-" default:"127.0.0.0/8,::1"` // networks that may connect as often as they like
}

// Arrivals bounds how often connections may be made: by one address (with IPv6, a
// /64), and by all together. Of what is allowed for a minute any part may be used
// at once, as by clients that all come back after a restart; what was used comes
// back evenly. All methods are safe for concurrent use.
type Arrivals struct {
	mu     sync.Mutex
	limits arrivalLimits
	all    *rate.Limiter // nil: no limit
	by     map[netip.Addr]*rate.Limiter
	told   time.Time
}

// arrivalLimits are what options say. Proxies speak for many clients and are not
// counted as one.
type arrivalLimits struct {
	all, each       int // a minute; 0 = no limit
	exempt, proxies []netip.Prefix
}

// NewArrivals returns the limits that o sets. Connections of proxies count in
// the total only. The error names the key.
func NewArrivals(o ArrivalOptions, proxies []netip.Prefix) (*Arrivals, error) {
	a := &Arrivals{}
	apply, err := a.Reload(o, proxies)
	if err != nil {
		return nil, err
	}
	apply()
	return a, nil
}

// Reload returns what has other limits hold; that cannot fail. What addresses
// have used of one that stays is remembered.
func (a *Arrivals) Reload(o ArrivalOptions, proxies []netip.Prefix) (apply func(), err error) {
	next := arrivalLimits{all: o.Connects, each: o.ConnectsByAddress, proxies: proxies}
	if next.all < 0 || next.each < 0 {
		return nil, fmt.Errorf("max_connects_per_minute is %d, max_connects_per_minute_per_ip %d: neither may be negative (0 = no limit)", next.all, next.each)
	}
	if next.exempt, err = networks("connects_exempt", o.ConnectsExempt); err != nil {
		return nil, err
	}
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if next.all != a.limits.all {
			a.all = perMinute(next.all)
		}
		if next.each != a.limits.each {
			a.by = nil
		}
		a.limits = next
	}, nil
}

func perMinute(n int) *rate.Limiter {
	if n == 0 {
		return nil
	}
	return rate.NewLimiter(rate.Limit(float64(n)/60), n)
}

// Admit counts a connection and reports whether it may be made. One that may not
// is not counted in the total: an address that floods costs the others nothing.
func (a *Arrivals) Admit(from netip.Addr) bool {
	from = from.Unmap().WithZone("")
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	if !from.IsValid() || contains(a.limits.exempt, from) {
		return true
	}
	if a.limits.each > 0 && !contains(a.limits.proxies, from) && !a.of(from).AllowN(now, 1) {
		return false
	}
	return a.all == nil || a.all.AllowN(now, 1)
}

// Counts reports whether the connections of an address count as its own: those of
// proxies and of exempt networks do not, nor those of a Unix socket.
func (a *Arrivals) Counts(from netip.Addr) bool {
	from = from.Unmap().WithZone("")
	a.mu.Lock()
	defer a.mu.Unlock()
	return from.IsValid() && !contains(a.limits.exempt, from) && !contains(a.limits.proxies, from)
}

// of returns the limit of an address. Beyond maxAddresses all are forgotten: the
// total bounds whoever has so many.
func (a *Arrivals) of(from netip.Addr) *rate.Limiter {
	key := netio.HostOf(from)
	l := a.by[key]
	if l == nil {
		if len(a.by) >= maxAddresses || a.by == nil {
			a.by = make(map[netip.Addr]*rate.Limiter)
		}
		l = perMinute(a.limits.each)
		a.by[key] = l
	}
	return l
}

// Pause returns after how long one more connection is allowed to somebody who
// has used all of it.
func (a *Arrivals) Pause() time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	pause := time.Second
	for _, n := range []int{a.limits.all, a.limits.each} {
		if n > 0 {
			pause = max(pause, time.Minute/time.Duration(n))
		}
	}
	return pause
}

// Tell reports, once a minute, that it is time to say that connections are
// turned away.
func (a *Arrivals) Tell() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if time.Since(a.told) < time.Minute {
		return false
	}
	a.told = time.Now()
	return true
}
