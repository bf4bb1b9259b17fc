package filter

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
)

// patterns compiles the RE2s of one filter, within its limits.
type patterns struct{ instructions int }

// expression is a compiled RE2.
type expression struct {
	*regexp.Regexp
	clue         string // in all that it matches, in some case; "" if there is none
	instructions int
}

// compile compiles an RE2; errors name the parameter and its whole value, of
// which the pattern may be a part.
func (c *patterns) compile(parameter, value, pattern string) (*expression, error) {
	fail := func(err error) (*expression, error) {
		return nil, &Error{Parameter: parameter, Value: value, Err: err}
	}
	if len(pattern) > MaxPatternBytes {
		return fail(fmt.Errorf("the RE2 is %d bytes long, the most is %d", len(pattern), MaxPatternBytes))
	}
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return fail(explain(err))
	}
	tree = tree.Simplify()
	// The time for one byte of an entry grows with the program, and a{1000}
	// takes seven bytes only.
	program, err := syntax.Compile(tree)
	if err != nil {
		return fail(explain(err))
	}
	if c.instructions += len(program.Inst); c.instructions > MaxInstructions {
		return fail(fmt.Errorf("with this RE2 the filter takes %d instructions, the most is %d: repeat less, {n} counts n times", c.instructions, MaxInstructions))
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return fail(explain(err))
	}
	return &expression{re, clueOf(tree), len(program.Inst)}, nil
}

// clueOf returns the longest literal that every match of a simplified RE2 must
// hold, as far as that is easily seen.
func clueOf(tree *syntax.Regexp) (clue string) {
	switch tree.Op {
	case syntax.OpLiteral:
		return string(tree.Rune)
	case syntax.OpConcat:
		for _, part := range tree.Sub {
			if c := clueOf(part); len(c) > len(clue) {
				clue = c
			}
		}
	case syntax.OpCapture, syntax.OpPlus:
		return clueOf(tree.Sub[0])
	}
	return clue
}

// explain says what is wrong with an RE2, and what to do where people are used
// to other kinds of patterns.
func explain(err error) error {
	bad, ok := errors.AsType[*syntax.Error](err)
	if !ok {
		return err
	}
	switch bad.Code {
	case syntax.ErrInvalidRepeatSize:
		return fmt.Errorf("the repetition %s is too large: counts, nested ones multiplied, go up to 1000", shown(bad.Expr))
	case syntax.ErrLarge, syntax.ErrNestingDepth:
		return errors.New("the RE2 is too large: repeat or nest less")
	case syntax.ErrInvalidPerlOp:
		return fmt.Errorf("RE2 has no %s: there is no looking ahead or behind", shown(bad.Expr))
	case syntax.ErrInvalidEscape:
		return fmt.Errorf(`RE2 has no %s: write \\ for a backslash; there are no references to groups`, shown(bad.Expr))
	}
	return fmt.Errorf("not an RE2: %s: %s", bad.Code, shown(bad.Expr))
}
