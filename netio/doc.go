// Package netio carries the ring's entries to sockets.
//
// An Engine runs a few event loops. A transport (netio/tcp, netio/web) accepts
// connections, says how entries look on its wire (Form) and enrols each socket
// with what its client asks for (Subscription); from then on the subscriber
// belongs to one loop and costs no goroutine.
//
// # The way of an entry
//
// A loop passes over its subscribers. For each it collects what lies between
// the subscriber's cursor and the head, and writes it with one system call
// straight from the ring's pages to the socket. The cursor is the outbound
// buffer: what the socket does not take stays in the ring. Where the raw page
// is not what the wire needs, the loop writes from a view (the page in another
// form, built once and shared by all who want it) or, when pages are small,
// from a block in which a run of pages was gathered once for all.
//
// # Filters
//
// Subscribers with equal form and filter share one selection: views, blocks, and
// in each loop a group that remembers the newest run of entries without a match.
// In a view or block of a selection an entry that does not pass has no text but
// keeps its place, so cuts, cursors and counts are those of an unfiltered one. A
// span without text only moves the cursor. Who has caught up and has a filter is
// set aside: its group looks at what comes, once for all its members.
//
// # Places
//
// What takes a look at held pages (the last entries that pass, the first not
// before a time, /entries) runs in the goroutine that asks, page by page, never in
// a loop. Its result is a number; the loop seeks it when the subscriber joins, so
// there is no seam between replay and live.
//
// # Invariants
//
//	N1 A loop and its subscribers are touched only by who has the loop's turn:
//	   its own goroutine, or a producer that delivers at once. Connections are
//	   opened and closed by the loop's goroutine alone; other goroutines read
//	   counters, which are atomics.
//	N2 One pass makes at most one write per subscriber, and a few more to those
//	   near the head before a round of large writes goes on; where there are
//	   few, as many as fit maxPass to those furthest behind. A producer that
//	   delivers at once makes a few, to a few. Who joins gets its first at once.
//	N3 An entry is never cut on the wire: when the socket takes part of one, the
//	   rest is kept and goes out before anything else.
//	N4 Control lines (heartbeats, notices) stand between entries only.
//	N5 delivered + filtered + dropped = offered for every subscriber between
//	   two passes. What is in mid-write counts as neither offered nor
//	   delivered. A gap and what max_rate costs are dropped. A hello begins the
//	   account anew; what was before joins the transport's sums.
//	N6 A loop holds a page or a view for the time of one write. Beyond that a
//	   stuck subscriber keeps at most maxCopy bytes of its own, or, for a longer
//	   entry, a reference counted in the pinned budget.
//	N7 The bell is rung only from outside a pass or at its end, and a pass lasts
//	   about maxPass, a few writes more where few are kept abreast, and scans for
//	   filters at most twice maxScan bytes or maxScanTime, and what one entry more
//	   takes: reading sockets and tailing files are never starved. A span ends
//	   where a scan stops; the next pass goes on there, in the view or with a new
//	   block.
//	N8 A loop parks only after a pass that left nobody behind the head seen at
//	   its start (ring invariant I13 does the rest). That holds for groups of
//	   those set aside, too.
//	N9 Nothing follows the disconnect notice on the wire.
//	N10 An id on the wire (of an entry, notice, heartbeat or batch) is such that
//	   everything up to it was delivered, rejected by the filter or told as lost:
//	   a client that resumes behind it misses nothing and gets nothing twice.
//	N11 Who is set aside has nothing to be written and stands where its group
//	   stands; everything that gives it something to write takes it back.
//	N12 Slow filters have one part in slowParts of a loop's time: in between
//	   their groups rest, and the loop's clock wakes it (N8 does not hold for
//	   them meanwhile).
//	N13 The memory of a view that went is used again only when every loop that
//	   was in a pass at that time has ended it, and never if a rest of N6 may
//	   refer to it.
package netio
