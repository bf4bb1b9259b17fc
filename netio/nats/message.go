package nats

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"time"

	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"logwisp/netio"
)

const (
	maxMessage  = 512 << 10 // bytes of entries, unless one alone is longer
	headerRoom  = 16 << 10  // of what the server allows is left for headers
	maxOthers   = 16        // files beside that of a message, in its headers
	othersFor   = 10 * time.Second
	settleTime  = 100 * time.Millisecond
	lineBits    = 20 // J4
	maxEntries  = 1 << 16
	settleEvery = time.Millisecond
)

// subject is what is known of one source.
type subject struct {
	name  string
	last  uint64     // sequence number of its last message; 0: none
	known bool       // last is
	mine  bool       // this run has published the last one
	acked uint64     // seq of the last entry delivered
	queue []*message // to be published, in order
	end   int64      // of what was stored last, in the file it came from
	file  string
	files []written // that were last written to, newest last
}

// written is how far a file is in the stream.
type written struct {
	file     string
	position []byte
	at       time.Time
}

// message is one to be published.
type message struct {
	data   []byte
	seqs   []uint64
	behind []int   // each entry in data
	ends   []int64 // in the file; nil: there is none
	file   string
	start  int64
	first  string // id of the first entry
	origin Origin // of the last entry
	name   string // Nats-Msg-Id, once it is asked for
}

func (e *Edge) of(name string) *subject {
	s := e.subject[name]
	if s == nil {
		s = &subject{name: name}
		e.subject[name] = s
	}
	return s
}

func (e *Edge) subjectOf(p netio.Parcel, i int) string {
	return subjectOf(e.options.Stream, e.options.Host, p.Source(i))
}

// cut makes messages of what was not delivered yet, and returns the subjects
// that have some.
func (e *Edge) cut(ctx context.Context, p netio.Parcel) (active []*subject, err error) {
	limit := maxMessage
	largest := limit
	if most := int(e.conn.MaxPayload()); most > 0 { // else there is no connection
		largest = max(most-headerRoom, most/2)
		limit = min(limit, largest)
	}
	for _, s := range e.subject {
		s.queue = nil
	}
	var s *subject
	source := ""
	for i := range p.Len() {
		if name := p.Source(i); s == nil || name != source {
			source = name
			s = e.of(subjectOf(e.options.Stream, e.options.Host, name))
		}
		if p.Seq(i) <= s.acked {
			continue
		}
		entry := p.Entries(i, i+1)
		if len(entry) > largest {
			return nil, fmt.Errorf("%w: an entry of %d bytes, the server takes %d with headers (max_payload)", netio.ErrRefused, len(entry), e.conn.MaxPayload())
		}
		o, known := e.originOf(ctx, p.Seq(i))
		if len(s.queue) == 0 {
			active = append(active, s)
		}
		if n := len(s.queue); n == 0 || !s.queue[n-1].takes(entry, o.File, limit) {
			s.queue = append(s.queue, &message{data: make([]byte, 0, min(limit, len(p.Entries(i, p.Len())))), file: o.File, start: s.startOf(o), first: strconv.FormatUint(e.epoch, 10) + "-" + strconv.FormatUint(p.Seq(i), 10)})
		}
		s.queue[len(s.queue)-1].add(entry, p.Seq(i), o, known)
	}
	return active, nil
}

// originOf returns the origin of an entry. It waits a little for all that can be
// known.
func (e *Edge) originOf(ctx context.Context, seq uint64) (Origin, bool) {
	if e.origins == nil {
		return Origin{}, false
	}
	for limit := time.Now().Add(settleTime); ; {
		o, known, settled := e.origins.Origin(seq)
		if settled || time.Now().After(limit) {
			return o, known
		}
		select {
		case <-ctx.Done():
			return o, known
		case <-time.After(settleEvery):
		}
	}
}

// startOf returns where a message begins whose first entry has an origin: where
// the one before it ended.
func (s *subject) startOf(o Origin) int64 {
	if n := len(s.queue); n > 0 && s.queue[n-1].file == o.File {
		return s.queue[n-1].origin.End
	}
	if s.file == o.File && s.end <= o.End {
		return s.end
	}
	return 0
}

func (m *message) takes(entry []byte, file string, limit int) bool {
	return m.file == file && len(m.data)+len(entry) <= limit && len(m.seqs) < maxEntries
}

func (m *message) add(entry []byte, seq uint64, o Origin, known bool) {
	m.data = append(m.data, entry...)
	m.seqs, m.behind = append(m.seqs, seq), append(m.behind, len(m.data))
	if known {
		m.ends, m.origin = append(m.ends, o.End), o
	}
}

// id returns the Nats-Msg-Id.
func (m *message) id() string {
	if m.name == "" {
		m.name = m.first
		if m.file != "" {
			m.name = m.file + "-" + strconv.FormatInt(m.start, 10)
		}
		m.name += fmt.Sprintf("-%08x", crc32.ChecksumIEEE(m.data))
	}
	return m.name
}

// message returns what is published.
func (m *message) message(e *Edge, s *subject) *client.Msg {
	msg := client.NewMsg(s.name)
	msg.Data = m.data
	msg.Header.Set(jetstream.MsgIDHeader, m.id())
	msg.Header.Set(headerHost, e.options.Host)
	if m.file == "" {
		return msg
	}
	msg.Header.Set(headerStart, strconv.FormatInt(m.start, 10))
	msg.Header.Set(headerEnd, strconv.FormatInt(m.origin.End, 10))
	msg.Header.Set(headerAt, strconv.FormatInt(time.Now().UnixNano(), 10))
	msg.Header.Add(headerFile, string(m.origin.Position.Position()))
	for _, w := range slices.Backward(s.files) {
		if w.file != m.file {
			msg.Header.Add(headerFile, string(w.position))
		}
	}
	return msg
}

// stored says that the first message is in the stream, under a number.
func (s *subject) stored(number uint64) {
	m := s.queue[0]
	s.queue = s.queue[1:]
	s.last, s.known, s.mine = number, true, true
	s.acked = max(s.acked, m.seqs[len(m.seqs)-1])
	if m.file == "" {
		return
	}
	s.file, s.end = m.file, m.origin.End
	now := time.Now()
	s.files = slices.DeleteFunc(s.files, func(w written) bool { return w.file == m.file || now.Sub(w.at) > othersFor })
	if len(s.files) > maxOthers {
		s.files = slices.Delete(s.files, 0, len(s.files)-maxOthers)
	}
	s.files = append(s.files, written{m.file, m.origin.Position.Position(), now})
}

// skip takes out of the first message what the stream holds: the entries that
// end before offset end.
func (s *subject) skip(end int64) {
	m := s.queue[0]
	n := 0
	for n < len(m.ends) && m.ends[n] <= end {
		n++
	}
	if n == 0 {
		return
	}
	s.acked = max(s.acked, m.seqs[n-1])
	if n == len(m.seqs) {
		s.queue = s.queue[1:]
		return
	}
	cut := m.behind[n-1]
	m.data, m.seqs, m.ends, m.start, m.name = m.data[cut:], m.seqs[n:], m.ends[n:], end, ""
	m.behind = m.behind[n:]
	for i := range m.behind {
		m.behind[i] -= cut
	}
}

// endOf returns how far a file is in the stream according to a message.
func endOf(last *jetstream.RawStreamMsg, file string) (int64, bool) {
	for i, text := range last.Header.Values(headerFile) {
		var p struct {
			Dev    uint64 `json:"dev"`
			Inode  uint64 `json:"inode"`
			Born   int64  `json:"born"`
			Offset int64  `json:"offset"`
		}
		if json.Unmarshal([]byte(text), &p) != nil || fmt.Sprintf("%x-%x-%x", p.Dev, p.Inode, p.Born) != file {
			continue
		}
		if i == 0 {
			end, err := strconv.ParseInt(last.Header.Get(headerEnd), 10, 64)
			return end, err == nil
		}
		return p.Offset, true
	}
	return 0, false
}
