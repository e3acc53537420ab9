package dnsperf

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

var rcode = regexp.MustCompile(`([A-Z]+) (\d+) \(`)

// parse parses statistics, lines such as "  Queries sent:  1000".
func parse(out string) (Result, error) {
	fields := map[string]string{}
	for line := range strings.Lines(out) {
		if name, value, ok := strings.Cut(line, ":"); ok {
			fields[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	r := Result{Rcodes: map[string]int{}}
	for name, to := range map[string]*int{
		"Queries sent": &r.Sent, "Queries completed": &r.Completed, "Queries lost": &r.Lost,
	} {
		count, _, _ := strings.Cut(fields[name], " ")
		n, err := strconv.Atoi(count)
		if err != nil {
			return r, fmt.Errorf("no number after %q", name)
		}
		*to = n
	}
	if r.Completed == 0 {
		return r, errors.New("not one answer")
	}
	for _, match := range rcode.FindAllStringSubmatch(fields["Response codes"], -1) {
		r.Rcodes[match[1]], _ = strconv.Atoi(match[2])
	}
	var err error
	r.Rate, err = strconv.ParseFloat(fields["Queries per second"], 64)
	return r, err
}
