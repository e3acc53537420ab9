package commands

import (
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"

	"github.com/clusterdns/clusterdns/plugin/internal/check"
	"github.com/clusterdns/clusterdns/plugin/internal/check/written"
)

const checkUsage = `usage: coredns check [-o text|json] [-service ADDRESS,...] COREFILE

Judges a Corefile without starting a server. COREFILE may be - for the standard input, and a ConfigMap that has the
Corefile, as in kubectl -n kube-system get configmap coredns -o yaml | coredns check -
Exits with 0 if there is nothing above a note, 1 if the server would not start, 2 if there are warnings.

`

// The exit codes of check.
const (
	checkClean   = 0
	checkError   = 1
	checkWarning = 2
)

// Check is the command coredns check. It returns the exit code.
func Check(args []string, in io.Reader, out, errOut io.Writer) int {
	c := newCall("check", checkUsage, out, errOut)
	services := c.String("service", os.Getenv("KUBE_DNS_SERVICE_HOST"), "addresses of the Service of this server, separated by commas; without any, the usual ones")
	paths, code, done := c.arguments(args, one("COREFILE"))
	if done {
		return code
	}
	options, err := checkOptions(*services)
	if err != nil {
		return c.fail(exitUsage, err)
	}
	path, body, err := readCorefile(paths[0], in)
	if err != nil {
		return c.fail(checkError, err)
	}
	found := check.Corefile(path, body, options)
	if err := printFindings(out, *c.format, path, found); err != nil {
		return c.fail(checkError, err)
	}
	return checkCode(found)
}

func checkOptions(services string) (o check.Options, err error) {
	for _, text := range strings.FieldsFunc(services, func(r rune) bool { return r == ',' }) {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return o, fmt.Errorf("-service: %w", err)
		}
		o.Services = append(o.Services, addr)
	}
	return o, nil
}

// readCorefile reads a Corefile, which a ConfigMap may be around, as kubectl prints it.
func readCorefile(path string, in io.Reader) (name string, body []byte, err error) {
	piped := path == "-"
	if name = path; piped {
		name = "Corefile"
		body, err = io.ReadAll(in)
	} else {
		body, err = os.ReadFile(path)
	}
	if err != nil {
		return name, nil, err
	}
	return written.Unwrapped(name, body, piped)
}

func checkCode(found []check.Finding) int {
	code := checkClean
	for i := range found {
		switch found[i].Severity {
		case check.Error:
			return checkError
		case check.Warning:
			code = checkWarning
		}
	}
	return code
}

// report is the output in JSON.
type report struct {
	Corefile string          `json:"corefile"`
	Errors   int             `json:"errors"`
	Warnings int             `json:"warnings"`
	Notes    int             `json:"notes"`
	Findings []check.Finding `json:"findings"`
}

func printFindings(out io.Writer, format, path string, found []check.Finding) error {
	r := report{Corefile: path, Findings: append([]check.Finding{}, found...)}
	for i := range found {
		switch found[i].Severity {
		case check.Error:
			r.Errors++
		case check.Warning:
			r.Warnings++
		case check.Note:
			r.Notes++
		}
	}
	if format == "json" {
		return printJSON(out, r, indent)
	}
	for i := range found {
		printFinding(out, &found[i])
	}
	_, err := fmt.Fprintf(out, "%s: %s, %s, %s\n", path, number(r.Errors, "error"), number(r.Warnings, "warning"), number(r.Notes, "note"))
	return err
}

func printFinding(out io.Writer, f *check.Finding) {
	place := f.File
	if f.Line > 0 {
		place = fmt.Sprintf("%s:%d", f.File, f.Line)
	}
	fmt.Fprintf(out, "%s: %s: %s (%s)\n    instead: %s\n", place, f.Severity, f.What, f.Rule, f.Instead)
}

// number returns a number of things in words.
func number(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
