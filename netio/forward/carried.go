package forward

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"logwisp/netio"
	"logwisp/ring"
)

// carried is the sender for a counterpart that a Carrier leads to.
type carried struct {
	carrier netio.Carrier
	ring    *ring.Ring
}

func (c *carried) send(ctx context.Context, p part) (outcome, error) {
	done, err := c.carrier.Carry(ctx, &parcel{p, c.ring})
	if errors.Is(err, netio.ErrRefused) {
		err = &refusal{cause: err.Error()}
	}
	return outcome{done: done}, err
}

func (c *carried) close() { c.carrier.Close() }

// parcel is a part as a Carrier sees it.
type parcel struct {
	part
	ring *ring.Ring
}

func (p *parcel) Len() int         { return p.len() }
func (p *parcel) Seq(i int) uint64 { return p.seqs[p.first+i] }

func (p *parcel) Entries(first, last int) []byte {
	return p.text[p.end(p.first+first-1):p.end(p.first+last-1)]
}

// Source returns the name of an entry's source. With more of them than a ring
// has numbers for it is looked up in the entry.
func (p *parcel) Source(i int) string {
	if id := p.from[p.first+i]; id != 0 {
		return p.ring.SourceName(id)
	}
	var e struct {
		Source string `json:"source"`
	}
	_ = json.Unmarshal(bytes.TrimSpace(p.entry(p.first+i)), &e) // an entry of ours is JSON
	return e.Source
}
