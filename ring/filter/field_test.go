package filter_test

import (
	"testing"

	"logwisp/ring"
	"logwisp/ring/record"
)

func TestFieldsCompareAsNumbersOrAsText(t *testing.T) {
	check(t, []verdict{
		{"field=user=alice", fields(`{"user":"alice"}`), true},
		{"field=user=Alice", fields(`{"user":"alice"}`), false},
		{"field=user=", fields(`{"user":""}`), true},
		{"field=user!=bob", fields(`{"user":"alice"}`), true},
		{"field=user!=alice", fields(`{"user":"alice"}`), false},
		{"field=status>=500", fields(`{"status":500}`), true},
		{"field=status>=500", fields(`{"status":499.5}`), false},
		{"field=status>=500", fields(`{"status":"503"}`), true},
		{"field=status>500", fields(`{"status":1e3}`), true},
		{"field=status<500", fields(`{"status":60}`), true},
		{"field=status<=500", fields(`{"status":5.00e2}`), true},
		{"field=status=500", fields(`{"status":500.0}`), true},
		{"field=status!=500", fields(`{"status":500.0}`), false},
		{"field=n=-0", fields(`{"n":0.0e7}`), true},
		{"field=n<-1", fields(`{"n":-1.5}`), true},
		{"field=n>0.001", fields(`{"n":0.01}`), true},
		{"field=id=9007199254740993", fields(`{"id":9007199254740992}`), false},
		{"field=id>9007199254740992", fields(`{"id":9007199254740993}`), true},
		{"field=n=1e400", fields(`{"n":10e399}`), true},
		{"field=n>x", fields(`{"n":5}`), false},
		{"field=n<x", fields(`{"n":5}`), false},
		{"field=n!=x", fields(`{"n":5}`), true},
		{"field=n>b", fields(`{"n":"c"}`), true},
		{"field=n<b", fields(`{"n":"c"}`), false},
		{"field=n=007", fields(`{"n":"7"}`), false},
		{"field=ok=true", fields(`{"ok":true}`), true},
		{"field=ok=null", fields(`{"ok":null}`), true},
		{`field=a={"b":1}`, fields(`{"a":{"b":1}}`), true},
		{"field=user~^al", fields(`{"user":"alice"}`), true},
		{"field=user~^li", fields(`{"user":"alice"}`), false},
		{"field=n~^5", fields(`{"n": 503}`), true},
		{`field=user=a"é`, fields(`{"user":"a\"\u00e9"}`), true},
		{"field=user=x&field=n=5", fields(`{"n":5}`), true},
	})
}

func TestAbsentFieldsAreUnequalAndNothingElse(t *testing.T) {
	for _, entry := range []record.Entry{text("m"), fields(`{}`), fields(`{"other":1}`)} {
		check(t, []verdict{
			{"field=k!=1", entry, true},
			{"field=k=", entry, false},
			{"field=k>=0", entry, false},
			{"field=k<=0", entry, false},
			{"field=k~", entry, false},
		})
	}
}

func TestDottedKeysAreLookedUpLiterallyFirst(t *testing.T) {
	check(t, []verdict{
		{"field=a.b=1", fields(`{"a":{"b":1}}`), true},
		{"field=a.b=1", fields(`{"a.b":1}`), true},
		{"field=a.b=1", fields(`{"a":{"b":2},"a.b":1}`), true},
		{"field=a.b.c=1", fields(`{"a":{"b.c":1}}`), true},
		{"field=a.b.c=1", fields(`{"a":{"b":{"c":1}}}`), true},
		{"field=a.b=1", fields(`{"a":[{"b":1}]}`), false},
		{"field=a.b=1", fields(`{"a":"b"}`), false},
		{"field=a.=1", fields(`{"a":{"":1}}`), true},
		{"field=.=1", fields(`{"":{"":1}}`), true},
		{`field=a=1`, fields(`{"\u0061":1}`), true},
		{`field=a=1`, fields(`{"b":{"a":1}}`), false},
		{`field=a=1`, fields(`{"b":"\",\"a\":1"}`), false},
		{`field=a=1`, fields(`{ "b" : [ "]" , {"}":2} ] , "a" : 1 }`), true},
		{`field=a=2`, fields(`{"a":1,"a":2}`), true},
		{`field=a=1`, fields(`{"a":1,"a":2}`), false},
	})
}

func TestTheEntrysOwnKeysAreFieldsThatFieldsHide(t *testing.T) {
	entry := record.Entry{
		Micros: 1704110400_123456, Source: `a "b".log`, Level: ring.LevelWarn, Message: []byte("two\nlines"),
	}
	hidden := entry
	hidden.Fields = []byte(`{"level":"notice","source":1}`)
	check(t, []verdict{
		{"field=level=warn", entry, true},
		{"field=level=warn", hidden, false},
		{"field=level=notice", hidden, true},
		{`field=source=a+"b".log`, entry, true},
		{`field=source=1`, hidden, true},
		{"field=message=two%0Alines", entry, true},
		{"field=message~^two", hidden, true},
		{"field=time=2024-01-01T12:00:00.123456Z", entry, true},
		{"field=time>2024-01-01T11", entry, true},
		{"field=time<2024-01-01T11", entry, false},
		{"field=level!=info", text("m"), false},
		{"field=level!=info", at(ring.LevelUnknown), true},
		{"field=level=", at(ring.LevelUnknown), false},
	})
}

func TestTheFirstAndLongestOperatorSplitsAField(t *testing.T) {
	check(t, []verdict{
		{"field=a!=b>c", fields(`{"a":"b>c"}`), false},
		{"field=a>=b", fields(`{"a":"b"}`), true},
		{"field=a==b", fields(`{"a":"=b"}`), true},
		{"field=a~=b", fields(`{"a":"x=b"}`), true},
		{"field=a!b=c", fields(`{"a!b":"c"}`), true},
		{"field=a<=b", fields(`{"a":"b"}`), true},
		{"field=a<!=b", fields(`{"a":"!"}`), true},
	})
}
