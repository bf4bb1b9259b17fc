package nats

import (
	"sort"
	"strconv"
	"strings"
	"sync"

	"logwisp/ring"
)

// runsKept is how many runs of names are kept at least. One has 16 bytes.
const runsKept = 1 << 17

// names are the ids of the entries that a Hub has put into a ring (J4). What
// the ring does not hold any more may be forgotten.
type names struct {
	stream string
	ring   *ring.Ring // nil: nothing is forgotten

	mu    sync.RWMutex
	runs  []run
	next  uint64        // seq of the entry to come
	begin uint64        // nothing before this number was taken, or it is forgotten
	after uint64        // number behind the last line that was taken
	grown chan struct{} // closed when after has changed
}

// run is a row of entries whose numbers follow each other.
type run struct{ seq, number uint64 }

func newNames(stream string, r *ring.Ring, next uint64) *names {
	return &names{stream: stream, ring: r, next: next, grown: make(chan struct{})}
}

// add says that the entry to come has a number (J5).
func (n *names) add(number uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if k := len(n.runs); k == 0 || number-n.runs[k-1].number != n.next-n.runs[k-1].seq {
		n.forget()
		n.runs = append(n.runs, run{n.next, number})
	}
	n.next++
}

// forget gives up the older half of the runs once there are many, but for those
// of entries that are held.
func (n *names) forget() {
	if n.ring == nil || len(n.runs) < 2*runsKept {
		return
	}
	oldest := n.ring.Oldest()
	first := sort.Search(len(n.runs), func(i int) bool { return n.runs[i].seq > oldest }) - 1
	if first = min(first, len(n.runs)-runsKept); first > 0 {
		n.runs = append([]run(nil), n.runs[first:]...)
		n.begin = n.runs[0].number
	}
}

// passed says that all lines before a number were taken, as far as they are for
// the ring.
func (n *names) passed(number uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.after == 0 {
		n.begin = number
	}
	if number > n.after {
		n.after = number
		close(n.grown)
		n.grown = make(chan struct{})
	}
}

// Run returns the name of the stream.
func (n *names) Run() string { return n.stream }

// AppendID appends the id of entry seq: <stream>-<number>.
func (n *names) AppendID(dst []byte, seq uint64) []byte {
	n.mu.RLock()
	number := n.number(seq)
	n.mu.RUnlock()
	dst = append(append(dst, n.stream...), '-')
	return strconv.AppendUint(dst, number, 10)
}

// number returns that of an entry. One before all that are known has a number
// before theirs.
func (n *names) number(seq uint64) uint64 {
	k := len(n.runs)
	switch {
	case k == 0:
		return n.after - min(n.after, 1) // the last line that was passed
	case seq >= n.runs[k-1].seq:
		k--
	default:
		k = sort.Search(k, func(i int) bool { return n.runs[i].seq > seq }) - 1
	}
	if k < 0 {
		first := n.runs[0]
		return first.number - min(first.number, first.seq-seq)
	}
	return n.runs[k].number + seq - n.runs[k].seq
}

// find returns the newest entry whose number is not beyond the one given. older
// is true when that is before all that are known, newer when that line was not
// taken yet: entries behind it may be on their way (J5).
func (n *names) find(number uint64) (seq uint64, older, newer bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if number >= n.after {
		return n.next - 1, false, true
	}
	k := sort.Search(len(n.runs), func(i int) bool { return n.runs[i].number > number }) - 1
	switch {
	case k < 0 && number+1 < n.begin:
		return 0, true, false
	case k < 0 && len(n.runs) == 0:
		return n.next - 1, false, false
	case k < 0:
		return n.runs[0].seq - 1, false, false
	}
	end := n.next - 1
	if k+1 < len(n.runs) {
		end = n.runs[k+1].seq - 1
	}
	return min(n.runs[k].seq+number-n.runs[k].number, end), false, false
}

// reach returns the number up to which lines were taken, and what is closed when
// that changes.
func (n *names) reach() (after uint64, grown <-chan struct{}) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.after, n.grown
}

// parse returns the number of an id of the stream.
func (n *names) parse(id string) (uint64, bool) {
	rest, ok := strings.CutPrefix(id, n.stream+"-")
	number, err := strconv.ParseUint(rest, 10, 64)
	return number, ok && err == nil
}
