package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"logwisp/bench/freeport"
)

const (
	secureBytes = 96 << 20 // of the log; what is served of it is longer
	secureTime  = 30 * time.Second
	secureLeast = 1 << 30 // bytes that are read in all, by few clients several times
)

// secureRow has LogWisp and nginx send the same bytes over TLS 1.3 to the same
// clients: LogWisp from its ring, nginx from a file in the page cache. Generating
// the log, reading and encoding it are over by then.
var secureRow = row{
	name: "tls",
	figures: []figure{
		{what: "bytes/s over TLS from the ring to 1 client, against nginx with the same bytes in a file", bound: 0.7, least: true},
		{what: "the same to 10 clients", bound: 0.7, least: true},
	},
	once: func(ctx context.Context, t *tools, i int) ([]value, error) {
		s, err := t.startSecure(ctx)
		if err != nil {
			return nil, err
		}
		defer s.close()
		var values []value
		for _, clients := range []int{1, 10} {
			var own, nginx served
			err := inTurns(i, func() (err error) {
				own, err = s.serve(ctx, clients, s.daemon.processor, s.overTCP)
				return err
			}, func() (err error) {
				nginx, err = s.serve(ctx, clients, s.nginx.processorOfAll, s.overHTTP)
				return err
			})
			if err != nil {
				return nil, err
			}
			say("%d clients: LogWisp %s; nginx %s", clients, own, nginx)
			values = append(values, value{v: own.rate / nginx.rate, note: fmt.Sprintf("%s times its processor time a byte", short(own.cost/nginx.cost))})
		}
		return values, nil
	},
}

// secured are the two servers and what they serve.
type secured struct {
	daemon *daemon
	nginx  *process
	port   string // of nginx
	size   int64  // of what is served
	trust  *tls.Config
}

// served is how fast something was sent, and what it cost its server.
type served struct {
	rate float64 // bytes/s
	cost float64 // processor seconds per GB
}

func (s served) String() string {
	return fmt.Sprintf("%.0f MB/s, %.2f processor s/GB", s.rate/1e6, s.cost)
}

func (s *secured) close() {
	if s.nginx != nil {
		s.nginx.stop()
	}
	if s.daemon != nil {
		s.daemon.close()
	}
}

// startSecure starts a daemon that holds a log in its ring, and an nginx that
// has the same in a file. The caller closes both.
func (t *tools) startSecure(ctx context.Context) (_ *secured, err error) {
	path, err := find("nginx", "nginx-light")
	if err != nil {
		return nil, err
	}
	lines, err := t.haveLog("tls.log", secureBytes)
	if err != nil {
		return nil, err
	}
	s := &secured{}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.trust, err = t.certificate(); err != nil {
		return nil, err
	}
	s.daemon, err = t.startDaemon(ctx, func(dir string) error {
		config := fmt.Sprintf("[tcpserver]\nhandshake = \"required\"\n[tcpserver.tls]\nenabled = true\ncert_file = %q\nkey_file = %q\n", t.dir+"/cert.pem", t.dir+"/key.pem")
		return errors.Join(
			os.WriteFile(filepath.Join(filepath.Dir(dir), "logwisp.toml"), []byte(config), 0o600),
			os.Link(t.dir+"/tls.log", dir+"/tls.log"))
	}, "--from-start", "--ring-bytes", "512MiB")
	if err != nil {
		return nil, err
	}
	if err := s.daemon.reaches(ctx, "the ring is filled", func(s status) bool { return s.Totals.Entries == lines }); err != nil {
		return nil, err
	}
	if err := s.keep(t.dir+"/served", lines); err != nil {
		return nil, err
	}
	return s, s.startNginx(path, t.dir)
}

// keep writes what the daemon sends into a file of a new directory, as it comes.
func (s *secured) keep(dir string, lines uint64) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.Create(dir + "/log")
	if err != nil {
		return err
	}
	defer f.Close()
	r, err := s.overTCP()
	if err != nil {
		return err
	}
	defer r.Close()
	buf := make([]byte, 1<<20)
	for got := uint64(0); got < lines; {
		n, err := r.Read(buf)
		if err != nil {
			return fmt.Errorf("read the entries: %w", err)
		}
		got += uint64(bytes.Count(buf[:n], []byte("\n")))
		if _, err := f.Write(buf[:n]); err != nil {
			return err
		}
		s.size += int64(n)
	}
	return f.Sync() // the disk is not busy with it later
}

// nginxConfig is Debian's but for what it needs to run anywhere. %[1]s is a
// directory.
const nginxConfig = `
daemon off;
worker_processes auto;
pid %[1]s/nginx.pid;
error_log %[1]s/nginx.err;
events { worker_connections 768; }
http {
	sendfile on;
	tcp_nopush on;
	access_log off;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	server {
		listen 127.0.0.1:%[2]s ssl;
		root %[1]s/served;
		ssl_certificate %[1]s/cert.pem;
		ssl_certificate_key %[1]s/key.pem;
		ssl_protocols TLSv1.3;
	}
}
`

func (s *secured) startNginx(path, dir string) (err error) {
	if s.port, err = freeport.One(); err != nil {
		return err
	}
	config := dir + "/nginx.conf"
	user := "" // whoever runs it may read the directory
	if os.Geteuid() == 0 {
		user = "user root;\n"
	}
	if err := os.WriteFile(config, fmt.Appendf([]byte(user), nginxConfig, dir, s.port), 0o600); err != nil {
		return err
	}
	if s.nginx, err = start(exec.Command(path, "-c", config, "-e", dir+"/nginx.err")); err != nil {
		return err
	}
	return until(context.Background(), "nginx answers", 10*time.Second, func() (bool, error) {
		r, err := s.overHTTP()
		if err != nil {
			return false, nil // it is not up yet
		}
		return true, r.Close()
	})
}

// open connects over TLS and says something.
func (s *secured) open(address, text string) (*tls.Conn, *bufio.Reader, error) {
	c, err := tls.Dial("tcp", address, s.trust)
	if err != nil {
		return nil, nil, err
	}
	_ = c.SetDeadline(time.Now().Add(secureTime))
	if got := c.ConnectionState(); got.Version != tls.VersionTLS13 || got.CipherSuite != tls.TLS_AES_128_GCM_SHA256 {
		c.Close()
		return nil, nil, fmt.Errorf("%s speaks %s with %s, want TLS 1.3 with AES-128-GCM", address,
			tls.VersionName(got.Version), tls.CipherSuiteName(got.CipherSuite))
	}
	if _, err := io.WriteString(c, text); err != nil {
		c.Close()
		return nil, nil, err
	}
	return c, bufio.NewReaderSize(c, 4<<10), nil
}

// stream is a connection behind what comes before the entries.
type stream struct {
	*bufio.Reader
	net.Conn
}

func (s stream) Read(p []byte) (int, error) {
	if s.Buffered() > 0 {
		return s.Reader.Read(p[:min(len(p), s.Buffered())])
	}
	return s.Conn.Read(p)
}

// overTCP returns a client of the daemon, to which all entries come.
func (s *secured) overTCP() (io.ReadCloser, error) {
	c, r, err := s.open(s.daemon.tcp, `{"hello":1,"from":"earliest"}`+"\n")
	if err != nil {
		return nil, err
	}
	if line, err := r.ReadString('\n'); err != nil || !strings.HasPrefix(line, `{"type":"connected"`) {
		c.Close()
		return nil, fmt.Errorf("answer to the hello: %.100q, %v", line, err)
	}
	return stream{r, c}, nil
}

// overHTTP returns a client of nginx, which has asked for the file.
func (s *secured) overHTTP() (io.ReadCloser, error) {
	c, r, err := s.open("127.0.0.1:"+s.port, "GET /log HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
	if err != nil {
		return nil, err
	}
	for first := true; ; first = false {
		line, err := r.ReadString('\n')
		if err != nil || first && line != "HTTP/1.1 200 OK\r\n" {
			c.Close()
			return nil, fmt.Errorf("answer of nginx: %.100q, %v", line, err)
		}
		if line == "\r\n" {
			return stream{r, c}, nil
		}
	}
}

// serve has all of it read by so many clients at once, again and again until it
// is enough to be measured.
func (s *secured) serve(ctx context.Context, clients int, processor func() (time.Duration, error), open func() (io.ReadCloser, error)) (served, error) {
	rounds := max(1, secureLeast/(int(s.size)*clients))
	before, err := processor()
	if err != nil {
		return served{}, err
	}
	begin := time.Now()
	var readers sync.WaitGroup
	failed := make([]error, clients)
	for i := range failed {
		readers.Go(func() {
			for n := 0; n < rounds && failed[i] == nil; n++ {
				failed[i] = errors.Join(s.readAll(open), ctx.Err())
			}
		})
	}
	readers.Wait()
	if err := errors.Join(failed...); err != nil {
		return served{}, err
	}
	took := time.Since(begin)
	after, err := processor()
	total := float64(s.size) * float64(rounds*clients)
	return served{rate: total / took.Seconds(), cost: (after - before).Seconds() / (total / 1e9)}, err
}

func (s *secured) readAll(open func() (io.ReadCloser, error)) error {
	r, err := open()
	if err != nil {
		return err
	}
	defer r.Close()
	buf := make([]byte, 64<<10)
	for left := s.size; left > 0; {
		n, err := r.Read(buf)
		if left -= int64(n); err != nil && left > 0 {
			return fmt.Errorf("%d bytes are missing: %w", left, err)
		}
	}
	return nil
}
