package tail

import (
	"fmt"
	"hash/crc32"
	"path/filepath"
)

// position is how far one file was read, and what tells that it is that file.
// It is one line of a checkpoint.
type position struct {
	Path   string `json:"path"`
	Dev    uint64 `json:"dev"`
	Inode  uint64 `json:"inode"`
	Born   int64  `json:"born"`   // nanoseconds since 1970; 0 where the file system does not keep it
	Size   int64  `json:"size"`   // as last seen
	Offset int64  `json:"offset"` // end of the last line that was published
	Head   prefix `json:"fingerprint"`
	Marker window `json:"marker"`

	// Rotated says that Path led elsewhere already: the file is to be found
	// under another name.
	Rotated bool `json:"rotated,omitempty"`
	// Closed says that the file was given up when it had been rotated and read
	// to its end. It is known only lest it be taken for a new one.
	Closed bool `json:"closed,omitempty"`
	// Looked is when what was read of it was last found in it, nanoseconds since 1970,
	// if it was to be looked at again; 0 = when the checkpoint was written.
	Looked int64 `json:"looked,omitempty"`
	// MissingSince is when the file was first not to be seen any more,
	// seconds since 1970; 0 = it was seen.
	MissingSince int64 `json:"missing_since,omitempty"`

	file    *file // that goes on with it in this run
	adopted int64 // when it was true, if that is not when the checkpoint was written
	gone    bool  // nothing can go on with it any more
}

// prefix is a fingerprint as it is stored.
type prefix struct {
	Length int    `json:"length"`
	Sum    uint64 `json:"sum"` // FNV-1a
}

// window is what stood before where reading had got to, which is behind
// Offset when a line was under way.
type window struct {
	End    int64  `json:"end"`
	Length int    `json:"length"`
	Sum    uint32 `json:"sum"` // CRC-32C
}

// settle notes how far whole lines reach after data, the bytes before pos, was
// taken. A line under way is read again after a restart.
func (f *file) settle(data []byte) {
	if !f.split.Pending() {
		f.ended = f.pos
	} else if i := f.encoding.lineEnd(data); i > 0 {
		f.ended = f.pos - int64(len(data)-i)
	}
	f.whole = f.ended
	// What waits for more lines is read again too, from where the read began
	// that it began in.
	if f.group.lines > 0 {
		f.whole = min(f.whole, f.group.from)
	}
	for i := range f.pieces {
		if f.pieces[i].held() {
			f.whole = min(f.whole, f.pieces[i].from)
		}
	}
}

// position returns what is to be kept of f.
func (f *file) position() position {
	var looked int64
	if f.queued || f.held || !f.atEnd {
		looked = f.looked
	}
	return position{
		Path: f.path, Dev: f.id.dev, Inode: f.id.ino, Born: f.id.born,
		Size: f.pos + f.lag, Offset: f.whole,
		Head:    prefix{f.head.n, f.head.sum},
		Marker:  window{f.pos, len(f.marker), markerSum(f.marker)},
		Rotated: f.phase == rotated && !f.dismissed, Closed: f.phase == closed && !f.dismissed,
		Looked: looked,
	}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// markerSum is a sum that ten thousand files can afford every second.
func markerSum(marker []byte) uint32 { return crc32.Checksum(marker, castagnoli) }

// written returns when the position was true, of one in a checkpoint that was written
// at the time given.
func (p *position) written(at int64) int64 {
	if p.Looked > 0 {
		return min(p.Looked, at)
	}
	return at
}

// memory returns what was known of the file at the time given.
func (p *position) memory(at int64) memory {
	return memory{
		head:  fingerprint{p.Head.Sum, p.Head.Length},
		trail: trail{{p.Marker.End, at, uint32(p.Marker.Length), p.Marker.Sum}},
	}
}

// heldBy reports whether the open file, size bytes long, holds what was read
// up to the position.
func (p *position) heldBy(fd int, size int64) bool {
	if size < p.Marker.End || size < int64(p.Head.Length) {
		return false
	}
	buf := make([]byte, max(p.Head.Length, p.Marker.Length))
	if p.Head.Length > 0 {
		n, err := readAt(fd, buf[:p.Head.Length], 0)
		if err != nil || n < p.Head.Length || fingerprintOf(buf[:n]).sum != p.Head.Sum {
			return false
		}
	}
	n, err := readAt(fd, buf[:p.Marker.Length], p.Marker.End-int64(p.Marker.Length))
	return err == nil && n == p.Marker.Length && markerSum(buf[:n]) == p.Marker.Sum
}

// key is what a file is found by after a restart: device numbers may change
// with it, but no two files have the same inode number and time of birth.
func (id identity) key() identity {
	if id.born != 0 {
		id.dev = 0
	}
	return id
}

func (p *position) id() identity { return identity{p.Dev, p.Inode, p.Born} }

// check reports what cannot be true of a position.
func (p *position) check() error {
	switch {
	case !filepath.IsAbs(p.Path):
		return fmt.Errorf("path %q is not absolute", p.Path)
	case p.Offset < 0 || p.Offset > p.Marker.End:
		return fmt.Errorf("offset %d of %s is not within the %d bytes read", p.Offset, p.Path, p.Marker.End)
	case p.Head.Length < 0 || p.Head.Length > headSize:
		return fmt.Errorf("fingerprint of %s covers %d bytes, at most %d are possible", p.Path, p.Head.Length, headSize)
	case p.Marker.Length < 0 || p.Marker.Length > markerSize || int64(p.Marker.Length) > p.Marker.End:
		return fmt.Errorf("marker of %s has %d bytes", p.Path, p.Marker.Length)
	}
	return nil
}
