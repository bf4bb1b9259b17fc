package ring

import (
	"encoding/binary"
	"time"
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
	sources uint64
	levels  uint32
}

// NewBuilder returns an empty builder for r.
func (r *Ring) NewBuilder() *Builder { return &Builder{ring: r} }

// Text returns the text collected so far, for one entry to be appended to it
// and the result to be handed to Add.
func (b *Builder) Text() []byte {
	if b.text == nil {
		b.text = make([]byte, 0, 64<<10)
	}
	return b.text
}

// Add ends one entry: text is what Text returned with one newline-ended entry
// appended. Without a call of Add the appended bytes are forgotten.
func (b *Builder) Add(text []byte, source uint16, level Level) {
	b.text = text
	b.meta = append(b.meta, metaWord(uint32(len(text)), source, level))
	b.sources |= 1 << (source & 63)
	b.levels |= 1 << level
}

// Len returns the number of entries collected.
func (b *Builder) Len() int { return len(b.meta) }

// Full reports whether the page has reached PageTarget.
func (b *Builder) Full() bool { return len(b.text)+len(b.meta)*metaBytes >= PageTarget }

// Publish makes the collected entries the newest page of the ring and starts
// anew. It does nothing when there are none.
func (b *Builder) Publish() {
	if len(b.meta) == 0 {
		return
	}
	block := b.block()
	p := &page{
		stamp:   time.Now().UnixNano(),
		sources: b.sources,
		count:   uint32(len(b.meta)),
		textLen: uint32(len(b.text)),
		size:    uint32(cap(block)) + headerBytes,
		levels:  b.levels,
	}
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
}

// block returns text and meta words in one block: the builder's own buffer when
// it is at least half used, else an exact copy, so that a short page never pins
// a large buffer.
func (b *Builder) block() []byte {
	n := len(b.text) + len(b.meta)*metaBytes
	block := b.text
	if n > cap(block) || 2*n < cap(block) {
		block = append(make([]byte, 0, n), b.text...)
	}
	for _, w := range b.meta {
		block = binary.LittleEndian.AppendUint64(block, w)
	}
	return block
}
