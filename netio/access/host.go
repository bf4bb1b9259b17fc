package access

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// HostAllowed reports whether a request that came to local may name host as
// its own. A page of somebody else's that has its name resolve to this machine
// (DNS rebinding) is not let in that way: on a loopback address only loopback
// names, addresses as such and the machine's own name will do, or one of
// allowed; where allowed is not empty, that holds on every address. A port in
// host does not count, nor does case.
func HostAllowed(host string, local netip.Addr, allowed []string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	if slices.ContainsFunc(allowed, func(a string) bool { return strings.EqualFold(strings.TrimSuffix(a, "."), name) }) {
		return true
	}
	if len(allowed) == 0 && (!local.Unmap().IsLoopback() || name == "") {
		return true // no browser sends none
	}
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return true
	}
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	own, err := os.Hostname()
	return err == nil && strings.EqualFold(own, name)
}
