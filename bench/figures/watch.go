package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

const (
	watchedFiles = 10_000
	watchTime    = 20 * time.Second
)

var watchRow = row{
	name:    "watch",
	figures: []figure{{what: "CPU of the daemon with 10,000 idle files, no clients", bound: 1, unit: "% of a core"}},
	once: func(ctx context.Context, t *tools, _ int) ([]value, error) {
		d, err := t.startDaemon(ctx, idleFiles)
		if err != nil {
			return nil, err
		}
		defer d.close()
		err = d.reaches(ctx, "all files are followed", func(s status) bool { return s.Sources.Files == watchedFiles })
		if err != nil {
			return nil, err
		}
		// What the start has left to do is no part of it.
		if _, err := d.settled(ctx); err != nil {
			return nil, err
		}
		before, err := d.processor()
		if err != nil {
			return nil, err
		}
		begin := time.Now()
		if err := pause(ctx, watchTime); err != nil {
			return nil, err
		}
		after, err := d.processor()
		return []value{{v: 100 * (after - before).Seconds() / time.Since(begin).Seconds()}}, err
	},
}

func idleFiles(dir string) error {
	for i := range watchedFiles {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%05d.log", i)), []byte("one line\n"), 0o644); err != nil {
			return err
		}
	}
	return nil
}
