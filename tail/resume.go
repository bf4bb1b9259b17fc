package tail

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"
	"syscall"
	"time"

	"logwisp/ring"
)

// missingLife is how long the position of a file is kept that cannot be seen,
// so that a directory that is not mounted yet costs nothing.
const missingLife = 24 * time.Hour

// Resume is New with a checkpoint: files go on where an earlier run has left
// them, files it did not know begin at 0, wherever ReadFrom says, and how far
// files are read is kept in it. With a checkpoint that holds nothing yet files
// begin as with New. c may be nil, then it is New. Nothing may have been
// published to r, which the positions are about to be true for.
func Resume(c *Checkpoint, o Options, r *ring.Ring, log *slog.Logger) (*Watcher, error) {
	return newWatcher(o, c, r, log, settings{})
}

// resume puts a file at the position an earlier run has left it at. It reports
// false when there is nothing to go by.
func (w *Watcher) resume(f *file, n *name, now status) bool {
	s := w.saved
	if s == nil {
		return false
	}
	n.present = nil // that run would have read what was written since
	p := s.byKey[f.id.key()]
	if p != nil && p.file == nil && w.goOn(f, p, now.size) {
		return true
	}
	if !w.starting {
		return false
	}
	f.place(0)
	w.setLag(f, now.size)
	return true
}

// goOn puts f at p if it holds what was read then.
func (w *Watcher) goOn(f *file, p *position, size int64) bool {
	if f.fd < 0 || !p.heldBy(f.fd, size) {
		return false
	}
	f.readHead()
	f.place(p.Offset)
	f.trail[0].at = p.written(w.saved.written) // it reached so far then
	w.setLag(f, size-f.pos)
	p.file = f
	w.saved.claimed[f] = true
	return true
}

// catchUp finds what happened to the files of an earlier run since: what is
// not where it was is looked for among its siblings, and read before what has
// taken its place. Nothing is read here.
func (w *Watcher) catchUp() {
	s := w.saved
	if s == nil {
		return
	}
	if ahead := time.Duration(s.written - w.date(0)); ahead > setApart {
		w.log.Warn("checkpoint was written later than it is now: the clock was set back since, "+
			"and a log that was rotated more than once meanwhile may have files that are not read", "by", ahead.Round(time.Second))
	}
	last := make(map[string]*file)
	for _, p := range s.positions {
		if p.Closed {
			continue
		}
		cur := w.at(p.Path)
		alone := p.Rotated || cur != nil && s.claimed[cur] // what is there has a position of its own
		if alone {
			cur = nil
		}
		if p.file == nil && !w.findSaved(p, cur) && !w.certainlyGone(p, cur) {
			continue
		}
		if f := w.at(p.Path); f != nil && f == p.file && p.Offset <= headSize {
			// Nothing was read that tells whether it was truncated: all logs of a program may
			// have one head.
			last[p.Path] = w.readGenerations(p, f, last[p.Path])
		}
		if f := p.file; f != nil {
			w.readAfter(f, last[p.Path])
			last[p.Path] = f
		}
		if !alone {
			w.catchUpTo(p, cur, last[p.Path])
		}
	}
	for _, f := range w.files {
		if f.phase == following && !s.claimed[f] && f.after == nil {
			w.mayRepeat(f, f.path)
		}
	}
	s.listed = nil
}

// at returns the file that path leads to.
func (w *Watcher) at(path string) *file {
	if n := w.names[path]; n != nil {
		return n.file
	}
	return nil
}

// catchUpTo orders what was written under p's path since p: last, the
// generations after it, and cur, which is nil when the path leads nowhere.
func (w *Watcher) catchUpTo(p *position, cur, last *file) {
	last = w.readGenerations(p, cur, last)
	if cur == nil {
		if last != nil && last.phase == rotated {
			w.left[p.Path] = last
		}
		return
	}
	w.readAfter(cur, last)
	w.recall(cur, p.memory(p.written(w.saved.written)))
	w.saved.claimed[cur] = true
	cur.rotations++
	if cur.id == p.id() {
		w.stats.truncations.Add(1)
	} else {
		w.stats.renames.Add(1)
	}
}

// readGenerations has the generations between p and cur read, behind last, and
// returns the one to be read last.
func (w *Watcher) readGenerations(p *position, cur, last *file) *file {
	for _, g := range w.generationsSince(p, cur) {
		if f := w.openGeneration(p, g, last, cur); f != nil {
			w.saved.claimed[f] = true
			last = f
		}
	}
	return last
}

// readAfter has f begin when before has been read to its end.
func (w *Watcher) readAfter(f, before *file) {
	if f == nil || f.after != nil {
		return
	}
	for b := before; b != nil; b = b.after {
		if b == f {
			return
		}
	}
	f.after = before
}

// certainlyGone reports whether the file of p, which was not found, is not to
// be had any more, and says what is lost with it. A path that cannot be looked
// at tells nothing.
func (w *Watcher) certainlyGone(p *position, cur *file) bool {
	if cur == nil && !goneFrom(p) {
		return false
	}
	p.gone = true
	unread := max(0, p.Size-p.Offset)
	w.stats.lost.Add(uint64(unread))
	level := slog.LevelInfo
	if unread > 0 {
		level = slog.LevelWarn
	}
	if unread > 0 || cur != nil {
		w.log.Log(context.Background(), level, "a file was deleted, compressed or overwritten while nobody followed it, what it held behind the position is lost",
			"path", p.Path, "position", p.Offset, "unread_bytes", unread)
	}
	return true
}

// goneFrom reports whether p's path can be looked at and does not lead to p's
// file.
func goneFrom(p *position) bool {
	st, err := statPath(p.Path)
	switch {
	case err == nil:
		return st.id.key() != p.id().key()
	case errors.Is(err, fs.ErrNotExist):
		_, err := statPath(filepath.Dir(p.Path))
		return err == nil
	}
	return errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ELOOP)
}

// appendMissing appends the positions of files that may be seen again. s may
// be nil.
func (s *saved) appendMissing(all []position, at int64) []position {
	if s == nil {
		return all
	}
	for _, p := range s.positions {
		if p.file != nil || p.gone {
			continue
		}
		if p.MissingSince == 0 {
			p.MissingSince = at / int64(time.Second)
		}
		if time.Duration(at)-time.Duration(p.MissingSince)*time.Second < missingLife {
			all = append(all, *p)
		}
	}
	return all
}
