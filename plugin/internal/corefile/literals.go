package corefile

import (
	"regexp"
	"regexp/syntax"
	"strings"
)

// expression is a regular expression that is tried on the name of every question.
type expression struct {
	*regexp.Regexp
	literals []string // parts of every text that matches, one behind the other
}

// compile compiles a regular expression as plugins do.
func compile(text string) (*expression, error) {
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, err
	}
	e := &expression{Regexp: re}
	if parsed, err := syntax.Parse(text, syntax.Perl); err == nil {
		e.literals = literalsOf(parsed, nil)
	}
	return e, nil
}

// matches reports whether the expression matches a name. Most names lack a part, which is found a
// hundred times faster than by the expression.
func (e *expression) matches(name string) bool {
	rest := name
	for _, part := range e.literals {
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return e.MatchString(name)
}

// literalsOf appends the literals that each match of a parsed expression has one behind the other.
func literalsOf(re *syntax.Regexp, to []string) []string {
	switch re.Op {
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase == 0 {
			to = append(to, string(re.Rune))
		}
	case syntax.OpConcat, syntax.OpCapture:
		for _, sub := range re.Sub {
			to = literalsOf(sub, to)
		}
	}
	return to
}
