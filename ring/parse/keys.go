package parse

// key is a top-level key with a meaning of its own. Within a group (message,
// level, time) a lower number is preferred.
type key uint8

const (
	keyMsg key = iota
	keyMessage
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
	keyPriority
	keySeverityNumber

	keyTime
	keyTs
	keyTimestamp
	keyAtTimestamp
	keyT
	keyDate

	keyFields

	keyCount
	keyNone = keyCount
)

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
	switch string(name) {
	case "msg":
		return keyMsg
	case "message":
		return keyMessage
	case "log":
		return keyLog
	case "event":
		return keyEvent
	case "text":
		return keyText
	case "@message":
		return keyAtMessage
	case "level":
		return keyLevel
	case "lvl":
		return keyLvl
	case "severity":
		return keySeverity
	case "severity_text":
		return keySeverityText
	case "log.level":
		return keyLogLevel
	case "@level":
		return keyAtLevel
	case "levelname":
		return keyLevelName
	case "PRIORITY":
		return keyPriority
	case "severity_number":
		return keySeverityNumber
	case "time":
		return keyTime
	case "ts":
		return keyTs
	case "timestamp":
		return keyTimestamp
	case "@timestamp":
		return keyAtTimestamp
	case "t":
		return keyT
	case "date":
		return keyDate
	case "fields":
		return keyFields
	}
	return keyNone
}

// member is one key and its value, as places in the line.
type member struct {
	start      int // of the key
	value, end int // of the value, quotes included
}

// remember keeps the first member of a known key; a repeated key is an
// ordinary one.
func (p *Parser) remember(k key, m member) {
	if k < keyCount && p.seen&(1<<k) == 0 {
		p.seen |= 1 << k
		p.found[k] = m
	}
}
