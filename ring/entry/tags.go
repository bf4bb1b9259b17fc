package entry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// MaxTags is how many bytes the tags of one target or input may take in an entry.
const MaxTags = 4096

// Members returns tags as the members of a JSON object, without its braces, in
// the order of their keys; nil for none.
func Members(tags map[string]string) ([]byte, error) {
	if len(tags) == 0 {
		return nil, nil
	}
	for key := range tags {
		if key == "" || key[0] == '_' {
			return nil, fmt.Errorf("tag %q: a key must not be empty or begin with _, such keys are LogWisp's own", key)
		}
	}
	object, err := json.Marshal(tags) // sorts the keys
	if err != nil {
		return nil, fmt.Errorf("tags: %w", err)
	}
	if len(object) > MaxTags {
		return nil, fmt.Errorf("tags take %d bytes in every entry: at most %d", len(object), MaxTags)
	}
	return object[1 : len(object)-1], nil
}

// Merge appends the fields object that holds fields, which is nil or an object
// on one line, and the members that fields does not have.
func Merge(dst, fields, members []byte) []byte {
	if end := bytes.LastIndexByte(fields, '}'); end > 0 && len(bytes.TrimSpace(fields[1:end])) > 0 {
		members = without(members, fields)
		if dst = append(dst, fields[:end]...); len(members) > 0 {
			dst = append(dst, ',')
		}
	} else {
		dst = append(dst, '{')
	}
	return append(append(dst, members...), '}')
}

// without leaves those members out whose key fields has: what the line says
// counts.
func without(members, fields []byte) []byte {
	var own, line map[string]json.RawMessage
	if json.Unmarshal(slices.Concat([]byte("{"), members, []byte("}")), &own) != nil {
		return members
	}
	clash := false
	for key := range own {
		quoted, _ := json.Marshal(key)
		clash = clash || bytes.Contains(fields, quoted)
	}
	if !clash || json.Unmarshal(fields, &line) != nil {
		return members
	}
	for key := range line {
		delete(own, key)
	}
	if len(own) == 0 {
		return nil
	}
	object, err := json.Marshal(own)
	if err != nil {
		return members
	}
	return object[1 : len(object)-1]
}
