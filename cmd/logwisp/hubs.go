package main

import (
	"fmt"
	"reflect"
	"slices"

	"logwisp/netio"
	"logwisp/netio/ingest"
	"logwisp/netio/nats"
)

// isStream reports whether an input is a stream of NATS.
func isStream(o ingest.Options) bool { return isNATS(o.URL) }

// received are the inputs that netio/ingest opens.
func (s *settings) received() []ingest.Options {
	return slices.DeleteFunc(slices.Clone(s.Inputs), isStream)
}

// checkStream returns what is wrong with an input that is a stream.
func checkStream(in *ingest.Options) error {
	if _, err := nats.ParseURL(in.URL); err != nil {
		return fmt.Errorf("input %s: %w", netio.ShownURL(in.URL), err)
	}
	plain := newInput(in.URL)
	plain.MaxLineBytes = in.MaxLineBytes
	have, want := reflect.ValueOf(*in), reflect.ValueOf(plain)
	for i := range have.NumField() {
		if key := have.Type().Field(i).Tag.Get("toml"); !reflect.DeepEqual(have.Field(i).Interface(), want.Field(i).Interface()) {
			return fmt.Errorf("input %s: %s is not for a stream, whose messages say what they are: leave it out (credentials and certificates are parameters of the URL)", netio.ShownURL(in.URL), key)
		}
	}
	return nil
}

// newHubs makes the inputs that follow a stream of NATS; nothing is read before
// run. Where such a stream is all there is, its ids are those of the entries.
func (d *daemon) newHubs() error {
	s := d.settings
	for _, in := range s.Inputs {
		if !isStream(in) {
			continue
		}
		o, err := nats.ParseURL(in.URL)
		if err != nil {
			return &refusal{code: exitConfig, lines: []string{err.Error()}}
		}
		alone := len(s.Inputs) == 1 && len(s.Monitor.Targets) == 0 && !s.HTTP.Ingest
		d.alone = alone
		if !alone {
			d.log.Warn("ids are this daemon's own, a client cannot go on with them at another hub: the stream is not its only input", "stream", o.Stream)
		}
		d.hubs = append(d.hubs, nats.NewHub(o, nats.Settings{
			MaxLineBytes: int(in.MaxLineBytes), Filter: s.Filter, Alone: alone,
		}, d.ring, d.log))
	}
	return nil
}

// names are the ids of the entries, nil for the ring's own.
func (d *daemon) names() netio.Names {
	if len(d.hubs) != 1 {
		return nil
	}
	return d.hubs[0].Names()
}

// hubStats are those of all hubs.
func (d *daemon) hubStats() []nats.HubStats {
	var all []nats.HubStats
	for _, h := range d.hubs {
		all = append(all, h.Stats())
	}
	return all
}
