package main

import (
	"reflect"
	"strconv"
	"strings"
	"testing"
)

func TestTablesHaveTheSameKeysHoweverTheyAreWritten(t *testing.T) {
	for name, c := range map[string]struct {
		toml  string
		lines [3]int // of path, interval_seconds and the second path
	}{
		"headers": {"[[monitor.targets]]\npath = 'a'\n[monitor.targets.beat]\ninterval_seconds = 2\n[[monitor.targets]]\npath = 'b'\n", [3]int{2, 4, 6}},
		"inline":  {"[monitor]\ntargets = [\n  { path = 'a',\n    beat = { interval_seconds = 2 } },\n  # two\n  { path = 'b' }]\n", [3]int{3, 4, 6}},
		"dotted":  {"monitor.targets = [{ path = 'a', beat.interval_seconds = 2 },\n{ path = 'b' }]\n", [3]int{1, 1, 2}},
		"windows": {"\ufeff[[monitor.targets]]\r\npath = 'a'\r\nbeat.interval_seconds = 2\r\n\r\n[[monitor.'targets']]\r\n\"path\" = 'b'\r\n", [3]int{2, 3, 6}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, where, problems := loadSample(t, sources{TOML: []byte(c.toml)})
			first := sampleTarget{Path: "a", Pattern: "*.log", Beat: sampleHeartbeat{2, "comment"}}
			second := sampleTarget{Path: "b", Pattern: "*.log", Beat: sampleHeartbeat{30, "comment"}}
			if !reflect.DeepEqual(cfg.Monitor.Targets, []sampleTarget{first, second}) || len(problems) > 0 {
				t.Errorf("targets %+v, problems %q", cfg.Monitor.Targets, problems)
			}
			for i, path := range []string{
				"monitor.targets[0].path", "monitor.targets[0].beat.interval_seconds", "monitor.targets[1].path",
			} {
				if want := "logwisp.toml:" + strconv.Itoa(c.lines[i]); where[path] != want {
					t.Errorf("%s from %q, want %q", path, where[path], want)
				}
			}
			if where["monitor.targets[1].pattern"] != "default" {
				t.Errorf("pattern from %q", where["monitor.targets[1].pattern"])
			}
		})
	}
}

func TestProblemOfTheFileNamesItsPlaceItsKeyAndTheCure(t *testing.T) {
	for _, c := range []struct{ toml, want string }{
		// Unknown keys.
		{"[tcpserver]\n  prot = 1", "2:3: tcpserver.prot: unknown key (did you mean tcpserver.port?)"},
		{"[tcpserver]\nPORT = 1", "2:1: tcpserver.PORT: unknown key (did you mean tcpserver.port?)"},
		{"\n[tcpsever]\nport = 1", "2:2: tcpsever: unknown key (did you mean tcpserver?)"},
		{"[tcpserver]\ninterval_seconds = 1", "2:1: tcpserver.interval_seconds: unknown key (did you mean tcpserver.heartbeat.interval_seconds?)"},
		{"tcp_port = 1", "1:1: tcp_port: unknown key (did you mean tcpserver.port?)"},
		{"colour = 1", "1:1: colour: unknown key"},
		{"'a b'.c = 1", `1:1: "a b": unknown key`},
		{"[[monitor.targets]]\n[[monitor.targets]]\npth = ''", "3:1: monitor.targets[1].pth: unknown key (did you mean monitor.targets[1].path?)"},
		{"tcpserver = { heartbeat = { formt = 1 } }", "1:29: tcpserver.heartbeat.formt: unknown key (did you mean tcpserver.heartbeat.format?)"},
		{"tcpserver.heartbeat.formt = 1", "1:21: tcpserver.heartbeat.formt: unknown key (did you mean tcpserver.heartbeat.format?)"},
		// Wrong types.
		{"[monitor]\nsmall = 'x'", `2:1: monitor.small: want an integer, have the string "x"`},
		{"[tcpserver]\nport = '80'", `2:1: tcpserver.port: want an integer from 0 to 65535, have the string "80" (remove the quotes)`},
		{"tcpserver.port = 80.5", "1:11: tcpserver.port: want an integer from 0 to 65535, have the number 80.5"},
		{"tcpserver.enabled = 1", "1:11: tcpserver.enabled: want true or false, have 1"},
		{"tcpserver.enabled = 'true'", `1:11: tcpserver.enabled: want true or false, have the string "true" (remove the quotes)`},
		{"tcpserver.port = 1979-05-27", "1:11: tcpserver.port: want an integer from 0 to 65535, have a date or time"},
		{"tcpserver.port = {}", "1:11: tcpserver.port: want an integer from 0 to 65535, have a table"},
		{"tcpserver.share = inf", "1:11: tcpserver.share: want a number from 0 to 1, have the number +Inf"},
		{"[[monitor.targets]]\npath = 7", "2:1: monitor.targets[0].path: want a string, have 7 (put it in quotes)"},
		{"tcpserver.origins = 'x'", `1:11: tcpserver.origins: want an array of strings, have the string "x" (write ["x"])`},
		{"tcpserver.origins = ['x',\n 1]", "2:2: tcpserver.origins[1]: want a string, have 1 (put it in quotes)"},
		{"tcpserver.origins = {}", "1:11: tcpserver.origins: want an array of strings, have a table"},
		{"tcpserver.labels = []", "1:11: tcpserver.labels: want a table of strings, have an array"},
		{"[tcpserver.labels]\na = 1", "2:1: tcpserver.labels.a: want a string, have 1 (put it in quotes)"},
		{"tcpserver = 1", "1:1: tcpserver: want a table, have 1"},
		{"[[tcpserver]]", "1:3: tcpserver: want a table, have an array (write [tcpserver])"},
		{"[monitor.targets]", "1:10: monitor.targets: want an array of tables, have a table (write [[monitor.targets]])"},
		{"monitor.targets = [{},\n'x']", `2:1: monitor.targets[1]: want a table, have the string "x"`},
		// Out of range.
		{"tcpserver.port = 65536", "1:11: tcpserver.port: want an integer from 0 to 65535, have 65536"},
		{"tcpserver.port = -1", "1:11: tcpserver.port: want an integer from 0 to 65535, have -1"},
		{"tcpserver.max_clients = -1", "1:11: tcpserver.max_clients: want an integer, have -1"},
		{"monitor.small = 128", "1:9: monitor.small: want an integer, have 128"},
		{"tcpserver.share = 2", "1:11: tcpserver.share: want a number from 0 to 1, have 2"},
		{"tcpserver.heartbeat.interval_seconds = 0", "1:21: tcpserver.heartbeat.interval_seconds: want an integer of at least 1, have 0"},
		{"tcpserver.send_buffer = 1", `1:11: tcpserver.send_buffer: want a size (bytes, or a string like "64KiB") from 4KiB to 1GiB, have 1`},
		{"tcpserver.send_buffer = '8,5MiB'", `1:11: tcpserver.send_buffer: want a size (bytes, or a string like "64KiB") from 4KiB to 1GiB, have the string "8,5MiB"`},
		// Not in the enum.
		{"monitor.read_from = 'begining'", `1:9: monitor.read_from: want one of "beginning", "end", have the string "begining" (did you mean "beginning"?)`},
		{"monitor.read_from = 1", `1:9: monitor.read_from: want one of "beginning", "end", have 1 (put it in quotes)`},
		{"tcpserver.levels = ['info', 'wran']", `1:29: tcpserver.levels[1]: want one of "info", "warn", have the string "wran" (did you mean "warn"?)`},
		// Not TOML.
		{"a = 1\nb = \n", "2:5: unexpected character U+000A at start of value"},
		{"[tcpserver]\nport = 1\nport = 2\n", "3:1: key port is already defined"},
	} {
		_, where, problems := loadSample(t, sources{TOML: []byte(c.toml)})
		if want := "logwisp.toml:" + c.want; len(problems) != 1 || problems[0] != want {
			t.Errorf("%q:\n got %q\nwant %q", c.toml, problems, want)
		}
		for path, origin := range where {
			if origin != "default" && !strings.HasPrefix(path, "monitor.targets") {
				t.Errorf("%q: %s has the origin %s of a bad value", c.toml, path, origin)
			}
		}
	}
}

func FuzzFileNeverPanicsAndEveryProblemHasAPlace(f *testing.F) {
	for _, seed := range []string{
		"", "[tcpserver]\nport = 1\n", "[[monitor.targets]]\npath = 'a'\nbeat.x = [[1], {a = 2}]\n",
		"a.'b c'.\"\\u00e9\" = 1\n[a.d]\ne = {f = [{g = 1}]}\n", "monitor = { targets = [{}, 1] }", "\ufeff[x]\r\ny=1979-05-27",
		"tcpserver.labels = {a = 1, b = 'x'}\ntcpserver.send_buffer = '1e9'\n", "[[a.b]]\n[[a.b.c]]\n[a.b.c.d]\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		var cfg sampleConfig
		_, problems := load(&cfg, sources{File: "f", TOML: doc})
		for _, p := range problems {
			if p.line < 1 || p.line > strings.Count(string(doc), "\n")+1 || p.column < 1 {
				t.Errorf("no place: %s", p)
			}
			if strings.ContainsAny(p.String(), "\n\x1b") {
				t.Errorf("raw control character: %q", p.String())
			}
		}
		if len(problems) == 0 && (cfg.TCP.Port < 0 || cfg.TCP.Port > 65535) {
			t.Errorf("accepted port %d", cfg.TCP.Port)
		}
	})
}
