package check

import (
	"bytes"
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

// withoutConnecting returns the Corefile without the directives that connect while they are set up. The
// others keep their lines. ok is false if such a directive is not in the Corefile itself.
func (t *text) withoutConnecting() (body []byte, left []*directive, ok bool) {
	lines := bytes.SplitAfter(bytes.Clone(t.body), []byte("\n"))
	ok = true
	for _, b := range t.blocks {
		for name, connects := range connecting {
			if _, err := caddy.DirectiveAction("dns", name); err != nil {
				continue // the plugin is not in this build, which is an error at a start
			}
			for _, d := range b.directives[name] {
				if !connects(d) {
					continue
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
		}
	}
	return bytes.Join(lines, nil), left, ok
}

// leftOut returns the findings about directives that are not set up.
func leftOut(left []*directive) (found []Finding) {
	for _, d := range left {
		found = append(found, d.finding(Note, "not-checked",
			d.words[0]+" connects or writes files while CoreDNS reads the Corefile, so its lines have not been checked.",
			"Nothing: start a server with this Corefile to see whether it accepts them."))
	}
	return found
}
