package access

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

func arrivals(t *testing.T, o ArrivalOptions, proxies ...netip.Prefix) *Arrivals {
	t.Helper()
	a, err := NewArrivals(o, proxies)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// admitted counts how many of n connections at once may be made.
func admitted(a *Arrivals, from string, n int) (in int) {
	for range n {
		if a.Admit(netip.MustParseAddr(from)) {
			in++
		}
	}
	return in
}

func TestAnAddressMayConnectAsOftenAsItsMinuteAllows(t *testing.T) {
	a := arrivals(t, ArrivalOptions{ConnectsByAddress: 3})
	for _, c := range []struct {
		from string
		want int
	}{
		{"192.0.2.1", 3},
		{"192.0.2.1", 0},
		{"::ffff:192.0.2.1", 0},
		{"192.0.2.2", 3},
		{"2001:db8::1", 3},
		{"2001:db8::2", 0},
		{"2001:db8:0:1::1", 3},
	} {
		if got := admitted(a, c.from, 5); got != c.want {
			t.Errorf("%s: %d, want %d", c.from, got, c.want)
		}
	}
	if p := a.Pause(); p != 20*time.Second {
		t.Errorf("one more is allowed after %s", p)
	}
}

func TestAFloodOfOneAddressLeavesTheTotalToOthers(t *testing.T) {
	a := arrivals(t, ArrivalOptions{Connects: 10, ConnectsByAddress: 4})
	if got := admitted(a, "192.0.2.1", 1000); got != 4 {
		t.Errorf("the flood: %d", got)
	}
	if got := admitted(a, "192.0.2.2", 5) + admitted(a, "192.0.2.3", 5); got != 6 {
		t.Errorf("the others: %d", got)
	}
}

func TestProxiesCountInTheTotalOnlyAndExemptNetworksNotAtAll(t *testing.T) {
	o := ArrivalOptions{Connects: 5, ConnectsByAddress: 1, ConnectsExempt: []string{"127.0.0.0/8", "::1"}}
	a := arrivals(t, o, netip.MustParsePrefix("10.0.0.0/8"))
	if got := admitted(a, "127.0.0.9", 100) + admitted(a, "::1", 100); got != 200 {
		t.Errorf("loopback: %d", got)
	}
	if got := admitted(a, "10.0.0.1", 10); got != 5 {
		t.Errorf("the proxy: %d", got)
	}
	for range 3 {
		if !a.Admit(netip.Addr{}) {
			t.Error("a Unix socket is limited")
		}
	}
}

func TestWhatWasUsedIsRememberedWhenOtherLimitsChange(t *testing.T) {
	a := arrivals(t, ArrivalOptions{ConnectsByAddress: 2})
	admitted(a, "192.0.2.1", 2)
	apply, err := a.Reload(ArrivalOptions{ConnectsByAddress: 2, Connects: 100}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if apply(); admitted(a, "192.0.2.1", 2) != 0 {
		t.Error("it was forgotten")
	}
	if apply, err = a.Reload(ArrivalOptions{}, nil); err != nil {
		t.Fatal(err)
	}
	if apply(); admitted(a, "192.0.2.1", 50) != 50 {
		t.Error("there is a limit without one")
	}
	if _, err := a.Reload(ArrivalOptions{ConnectsExempt: []string{"here"}}, nil); err == nil || !strings.Contains(err.Error(), "connects_exempt") {
		t.Error(err)
	}
}

func TestTheMemoryOfArrivalsIsBounded(t *testing.T) {
	a := arrivals(t, ArrivalOptions{ConnectsByAddress: 1})
	from := netip.MustParseAddr("10.0.0.0")
	for range 2*maxAddresses + 1 {
		a.Admit(from)
		from = from.Next()
	}
	if n := len(a.by); n > maxAddresses {
		t.Errorf("%d addresses are remembered", n)
	}
}
