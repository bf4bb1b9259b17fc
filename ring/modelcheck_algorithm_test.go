package ring_test

// modelPC names the atomic operation an actor does next.
type modelPC uint8

const (
	atRest modelPC = iota // a producer with nothing left to publish

	loadHead
	loadHelpedSlot
	swapHelpedSlot
	swapHead // from here to sendToken the producer's page is published
	loadOwnSlot
	swapOwnSlot
	loadEvictTail
	loadEvictHead
	loadTailSlot
	releasePayload
	moveTail
	loadFlag
	swapFlag
	sendToken

	loadSlot
	loadPayload
	lookAtHead
	loadLapTail
	loadLapHead
	raiseFlag
	recheckHead
	clearFlag
	parked

	modelPCs // how many there are
)

var modelPCNames = [modelPCs]string{
	"rest", "load head", "help: load slot", "help: CAS slot", "CAS head",
	"settle: load slot", "settle: CAS slot", "evict: load tail", "evict: load head",
	"evict: load slot", "evict: release payload", "evict: CAS tail",
	"wake: load flag", "wake: swap flag", "wake: send",
	"load slot", "load payload", "look at head", "lapped: load tail", "lapped: load head",
	"raise flag", "re-check head", "clear flag", "receive wake-up",
}

// produce does the next atomic operation of producer i.
func (m *model) produce(s *modelState, i int) {
	p := &s.producers[i]
	switch p.pc {
	case loadHead:
		p.page, p.pc = s.head, loadHelpedSlot
		if m.fault == plainStoreWithoutHelp || m.fault == noHelp {
			p.pc = swapHead
		}
	case loadHelpedSlot, loadOwnSlot:
		p.cell = s.slots[m.slot(p.page)]
		if p.cell >= p.page {
			m.settled(p)
		} else {
			p.pc++
		}
	case swapHelpedSlot:
		m.settle(s, p, true)
	case swapOwnSlot:
		m.settle(s, p, m.fault != plainStoreWithoutHelp && m.fault != plainOwnStore)
	case swapHead:
		m.publish(s, p, i)
	case loadEvictHead, loadEvictTail, loadTailSlot, releasePayload, moveTail:
		m.evict(s, p)
	case loadFlag, swapFlag, sendToken:
		m.wake(s, p)
	}
}

// settle puts p.page into its slot. With forward set that is a CAS that only
// ever replaces an older page; a plain store is what some variants do.
func (m *model) settle(s *modelState, p *modelProducer, forward bool) {
	slot := &s.slots[m.slot(p.page)]
	if forward && *slot != p.cell {
		p.pc--
		return
	}
	*slot = p.page
	m.settled(p)
}

// settled goes on after a page is in its slot or was overtaken there.
func (m *model) settled(p *modelProducer) {
	p.cell = 0
	if p.pc < swapHead {
		p.pc = swapHead
		return
	}
	p.page, p.pc = 0, loadEvictTail
}

// publish is the CAS on head that gives the page its index and first sequence
// number. It fails only when another producer has published since.
func (m *model) publish(s *modelState, p *modelProducer, i int) {
	if s.head != p.page && m.fault != headStored {
		p.page, p.pc = 0, loadHead
		return
	}
	before, shape := s.pages[p.page], m.shapes[i]
	p.page++
	s.pages[p.page] = modelPage{
		firstSeq: before.nextSeq(), start: before.end(),
		count: shape.count, size: shape.size,
	}
	s.head = p.page
	p.pc = loadOwnSlot
	if m.fault == plainStoreWithoutHelp || m.fault == plainOwnStore {
		p.pc = swapOwnSlot
	}
}

// evict releases the oldest payloads until what lies between tail and head
// fits the slots and the budget. A tail page whose slot went to a later page is
// only passed over: measuring from that later page would leave out the pages
// between. That the tail keeps up with the slots, not only with the budget, is
// what makes the middle between tail and head a place worth jumping to.
func (m *model) evict(s *modelState, p *modelProducer) {
	switch p.pc {
	case loadEvictTail:
		p.tail, p.pc = s.tail, loadEvictHead
	case loadEvictHead:
		p.page, p.pc = s.head, loadTailSlot
		if p.tail > p.page || p.tail == p.page && m.fault != headEvicted {
			m.evicted(p)
		}
	case loadTailSlot:
		p.cell = s.slots[m.slot(p.tail)]
		mine := p.cell == p.tail || m.fault == lappedTailMeasured && p.cell != modelNone
		switch {
		case !mine:
			p.page, p.cell, p.pc = 0, 0, moveTail
		case m.fault == evictorAwaited && s.pages[p.cell].released:
			p.page, p.tail, p.cell, p.pc = 0, 0, 0, loadEvictTail
		case s.pages[p.page].end()-s.pages[p.cell].start > m.budget,
			p.page-p.tail >= m.slots && m.fault != lappedTailMeasured:
			p.page, p.pc = 0, releasePayload
		default:
			m.evicted(p)
		}
	case releasePayload:
		if m.fault != slotNilled {
			s.pages[p.cell].released = true
		} else if slot := &s.slots[m.slot(p.cell)]; *slot == p.cell {
			*slot = modelNone
		}
		p.cell, p.pc = 0, moveTail
	case moveTail:
		if s.tail == p.tail || m.fault == tailStored {
			s.tail = p.tail + 1
		}
		p.tail, p.pc = 0, loadEvictTail
	}
}

// evicted goes on after the last round of evict.
func (m *model) evicted(p *modelProducer) {
	p.page, p.tail, p.cell = 0, 0, 0
	p.shard = modelNone
	m.nextShard(p)
}

// wake hands a wake-up to each loop whose flag is raised. The swap makes sure
// that of all producers one sends; a full channel already holds a wake-up.
func (m *model) wake(s *modelState, p *modelProducer) {
	loop := &s.readers[p.shard]
	switch {
	case p.pc == loadFlag && loop.raised:
		p.pc = swapFlag
		return
	case p.pc == swapFlag && loop.raised:
		loop.raised, p.pc = false, sendToken
		return
	case p.pc == sendToken:
		loop.token = true
	}
	m.nextShard(p)
}

// nextShard goes on to the next loop to wake or, after the last, to the next
// page to publish.
func (m *model) nextShard(p *modelProducer) {
	p.shard++
	if m.parks && int(p.shard) < m.readers {
		p.pc = loadFlag
		return
	}
	p.shard, p.pc = 0, loadHead
	if p.left--; p.left == 0 {
		p.pc = atRest
	}
}

// read does the next atomic operation of reader i.
func (m *model) read(s *modelState, i int) {
	r := &s.readers[i]
	switch r.pc {
	case loadSlot:
		m.loadSlot(s, r)
	case loadPayload:
		if s.pages[r.want].released {
			r.pc = loadLapTail
		} else {
			m.take(s, r)
		}
	case lookAtHead:
		m.lookAtHead(s, r)
	case loadLapTail:
		r.tail, r.pc = s.tail, loadLapHead
	case loadLapHead:
		r.want = m.resume(r.want, r.tail, s.head)
		r.tail, r.pc = 0, loadSlot
	default:
		m.park(s, r)
	}
}

func (m *model) loadSlot(s *modelState, r *modelReader) {
	switch cell := s.slots[m.slot(r.want)]; {
	case cell == r.want:
		r.pc = loadPayload
	case cell > r.want:
		r.pc = loadLapTail
	default:
		r.pc = lookAtHead
		if m.fault == slotNilled && cell == modelNone {
			r.tail = modelNone // this variant's sign of an evicted page
		}
	}
}

// lookAtHead decides what a slot older than the wanted page means.
func (m *model) lookAtHead(s *modelState, r *modelReader) {
	nilled := r.tail == modelNone
	r.tail = 0
	switch {
	case s.head > r.want && nilled:
		r.pc = loadLapTail
	case s.head > r.want || s.head == r.want && m.fault == headUnreadable:
		r.pc = loadSlot
	case s.head == r.want:
		r.pc = loadPayload
	case !m.parks:
		r.pc = loadSlot // empty: the caller comes back later
	case m.fault == flagAfterRecheck:
		r.pc = recheckHead
	default:
		r.pc = raiseFlag
	}
}

// take returns the wanted page to the caller.
func (m *model) take(s *modelState, r *modelReader) {
	p := s.pages[r.want]
	dropped := max(p.firstSeq-r.expected, 0)
	r.surplus += p.count + dropped - (p.nextSeq() - r.expected)
	r.expected = p.nextSeq()
	r.want, r.pc = r.want+1, loadSlot
}

// resume is where a lapped reader goes on: the middle of what is held, and in
// any case past the page it just failed to get. Without the second half it
// would meet the same page for ever while an evictor sleeps between releasing
// that page and moving the tail.
func (m *model) resume(want, tail, head int8) int8 {
	switch m.fault {
	case resumedInPlace:
		return tail + (head-tail)/2
	case resumedAtTail:
		return tail
	case resumedAtHead:
		return head
	}
	return max(tail+(head-tail)/2, want+1)
}

// park is a loop that found nothing: it raises its flag, then looks at the
// head once more, and only then waits.
func (m *model) park(s *modelState, r *modelReader) {
	late := m.fault == flagAfterRecheck
	switch r.pc {
	case raiseFlag:
		r.raised, r.pc = true, recheckHead
		if late {
			r.pc = parked
		}
	case recheckHead:
		switch {
		case s.head >= r.want:
			r.pc = clearFlag
		case late:
			r.pc = raiseFlag
		default:
			r.pc = parked
		}
	case clearFlag:
		r.raised, r.pc = false, loadSlot
	case parked:
		if r.token {
			r.token, r.pc = false, loadSlot
		}
	}
}
