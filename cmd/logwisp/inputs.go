package main

import (
	"errors"
	"reflect"
	"slices"
	"strings"

	"logwisp/netio"
	"logwisp/netio/ingest"
	"logwisp/tail"
)

// stdin is the target, and the URL of the input, that means standard input.
const stdin = "-"

// newInput returns the input of that URL with the defaults of everything else.
func newInput(url string) ingest.Options {
	var o ingest.Options
	setDefaults(settingsOf(reflect.TypeFor[ingest.Options]()), reflect.ValueOf(&o).Elem())
	o.URL = url
	return o
}

// inputsVariable reads LOGWISP_INPUTS. What is wrong with its URLs is said by
// checkInputs.
func (s *settings) inputsVariable(value string) error {
	urls := splitURLs(value)
	if len(urls) == 0 {
		return errors.New("want URLs, separated by commas")
	}
	s.Inputs = nil
	for _, url := range urls {
		s.Inputs = append(s.Inputs, newInput(url))
	}
	return nil
}

// setInputs takes the inputs of the command line, if there are any, and makes
// one of the target that means standard input. It is called behind setTargets.
func (s *settings) setInputs(urls []string) {
	if len(urls) > 0 {
		s.Inputs = nil
		for _, url := range urls {
			s.Inputs = append(s.Inputs, newInput(url))
		}
		s.origins.replace("inputs", "--input")
	}
	files := []tail.Target{} // none at all is no reason for the default
	if s.origins.of("monitor.targets") == "default" && len(s.Inputs) > 0 && len(s.received()) == 0 {
		s.Monitor.Targets = nil // a hub has no files unless it is told so
	}
	for _, t := range s.Monitor.Targets {
		if t.Path != stdin || t.Pattern != "" || t.IsFile {
			files = append(files, t)
			continue
		}
		if slices.ContainsFunc(s.Inputs, func(o ingest.Options) bool { return o.URL == stdin }) {
			continue
		}
		if len(s.Inputs) == 0 {
			s.origins["inputs"] = s.origins.of("monitor.targets")
		}
		in := newInput(stdin)
		in.Format, in.Regex, in.Tags, in.Timezone = t.Format, t.Regex, t.Tags, t.Timezone
		in.MaxLineBytes = s.Monitor.MaxLineBytes
		s.Inputs = append(s.Inputs, in)
	}
	s.Monitor.Targets = files
}

// checkInputs returns what is wrong with the inputs, wherever they are from:
// all of it is bad configuration.
func (s *settings) checkInputs() []problem {
	var problems []problem
	origin := s.origins.of("inputs")
	standard := 0
	for i := range s.Inputs {
		in := &s.Inputs[i]
		err := error(nil)
		if isStream(*in) {
			err = checkStream(in)
		} else {
			err = in.Check()
		}
		if in.URL == stdin {
			if standard++; standard == 2 {
				err = errors.New(`input "-": standard input can be read by one input only: leave the others out`)
			}
		}
		if err == nil {
			continue
		}
		p := problem{Where: origin}
		if origin == "--input" {
			p.layer = layerFlags
		}
		if path := elementKey("inputs", i); s.file != "" && strings.HasPrefix(origin, s.file) {
			p = s.at(path)
		}
		p.Message = err.Error()
		if scheme, rest, ok := strings.Cut(in.URL, "://"); ok {
			if near := nearest(scheme, ingest.Schemes); near != "" && near != scheme {
				p.Hint = "did you mean " + netio.ShownURL(near+"://"+rest) + "?"
			}
		}
		problems = append(problems, p)
	}
	return problems
}

// serves says where entries come from, for people.
func (s *settings) serves() string {
	return strings.Join(slices.DeleteFunc([]string{s.targets(), strings.ReplaceAll(s.inputsText(), ",", " ")},
		func(text string) bool { return text == "" }), " and ")
}

// inputsText is what LOGWISP_INPUTS would be, without what is secret.
func (s *settings) inputsText() string {
	return urlsText(s.Inputs, func(in *ingest.Options) string { return in.URL })
}

// urlsText is what a variable has of inputs or outputs: their URLs, as they may be
// seen.
func urlsText[T any](all []T, url func(*T) string) string {
	var urls []string
	for i := range all {
		urls = append(urls, netio.ShownURL(url(&all[i])))
	}
	return strings.Join(urls, ",")
}
