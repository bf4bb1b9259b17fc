package main

import (
	"net/netip"
	"path/filepath"
	"time"
)

// peerSource is the source in the entries that a peer is handed ready-made: the
// bytes that a daemon would have made of the lines, so that both carry the same.
const peerSource = "load.log"

// peer returns the address of the peer that is published to, invalid when the
// target is none.
func (o *options) peer() netip.AddrPort {
	if o.nats.IsValid() {
		return o.nats
	}
	return o.nchan
}

// source is the name that entries are to have.
func (o *options) source() string {
	if o.peer().IsValid() {
		return peerSource
	}
	if o.raw {
		return ""
	}
	return filepath.Base(o.file)
}

// openOutput returns where the lines of a run are written, nil for none.
func openOutput(o *options, form *lineForm, b *board) (*appender, error) {
	switch {
	case o.raw:
		return nil, nil
	case o.nats.IsValid():
		return openNATS(o, form, b)
	case o.nchan.IsValid():
		return openNchan(o, form, b)
	default:
		return openAppender(o.file, o, form, b)
	}
}

// entryHead appends what precedes the message of an entry read now.
func entryHead(dst []byte, source string) []byte {
	dst = append(dst, timeHead...)
	dst = time.Now().UTC().AppendFormat(dst, timeLayout)
	return append(dst, `","source":"`+source+`",`+messageKey...)
}

// appendEntry appends the entry of a line that needs no escapes.
func appendEntry(dst, head, line []byte) []byte {
	return append(append(append(dst, head...), line...), '"', '}')
}
