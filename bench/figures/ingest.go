package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

const (
	ingestBytes  = 1 << 30
	rsyslogBytes = 64 << 20
	countTime    = 30 * time.Second // for one system to send all of it
	countFirst   = 10 * time.Second // until something comes
	countSilence = 2 * time.Second  // then nothing more comes
)

var ingestRow = row{
	name: "ingest",
	figures: []figure{
		{what: "ingest of a 1 GiB log, 1 TCP reader, lines/s against tail -n +1 into nc", bound: 0.6, least: true},
		{what: "the same against rsyslog imfile (64 MiB of it)", bound: 8, least: true},
	},
	once: func(ctx context.Context, t *tools, i int) ([]value, error) {
		lines, err := t.haveLog("ingest.log", ingestBytes)
		if err != nil {
			return nil, err
		}
		var own, shell, rsyslog float64
		var ownErr, shellErr, rsyslogErr error
		err = inTurns(i, func() error {
			own, ownErr = t.ingestDaemon(ctx, lines)
			return ctx.Err()
		}, func() error {
			shell, shellErr = t.ingestPipe(ctx, lines)
			rsyslog, rsyslogErr = t.ingestRsyslog(ctx)
			return ctx.Err()
		})
		say("lines/s: LogWisp %.0f (%v), tail | nc %.0f (%v), rsyslog %.0f (%v)", own, ownErr, shell, shellErr, rsyslog, rsyslogErr)
		return []value{
			{v: own / shell, void: errors.Join(shellErr, ownErr)},
			{v: own / rsyslog, void: errors.Join(rsyslogErr, ownErr)},
		}, err
	},
}

// haveLog makes a text log of about size bytes in t.dir unless it is there, and
// returns its lines. It is left in the page cache and clean.
func (t *tools) haveLog(name string, size int) (uint64, error) {
	if n, ok := t.logs[name]; ok {
		return n, nil
	}
	const rounds = 16
	var block []byte
	at := time.Now().UTC()
	for n := 0; len(block) < size/rounds; n++ {
		begin := len(block)
		at = at.Add(time.Millisecond)
		block = at.AppendFormat(block, "2006-01-02 15:04:05.000")
		block = fmt.Appendf(block, " INFO request %08d served path=/api/v1/orders/%d status=200 bytes=%d upstream=10.0.%d.%d:8080 agent=Mozilla/5.0 ",
			n, n%9973, n%65521, n%7, n%251)
		for len(block)-begin < 194 {
			block = append(block, "abcdefghijklmnop"[len(block)%16])
		}
		block = append(block, '\n')
	}
	f, err := os.Create(t.dir + "/" + name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for range rounds {
		if _, err := f.Write(block); err != nil {
			return 0, err
		}
	}
	if err := f.Sync(); err != nil { // the disk is busy now, not while it is measured
		return 0, err
	}
	t.logs[name] = uint64(bytes.Count(block, []byte("\n"))) * rounds
	return t.logs[name], nil
}

// count reads newlines from conn until there are want of them, nothing more
// comes, or the end, and returns how many and when the last came.
func count(conn *net.TCPConn, want uint64) (got uint64, last time.Time, err error) {
	buf := make([]byte, 1<<20)
	limit := time.Now().Add(countTime)
	for got < want && time.Now().Before(limit) {
		patience := countSilence
		if got == 0 {
			patience = countFirst
		}
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		n, err := conn.Read(buf)
		if n > 0 {
			got += uint64(bytes.Count(buf[:n], []byte("\n")))
			last = time.Now()
		}
		if errors.Is(err, io.EOF) || errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			return got, last, err
		}
	}
	if got != want {
		return got, last, fmt.Errorf("%d of %d lines dropped", want-min(got, want), want)
	}
	return got, last, nil
}

// ingestDaemon returns the lines a second that one client gets of the file. It
// appears when the client is there: before, nobody would hold the daemon back.
func (t *tools) ingestDaemon(ctx context.Context, lines uint64) (float64, error) {
	d, err := t.startDaemon(ctx, nil, "--from-start")
	if err != nil {
		return 0, err
	}
	defer d.close()
	conn, err := d.subscribe(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	from, to := t.dir+"/ingest.log", d.log("ingest.log")
	begin := time.Now()
	if err := os.Rename(from, to); err != nil {
		return 0, err
	}
	got, last, err := count(conn, lines)
	if back := os.Rename(to, from); back != nil {
		return 0, back
	}
	return float64(got) / last.Sub(begin).Seconds(), err
}

func (t *tools) ingestPipe(_ context.Context, lines uint64) (float64, error) {
	begin := time.Now()
	p, err := startPipe("-n", "+1", t.dir+"/ingest.log")
	if err != nil {
		return 0, err
	}
	defer p.close()
	got, last, err := count(p.conn, lines)
	return float64(got) / last.Sub(begin).Seconds(), err
}
