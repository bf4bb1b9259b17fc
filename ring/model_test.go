package ring_test

import (
	"testing"

	"pgregory.net/rapid"
)

func TestRingBehavesAsItsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSpec(t,
			rapid.SampledFrom([]int{0, 2, 3, 8, 64}).Draw(t, "entries"),
			rapid.SampledFrom([]int64{1, 500, 2000, 200_000, 1 << 30}).Draw(t, "bytes"),
			rapid.SampledFrom([]uint64{0, 1, 1000}).Draw(t, "first"),
			rapid.Bool().Draw(t, "again"))
		sizes := rapid.SliceOfN(rapid.OneOf(rapid.IntRange(0, 60), rapid.SampledFrom([]int{300, 33_000, 70_000})), 0, 8)
		t.Repeat(map[string]func(*rapid.T){
			"publish": func(t *rapid.T) { s.publish(sizes.Draw(t, "sizes")) },
			"lap": func(t *rapid.T) {
				for range rapid.IntRange(1, 70).Draw(t, "pages") {
					s.publish([]int{1})
				}
			},
			"live": func(*rapid.T) { s.live() },
			"seek": func(t *rapid.T) {
				s.seek(rapid.OneOf(
					rapid.Uint64Range(0, s.next+3), rapid.Uint64Range(max(s.oldest(), 1)-1, s.next+1), rapid.Uint64(),
				).Draw(t, "seq"))
			},
			"read": func(t *rapid.T) {
				if len(s.readers) == 0 {
					t.Skip("no reader")
				}
				s.read(rapid.IntRange(0, len(s.readers)-1).Draw(t, "reader"), rapid.IntRange(0, 9).Draw(t, "entries"))
			},
			"": func(*rapid.T) { s.check() },
		})
	})
}
