package main

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"sync"

	"logwisp/netio/forward"
	"logwisp/netio/nats"
)

// newOutput returns the output of a URL, with the defaults of everything else.
func newOutput(url string) forward.Options {
	var o forward.Options
	setDefaults(settingsOf(reflect.TypeFor[forward.Options]()), reflect.ValueOf(&o).Elem())
	o.URL = url
	return o
}

func newOutputs(urls []string) []forward.Options {
	var outputs []forward.Options
	for _, url := range urls {
		outputs = append(outputs, newOutput(strings.TrimSpace(url)))
	}
	return outputs
}

// outputsVariable reads LOGWISP_OUTPUTS.
func (s *settings) outputsVariable(value string) error {
	outputs := newOutputs(splitURLs(value))
	for i := range outputs {
		if err := outputs[i].Check(); err != nil {
			return err
		}
	}
	s.Outputs = outputs
	return nil
}

// outputsText is what LOGWISP_OUTPUTS would be.
func (s *settings) outputsText() string {
	return urlsText(s.Outputs, func(o *forward.Options) string { return o.URL })
}

// setOutputs takes the outputs of the command line, if there are any, and
// returns what is wrong with those and with the ones of the file.
func (s *settings) setOutputs(urls []string) []problem {
	if len(urls) > 0 {
		s.Outputs = newOutputs(urls)
		s.origins.replace("outputs", "--output")
	}
	var problems []problem
	var names []string
	for i := range s.Outputs {
		o := &s.Outputs[i]
		p := problem{Where: "--output", layer: layerFlags}
		if variable := variableName("outputs"); len(urls) == 0 && s.origins.of("outputs") == variable {
			p = problem{Where: variable, layer: layerEnvironment}
		} else if len(urls) == 0 {
			p = s.at(elementKey("outputs", i))
		}
		err := o.Check()
		if err == nil && isNATS(o.URL) {
			_, err = nats.ParseURL(o.URL)
			// What the stream holds of a file is known, so nothing needs to be lost.
			o.Guarantee = o.Guarantee || len(s.Inputs) == 0 && !s.HTTP.Ingest
		}
		if err != nil {
			p.Message = err.Error()
			problems = append(problems, p)
		} else if o.Guarantee && (len(s.Inputs) > 0 || s.HTTP.Ingest) {
			p.Message = "guarantee is for files, which can be read again: what an input receives cannot"
			p.Hint = "have another daemon for the inputs, or leave guarantee out"
			problems = append(problems, p)
		} else if slices.Contains(names, o.Label()) {
			p.Message, p.Hint = fmt.Sprintf("output %s is there twice", o.Label()), "give each a name of its own with outputs.name"
			problems = append(problems, p)
		}
		names = append(names, o.Label())
	}
	return problems
}

// outputs are the outputs at work.
type outputs struct {
	all    []*forward.Output
	sure   []*guaranteed // whose outputs are among them
	done   sync.WaitGroup
	cancel context.CancelFunc
}

// reached is forward.Output.Reached of the one that is furthest behind.
func (o *outputs) reached() uint64 {
	seq := uint64(math.MaxUint64)
	for _, out := range o.all {
		seq = min(seq, out.Reached())
	}
	return seq
}

// newOutputs makes the outputs; nothing is sent before start.
func (d *daemon) newOutputs() error {
	for _, o := range d.settings.Outputs {
		if o.Guarantee {
			g, err := newGuaranteed(o, d.settings, d.log)
			if err != nil {
				return err
			}
			d.outputs.sure = append(d.outputs.sure, g)
			d.outputs.all = append(d.outputs.all, g.output)
			continue
		}
		carrier, err := carrierOf(o, d.ring.Epoch(), nil, d.log)
		if err != nil {
			return &refusal{code: exitConfig, lines: []string{fmt.Sprintf("output %s: %v", o.Label(), err)}}
		}
		out, err := forward.NewThrough(carrier, o, d.ring, d.settings.Monitor.ReadFrom == "beginning", d.log)
		if err != nil {
			return &refusal{code: exitConfig, lines: []string{err.Error()}}
		}
		d.outputs.all = append(d.outputs.all, out)
	}
	return nil
}

func (o *outputs) start() {
	ctx, cancel := context.WithCancel(context.Background())
	o.cancel = cancel
	for _, out := range o.all {
		o.done.Go(func() { out.Run(ctx) })
	}
}

// stop has the outputs deliver what is in the ring by now, until ctx ends, and
// gives up what they have.
func (o *outputs) stop(ctx context.Context) {
	if o.cancel != nil {
		defer context.AfterFunc(ctx, o.cancel)()
		for _, out := range o.all {
			out.Drain()
		}
		o.done.Wait()
		o.cancel()
	}
	for _, g := range o.sure {
		g.close()
	}
	o.sure = nil
}

// stats are those of all outputs.
func (o *outputs) stats() []forward.Stats {
	all := []forward.Stats{} // an array in any case
	for _, out := range o.all {
		all = append(all, out.Stats())
	}
	return all
}
