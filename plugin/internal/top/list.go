package top

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// The lists of a report.
const (
	ByNamespace = "namespace"
	byClient    = "client"
	byName      = "name"
	byRcode     = "rcode"
)

var lists = []string{ByNamespace, byClient, byName, byRcode}

// IsList reports whether a report has a list.
func IsList(by string) bool { return slices.Contains(lists, by) }

// List is one list of a report, with the rates of its rows.
type List struct {
	By        string    `json:"by"`
	Instead   string    `json:"instead,omitempty"` // why it is not the list that was asked for
	Seconds   float64   `json:"seconds"`
	Questions uint64    `json:"questions"`
	PerSecond float64   `json:"perSecond"`
	Counted   uint64    `json:"counted"` // questions that the others are estimated from
	OneIn     uint32    `json:"oneIn"`   // 1 if all were counted
	Rows      []ListRow `json:"rows"`
}

// ListRow is a row of a list with its rate.
type ListRow struct {
	Row
	PerSecond float64 `json:"perSecond"`
	AtLeast   float64 `json:"atLeastPerSecond"` // without what may be of other items
	Share     float64 `json:"share"`            // of all questions
}

// List returns one list of the report. Where the Namespaces of those who ask are not known, it returns the clients in
// their place.
func (r *Report) List(by string) List {
	l := List{By: by, Seconds: r.Seconds, Questions: r.Questions, PerSecond: r.rate(r.Questions), Counted: r.Counted, OneIn: r.OneIn, Rows: []ListRow{}}
	if by == ByNamespace && !r.Pods && r.Questions > 0 {
		l.By, l.Instead = byClient, "the server watches no Pods, and so knows nobody's Namespace: pods verified"
	}
	for _, row := range map[string][]Row{ByNamespace: r.Namespaces, byClient: r.Clients, byName: r.Names, byRcode: r.Rcodes}[l.By] {
		l.Rows = append(l.Rows, ListRow{Row: row, PerSecond: r.rate(row.Questions), AtLeast: r.rate(row.Questions - row.Over), Share: float64(row.Questions) / float64(max(r.Questions, 1))})
	}
	return l
}

// rate returns how many questions there were in a second.
func (r *Report) rate(questions uint64) float64 { return float64(questions) / max(r.Seconds, 1) }

// Question is what a command sends to the server to get a report.
const Question = "top"

// response is what the server says to a command.
type response struct {
	Report *Report `json:"report,omitempty"`
	Error  string  `json:"error,omitempty"`
}

// Answer returns a report as a command reads it.
func (t *Tally) Answer() []byte {
	packed, _ := json.Marshal(response{Report: t.Report()}) // it has nothing that cannot be packed
	return packed
}

// Read returns the report in a server's answer.
func Read(answer []byte) (*Report, error) {
	var r response
	switch err := json.Unmarshal(answer, &r); {
	case err != nil:
		return nil, fmt.Errorf("the server's reply: %w", err)
	case r.Error != "" || r.Report == nil:
		return nil, errors.New("the server says: " + r.Error)
	}
	return r.Report, nil
}
