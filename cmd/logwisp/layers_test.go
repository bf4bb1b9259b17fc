package main

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

type sampleServer struct {
	sampleLimits
	Port       int               `toml:"port" name:"tcp-port" default:"9090" help:"Port." min:"0" max:"65535"`
	Enabled    bool              `toml:"enabled" name:"enable-tcp" negatable:"" default:"false"`
	SendBuffer int64             `toml:"send_buffer" name:"tcp-send-buffer" type:"bytes" default:"256KiB" min:"4KiB" max:"1GiB"`
	Share      float64           `toml:"share" kong:"-" default:"0.5" min:"0" max:"1"`
	Origins    []string          `toml:"origins" name:"origin" default:"a,b"`
	Levels     []string          `toml:"levels" kong:"-" enum:"info,warn"`
	Labels     map[string]string `toml:"labels" kong:"-"`
	Heartbeat  sampleHeartbeat   `toml:"heartbeat" kong:"-"`
	Hook       func()            `kong:"-"`
}

type sampleLimits struct {
	MaxClients uint64 `toml:"max_clients" kong:"-" default:"10000"`
}

type sampleHeartbeat struct {
	IntervalSeconds int    `toml:"interval_seconds" kong:"-" default:"30" min:"1"`
	Format          string `toml:"format" kong:"-" default:"comment" enum:"comment,json"`
}

type sampleMonitor struct {
	ReadFrom string         `toml:"read_from" name:"read-from" default:"end" enum:"beginning,end"`
	Small    int8           `toml:"small" kong:"-"`
	Targets  []sampleTarget `toml:"targets" kong:"-"`
}

type sampleTarget struct {
	Path    string          `toml:"path"`
	Pattern string          `toml:"pattern" default:"*.log"`
	Exclude []string        `toml:"exclude"`
	Beat    sampleHeartbeat `toml:"beat"`
}

type sampleConfig struct {
	Monitor sampleMonitor `toml:"monitor" embed:"" group:"Files"`
	TCP     sampleServer  `toml:"tcpserver" embed:"" group:"TCP"`
}

// sampleCLI has the configuration beside flags that are none of its keys.
type sampleCLI struct {
	sampleConfig `embed:""`

	Config  string   `name:"config"`
	Targets []string `arg:"" optional:""`
}

func parseFlags(t testing.TB, args ...string) (*kong.Context, *sampleConfig) {
	t.Helper()
	cli := &sampleCLI{}
	parser, err := kong.New(cli, sizes(), kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	ctx, err := parser.Parse(args)
	if err != nil {
		t.Fatal(err)
	}
	return ctx, &cli.sampleConfig
}

func loadSample(t testing.TB, from sources, args ...string) (sampleConfig, origins, []string) {
	t.Helper()
	from.File = "logwisp.toml"
	from.Flags, from.Scratch = nil, nil
	if args != nil {
		from.Flags, from.Scratch = parseFlags(t, args...)
	}
	var cfg sampleConfig
	where, problems := load(&cfg, from)
	texts := make([]string, len(problems))
	for i, p := range problems {
		texts[i] = p.String()
	}
	return cfg, where, texts
}

func TestEveryLayerWinsOverTheLayersBelow(t *testing.T) {
	const file = "[tcpserver]\nport = 1\n"
	env := []string{"LOGWISP_TCPSERVER_PORT=2"}
	flags := []string{"--tcp-port=3"}
	for _, c := range []struct {
		name   string
		toml   string
		env    []string
		flags  []string
		port   int
		origin string
	}{
		{"default", "", nil, []string{}, 9090, "default"},
		{"file over default", file, nil, []string{}, 1, "logwisp.toml:2"},
		{"environment over default", "", env, []string{}, 2, "LOGWISP_TCPSERVER_PORT"},
		{"flag over default", "", nil, flags, 3, "--tcp-port"},
		{"environment over file", file, env, []string{}, 2, "LOGWISP_TCPSERVER_PORT"},
		{"flag over file", file, nil, flags, 3, "--tcp-port"},
		{"flag over environment", "", env, flags, 3, "--tcp-port"},
		{"flag over all", file, env, flags, 3, "--tcp-port"},
		{"flag that repeats the default", file, env, []string{"--tcp-port=9090"}, 9090, "--tcp-port"},
		{"empty variable is unset", file, []string{"LOGWISP_TCPSERVER_PORT="}, []string{}, 1, "logwisp.toml:2"},
		{"bad variable leaves the file", file, []string{"LOGWISP_TCPSERVER_PORT=x"}, []string{}, 1, "logwisp.toml:2"},
		{"last of two flags", "", nil, []string{"--tcp-port=4", "--tcp-port=5"}, 5, "--tcp-port"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg, where, _ := loadSample(t, sources{TOML: []byte(c.toml), Environ: c.env}, c.flags...)
			if cfg.TCP.Port != c.port || where["tcpserver.port"] != c.origin {
				t.Errorf("port %d from %q, want %d from %q", cfg.TCP.Port, where["tcpserver.port"], c.port, c.origin)
			}
		})
	}
}

func TestEveryKindOfValueComesThroughEveryLayer(t *testing.T) {
	want := sampleServer{
		sampleLimits: sampleLimits{MaxClients: 7}, Port: 1, Enabled: true, SendBuffer: 1 << 20, Share: 0.25,
		Origins: []string{"x", "y"}, Levels: []string{"warn"}, Labels: map[string]string{"a": "b"},
		Heartbeat: sampleHeartbeat{IntervalSeconds: 5, Format: "json"},
	}
	file, _, problems := loadSample(t, sources{TOML: []byte(`
[tcpserver]
max_clients = 7
port = 1
enabled = true
send_buffer = "1MiB"
share = 0.25
origins = ["x", "y"]
levels = ["warn"]
labels = { a = "b" }
heartbeat = { interval_seconds = 5, format = "json" }
`)})
	if !reflect.DeepEqual(file.TCP, want) || len(problems) > 0 {
		t.Errorf("from the file: %+v, problems %q", file.TCP, problems)
	}
	env, _, problems := loadSample(t, sources{Environ: []string{
		"LOGWISP_TCPSERVER_MAX_CLIENTS=7", "LOGWISP_TCPSERVER_PORT= 1", "LOGWISP_TCPSERVER_ENABLED=YES",
		"LOGWISP_TCPSERVER_SEND_BUFFER=1MiB", "LOGWISP_TCPSERVER_SHARE=0.25", "LOGWISP_TCPSERVER_ORIGINS=x, y,",
		"LOGWISP_TCPSERVER_LEVELS=warn", "LOGWISP_TCPSERVER_LABELS=a=b",
		"LOGWISP_TCPSERVER_HEARTBEAT_INTERVAL_SECONDS=5", "LOGWISP_TCPSERVER_HEARTBEAT_FORMAT=json",
	}})
	if !reflect.DeepEqual(env.TCP, want) || len(problems) > 0 {
		t.Errorf("from the environment: %+v, problems %q", env.TCP, problems)
	}
	flags, where, problems := loadSample(t, sources{}, "--tcp-port=1", "--enable-tcp", "--tcp-send-buffer", "1MiB",
		"--origin=x", "--origin=y", "--read-from=beginning", "--config=f", "target")
	got := flags.TCP
	if got.Port != 1 || !got.Enabled || got.SendBuffer != 1<<20 || !slices.Equal(got.Origins, want.Origins) ||
		flags.Monitor.ReadFrom != "beginning" || len(problems) > 0 {
		t.Errorf("from the flags: %+v, problems %q", flags, problems)
	}
	if where["tcpserver.enabled"] != "--enable-tcp" || where["tcpserver.share"] != "default" {
		t.Errorf("origins %v", where)
	}
}

func TestNegatedFlagWinsOverTheFile(t *testing.T) {
	cfg, where, _ := loadSample(t, sources{TOML: []byte("tcpserver.enabled = true")}, "--no-enable-tcp")
	if cfg.TCP.Enabled || where["tcpserver.enabled"] != "--no-enable-tcp" {
		t.Errorf("enabled %v from %q", cfg.TCP.Enabled, where["tcpserver.enabled"])
	}
}

func TestLoadingTwiceForgetsWhatTheFileNoLongerSays(t *testing.T) {
	hooked := false
	cfg := sampleConfig{TCP: sampleServer{Hook: func() { hooked = true }}}
	load(&cfg, sources{TOML: []byte("tcpserver.levels = ['warn']\nmonitor.small = 3\n[[monitor.targets]]")})
	load(&cfg, sources{})
	if cfg.TCP.Levels != nil || cfg.Monitor.Small != 0 || cfg.Monitor.Targets != nil {
		t.Errorf("left over: %+v", cfg)
	}
	if cfg.TCP.Hook(); !hooked {
		t.Error("a field that is no key was changed")
	}
}

func TestAllProblemsAreReportedInOrder(t *testing.T) {
	file := "[tcpserver]\nprot = 1\nport = 'x'\nshare = 7\n[monitor]\nread_from = 'no'\ntargets = [{ pth = 1, path = 2 }]\n"
	env := []string{"LOGWISP_TCPSERVR_PORT=1", "LOGWISP_TCPSERVER_PORT=99999", "LOGWISP_CONFIG_FILE=x", "HOME=/", "LOGWISP_TOKEN=1"}
	var cfg sampleConfig
	ctx, scratch := parseFlags(t, "--tcp-port=-2", "--tcp-send-buffer=1KiB")
	_, problems := load(&cfg, sources{
		File: "f", TOML: []byte(file), Environ: env, KnownVariables: []string{"LOGWISP_TOKEN"}, Flags: ctx, Scratch: scratch,
	})
	size := `want a size (bytes, or a string like "64KiB") from 4KiB to 1GiB`
	want := []string{
		"f:2:1: tcpserver.prot: unknown key (did you mean tcpserver.port?)",
		`f:3:1: tcpserver.port: want an integer from 0 to 65535, have the string "x"`,
		"f:4:1: tcpserver.share: want a number from 0 to 1, have 7",
		`f:6:1: monitor.read_from: want one of "beginning", "end", have the string "no"`,
		"f:7:14: monitor.targets[0].pth: unknown key (did you mean monitor.targets[0].path?)",
		"f:7:23: monitor.targets[0].path: want a string, have 2 (put it in quotes)",
		`LOGWISP_TCPSERVER_PORT: tcpserver.port: want an integer from 0 to 65535, have "99999"`,
		"LOGWISP_TCPSERVR_PORT: unknown variable, ignored (did you mean LOGWISP_TCPSERVER_PORT?)",
		"--tcp-port: tcpserver.port: want an integer from 0 to 65535, have -2",
		"--tcp-send-buffer: tcpserver.send_buffer: " + size + ", have 1024",
	}
	for i, p := range problems {
		if i >= len(want) || p.String() != want[i] {
			t.Errorf("problem %d: %s", i, p)
		}
		if p.Warning != strings.Contains(p.Message, "ignored") {
			t.Errorf("warning %v: %s", p.Warning, p)
		}
	}
	if len(problems) != len(want) || !broken(problems) || broken(problems[7:8]) {
		t.Errorf("%d problems, want %d; broken %v", len(problems), len(want), broken(problems))
	}
}

func TestSyntaxErrorDoesNotHideProblemsOfTheEnvironment(t *testing.T) {
	_, _, problems := loadSample(t, sources{TOML: []byte("="), Environ: []string{"LOGWISP_MONITOR_READ_FROM=ende"}})
	if len(problems) != 2 || !strings.HasSuffix(problems[1], `have "ende" (did you mean "end"?)`) {
		t.Errorf("%q", problems)
	}
}

func TestVariableOfAnArrayOfTablesIsReadByItsHook(t *testing.T) {
	file := []byte("[[monitor.targets]]\npath = 'a'\n")
	for _, c := range []struct {
		variable     string
		err          error
		path, origin string
		problem      string
	}{
		{"LOGWISP_MONITOR_TARGETS=b", nil, "b", "LOGWISP_MONITOR_TARGETS", ""},
		{"LOGWISP_MONITOR_TARGETS=", nil, "a", "logwisp.toml:2", ""},
		{"LOGWISP_MONITOR_TARGETS=x", errors.New("no"), "a", "logwisp.toml:2", "LOGWISP_MONITOR_TARGETS: monitor.targets: no"},
	} {
		var cfg sampleConfig
		where, problems := load(&cfg, sources{
			File: "logwisp.toml", TOML: file, Environ: []string{c.variable},
			Variables: map[string]func(string) error{"monitor.targets": func(value string) error {
				if c.err == nil {
					cfg.Monitor.Targets = []sampleTarget{{Path: value}}
				}
				return c.err
			}},
		})
		if got := cfg.Monitor.Targets[0].Path; got != c.path || where.of("monitor.targets[0].path") != c.origin {
			t.Errorf("%s: path %q from %q", c.variable, got, where.of("monitor.targets[0].path"))
		}
		if got := strings.Trim(fmt.Sprint(problems), "[]"); got != c.problem {
			t.Errorf("%s: %s", c.variable, got)
		}
	}
	if _, _, problems := loadSample(t, sources{Environ: []string{"LOGWISP_MONITOR_TARGETS=b"}}); len(problems) != 1 {
		t.Errorf("without a hook: %q", problems)
	}
}

func TestEveryLeafHasAnOriginAndAVariable(t *testing.T) {
	_, where, _ := loadSample(t, sources{})
	want := []string{
		"monitor.read_from", "monitor.small", "monitor.targets", "tcpserver.enabled", "tcpserver.heartbeat.format",
		"tcpserver.heartbeat.interval_seconds", "tcpserver.labels", "tcpserver.levels", "tcpserver.max_clients",
		"tcpserver.origins", "tcpserver.port", "tcpserver.send_buffer", "tcpserver.share",
	}
	if got := slices.Sorted(maps.Keys(where)); !slices.Equal(got, want) {
		t.Errorf("keys %q", got)
	}
	if got := variableName("tcpserver.heartbeat.interval_seconds"); got != "LOGWISP_TCPSERVER_HEARTBEAT_INTERVAL_SECONDS" {
		t.Errorf("variable %s", got)
	}
}

func TestBadTagsPanic(t *testing.T) {
	for name, cfg := range map[string]any{
		"type": &struct {
			A chan int `toml:"a"`
		}{},
		"default": &struct {
			A int `toml:"a" default:"x"`
		}{},
		"range": &struct {
			A int `toml:"a" default:"1" min:"2"`
		}{},
		"limit": &struct {
			A int8 `toml:"a" max:"1000"`
		}{},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			load(cfg, sources{})
		})
	}
}
