package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestConfigFileIsTheFirstOneNamedOrFound(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"named.toml", "by_env.toml", "both/logwisp.toml", "both/logwisp/logwisp.toml", "sub/logwisp/logwisp.toml", "home/.config/logwisp.toml"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		flag, variable, xdg, home string
		want                      string
		explicit                  bool
	}{
		{"named.toml", "by_env.toml", "both", "home", "named.toml", true},
		{"", "by_env.toml", "both", "home", "by_env.toml", true},
		{"", "", "both", "home", "both/logwisp.toml", false},
		{"", "", "sub", "home", "sub/logwisp/logwisp.toml", false},
		{"", "", "none", "home", "", false},
		{"", "", "named.toml", "home", "", false}, // a file where a directory should be
		{"", "", "", "home", "home/.config/logwisp.toml", false},
		{"", "", "", "", "", false},
	} {
		in := func(name string) string {
			if name == "" {
				return ""
			}
			return filepath.Join(dir, name)
		}
		env := map[string]string{"LOGWISP_CONFIG_FILE": in(c.variable), "XDG_CONFIG_HOME": in(c.xdg), "HOME": in(c.home)}
		path, explicit, err := configFile(in(c.flag), func(name string) string { return env[name] })
		if path == "/etc/logwisp/logwisp.toml" && c.want == "" {
			continue // this machine has one
		}
		if path != in(c.want) || explicit != c.explicit || err != nil {
			t.Errorf("%+v: %q, %v, %v", c, path, explicit, err)
		}
	}
	relative := map[string]string{"XDG_CONFIG_HOME": "both", "HOME": filepath.Join(dir, "home")}
	if path, _, _ := configFile("", func(name string) string { return relative[name] }); path != filepath.Join(dir, "home/.config/logwisp.toml") {
		t.Errorf("relative XDG_CONFIG_HOME gives %q", path)
	}
}

func TestUnusableConfigFileIsAnErrorThatNamesWhoNamedIt(t *testing.T) {
	dir := t.TempDir()
	locked := filepath.Join(dir, "locked.toml")
	if err := os.WriteFile(locked, nil, 0); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "logwisp.toml"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		flag string
		env  map[string]string
		want []string
		root bool // holds for root as well
	}{
		{dir + "/none.toml", nil, []string{"--config names " + dir + "/none.toml", "does not exist"}, true},
		{"", map[string]string{"LOGWISP_CONFIG_FILE": dir + "/none.toml"}, []string{"LOGWISP_CONFIG_FILE names ", "does not exist"}, true},
		{dir, nil, []string{"--config names " + dir, "is a directory"}, true},
		{"", map[string]string{"XDG_CONFIG_HOME": dir}, []string{dir + "/logwisp.toml", "is a directory"}, true},
		{locked, nil, []string{"--config names " + locked, "permission denied"}, false},
	} {
		if !c.root && os.Geteuid() == 0 {
			continue
		}
		_, _, err := configFile(c.flag, func(name string) string { return c.env[name] })
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q %v: error %v, want %q in it", c.flag, c.env, err, want)
			}
		}
	}
}

func TestNearestFindsTypingErrorsAndNothingElse(t *testing.T) {
	commands := []string{"run", "check", "config", "tail", "status", "clients", "healthcheck", "version"}
	for name, want := range map[string]string{
		"chekc": "check", "chek": "check", "tial": "tail", "tai": "tail", "rnu": "run", "STATUS": "status",
		"helthchekc": "healthcheck", "conf": "config", "verzión": "version", "x": "", "": "", "app.log": "", "/var/log": "",
		"checkered": "", "runner": "",
	} {
		if got := nearest(name, commands); got != want {
			t.Errorf("nearest(%q) = %q, want %q", name, got, want)
		}
	}
	if got := nearest("rum", []string{"", "sum", "run"}); got != "sum" {
		t.Errorf("of equally near ones: %q, want the first", got)
	}
}
