package ring

import (
	"encoding/binary"
	"strings"
	"time"
	"unsafe"
)

// Pages are cut from blocks, one after the other, so that a page takes what its
// entries take, nothing is copied when it is published, and memory can be used again
// whatever the length of pages.
const (
	// MaxPage is the length in bytes of the longest page that is cut from a block. A
	// longer one has memory of its own, which is not used again.
	MaxPage = 64 << 10
	// PageTarget is the length at which a page is full. 16 to 64 KiB is the flat minimum
	// of the cost per entry.
	PageTarget = MaxPage - pageSpare

	// blockBytes is the length of the blocks of a ring that uses them again. The fewer
	// there are, the fewer pages are short because their block ends.
	blockBytes = 4 * MaxPage
	// pageSpare and blockSpare are how much may be left over: with no more than that, no
	// entry is begun in the page and no page in the block. Four full pages leave no more,
	// unless entries are long.
	pageSpare  = 1 << 10
	blockSpare = 4 * pageSpare
	// alignment is what pages begin at a multiple of, for place to fit in page.last.
	alignment = 16
)

// Builder collects entries for one page. One goroutine owns it. To keep the
// order of a source, all its entries must go through one goroutine.
type Builder struct {
	ring    *Ring
	block   []byte // what pages are cut from; its length is what was cut off
	text    []byte // behind that, unless it has outgrown the block
	meta    []uint64
	longest int    // entry of the page
	headers []page // for the pages to come
	owes    bool   // a page was published without waking readers
	sources uint64
	levels  uint16
}

// NewBuilder returns an empty builder for r.
func (r *Ring) NewBuilder() *Builder { return &Builder{ring: r} }

// Text returns the text collected so far, for one entry to be appended to it
// and the result to be handed to Add.
func (b *Builder) Text() []byte {
	if b.text == nil {
		if b.block == nil {
			b.block = b.ring.block()
		}
		begin := len(b.block)
		b.text = b.block[begin : begin : begin+b.room()]
	}
	return b.text
}

// Add ends one entry: text is what Text returned with one newline-ended entry
// appended. Without a call of Add the appended bytes are forgotten.
func (b *Builder) Add(text []byte, source uint16, level Level) {
	b.longest = max(b.longest, len(text)-len(b.text))
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

// Full reports whether the page should get no more entries: one as long as the
// longest in it might not have room.
func (b *Builder) Full() bool {
	return len(b.meta) > 0 && b.usedUp(b.room()-b.bytes(), pageSpare)
}

// bytes returns what the page takes.
func (b *Builder) bytes() int { return len(b.text) + len(b.meta)*metaBytes }

// room returns what there is for the page in the block, left what is behind the pages
// that were cut from it.
func (b *Builder) room() int { return min(b.left(), MaxPage) }
func (b *Builder) left() int { return cap(b.block) - len(b.block) }

// usedUp reports whether what is left is no more than may be left over, or too
// little for another entry like the longest.
func (b *Builder) usedUp(left, spare int) bool { return left <= spare || left < b.longest+metaBytes }

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
	p := b.header()
	p.stamp = time.Now().UnixNano()
	p.sources, p.levels = b.sources, b.levels
	p.count, p.textLen = uint32(len(b.meta)), uint32(len(b.text))
	b.place(p)
	b.text, b.meta, b.longest, b.sources, b.levels = nil, b.meta[:0], 0, 0, 0
	b.ring.publish(p)
	b.owes = true
}

// place gives p its memory: the next piece of the block, where its text is
// already. From here on the piece belongs to the readers (I4), what is behind it
// to the builder.
func (b *Builder) place(p *page) {
	n, begin := b.bytes(), len(b.block)
	if n > min(b.room(), cap(b.text)) || unsafe.SliceData(b.text) != unsafe.SliceData(b.block[begin:]) {
		b.placeApart(p)
		return
	}
	b.putMeta(b.text)
	p.raw.Store(unsafe.SliceData(b.text))
	n = (n + alignment - 1) &^ (alignment - 1)
	b.block = b.block[:begin+n]
	if b.usedUp(b.left(), blockSpare) {
		p.last = uint16(begin/alignment) + 1 // its release gives the block back (I17)
		n += b.left()
		b.block = nil
	}
	p.size = uint32(n) + headerBytes
}

// placeApart gives p memory of its own, since its text has outgrown what a page may
// have: the text's, when it is at least two thirds used. When it was the block that
// had too little left, it has nobody to give it back: what is left of it counts as p's.
func (b *Builder) placeApart(p *page) {
	n, own := b.bytes(), b.text
	if n > cap(own) || 3*n < 2*cap(own) {
		own = append(newBlock(n), own...)
	}
	b.putMeta(own)
	p.raw.Store(&own[:1][0])
	p.size = uint32(cap(own)) + headerBytes
	if left := b.left(); left < MaxPage && b.block != nil {
		p.size += uint32(left)
		b.block = nil
	}
}

// putMeta writes the meta words behind text, which has the room.
func (b *Builder) putMeta(text []byte) {
	for _, w := range b.meta {
		text = binary.LittleEndian.AppendUint64(text, w)
	}
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
	if n >= MaxPage {
		AdviseHugePages(block)
	}
	return block
}
