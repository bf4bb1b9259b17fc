package ring

import "sync"

// maxSources is the number of distinct source names that get an id of their
// own; later ones share id 0, which means "look at the text".
const maxSources = 60000

// sourceTable gives names small numbers. Names are never forgotten: the table
// is bounded by maxSources.
type sourceTable struct {
	mu    sync.RWMutex
	ids   map[string]uint16
	names []string
}

func (t *sourceTable) init() {
	t.ids = make(map[string]uint16)
	t.names = []string{""}
}

// Source returns the id of a source name, giving it one when it is new.
// It is 0 when the table is full.
func (r *Ring) Source(name string) uint16 {
	t := &r.sources
	t.mu.RLock()
	id, ok := t.ids[name]
	t.mu.RUnlock()
	if ok {
		return id
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if id, ok := t.ids[name]; ok || len(t.names) > maxSources {
		return id
	}
	id = uint16(len(t.names))
	t.ids[name] = id
	t.names = append(t.names, name)
	return id
}

// SourceName returns the name of a source id, "" for id 0.
func (r *Ring) SourceName(id uint16) string {
	t := &r.sources
	t.mu.RLock()
	defer t.mu.RUnlock()
	if int(id) < len(t.names) {
		return t.names[id]
	}
	return ""
}
