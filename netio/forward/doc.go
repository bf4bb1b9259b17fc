// Package forward pushes the ring's entries to collectors: lines over TCP or
// TLS, batches over HTTP in the form that the collector takes.
//
// An Output is a cursor on a ring and one goroutine. It copies what passes its
// filter into a batch of bounded size, sends it, and goes on when the
// counterpart has it; while it cannot be reached the batch is tried again, with
// growing pauses, and the ring goes round without waiting: what is overwritten
// meanwhile is counted as dropped, exactly.
//
// # What counts as delivered
//
//	http, https       the answer is a success
//	tcp, tls          the counterpart's kernel has confirmed it; whether its program
//	                  has read it cannot be known
//	preset logwisp    the other LogWisp says that it has published the entry
//
// An entry that the counterpart refuses for what it is (too large, not to be
// parsed) is found by halving the batch, said once, and counted as dropped; the
// rest goes on.
//
// # Invariants
//
//	F1 delivered + filtered + dropped = offered whenever no batch is under way;
//	   all four move together, under one lock.
//	F2 Acked never passes an entry that is neither delivered, filtered nor
//	   dropped, and never decreases.
//	F3 Nothing of a page is kept beyond Enter and Exit of the Reader: a batch
//	   is a copy.
//	F4 An Output holds one batch, of BatchBytes and one entry more at most, and
//	   its encoded form.
//	F5 An entry is sent again from its first byte, on a new connection, unless
//	   it counts as delivered: the counterpart may get it twice, never in part.
package forward
