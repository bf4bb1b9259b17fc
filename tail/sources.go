package tail

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// Source is one file that is followed, or was rotated away and is read to its
// end.
type Source struct {
	Source    string `json:"source"` // as in its entries
	Path      string `json:"path"`
	Size      int64  `json:"size"`      // bytes, as last seen
	Offset    int64  `json:"offset"`    // read so far
	LagBytes  int64  `json:"lag_bytes"` // size - offset
	Rotations uint64 `json:"rotations"` // how often the file at this path was replaced or began anew
	Entries   uint64 `json:"entries"`   // sent from this file, by this run
	LastTime  string `json:"last_time"` // when the last of them was read, "" if there is none

	last int64 // the same, microseconds since 1970
}

// answerTime is how long Sources waits for the watcher's goroutine, which does
// a millisecond or two of work at a time once it runs.
const answerTime = 2 * time.Second

// asks are the questions of other goroutines.
type asks struct {
	queue chan chan<- []Source
	over  chan struct{} // closed when Run has ended
	once  *sync.Once
	last  *[]Source // valid then
}

func newAsks() asks {
	return asks{queue: make(chan chan<- []Source), over: make(chan struct{}), once: new(sync.Once), last: new([]Source)}
}

// end leaves the last answer to whoever asks later.
func (a *asks) end(last []Source) {
	a.once.Do(func() {
		*a.last = last
		close(a.over)
	})
}

// Sources returns the files, by path. Any goroutine may call it; it is nil
// when Run does not answer within two seconds.
func (w *Watcher) Sources() []Source {
	answer := make(chan []Source, 1)
	timeout := time.NewTimer(answerTime)
	defer timeout.Stop()
	var all []Source
	select {
	case w.asks.queue <- answer:
		all = <-answer
	case <-w.asks.over:
		all = slices.Clone(*w.asks.last)
	case <-timeout.C:
		return nil
	}
	for i := range all {
		if s := &all[i]; s.last != 0 {
			s.LastTime = time.UnixMicro(s.last).UTC().Format("2006-01-02T15:04:05.000000Z")
		}
	}
	slices.SortFunc(all, func(a, b Source) int { return cmp.Compare(a.Path, b.Path) })
	return all
}

// answer answers a goroutine that waits.
func (w *Watcher) answer() {
	select {
	case to := <-w.asks.queue:
		to <- w.sources()
	default:
	}
}

// sources lists the files as they are, without what takes time.
func (w *Watcher) sources() []Source {
	all := make([]Source, 0, len(w.files))
	for _, f := range w.files {
		if f.phase == closed || f.refused {
			continue
		}
		all = append(all, Source{
			Source: f.source, Path: f.path, Size: f.pos + f.lag, Offset: f.pos, LagBytes: f.lag,
			Rotations: f.rotations, Entries: f.entries, last: f.last,
		})
	}
	return all
}
