package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"testing"
)

// splitBytes is about what the tailer reads from a file at once.
const splitBytes = 256 << 10

// Both designs count the bytes of the lines found, which is checked.
func BenchmarkSplit(b *testing.B) {
	for _, size := range []int{50, 200, 2000} {
		line := append(bytes.Repeat([]byte{'x'}, size-1), '\n')
		lines := splitBytes / size
		buffer := bytes.Repeat(line, lines)
		var baseline float64
		b.Run(fmt.Sprintf("line=%d/scanner", size), func(b *testing.B) {
			scratch := make([]byte, 64<<10)
			baseline = splitting(b, buffer, lines, func() (sum int) {
				s := bufio.NewScanner(bytes.NewReader(buffer))
				s.Buffer(scratch, 1<<20)
				for s.Scan() {
					sum += len(s.Bytes())
				}
				return sum
			})
		})
		b.Run(fmt.Sprintf("line=%d/index", size), func(b *testing.B) {
			own := splitting(b, buffer, lines, func() (sum int) {
				rest := buffer
				for {
					i := bytes.IndexByte(rest, '\n')
					if i < 0 {
						return sum
					}
					sum += i
					rest = rest[i+1:]
				}
			})
			times(b, baseline, own, "x-scanner")
		})
	}
}

// splitting runs split, which returns the bytes in lines without line ends,
// and returns ns/line.
func splitting(b *testing.B, buffer []byte, lines int, split func() int) float64 {
	b.SetBytes(int64(len(buffer)))
	for b.Loop() {
		if got, want := split(), len(buffer)-lines; got != want {
			b.Fatalf("%d bytes in lines, want %d", got, want)
		}
	}
	return perLine(b, lines)
}
