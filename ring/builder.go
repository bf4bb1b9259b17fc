package ring

import (
	"encoding/binary"
	"strings"
	"time"
	"unsafe"
)

// PageTarget is the size in bytes at which a page under construction is full.
// 16 to 64 KiB is the flat minimum of the cost per entry; a single larger entry
// makes a larger page of its own.
const PageTarget = 60 << 10

// Builder collects entries for one page. One goroutine owns it. To keep the
// order of a source, all its entries must go through one goroutine.
type Builder struct {
	ring    *Ring
	text    []byte
	meta    []uint64
	headers []page // for the pages to come
	owes    bool   // a page was published without waking readers
	sources uint64
	levels  uint32
}

// NewBuilder returns an empty builder for r.
func (r *Ring) NewBuilder() *Builder { return &Builder{ring: r} }

// Text returns the text collected so far, for one entry to be appended to it
// and the result to be handed to Add.
func (b *Builder) Text() []byte {
	if b.text == nil {
		b.text = b.ring.block(BlockBytes)
	}
	return b.text
}

// Add ends one entry: text is what Text returned with one newline-ended entry
// appended. Without a call of Add the appended bytes are forgotten.
func (b *Builder) Add(text []byte, source uint16, level Level) {
	if cap(text) == cap(b.text) {
		b.text = b.text[:len(text)] // the same memory: writing no pointer is cheaper while garbage is collected
	} else {
		b.text = text
	}
	b.meta = append(b.meta, metaWord(uint32(len(text)), source, level))
	b.sources |= 1 << (source & 63)
	b.levels |= 1 << level
}

// Len returns the number of entries collected.
func (b *Builder) Len() int { return len(b.meta) }

// Full reports whether the page has reached PageTarget.
func (b *Builder) Full() bool { return len(b.text)+len(b.meta)*metaBytes >= PageTarget }

// Publish makes the collected entries the newest page of the ring, if there are
// any, wakes the readers and starts anew.
func (b *Builder) Publish() {
	b.PublishMore()
	b.Wake()
}

// Wake wakes the readers if PublishMore has left it undone.
func (b *Builder) Wake() {
	if b.owes {
		b.owes = false
		b.ring.wake()
	}
}

// PublishMore is Publish for one who has more to add at once: readers that
// sleep are not woken for every page, which costs more than the page when they
// are quick. The caller calls Publish or Wake before it waits for anything, and
// within a millisecond (I13).
func (b *Builder) PublishMore() {
	if len(b.meta) == 0 {
		return
	}
	block := b.block()
	p := b.header()
	p.stamp = time.Now().UnixNano()
	p.sources, p.levels = b.sources, b.levels
	p.count, p.textLen = uint32(len(b.meta)), uint32(len(b.text))
	p.size = uint32(cap(block)) + headerBytes
	p.raw.Store(&block[0])
	b.meta, b.sources, b.levels = b.meta[:0], 0, 0
	if cap(block) == cap(b.text) && &block[0] == &b.text[:1][0] {
		b.text = nil // handed over: it belongs to the readers now (I4)
	} else {
		b.text = b.text[:0]
		if cap(b.text) > 256<<10 {
			b.text = nil // an oversized entry must not keep its memory
		}
	}
	b.ring.publish(p)
	b.owes = true
}

// header returns an empty page. Headers are allocated many at a time: the slots
// keep those of released pages, and a garbage collection looks at every object.
func (b *Builder) header() *page {
	if len(b.headers) == 0 {
		b.headers = make([]page, 32)
	}
	p := &b.headers[0]
	b.headers = b.headers[1:]
	return p
}

// newBlock returns an empty slice with room for n bytes, which are not cleared:
// it is filled before it is read. A strings.Builder is the one way to get such
// memory; nobody else has the string.
func newBlock(n int) []byte {
	var b strings.Builder
	b.Grow(n)
	b.WriteByte(0)
	block := unsafe.Slice(unsafe.StringData(b.String()), n)[:0]
	if n >= BlockBytes {
		AdviseHugePages(block)
	}
	return block
}

// block returns text and meta words in one block: the builder's own buffer when
// it is at least two thirds used, else a copy of about its length, so that a short
// page never pins a large buffer.
func (b *Builder) block() []byte {
	n := len(b.text) + len(b.meta)*metaBytes
	block := b.text
	if n > cap(block) || 3*n < 2*cap(block) {
		block = append(b.ring.block(n), b.text...)
	}
	for _, w := range b.meta {
		block = binary.LittleEndian.AppendUint64(block, w)
	}
	return block
}
