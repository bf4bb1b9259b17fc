package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	sd "github.com/coreos/go-systemd/v22/daemon"
	"github.com/dustin/go-humanize"
)

// statusInterval is how often the service manager is told how the daemon is,
// unless its watchdog wants to hear more often.
const statusInterval = 10 * time.Second

// tellManager tells the service manager that the daemon is ready, then how it
// is until the function it returns is called. The files have been found and the
// ports are bound by then. It does nothing without a manager that wants to know
// (NOTIFY_SOCKET, sd_notify(3)).
func (d *daemon) tellManager() (end func()) {
	if os.Getenv("NOTIFY_SOCKET") == "" {
		return func() {}
	}
	interval := statusInterval
	watchdog, err := sd.SdWatchdogEnabled(false)
	if err != nil {
		d.log.Warn("the service manager's watchdog is not served", "error", err)
	}
	if watchdog > 0 {
		interval = min(interval, watchdog/2)
	}
	d.notify(append([]string{sd.SdNotifyReady}, d.pulse()...)...)
	ended := make(chan struct{})
	var telling sync.WaitGroup
	telling.Go(func() {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-ended:
				return
			case <-ticker.C:
				d.notify(d.pulse()...)
			}
		}
	})
	return func() {
		close(ended)
		telling.Wait()
	}
}

// pulse says how the daemon is. The watchdog hears of it while the loops answer,
// as GET /healthz has it, and no longer: then the manager starts a new one.
func (d *daemon) pulse() []string {
	if reasons := d.alive(); len(reasons) > 0 {
		text := strings.Join(reasons, "; ")
		return []string{"STATUS=" + strings.ReplaceAll(text, "\n", " ")} // a newline would end it
	}
	s := d.status()
	return []string{sd.SdNotifyWatchdog, fmt.Sprintf("STATUS=%s files, %s clients, %s entries, %s dropped",
		humanize.Comma(int64(s.Sources.Files)), humanize.Comma(int64(s.Clients.TCP+s.Clients.SSE)),
		humanize.Comma(int64(s.Totals.Entries)), humanize.Comma(int64(s.Totals.Dropped)))}
}

// notify sends assignments to the service manager, if there is one.
func (d *daemon) notify(assignments ...string) {
	if _, err := sd.SdNotify(false, strings.Join(assignments, "\n")); err != nil {
		d.log.Warn("the service manager was not told", "what", assignments, "error", err)
	}
}
