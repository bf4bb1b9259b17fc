package viewer_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"logwisp/netio/web"
	"logwisp/ring"
)

func TestALineShowsWithItsTimeLevelSourceMessageAndFields(t *testing.T) {
	s := newSite(t)
	s.write(line{source: "web.log", level: "warn", message: "slow request", fields: `{"ms":812,"path":"/v1/orders"}`})
	p := s.open("/")
	p.shows("slow request")
	if got := p.text(".row .lv"); got != "WARN" {
		t.Errorf("the level is %q", got)
	}
	if got := p.text(".row .src"); got != "web.log" {
		t.Errorf("the source is %q", got)
	}
	if got := strings.TrimSpace(p.text(".row .kv")); got != "ms=812 path=/v1/orders" {
		t.Errorf("the fields are %q", got)
	}
	if got := p.text(".row time"); len(got) != len("15:04:05.000") {
		t.Errorf("the time is %q", got)
	}
	s.write(line{message: "and one more, live"})
	p.shows("slow request", "and one more, live")
	p.says("#connection", "Live")
	p.says("#rate", "lines/s")
	p.says("#fill", "2 of 100,000")
}

func TestTheListFollowsUntilTheUserScrollsUpAndAgainAfterEndOrThePress(t *testing.T) {
	s := newSite(t)
	s.number(1, 500)
	p := s.open("/")
	p.ends("entry 500")
	for i, resume := range []func(){
		func() { p.keys(kb.End) },
		func() { p.click("#newer", "new") },
		func() { p.wheel(100000) },
	} {
		first := 500 + 100*i
		p.wheel(-300)
		p.until("following ends", "!document.querySelector('#newer').hidden")
		p.waitFor("the rows have moved", func() bool { r := p.rows(); return r[len(r)-1] != fmt.Sprintf("entry %d", first) })
		before := p.rows()
		s.number(first+1, first+100)
		p.says("#newer", "↓ 100 new")
		if after := p.rows(); after[0] != before[0] {
			t.Errorf("the rows have moved from %q to %q while they were read", before[0], after[0])
		}
		resume()
		p.ends(fmt.Sprintf("entry %d", first+100))
		p.until("it follows", "document.querySelector('#newer').hidden")
	}
	s.number(801, 802)
	p.ends("entry 802")
}

// While all rows fit there is nothing to scroll: the row that is read must not go
// out of sight with the first that do not.
func TestARowOpenedInAShortListStaysInSightUntilItIsClosed(t *testing.T) {
	s := newSite(t)
	s.number(1, 5)
	p := s.open("/")
	p.ends("entry 5")
	p.click(".row .caret", "")
	p.says("#newer", "Follow")
	s.number(6, 200)
	p.says("#newer", "195 new")
	p.until("the open row is the first in sight", `(() => {
		const row = document.querySelector(".row:has(.detail)")?.getBoundingClientRect(), box = document.querySelector("#list").getBoundingClientRect();
		return row && row.top >= box.top && row.bottom <= box.bottom;
	})()`)
	p.keys("G")
	p.ends("entry 200")

	short := newSite(t)
	short.number(1, 5)
	p = short.open("/")
	p.ends("entry 5")
	p.click(".row .caret", "")
	p.says("#newer", "Follow")
	p.click(".row .caret", "")
	p.until("the list follows again", `document.querySelector("#newer").hidden`)
	short.number(6, 200)
	p.ends("entry 200")
}

func TestAPauseHoldsTheListAndCountsWhatIsNew(t *testing.T) {
	s := newSite(t)
	s.number(1, 3)
	p := s.open("/")
	p.shows("entry 1", "entry 2", "entry 3")
	p.keys(" ")
	p.says("#connection", "Paused")
	s.number(4, 1237)
	p.says("#newer", "1,234 new")
	p.shows("entry 1", "entry 2", "entry 3")
	p.keys(" ")
	p.ends("entry 1237")
	p.says("#fill", "1,237 of")
	p.says("#connection", "Live")
}

func TestALostConnectionGoesOnWithoutLossOrRepetition(t *testing.T) {
	s := newSite(t)
	s.number(1, 10)
	p := s.open("/")
	p.ends("entry 10")
	s.kickAll()
	s.number(11, 20)
	p.ends("entry 20")
	p.says("#fill", "20 of")
	p.until("nothing is lost", "document.querySelector('#lost').hidden")
	want := make([]string, 20)
	for i := range want {
		want[i] = fmt.Sprintf("entry %d", i+1)
	}
	p.shows(want...)
}

func TestALossShowsWhereItHappenedWithItsCount(t *testing.T) {
	s := startSite(t, web.Options{Viewer: true}, ring.Options{Entries: 16, Bytes: 1 << 20})
	s.number(1, 3)
	p := s.open("/")
	p.shows("entry 1", "entry 2", "entry 3")
	s.kickAll()
	for i := 4; i <= 203; i++ { // a page each, of which the ring has room for 16, before it is back
		s.add(line{message: fmt.Sprintf("entry %d", i)})
		s.builder.PublishMore()
	}
	s.builder.Wake()
	p.ends("entry 203")
	p.keys("g")
	p.until("the beginning is in sight", `document.querySelector(".row .msg").textContent === "entry 1"`)
	rows := p.rows()
	var missed, next int
	if _, err := fmt.Sscanf(rows[3], "%d entries missed while the connection was down", &missed); err != nil {
		t.Fatalf("the row behind entry 3 is %q", rows[3])
	}
	if _, err := fmt.Sscanf(rows[4], "entry %d", &next); err != nil || next != 4+missed {
		t.Errorf("behind %q comes %q", rows[3], rows[4])
	}
	p.says("#lost", fmt.Sprintf("%d lost", missed))
	if got := eval[string](p, `getComputedStyle(document.querySelector(".row.mark-gap")).color`); got != "rgb(166, 27, 27)" {
		t.Errorf("the row of the loss is %s, not red", got)
	}
}

func TestAViewerThatIsTooSlowIsToldWhereAndHowMuchItLost(t *testing.T) {
	s := startSite(t, web.Options{Viewer: true}, ring.Options{Entries: 64, Bytes: 1 << 20})
	p := s.open("/")
	p.says("#connection", "Live")
	const all = 8000
	pad := fmt.Sprintf(`{"pad":"%s"}`, strings.Repeat("x", 16<<10))
	for i := 1; i <= all; i++ { // 130 MB, faster than any browser can read
		s.add(line{message: fmt.Sprintf("entry %d", i), fields: pad})
		s.builder.Publish()
	}
	p.ends(fmt.Sprintf("entry %d", all))
	p.typed("#text", "no entry has this")
	p.until("only the losses show", `[...document.querySelectorAll(".row")].every(e => e.matches(".mark-drop"))`)
	lost, marks := 0, p.rows()
	for _, m := range marks {
		var n int
		if _, err := fmt.Sscanf(strings.ReplaceAll(m, ",", ""), "%d", &n); err != nil {
			t.Fatalf("%q: %v", m, err)
		}
		lost += n
	}
	p.says("#fill", fmt.Sprintf("%d shown", len(marks)))
	if got := strings.ReplaceAll(p.text("#lost"), ",", ""); lost == 0 || got != fmt.Sprintf("%d lost", lost) {
		t.Errorf("the rows say %d are lost, the status %q", lost, got)
	}
	if got := strings.ReplaceAll(p.text("#fill"), ",", ""); !strings.HasSuffix(got, fmt.Sprintf("of %d", all-lost+len(marks))) {
		t.Errorf("%d entries, %d lost in %d places, but %s", all, lost, len(marks), got)
	}
	// The entries around the first loss are as far apart as it says.
	p.keys(kb.Escape)
	p.keys("j")
	p.erase("#text")
	p.keys(kb.Escape)
	p.keys("k")
	p.until("the entry before it is selected", `document.querySelector(".row[aria-current]:not(.mark-drop)")`)
	var before, after, between int
	around := eval[string](p, `(() => {
		const e = document.querySelector(".row[aria-current]"), text = e => e.querySelector(".msg").textContent;
		return [e, e.nextElementSibling, e.nextElementSibling.nextElementSibling].map(text).join("; ").replaceAll(",", "");
	})()`)
	if _, err := fmt.Sscanf(around, "entry %d; %d entries lost: this viewer was too slow for them; entry %d", &before, &between, &after); err != nil {
		t.Fatalf("%q: %v", around, err)
	}
	if after != before+between+1 {
		t.Errorf("not as many are lost: %s", around)
	}
}

func TestAnotherRunOfTheDaemonIsMarked(t *testing.T) {
	s := newSite(t)
	s.number(1, 2)
	p := s.open("/")
	p.shows("entry 1", "entry 2")
	port := s.port()
	s.stop()
	p.says("#connection", "Reconnecting")
	again := startSite(t, web.Options{Viewer: true, Port: port}, ring.Options{Entries: 64, Bytes: 1 << 20, Epoch: s.engine.Epoch() + 1})
	again.number(1, 1)
	p.shows("entry 1", "entry 2", "LogWisp was started anew: what follows is of another run", "entry 1")
	p.says("#connection", "Live")
}

func TestTabsShareOneWorkerAndSoManyConnectionsAsLeaveRoom(t *testing.T) {
	s := newSite(t)
	s.number(1, 3)
	p := s.open("/")
	p.shows("entry 1", "entry 2", "entry 3")
	same := p.beside(s, "/")
	same.shows("entry 1", "entry 2", "entry 3")
	if got := s.filters(); len(got) != 1 {
		t.Errorf("two tabs that ask for the same have the streams %q", got)
	}
	var others []*tab
	for i := range 4 {
		others = append(others, p.beside(s, fmt.Sprintf("/?not=other%d", i)))
	}
	others[3].shows("entry 1", "entry 2", "entry 3")
	p.waitFor("no more than four streams are open", func() bool { return len(s.filters()) == 4 })
	s.number(4, 4)
	others[3].ends("entry 4")
	p.says("#connection", "Parked")
	p.hide()
	p.front() // it is looked at again
	p.shows("entry 1", "entry 2", "entry 3", "entry 4")
	if got := s.filters(); len(got) != 4 {
		t.Errorf("the streams are %q", got)
	}
}

func TestTheTitleCountsWhatCameWhileTheTabWasHidden(t *testing.T) {
	s := newSite(t)
	p := s.open("/")
	p.says("#connection", "Live")
	p.hide()
	s.number(1, 1234)
	p.until("the title counts", `document.title === "(1,234) LogWisp"`)
	p.front()
	p.until("it is read", `document.title === "LogWisp"`)
}
