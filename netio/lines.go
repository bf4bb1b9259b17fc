package netio

import (
	"strconv"

	"logwisp/ring/record"
)

// JSONLines returns the form of raw JSON lines: entries as the ring has them,
// with ids behind a first key "id", and control lines that have a key "type".
// With notices the stream tells of losses and its end.
func JSONLines(notices, ids bool) *Form {
	f := &Form{Name: "json", Heartbeat: appendHeartbeatLine}
	if ids {
		f.Entry = AppendWithID
	}
	if notices {
		f.Drop = func(dst []byte, d *record.Drop) []byte { return append(d.AppendJSON(dst, true), '\n') }
		f.Gap = func(dst []byte, g *record.Gap) []byte { return append(g.AppendJSON(dst, true), '\n') }
		f.Reset = func(dst []byte, reason string) []byte {
			return record.AppendLine(dst, record.Reset{Type: "reset", Reason: reason})
		}
		f.Disconnect = func(dst []byte, reason string) []byte {
			return record.AppendLine(dst, record.Disconnect{Type: "disconnect", Reason: reason})
		}
	}
	return f
}

func appendHeartbeatLine(dst []byte, _, _ uint64, h *record.Heartbeat) []byte {
	return append(h.AppendJSON(dst), '\n')
}

// AppendWithID appends an entry, which is a JSON object, with its id as the
// first key.
func AppendWithID(dst []byte, epoch, seq uint64, line []byte) []byte {
	dst = append(dst, `{"id":"`...)
	dst = record.AppendID(dst, epoch, seq)
	dst = append(dst, `",`...)
	return append(dst, line[1:]...)
}

// Connected returns what a subscriber is told first.
func (g *Greeting) Connected() record.Connected {
	c := record.Connected{
		ClientID: g.ClientID,
		Epoch:    strconv.FormatUint(g.Epoch, 10),
		Head:     string(record.AppendID(nil, g.Epoch, g.Head)),
		Oldest:   string(record.AppendID(nil, g.Epoch, g.Oldest)),
		Version:  g.Version,
	}
	if g.Resumes {
		c.Resumed = string(record.AppendID(nil, g.Epoch, g.Resumed))
	}
	return c
}
