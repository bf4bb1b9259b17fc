// Package ingest takes in lines that others send: over TCP, Unix sockets and
// syslog, from standard input, and as the bodies of POST /ingest.
//
//	socket ── wait for bytes ── a worker: read, split, parse, encode, publish ──► ring
//
// A stream is a goroutine and a fragment. What a turn of it needs, one read
// buffer, a parser and a page under construction, belongs to a worker; there are
// about as many as processors, and streams wait for one in the order in which
// they have something to read.
//
// What is read was acknowledged to the sender by the kernel, so it is never
// thrown away: a line is cut and marked, but not dropped. Publishing waits for
// nobody, so a sender is held up only while it is not its turn.
//
// # Invariants
//
//	G1  A worker is held for one turn: between taking and giving it back nothing
//	    is waited for, and everything it has is published.
//	G2  The lines of one stream are published in the order in which they came:
//	    its goroutine has at most one worker, and publishes before the next turn.
//	G3  A stream that waits holds no buffer but the fragment of its last line.
//	    All fragments of an input together take maxFragments bytes, and
//	    smallFragment for each stream. From half of that on whoever holds more
//	    than an equal share of the half gets its own sent on.
//	G4  What the kernel had received when Stop was called is published before
//	    Stop returns, as far as drainTime goes.
//	G5  A stream gives the ring at most maxSources names of at most
//	    maxSourceBytes; what is beyond has the source other.
//	G6  An acknowledgement is written after everything before it was published.
package ingest
