package tail

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"logwisp/ring/record"
)

// checkpointVersion is that of the form below. A reader that knows an older
// one only must not guess.
const checkpointVersion = 1

// maxCheckpoint is far beyond what 65,536 files need; something larger is no
// checkpoint and is not read.
const maxCheckpoint = 1 << 30

// document is the form of the file. Epoch and Head are there only after a run
// that ended in good order.
type document struct {
	Program   string     `json:"program"`
	Version   int        `json:"version"`
	Written   time.Time  `json:"written"` // when the positions were true
	Epoch     uint64     `json:"epoch,omitempty"`
	Head      uint64     `json:"head,omitempty"`
	Positions []position `json:"files"`
}

const programName = "logwisp"

var (
	errForeign = errors.New("it is not a checkpoint")
	errDamaged = errors.New("it is damaged")
	errNewer   = errors.New("a newer version of the program wrote it")
)

func nowNanos() int64 { return time.Now().UnixNano() }

// byPath orders positions: those of one path in the order in which the files are read.
func byPath(a, b *position) int {
	return cmp.Or(cmp.Compare(a.Path, b.Path), rotatedFirst(a.Rotated, b.Rotated), cmp.Compare(a.Born, b.Born))
}

// encode appends the document, a file a line. The positions are put in order.
func encode(dst []byte, positions []position, epoch, head uint64, at int64) ([]byte, error) {
	slices.SortFunc(positions, func(a, b position) int { return byPath(&a, &b) })
	dst = append(dst, `{"program":"`+programName+`","version":`...)
	dst = strconv.AppendInt(dst, checkpointVersion, 10)
	dst = time.Unix(0, at).UTC().AppendFormat(append(dst, `,"written":"`...), time.RFC3339Nano)
	dst = append(dst, '"')
	if epoch != 0 {
		dst = strconv.AppendUint(append(dst, `,"epoch":`...), epoch, 10)
		dst = strconv.AppendUint(append(dst, `,"head":`...), head, 10)
	}
	dst = append(dst, `,"files":[`...)
	for i := range positions {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = record.AppendJSON(append(dst, '\n'), &positions[i]); err != nil {
			return dst, fmt.Errorf("encode position of %s: %w", positions[i].Path, err)
		}
	}
	return append(dst, "\n]}\n"...), nil
}

// rotatedFirst orders what is to be read first.
func rotatedFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// decode reads a document. The error wraps errForeign, errDamaged or errNewer.
func decode(text []byte) (*document, error) {
	var head struct {
		Program string `json:"program"`
		Version int    `json:"version"`
	}
	if !bytes.HasPrefix(text, []byte(`{"program":"`+programName+`"`)) {
		return nil, errForeign
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	if head.Version < 1 {
		return nil, fmt.Errorf("%w: version %d", errDamaged, head.Version)
	}
	if head.Version > checkpointVersion {
		return nil, fmt.Errorf("%w (form %d, this one knows %d)", errNewer, head.Version, checkpointVersion)
	}
	d := new(document)
	if err := json.Unmarshal(text, d); err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	if !time.Unix(0, d.Written.UnixNano()).Equal(d.Written) { // what is beyond would be compared as another time
		return nil, fmt.Errorf("%w: written %v cannot be", errDamaged, d.Written)
	}
	for i := range d.Positions {
		if err := d.Positions[i].check(); err != nil {
			return nil, fmt.Errorf("%w: %w", errDamaged, err)
		}
	}
	return d, nil
}

// load reads what is there. What cannot be used is set aside; only a file that
// may not be read is an error.
func (c *Checkpoint) load() error {
	text, err := readCheckpoint(c.path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil
	}
	var d *document
	if err == nil {
		d, err = decode(text)
	}
	switch {
	case err == nil:
		c.before = newSaved(d)
		return nil
	case !errors.Is(err, errForeign) && !errors.Is(err, errDamaged) && !errors.Is(err, errNewer):
		return fmt.Errorf("read checkpoint %s: %w (give the daemon's user access, or name another file)", c.path, err)
	}
	if c.lock == nil {
		c.log.Warn("checkpoint is not used", "path", c.path, "error", err)
		return nil
	}
	aside := c.path + ".bad"
	if e := os.Rename(c.path, aside); e != nil {
		return fmt.Errorf("set checkpoint %s aside, which cannot be used (%w): %w", c.path, err, e)
	}
	c.log.Warn("checkpoint cannot be used and was set aside, files are read as if there were none",
		"path", c.path, "set_aside", aside, "error", err)
	return nil
}

func readCheckpoint(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxCheckpoint {
		return nil, errForeign
	}
	return os.ReadFile(path)
}

func newSaved(d *document) *saved {
	s := &saved{
		byKey: make(map[identity]*position, len(d.Positions)), written: d.Written.UnixNano(),
		epoch: d.Epoch, head: d.Head, claimed: make(map[*file]bool), listed: make(map[string][]beside),
	}
	s.since = s.written - int64(unnoticed)
	if d.Epoch != 0 {
		s.since = s.written - int64(2*generationGap)
	}
	for i := range d.Positions {
		p := &d.Positions[i]
		s.positions = append(s.positions, p)
		s.byKey[p.id().key()] = p
	}
	return s
}

// syncDirectory makes a replacement outlast a loss of power.
func syncDirectory(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// removeLeftovers removes what a run that was killed while it wrote has left
// behind: the replacement's name is the file's between a dot and digits.
func removeLeftovers(path string) {
	dir, base := filepath.Split(path)
	names, err := readNames(dir)
	if err != nil {
		return
	}
	for _, name := range names {
		digits, ours := strings.CutPrefix(name, "."+base)
		if ours && digits != "" && strings.Trim(digits, "0123456789") == "" {
			_ = os.Remove(dir + name)
		}
	}
}
