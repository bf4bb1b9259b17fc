package ring

import (
	"encoding/binary"
	"sync/atomic"
	"unsafe"
)

// page is one published block. All fields but raw are written before the
// publishing compare-and-swap and never again (I4). The struct is one cache
// line and one allocation size class.
type page struct {
	index    uint64 // position in the sequence of pages, from 1
	firstSeq uint64 // seq of the first entry
	start    uint64 // bytes charged to all pages before this one
	stamp    int64  // when the page was published, nanoseconds since 1970
	sources  uint64 // bit (id mod 64) is set for every source in the page
	count    uint32 // entries
	textLen  uint32 // bytes of text at the start of the block
	size     uint32 // bytes charged: those of the text and the meta words, what is left of the block behind its last page, the header
	levels   uint16 // bit l is set for every Level l in the page
	last     uint16 // the page is the last of its block: 1 + where in it it begins, in units of alignment; else 0

	// raw is where textLen bytes of text begin, then one little-endian word per
	// entry. nil = released, for good.
	raw atomic.Pointer[byte]
}

// headerBytes is what a page costs beyond its block.
const headerBytes = uint32(unsafe.Sizeof(page{}))

// metaBytes is the size of the word kept per entry:
// end offset (32 bits), source (16), level (8), unused (8).
const metaBytes = 8

func metaWord(end uint32, source uint16, level Level) uint64 {
	return uint64(end) | uint64(source)<<32 | uint64(level)<<48
}

func (p *page) end() uint64     { return p.start + uint64(p.size) }
func (p *page) nextSeq() uint64 { return p.firstSeq + uint64(p.count) }

// view returns the page as readers see it, or false once it is released.
func (p *page) view() (Page, bool) {
	raw := p.raw.Load()
	if raw == nil {
		return Page{}, false
	}
	block := unsafe.Slice(raw, int(p.textLen)+int(p.count)*metaBytes)
	return Page{
		Text:    block[:p.textLen:p.textLen],
		meta:    block[p.textLen:],
		First:   p.firstSeq,
		Index:   p.index,
		Stamp:   p.stamp,
		Sources: p.sources,
		Levels:  uint32(p.levels),
	}, true
}

// Page is an immutable run of entries. It keeps its memory alive, and with it the
// block that was cut from, for as long as it is referenced, also after the ring has
// released it, so hold it for one write and not for longer.
type Page struct {
	Text    []byte // whole newline-ended entries; never to be written to
	First   uint64 // seq of the first entry
	Index   uint64 // the page's number; two Pages with the same Index are the same
	Stamp   int64  // when it was published, nanoseconds since 1970
	Sources uint64 // bit (id mod 64) is set for every source id in the page
	Levels  uint32 // bit l is set for every Level l in the page

	meta []byte
}

// Count returns the number of entries.
func (p *Page) Count() int { return len(p.meta) / metaBytes }

// End returns the offset in Text behind entry i, 0 <= i < Count.
func (p *Page) End(i int) int {
	return int(binary.LittleEndian.Uint32(p.meta[i*metaBytes:]))
}

// Entry returns entry i with its newline.
func (p *Page) Entry(i int) []byte {
	start := 0
	if i > 0 {
		start = p.End(i - 1)
	}
	return p.Text[start:p.End(i)]
}

// Source returns the source id of entry i.
func (p *Page) Source(i int) uint16 {
	return binary.LittleEndian.Uint16(p.meta[i*metaBytes+4:])
}

// Level returns the level of entry i.
func (p *Page) Level(i int) Level { return Level(p.meta[i*metaBytes+6]) }
