package parse

// key is a top-level key with a meaning of its own. Within a group (message,
// level, time) a lower number is preferred.
type key uint8

const (
	keyMsg key = iota
	keyMessage
	keyJournalMessage
	keyLog
	keyEvent
	keyText
	keyAtMessage

	keyLevel
	keyLvl
	keySeverity
	keySeverityText
	keyLogLevel
	keyAtLevel
	keyLevelName
	keyNamedLevel
	keyErrorSeverity
	keyPriority
	keySeverityNumber

	keyTime
	keyTs
	keyTimestamp
	keyAtTimestamp
	keyT
	keyDate
	keyDatetime
	keyAsctime
	keyJournalTime

	keyFields

	// The keys of a container's log; ordinary ones in any other line.
	keyStream
	keyAttrs

	// The keys of LogWisp's own form; ordinary ones in any other line.
	keySource
	keyID

	keyCount
	keyNone = keyCount
)

const _ = uint(32 - keyCount) // the bits of Parser.seen

// The groups, as bits in Parser.seen.
const (
	messageKeys       uint32 = 1<<keyLevel - 1
	logfmtMessageKeys uint32 = 1<<keyMsg | 1<<keyMessage
	levelKeys         uint32 = 1<<keyTime - 1<<keyLevel
	timeKeys          uint32 = 1<<keyFields - 1<<keyTime
)

// keyOf returns the meaning of a key, keyNone when it has none. The name is
// compared as it stands in the line: one spelt with escapes is an ordinary key.
func keyOf(name []byte) key {
	if len(name) < wordLen {
		return keyOfWord(word(name))
	}
	switch string(name) {
	case "@message":
		return keyAtMessage
	case "severity":
		return keySeverity
	case "error_severity":
		return keyErrorSeverity
	case "severity_text":
		return keySeverityText
	case "log.level":
		return keyLogLevel
	case "levelname":
		return keyLevelName
	case "level_name":
		return keyNamedLevel
	case "PRIORITY":
		return keyPriority
	case "severity_number":
		return keySeverityNumber
	case "timestamp":
		return keyTimestamp
	case "__REALTIME_TIMESTAMP":
		return keyJournalTime
	case "datetime":
		return keyDatetime
	case "@timestamp":
		return keyAtTimestamp
	}
	return keyNone
}

// shortKeys are the keys that keyOf knows by their word.
var shortKeys = map[string]key{
	"msg": keyMsg, "message": keyMessage, "MESSAGE": keyJournalMessage, "log": keyLog, "event": keyEvent, "text": keyText,
	"level": keyLevel, "lvl": keyLvl, "@level": keyAtLevel,
	"time": keyTime, "ts": keyTs, "t": keyT, "date": keyDate, "asctime": keyAsctime, "fields": keyFields,
	"stream": keyStream, "attrs": keyAttrs,
	"source": keySource, "id": keyID,
}

// wordLen is how many bytes are looked at at once. A name shorter than that is
// known by its word: its bytes, the first one lowest, and zeros above.
const wordLen = 8

// word returns the word of a name shorter than wordLen.
func word(name []byte) (w uint64) {
	for i, c := range name {
		w |= uint64(c) << (8 * i)
	}
	return w
}

// keyFactor sends the word of each of shortKeys to a place of its own in
// keyTable. It was found by trial: a key more or less may need another one.
const (
	keyFactor = 0x1a8faa0052790885
	keyShift  = 64 - 5
)

type keyEntry struct {
	word uint64
	key  key
}

var keyTable = func() (table [1 << (64 - keyShift)]keyEntry) {
	for i := range table {
		table[i].key = keyNone
	}
	for name, k := range shortKeys {
		w := word([]byte(name))
		table[w*keyFactor>>keyShift] = keyEntry{w, k}
	}
	return table
}()

// keyOfWord is keyOf for a name, which holds no NUL, given as its word.
func keyOfWord(w uint64) key {
	if e := &keyTable[w*keyFactor>>keyShift]; e.word == w {
		return e.key
	}
	return keyNone
}

// member is one key and its value, as places in the line.
type member struct {
	start      int // of the key
	value, end int // of the value, quotes included
}

// remember keeps the first member of a known key and reports whether this is
// it; a repeated key is an ordinary one.
func (p *Parser) remember(k key, m member) bool {
	if k >= keyCount || p.seen&(1<<k) != 0 {
		return false
	}
	p.seen |= 1 << k
	p.found[k] = m
	return true
}

// keyMemory holds for each key the one that came behind it in an earlier line:
// the lines of a log have few shapes, and to compare a key is faster than to
// search for its end. Keys share a place where their first bytes say so; the
// first place is that before the first key.
type keyMemory [256]lastKey

// lastKey is the text of a key, with what ends it: quote and colon in JSON, the
// equals sign in logfmt.
type lastKey struct {
	head     uint64 // the first bytes of the text, those that do not count being 0
	headMask uint64 // ones where a byte counts
	tail     uint64 // the last bytes of a text longer than a word
	n        int    // the length of the text, 0 when there is none
	key      key
	next     uint8 // the place in keyMemory of what comes behind the key
}

// set makes the n bytes at b[i], the text of a valid key, the one to compare
// with if it is short and in ASCII. It does nothing at the end of b.
func (l *lastKey) set(b []byte, i, n int, k key) {
	if i+wordLen > len(b) {
		return
	}
	l.n, l.key = n, k
	l.headMask = 1<<(8*min(n, wordLen)) - 1
	l.head, l.tail = load(b, i)&l.headMask, 0
	if n > wordLen {
		l.tail = load(b, i+n-wordLen)
	}
	if n > 2*wordLen || (l.head|l.tail)&tops != 0 {
		l.n = 0
	}
	l.next = uint8(l.head * keyFactor >> (64 - 8))
}

// begins reports whether the text stands at b[i]. It may say no where few bytes
// follow.
func (l *lastKey) begins(b []byte, i int) bool {
	if i+wordLen > len(b) || l.n == 0 || load(b, i)&l.headMask != l.head {
		return false
	}
	if l.n <= wordLen {
		return true
	}
	end := i + l.n
	return end <= len(b) && load(b, end-wordLen) == l.tail
}
