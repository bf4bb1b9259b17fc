package forward

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

// notTheEntry are statuses that say something of the cluster, the index or the
// user, and nothing of the entry: too many requests, no right to write or a block on
// it, and no such index.
var notTheEntry = []int{429, 401, 403, 404}

// bulkVerdict reads the answer of the bulk API: one result an entry. A conflict
// means that the entry is there already. From the first entry on that is to come
// again later all are sent again, so the collector may have some of them twice.
func bulkVerdict(answer []byte, p part) (out outcome, err error) {
	var r struct {
		Errors bool
		Items  []map[string]struct {
			Status int
			Error  json.RawMessage
		}
	}
	if err := json.Unmarshal(answer, &r); err != nil {
		return out, fmt.Errorf("the answer is not that of the bulk API: %w", err)
	}
	if !r.Errors {
		return outcome{done: p.len()}, nil
	}
	for i, item := range r.Items[:min(len(r.Items), p.len())] {
		for _, result := range item {
			cause := fmt.Sprintf("entry %d of %d has the status %d%s", i+1, p.len(), result.Status, shown(result.Error))
			switch {
			case result.Status < 300 || result.Status == 409:
			case result.Status >= 500, slices.Contains(notTheEntry, result.Status):
				return out, &busy{cause: cause}
			default:
				out.refused++
				out.cause = cause
			}
		}
		out.done++
	}
	if out.done < p.len() {
		return out, fmt.Errorf("the answer has the results of %d of %d entries", out.done, p.len())
	}
	return out, nil
}

// otlpVerdict reads the partial success of OTLP, which is not to be sent again.
func otlpVerdict(answer []byte, p part) (outcome, error) {
	out := outcome{done: p.len()}
	var r struct {
		PartialSuccess struct {
			RejectedLogRecords json.RawMessage // a string, as 64-bit integers are in this JSON, or a number
			ErrorMessage       string
		}
	}
	if json.Unmarshal(answer, &r) != nil {
		return out, nil //nolint:nilerr // the status is what counts
	}
	text := string(r.PartialSuccess.RejectedLogRecords)
	if unquoted, err := strconv.Unquote(text); err == nil {
		text = unquoted
	}
	if n, err := strconv.Atoi(text); err == nil && n > 0 {
		out.refused = min(n, p.len())
		out.cause = fmt.Sprintf("%d of %d log records are rejected%s", n, p.len(), shown([]byte(r.PartialSuccess.ErrorMessage)))
	}
	return out, nil
}

// ingestVerdict reads the answer of another LogWisp.
func ingestVerdict(answer []byte, p part) (outcome, error) {
	var r struct{ Accepted, Rejected *int }
	if err := json.Unmarshal(answer, &r); err != nil || r.Accepted == nil || r.Rejected == nil {
		return outcome{}, fmt.Errorf("the answer is not that of POST /ingest%s", shown(answer))
	}
	out := outcome{done: p.len(), refused: min(*r.Rejected, p.len())}
	if out.refused > 0 {
		out.cause = fmt.Sprintf("%d of %d entries are rejected%s", *r.Rejected, p.len(), shown(answer))
	}
	return out, nil
}
