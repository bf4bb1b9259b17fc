package netio

import (
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

func appendHeartbeatLine(dst []byte, _ record.IDs, _ uint64, h *record.Heartbeat) []byte {
	return append(h.AppendJSON(dst), '\n')
}

// AppendWithID appends an entry, which is a JSON object, with its id as the
// first key.
func AppendWithID(dst []byte, ids record.IDs, seq uint64, line []byte) []byte {
	dst = append(dst, `{"id":"`...)
	dst = ids.AppendID(dst, seq)
	dst = append(dst, `",`...)
	return append(dst, line[1:]...)
}

// Connected returns what a subscriber is told first.
func (g *Greeting) Connected() record.Connected {
	c := record.Connected{
		ClientID: g.ClientID,
		Epoch:    g.IDs.Run(),
		Head:     string(g.IDs.AppendID(nil, g.Head)),
		Oldest:   string(g.IDs.AppendID(nil, g.Oldest)),
		Version:  g.Version,
	}
	switch {
	case g.Older != "":
		c.Resumed = g.Older
	case g.Resumes:
		c.Resumed = string(g.IDs.AppendID(nil, g.Resumed))
	}
	return c
}
