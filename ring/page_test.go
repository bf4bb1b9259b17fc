package ring_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"logwisp/ring"
)

func TestPageTellsTextSourceAndLevelOfEveryEntry(t *testing.T) {
	r := slots(4)
	type entry struct {
		text   string
		source uint16
		level  ring.Level
	}
	want := []entry{
		{"one\n", 1, ring.LevelInfo},
		{"\n", 65535, ring.LevelFatal},
		{"", 0, ring.LevelUnknown},
		{strings.Repeat("x", 3000) + "\n", 63, ring.LevelTrace},
		{"last\n", 64, ring.LevelError},
	}
	b, c := r.NewBuilder(), r.Live()
	for _, e := range want {
		b.Add(append(b.Text(), e.text...), e.source, e.level)
	}
	b.Publish()
	p, _, ok := c.Page()
	if !ok || p.Count() != len(want) || p.First != 1 || p.Index != 1 || p.Stamp == 0 {
		t.Fatalf("ok %v, %d entries from %d, index %d, stamp %d", ok, p.Count(), p.First, p.Index, p.Stamp)
	}
	end := 0
	for i, e := range want {
		end += len(e.text)
		if string(p.Entry(i)) != e.text || p.Source(i) != e.source || p.Level(i) != e.level || p.End(i) != end {
			t.Errorf("entry %d: %q, source %d, level %v, end %d; want %+v, end %d", i, p.Entry(i), p.Source(i), p.Level(i), p.End(i), e, end)
		}
	}
	if len(p.Text) != end {
		t.Errorf("%d bytes of text, want %d", len(p.Text), end)
	}
}

func TestBitmapsShowExactlyWhatThePageHolds(t *testing.T) {
	r := slots(4)
	b, c := r.NewBuilder(), r.Live()
	for _, page := range [][]uint16{{0}, {1, 2, 63}, {64, 130, 65535}, {5}} {
		var sources uint64
		var levels uint32
		for i, s := range page {
			level := ring.Level(i*3) % (ring.LevelFatal + 1)
			b.Add(append(b.Text(), "x\n"...), s, level)
			sources |= 1 << (s % 64)
			levels |= 1 << level
		}
		b.Publish()
		p, _, _ := c.Page()
		if p.Sources != sources || p.Levels != levels {
			t.Errorf("sources %b, levels %b; want %b, %b", p.Sources, p.Levels, sources, levels)
		}
		c.Advance(p.First + uint64(p.Count()))
	}
}

func TestAllReadersGetTheSameBytes(t *testing.T) {
	r := slots(8)
	publish(r, 3, 5)
	live, _ := r.Seek(1)
	mid, _ := r.Seek(2)
	a, _, _ := live.Page()
	b, _, _ := mid.Page()
	if &a.Text[0] != &b.Text[0] || len(a.Text) != len(b.Text) || a.Index != b.Index {
		t.Fatal("the page was copied for a reader")
	}
}

func TestAppendingToTheTextOfAPageChangesNothing(t *testing.T) {
	r := slots(4)
	publish(r, 3)
	c, _ := r.Seek(1)
	p, _, _ := c.Page()
	for n := range 2 * ring.EntryMeta {
		_ = append(p.Text, bytes.Repeat([]byte{0xff}, n)...)
	}
	wantNext(t, &c, 1, 2, 3)
}

func TestPageOutlivesItsRelease(t *testing.T) {
	r := slots(2)
	publish(r, 3)
	c, _ := r.Seek(1)
	p, _, _ := c.Page()
	text := string(p.Text)
	publish(r, ones(10)...)
	if string(p.Text) != text || string(p.Entry(2)) != entryText(3) {
		t.Fatalf("the page became %q", p.Text)
	}
}

func TestEmptyBuilderPublishesNothing(t *testing.T) {
	r := slots(4)
	c := r.Live()
	b := r.NewBuilder()
	b.Publish()
	_ = append(b.Text(), "never added\n"...)
	b.Publish()
	wantEmpty(t, &c)
	b.Add(append(b.Text(), entryText(1)...), 0, ring.LevelInfo)
	b.Publish()
	b.Publish()
	wantNext(t, &c, 1)
	wantEmpty(t, &c)
	if i := ring.HeadIndex(r); i != 1 {
		t.Fatalf("%d pages were published, want 1", i)
	}
}

func TestTextWithoutAddIsForgotten(t *testing.T) {
	r := slots(4)
	b, c := r.NewBuilder(), r.Live()
	b.Add(append(b.Text(), entryText(1)...), 0, ring.LevelInfo)
	_ = append(b.Text(), "given up half way"...)
	b.Add(append(b.Text(), entryText(2)...), 0, ring.LevelInfo)
	_ = append(b.Text(), "given up again"...)
	b.Publish()
	wantNext(t, &c, 1, 2)
	wantEmpty(t, &c)
}

func TestBuilderIsFullAtThePageTarget(t *testing.T) {
	r := slots(4)
	b := r.NewBuilder()
	line := []byte(strings.Repeat("x", 99) + "\n")
	for n := 1; ; n++ {
		b.Add(append(b.Text(), line...), 0, ring.LevelInfo)
		if want := n*(len(line)+ring.EntryMeta) >= ring.PageTarget; b.Full() != want || b.Len() != n {
			t.Fatalf("%d entries: Full %v, want %v; Len %d", n, b.Full(), want, b.Len())
		}
		if b.Full() {
			break
		}
	}
	b.Publish()
	if b.Len() != 0 || b.Full() {
		t.Fatalf("after Publish: Len %d, Full %v", b.Len(), b.Full())
	}
}

// Pages of every fill are cut from blocks, or outgrow them: the builder must write
// to none of them again.
func TestReusedBuilderNeverTouchesAPublishedPage(t *testing.T) {
	r := slots(256)
	rnd := rand.New(rand.NewPCG(1, 2))
	b, c := r.NewBuilder(), r.Live()
	var want [][]byte
	for page := range 200 {
		for size := rnd.IntN(90 << 10); ; {
			line := bytes.Repeat([]byte{byte('a' + page%26)}, 1+rnd.IntN(2000))
			line = append(line, fmt.Sprintf("%d\n", len(want))...)
			b.Add(append(b.Text(), line...), 0, ring.LevelInfo)
			want = append(want, line)
			if size -= len(line); size < 0 {
				break
			}
		}
		b.Publish()
	}
	for i, line := range want {
		p, lost, ok := c.Page()
		if !ok || lost != 0 || !bytes.Equal(p.Entry(int(c.Seq()-p.First)), line) {
			t.Fatalf("entry %d changed after it was published (ok %v, lost %d)", i+1, ok, lost)
		}
		c.Advance(c.Seq() + 1)
	}
}

func TestShortPagesShareABlock(t *testing.T) {
	r := ring.New(ring.Options{Entries: 1024, Bytes: 1 << 30})
	b := r.NewBuilder()
	at, blocks := uintptr(0), 0
	for range 1000 {
		begin := uintptr(unsafe.Pointer(unsafe.SliceData(b.Text())))
		if begin != at {
			blocks++
		}
		b.Add(append(b.Text(), strings.Repeat("x", 199)+"\n"...), 0, ring.LevelInfo)
		b.Publish()
		at = begin + 200 + ring.EntryMeta
	}
	if want := 1000/((ring.MaxPage-ring.BlockSpare)/(200+ring.EntryMeta)) + 1; blocks != want {
		t.Errorf("1000 short pages were cut from %d blocks, want %d", blocks, want)
	}
	least := uint64(1000 * (ring.PageHeader + 200 + ring.EntryMeta))
	if s := r.Stats(); s.Bytes < least || s.Bytes > least+uint64(blocks*ring.BlockSpare) {
		t.Errorf("1000 short pages hold %d bytes, want %d and what is left of %d blocks", s.Bytes, least, blocks)
	}
}

func TestPagesAreChargedAtMostTwiceTheirEntries(t *testing.T) {
	for n := 100; n < 400_000; n += n/7 + 1 {
		r := slots(64)
		b := r.NewBuilder()
		for range 50 {
			b.Add(append(b.Text(), strings.Repeat("x", n)...), 0, ring.LevelInfo)
			b.Publish()
		}
		cost := r.Stats().Bytes - uint64(50*ring.PageHeader)
		if need := uint64(50 * (n + ring.EntryMeta)); cost < need || cost > 2*need {
			t.Errorf("50 entries of %d bytes are charged %d", n, cost)
		}
	}
}

// What is left of a block behind its last page is charged, also when that page has
// outgrown the block.
func TestWhatIsLeftOfABlockIsCharged(t *testing.T) {
	r := slots(64)
	b := r.NewBuilder()
	charged := func(n int) int {
		before := r.Stats().Bytes
		b.Add(append(b.Text(), strings.Repeat("x", n)...), 0, ring.LevelInfo)
		b.Publish()
		return int(r.Stats().Bytes-before) - ring.PageHeader - ring.EntryMeta
	}
	const left = ring.MaxPage - 10_008 - ring.EntryMeta
	if n := charged(10_008); n != 10_008 {
		t.Errorf("the first page is charged %d, want 10008", n)
	}
	if n := charged(left); n < left+left || n > 2*left+9<<10 { // what append grows the text to
		t.Errorf("one longer than what is left is charged %d, want itself and the %d left", n, left)
	}
	if n := charged(ring.PageTarget - ring.EntryMeta); n != ring.MaxPage-ring.EntryMeta {
		t.Errorf("one that leaves little of its block is charged %d, want the block", n)
	}
}

func TestBuilderDoesNotKeepAnOversizedBuffer(t *testing.T) {
	b := slots(4).NewBuilder()
	for _, n := range []int{300 << 10, 1 << 20, 5 << 20} {
		text := make([]byte, n) // no room for the meta word: the page is a copy
		b.Add(text, 0, ring.LevelInfo)
		b.Publish()
		if kept := cap(b.Text()); kept > 256<<10 {
			t.Errorf("after an entry of %d bytes the builder keeps %d", n, kept)
		}
	}
}

func TestSourceKeepsItsID(t *testing.T) {
	r := slots(4)
	a, b := r.Source("a.log"), r.Source("b.log")
	if a == b || a == 0 || b == 0 || r.Source("a.log") != a || r.Source("b.log") != b {
		t.Fatalf("ids %d and %d, then %d and %d", a, b, r.Source("a.log"), r.Source("b.log"))
	}
	if r.SourceName(a) != "a.log" || r.SourceName(b) != "b.log" {
		t.Fatalf("names %q and %q", r.SourceName(a), r.SourceName(b))
	}
	if r.SourceName(0) != "" || r.SourceName(b+1) != "" || r.SourceName(65535) != "" {
		t.Fatal("an id never given has a name")
	}
}

func TestFullSourceTableGivesZero(t *testing.T) {
	r := slots(4)
	seen := make(map[uint16]bool)
	for i := range ring.MaxSources {
		id := r.Source(fmt.Sprint("s", i))
		if id == 0 || seen[id] {
			t.Fatalf("name %d got id %d, given before: %v", i, id, seen[id])
		}
		seen[id] = true
	}
	if id := r.Source("one too many"); id != 0 {
		t.Fatalf("id %d from a full table", id)
	}
	if id := r.Source("s5"); r.SourceName(id) != "s5" {
		t.Fatal("a name is forgotten when the table is full")
	}
}

func TestConcurrentCallersGetOneIDPerName(t *testing.T) {
	r := slots(4)
	var ids [4][3000]uint16
	var turn [3000]atomic.Int32 // callers that are about to ask for this name
	var wg sync.WaitGroup
	for g := range ids {
		wg.Go(func() {
			for i := range ids[g] {
				name := fmt.Sprint("s", i)
				for turn[i].Add(1); turn[i].Load() < int32(len(ids)); {
					runtime.Gosched()
				}
				ids[g][i] = r.Source(name)
			}
		})
	}
	wg.Wait()
	for g := range ids {
		if ids[g] != ids[0] {
			t.Fatalf("caller %d got other ids", g)
		}
	}
	for i, id := range ids[0] {
		if r.SourceName(id) != fmt.Sprint("s", i) {
			t.Fatalf("id %d is %q", id, r.SourceName(id))
		}
	}
}

func TestLevelsAreNamedAndOrdered(t *testing.T) {
	for i, want := range []string{"", "trace", "debug", "info", "warn", "error", "fatal", ""} {
		if got := ring.Level(i).String(); got != want {
			t.Errorf("level %d is %q, want %q", i, got, want)
		}
	}
}
