// An explicit-state model of the ring, apart from its code: every atomic
// operation of publishing, settling, evicting, reading, parking and waking is
// one step, and every interleaving of the steps is visited. It decides what
// neither the race detector nor a stress test can see: a late slot store that
// hides a page, a reader that waits for a sleeping producer, a lost wake-up.
//
// A state (modelState) is the shared words and, for each producer and reader,
// a program counter and registers. Pages are named by their index, because the
// publishing CAS hands out each index once; a page that is not published yet
// exists only in its producer's registers. Shared words need no weaker order
// than one step at a time: each is an atomic, and a page's plain fields are
// written before the CAS that publishes it.
//
// A step is read as "pc names the operation that comes next": produce and read
// do that one operation on the state, with whatever private work follows it,
// and leave pc at the next one. Nothing shared is touched twice in one step.
//
// The search then asks three questions. inStep: did this step change what may
// never change? inState: does every invariant hold here, and would each reader
// and producer, alone from here, get through in a bounded number of steps?
// atRest: with all producers through, is the byte budget kept?
//
// Not modelled: the bytes of a page, the binary search of a resume, closing.
// That a failed publish means another one succeeded (I11) needs no check, it is
// what the CAS does. The numbers I1 to I13 are those of the invariant list; each
// is spelled out at the check that names it.
//
// To try another algorithm, add a modelFault and branch on it where the
// operation is done. The broken variants below keep the checker honest: each
// is one change to the algorithm, and the checker must find what it breaks.
package ring_test

import "testing"

// modelNone is the index held by a slot that was never filled.
const modelNone = -1

// Array sizes of modelState; a configuration may use less of each.
const (
	modelMaxSlots     = 3
	modelMaxPages     = 7 // page 0, the empty page every ring starts with, included
	modelMaxProducers = 3
	modelMaxReaders   = 2
)

// modelState is one state of the whole system. Equal states are the same
// state, so a register that is not read again is set back to zero.
type modelState struct {
	head, tail int8
	slots      [modelMaxSlots]int8
	pages      [modelMaxPages]modelPage
	producers  [modelMaxProducers]modelProducer
	readers    [modelMaxReaders]modelReader
}

// modelPage is a published page. Its index is its place in modelState.pages;
// the publishing CAS hands out every index once, so an index is as good as a
// pointer. Only released changes after that CAS.
type modelPage struct {
	firstSeq, start, count, size int8
	released                     bool
}

func (p modelPage) nextSeq() int8 { return p.firstSeq + p.count }
func (p modelPage) end() int8     { return p.start + p.size }

// modelProducer is a producer's program counter and registers.
type modelProducer struct {
	pc    modelPC
	left  int8 // pages still to publish, the current one included
	page  int8 // the head it loaded, or the page it settles
	cell  int8 // the slot's content as last loaded
	tail  int8 // the tail as last loaded
	shard int8 // the loop it wakes next
}

// modelReader is a reader's program counter and registers and, when loops
// park, the two words its loop shares with the producers.
type modelReader struct {
	pc       modelPC
	want     int8 // index of the next page
	expected int8 // sequence number after the last entry accounted for
	tail     int8 // the tail as last loaded
	// surplus is received + dropped - (expected - start). I9 says it is 0 at
	// every return; keeping the two sums would only multiply the states.
	surplus int8
	raised  bool // the parked flag
	token   bool // the wake-up that waits in the loop's channel of capacity 1
}

// modelSmall leaves out the large configurations; so does -short.
var modelSmall bool

// modelFault is the one thing a variant does differently. The zero value is
// the algorithm of the ring.
type modelFault uint8

const (
	_                     modelFault = iota
	plainStoreWithoutHelp            // own slot by plain store, the head never helped into its slot
	noHelp                           // slots move forward, the head is not helped into its slot
	plainOwnStore                    // the head is helped, the own slot is a plain store
	headUnreadable                   // readers take pages from slots only
	slotNilled                       // eviction empties the slot instead of releasing the payload
	flagAfterRecheck                 // loops look at the head, then raise the flag
	headStored                       // head by plain store instead of CAS
	tailStored                       // tail by plain store instead of CAS
	headEvicted                      // eviction does not stop before the head
	evictorAwaited                   // eviction waits for whoever released the tail page to move the tail
	lappedTailMeasured               // eviction looks at the budget only, and measures from whatever is in the tail's slot
	resumedInPlace                   // a lapped reader may meet the evicted page again
	resumedAtTail                    // a lapped reader resumes at the tail, lapped again at once or behind itself
	resumedAtHead                    // a lapped reader skips everything held
)

// modelShape is what one producer publishes: pages of count entries and size
// bytes. Different shapes let the checker tell the producers' pages apart.
type modelShape struct{ pages, count, size int8 }

// model is one configuration. With a budget in bytes that is smaller than what
// the slots could hold, pages go by lap and by eviction.
type model struct {
	shapes  []modelShape // one producer each
	slots   int8
	budget  int8
	readers int
	parks   bool // each reader is a loop that parks when it finds nothing
	fault   modelFault
}

func (m *model) initial() modelState {
	s := modelState{tail: 1, slots: [modelMaxSlots]int8{0, modelNone, modelNone}}
	s.pages[0].firstSeq = 1 // page 0 is the empty head of a new ring; nothing is held yet
	for i, shape := range m.shapes {
		s.producers[i] = modelProducer{pc: loadHead, left: shape.pages}
	}
	for i := range m.readers {
		s.readers[i] = modelReader{pc: loadSlot, want: 1, expected: 1}
	}
	return s
}

func (m *model) slot(index int8) int8 { return index % m.slots }

func (m *model) actors() int { return len(m.shapes) + m.readers }

func (m *model) total() (pages int) {
	for _, shape := range m.shapes {
		pages += int(shape.pages)
	}
	return pages
}

// step does the next operation of one actor and says which it was.
func (m *model) step(s *modelState, actor int8) modelPC {
	if k := int(actor) - len(m.shapes); k >= 0 {
		pc := s.readers[k].pc
		m.read(s, k)
		return pc
	}
	pc := s.producers[actor].pc
	m.produce(s, int(actor))
	return pc
}

// quiescent reports whether every producer is through.
func (m *model) quiescent(s *modelState) bool {
	for i := range m.shapes {
		if s.producers[i].pc != atRest {
			return false
		}
	}
	return true
}

// modelProducers gives each producer its own shape and so many pages.
func modelProducers(pages ...int8) []modelShape {
	shapes := []modelShape{{count: 1, size: 1}, {count: 2, size: 2}, {count: 1, size: 2}}[:len(pages)]
	for i, n := range pages {
		shapes[i].pages = n
	}
	return shapes
}

func TestEveryInterleavingKeepsTheRingInvariants(t *testing.T) {
	configurations := []struct {
		name  string
		large bool // left out with -short and -race
		m     model
	}{
		{"two producers", false, model{shapes: modelProducers(2, 2), slots: 2, budget: 2, readers: 1}},
		{"two producers on three slots", true, model{shapes: modelProducers(3, 2), slots: 3, budget: 3, readers: 1}},
		{"three producers", true, model{shapes: modelProducers(1, 1, 1), slots: 2, budget: 2, readers: 1}},
		{"three producers lap without eviction", true, model{shapes: modelProducers(2, 1, 1), slots: 2, budget: 99, readers: 1}},
		{"laps without eviction", false, model{shapes: modelProducers(2, 2), slots: 2, budget: 99, readers: 1}},
		{"budget below one page", false, model{shapes: modelProducers(2, 2), slots: 3, budget: 1, readers: 1}},
		{"two readers", true, model{shapes: modelProducers(2, 1), slots: 2, budget: 2, readers: 2}},
		{"a loop that parks", false, model{shapes: modelProducers(2, 1), slots: 2, budget: 2, readers: 1, parks: true}},
		{"a loop that parks, more pages", true, model{shapes: modelProducers(2, 2), slots: 2, budget: 2, readers: 1, parks: true}},
		{"two loops that park", true, model{shapes: modelProducers(1, 1), slots: 2, budget: 2, readers: 2, parks: true}},
	}
	ran := 0
	var steps [modelPCs]int
	for _, c := range configurations {
		t.Run(c.name, func(t *testing.T) {
			ran++
			if c.large && (modelSmall || testing.Short()) {
				t.Skip("a large configuration")
			}
			q := c.m.run(0)
			t.Logf("%d states; a reader alone takes at most %d steps", len(q.from), q.longest)
			for v := range q.first {
				t.Error(q.trace(v))
			}
			for pc, n := range q.steps {
				steps[pc] += n
			}
		})
	}
	if ran < len(configurations) {
		return // -run chose some; the count below is about all
	}
	for pc := loadHead; pc < modelPCs; pc++ {
		if steps[pc] == 0 {
			t.Errorf("no configuration ever gets to %q: it proves nothing about it", modelPCNames[pc])
		}
	}
}

func TestCheckerFindsWhatEveryBrokenVariantBreaks(t *testing.T) {
	variants := []struct {
		name   string
		fault  modelFault
		slots  int8
		budget int8
		parks  bool
		breaks modelViolation
	}{
		{"plain slot store without help", plainStoreWithoutHelp, 2, 2, false, readerStuck | readerBlocked | slotWentBack},
		{"forward slot store without help", noHelp, 2, 2, false, readerBlocked | pageUnsettled},
		{"help but own slot by plain store", plainOwnStore, 2, 2, false, readerStuck | slotWentBack},
		{"head page not readable", headUnreadable, 2, 2, false, readerBlocked},
		{"eviction by nil", slotNilled, 2, 2, false, readerStuck | overBudget},
		{"flag raised after the re-check", flagAfterRecheck, 2, 2, true, lostWakeUp},
		{"plain store of head", headStored, 2, 2, false, sequenceHole | pageRewritten | miscounted},
		{"plain store of tail", tailStored, 2, 2, false, tailWentWrong},
		{"eviction of the head page", headEvicted, 2, 1, false, headReleased},
		{"eviction waits for another evictor", evictorAwaited, 2, 2, false, producerBlocked},
		{"budget measured from a lapped tail slot", lappedTailMeasured, 2, 2, false, overBudget},
		{"lapped reader meets the evicted page again", resumedInPlace, 2, 2, false, readerBlocked},
		{"lapped reader resumes at the tail", resumedAtTail, 2, 99, false, cursorWentBack | offMiddle},
		{"lapped reader resumes at the head", resumedAtHead, 3, 2, false, offMiddle},
	}
	ran := 0
	var controlled modelViolation
	for _, c := range variants {
		t.Run(c.name, func(t *testing.T) {
			ran++
			m := model{
				shapes: modelProducers(1, 4), slots: c.slots, budget: c.budget,
				readers: 1, parks: c.parks, fault: c.fault,
			}
			q := m.run(c.breaks)
			t.Logf("broken within %d states: %v", len(q.from), q.found)
			if missed := c.breaks &^ q.found; missed != 0 {
				t.Errorf("the checker misses: %v", missed)
			}
			controlled |= q.found & c.breaks
		})
	}
	if all := modelViolation(1)<<len(modelViolationNames) - 1; ran == len(variants) && controlled != all {
		t.Errorf("no broken variant shows that the checker sees: %v", all&^controlled)
	}
}
