package filter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// UnmarshalJSON reads the filter of a hello line: an object of parameters, each
// value a string or an array of strings. It replaces all of s; null is the
// filter that lets everything pass. A key given twice counts twice. Errors in a
// parameter are *Error; s is to be thrown away then.
func (s *Spec) UnmarshalJSON(text []byte) error {
	*s = Spec{}
	decoder := json.NewDecoder(bytes.NewReader(text))
	switch first, err := decoder.Token(); {
	case err != nil:
		return notObject(err)
	case first == nil:
		return nil
	case first != json.Delim('{'):
		return notObject(fmt.Errorf("it begins with %v", first))
	}
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return notObject(err)
		}
		// Of an object's members the first token is always a string.
		if err := s.member(decoder, key.(string)); err != nil {
			return err
		}
	}
	if _, err := decoder.Token(); err != nil {
		return notObject(err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return notObject(errors.New("more follows it"))
	}
	return nil
}

func notObject(err error) error {
	return fmt.Errorf(`read the filter, a JSON object such as {"level":"warn"}: %w`, err)
}

// member reads the value of one key.
func (s *Spec) member(decoder *json.Decoder, key string) error {
	if key != "level" && s.list(key) == nil {
		return &Error{Parameter: shown(key), Suggestion: nearest(key, names), Err: errors.New("no such filter parameter")}
	}
	wrong := &Error{Parameter: key, Err: errors.New("the value must be a string or an array of strings")}
	token, err := decoder.Token()
	if err != nil {
		return notObject(err)
	}
	if value, ok := token.(string); ok {
		_, err := s.Set(key, value)
		return err
	}
	if token != json.Delim('[') {
		return wrong
	}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return notObject(err)
		}
		value, ok := token.(string)
		if !ok {
			return wrong
		}
		if _, err := s.Set(key, value); err != nil {
			return err
		}
	}
	if _, err := decoder.Token(); err != nil {
		return notObject(err)
	}
	return nil
}
