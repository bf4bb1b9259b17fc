package filter

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// endByHand is needle.end as it is meant.
func endByHand(text, wanted string) int {
	count := utf8.RuneCountInString(wanted)
	best := -1
	for start := range text {
		end := start
		for range count {
			_, size := utf8.DecodeRuneInString(text[end:])
			end += size
		}
		if strings.EqualFold(text[start:end], wanted) && (best < 0 || end < best) {
			best = end
		}
	}
	return best
}

func TestANeedleIsFoundWhereItEndsFirst(t *testing.T) {
	alphabet := rapid.SampledFrom([]string{"a", "a", "a", "A", "b", "B", "k", "K", "\u212a", "s", "\u017f", "ß", "ẞ", "1", "日"})
	rapid.Check(t, func(t *rapid.T) {
		wanted := strings.Join(rapid.SliceOfN(alphabet, 1, 5).Draw(t, "needle"), "")
		text := strings.Join(rapid.SliceOfN(alphabet, 0, 40).Draw(t, "text"), "")
		text = strings.Repeat("a", rapid.IntRange(0, 20).Draw(t, "lead")) + text
		if got, want := newNeedle(wanted).end([]byte(text)), endByHand(text, wanted); got != want {
			t.Fatalf("%q ends in %q at %d, want %d", wanted, text, got, want)
		}
	})
}

func TestATextMadeToDisappointIsSearchedRuneByRune(t *testing.T) {
	// An e is more common than an a: the search goes from a to a.
	as := strings.Repeat("a", 3000)
	for _, text := range []string{as + as, as + as + "e", as + as + "E" + as, "e" + as, as[:900] + "e" + as + as + "e"} {
		for _, wanted := range []string{as[:1000] + "e", "e" + as[:1000], as[:500] + "e" + as[:500]} {
			if got, want := newNeedle(wanted).end([]byte(text)), endByHand(text, wanted); got != want {
				t.Errorf("a needle of %d bytes ends in %d bytes at %d, want %d", len(wanted), len(text), got, want)
			}
		}
	}
}
