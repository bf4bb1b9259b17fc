package main

import (
	"bytes"
	"fmt"
	"math"
	"slices"
)

// One panel of the plot, in pixels.
const (
	panelWidth, panelHeight = 420, 300
	marginLeft, marginTop   = 60, 40
	marginRight, marginLow  = 20, 40
)

var colours = []string{
	"#0ea5e9", "#64748b", "#f97316", "#cbd5e1", "#16a34a", "#84cc16", "#a855f7", "#e11d48", "#854d0e",
}

// wideLimit is the system that is in the table only.
const wideLimit = "limit, 256 KiB writes"

// plot draws delivered lines per second flat out, and p99 at each set rate,
// against the number of clients; both axes are logarithmic.
func plot(rows []row) string {
	type panel struct {
		title  string
		rate   int
		figure func(*result) float64
	}
	panels := []panel{{"delivered lines/s, flat out", 0, perSecond}}
	for _, r := range rows {
		if r.rate > 0 && !slices.ContainsFunc(panels, func(p panel) bool { return p.rate == r.rate }) {
			panels = append(panels,
				panel{fmt.Sprintf("p50 ms at %d lines/s", r.rate), r.rate, p50},
				panel{fmt.Sprintf("p99 ms at %d lines/s", r.rate), r.rate, p99})
		}
	}
	var systems []string
	for _, r := range rows {
		// Lines that all but cover those of the other limit stay in the table.
		if name := r.system + ", " + r.proto; r.system != wideLimit && !slices.Contains(systems, name) {
			systems = append(systems, name)
		}
	}
	columns := 2
	height := (len(panels)+columns-1)/columns*panelHeight + 20*len(systems) + 40
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="12">`+"\n", columns*panelWidth, height)
	b.WriteString(`<rect width="100%" height="100%" fill="white"/>` + "\n")
	for i, p := range panels {
		series := make(map[string][]point)
		for k := range rows {
			r := &rows[k]
			name := r.system + ", " + r.proto
			if v, _, _ := r.spread(p.figure); r.rate == p.rate && v > 0 && slices.Contains(systems, name) {
				series[name] = append(series[name], point{float64(r.clients), v})
			}
		}
		draw(&b, i%columns*panelWidth, i/columns*panelHeight, p.title, systems, series)
	}
	for i, name := range systems {
		y := height - 20*len(systems) + 20*i
		fmt.Fprintf(&b, `<rect x="20" y="%d" width="24" height="4" fill="%s"/><text x="52" y="%d">%s</text>`+"\n", y, colours[i%len(colours)], y+7, name)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

type point struct{ x, y float64 }

// draw draws one panel at (left, top).
func draw(b *bytes.Buffer, left, top int, title string, systems []string, series map[string][]point) {
	low, high := math.Inf(1), math.Inf(-1)
	for _, ps := range series {
		for _, p := range ps {
			low, high = min(low, p.y), max(high, p.y)
		}
	}
	if math.IsInf(low, 1) {
		return
	}
	low, high = math.Floor(math.Log10(low)), math.Ceil(math.Log10(high))
	high = max(high, low+1)
	w, h := float64(panelWidth-marginLeft-marginRight), float64(panelHeight-marginTop-marginLow)
	x := func(clients float64) float64 { return float64(left+marginLeft) + math.Log10(clients)/3*w }
	y := func(v float64) float64 {
		return float64(top+marginTop) + h - (math.Log10(v)-low)/(high-low)*h
	}
	fmt.Fprintf(b, `<text x="%d" y="%d" font-weight="bold">%s</text>`+"\n", left+marginLeft, top+22, title)
	for e := low; e <= high; e++ {
		at := y(math.Pow(10, e))
		fmt.Fprintf(b, `<path d="M%d %.1fh%.1f" stroke="#e2e8f0"/><text x="%d" y="%.1f" text-anchor="end">%g</text>`+"\n",
			left+marginLeft, at, w, left+marginLeft-6, at+4, math.Pow(10, e))
	}
	for _, c := range []float64{1, 10, 100, 1000} {
		fmt.Fprintf(b, `<text x="%.1f" y="%d" text-anchor="middle">%g</text>`+"\n", x(c), top+panelHeight-marginLow+16, c)
	}
	for i, name := range systems {
		colour := colours[i%len(colours)]
		path := ""
		for k, p := range series[name] {
			path += fmt.Sprintf("%c%.1f %.1f", "ML"[min(k, 1)], x(p.x), y(p.y))
			fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", x(p.x), y(p.y), colour)
		}
		if path != "" {
			fmt.Fprintf(b, `<path d="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", path, colour)
		}
	}
}
