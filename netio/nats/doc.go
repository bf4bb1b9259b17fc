// Package nats has LogWisp meet on a stream of NATS JetStream: an Edge publishes
// what one machine has to a stream, a Hub follows that stream and serves the
// entries of all machines.
//
// # What is in the stream
//
// A message has entries of one source of one host: newline-ended JSON as any
// client gets it. Its subject is <stream>.<host>.<source>, where whatever a
// token must not have is written as %XX. Its headers are:
//
//	Nats-Msg-Id     identity of the first entry's file, the offset at which the entries
//	                begin in it, and a sum of subject, first entry, payload and
//	                where its files end
//	Logwisp-Host    the host, unescaped
//	Logwisp-File    for each file that has entries in it: the position behind them, as
//	                tail.Checkpoint.Adopt takes it
//	Logwisp-Start   likewise, in the same order: the offset at which they begin
//	Logwisp-End     likewise: the offset behind them
//	Logwisp-At      when that was true, nanoseconds since 1970 on the host's clock
//
// What comes from no file has none of the last four, and the id of its first
// entry for a Nats-Msg-Id.
//
// # Invariants
//
//	J1  A subject has one message under way, which names the last sequence number
//	    of its subject that the Edge knows: a message is stored behind that one or
//	    not at all. So neither a retry nor what an earlier run has left under way
//	    is stored twice.
//	J2  An entry counts as delivered when the server has acknowledged its message,
//	    or the stream has shown that it holds it.
//	J3  A run begins behind what the last message of each subject names, and all
//	    messages since the checkpoint on disk was true.
//	J4  The number of an entry is the sequence number of its message times 2^20,
//	    plus its line in the message from 0. It depends on the stream alone, so it
//	    is the same on every Hub, and lines that a Hub leaves out leave a hole.
//	J5  What a number is in the ring is noted before the entry is published.
package nats
