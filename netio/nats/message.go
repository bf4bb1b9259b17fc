package nats

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strconv"
	"time"

	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	maxMessage = 512 << 10 // bytes of entries, unless one alone is longer
	maxEntries = 1 << 16
	headerRoom = 16 << 10 // of what the server allows is left for headers
	plainRoom  = 2 << 10  // of that for the ones that are not of files
	partRoom   = 128      // of a file's headers beside its position
	lineBits   = 20       // J4
)

// message is one to be published.
type message struct {
	data    []byte
	first   string    // id of the first entry
	entries []carried // in data
	parts   []part    // of the files that they came from; nil: of none
	heads   int       // bytes of headers that the parts may take
	name    string    // Nats-Msg-Id, once it is asked for
}

// carried is an entry in a message.
type carried struct {
	seq    uint64
	behind int   // in data
	end    int64 // in its file
	part   int
}

// part is what a message has of one file.
type part struct {
	file  string
	start int64  // where its entries begin
	last  Origin // of the last of them
}

// newMessage returns one that begins with entry seq and has memory for size bytes.
func newMessage(epoch, seq uint64, size int) *message {
	return &message{data: make([]byte, 0, size), first: strconv.FormatUint(epoch, 10) + "-" + strconv.FormatUint(seq, 10)}
}

// rooms are what a message may take, in bytes.
type rooms struct {
	most    int // that the server takes of entries and headers; 0: not known
	largest int // of one entry
	limit   int // of entries, unless one alone is longer
	heads   int // of headers that are of files
	share   int // of what is left of the batch, by subjects: as much may come
}

func (e *Edge) rooms() rooms {
	most := int(e.conn.MaxPayload())
	if most <= 0 { // there is no connection
		return rooms{largest: maxMessage, limit: maxMessage, heads: headerRoom - plainRoom}
	}
	largest := max(most-headerRoom, most/2)
	return rooms{most: most, largest: largest, limit: min(maxMessage, largest), heads: min(headerRoom, most-largest) - plainRoom}
}

// alone reports whether an entry and the headers of its file, 0 if it is of none, fit
// a message.
func (r *rooms) alone(text []byte, head int) bool {
	return r.most == 0 || head == 0 || len(text)+head+plainRoom <= r.most
}

// takes reports whether the message has room for one more entry. Head is what the
// headers of its file take, 0 if they are there already or it is of none.
func (m *message) takes(text []byte, known bool, head int, r *rooms) bool {
	if len(m.data)+len(text) > r.limit || len(m.entries) >= maxEntries || known != (len(m.parts) > 0) {
		return false
	}
	return head == 0 || m.heads+head <= r.heads
}

// roomFor returns how many bytes the headers of a file may take.
func roomFor(o Origin) int { return partRoom + len(o.Position.Position()) }

// partOf returns the number of a file's part, -1 if it has none.
func (m *message) partOf(file string) int {
	if n := len(m.entries); n > 0 && len(m.parts) > 0 {
		if i := m.entries[n-1].part; m.parts[i].file == file {
			return i
		}
	}
	for i := range m.parts {
		if m.parts[i].file == file {
			return i
		}
	}
	return -1
}

// add puts an entry behind the others. Head and start are what the headers of its file
// take and where its entries begin, if it is the first of them.
func (m *message) add(text []byte, seq uint64, o Origin, known bool, head int, start int64) {
	e := carried{seq: seq, behind: len(m.data) + len(text), end: o.End}
	if known {
		if e.part = m.partOf(o.File); e.part < 0 {
			e.part = len(m.parts)
			m.parts = append(m.parts, part{file: o.File, start: start})
			m.heads += head
		}
		m.parts[e.part].last = o
	}
	m.data = append(m.data, text...)
	m.entries = append(m.entries, e)
}

// id returns the Nats-Msg-Id, under which the server throws away what it has stored
// lately: what is of another subject or run, or ends elsewhere in its file, is
// another message, even if it says the same.
func (m *message) id(s *subject) string {
	if m.name == "" {
		m.name = m.first
		if len(m.parts) > 0 {
			m.name = m.parts[0].file + "-" + strconv.FormatInt(m.parts[0].start, 10)
		}
		sum := crc32.Update(crc32.ChecksumIEEE([]byte(s.name+" "+m.first+" ")), crc32.IEEETable, m.data)
		for i := range m.parts {
			var end [8]byte
			binary.LittleEndian.PutUint64(end[:], uint64(m.parts[i].last.End))
			sum = crc32.Update(sum, crc32.IEEETable, end[:])
		}
		m.name += fmt.Sprintf("-%08x", sum)
	}
	return m.name
}

// message returns what is published.
func (m *message) message(e *Edge, s *subject) *client.Msg {
	msg := client.NewMsg(s.name)
	msg.Data = m.data
	msg.Header.Set(jetstream.MsgIDHeader, m.id(s))
	msg.Header.Set(headerHost, e.options.Host)
	if len(m.parts) > 0 {
		msg.Header.Set(headerAt, strconv.FormatInt(time.Now().UnixNano(), 10))
	}
	for i := range m.parts {
		p := &m.parts[i]
		msg.Header.Add(headerFile, string(p.last.Position.Position()))
		msg.Header.Add(headerStart, strconv.FormatInt(p.start, 10))
		msg.Header.Add(headerEnd, strconv.FormatInt(p.last.End, 10))
	}
	return msg
}

// isOf reports whether the message has entries of one of these files.
func (m *message) isOf(files map[string]*late) bool {
	for i := range m.parts {
		if files[m.parts[i].file] != nil {
			return true
		}
	}
	return false
}
