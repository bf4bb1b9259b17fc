package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// publishRow takes its figures from the Go benchmarks: processor time of the
// publishing thread for a line, in pages as full as they are under load. The
// first is near 1: there the two are taken in turn.
var publishRow = row{
	name: "publish",
	figures: []figure{
		{what: "ring publish, CPU per line: 1000 readers against none", bound: 1.5},
		{what: "ring publish against channels, 10 readers", bound: 1.0 / 3},
		{what: "ring publish against channels, 100 readers", bound: 1.0 / 35},
		{what: "ring publish against channels, 1000 readers", bound: 1.0 / 500},
	},
	once: func(ctx context.Context, t *tools, _ int) ([]value, error) {
		out, err := t.command(ctx, t.root, nil, "go", "test", "-run", "^$", "-benchtime", "500ms",
			"-bench", "^BenchmarkPublish(Beside)?$/^readers=(10|100|1000)$/^(channels|ring)$", "./bench")
		if err != nil {
			return nil, err
		}
		values := []value{{v: metric(out, "BenchmarkPublishBeside/readers=1000/ring-", "of-alone")}}
		if values[0].v == 0 {
			values[0].void = errors.New("the benchmark has no of-alone")
		}
		for _, n := range []string{"10", "100", "1000"} {
			ring := metric(out, "BenchmarkPublish/readers="+n+"/ring/page=64KiB-", "cpu-ns/line")
			channels := metric(out, "BenchmarkPublish/readers="+n+"/channels-", "cpu-ns/line")
			v := value{v: ring / channels}
			if ring == 0 || channels == 0 {
				v.void = fmt.Errorf("the benchmark has no ring or no channels with %s readers", n)
			}
			values = append(values, v)
		}
		return values, nil
	},
}

// metric returns a metric of the benchmark whose name begins so, 0 if there is none.
func metric(out []byte, name, unit string) float64 {
	for line := range bytes.Lines(out) {
		f := strings.Fields(string(line))
		for i := 1; i < len(f); i++ {
			if strings.HasPrefix(f[0], name) && f[i] == unit {
				v, _ := strconv.ParseFloat(f[i-1], 64) // 0 says that there is none
				return v
			}
		}
	}
	return 0
}
