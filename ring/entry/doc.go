// Package entry is the way from bytes that were read to an entry in the ring,
// the same for a line of a file and for one that came from elsewhere: Splitter
// finds the lines, Writer parses, filters and encodes them, and Members and
// Merge put tags among their fields.
package entry
