package forward

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"logwisp/netio"
)

const (
	// requestTimeout is how long one request may take, its answer included.
	requestTimeout = 30 * time.Second
	// maxAnswer and maxAnswerEach are how many bytes of an answer are read, and how
	// many more for each entry, on which there may be a word.
	maxAnswer     = 4 << 20
	maxAnswerEach = 4 << 10
	// shownAnswer is how many bytes of one are shown.
	shownAnswer = 200
)

// webSender posts batches. A success is the acknowledgement.
type webSender struct {
	options *Options
	preset  *preset
	address string
	user    *url.Userinfo
	host    string
	client  http.Client

	encode encoding
	body   []byte // a batch in the preset's form
	packed bytes.Buffer
	gzip   *gzip.Writer
	zstd   *zstd.Encoder
}

func newWebSender(o *Options, u *url.URL) *webSender {
	s := &webSender{options: o, preset: presets[o.Preset], user: u.User}
	if s.preset == nil {
		s.preset = presets["none"]
	}
	s.address = s.preset.address(*u)
	s.host, _ = os.Hostname()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableCompression = true // answers are short
	s.client = http.Client{
		Transport: transport, Timeout: requestTimeout,
		// A redirection would be followed with GET, and the entries lost.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return s
}

func (s *webSender) close() { s.client.CloseIdleConnections() }

// send posts p. All of it is delivered, or none.
func (s *webSender) send(ctx context.Context, p part) (outcome, error) {
	s.body = s.preset.encode(&s.encode, s.body[:0], p)
	body, err := s.pack(s.body)
	if err != nil {
		return outcome{}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.address, nil)
	if err != nil {
		return outcome{}, err
	}
	open := new(atomic.Int32)
	reader := func() (io.ReadCloser, error) {
		open.Add(1)
		return &posted{Reader: bytes.NewReader(body), open: open}, nil
	}
	r.Body, _ = reader()
	r.GetBody, r.ContentLength = reader, int64(len(body))
	defer func() {
		if open.Load() > 0 || cap(s.body) > 16<<20 { // of what was answered early the rest may still be read
			s.body, s.packed = nil, bytes.Buffer{}
		}
	}()
	if err := s.setHeaders(r, p); err != nil {
		return outcome{}, err
	}
	answer, err := s.client.Do(r)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err // the address may hold a secret
		}
		return outcome{}, fmt.Errorf("post %d entries: %w", p.len(), err)
	}
	defer answer.Body.Close()
	most := int64(maxAnswer + maxAnswerEach*p.len())
	text, err := io.ReadAll(io.LimitReader(answer.Body, most+1))
	if int64(len(text)) > most {
		err = fmt.Errorf("it is longer than %d bytes: set a smaller batch_bytes", most)
	}
	if err != nil {
		return outcome{}, fmt.Errorf("read the answer to %d entries: %w", p.len(), err)
	}
	return s.judge(answer, text, p)
}

// posted is a body, of which it is known whether it is still read.
type posted struct {
	*bytes.Reader
	open   *atomic.Int32
	closed atomic.Bool
}

func (b *posted) Close() error {
	if b.closed.CompareAndSwap(false, true) {
		b.open.Add(-1)
	}
	return nil
}

// judge says what an answer means for p.
func (s *webSender) judge(answer *http.Response, text []byte, p part) (outcome, error) {
	cause := fmt.Sprintf("the answer is %s%s", answer.Status, shown(text))
	switch code := answer.StatusCode; {
	case code >= 200 && code < 300:
		if s.preset.verdict != nil {
			return s.preset.verdict(text, p)
		}
		return outcome{done: p.len()}, nil
	case code == http.StatusRequestEntityTooLarge, code == http.StatusBadRequest, code == http.StatusUnprocessableEntity:
		return outcome{}, &refusal{cause}
	case code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable:
		return outcome{}, &busy{cause, retryAfter(answer.Header.Get("Retry-After"))}
	case code >= 300 && code < 400:
		to, _, _ := strings.Cut(answer.Header.Get("Location"), "?") // behind it may be a secret
		return outcome{}, fmt.Errorf("%s: set url to %s if entries belong there", cause, netio.ShownURL(to))
	}
	return outcome{}, errors.New(cause)
}

// shown is the beginning of an answer on one line, behind a colon.
func shown(text []byte) string {
	text = bytes.TrimSpace(text[:min(len(text), shownAnswer)])
	if len(text) == 0 {
		return ""
	}
	return ": " + strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(string(text), ""))
}

// retryAfter reads the header, in seconds or as a date; 0 = not understood.
func retryAfter(value string) time.Duration {
	if n, err := strconv.Atoi(value); err == nil && n >= 0 {
		return time.Duration(min(n, 3600)) * time.Second
	}
	if t, err := http.ParseTime(value); err == nil {
		return max(0, time.Until(t))
	}
	return 0
}

// setHeaders sets those of the preset, of the token and, last, the user's.
func (s *webSender) setHeaders(r *http.Request, p part) error {
	r.Header.Set("Content-Type", s.preset.contentType)
	r.Header.Set("User-Agent", "LogWisp")
	if s.options.Compress != "" && s.options.Compress != "none" {
		r.Header.Set("Content-Encoding", s.options.Compress)
	}
	token, err := s.options.token()
	if err != nil {
		return err
	}
	switch {
	case token != "" && !s.usesToken():
		scheme := s.preset.tokenScheme
		if scheme == "" {
			scheme = "Bearer"
		}
		r.Header.Set("Authorization", scheme+" "+token)
	case s.user != nil:
		password, _ := s.user.Password()
		r.SetBasicAuth(s.user.Username(), password)
	}
	fill := strings.NewReplacer("{name}", s.options.Label(), "{hostname}", s.host, "{token}", token,
		"{count}", strconv.Itoa(p.len()),
		"{first}", strconv.FormatUint(p.seqs[p.first], 10), "{last}", strconv.FormatUint(p.seqs[p.last-1], 10))
	for name, value := range s.options.Headers {
		value = fill.Replace(value)
		if http.CanonicalHeaderKey(name) == "Host" {
			r.Host = value
		}
		r.Header.Set(name, value)
	}
	return nil
}

// usesToken reports whether a header of the user's has the token in it.
func (s *webSender) usesToken() bool {
	for _, value := range s.options.Headers {
		if strings.Contains(value, "{token}") {
			return true
		}
	}
	return false
}

// pack compresses a body as the settings say.
func (s *webSender) pack(body []byte) ([]byte, error) {
	s.packed.Reset()
	switch s.options.Compress {
	case "gzip":
		if s.gzip == nil {
			s.gzip = gzip.NewWriter(&s.packed)
		}
		s.gzip.Reset(&s.packed)
		if _, err := s.gzip.Write(body); err != nil {
			return nil, err
		}
		err := s.gzip.Close()
		return s.packed.Bytes(), err
	case "zstd":
		if s.zstd == nil {
			var err error
			if s.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1)); err != nil {
				return nil, err
			}
		}
		return s.zstd.EncodeAll(body, s.packed.AvailableBuffer()), nil
	}
	return body, nil
}
