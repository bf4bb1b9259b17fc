package netio

import "context"

// A Carrier takes entries to a counterpart for which there is a package of its
// own. One goroutine uses it.
type Carrier interface {
	// Carry delivers the entries of p in order. done counts those, from the
	// first, that the counterpart has; the error says why these are not all.
	// One that wraps ErrRefused says that sending them again is of no use.
	Carry(ctx context.Context, p Parcel) (done int, err error)

	// Close gives up what the Carrier holds.
	Close()
}

// Parcel is a run of entries. What its methods return is valid until the call of
// Carry that it was given to returns.
type Parcel interface {
	Len() int
	Seq(i int) uint64               // number of an entry in its ring
	Source(i int) string            // name of its source
	Entries(first, last int) []byte // newline-ended JSON, from entry first to before last
}

// ErrRefused says that a counterpart will not take entries, whenever they are
// sent.
const ErrRefused = refusedError("the counterpart refuses it")

type refusedError string

func (e refusedError) Error() string { return string(e) }
