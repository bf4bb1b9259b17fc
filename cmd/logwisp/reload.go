package main

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"logwisp/netio/access"
)

// reloads is what has become of the configuration since the start.
type reloads struct {
	mu       sync.Mutex
	loadedAt time.Time
	problem  string // of the last try, "" when it went well
	done     uint64
	failed   uint64
}

// applied are the keys that a reload changes, and those below them. The others
// take a restart.
var applied = []string{
	"auth", "acl", "logging.level",
	"tcpserver.tls.cert_file", "tcpserver.tls.key_file", "tcpserver.tls.client_ca_file", "tcpserver.tls.min_version",
	"httpserver.tls.cert_file", "httpserver.tls.key_file", "httpserver.tls.client_ca_file", "httpserver.tls.min_version",
}

// reload takes the settings that read returns, if nothing is wrong with them:
// else those in effect stay, all of them. Nobody is disconnected but those whose
// right to be here has ended.
func (d *daemon) reload(read func() (*settings, []problem, error)) {
	next, warnings, err := read()
	for _, w := range warnings {
		if w.Warning {
			d.log.Warn("configuration: " + w.String())
		}
	}
	if err == nil {
		err = d.apply(next)
	}
	r := &d.reloads
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.failed++
		r.problem = err.Error()
		for _, line := range strings.Split(err.Error(), "\n") {
			d.log.Error("configuration not reloaded, the one in effect stays", "error", line)
		}
		return
	}
	r.done++
	r.loadedAt, r.problem = next.loadedAt, ""
	if more := d.settings.differsFrom(next); len(more) > 0 {
		d.log.Warn("configuration reloaded; what else has changed takes a restart", "keys", strings.Join(more, " "))
	} else {
		d.log.Info("configuration reloaded")
	}
}

// apply puts the settings of next into effect that can be changed. They have been
// checked; what can fail is what lies in files.
func (d *daemon) apply(next *settings) error {
	for _, r := range []struct {
		name string
		load func() error
	}{
		{"tcpserver", func() error {
			if d.tcp == nil {
				return nil
			}
			return d.tcp.Listeners().Reload(next.TCP.TLS)
		}},
		{"httpserver", func() error {
			if d.web == nil {
				return nil
			}
			return d.web.Listeners().Reload(next.HTTP.TLS)
		}},
	} {
		if err := r.load(); err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
	}
	if err := d.gate.Set(next.rules()); err != nil {
		return err
	}
	d.engine.Recheck(func(who string) bool { return d.gate.Still(who, access.Stream) })
	d.inputs.Recheck(func(who string) bool { return d.gate.Still(who, access.Ingest) })
	setLogLevel(next.Logging)
	return nil
}

// differsFrom lists the keys whose values in next are others, and which a reload
// does not change.
func (s *settings) differsFrom(next *settings) (keys []string) {
	values := func(c *config) map[string]any {
		all := make(map[string]any)
		eachSetting(settingsOf(reflect.TypeFor[config]()), reflect.ValueOf(c).Elem(), "", func(_ *setting, path string, v reflect.Value) {
			if !strings.Contains(path, "[") {
				all[path] = v.Interface()
			}
		})
		return all
	}
	have := values(&s.config)
	for path, value := range values(&next.config) {
		changes := slices.ContainsFunc(applied, func(key string) bool { return path == key || strings.HasPrefix(path, key+".") })
		if !changes && !reflect.DeepEqual(have[path], value) {
			keys = append(keys, path)
		}
	}
	slices.Sort(keys)
	return keys
}
