package main

import (
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"logwisp/bench/freeport"
)

// nchanModules are where distributions put the module.
var nchanModules = []string{
	"/usr/lib/nginx/modules/ngx_nchan_module.so", "/usr/lib64/nginx/modules/ngx_nchan_module.so",
}

// installed returns what there is on this machine, and a load generator built
// for it.
func installed(t *testing.T) *tools {
	t.Helper()
	dir := t.TempDir()
	tool := &tools{load: filepath.Join(dir, "load"), dir: dir, duration: 200 * time.Millisecond}
	if out, err := exec.Command("go", "build", "-o", tool.load, "../load").CombinedOutput(); err != nil {
		t.Fatalf("build the load generator: %v: %s", err, out)
	}
	for name, path := range map[string]*string{"nginx": &tool.nginx, "rsyslogd": &tool.rsyslogd, "nc": &tool.nc} {
		found, err := exec.LookPath(name)
		if err != nil {
			found, _ = exec.LookPath("/usr/sbin/" + name)
		}
		*path = found
	}
	for _, module := range nchanModules {
		if _, err := os.Stat(module); err == nil {
			tool.nchan = module
		}
	}
	return tool
}

func TestEveryInstalledPeerDeliversEveryLine(t *testing.T) {
	all := installed(t).peerSystems()
	if len(all) == 0 {
		t.Skip("neither nginx with nchan, rsyslogd nor nc is installed")
	}
	for _, s := range all {
		for clients := 1; clients <= 3 && s.admits(clients, 2000); clients += 2 {
			t.Run(s.name, func(t *testing.T) {
				got, err := s.run(t.Context(), clients, 2000)
				if err != nil || got.Delivered == 0 || got.Delivered%uint64(clients) != 0 {
					t.Errorf("%d clients: %d lines delivered, error %v", clients, got.Delivered, err)
				}
				if got.Daemon.PeakRSS == 0 {
					t.Error("its memory has not been measured")
				}
			})
		}
	}
}

func TestServerThatEndsAtOnceIsReportedWithItsOutput(t *testing.T) {
	tool := &tools{dir: t.TempDir()}
	port, err := freeport.One()
	if err != nil {
		t.Fatal(err)
	}
	server := exec.CommandContext(t.Context(), "sh", "-c", "echo unknown directive >&2; exit 1")
	_, err = tool.serve(t.Context(), port, server, func(string, int) (result, error) {
		t.Error("a server that is not there has been measured")
		return result{}, nil
	})
	if err == nil || !strings.Contains(err.Error(), "exit status 1: unknown directive") {
		t.Errorf("error %v", err)
	}
}

func TestOnlyWhatASystemCanDoIsMeasured(t *testing.T) {
	anyNumber, one := system{}, system{most: 1}
	for _, c := range []struct {
		s             *system
		clients, rate int
		want          bool
	}{
		{&anyNumber, 1, 100_000, true},
		{&anyNumber, 10, 100_000, true},
		{&anyNumber, 100, 100_000, false},
		{&anyNumber, 1000, 0, true},
		{&one, 1, 100_000, true},
		{&one, 10, 0, false},
	} {
		if got := c.s.admits(c.clients, c.rate); got != c.want {
			t.Errorf("most %d, %d clients at %d lines/s: %v", c.s.most, c.clients, c.rate, got)
		}
	}
}

func TestPeersThatAreNotNamedAreLeftOut(t *testing.T) {
	if got := (&tools{nginx: "nginx"}).peerSystems(); len(got) != 0 {
		t.Errorf("%d peers, want none: nginx without nchan is no peer", len(got))
	}
	s := (&tools{nc: "nc"}).peerSystems()
	if len(s) != 1 || s[0].most != 1 {
		t.Errorf("peers %+v, want tail alone, with one client", s)
	}
}

func TestTableKeepsItsCellsWhateverTheNames(t *testing.T) {
	rows := []row{{system: "tail -F | nc", proto: "tcp", clients: 1, void: []string{"a | b\nc"}}}
	lines := strings.Split(strings.TrimSpace(table(rows)), "\n")
	head, last := lines[len(lines)-2], strings.ReplaceAll(lines[len(lines)-1], `\|`, "")
	if strings.Count(head, "|") != strings.Count(last, "|") {
		t.Errorf("%q has not the cells of %q", last, head)
	}
}

func TestARatioIsOfRunsThatFollowedEachOther(t *testing.T) {
	mine, limit := row{system: "LogWisp"}, row{system: "limit"}
	for round, speed := range []float64{1, 10, 3, 100} { // of the machine
		limit.add(round, result{PerSecond: speed}, nil)
		if round < 3 {
			mine.add(round, result{PerSecond: speed * []float64{0.7, 0.5, 0.6}[round]}, nil)
		} else {
			mine.add(round, result{}, errors.New("void"))
		}
	}
	if got := mine.ratio([]row{mine, limit}, "limit", "", perSecond); math.Abs(got-0.6) > 1e-9 {
		t.Errorf("ratio %v, want that of the middle round, 0.6", got)
	}
	if got := mine.ratio([]row{mine}, "limit", "", perSecond); !math.IsNaN(got) {
		t.Errorf("ratio %v to nobody", got)
	}
}

func TestPlotShowsEveryPeerAndOneLimit(t *testing.T) {
	var rows []row
	for _, name := range []string{"LogWisp", "limit, 64 KiB writes", wideLimit, "nginx + nchan", "rsyslog"} {
		rows = append(rows, row{system: name, proto: "tcp", clients: 1, runs: map[int]*result{0: {PerSecond: 1000}}})
	}
	got := plot(rows)
	for name, want := range map[string]int{"nginx + nchan, tcp": 1, "rsyslog, tcp": 1, wideLimit: 0} {
		if n := strings.Count(got, name); n != want {
			t.Errorf("%s is named %d times, want %d", name, n, want)
		}
	}
	if n := strings.Count(got, "<circle"); n != 4 {
		t.Errorf("%d points, want 4", n)
	}
}
