// Package filter is LogWisp's one filter grammar: of the queries of /stream and
// /entries, of the hello line, of the terminal client and of the outputs
// (Filter), and of the lines before they enter the ring (Intake).
//
// A filter is a set of parameters. Different names are AND-ed, values of one
// name OR-ed:
//
//	level=warn          this level or a more severe one; not entries without a level
//	levels=error,fatal  one of these; the word unknown stands for "no level"
//	source=GLOB         the source's name
//	q=TEXT              the text, case-insensitive
//	re=RE2              the text
//	field=KEY OP VALUE  one value; OP is one of = != > >= < <= ~, without blanks
//	not_source=GLOB, not=TEXT, not_re=RE2   none of all these may match
//
// An empty value is as good as none: q= lets everything pass.
//
// # Text
//
// q, re, not and not_re look at the message and at every value in the fields,
// at each by itself and decoded: a string without its escapes, a number, true,
// false and null as written. Of objects and arrays they look at the values
// inside. Keys, time, source and level are not looked at. Case is ignored by
// simple Unicode folding.
//
// # Globs
//
// The syntax is that of path.Match. A glob without a slash is matched against
// the last element of the source's name, one with a slash against all of it.
//
// # Fields
//
// KEY is a key of the entry's fields. If there is none of that name, what stands
// before the first dot is the key of an object in which the rest is looked for,
// again literally first. If that finds nothing either, time, source, level and
// message are those of the entry. Of equal keys the last one counts.
//
// Two numbers are compared exactly, as decimals. A string that is written like
// a JSON number is one: all values of a logfmt line are strings. A number and
// something else are unequal and in no order; all else is compared byte by byte,
// strings decoded, the rest as written. ~ searches the value for an RE2. An
// absent key satisfies != and nothing else.
//
// # Cost
//
// Level and source are decided from a page's index, text only where they have
// not decided. Matching is linear in the length of an entry whatever the entry
// and the filter hold; the limits bound the factor. As that of RE2s is large,
// they look at the beginning of an entry's texts only: if they take n
// instructions together, at the first MaxWork/n bytes of the message and the
// values one after the other (with ~, of the value). That is 100 KiB for 40
// instructions; what is cut off there ends there for $, too. So do n values of q
// and not, which is all of an entry of 1 MiB for four of them. Where a KEY leads
// through objects, each is read to its end, MaxWork bytes in all: in an entry of 1 MiB
// it finds nothing more than four objects deep if these are nearly all of it. Matcher.Work tells
// what matching has cost, for who has more to do than that.
package filter
