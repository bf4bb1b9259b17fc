package filter_test

import (
	"strings"
	"testing"

	"logwisp/ring"
	"logwisp/ring/record"
)

func at(level ring.Level) record.Entry {
	return record.Entry{Source: source, Level: level, Message: []byte("m")}
}

func from(name string) record.Entry {
	return record.Entry{Source: name, Level: ring.LevelInfo, Message: []byte("m")}
}

func TestLevelsPassAsTheyAreNamed(t *testing.T) {
	check(t, []verdict{
		{"", at(ring.LevelUnknown), true},
		{"level=warn", at(ring.LevelWarn), true},
		{"level=warn", at(ring.LevelFatal), true},
		{"level=warn", at(ring.LevelInfo), false},
		{"level=trace", at(ring.LevelUnknown), false},
		{"level=WARN", at(ring.LevelError), true},
		{"level=error&level=warn", at(ring.LevelWarn), true},
		{"levels=error,fatal", at(ring.LevelError), true},
		{"levels=error,fatal", at(ring.LevelWarn), false},
		{"levels=error&levels=debug", at(ring.LevelDebug), true},
		{"levels=error,+unknown", at(ring.LevelUnknown), true},
		{"levels=error", at(ring.LevelUnknown), false},
		{"level=warn&levels=info,error", at(ring.LevelError), true},
		{"level=warn&levels=info,error", at(ring.LevelInfo), false},
		{"level=", at(ring.LevelUnknown), true},
		{"levels=", at(ring.LevelUnknown), true},
	})
}

func TestSourcesMatchGlobs(t *testing.T) {
	check(t, []verdict{
		{"source=app.log", from("app.log"), true},
		{"source=app*", from("app.log"), true},
		{"source=app", from("app.log"), false},
		{"source=*.log", from("/var/log/app.log"), true},
		{"source=/var/*/app.log", from("/var/log/app.log"), true},
		{"source=/var/*", from("/var/log/app.log"), false},
		{"source=log/*", from("log/app.log"), true},
		{"source=a.log&source=b.log", from("b.log"), true},
		{"source=[ab].log", from("b.log"), true},
		{"source=[ab].log", from("c.log"), false},
		{"not_source=app*", from("app.log"), false},
		{"not_source=app*", from("web.log"), true},
		{"not_source=a*&not_source=w*", from("web.log"), false},
		{"source=*.log&not_source=web*", from("web.log"), false},
		{"source=*.log&not_source=web*", from("app.log"), true},
		{`source=a"b%5C%5Cc*`, from(`a"b\c.log`), true},
		{`source=größe*`, from("größe.log"), true},
		{`source=*%0A*`, from("two\nlines"), true},
		{`source=x`, from(`","message":"x`), false},
	})
}

func TestTextIsFoundInTheMessageWithoutRegardToCase(t *testing.T) {
	check(t, []verdict{
		{"q=timeout", text("a Timeout b"), true},
		{"q=TIMEOUT", text("timeout"), true},
		{"q=timeout", text("timeou"), false},
		{"q=timeout", text(""), false},
		{"q=", text("x"), true},
		{"q=x&q=y", text("y"), true},
		{"q=a.c", text("abc"), false},
		{"q=app.log", text("x"), false},
		{"q=message", text("x"), false},
		{`q="quoted"`, text(`a "quoted" word`), true},
		{`q=c:%5Ctemp`, text(`C:\Temp`), true},
		{`q=ntwo`, text("one\ntwo"), false},
		{`q=one%0Atwo`, text("one\ntwo"), true},
		{`q=é`, quoted(`"caf\u00e9"`), true},
		{`q=É`, quoted(`"caf\u00e9"`), true},
		{`q=u00e9`, quoted(`"caf\u00e9"`), false},
		{`q=timeout`, quoted(`"t\u0069meout"`), true},
		{`q=a/b`, quoted(`"a\/b"`), true},
		{`q=😀`, quoted(`"\ud83d\ude00"`), true},
		{"q=%EF%BF%BD", text("bad \xff byte"), true},
		{"q=%FF", text("bad \xff byte"), true},
		{"q=STRASSE", text("straße"), false},
		{"q=GRÖSSE", text("grösse"), true},
		{"q=Ωμέγα", text("ωΜΈΓΑ"), true},
		{"q=ΣΊΣΥΦΟΣ", text("σίσυφος"), true},
		{"q=кот", text("КОТ"), true},
		{"q=日志", text("一个日志"), true},
		{"q=kelvin", text("\u212aelvin"), true},
		{"q=\u212aelvin", text("kelvin"), true},
		{"q=loss", text("lo\u017fs"), true},
		{"q=loss", text("lo\u017fe"), false},
		{"q=aab", text("aaaaab"), true},
		{"q=" + strings.Repeat("a", 4000) + "b", text(strings.Repeat("a", 20000) + "B"), true},
		{"q=" + strings.Repeat("a", 4000) + "b", text(strings.Repeat("a", 20000)), false},
		{"q=b" + strings.Repeat("a", 4000), text(strings.Repeat("a", 20000)), false},
		{"not=debug", text("a DEBUG line"), false},
		{"not=debug", text("fine"), true},
		{"not=a&not=b", text("b"), false},
		{"not=%C3%A9", quoted(`"\u00e9"`), false},
		{"q=x&not=y", text("x y"), false},
		{"q=x&not=y", text("x z"), true},
		{"not=", text("x"), true},
	})
}

func TestExpressionsSearchTheMessage(t *testing.T) {
	check(t, []verdict{
		{"re=time.ut", text("a timeout"), true},
		{"re=time.ut", text("a TIMEOUT"), false},
		{"re=(%3Fi)time.ut", text("a TIMEOUT"), true},
		{"re=^a$", text("a"), true},
		{"re=^a$", text("ab"), false},
		{"re=^a$&re=b", text("ab"), true},
		{"re=a%5Cnb", text("a\nb"), true},
		{"re=^é$", quoted(`"\u00e9"`), true},
		{"re=", text("x"), true},
		{"not_re=a.c", text("abc"), false},
		{"not_re=a.c&not_re=b", text("abd"), false},
		{"not_re=a.c", text("abd"), true},
		{"not=x&not_re=a.c", text("abc"), false},
		{"not=x&not_re=a.c", text("ax"), false},
		{"not=x&not_re=a.c", text("ab"), true},
		{"q=a&re=c", text("abc"), true},
		{"q=a&re=d", text("abc"), false},
	})
}

func TestTextIsFoundInEachValueByItself(t *testing.T) {
	check(t, []verdict{
		{"q=alice", fields(`{"user":"Alice"}`), true},
		{"q=user", fields(`{"user":"Alice"}`), false},
		{"q=malice", fields(`{"user":"alice"}`), false},
		{"q=ab", fields(`{"x":"a","y":"b"}`), false},
		{"q=500", fields(`{"status":500}`), true},
		{"q=TRUE", fields(`{"ok":true}`), true},
		{"q=null", fields(`{"ok" : null}`), true},
		{"q=deep", fields(`{"a":{"b":["x",{"c":"deep"}]}}`), true},
		{"q=key", fields(`{"a":{"key" : ["x"]}}`), false},
		{"q=7", fields(`{"a":[1,[7]]}`), true},
		{"q=line%0Atwo", fields(`{"a":"line\ntwo"}`), true},
		{`q=a"b`, fields(`{"a":"a\"b"}`), true},
		{`q=é`, fields(`{"a":"\u00e9"}`), true},
		{`q=%EF%BF%BD`, fields(`{"a":"\ud800"}`), true},
		{`q=b`, fields(`{"\"a":{"x\\":"b"}}`), true},
		{`re=^b$`, fields(`{"\"a":{"x\\":"b"}}`), true},
		{"re=^al", fields(`{"user":"alice"}`), true},
		{"re=^50.$", fields(`{"status": 503 }`), true},
		{"not=alice", fields(`{"user":"alice"}`), false},
		{"not_re=^alice$", fields(`{"user":"alice"}`), false},
		{"q=first", fields(`{"a":"first","a":"second"}`), true},
	})
}

func TestLogWispsOwnFieldsAreFieldsToo(t *testing.T) {
	partial := text("m")
	partial.Partial = true
	truncated := fields(`{"a":1}`)
	truncated.Truncated = 4711
	check(t, []verdict{
		{"field=_partial=true", partial, true},
		{"field=_partial=true", truncated, false},
		{"field=_truncated>4000", truncated, true},
		{"field=a=1", truncated, true},
		{"q=4711", truncated, true},
	})
}
