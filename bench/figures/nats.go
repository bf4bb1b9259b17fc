package main

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"time"

	"logwisp/bench/freeport"
)

var natsRow = row{
	name:    "nats",
	figures: []figure{{what: "server CPU per delivery, 100 TCP clients flat out, against nats-server", bound: 0.5}},
	once: func(ctx context.Context, t *tools, i int) ([]value, error) {
		if t.nats == "" {
			return nil, fmt.Errorf("nats-server: %w", errMissing)
		}
		var own, theirs loaded
		err := inTurns(i, func() (err error) {
			own, err = t.generate(ctx, nil, flatOut("-bin", t.logwisp)...)
			return err
		}, func() (err error) {
			theirs, err = t.loadNATS(ctx)
			return err
		})
		say("CPU s per million: LogWisp %.3f, nats-server %.3f", own.Daemon.CPUPerM, theirs.Daemon.CPUPerM)
		return []value{{v: own.Daemon.CPUPerM / theirs.Daemon.CPUPerM}}, err
	},
}

func flatOut(target ...string) []string {
	return append([]string{"-clients", "100", "-rate", "0", "-duration", "4s"}, target...)
}

// loadNATS loads a NATS server of its own, one line a message.
func (t *tools) loadNATS(ctx context.Context) (loaded, error) {
	port, err := freeport.One()
	if err != nil {
		return loaded{}, err
	}
	p, err := start(exec.Command(t.nats, "-a", "127.0.0.1", "-p", port))
	if err != nil {
		return loaded{}, err
	}
	defer p.stop()
	address := net.JoinHostPort("127.0.0.1", port)
	err = until(ctx, "the NATS server answers", 5*time.Second, func() (bool, error) {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return false, nil
		}
		return true, conn.Close()
	})
	if err != nil {
		return loaded{}, err
	}
	return t.generate(ctx, nil, flatOut("-nats", address, "-pid", strconv.Itoa(p.cmd.Process.Pid))...)
}
