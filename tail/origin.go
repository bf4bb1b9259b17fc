package tail

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"logwisp/ring/record"
)

// span is where the line at hand stands in its file.
type span struct {
	start, end int64
	base       int64 // behind what is being cut into lines
}

// take moves the span to the line that is handed over. Of text that was decoded
// the ends of lines are not known: it counts as unread until all of it is taken.
func (s *span) take(f *file) {
	s.start = s.end
	if f.encoding == plain {
		s.end = s.base - int64(f.split.Left())
	}
}

// Origins keep for one reader of a ring, which acknowledges, where in which
// file each entry ended. Watcher and reader use them at the same time.
//
// They take 16 bytes for each entry that was not acknowledged by the last read.
type Origins struct {
	mu    sync.Mutex
	first uint64 // seq of the first in all
	all   []origin
	last  *mark // of the read under way; nil: none, or nothing came of it
}

type origin struct {
	end int64
	of  *mark
}

// mark is what the entries of one read have in common.
type mark struct {
	file    identity
	name    string   // of file
	known   position // of the file when the read had begun or, once settled, had ended
	settled bool
}

// Origin is where an entry came from.
type Origin struct {
	File  string // names the file and its generation, as long as the file system keeps them apart
	End   int64  // everything in the file before it is in this entry or earlier ones
	of    *mark
	among *Origins
}

// NewOrigins returns Origins for a ring whose first entry will be number first.
func NewOrigins(first uint64) *Origins { return &Origins{first: first} }

// add notes where the entry published next ends, unless something before that
// waits for more.
func (o *Origins) add(f *file, end int64) {
	if f.group.lines > 0 {
		end = min(end, f.group.from)
	}
	if f.wrapping != bare {
		for i := range f.pieces {
			if f.pieces[i].held() {
				end = min(end, f.pieces[i].from)
			}
		}
	}
	o.mu.Lock() // T11
	defer o.mu.Unlock()
	if o.last == nil || o.last.file != f.id {
		o.last = &mark{file: f.id, name: f.id.String(), known: f.position()}
	}
	o.all = append(o.all, origin{end, o.last})
}

// settle says that the read is over in which the last entries were added.
func (o *Origins) settle(f *file) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.last != nil {
		o.last.known, o.last.settled = f.position(), true
		o.last = nil
	}
}

// At returns the origin of an entry; ok is false for one that was forgotten.
// settled is false while the read goes on from which the entry came: what is
// known of the file a moment later tells more of it.
func (o *Origins) At(seq uint64) (at Origin, ok, settled bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if seq < o.first || seq-o.first >= uint64(len(o.all)) {
		return at, false, true
	}
	e := &o.all[seq-o.first]
	return Origin{File: e.of.name, End: e.end, of: e.of, among: o}, true, e.of.settled
}

// forget gives up what is known of the entries up to seq, which are acknowledged.
func (o *Origins) forget(seq uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if seq < o.first {
		return
	}
	n := min(int(seq-o.first)+1, len(o.all))
	clear(o.all[:n])
	o.all = o.all[n:]
	o.first += uint64(n)
}

// Position returns what Checkpoint.Adopt needs to have reading go on behind the
// entry, as JSON.
func (o *Origin) Position() []byte {
	o.among.mu.Lock()
	p := o.of.known
	o.among.mu.Unlock()
	p.Offset = o.End
	if p.Offset > p.Marker.End { // the read was not over
		p.Offset = p.Marker.End
	}
	text, err := record.AppendJSON(nil, &p)
	if err != nil {
		return nil // a path that is no UTF-8 does not fail either
	}
	return text
}

// Adopt makes a position from Origin.Position, which was noted at the time given
// in nanoseconds since 1970, one to go on from, unless the checkpoint is newer:
// the reader may have kept more than the crash of a daemon has left. Of a file that
// begins with the same bytes what is further is newer, whatever the clock said. It is
// called before Resume.
func (c *Checkpoint) Adopt(text []byte, at int64) error {
	p := new(position)
	if err := json.Unmarshal(text, p); err != nil {
		return fmt.Errorf("position: %w", err)
	}
	if err := p.check(); err != nil {
		return fmt.Errorf("position: %w", err)
	}
	if c.before == nil {
		c.before = newSaved(&document{Written: time.Unix(0, 0)})
	}
	s := c.before
	known := s.byKey[p.id().key()]
	switch {
	case known == nil:
	case known.Head == p.Head && p.Head.Length == headSize:
		if known.Offset >= p.Offset {
			return nil
		}
	case max(s.written, known.adopted) >= at:
		return nil
	}
	p.adopted = at
	if known != nil {
		s.positions = slices.DeleteFunc(s.positions, func(o *position) bool { return o == known })
	}
	s.positions = append(s.positions, p)
	s.byKey[p.id().key()] = p
	s.unsorted = true
	return nil
}
