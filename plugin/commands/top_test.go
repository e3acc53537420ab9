package commands

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/clusterdns/clusterdns/plugin/internal/top"
)

func someReport() (*top.Report, error) {
	return &top.Report{
		Seconds: 20, Questions: 1000, Counted: 1000, OneIn: 1, Pods: true,
		Namespaces: []top.Row{{Item: "shop", Count: top.Count{Questions: 750}}, {Item: "-", Count: top.Count{Questions: 250, Over: 50}}},
		Clients:    []top.Row{{Item: "10.1.0.1", Namespace: "shop", Count: top.Count{Questions: 750}}, {Item: "192.0.2.1", Count: top.Count{Questions: 250}}},
		Names:      []top.Row{{Item: strings.Repeat("x", 100), Count: top.Count{Questions: 1000}}},
		Rcodes:     []top.Row{{Item: "NOERROR", Count: top.Count{Questions: 1000}}},
	}, nil
}

// atOnce returns a channel that keeps nobody waiting.
func atOnce() <-chan time.Time {
	c := make(chan time.Time)
	close(c)
	return c
}

// printed returns what the command prints.
func printed(t *testing.T, o topOptions, ask func() (*top.Report, error)) string {
	t.Helper()
	var out bytes.Buffer
	if err := o.run(ask, atOnce(), &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestTopPrints(t *testing.T) {
	want := `1000 questions in 20 s, 50.0 a second
  A SECOND  AT LEAST   SHARE  NAMESPACE
      37.5      37.5  75.0 %  shop
      12.5      10.0  25.0 %  -
`
	if got := printed(t, topOptions{by: "namespace", times: 1}, someReport); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	want = "0 questions in 20 s, 0.0 a second\n  A SECOND  AT LEAST  SHARE  NAMESPACE\n"
	if got := printed(t, topOptions{by: "namespace", times: 1}, func() (*top.Report, error) { return &top.Report{Seconds: 20, OneIn: 1}, nil }); got != want {
		t.Errorf("without questions\n%s\nwant\n%s", got, want)
	}
	want = `1000 questions in 20 s, 50.0 a second, estimated from 70
by client: the server watches no Pods, and so knows nobody's Namespace: pods verified
  A SECOND  AT LEAST   SHARE  CLIENT
      37.5      37.5  75.0 %  10.1.0.1  (shop)
      12.5      12.5  25.0 %  192.0.2.1
`
	sampled := func() (*top.Report, error) {
		r, err := someReport()
		r.OneIn, r.Counted, r.Pods = 16, 70, false
		return r, err
	}
	if got := printed(t, topOptions{by: "namespace", times: 1}, sampled); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if got := printed(t, topOptions{by: "name", times: 1}, someReport); !strings.HasSuffix(got, "  "+strings.Repeat("x", 79)+"…\n") {
		t.Error(got)
	}
}

// A table takes the place of the one before on a terminal alone.
func TestTopGoesOn(t *testing.T) {
	const clear = "\x1b[H\x1b[2J"
	for _, screen := range []bool{true, false} {
		got := printed(t, topOptions{by: "rcode", times: 3, clear: screen}, someReport)
		if n := strings.Count(got, "NOERROR"); n != 3 || strings.Count(got, clear) != map[bool]int{true: 3}[screen] {
			t.Errorf("%d tables: %q", n, got)
		}
	}
	asked := 0
	o := topOptions{by: "rcode"}
	err := o.run(func() (*top.Report, error) {
		if asked++; asked > 10 {
			return nil, errors.New("gone")
		}
		return someReport()
	}, atOnce(), new(bytes.Buffer))
	if err == nil || asked != 11 {
		t.Errorf("asked %d times: %v", asked, err)
	}
}

func TestTopInJSON(t *testing.T) {
	text := printed(t, topOptions{by: "client", times: 2, format: "json"}, someReport)
	decoder := json.NewDecoder(strings.NewReader(text))
	for range 2 {
		var l top.List
		if err := decoder.Decode(&l); err != nil {
			t.Fatal(err)
		}
		if l.By != "client" || l.OneIn != 1 || len(l.Rows) != 2 || l.Rows[0].Namespace != "shop" || l.Rows[0].Share != 0.75 || l.Rows[1].PerSecond != 12.5 {
			t.Errorf("%+v", l)
		}
	}
}

// A table is of twenty rows at most, and says how many there are besides.
func TestTopIsBounded(t *testing.T) {
	got := printed(t, topOptions{by: "name", times: 1}, func() (*top.Report, error) {
		r, err := someReport()
		for i := range 40 {
			r.Names = append(r.Names, top.Row{Item: fmt.Sprint(i)})
		}
		return r, err
	})
	if n := strings.Count(got, "\n"); n != 1+1+topRows+1 || !strings.HasSuffix(got, "and 21 more\n") {
		t.Errorf("%d lines: %s", n, got)
	}
}

func TestTopUsage(t *testing.T) {
	for _, args := range [][]string{{"-by", "type"}, {"-o", "xml"}, {"-n", "-1"}, {"-every", "0s"}, {"more"}, {"-what"}} {
		var out, errOut bytes.Buffer
		if code := Top(args, &out, &errOut); code != 1 || !strings.Contains(errOut.String(), "usage: coredns top") {
			t.Errorf("%v: exit code %d, %s", args, code, errOut.String())
		}
	}
}
