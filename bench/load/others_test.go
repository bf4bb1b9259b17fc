package main

import "testing"

func TestEntriesOfOtherFilesAreLeftAloneWhenAskedTo(t *testing.T) {
	line := []byte(`{"time":"2024-01-01T12:00:00.123456Z","source":"other.log","message":"x"}` + "\n")
	for _, others := range []bool{false, true} {
		c := &client{phase: counting, run: &session{form: newLineForm(200), full: true, others: others, source: "load.log"}}
		c.ledger.next = 1
		c.scan(line)
		if blamed := c.content > 0; blamed == others || others && c.entries > 0 {
			t.Errorf("others %v: %d entries, %d with wrong content", others, c.entries, c.content)
		}
	}
}
