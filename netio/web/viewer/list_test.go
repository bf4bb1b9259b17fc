package viewer_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func TestAHundredThousandRowsScrollWithAFewElements(t *testing.T) {
	s := newSite(t)
	s.number(1, 100_000)
	p := s.open("/?tail=100000")
	p.says("#fill", "100,000 of 100,000")
	p.ends("entry 100000")
	p.keys("g")
	p.until("the first row is in sight", `document.querySelector(".row .msg").textContent === "entry 1"`)
	eval[bool](p, `(() => { const l = document.querySelector("#list"); l.scrollTop = l.scrollHeight / 2; return true; })()`)
	p.until("the middle is in sight", `Math.abs(Number(document.querySelector(".row .msg").textContent.slice(6)) - 50000) < 100`)
	rows := p.rows()
	if len(rows) < 20 || len(rows) > 80 {
		t.Errorf("%d rows have elements", len(rows))
	}
	var first int
	if _, err := fmt.Sscanf(rows[0], "entry %d", &first); err != nil {
		t.Fatal(err)
	}
	for i, row := range rows {
		if want := fmt.Sprintf("entry %d", first+i); row != want {
			t.Fatalf("row %d in sight is %q, want %q", i, row, want)
		}
	}
	p.keys(kb.End)
	p.ends("entry 100000")
	s.number(100_001, 100_010)
	p.ends("entry 100010")
	p.keys("g")
	p.until("the oldest have gone", `document.querySelector(".row .msg").textContent === "entry 11"`)
}

// tops returns where the rows in sight begin, by their message.
func (p *tab) tops() map[string]float64 {
	p.t.Helper()
	return eval[map[string]float64](p, `Object.fromEntries([...document.querySelectorAll(".row")].map(e => [e.querySelector(".msg").textContent.slice(0, 12).trim(), e.getBoundingClientRect().top]))`)
}

func TestRowsOfManyHeightsScrollByWhatTheWheelTurns(t *testing.T) {
	s := newSite(t)
	for i := range 80 {
		s.add(line{message: fmt.Sprintf("entry %04d  %s", i, strings.Repeat("0123456789", i*37%190))})
	}
	s.builder.Publish()
	p := s.open("/?wrap=1")
	p.until("the last row is in sight", `[...document.querySelectorAll(".row .msg")].at(-1)?.textContent.startsWith("entry 0079")`)
	p.keys("g")
	p.until("the first row is in sight", `document.querySelector(".row .msg").textContent.startsWith("entry 0000")`)
	p.click(".row .caret", "")
	p.until("it is open", `document.querySelector(".detail")`)
	const turn = 230
	seen := make(map[string]bool)
	for last := false; !last; {
		before := p.tops()
		for name := range before {
			seen[name] = true
		}
		below := eval[float64](p, `[...document.querySelectorAll(".row")].at(-1).getBoundingClientRect().bottom - document.querySelector("#list").getBoundingClientRect().bottom`)
		last = before["entry 0079"] != 0 && below <= turn
		p.wheel(turn)
		var moved float64
		p.waitFor("the rows move", func() bool {
			after := p.tops()
			moved = 0
			for name, top := range before {
				if now, ok := after[name]; ok && top > now {
					moved = top - now
				}
			}
			return moved > 0 && (last || math.Abs(moved-turn) <= 2)
		})
	}
	if len(seen) != 80 {
		t.Errorf("%d of 80 rows have been in sight", len(seen))
	}
	p.until("it follows again", "document.querySelector('#newer').hidden")
}

func TestAJumpAmongWrappedRowsStaysWhereItLands(t *testing.T) {
	s := newSite(t)
	for i := range 400 { // fields are shorter than they are written, so rows are lower than thought
		s.add(line{message: fmt.Sprintf("entry %d", i), fields: `{"a":"b","c":"d","e":"f","g":"h","i":"j","k":"l","m":"n","o":"p","q":"r"}`})
	}
	s.builder.Publish()
	p := s.open("/?wrap=1", chromedp.EmulateViewport(360, 740))
	p.ends("entry 399")
	eval[bool](p, `(() => { const l = document.querySelector("#list"); l.scrollTop = l.scrollHeight / 4; return true; })()`)
	p.until("following ends", "!document.querySelector('#newer').hidden")
	p.until("a row of the first half is there", `Number(document.querySelector(".row .msg").textContent.slice(6)) < 200`)
	p.until("rows fill the page", `document.querySelector(".rows").getBoundingClientRect().bottom >= document.querySelector("#list").getBoundingClientRect().bottom`)
}

func TestEveryKeyDoesWhatTheHelpSays(t *testing.T) {
	s := newSite(t)
	for i := 1; i <= 300; i++ {
		level := "info"
		if i%100 == 50 {
			level = "error"
		}
		s.add(line{message: fmt.Sprintf("entry %d", i), level: level})
	}
	s.builder.Publish()
	p := s.open("/")
	p.ends("entry 300")
	first := func(n int) string {
		return fmt.Sprintf(`document.querySelector(".row .msg").textContent === "entry %d"`, n)
	}
	current := func(n int) string {
		return fmt.Sprintf(`document.activeElement.matches(".row[aria-current]") && document.activeElement.querySelector(".msg").textContent === "entry %d"`, n)
	}
	for _, step := range []struct{ keys, done string }{
		{"/", `document.activeElement.id === "text"`},
		{kb.Escape, `document.activeElement.id === "list"`},
		{"h", `document.activeElement.id === "highlight" && document.activeElement.value === ""`},
		{kb.Escape, `document.activeElement.id === "list"`},
		{" ", `document.querySelector("#pause").ariaPressed === "true"`},
		{" ", `document.querySelector("#pause").ariaPressed === "false"`},
		{"g", first(1)},
		{"j", current(1)},
		{"jj", current(3)},
		{"k", current(2)},
		{kb.Enter, `document.activeElement.querySelector(".detail")`},
		{kb.Escape, `!document.querySelector(".detail")`},
		{"e", current(50)},
		{"e", current(150)},
		{"E", current(50)},
		{"eee", current(250)},
		{"G", `[...document.querySelectorAll(".row .msg")].at(-1).textContent === "entry 300"`},
		{kb.Home, first(1)},
		{kb.End, `[...document.querySelectorAll(".row .msg")].at(-1).textContent === "entry 300"`},
		{"w", `document.querySelector("#list").matches(".wrap")`},
		{"w", `!document.querySelector("#list").matches(".wrap")`},
		{"t", `document.querySelector("#list").matches(".time-utc")`},
		{"?", `document.querySelector("#help").open`},
		{kb.Escape, `!document.querySelector("#help").open`},
		{"c", `document.querySelectorAll(".row").length === 0`},
	} {
		p.keys(step.keys)
		p.until(fmt.Sprintf("after %q: %s", step.keys, step.done), step.done)
	}
}
