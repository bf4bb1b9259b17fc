package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// packageDir has what packages bring along beside the program.
const packageDir = moduleRoot + "/scripts/package"

func TestShippedConfigurationsAreGood(t *testing.T) {
	files, err := filepath.Glob(packageDir + "/examples/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no examples: %v", err)
	}
	for _, file := range append(files, packageDir+"/logwisp.toml") {
		var out, errs bytes.Buffer
		if code := run([]string{"check", "--config", file}, &out, &errs); code != exitOK {
			t.Errorf("%s: exit code %d:\n%s", file, code, errs.String())
		}
	}
}

func TestAlertsAndDashboardAskForWhatMetricsHas(t *testing.T) {
	samples := exposedSamples(t)
	for file, least := range map[string]int{"alerts.yml": 10, "grafana.json": 20} {
		expressions := expressionsOf(t, filepath.Join(packageDir, file))
		if len(expressions) < least {
			t.Errorf("%s has %d expressions, want %d at least: the search for them is broken", file, len(expressions), least)
		}
		for _, e := range expressions {
			for _, problem := range missingIn(samples, e) {
				t.Errorf("%s: %s: in %s", file, problem, e)
			}
		}
	}
}

func TestWhatMetricsLacksIsFound(t *testing.T) {
	samples := exposedSamples(t)
	for e, want := range map[string]int{
		`rate(logwisp_entries_total{level="error"}[5m])`:                     0,
		`logwisp_clients{instance=~"$instance",transport="tcp"}`:             0,
		`histogram_quantile(0.9, logwisp_delivery_latency_seconds_bucket{})`: 0,
		`logwisp_entry_total`: 1,
		`logwisp_entries_total{severity="error"} > process_open_fds`:           1,
		`logwisp_dropped_entries_total{reason="slow"} / logwisp_ring_byte`:     2,
		`sum by (transport) (logwisp_clients{transport="udp"}) > process_no_x`: 2,
	} {
		if got := missingIn(samples, e); len(got) != want {
			t.Errorf("%s: found %q, want %d", e, got, want)
		}
	}
}

// exposedSamples are the samples of /metrics, by name, with their labels as they
// stand there.
func exposedSamples(t *testing.T) map[string][]string {
	empty := emptyReading(t)
	registry, err := newRegistry(func() *reading { return empty })
	if err != nil {
		t.Fatal(err)
	}
	m, err := exposition(registry)("")
	if err != nil {
		t.Fatal(err)
	}
	samples := make(map[string][]string)
	for _, found := range regexp.MustCompile(`(?m)^(\w+)(\{.*\})? `).FindAllSubmatch(m.Body, -1) {
		name := string(found[1])
		samples[name] = append(samples[name], string(found[2]))
	}
	return samples
}

// expressionsOf are the PromQL expressions of a file of alerts or a dashboard.
func expressionsOf(t *testing.T, file string) []string {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var expressions []string
	if strings.HasSuffix(file, ".yml") {
		for _, found := range regexp.MustCompile(`(?m)^\s+expr: (.+)$`).FindAllSubmatch(text, -1) {
			expressions = append(expressions, string(found[1]))
		}
		return expressions
	}
	var dashboard struct {
		Panels []struct{ Targets []struct{ Expr string } }
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			expressions = append(expressions, target.Expr)
		}
	}
	return expressions
}

var (
	selector = regexp.MustCompile(`\b((?:logwisp|process|go)_\w+)(\{[^}]*\})?`)
	matcher  = regexp.MustCompile(`(\w+)(=~|=)"([^"]*)"`)
)

// missingIn says which series, labels and values of an expression no sample has.
func missingIn(samples map[string][]string, expression string) (problems []string) {
	for _, found := range selector.FindAllStringSubmatch(expression, -1) {
		labels, known := samples[found[1]]
		if !known {
			problems = append(problems, "there is no series "+found[1])
			continue
		}
		for _, m := range matcher.FindAllStringSubmatch(found[2], -1) {
			if m[1] == "instance" || m[1] == "job" {
				continue // the scraper's
			}
			want := m[1] + `="`
			if m[2] == "=" {
				want += m[3] + `"`
			}
			if !slices.ContainsFunc(labels, func(l string) bool { return strings.Contains(l, want) }) {
				problems = append(problems, found[1]+" has no "+m[0])
			}
		}
	}
	return problems
}

func TestTheUnitLeavesNoCore(t *testing.T) {
	unit, err := os.ReadFile(packageDir + "/logwisp.service")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(unit), "\nLimitCORE=0\n") {
		t.Error("keys and tokens of outputs could be read in a core file: set LimitCORE=0")
	}
}
