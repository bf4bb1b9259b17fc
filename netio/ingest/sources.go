package ingest

import "logwisp/ring"

const (
	maxSources     = 1024 // names that one stream gives
	maxSourceBytes = 256
	otherSource    = "other" // stands for those beyond
)

// source is a name and its number in the ring.
type source struct {
	name string
	id   uint16
}

func newSource(r *ring.Ring, name string) *source { return &source{name, r.Source(name)} }

// sources are the names that the entries of one stream gave.
type sources struct {
	ring  *ring.Ring
	known map[string]*source // nil until there is one
	last  *source            // the one before: most often it is the same again
	other uint64             // entries whose source was left out, since last taken
}

// named returns the source of that name, or other (G5).
func (s *sources) named(name []byte) *source {
	if s.last != nil && s.last.name == string(name) {
		return s.last
	}
	found := s.known[string(name)]
	if found == nil {
		if len(name) > maxSourceBytes || len(s.known) >= maxSources {
			s.other++
			return newSource(s.ring, otherSource)
		}
		found = newSource(s.ring, string(name))
		if s.known == nil {
			s.known = make(map[string]*source)
		}
		s.known[found.name] = found
	}
	s.last = found
	return found
}
