// Package bench holds the benchmarks that compare LogWisp's way of an entry
// with the usual ones:
//
//   - BenchmarkPublish: what one line costs whoever publishes it, by the number
//     of readers and of lines in a page. Baselines: a channel for every client;
//     slots, a ring with one pointer a line; copy, the line copied into one
//     large buffer that nobody reads, below which nothing can go.
//   - BenchmarkDelivery: lines that reach readers in memory, in all. Baseline:
//     a channel and a goroutine for every client.
//   - BenchmarkEncode: making an entry. Baselines: encoding/json, and a copy of
//     the finished bytes, below which nothing can go.
//   - BenchmarkParse: taking a line apart. Baseline: json.Unmarshal into a map.
//   - BenchmarkSplit: finding lines in a buffer. Baseline: bufio.Scanner.
//   - BenchmarkInput: lines sent over TCP, from one connection and from a
//     hundred, until they are in the ring. Baselines: a bufio.Scanner on each
//     connection; a reader with a large buffer that only finds the line ends.
//   - BenchmarkEndToEnd: file, tail, ring, event loop, loopback socket, client;
//     every client checks every byte. Baselines: a channel and a goroutine for
//     every client, fed with finished entries; one writes line by line, the
//     other what waits in the channel at once.
//
// # Metrics
//
// x-NAME is how many times better a result is than the baseline NAME that ran
// just before it in the same benchmark: above 1 the baseline is beaten. It is
// left out when -bench has deselected the baseline. Absolute figures follow the
// machine and what else runs on it; the ratios are steadier.
//
// The unit "line" stands for one line published, parsed or encoded, "delivery"
// for one line that has reached one reader. ns is time on the clock, cpu-ns is
// processor time: of the publishing thread in BenchmarkPublish, of the whole
// process, clients included, elsewhere.
//
// The command in bench/load loads a running daemon from outside; it is the
// measure of latency, and of cost without the clients'. bench/collectors runs it
// against real collectors; use scripts/collectors.
package bench
