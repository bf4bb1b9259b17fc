package web

import (
	"bufio"
	"bytes"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"logwisp/netio"
	"logwisp/ring"
	"logwisp/ring/filter"
	"logwisp/ring/record"
)

var entriesParameters = []string{"format", "limit", "order", "download"}

const defaultLimit = 1000

// entryFormat is a form in which /entries answers.
type entryFormat struct {
	contentType, extension string

	head, separator, tail string
	entry                 func(dst, line []byte) []byte // with the newline of line
}

var entryFormats = map[string]*entryFormat{
	"ndjson": {
		contentType: "application/x-ndjson", extension: "ndjson",
		entry: func(dst, line []byte) []byte { return append(dst, line...) },
	},
	"json": {
		contentType: "application/json; charset=utf-8", extension: "json",
		head: "[", separator: ",\n", tail: "]\n",
		entry: func(dst, line []byte) []byte { return append(dst, line[:len(line)-1]...) },
	},
	"text": {
		contentType: "text/plain; charset=utf-8", extension: "log", entry: record.AppendText,
	},
	"csv": {
		contentType: "text/csv; charset=utf-8; header=present", extension: "csv",
		head: "time,source,level,message,fields\r\n", entry: appendCSV,
	},
}

// entries answers GET /entries: the entries held that pass a filter, up to a
// limit, oldest or newest first.
func (s *Server) entries(ctx *fasthttp.RequestCtx) {
	x, download, err := s.newExport(ctx)
	if err != nil {
		s.refuse(ctx, err)
		return
	}
	ctx.SetContentType(x.format.contentType)
	ctx.Response.Header.Set("Cache-Control", "no-store")
	if download {
		name := "logwisp-" + time.Now().UTC().Format("20060102T150405Z") + "." + x.format.extension
		ctx.Response.Header.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	}
	if ctx.IsHead() {
		return
	}
	end, err := s.engine.LookBack(visitorOf(ctx).from)
	if err != nil {
		s.tooManyLook(ctx, err)
		return
	}
	conn := ctx.Conn()
	ctx.SetBodyStreamWriter(func(w *bufio.Writer) {
		defer end()
		x.stream(w, conn)
	})
}

// errGivenUp is for a client that has said all it had to say, and waits still.
var errGivenUp = errors.New("the search took too long for a client that has closed its sending side: keep it open")

// tooManyLook answers one that may not look back now.
func (s *Server) tooManyLook(ctx *fasthttp.RequestCtx, err error) {
	ctx.Response.Header.Del("Content-Disposition")
	ctx.Response.Header.Set("Retry-After", "5")
	s.fail(ctx, fasthttp.StatusServiceUnavailable, record.Error{Error: err.Error()})
}

// export is one answer of /entries on its way.
type export struct {
	engine  *netio.Engine
	format  *entryFormat
	matcher *filter.Matcher // nil: every entry
	newest  bool            // newest first
	next    uint64          // seq of the entry to be looked at next
	end     uint64          // newest entry when it was asked for
	left    uint64          // entries to deliver
	begun   bool            // one was delivered
	looked  bool            // a page was
	done    bool
	torn    bool // what was to come next is no longer held, or the daemon stops
}

func (s *Server) newExport(ctx *fasthttp.RequestCtx) (x *export, download bool, err error) {
	q, err := parseQuery(ctx.QueryArgs(), entriesParameters, s.engine.SourceName)
	if err != nil {
		return nil, false, err
	}
	format, err := q.choice("format", "ndjson", "json", "text", "csv")
	if err != nil {
		return nil, false, err
	}
	order, err := q.choice("order", "asc", "desc")
	if err != nil {
		return nil, false, err
	}
	x = &export{
		engine: s.engine, format: entryFormats[format], newest: order == "desc",
		next: s.engine.Oldest(), end: s.engine.Head(),
	}
	if x.newest {
		x.next = x.end
	}
	if x.left, err = q.number("limit", 1, maxCount, defaultLimit); err != nil {
		return nil, false, err
	}
	if q.filter != nil {
		x.matcher = q.filter.NewMatcher()
	}
	download, err = q.flag("download", false)
	return x, download, err
}

// stream writes the answer page by page: what is held is never in memory as a
// whole, and a page is not held while the client is waited for.
func (x *export) stream(w *bufio.Writer, conn net.Conn) {
	piece := []byte(x.format.head)
	gone := netio.Gone(conn)
	for !x.done {
		if gone() { // nothing has passed for a while: it must not look like all there is
			_ = conn.Close()
			return
		}
		if piece = x.appendPage(piece); x.torn {
			_ = conn.Close()
			return
		}
		if len(piece) < 32<<10 && !x.done {
			continue
		}
		_ = conn.SetWriteDeadline(time.Now().Add(10 * time.Second)) // each piece has its own time
		if _, err := w.Write(piece); err != nil || w.Flush() != nil {
			return
		}
		gone = netio.Gone(conn) // it was there to take that
		if piece = piece[:0]; cap(piece) > 1<<20 {
			piece = nil
		}
	}
	_, _ = w.WriteString(x.format.tail)
}

// appendPage appends what passes of the next page.
func (x *export) appendPage(dst []byte) []byte {
	if x.next == 0 || x.next > x.end {
		x.done = true
		return dst
	}
	held := x.engine.View(x.next, func(p *ring.Page) {
		if x.newest {
			dst = x.appendNewest(dst, p)
		} else {
			dst = x.appendOldest(dst, p)
		}
	})
	x.torn = x.torn || !held && !x.newest
	x.done = x.done || !held || x.left == 0
	return dst
}

func (x *export) appendOldest(dst []byte, p *ring.Page) []byte {
	if x.looked && p.First > x.next {
		x.torn = true // the writer has overtaken a slow client: it must not look like all there is
		return dst
	}
	x.looked = true
	verdict := x.verdict(p)
	for i := int(max(x.next, p.First) - p.First); i < p.Count() && x.left > 0; i++ {
		if p.First+uint64(i) > x.end {
			break
		}
		if verdict == filter.All || verdict == filter.Some && x.matcher.Match(p, i) {
			dst = x.append(dst, p.Entry(i))
		}
	}
	x.next = p.First + uint64(p.Count())
	return dst
}

func (x *export) appendNewest(dst []byte, p *ring.Page) []byte {
	if p.First > x.next { // it is no longer held
		x.done = true
		return dst
	}
	verdict := x.verdict(p)
	for i := int(x.next - p.First); i >= 0 && x.left > 0; i-- {
		if verdict == filter.All || verdict == filter.Some && x.matcher.Match(p, i) {
			dst = x.append(dst, p.Entry(i))
		}
	}
	x.next = p.First - 1
	return dst
}

func (x *export) verdict(p *ring.Page) filter.Verdict {
	if x.matcher == nil {
		return filter.All
	}
	return x.matcher.Page(p)
}

func (x *export) append(dst, line []byte) []byte {
	if x.begun {
		dst = append(dst, x.format.separator...)
	}
	x.begun = true
	x.left--
	return x.format.entry(dst, line)
}

// appendCSV appends an entry as a record of CSV (RFC 4180).
func appendCSV(dst, line []byte) []byte {
	p := record.Split(line)
	dst = append(append(dst, p.Time...), ',')
	dst = append(appendCell(dst, record.AppendDecoded(nil, p.Source)), ',')
	dst = append(append(dst, p.Level...), ',')
	dst = append(appendCell(dst, record.AppendDecoded(nil, p.Message)), ',')
	return append(appendCell(dst, p.Fields), '\r', '\n')
}

// appendCell appends one value. What a spreadsheet would take for a formula
// gets an apostrophe before it, so that a log line cannot act there.
func appendCell(dst, text []byte) []byte {
	if len(text) > 0 && strings.IndexByte("=+-@\t\r", text[0]) >= 0 {
		text = append([]byte("'"), text...)
	}
	if !bytes.ContainsAny(text, "\",\r\n") {
		return append(dst, text...)
	}
	dst = append(dst, '"')
	dst = append(dst, bytes.ReplaceAll(text, []byte(`"`), []byte(`""`))...)
	return append(dst, '"')
}
