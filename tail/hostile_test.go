package tail

import (
	"strings"
	"testing"
)

// sequence takes four bytes, and the limits of lines are multiples of four.
const sequence = "\x1b[0m"

func TestACutLineOfNothingButEscapeSequencesIsAnEmptyTextThatSaysSo(t *testing.T) {
	for name, c := range map[string]struct {
		multiline Multiline
		want      []string
	}{
		"single": {Multiline{}, []string{"before", "", "after"}},
		"joined": {Multiline{Preset: "go", Flush: 20}, []string{"before\n", "after"}},
	} {
		t.Run(name, func(t *testing.T) {
			scenario(t, func(t *testing.T, h *harness) {
				h.follow(Options{}, Target{Path: ".", Pattern: "*.log", StripANSI: true, Multiline: c.multiline})
				h.put("a.log", "before\n"+strings.Repeat(sequence, 1<<15)+"\nafter\n")
				h.wants(c.want)
				if cut := h.got[len(h.got)-2].Fields["_truncated"]; cut != float64(1<<16) {
					t.Errorf("_truncated is %v", cut)
				}
			})
		})
	}
}

func TestAContainerLineCutBeforeItsTextIsAnEmptyTextThatSaysSo(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.follow(Options{Filter: Filter{Redact: []string{"secret"}}}, Target{Path: ".", Pattern: "*.log"})
		head, tail := "2026-01-02T03:04:05.", "Z stdout F "
		head += strings.Repeat("0", 1<<16-len(head)-len(tail)) + tail
		h.put("a.log", "2026-01-02T03:04:05Z stdout F before\n"+head+"text\n2026-01-02T03:04:05Z stdout F after\n")
		h.wants([]string{"before", "", "after"})
		if cut := h.got[1].Fields["_truncated"]; cut != 4.0 {
			t.Errorf("_truncated is %v", cut)
		}
	})
}
