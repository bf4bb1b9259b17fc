package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"logwisp/netio/netiotest"
)

// scriptCommands are what scripts have beyond the commands of testscript. What
// waits for something polls, and gives up after patience.
var scriptCommands = map[string]func(*testscript.TestScript, bool, []string){
	"start":    commandStart,    // run the daemon
	"client":   commandClient,   // run anything else beside the script
	"type":     commandType,     // write to its standard input
	"signal":   commandSignal,   // send signals to one of them
	"exits":    commandExits,    // wait for its exit code
	"exitcode": commandExitcode, // run something to its end

	"manager":  commandManager,  // hear from daemons how they are, as a service manager does
	"socket":   commandSocket,   // open a socket for a daemon
	"activate": commandActivate, // run the daemon with the sockets

	"append":   commandAppend,   // append a line to a file
	"burst":    commandBurst,    // append many numbered lines
	"waitfor":  commandWaitfor,  // until a file matches
	"attach":   commandAttach,   // until a client without a greeting gets entries
	"sequence": commandSequence, // until all numbered lines have come, in order, once
	"account":  commandAccount,  // until entries and drops add up

	"balance":     commandBalance,     // until the sums of /status have been offered so many, and check them
	"status":      commandStatus,      // until a figure of /status has a value
	"json":        commandJSON,        // check a value of a JSON file
	"certificate": commandCertificate, // make one
	"freeport":    commandFreeport,    // find a port that nothing listens on
	"occupy":      commandOccupy,      // listen on a port
	"refused":     commandRefused,     // until a port is closed
	"stopping":    commandStopping,    // SIGTERM: the port must close before the process ends
	"streams":     commandStreams,     // open many SSE streams
	"ended":       commandEnded,       // they have ended in good order
}

// commandAppend is `append [-n] [-q] FILE TEXT…`: one line in one write.
func commandAppend(ts *testscript.TestScript, neg bool, args []string) {
	file, text := lineOf(ts, neg, args)
	appendTo(ts, file, text)
}

// lineOf reads `[-n] [-q] NAME TEXT…`: a line for NAME, -n without its newline,
// -q with the escapes of a Go string.
func lineOf(ts *testscript.TestScript, neg bool, args []string) (name string, line []byte) {
	end, quoted := "\n", false
	for len(args) > 0 && (args[0] == "-n" || args[0] == "-q") {
		if args[0] == "-n" {
			end = ""
		} else {
			quoted = true
		}
		args = args[1:]
	}
	if neg || len(args) < 2 {
		ts.Fatalf("usage: [-n] [-q] NAME TEXT…")
	}
	text := strings.Join(args[1:], " ")
	if quoted {
		var err error
		text, err = strconv.Unquote(`"` + text + `"`)
		ts.Check(err)
	}
	return args[0], []byte(text + end)
}

func appendTo(ts *testscript.TestScript, file string, text []byte) {
	f, err := os.OpenFile(ts.MkAbs(file), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	ts.Check(err)
	defer f.Close()
	_, err = f.Write(text)
	ts.Check(err)
}

// commandBurst is `burst FILE FROM TO [WIDTH]`: lines "line N …" of WIDTH bytes
// at least.
func commandBurst(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: burst FILE FROM TO [WIDTH]")
	}
	width := 0
	if len(args) > 3 {
		width = number(ts, args[3])
	}
	var lines bytes.Buffer
	for i := number(ts, args[1]); i <= number(ts, args[2]); i++ {
		text := fmt.Sprintf("line %d", i)
		lines.WriteString(text)
		if n := width - len(text) - 1; n > 0 {
			lines.WriteString(" " + strings.Repeat("x", n))
		}
		lines.WriteByte('\n')
	}
	appendTo(ts, args[0], lines.Bytes())
}

func number(ts *testscript.TestScript, text string) int {
	n, err := strconv.Atoi(text)
	ts.Check(err)
	return n
}

// commandWaitfor is `waitfor FILE REGEXP [COUNT]`: the file has COUNT matches at
// least. ^ and $ match at lines. A carriage return before a newline is not seen.
func commandWaitfor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: waitfor FILE REGEXP [COUNT]")
	}
	want, file := 1, ts.MkAbs(args[0])
	if len(args) > 2 {
		want = number(ts, args[2])
	}
	pattern, err := regexp.Compile(`(?m)` + args[1])
	ts.Check(err)
	await(ts, func() string {
		text, err := os.ReadFile(file)
		ts.Check(err)
		text = bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))
		if got := len(pattern.FindAll(text, -1)); got < want {
			return fmt.Sprintf("%s has %d of %d matches of %s", args[0], got, want, args[1])
		}
		return ""
	}, file)
}

// commandAttach is `attach CLIENT FILE`: a raw TCP client is not told when its
// stream begins, so lines "attach CLIENT" are appended to a followed file until
// it gets one.
func commandAttach(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: attach CLIENT FILE")
	}
	output, mark := ts.MkAbs(args[0]+".out"), []byte("attach "+args[0]+`"`)
	next := time.Now()
	await(ts, func() string {
		text, err := os.ReadFile(output)
		ts.Check(err)
		if bytes.Contains(text, mark) {
			return ""
		}
		if time.Now().After(next) {
			next = time.Now().Add(100 * time.Millisecond)
			appendTo(ts, args[1], append(mark[:len(mark)-1:len(mark)-1], '\n'))
		}
		return args[0] + " gets no entries"
	}, output, ts.MkAbs(args[0]+".err"))
}

var (
	numbered = regexp.MustCompile(`"message":"line (\d+)[ "]`)
	entryID  = regexp.MustCompile(`^id: (\d+)-(\d+)$`)
)

// commandSequence is `sequence FILE FROM TO`: a client's output, raw or SSE,
// has the numbered lines FROM to TO in order, each once, and no others.
func commandSequence(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: sequence FILE FROM TO")
	}
	file, from, to := ts.MkAbs(args[0]), number(ts, args[1]), number(ts, args[2])
	await(ts, func() string {
		text, err := os.ReadFile(file)
		ts.Check(err)
		next := from
		for _, found := range numbered.FindAllSubmatch(text, -1) {
			if got := number(ts, string(found[1])); got != next {
				ts.Fatalf("%s: line %d where line %d belongs", args[0], got, next)
			}
			next++
		}
		if next <= to {
			return fmt.Sprintf("%s ends with line %d, want %d", args[0], next-1, to)
		}
		if next != to+1 {
			ts.Fatalf("%s goes on to line %d, want %d", args[0], next-1, to)
		}
		return ""
	}, file)
}

// commandAccount is `account FILE TOTAL`: in an SSE client's output, entries
// and the counts of drop events add up to TOTAL, and together they make one
// unbroken run of ids.
func commandAccount(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: account FILE TOTAL")
	}
	file, total := ts.MkAbs(args[0]), number(ts, args[1])
	await(ts, func() string {
		text, err := os.ReadFile(file)
		ts.Check(err)
		entries, dropped, err := tally(string(text))
		ts.Check(err)
		if entries+dropped > total {
			ts.Fatalf("%s: %d entries and %d dropped are more than the %d written", args[0], entries, dropped, total)
		}
		if entries+dropped < total {
			return fmt.Sprintf("%s: %d entries and %d dropped, want %d together", args[0], entries, dropped, total)
		}
		ts.Logf("%s: %d entries and %d dropped", args[0], entries, dropped)
		return ""
	}, file)
}

// tally counts an SSE stream. Its error is the first event that breaks the run
// of ids; what follows the last blank line is not looked at.
func tally(text string) (entries, dropped int, err error) {
	last := 0
	for block := range strings.SplitSeq(text[:max(0, strings.LastIndex(text, "\n\n"))], "\n\n") {
		var seq int
		fields := map[string]string{}
		for line := range strings.SplitSeq(block, "\n") {
			name, value, _ := strings.Cut(line, ": ")
			fields[name] = value
			if id := entryID.FindStringSubmatch(line); id != nil {
				seq, _ = strconv.Atoi(id[2])
			}
		}
		var drop struct {
			Count, Total int
			From, To     string
			Reason       string
		}
		switch {
		case fields["event"] == "drop":
			if err := json.Unmarshal([]byte(fields["data"]), &drop); err != nil {
				return 0, 0, fmt.Errorf("drop event %q: %w", block, err)
			}
			dropped += drop.Count
			_, first, _ := strings.Cut(drop.From, "-")
			from, _ := strconv.Atoi(first)
			if drop.To != fields["id"] || drop.Total != dropped || drop.Reason != "lagged" || seq-from+1 != drop.Count || last != 0 && from != last+1 {
				return 0, 0, fmt.Errorf("drop event %q after id %d, %d dropped with it", block, last, dropped)
			}
		case fields["event"] == "" && fields["data"] != "" && seq > 0:
			entries++
			if last != 0 && seq != last+1 {
				return 0, 0, fmt.Errorf("entry %q comes after id %d", block, last)
			}
		default:
			continue
		}
		last = seq
	}
	return entries, dropped, nil
}

// commandStatus is `status PATH REGEXP`: a value of GET /status of the daemon
// started last, as JSON, matches as a whole.
func commandStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: status PATH REGEXP")
	}
	await(ts, func() string { return mismatch(statusOf(ts), args[0], args[1]) })
}

func statusOf(ts *testscript.TestScript) []byte {
	client := http.Client{Timeout: patience}
	answer, err := client.Get("http://127.0.0.1:" + ts.Getenv("HTTP_PORT") + "/status")
	ts.Check(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	ts.Check(err)
	return body
}

// commandBalance is `balance OFFERED`: that many entries have been offered to
// all subscribers together, so that they are idle, and every one of them was
// delivered, filtered or dropped.
func commandBalance(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: balance OFFERED")
	}
	offered := number(ts, args[0])
	await(ts, func() string {
		var status struct {
			Totals struct{ Offered, Delivered, Filtered, Dropped int }
		}
		ts.Check(json.Unmarshal(statusOf(ts), &status))
		t := status.Totals
		if t.Offered != offered || t.Delivered+t.Filtered+t.Dropped != offered {
			return fmt.Sprintf("%d offered, want %d = %d delivered + %d filtered + %d dropped",
				t.Offered, offered, t.Delivered, t.Filtered, t.Dropped)
		}
		return ""
	})
}

// commandCertificate is `certificate DIR…`: each gets cert.pem for localhost,
// which is its own authority, and key.pem.
func commandCertificate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: certificate DIR…")
	}
	for _, dir := range args {
		dir = ts.MkAbs(dir)
		ts.Check(os.Mkdir(dir, 0o755))
		_, _, err := netiotest.CertificateIn(dir)
		ts.Check(err)
	}
}

// commandJSON is `json FILE PATH REGEXP`: like status, of a file or stdout, at
// once.
func commandJSON(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: json FILE PATH REGEXP")
	}
	if problem := mismatch([]byte(ts.ReadFile(args[0])), args[1], args[2]); problem != "" {
		ts.Fatalf("%s: %s", args[0], problem)
	}
}

// mismatch says what is wrong with the value at a dotted path of a document, in
// which a number is a place in an array; "" when its JSON text matches the
// pattern as a whole. A string is compared
// with its quotes.
func mismatch(document []byte, path, pattern string) string {
	at := json.RawMessage(document)
	for key := range strings.SplitSeq(path, ".") {
		var list []json.RawMessage
		if i, err := strconv.Atoi(key); err == nil && json.Unmarshal(at, &list) == nil && i < len(list) {
			at = list[i]
			continue
		}
		var object map[string]json.RawMessage
		if err := json.Unmarshal(at, &object); err != nil {
			return fmt.Sprintf("before %s of %s is no object: %v in %s", key, path, err, at)
		}
		value, ok := object[key]
		if !ok {
			return fmt.Sprintf("there is no %s (missing %s) in %s", path, key, document)
		}
		at = value
	}
	if !regexp.MustCompile(`^(?:` + pattern + `)$`).Match(at) {
		return fmt.Sprintf("%s is %s, want %s", path, at, pattern)
	}
	return ""
}

// commandStopping is `stopping NAME PORT…`: after SIGTERM the ports refuse
// connections before the process ends. Something must keep it from ending at
// once, such as a client that does not read.
func commandStopping(ts *testscript.TestScript, neg bool, args []string) {
	p := sceneOf(ts).process(ts, args[0])
	ts.Check(p.cmd.Process.Signal(syscall.SIGTERM))
	commandRefused(ts, neg, args[1:])
	refusedAt := time.Now()
	commandExits(ts, neg, []string{args[0], "0"})
	if p.exitAt.Before(refusedAt) {
		ts.Fatalf("%s ended before its ports %v were seen closed", args[0], args[1:])
	}
}

// commandStreams is `streams N`: SSE streams of the daemon started last, each
// past its connected event.
func commandStreams(ts *testscript.TestScript, neg bool, args []string) {
	s := sceneOf(ts)
	for range number(ts, args[0]) {
		c, err := net.Dial("tcp", "127.0.0.1:"+ts.Getenv("HTTP_PORT"))
		ts.Check(err)
		s.streams = append(s.streams, c)
		_, err = io.WriteString(c, "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
		ts.Check(err)
	}
	for _, c := range s.streams {
		var head []byte
		ts.Check(c.SetReadDeadline(time.Now().Add(patience)))
		for b := make([]byte, 1); !bytes.Contains(head, []byte("client_id")); head = append(head, b[0]) {
			_, err := c.Read(b)
			ts.Check(err)
		}
	}
}

// commandEnded is `ended`: every stream got a disconnect event and its end.
func commandEnded(ts *testscript.TestScript, neg bool, args []string) {
	for i, c := range sceneOf(ts).streams {
		ts.Check(c.SetReadDeadline(time.Now().Add(patience)))
		text, err := io.ReadAll(c)
		ts.Check(err)
		if !strings.HasSuffix(string(text), "event: disconnect\ndata: {\"reason\":\"server_shutdown\"}\n\n") {
			ts.Fatalf("stream %d ended with %q", i, text[max(0, len(text)-200):])
		}
	}
}
