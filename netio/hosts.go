package netio

import "net/netip"

// HostOf is what counts as one address where addresses are counted: with IPv6 a
// whole /64, which one host has to itself.
func HostOf(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if p, err := a.Prefix(64); err == nil && a.Is6() {
		return p.Addr()
	}
	return a
}

// HostCounts counts what hosts have of something, as HostOf tells them apart. An
// invalid address is that of nobody: it is not counted. Not safe for concurrent use.
type HostCounts map[netip.Addr]int

// Take counts one more of an address and reports whether it may have it; most is
// how many it may have, 0 for no limit.
func (c *HostCounts) Take(from netip.Addr, most int) bool {
	if !from.IsValid() {
		return true
	}
	if c.Full(from, most) {
		return false
	}
	if *c == nil {
		*c = make(HostCounts)
	}
	(*c)[HostOf(from)]++
	return true
}

// Full reports whether Take would refuse an address.
func (c *HostCounts) Full(from netip.Addr, most int) bool {
	return from.IsValid() && most > 0 && (*c)[HostOf(from)] >= most
}

// Give gives back what an address has taken.
func (c *HostCounts) Give(from netip.Addr) {
	if !from.IsValid() {
		return
	}
	host := HostOf(from)
	if (*c)[host]--; (*c)[host] <= 0 {
		delete(*c, host)
	}
}
