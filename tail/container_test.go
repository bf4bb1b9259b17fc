package tail

import (
	"fmt"
	"strings"
	"testing"

	"logwisp/ring/entry"
)

func TestPiecesBeyondTheLimitAreCutAtARune(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.follow(Options{}, Target{Path: ".", Pattern: "*.log"})
		piece := strings.Repeat("é", 1<<13)
		var b strings.Builder
		b.WriteString("2026-01-02T03:04:05Z stdout P x\n")
		for range 5 {
			b.WriteString("2026-01-02T03:04:05Z stdout P " + piece + "\n")
		}
		b.WriteString("2026-01-02T03:04:05Z stdout F " + piece + "\n")
		h.put("a.log", b.String())
		h.until("the entry", func() bool { return len(h.got) == 1 })
		if m := h.got[0].Message; m != "x"+strings.Repeat("é", 1<<15-1) {
			t.Errorf("the message has %d bytes and ends in %q", len(m), m[len(m)-6:])
		}
		if cut := h.got[0].Fields["_truncated"]; cut != float64(6<<14+1-(1<<16-1)) {
			t.Errorf("_truncated is %v", cut)
		}
	})
}

func TestAPieceThatIsCutItselfEndsTheTextAndIsCounted(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.follow(Options{}, Target{Path: ".", Pattern: "*.log"})
		lead := "2026-01-02T03:04:05Z stdout P "
		h.put("a.log", lead+strings.Repeat("a", 1<<16)+"\n"+
			"2026-01-02T03:04:05Z stdout F end\n")
		h.until("the entry", func() bool { return len(h.got) == 1 })
		if m := h.got[0].Message; m != strings.Repeat("a", 1<<16-len(lead)) {
			t.Errorf("the message has %d bytes and ends in %q", len(m), m[len(m)-6:])
		}
		if cut := h.got[0].Fields["_truncated"]; cut != float64(len(lead)+3) {
			t.Errorf("_truncated is %v, want %d", cut, len(lead)+3)
		}
	})
}

func TestPiecesWithoutAnEndAreTreatedAsLinesAre(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.follow(Options{}, Target{Path: ".", Pattern: "*.log", StripANSI: true})
		h.put("a.log", "2026-01-02T03:04:05Z stdout F whole\n"+
			"2026-01-02T03:04:05Z stdout P "+sequence+"half\n"+
			"2026-01-02T03:04:05Z stderr P "+sequence+"\n")
		h.sees("whole")
		h.rename("a.log", "a.old")
		h.wants([]string{"whole", "half"})
	})
}

func TestATagOfTheSameNameAsAContainersMemberIsThereOnce(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.follow(Options{}, Target{Path: ".", Pattern: "**/*.log", Tags: map[string]string{"pod": "mine", "stream": "mine"}})
		h.put("pods/shop_web-1_uid/nginx/0.log", "2026-01-02T03:04:05Z stdout F text\n")
		h.until("the entry", func() bool { return h.w.ring.Head() == 1 })
		f := h.w.names[h.path("pods/shop_web-1_uid/nginx/0.log")].file
		for _, members := range f.members {
			for _, key := range []string{`"pod":`, `"stream":`} {
				if n := strings.Count(string(members), key); n != 1 {
					t.Errorf("%s is there %d times: %s", key, n, members)
				}
			}
		}
	})
}

func TestAContainersPieceWhoseEndDoesNotComeIsSentThoughTheOtherStreamGoesOn(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.follow(Options{PartialFlush: 50}, Target{Path: ".", Pattern: "*.log"})
		h.put("a.log", "2026-01-02T03:04:05Z stdout P password: \n")
		f := h.fileAt("a.log", func(f *file) bool { return f.pos > 0 })
		h.until("the piece", func() bool {
			h.put("a.log", "2026-01-02T03:04:05Z stderr F busy\n")
			return h.has("password: ")
		})
		h.until("all", func() bool { return f.atEnd && f.whole == f.pos })
	})
}

func TestWhatDockerAddsToALineIsInTheFields(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.follow(Options{}, Target{Path: ".", Pattern: "*.log"})
		line := `{"log":%q,"stream":"stdout","attrs":%s,"time":"2026-01-02T03:04:05Z"}` + "\n"
		big := `{"tag":"` + strings.Repeat("x", entry.MaxTags) + `"}`
		h.put("a.log", fmt.Sprintf(line, "text\n", `{"tag":"web-7"}`)+fmt.Sprintf(line, "in ", `{"tag":"web-7"}`)+
			fmt.Sprintf(line, "pieces\n", `{"tag":"web-7"}`)+fmt.Sprintf(line, "other\n", `{"tag":"web-8"}`)+fmt.Sprintf(line, "much\n", big))
		h.wants([]string{"text", "in pieces", "other", "much\n"})
		for i, tag := range []string{"web-7", "web-7", "web-8", strings.Repeat("x", entry.MaxTags)} {
			if attrs, _ := h.got[i].Fields["attrs"].(map[string]any); attrs["tag"] != tag {
				t.Errorf("%s has fields %.100v", h.got[i].Message, h.got[i].Fields)
			}
		}
	})
}

func TestALineThatNoRuntimeWroteIsOfNoStream(t *testing.T) {
	scenario(t, func(t *testing.T, h *harness) {
		h.follow(Options{}, Target{Path: ".", Pattern: "**/*.log"})
		h.put("pods/shop_web-1_uid/nginx/0.log", "2026-01-02T03:04:05Z stderr F wrapped\nnot wrapped\n")
		h.wants([]string{"wrapped", "not wrapped"})
		if e := h.got[1]; e.Fields["stream"] != nil || e.Fields["pod"] != "web-1" {
			t.Errorf("fields %v", e.Fields)
		}
	})
}
