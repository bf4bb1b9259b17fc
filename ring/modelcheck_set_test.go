package ring_test

import "hash/maphash"

// modelChunk is how many states a modelSet allocates at a time.
const modelChunk = 1 << 12

// modelSet holds millions of different states, numbered in the order they
// came. It compares whole states, so a collision never hides one.
type modelSet struct {
	chunks [][]modelState // all full but the last
	length int
	seed   maphash.Seed
	table  []uint64 // open addressing: hash in the upper half, 1 + number in the lower, 0 when free
}

func newModelSet() modelSet {
	return modelSet{seed: maphash.MakeSeed(), table: make([]uint64, 1<<16)}
}

// at returns state number i.
func (k *modelSet) at(i int32) *modelState {
	return &k.chunks[i/modelChunk][i%modelChunk]
}

// add reports whether s was new.
func (k *modelSet) add(s *modelState) bool {
	hash := uint32(maphash.Comparable(k.seed, *s))
	mask := uint32(len(k.table) - 1)
	place := hash & mask
	for ; k.table[place] != 0; place = (place + 1) & mask {
		entry := k.table[place]
		if uint32(entry>>32) == hash && *k.at(int32(uint32(entry)) - 1) == *s {
			return false
		}
	}
	if k.length%modelChunk == 0 {
		k.chunks = append(k.chunks, make([]modelState, 0, modelChunk))
	}
	last := &k.chunks[len(k.chunks)-1]
	*last = append(*last, *s)
	k.length++
	k.table[place] = uint64(hash)<<32 | uint64(k.length)
	if 2*k.length > len(k.table) {
		k.grow()
	}
	return true
}

// grow doubles the table. The entries carry their hashes, so no state is read.
func (k *modelSet) grow() {
	old := k.table
	k.table = make([]uint64, 2*len(old))
	mask := uint32(len(k.table) - 1)
	for _, entry := range old {
		if entry == 0 {
			continue
		}
		place := uint32(entry>>32) & mask
		for k.table[place] != 0 {
			place = (place + 1) & mask
		}
		k.table[place] = entry
	}
}
