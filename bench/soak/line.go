package main

import (
	"bytes"
	"strconv"
	"time"
)

// The layout of a line; offsets are into the message, without the newline.
const (
	linePrefix       = "soak "
	generationAt     = len(linePrefix)
	generationDigits = 8
	numberAt         = generationAt + generationDigits + 1
	numberDigits     = 12
	nanoAt           = numberAt + numberDigits + 1
	nanoDigits       = 20
	padAt            = nanoAt + nanoDigits + 1
	shortest         = padAt + 2 // with the final '.' and the newline
)

// line is what a line says.
type line struct {
	generation, number uint64
	nano               int64 // when it was written: nanos
}

// appendLine adds a line of size bytes to dst.
func appendLine(dst []byte, l line, size int) []byte {
	dst = append(dst, linePrefix...)
	dst = append(appendDigits(dst, l.generation, generationDigits), ' ')
	dst = append(appendDigits(dst, l.number, numberDigits), ' ')
	dst = append(appendDigits(dst, uint64(l.nano), nanoDigits), ' ')
	for range size - shortest {
		dst = append(dst, 'x')
	}
	return append(dst, ".\n"...)
}

// appendDigits adds v in decimal, zero padded to width.
func appendDigits(dst []byte, v uint64, width int) []byte {
	at := len(dst)
	dst = append(dst, "00000000000000000000"[:width]...)
	for i := at + width - 1; v > 0 && i >= at; i-- {
		dst[i] = '0' + byte(v%10)
		v /= 10
	}
	return dst
}

// parseLine reads a message; ok is false when it is not, byte for byte, a line
// of size bytes.
func parseLine(message []byte, size int) (l line, ok bool) {
	if len(message) != size-1 || !bytes.HasPrefix(message, []byte(linePrefix)) ||
		message[numberAt-1] != ' ' || message[nanoAt-1] != ' ' || message[padAt-1] != ' ' ||
		message[size-2] != '.' || len(bytes.Trim(message[padAt:size-2], "x")) > 0 {
		return l, false
	}
	var err error
	number := func(from, digits int) uint64 {
		v, e := strconv.ParseUint(string(message[from:from+digits]), 10, 64)
		if e != nil {
			err = e
		}
		return v
	}
	l.generation = number(generationAt, generationDigits)
	l.number = number(numberAt, numberDigits)
	l.nano = int64(number(nanoAt, nanoDigits))
	return l, err == nil
}

var messageKey = []byte(`"message":"`)

// messageOf returns the message of an entry. Lines have nothing in them that is
// escaped.
func messageOf(entry []byte) []byte {
	_, after, _ := bytes.Cut(entry, messageKey)
	message, _, _ := bytes.Cut(after, []byte(`"`))
	return message
}

var began = time.Now()

// nanos is a time of this process in nanoseconds since 1970 by the clock that the
// machine had when the soak began, whatever it is set to meanwhile.
func nanos(at time.Time) int64 { return began.UnixNano() + int64(at.Sub(began)) }

// micros is how long after nanos written nanos now was, in microseconds, as the
// histograms take it.
func micros(written, now int64) int64 { return max(1, min((now-written)/1000, latencyMost)) }
