package ring_test

import (
	"fmt"
	"strings"
)

// modelViolation is a set of broken invariants, one bit each.
type modelViolation uint32

const (
	slotWentBack    modelViolation = 1 << iota // I1
	pageUnsettled                              // I2
	sequenceHole                               // I3
	pageRewritten                              // I4
	headReleased                               // I5
	tailWentWrong                              // I6
	overBudget                                 // I7
	cursorWentBack                             // I8
	miscounted                                 // I9
	readerBlocked                              // I10, until some producer goes on
	readerStuck                                // I10, for ever: no producer is left to go on
	producerBlocked                            // I12
	lostWakeUp                                 // I13
	offMiddle                                  // a lapped reader resumes elsewhere
)

var modelViolationNames = [...]string{
	"slot went back", "page never settled", "hole in the sequence", "page rewritten",
	"head released", "tail went back or past head", "over budget", "cursor went back",
	"miscounted", "reader blocked by a stalled producer", "reader stuck for ever",
	"producer blocked", "lost wake-up", "resumed off the middle",
}

func (v modelViolation) String() string {
	var names []string
	for i, name := range modelViolationNames {
		if v&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// modelSearch visits every reachable state once, breadth first, so the trace
// to a violation is a shortest one.
type modelSearch struct {
	*model
	known modelSet
	from  []modelEdge // from[i] is the step that discovered state i

	found   modelViolation
	first   map[modelViolation]modelEdge // the step that broke it first
	steps   [modelPCs]int                // how often each operation was done
	longest int                          // most steps a reader alone took to reach head
}

// modelEdge is the step of one actor from a state. Actors are the producers,
// then the readers.
type modelEdge struct {
	state int32
	actor int8
}

// run explores until every state is visited or all of enough is found; an
// enough of 0 means every state.
func (m *model) run(enough modelViolation) *modelSearch {
	q := &modelSearch{model: m, known: newModelSet(), first: map[modelViolation]modelEdge{}}
	q.visit(m.initial(), modelEdge{state: -1})
	for i := 0; i < len(q.from) && (enough == 0 || q.found&enough != enough); i++ {
		q.expand(int32(i))
	}
	return q
}

// expand does every possible next step from one state.
func (q *modelSearch) expand(at int32) {
	before := *q.known.at(at)
	quiescent := q.quiescent(&before)
	q.note(q.inState(&before, quiescent), q.from[at])
	if quiescent {
		q.note(q.atRest(&before), q.from[at])
	}
	for actor := range int8(q.actors()) {
		after := before
		pc := q.step(&after, actor)
		if after == before {
			continue
		}
		q.steps[pc]++
		edge := modelEdge{at, actor}
		q.note(q.inStep(&before, &after, actor, pc), edge)
		q.visit(after, edge)
	}
}

// note records the first step that led to each violation.
func (q *modelSearch) note(broken modelViolation, edge modelEdge) {
	for v := slotWentBack; v <= broken; v <<= 1 {
		if broken&v != 0 && q.found&v == 0 {
			q.found |= v
			q.first[v] = edge
		}
	}
}

// visit queues a state unless it is known.
func (q *modelSearch) visit(s modelState, from modelEdge) {
	if q.known.add(&s) {
		q.from = append(q.from, from)
	}
}

// inState checks what must hold in every state.
func (q *modelSearch) inState(s *modelState, quiescent bool) (broken modelViolation) {
	for i := range s.head { // every page before the head
		if s.slots[q.slot(i)] < i {
			broken |= pageUnsettled
		}
	}
	if s.pages[s.head].released {
		broken |= headReleased
	}
	if s.tail > max(s.head, 1) { // a new ring holds nothing: its tail waits at page 1
		broken |= tailWentWrong
	}
	for i := range q.readers {
		if q.asleepFor(s, i) {
			broken |= lostWakeUp
		}
		switch steps, reached := q.readAlone(*s, i); {
		case reached:
			q.longest = max(q.longest, steps)
		case quiescent:
			broken |= readerStuck
		default:
			broken |= readerBlocked
		}
	}
	for i := range q.shapes {
		if !q.publishAlone(*s, i) {
			broken |= producerBlocked
		}
	}
	return broken
}

// asleepFor reports whether loop i is parked although there is a page for it
// and nobody is on the way to wake it.
func (q *modelSearch) asleepFor(s *modelState, i int) bool {
	r := &s.readers[i]
	if r.pc != parked || r.token || s.head < r.want {
		return false
	}
	for _, p := range s.producers[:len(q.shapes)] {
		sends := p.pc == sendToken && int(p.shard) == i
		comes := p.pc > swapHead && int(p.shard) <= i // and looks at the flag then
		if sends || comes && r.raised {
			return false
		}
	}
	return true
}

// readAlone lets reader i run with everybody else standing still. It must be
// through with the head after a number of steps that depends on the slots
// only. A parked loop without a wake-up is the business of asleepFor.
func (q *modelSearch) readAlone(s modelState, i int) (steps int, reached bool) {
	r := &s.readers[i]
	for r.want <= s.head && (r.pc != parked || r.token) {
		if steps++; steps > q.aloneLimit() {
			return steps, false
		}
		q.read(&s, i)
	}
	return steps, true
}

// aloneLimit bounds readAlone: one parking attempt given up, two jumps of four
// steps each, then two steps a page and a third for the head. Two jumps are
// enough here because the tail falls behind the slots by no more pages than
// there are producers asleep before their eviction.
func (q *modelSearch) aloneLimit() int { return 2 + 2*4 + 2*int(q.slots) + 1 }

// publishAlone lets producer i run with everybody else standing still. It must
// be through with its page after a number of steps that depends on the pages
// to evict and the loops to wake only.
func (q *modelSearch) publishAlone(s modelState, i int) bool {
	p := &s.producers[i]
	left, limit := p.left, 16+4*int(s.head-s.tail+2)+3*q.readers
	for steps := 0; p.left == left && p.pc != atRest; steps++ {
		if steps > limit {
			return false
		}
		q.produce(&s, i)
	}
	return true
}

// atRest checks what must hold once every producer is through.
func (q *modelSearch) atRest(s *modelState) (broken modelViolation) {
	retained := int8(0)
	held := append([]int8{s.head}, s.slots[:q.slots]...)
	for at, i := range held {
		if i == modelNone || at > 0 && i == s.head || s.pages[i].released {
			continue
		}
		retained += s.pages[i].size
	}
	if retained > max(q.budget, s.pages[s.head].size) {
		broken |= overBudget
	}
	if int(s.head) != q.total() {
		broken |= sequenceHole
	}
	return broken
}

// inStep checks what one step may change.
func (q *modelSearch) inStep(before, after *modelState, actor int8, pc modelPC) (broken modelViolation) {
	for i := range q.slots {
		if b, a := before.slots[i], after.slots[i]; a < b || a != b && q.slot(a) != i {
			broken |= slotWentBack
		}
	}
	if after.tail < before.tail {
		broken |= tailWentWrong
	}
	for i := range before.head + 1 {
		b, a := before.pages[i], after.pages[i]
		if b.released && !a.released {
			broken |= pageRewritten
		}
		if a.released = b.released; a != b {
			broken |= pageRewritten
		}
	}
	if h := after.head; h != before.head {
		last := after.pages[before.head]
		if h != before.head+1 || after.pages[h].firstSeq != last.nextSeq() || after.pages[h].start != last.end() {
			broken |= sequenceHole
		}
	}
	if k := int(actor) - len(q.shapes); k >= 0 {
		broken |= q.inRead(before, &before.readers[k], &after.readers[k], pc)
	}
	return broken
}

// inRead checks one step of a reader.
func (q *modelSearch) inRead(s *modelState, before, after *modelReader, pc modelPC) (broken modelViolation) {
	if after.want < before.want || after.expected < before.expected {
		broken |= cursorWentBack
	}
	if after.surplus != 0 {
		broken |= miscounted
	}
	if pc != loadLapHead {
		return broken
	}
	// A jump leaves as many held pages behind it as before it, give or take
	// one, unless it is the single step past an evicted page.
	behind := after.want - before.tail
	ahead := s.head - after.want
	even := ahead-behind >= 0 && ahead-behind <= 1
	if ahead < 0 || behind < 0 || !even && (after.want != before.want+1 || ahead > behind) {
		broken |= offMiddle
	}
	return broken
}

// trace tells the steps that lead to the first violation of kind v.
func (q *modelSearch) trace(v modelViolation) string {
	var steps []string
	for e := q.first[v]; e.state >= 0; e = q.from[e.state] {
		s := *q.known.at(e.state)
		pc := q.step(&s, e.actor)
		who, k := "producer", int(e.actor)
		if k >= len(q.shapes) {
			who, k = "reader", k-len(q.shapes)
		}
		line := fmt.Sprintf("  %s %d: %-22s head %d tail %d slots %v", who, k, modelPCNames[pc], s.head, s.tail, s.slots[:q.slots])
		steps = append([]string{line}, steps...)
	}
	return fmt.Sprintf("%v after %d steps\n%s", v, len(steps), strings.Join(steps, "\n"))
}
