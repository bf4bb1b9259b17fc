// Package tail follows log files and writes what is appended to them to a
// ring, one entry a line.
//
// # A file's life
//
//	           the path leads to        the last name
//	           a regular file           is gone
//	waiting ───────────────► following ─────────────► rotated ───► closed
//	 a name                   ▲                        │             │
//	 without a file           └────────────────────────┴─────────────┘
//	                            a name leads to it again
//
// A name is a path that a target names; a file is what names lead to, known by
// device, inode and time of birth, never by a path. A file that several names
// or targets reach is read once, under the first of them; the base name of
// that one is the source of its entries.
//
//	what happens           what is done
//	append                 whole lines are sent; the rest is held until its newline comes
//	rename + create        the old file is read to its end and RotateWait beyond its last
//	                       growth, then its fragment is sent; the new one begins at 0
//	rotations between      the files created and renamed away meanwhile are found beside the
//	two looks              log by name and time of birth, and read in order
//	rename inside a glob   the file goes on at its position under its new name
//	truncate               the fragment is sent, the file begins at 0; seen by the bytes
//	                       before the position, so also when it has regrown meanwhile
//	copy + truncate        a copy under a longer name (app.log.1, app-2026.log) goes on where
//	                       the original was, also one that no target names and that lies
//	                       beside the log under a number or a date; other copies are new files
//	delete                 like rename, but held at most 15 s: its disk space is waited for
//	replace by rename      a new file from 0, unless it is the same log saved again: then it
//	                       goes on at the position
//	unreadable             said once, looked at again; not taken for deleted
//	not a regular file     not even opened; said once
//	compressed, UTF-32     not read; said once
//	UTF-16                 read as UTF-8: with a byte order mark, or when every other of its
//	                       first characters is ASCII; decided anew after a truncation
//
// Files present at the start begin at their end, placed at the beginning of a
// line; files that appear later begin at 0. What a copying rotation cuts off
// between its last read and the truncation is lost to everybody; as far as a
// file was seen to be longer than what was read, it is counted and said.
//
// # Copies
//
// A file is a copy only if all it holds agrees with what the original holds, or
// held before a truncation, and if it reaches at least as far as the original
// did when the copy was born; what begins alike is a file of its own. The bytes
// that are gone by then are known by their trail: sums of what stood before some
// of the positions, dense near the last. Nothing of a file is read while it may
// be a copy in the making: until its original is truncated, or it differs or
// has not grown for a second; one that ends too early is given five.
//
// # Restarts
//
// A Checkpoint keeps, for every file, the end of the last line published and
// what the file is known by: device, inode and time of birth, a fingerprint of
// its beginning, a sum of the bytes before the position. Resume goes by it:
//
//	what is found at the start           what is done
//	the file, with the bytes it had      goes on at the position
//	the file, without them               begins at 0, behind a copy that has them
//	another file in its place            begins at 0, behind the old one, which is
//	                                     looked for by identity under any name in the
//	                                     directory, and else as a copy
//	files born since, named like         read from 0, between the old one and the new
//	generations
//	a file that is not in it             begins at 0
//	a file that cannot be seen           its position is kept for a day
//
// Dates are compared, those of files with those of the checkpoint and of the last
// look, which is that at the file where it was to be looked at again: one that waits for
// its readers may have been rotated since more than once. A clock that is set while the daemon runs is noticed and allowed for
// (clock.go); one that is set back between two runs is warned about.
//
// Names of copies and generations are believed only when they add nothing but
// numbers, for hours may lie between two runs and other logs beside this one.
//
// # Changes
//
// Reload changes settings under way; Run's goroutine takes them between two
// turns. Files, their positions and what is held of them stay, whatever becomes
// of the targets:
//
//	what is found at the change          what is done
//	a file that is named as before       goes on; its next entries are made by the new
//	                                     settings, what waits for more lines by the old
//	                                     ones if these make entries otherwise
//	a file that is named no more         is read to where it ends now, back to the
//	                                     beginning of a line under way, and let go
//	one that was let go, named again     goes on where it was, if it is there
//	a file that is named since           begins as at a start: by ReadFrom, with a
//	                                     checkpoint at its position, else at 0
//
// # One goroutine
//
// Run's goroutine owns all files. Files with news wait in a queue and are read
// in turn, at most readSize each time. One more goroutine and the event
// library's own take the kernel's events. An event says that a name or a file
// is to be looked at, nothing more: the same is done when the queue overflows,
// when the slow round comes by, and, where events do not serve, by the clock.
//
// # Invariants
//
//	T1  A byte of a file is consumed once: pos only moves over bytes that were
//	    handed to the splitter, or that another file's entries hold.
//	T2  The bytes before pos are marker, or the file was rewritten.
//	T3  A fragment never leaves its file.
//	T4  A file that replaced another under its name begins when that one has
//	    been read to its end once.
//	T5  A page is published before the goroutine waits.
//	T6  Descriptors held are at most the budget plus the rotated files that
//	    were open within it.
//	T7  Memory is one read buffer, and one and a half times that for UTF-16; for
//	    each file at most MaxLineBytes for a fragment, twice that for an entry
//	    of several lines, and twice that for each stream of a container while a
//	    line of it is in pieces; less than two kilobytes for each other file,
//	    and four more where lines are joined.
//	T8  A position is kept only of what the ring has: the page under way is
//	    published before positions are taken.
//	T9  With Options.Acked a position is kept only when every entry read before
//	    it is acknowledged; with Options.Reached when readers have been given
//	    them, or keepWait has passed.
//	T10 A change touches no position but that of a file that is let go.
//	T11 What Origins say of an entry is noted before the entry is published, and
//	    nothing in the file before its end is missing in the entries up to it.
package tail
