package ring_test

import "testing"

// operations is a string of bytes read as what to do next.
type operations []byte

func (o *operations) next() int {
	if len(*o) == 0 {
		return 0
	}
	b := (*o)[0]
	*o = (*o)[1:]
	return int(b)
}

// FuzzOps does whatever the bytes say to a ring and to its model.
func FuzzOps(f *testing.F) {
	f.Add([]byte{0, 0, 0, 3, 0, 1, 2, 0, 2, 0, 9})
	f.Add([]byte{2, 9, 1, 3, 4, 1, 4, 5, 4, 20, 2, 0, 3, 3, 0, 40, 2, 1, 1, 2, 0, 5})
	f.Add([]byte("publish, lap, seek, read, and over again"))
	f.Fuzz(func(t *testing.T, data []byte) {
		ops := operations(data[:min(len(data), 400)])
		entries := 1 << (ops.next() % 7)
		s := newSpec(t, entries, int64(1)<<(ops.next()%20), uint64(ops.next()), entries%3 == 1)
		for len(ops) > 0 {
			switch ops.next() % 6 {
			case 0:
				sizes := make([]int, ops.next()%9)
				for i := range sizes {
					sizes[i] = ops.next()
				}
				s.publish(sizes)
			case 1:
				s.publish([]int{ops.next() * 300})
			case 2:
				for range ops.next() % (2*entries + 2) {
					s.publish([]int{0})
				}
			case 3:
				if len(s.readers) < 16 {
					s.live()
				}
			case 4:
				s.seek(s.next + 2 - min(uint64(ops.next()), s.next+2))
			case 5:
				if reader, n := ops.next(), ops.next(); len(s.readers) > 0 {
					s.read(reader%len(s.readers), n%12)
				}
			}
			s.check()
		}
	})
}
