package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// rotate rotates the log in one of the ways of the mode.
func (g *logger) rotate() error {
	if g.o.mode == "copytruncate" {
		return g.startCopy()
	}
	ways := []func() error{g.rename}
	if g.o.mode == "mixed" {
		ways = append(ways, g.renameWithLateLines, g.remove, g.replace, g.renameWithGap)
	}
	if err := ways[g.random.IntN(len(ways))](); err != nil {
		return fmt.Errorf("rotate the log: %w", err)
	}
	g.rotations.Add(1)
	return g.sweep()
}

// rename is what a rotation does that the writer knows of at once.
func (g *logger) rename() error {
	if err := g.away(); err != nil {
		return err
	}
	return g.begin()
}

// away renames the log.
func (g *logger) away() error {
	to := fmt.Sprintf("%s.%d", logName, g.rotations.Load()+1)
	if err := os.Rename(g.path(logName), g.path(to)); err != nil {
		return err
	}
	g.rotated = append(g.rotated, rotated{g.path(to), g.current})
	return nil
}

// begin goes on with a new file, in a new generation.
func (g *logger) begin() error {
	f, err := g.create(logName)
	if err != nil {
		return err
	}
	return g.goOn(f)
}

func (g *logger) goOn(f *os.File) error {
	old := g.file
	g.file, g.next = f, 0
	g.current++
	return old.Close()
}

// renameWithLateLines goes on with the renamed file for a while, and for a
// while with both.
func (g *logger) renameWithLateLines() error {
	if err := g.away(); err != nil {
		return err
	}
	old, generation, next := g.file, g.current, g.next
	if err := g.write(old, generation, &next, 1+g.random.Uint64N(100)); err != nil {
		return err
	}
	f, err := g.create(logName)
	if err != nil {
		return err
	}
	g.file, g.next = f, 0
	g.current++
	for range g.random.IntN(10) {
		if err := g.write(old, generation, &next, 1+g.random.Uint64N(20)); err != nil {
			return err
		}
		if err := g.write(g.file, g.current, &g.next, 1+g.random.Uint64N(20)); err != nil {
			return err
		}
		time.Sleep(time.Duration(g.random.Int64N(int64(3 * time.Millisecond))))
	}
	return old.Close()
}

// remove deletes the log. What was not read of it is only behind descriptors.
func (g *logger) remove() error {
	if err := os.Remove(g.path(logName)); err != nil {
		return err
	}
	return g.begin()
}

// replace puts another file in the log's place that has lines already.
func (g *logger) replace() error {
	const name = "new-" + logName
	f, err := g.create(name)
	if err != nil {
		return err
	}
	if err := g.goOn(f); err != nil {
		return err
	}
	if err := g.write(g.file, g.current, &g.next, 1+g.random.Uint64N(200)); err != nil {
		return err
	}
	return os.Rename(g.path(name), g.path(logName))
}

// renameWithGap leaves no log for a while.
func (g *logger) renameWithGap() error {
	if err := g.away(); err != nil {
		return err
	}
	time.Sleep(time.Duration(g.random.Int64N(int64(300 * time.Millisecond))))
	return g.begin()
}

// startCopy copies and truncates the log while it is written to. The generation
// stays: nobody can say which line is the first behind the truncation.
func (g *logger) startCopy() error {
	g.copies.Wait()
	if err := g.copyFailed(); err != nil {
		return err
	}
	n := g.rotations.Add(1)
	to := g.path(fmt.Sprintf("%s.%d", logName, n))
	g.rotated = append(g.rotated, rotated{to, g.current})
	g.copies.Go(func() {
		if err := copyTruncate(g.path(logName), to); err != nil {
			g.copied <- fmt.Errorf("copy the log: %w", err)
		}
	})
	return g.sweep()
}

// copyFailed returns the error of the last copy, once.
func (g *logger) copyFailed() error {
	select {
	case err := <-g.copied:
		return err
	default:
		return nil
	}
}

// left returns how many lines stand whole in what is left of the log and have not
// come: a copy beside the log is read to its end.
func (g *logger) left() (n uint64, err error) {
	paths := []string{g.path(logName)}
	for _, r := range g.rotated {
		paths = append(paths, r.path)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return n, fmt.Errorf("look for lines that have not come: %w", err)
		}
		for row := range bytes.Lines(text) {
			if in, ok := parseLine(bytes.TrimSuffix(row, []byte("\n")), g.o.lineBytes); ok && !g.ledger.came(in) {
				n++
			}
		}
	}
	return n, nil
}

func copyTruncate(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close(), os.Truncate(from, 0))
}

// sweep deletes the oldest rotated files. A daemon that is killed has them only
// by name, so they stay until their lines have come.
func (g *logger) sweep() error {
	for len(g.rotated) > rotatedKept && (!g.o.killing() || g.ledger.has(g.rotated[0].generation)) {
		if err := os.Remove(g.rotated[0].path); err != nil {
			return fmt.Errorf("delete an old log: %w", err)
		}
		g.rotated = g.rotated[1:]
	}
	return nil
}
