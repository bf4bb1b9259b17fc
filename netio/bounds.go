package netio

import "time"

// bounds are what ends or thins out a subscriber's stream. Most have none.
type bounds struct {
	limit  uint64 // entries to deliver, 0 = no limit
	finite bool   // the stream ends behind entry until
	until  uint64

	rate    float64 // entries a second, 0 = no limit
	tokens  float64 // entries that may be delivered at once
	refill  time.Time
	sampled uint64 // entries dropped for it since the last notice
	from    uint64 // seq of the first of them
	told    time.Time
}

// newBounds returns the bounds of a subscription, nil when it has none. head is
// the newest entry.
func newBounds(sub *Subscription, head uint64, now time.Time) *bounds {
	if sub.Limit == 0 && !sub.NoFollow && sub.MaxRate == 0 {
		return nil
	}
	bd := &bounds{limit: sub.Limit, finite: sub.NoFollow, until: head, rate: float64(sub.MaxRate)}
	if sub.Until > 0 {
		bd.until = sub.Until
	}
	bd.tokens, bd.refill = bd.rate, now
	return bd
}

// grant lets the tokens of the time that has passed in. A second's worth is
// kept at most.
func (bd *bounds) grant(now time.Time) {
	if bd.rate > 0 {
		bd.tokens = min(bd.rate, bd.tokens+bd.rate*max(0, now.Sub(bd.refill).Seconds()))
		bd.refill = now
	}
}

// spend takes note that n entries were delivered.
func (bd *bounds) spend(n int) {
	if bd.rate > 0 {
		bd.tokens -= float64(n)
	}
}

// bounded reports whether the subscriber's stream is to end where it stands,
// and the reason it is told.
func (s *Subscriber) bounded() (reason string, ended bool) {
	bd := s.bounds
	switch {
	case bd == nil:
		return "", false
	case bd.limit > 0 && s.delivered.Load() >= bd.limit:
		return "limit", true
	default:
		return "", bd.finite && s.rest == nil && s.replay == nil && s.cursor.Seq() > bd.until
	}
}

// collectBounded adds as much of sp as s's bounds leave and returns whether
// that is the last of its stream.
func (b *batch) collectBounded(s *Subscriber, sp span) (last bool) {
	bd := s.bounds
	if bd.finite && sp.first+uint64(sp.count) > bd.until {
		if sp.first+uint64(sp.skip) > bd.until {
			return true
		}
		sp.shorten(int(bd.until + 1 - sp.first))
		last = true
	}
	hits := sp.passing(sp.count)
	on := b.hits // on their way already
	if s.rest != nil {
		on += s.restPassing
	}
	if bd.limit > 0 {
		if left := int(min(bd.limit-min(bd.limit, s.delivered.Load()), maxWrite)) - on; hits >= left {
			hits = max(left, 0)
			sp.shorten(sp.keep(hits))
			last = true
		}
	}
	if bd.rate > 0 {
		if may := max(int(bd.tokens)-on, 0); hits > may {
			b.sample(sp, may)
			return last
		}
	}
	b.hits += hits
	b.push(sp)
	return last
}

// sample adds the first may entries of sp that pass; the rest of them is
// dropped when the write gets there.
func (b *batch) sample(sp span, may int) {
	rest := sp
	sp.shorten(sp.keep(may))
	rest.skip, rest.from, rest.to, rest.sampled = sp.count, sp.to, sp.to, true
	if sp.skip < sp.count {
		sp.goesOn = true
		b.hits += may
		b.push(sp)
	}
	b.push(rest)
}
