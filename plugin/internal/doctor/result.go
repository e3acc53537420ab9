package doctor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/clusterdns/clusterdns/plugin/internal/doctor/api"
)

// Light says how something is.
type Light string

const (
	greenLight  Light = "green"   // as it should be
	yellowLight Light = "yellow"  // works, and costs something or may stop to work
	redLight    Light = "red"     // does not work
	noLight     Light = "unknown" // cannot be told
)

// Result is what a check has found.
type Result struct {
	Check  string `json:"check"`
	Light  Light  `json:"light"`
	What   string `json:"what"`
	Remedy string `json:"remedy,omitempty"`
	unseen string // the error because of which something cannot be seen
}

// Report has the results of all checks.
type Report struct {
	Server  string   `json:"server"` // the Service of the DNS server
	Results []Result `json:"checks"`
	Exit    int      `json:"exit"`
}

// The exit codes.
const (
	exitWell = 0
	exitRed  = 3
	// ExitUnknown is for what cannot be told.
	ExitUnknown = 4
)

// exit returns the exit code for some results.
func exit(all []Result) (code int) {
	for i := range all {
		switch all[i].Light {
		case redLight:
			return exitRed
		case noLight:
			code = ExitUnknown
		}
	}
	return code
}

func green(format string, args ...any) Result {
	return Result{Light: greenLight, What: fmt.Sprintf(format, args...)}
}

func yellow(remedy, format string, args ...any) Result {
	return Result{Light: yellowLight, Remedy: remedy, What: fmt.Sprintf(format, args...)}
}

func red(remedy, format string, args ...any) Result {
	return Result{Light: redLight, Remedy: remedy, What: fmt.Sprintf(format, args...)}
}

// unknown returns what a check says that could not see something.
func unknown(remedy, format string, args ...any) Result {
	return Result{Light: noLight, Remedy: remedy, What: fmt.Sprintf(format, args...)}
}

// unseen returns what a check says that could not see something because of an error.
func unseen(what string, err error) Result {
	text := strings.ReplaceAll(err.Error(), "\n", "; ")
	r := unknown(api.RemedyFor(err), "%s cannot be seen: %s", what, text)
	if r.unseen = text; api.Unasked(err) {
		r.unseen = "the API server does not answer"
	}
	return r
}

// sayOnce leaves an error to the first of the results that have it. The others name its line.
func sayOnce(all []Result) {
	first := map[string]string{}
	for i := range all {
		r := &all[i]
		if line, said := first[r.unseen]; r.unseen != "" && said {
			r.What, r.Remedy = fmt.Sprintf("not looked at, for the same reason as %s: %s", line, r.unseen), ""
			continue
		}
		first[r.unseen] = r.Check
	}
}

// worst returns the worst of some results with the texts of all that are as bad.
func worst(all ...Result) (r Result) {
	var whats, remedies []string
	for _, light := range []Light{redLight, noLight, yellowLight, greenLight} {
		for _, one := range all {
			if one.Light != light {
				continue
			}
			r.Light = light
			if !slices.Contains(whats, one.What) {
				whats = append(whats, one.What)
			}
			if one.Remedy != "" && !strings.Contains(strings.Join(remedies, " "), one.Remedy) {
				remedies = append(remedies, one.Remedy)
			}
		}
		if r.Light != "" {
			break
		}
	}
	r.What, r.Remedy = strings.Join(whats, "; "), strings.Join(remedies, "; ")
	return r
}

// number returns a number of things in words.
func number(n int, thing string) string {
	switch {
	case n == 1:
		return "1 " + thing
	case strings.HasSuffix(thing, "y"):
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(thing, "y"))
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
