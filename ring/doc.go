// Package ring holds the one buffer that every source writes to and every
// subscriber reads from.
//
// # The model
//
// A Ring keeps the newest entries of a stream in pages. A page is an immutable
// block of whole, newline-ended entries together with the end offset, source
// and level of each. Entries are numbered from 1 without gaps; the number (seq)
// and the page's index are given in the same atomic step that publishes the
// page, so the order of the ring is total and the same for every reader.
//
// Any number of producers publish, none ever waits for a reader or for another
// producer. Any number of readers follow; each owns a Cursor and pulls at its
// own speed. Readers write nothing shared, so publishing costs the same with
// none of them and with ten thousand.
//
// # Lagging
//
// A cursor that falls behind what is held is moved forward to the middle of
// what is held (at the oldest entry it would be overtaken again at once) and is
// told exactly how many entries it lost. Lag is a value, not an error: what to
// make of it is the reader's business.
//
// # Waking
//
// A reader loop that has nothing to do parks its Waker. The first page
// published after that wakes it once; further pages cost one atomic load.
// A loop serves many cursors, so publishing never depends on their number.
//
// # Memory
//
// A Builder cuts its pages from blocks of 64 or 256 KiB, one after the other. The pages
// held are bounded by Options.Bytes, counted as the bytes of their entries, what is
// left of a block behind the last page that is cut from it, and headers; and by the
// number of slots. A block is garbage, or used again (Options.Recycle), when all of
// its pages are released. So beyond what is counted each Builder takes two blocks at
// most, the one it is filling and one of which not all pages are released: Builders
// are to be few, and kept. Another 6 MiB at most wait to be used again; without
// Recycle, the process is larger than the ring until the collector has run. The newest
// page is never released, so a ring whose budget is smaller than one page still holds
// that page.
//
// # Invariants
//
// The code names the invariant it keeps at the line that keeps it.
//
//	I1  The index in a slot never decreases, and slot i holds only pages whose
//	    index is i modulo the number of slots.
//	I2  Every page older than the head is, or was, in its slot: it is settled
//	    there before the head moves past it.
//	I3  Sequence numbers are dense: a page's first is its predecessor's first
//	    plus its predecessor's count.
//	I4  A page's fields and bytes never change after the compare-and-swap that
//	    publishes it; only its payload pointer goes once from set to nil.
//	I5  The payload of the head is never released.
//	I6  tail <= head.index, and tail never decreases.
//	I7  With no producer at work the bytes held are at most
//	    max(Options.Bytes, size of the head page); with producers at work each
//	    adds at most its page in flight.
//	I8  A cursor's page index and expected seq never decrease.
//	I9  Whenever Cursor.Page returns, entries taken + entries lost =
//	    expected seq - start seq.
//	I10 A reader that runs alone reaches the head in a bounded number of steps,
//	    wherever any producer has stopped.
//	I11 A failed publishing compare-and-swap means another page was published.
//	I12 A producer takes no lock and does O(1 + pages released + wakers) steps.
//	I13 A parked Waker with unseen pages in the ring has a wake-up in flight, or
//	    a producer that owes it one and does not wait for anything before: the
//	    flag is raised before the head is looked at again.
//	I14 The bytes of an entry are the same for all readers and are what was
//	    published; an entry never straddles pages.
//	I15 Seek(s) delivers from max(s, oldest) on and reports the difference; a
//	    seq beyond the head loses nothing.
//	I16 A block is written again only when its last page was released before every
//	    Reader that is inside went in: a Reader tells its place before it looks
//	    at a page, a producer looks at the places after the release.
//	I17 The pages cut from a block have ascending indices, and only the release of
//	    the last gives it back: by then the tail has passed all of them.
//
// The model checker in the package's tests explores every interleaving of the
// atomic steps of publishing, reading, releasing and waking in small configurations; the race detector cannot
// see a stale slot or a lost wake-up.
package ring
