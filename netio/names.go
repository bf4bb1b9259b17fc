package netio

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"logwisp/ring"
	"logwisp/ring/record"
)

// ErrExpired says that what is behind an id cannot be had any more.
var ErrExpired = errors.New("it cannot be had any more")

// Names are ids that entries have from elsewhere: those of a stream that the
// ring follows, which other daemons follow as well. Safe for concurrent use.
type Names interface {
	record.IDs

	// Find returns the newest entry of the ring whose id is not behind the one
	// given. held is false when that is not in the ring, or not yet; own is false
	// when the id means nothing here.
	Find(id string) (seq uint64, held, own bool)

	// Replay shows the entries behind an id that are no longer in the ring, page
	// by page and in order, each from an entry on and with the ids there, and
	// returns the seq in the ring of the first entry that was not shown. Of an id that is yet to come it
	// waits for the entry, and for what fails meanwhile until that is well again. It
	// ends with the error of show, or that of ctx, or with an ErrExpired when the
	// entries cannot be had any more. A page is valid during the call of show.
	Replay(ctx context.Context, id string, show func(p *ring.Page, from int, ids record.IDs) error) (next uint64, err error)
}

// own are the ids of a ring that has none from elsewhere.
type own struct {
	record.Epoch
	ring *ring.Ring
}

func (o own) Find(id string) (seq uint64, held, known bool) {
	rest, ok := strings.CutPrefix(id, o.Run()+"-")
	seq, err := strconv.ParseUint(rest, 10, 64)
	ok = ok && err == nil && seq <= o.ring.Head()
	return seq, ok, ok
}

// Replay is not called: an id that is own is held, as far as the ring goes.
func (o own) Replay(context.Context, string, func(*ring.Page, int, record.IDs) error) (uint64, error) {
	return o.ring.Oldest(), nil
}
