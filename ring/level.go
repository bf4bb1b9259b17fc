package ring

// Level is the severity of an entry. The zero value means unknown; the others
// are ordered, so a minimum level is one comparison.
type Level uint8

// The levels an entry can have, least severe first.
const (
	LevelUnknown Level = iota
	LevelTrace
	LevelDebug
	LevelInfo
	LevelWarn
	LevelError
	LevelFatal
)

var levelNames = [...]string{"", "trace", "debug", "info", "warn", "error", "fatal"}

// String returns the level's lower-case name, as it stands in an entry, or ""
// when the level is unknown.
func (l Level) String() string {
	if int(l) < len(levelNames) {
		return levelNames[l]
	}
	return ""
}
