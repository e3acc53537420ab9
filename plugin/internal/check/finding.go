package check

import (
	"cmp"
	"slices"
)

// Severity says how bad a finding is.
type Severity string

const (
	// Error is for a Corefile that does not start, or has nothing in it.
	Error Severity = "error"
	// Warning is for what starts, and does not do what is written.
	Warning Severity = "warning"
	// Note is for what may well be meant.
	Note Severity = "note"
)

// Finding is what is wrong with a line of a Corefile, or may be.
type Finding struct {
	File     string   `json:"file"`
	Line     int      `json:"line"` // 0 if no line can be told
	Severity Severity `json:"severity"`
	Rule     string   `json:"rule"`
	What     string   `json:"what"`    // what happens
	Instead  string   `json:"instead"` // what to write instead
	// Renamed is the name that a misplaced rule of rewrite is for, or with a dot ahead all names below it.
	Renamed string `json:"-"`
}

// inOrder sorts findings by place and removes repetitions.
func inOrder(found []Finding) []Finding {
	slices.SortStableFunc(found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(rank(a.Severity), rank(b.Severity)), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.What, b.What))
	})
	return slices.Compact(found)
}

func rank(s Severity) int { return slices.Index([]Severity{Error, Warning, Note}, s) }
