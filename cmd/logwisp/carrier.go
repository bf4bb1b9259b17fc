package main

import (
	"log/slog"
	"strings"

	"logwisp/netio"
	"logwisp/netio/forward"
	"logwisp/netio/nats"
	"logwisp/tail"
)

// isNATS reports whether a URL leads to a stream of NATS JetStream.
func isNATS(url string) bool { return strings.HasPrefix(url, nats.Scheme+"://") }

// carrierOf returns the way to the counterpart of an output, nil if netio/forward
// knows it itself. origins may be nil.
func carrierOf(o forward.Options, epoch uint64, origins *tail.Origins, log *slog.Logger) (netio.Carrier, error) {
	if !isNATS(o.URL) {
		return nil, nil
	}
	settings, err := nats.ParseURL(o.URL)
	if err != nil {
		return nil, err
	}
	if o.TokenFile != "" {
		settings.TokenFile = o.TokenFile
	}
	if origins == nil {
		return nats.NewEdge(settings, epoch, nil, log.With("output", o.Label()))
	}
	return nats.NewEdge(settings, epoch, filesOrigins{origins}, log)
}

// filesOrigins are tail's as netio/nats wants them.
type filesOrigins struct{ *tail.Origins }

func (o filesOrigins) Origin(seq uint64) (at nats.Origin, known, settled bool) {
	from, known, settled := o.At(seq)
	return nats.Origin{File: from.File, End: from.End, Position: &from}, known, settled
}
