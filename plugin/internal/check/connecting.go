package check

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/coredns/caddy"
)

// connecting has the plugins that connect, or change files, while they are set up, and says which of
// their directives do.
var connecting = map[string]func(*directive) bool{
	"azure":    always,
	"clouddns": always,
	"dnssec": func(d *directive) bool {
		return slices.ContainsFunc(d.properties, func(l line) bool {
			return slices.Equal(l.words[:min(2, len(l.words))], []string{"key", "aws_secretsmanager"})
		})
	},
	"etcd":    func(d *directive) bool { return d.property("credentials") != nil },
	"route53": always,
	"tls":     func(d *directive) bool { return len(d.args) == 0 || d.property("keylog") != nil },
}

func always(*directive) bool { return true }

// Absent are the plugins that the server has and this program has not. It is not changed after the start.
var Absent []string

func absent(d *directive) bool { return slices.Contains(Absent, d.words[0]) }

// connects reports whether a directive cannot be set up here, because it connects or changes files meanwhile, or
// because its plugin is absent.
func connects(d *directive) bool {
	f := connecting[d.words[0]]
	return absent(d) || f != nil && f(d)
}

// without returns the Corefile without the directives that a function selects. The others keep their lines.
// ok is false if such a directive is not in the Corefile itself.
func (t *text) without(selected func(*directive) bool) (body []byte, left []*directive, ok bool) {
	lines := bytes.SplitAfter(bytes.Clone(t.body), []byte("\n"))
	ok = true
	for _, d := range t.all() {
		if _, err := caddy.DirectiveAction("dns", d.words[0]); err != nil && !absent(d) || !selected(d) {
			continue // a plugin that is not in a server's build is an error at its start
		}
		left = append(left, d)
		if d.file != t.path {
			ok = false
			continue
		}
		for i := d.no - 1; i < min(d.last, len(lines)); i++ {
			lines[i] = []byte("\n")
		}
	}
	return bytes.Join(lines, nil), left, ok
}

// Without returns a Corefile without the directives of some plugins, and without those that connect or change
// files while they are set up. The others keep their lines.
func Without(path string, body []byte, names []string) ([]byte, error) {
	t, err := readText(path, body)
	if err != nil {
		return nil, err
	}
	rest, left, ok := t.without(func(d *directive) bool { return connects(d) || slices.Contains(names, d.words[0]) })
	if !ok {
		return nil, fmt.Errorf("%s is imported, and cannot be left out: expected it in the Corefile itself", left[len(left)-1].words[0])
	}
	return rest, nil
}

// leftOut returns the findings about directives that are not set up.
func leftOut(left []*directive) (found []Finding) {
	for _, d := range left {
		why := " connects or writes files while CoreDNS reads the Corefile"
		if absent(d) {
			why = " is not in this program, only in the server"
		}
		found = append(found, d.finding(Note, "not-checked", d.words[0]+why+", so its lines have not been checked.",
			"Nothing: start a server with this Corefile to see whether it accepts them."))
	}
	return found
}
