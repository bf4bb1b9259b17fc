package main

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
)

// reloads is what has become of the configuration since the start.
type reloads struct {
	mu       sync.Mutex
	loadedAt time.Time
	from     fileRead
	problem  string // of the last try, "" when it went well
	done     uint64
	failed   uint64
}

// applied are the keys that a reload changes, and those below them. The others
// take a restart.
var applied = append([]string{
	"auth", "acl", "logging.level", "filter",
	"monitor.targets", "monitor.check_interval_ms", "monitor.rotate_wait_ms", "monitor.partial_flush_ms",
	"monitor.max_line_bytes", "monitor.max_files", "monitor.source_name",
	"httpserver.retry_ms", "httpserver.allowed_hosts", "httpserver.cors_origins", "httpserver.trusted_proxies",
}, ofBoth(
	"heartbeat", "max_clients", "max_clients_per_ip", "slow_timeout_seconds", "send_buffer",
	"max_connects_per_minute", "max_connects_per_minute_per_ip", "connects_exempt",
	"tls.cert_file", "tls.key_file", "tls.client_ca_file", "tls.min_version",
)...)

// ofBoth returns keys of the TCP server and the HTTP server.
func ofBoth(keys ...string) (all []string) {
	for _, key := range keys {
		all = append(all, "tcpserver."+key, "httpserver."+key)
	}
	return all
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
		err = d.reloads.from.goesOnWith(next)
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
	r.from = fileRead{next.file, next.size}
	more := d.settings.differsFrom(next)
	if d.lineLimit(next) != next.Monitor.MaxLineBytes {
		more = append(more, "monitor.max_line_bytes")
	}
	if len(more) > 0 {
		d.log.Warn("configuration reloaded; what else has changed takes a restart", "keys", strings.Join(more, " "))
	} else {
		d.log.Info("configuration reloaded")
	}
}

// fileRead is the configuration file that settings are from.
type fileRead struct {
	path string // "" = none
	size int    // bytes
}

// goesOnWith refuses settings that are not from the file in effect: without it, with
// what another one says, or with one that somebody is about to write, tokens and
// all else would be gone.
func (was fileRead) goesOnWith(next *settings) error {
	switch {
	case was.path == "":
		return nil
	case next.file == "":
		return fmt.Errorf("%s is gone: put it back, or restart to go on without it", was.path)
	case next.file != was.path:
		return fmt.Errorf("the configuration would be that of %s instead of %s: restart to have it so", next.file, was.path)
	case next.size == 0 && was.size > 0:
		return fmt.Errorf("%s is empty: write something into it, a comment will do", was.path)
	}
	return nil
}

// apply puts the settings of next into effect that can be changed. All that can
// fail is done before anything changes, so that there is never half of them.
func (d *daemon) apply(next *settings) error {
	var steps []func()
	var errs []error
	prepare := func(name string, reload func() (func(), error)) {
		step, err := reload()
		if err != nil {
			if name != "" {
				err = fmt.Errorf("%s: %w", name, err)
			}
			errs = append(errs, err)
		}
		steps = append(steps, step)
	}
	if d.alone && len(next.Monitor.Targets) > 0 {
		errs = append(errs, errors.New("monitor.targets: a stream is all that this daemon reads, and its ids are those of the entries, for every hub: to follow files as well takes a restart"))
	}
	prepare("", func() (func(), error) { return d.gate.Reload(next.rules()) })
	if d.tcp != nil {
		prepare("tcpserver", func() (func(), error) { return d.tcp.Reload(next.TCP) })
	}
	if d.web != nil {
		prepare("httpserver", func() (func(), error) { return d.web.Reload(next.HTTP) })
	}
	prepare("", func() (func(), error) { return d.inputs.Reload(next.Filter, next.received()) })
	monitor := next.Monitor
	monitor.Filter, monitor.MaxLineBytes = next.Filter, d.lineLimit(next)
	prepare("", func() (func(), error) { return d.watcher.Reload(monitor) })
	for _, g := range d.outputs.sure {
		prepare("", func() (func(), error) { return g.reload(monitor) })
	}
	for _, h := range d.hubs {
		prepare("", func() (func(), error) { return h.Reload(next.Filter) })
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	restricted := d.gate.Restricted()
	for _, step := range steps {
		step()
	}
	if restricted && !d.gate.Restricted() {
		d.warnAllOpen()
	}
	d.engine.Recheck()
	d.inputs.Recheck()
	setLogLevel(next.Logging)
	return nil
}

// lineLimit is the max_line_bytes that can be had: the ring of an output with a
// guarantee has room for some lines of the length that was set at the start.
func (d *daemon) lineLimit(next *settings) int64 {
	if len(d.outputs.sure) == 0 {
		return next.Monitor.MaxLineBytes
	}
	return min(next.Monitor.MaxLineBytes, max(guaranteedRing/16, d.settings.Monitor.MaxLineBytes))
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
