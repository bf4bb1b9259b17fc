package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
	"unicode/utf8"
)

const (
	noiseMode = "noise"
	noiseEnd  = "the end of the noise"
)

// noise is what a client has of a log that is random bytes.
type noise struct {
	lines   uint64 // in the log that become entries, its last one included
	entries uint64
	strange uint64 // entries that are not JSON in UTF-8
	bytes   uint64
	took    time.Duration
	dropped uint64
	peak    uint64
}

// runNoise has a daemon follow a log of random bytes, and reports what became of it.
func runNoise(ctx context.Context, o options, stdout io.Writer) (good bool, err error) {
	limit := time.Minute + time.Duration(o.megabytes)*time.Second/4
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("the last line did not come within %v", limit))
	defer cancel()
	dir, err := os.MkdirTemp("", "logwisp-soak-")
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	logs := filepath.Join(dir, "logs")
	if err := os.Mkdir(logs, 0o755); err != nil {
		return false, err
	}
	n := &noise{}
	if n.lines, err = writeNoise(filepath.Join(dir, "noise"), int64(o.megabytes)<<20, o.seed); err != nil {
		return false, err
	}
	d, err := newDaemon(&o, dir, logs)
	if err == nil {
		err = d.start()
	}
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	c, err := d.await(ctx, d.tcp, "", time.Now().Add(startTimeout))
	if err != nil {
		return false, err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	begin := time.Now()
	if err := os.Rename(filepath.Join(dir, "noise"), filepath.Join(logs, logName)); err != nil {
		return false, err
	}
	if err := n.read(c); err != nil {
		return false, errors.Join(context.Cause(ctx), d.alive(), fmt.Errorf("read the stream: %w", err))
	}
	n.took = time.Since(begin)
	s, err := d.status()
	if err != nil {
		return false, err
	}
	n.dropped, n.peak = s.Totals.Dropped, d.footprint().peak
	wrong := n.wrong()
	fmt.Fprintf(stdout, "%d MiB of random bytes: %d lines, %d entries of %s in %.1f s, %d not JSON in UTF-8, %d dropped, peak %s of %s\n",
		o.megabytes, n.lines, n.entries, mebibytes(n.bytes), n.took.Seconds(), n.strange, n.dropped, mebibytes(n.peak), mebibytes(memoryMost))
	for _, what := range wrong {
		fmt.Fprintln(stdout, what)
	}
	return len(wrong) == 0, nil
}

// wrong lists what is not as promised.
func (n *noise) wrong() (wrong []string) {
	if n.entries != n.lines {
		wrong = append(wrong, "not every line became one entry")
	}
	if n.strange > 0 {
		wrong = append(wrong, "an entry is not JSON in UTF-8")
	}
	if n.dropped > 0 {
		wrong = append(wrong, "entries were dropped")
	}
	if n.peak > memoryMost {
		wrong = append(wrong, "the daemon took too much memory")
	}
	return wrong
}

// read takes entries up to that of the last line.
func (n *noise) read(c io.Reader) error {
	for in := bufio.NewReaderSize(c, 1<<20); ; {
		entry, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		n.entries++
		n.bytes += uint64(len(entry))
		if !utf8.Valid(entry) || !json.Valid(entry) {
			n.strange++
		}
		if bytes.Contains(entry, []byte(noiseEnd)) {
			return nil
		}
	}
}

// writeNoise writes so many random bytes and a last line. It returns the number of
// lines that become entries.
func writeNoise(path string, size int64, seed uint64) (lines uint64, err error) {
	f, err := os.Create(path)
	if err != nil {
		return 0, fmt.Errorf("write the noise: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	random := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16), byte(seed >> 24)})
	block := make([]byte, 1<<20)
	var line []byte // that goes on, as far as it was written
	for left := size; left > 0; left -= int64(len(block)) {
		block = block[:min(left, int64(len(block)))]
		_, _ = random.Read(block) // never fails
		for rest := block; ; {
			part, behind, ended := bytes.Cut(rest, []byte("\n"))
			if line = append(line, part...); !ended {
				break
			}
			lines += becomesEntry(line)
			rest, line = behind, line[:0]
		}
		if _, err := f.Write(block); err != nil {
			return 0, fmt.Errorf("write the noise: %w", err)
		}
	}
	lines += becomesEntry(line)
	_, err = f.WriteString("\n" + noiseEnd + "\n")
	return lines + 1, err
}

// becomesEntry returns 1 unless a line is blank, behind zeros if it begins with
// some, as what follows a hole in a file does.
func becomesEntry(line []byte) uint64 {
	if len(bytes.Trim(bytes.TrimLeft(line, "\x00"), "\t\v\f\r ")) == 0 {
		return 0
	}
	return 1
}
