package netio

import (
	"bytes"
	"slices"
	"testing"
	"unsafe"

	"pgregory.net/rapid"

	"logwisp/ring"
	"logwisp/ring/record"
)

// largePages is a bed whose ring holds n pages of 50 entries, each large enough for
// a view in a block that is used again, and a cache for two of them.
func largePages(t failer, n int, form *Form) (b *bed, view func(page int) []byte) {
	b = newBed(t, ring.Options{Entries: 64, Bytes: 8 << 20}, form)
	b.pad = func(uint64) int { return 1000 }
	b.publish(50*n, 50)
	b.engine.views.budget = 2*(viewBytes+viewOverhead+4*50) + viewBytes/2
	sel := b.engine.selections.take(form, nil)
	return b, func(page int) []byte {
		c, lost := b.ring.Seek(uint64(50*page + 1))
		p, _, ok := c.Page()
		if lost > 0 || !ok || p.Count() != 50 {
			t.Fatalf("page %d: %d lost, %v, %d entries", page, lost, ok, p.Count())
		}
		text, _ := b.engine.views.get(&p, 0, b.engine.ids, sel, &scan{most: maxScan})
		return text
	}
}

func TestAViewThatWentStaysAsItWasUntilThePassEnds(t *testing.T) {
	b, view := largePages(t, 10, framedForm())
	defer b.close()
	b.loop.stay.enter()
	first := view(0)
	was := bytes.Clone(first)
	for page := 1; page < 10; page++ {
		view(page)
	}
	if !bytes.Equal(first, was) {
		t.Fatal("another view was built in its memory")
	}
	b.loop.stay.leave()
	b.loop.stay.enter()
	defer b.loop.stay.leave()
	if again := view(0); unsafe.SliceData(again) != unsafe.SliceData(first) {
		t.Error("the memory of the oldest view that went is not used again after the pass")
	}
}

// A line of 60 bytes is an entry of 125.
func TestViewsOfFullPagesHaveBlocksThatAreUsedAgain(t *testing.T) {
	for _, pad := range []int{110, 160, 230, 1000} {
		b := newBed(t, ring.Options{Entries: 64, Bytes: 8 << 20}, framedForm())
		b.pad = func(uint64) int { return pad }
		for !b.builder.Full() {
			b.published++
			b.builder.Add(append(b.builder.Text(), b.line(b.published)...), 1, ring.LevelInfo)
		}
		c := b.ring.Live()
		b.builder.Publish()
		p, _, _ := c.Page()
		text, _ := b.engine.views.get(&p, p.Count()-1, b.engine.ids, b.engine.selections.take(framedForm(), nil), &scan{most: maxScan})
		if cap(text) != viewBytes {
			t.Errorf("the view of a page of %d entries of %d bytes takes %d, want a block of %d", p.Count(), len(p.Entry(0)), cap(text), viewBytes)
		}
		b.close()
	}
}

func TestALongEntryOfAViewStaysAsItWasBeyondThePass(t *testing.T) {
	form := *framedForm()
	entry := form.Entry
	form.Entry = func(dst []byte, ids record.IDs, seq uint64, line []byte) []byte {
		if seq%50 == 1 {
			dst = append(dst, make([]byte, maxCopy)...)
		}
		if seq%50 < 10 {
			return entry(dst, ids, seq, line)
		}
		return append(dst, '\n')
	}
	b, view := largePages(t, 10, &form)
	defer b.close()
	first := view(0)
	if cap(first) != viewBytes {
		t.Fatalf("the view takes %d bytes: it says nothing of blocks of %d", cap(first), viewBytes)
	}
	was := bytes.Clone(first)
	for page := 1; page < 10; page++ {
		view(page)
	}
	if !bytes.Equal(first, was) {
		t.Error("another view was built in its memory, of which somebody may have a rest")
	}
}

// TestNoBlockIsUsedAgainWhileAnyLoopMayLookAtIt has loops that enter, look at what
// is held, and leave in any order, while blocks come and go.
func TestNoBlockIsUsedAgainWhileAnyLoopMayLookAtIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := &reuse{}
		var (
			stays [3]*stay
			seen  [3][]*byte // by each loop since it entered
			held  [][]byte
		)
		for i := range stays {
			stays[i] = r.newStay()
		}
		inside := func(i int) bool { return stays[i].since.Load() != outside }
		t.Repeat(map[string]func(*rapid.T){
			"enter": func(t *rapid.T) {
				if i := rapid.IntRange(0, 2).Draw(t, "loop"); !inside(i) {
					stays[i].enter()
				}
			},
			"look": func(t *rapid.T) {
				if i := rapid.IntRange(0, 2).Draw(t, "loop"); inside(i) {
					for _, block := range held {
						seen[i] = append(seen[i], unsafe.SliceData(block))
					}
				}
			},
			"leave": func(t *rapid.T) {
				i := rapid.IntRange(0, 2).Draw(t, "loop")
				stays[i].leave()
				seen[i] = nil
			},
			"take": func(t *rapid.T) {
				block := r.take()
				if len(block) != 0 || cap(block) != viewBytes {
					t.Fatalf("a block of %d bytes with room for %d", len(block), cap(block))
				}
				for i := range seen {
					if slices.Contains(seen[i], unsafe.SliceData(block)) {
						t.Fatalf("a block that loop %d has seen in this pass is used again", i)
					}
				}
				held = append(held, block)
			},
			"put": func(t *rapid.T) {
				if len(held) > 0 {
					i := rapid.IntRange(0, len(held)-1).Draw(t, "block")
					r.put(held[i])
					held = slices.Delete(held, i, i+1)
				}
			},
		})
	})
}
