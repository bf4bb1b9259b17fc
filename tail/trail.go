package tail

import "slices"

// trail is what a file held at some of the positions it was read to, oldest
// first: the first is where reading began, the last is the position. A copy is
// told by it when the bytes it was made of are gone.
type trail []milestone

// milestone is one position: the bytes before it, and when the file was known
// to reach so far.
type milestone struct {
	pos int64
	at  int64 // nanoseconds since 1970
	n   uint32
	sum uint32 // of the n bytes before pos
}

const (
	trailLength = 8
	// trailStep is the least distance of positions within one read.
	trailStep = 64
)

// note adds a position, before which marker stands. The trail is dense near
// its end and sparse far from it, as the end of a copy is: when it is full, the
// position goes whose neighbours are closest together for their distance.
func (t *trail) note(pos int64, marker []byte, at int64) {
	all := *t
	if len(all) == trailLength {
		out, least := 1, 0.0
		for i := 1; i < len(all)-1; i++ {
			before := all[i-1].pos
			if gap := float64(all[i+1].pos-before) / float64(pos-before); i == 1 || gap < least {
				out, least = i, gap
			}
		}
		all = slices.Delete(all, out, out+1)
	}
	*t = append(all, milestone{pos, at, uint32(len(marker)), markerSum(marker)})
}

// end is the last position.
func (t trail) end() int64 { return t[len(t)-1].pos }

// reach returns how long the file was, at least, when the clock showed at; ok is
// false when nothing is known of that time.
func (t trail) reach(at int64) (length int64, ok bool) {
	for _, m := range t {
		if m.at <= at {
			length, ok = m.pos, true
		}
	}
	return length, ok
}

// memory is what is known of the bytes that a file holds, or held once.
type memory struct {
	head  fingerprint
	trail trail
}

// proves returns up to where the first size bytes of an open file are known to
// be those remembered; -1 when they are not. Between the places that are
// compared, less than two kilobytes each, nothing is read.
func (m memory) proves(fd int, size int64) (proven int64) {
	buf := make([]byte, headSize)
	if m.head.n > 0 && int64(m.head.n) <= size {
		n, err := readAt(fd, buf[:m.head.n], 0)
		if err != nil || fingerprintOf(buf[:n]) != m.head {
			return -1
		}
		proven = int64(m.head.n)
	}
	for _, p := range m.trail {
		if p.pos > size {
			break
		}
		n, err := readAt(fd, buf[:p.n], p.pos-int64(p.n))
		if err != nil || n < int(p.n) || markerSum(buf[:n]) != p.sum {
			return -1
		}
		if p.n > 0 {
			proven = max(proven, p.pos)
		}
	}
	return proven
}
