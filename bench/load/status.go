package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"time"
)

// totals are the daemon's own figures, over all subscribers ever.
type totals struct {
	Entries   uint64 `json:"entries"`
	Offered   uint64 `json:"offered"`
	Delivered uint64 `json:"delivered"`
	Filtered  uint64 `json:"filtered"`
	Dropped   uint64 `json:"dropped"`
}

func (t totals) balanced() bool { return t.Delivered+t.Filtered+t.Dropped == t.Offered }

// minus returns what was added since before.
func (t totals) minus(before totals) totals {
	return totals{
		Entries:   t.Entries - before.Entries,
		Offered:   t.Offered - before.Offered,
		Delivered: t.Delivered - before.Delivered,
		Filtered:  t.Filtered - before.Filtered,
		Dropped:   t.Dropped - before.Dropped,
	}
}

// status is the part of /status that is looked at.
type status struct {
	Totals  totals `json:"totals"`
	Clients struct {
		TCP int `json:"tcp"`
		SSE int `json:"sse"`
	} `json:"clients"`
}

var statusClient = &http.Client{
	Timeout: 5 * time.Second,
	// No proxy, no idle connection: the daemon sees the subscribers only.
	Transport: &http.Transport{DisableKeepAlives: true},
}

// fetchStatus asks the daemon for its status.
func fetchStatus(addr netip.AddrPort) (status, error) {
	var s status
	resp, err := statusClient.Get("http://" + addr.String() + "/status")
	if err != nil {
		return s, fmt.Errorf("get /status: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return s, fmt.Errorf("get /status: %s", resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(&s); err != nil {
		return s, fmt.Errorf("get /status: %w", err)
	}
	return s, nil
}

// finalStatus asks until enough is true of the status or patience runs out,
// and returns the last answer: the daemon counts a page when it has been
// written, which may be after the client has read it.
func finalStatus(addr netip.AddrPort, enough func(status) bool, patience time.Duration) (status, error) {
	deadline := time.Now().Add(patience)
	for {
		s, err := fetchStatus(addr)
		if err != nil || enough(s) || time.Now().After(deadline) {
			return s, err
		}
		nap(longestNap)
	}
}
