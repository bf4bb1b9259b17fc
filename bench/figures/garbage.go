package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// collection are the functions under which the runtime collects garbage, on
// threads of its own or on those that allocate; scripts/profile has the same list.
const collection = `^runtime\.(gcBgMarkWorker|gcAssistAlloc|gcAssistAlloc1|bgsweep|bgscavenge|deductSweepCredit|gcStart|gcMarkTermination)$`

var profileShare = regexp.MustCompile(`Showing nodes accounting for [^,]+, ([0-9.]+)% of`)

// garbageTime is long enough for the hundred samples a second of a profile to say
// something of a fiftieth.
const garbageTime = 10 * time.Second

var garbageRow = row{
	name:    "garbage",
	figures: []figure{{what: "garbage collection's share of CPU, 1,000,000 lines/s to 1 client", bound: 2, unit: "%"}},
	once: func(ctx context.Context, t *tools, i int) ([]value, error) {
		dir := filepath.Join(t.dir, "profile"+strconv.Itoa(i))
		if err := os.Mkdir(dir, 0o755); err != nil {
			return nil, err
		}
		l, err := t.generate(ctx, []string{"PROFILE_DIR=" + dir}, "-bin", t.profiled, "-rate", "1000000", "-duration", garbageTime.String())
		if err != nil {
			return nil, err
		}
		out, err := t.command(ctx, t.root, nil, "go", "tool", "pprof", "-top", "-nodefraction=0",
			"-focus="+collection, t.profiled, filepath.Join(dir, "cpu.pprof"))
		if err != nil {
			return nil, err
		}
		v := value{}
		m := profileShare.FindSubmatch(out)
		if m == nil {
			return nil, fmt.Errorf("the profile tells no share: %.200s", out)
		}
		if v.v, err = strconv.ParseFloat(string(m[1]), 64); err != nil {
			return nil, err
		}
		switch {
		case v.v == 0:
			v.void = errors.New("the profile has none of the collector's functions: are they named otherwise now?")
		case l.LineRate < 950_000:
			v.void = fmt.Errorf("only %.2f M lines/s were written", l.LineRate/1e6)
		}
		return []value{v}, nil
	},
}
