package netio

import (
	"math"
	"time"
)

// standing is since when a subscriber that is behind has been seen where it is.
// Under Transport.mu.
type standing struct {
	at    uint64
	since time.Time
}

// Reached returns the seq up to which every subscriber has been offered what
// there is, of those that got something within standsStill or were not looked at
// for so long. It is the greatest number when nobody has to be waited for. It
// looks at all of them, so it is for now and then.
func (e *Engine) Reached() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	now, head := time.Now(), e.ring.Head()
	anew := now.Sub(e.reachedAt) > standsStill
	e.reachedAt = now
	reached := uint64(math.MaxUint64)
	for _, t := range e.transports {
		reached = min(reached, t.reached(now, head, anew))
	}
	return reached
}

func (t *Transport) reached(now time.Time, head uint64, anew bool) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	reached := uint64(math.MaxUint64)
	for s := range t.live {
		next := s.place()
		if next == 0 || next > head {
			s.standing = standing{}
			continue
		}
		if anew || next != s.standing.at {
			s.standing = standing{next, now}
		}
		if now.Sub(s.standing.since) <= standsStill {
			reached = min(reached, next-1)
		}
	}
	return reached
}
