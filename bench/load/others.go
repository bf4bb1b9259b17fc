package main

import "bytes"

// foreign reports whether an entry is of a file that is none of ours: with
// -others the daemon follows more than the one that is written here, and their
// entries are left alone.
func (c *client) foreign(line []byte) bool {
	return c.run.others && !bytes.Contains(line, []byte(`"source":"`+c.run.source+`"`))
}
