package check

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/parse"

	"github.com/clusterdns/clusterdns/plugin/internal/check/written"
	"github.com/clusterdns/clusterdns/plugin/internal/corefile"
	"github.com/clusterdns/clusterdns/plugin/internal/fastpath"
)

// Options are what a Corefile does not say.
type Options struct {
	Services []netip.Addr // addresses of the Service of this server
}

// Corefile returns what is wrong with a Corefile, or may be, in the order of its lines. Relative paths in it
// are relative to where path is, as at a start.
func Corefile(path string, body []byte, options Options) []Finding {
	c := &judge{Options: options, path: path, body: body}
	if o := written.Encoded(body); o != nil {
		return []Finding{{File: path, Severity: Error, Rule: "start", What: "CoreDNS does not start: " + o.What + ".", Instead: o.Instead}}
	}
	for _, o := range written.Oddities(body) {
		c.add(Finding{File: path, Line: o.Line, Severity: Warning, Rule: "characters", What: o.What, Instead: o.Instead})
	}
	restore := captureLog(io.Discard) // CoreDNS says the same again when it reads the Corefile
	t, err := readText(path, body)
	restore()
	if err != nil {
		return inOrder(append(c.found, c.startError(err)))
	}
	c.text = t
	if len(t.blocks) == 0 {
		return []Finding{{
			File: path, Severity: Error, Rule: "empty", What: "There is no server block, so CoreDNS serves nothing of the cluster.",
			Instead: "Look where the Corefile should have come from: it may be that a command ahead has failed.",
		}}
	}
	c.rehearse()
	for _, b := range t.blocks {
		for _, r := range rules {
			c.found = append(c.found, r(c, b)...)
		}
	}
	c.found = append(c.found, c.whole()...)
	return inOrder(c.found)
}

// judge judges one Corefile.
type judge struct {
	Options
	path  string
	body  []byte
	text  *text
	found []Finding
}

func (c *judge) add(f Finding) { c.found = append(c.found, f) }

// rehearse adds what a start would say.
func (c *judge) rehearse() {
	body, left, whole := c.text.without(connects)
	c.found = append(c.found, leftOut(left)...)
	if !whole {
		return
	}
	var said bytes.Buffer
	restore := captureLog(&said)
	err := Rehearse(c.path, body, func(i *caddy.Instance, servers []caddy.Server) error {
		if err := corefile.LookAround(i); err != nil {
			return err
		}
		for _, s := range fastpath.Shortfalls(i, servers) {
			c.addShortfall(s.State, s.Server, s.Reason)
		}
		return nil
	})
	restore()
	if err != nil {
		c.add(c.startError(err))
	}
	c.logged(said.String())
}

// placed is an error of CoreDNS that has a place.
var placed = regexp.MustCompile(`^(?:plugin/([a-z0-9_]+): )*(.+?):(\d+) - (.*)$`)

// named is an error of CoreDNS that has a plugin.
var named = regexp.MustCompile(`^(?:plugin/([a-z0-9_]+): )+(.*)$`)

// startError returns the finding about an error that a start ends with.
func (c *judge) startError(err error) Finding {
	f := Finding{File: c.path, Severity: Error, Rule: "start", What: "CoreDNS does not start: " + err.Error()}
	name := ""
	if key, ok := strings.CutPrefix(err.Error(), "cannot serve "); ok {
		f.Line = c.lineOfKey(key)
	} else if m := placed.FindStringSubmatch(err.Error()); m != nil {
		name, f.File = m[1], m[2]
		f.Line, _ = strconv.Atoi(m[3])
		f.What = "CoreDNS does not start: " + m[4]
	} else if m := named.FindStringSubmatch(err.Error()); m != nil {
		name = m[1]
		f.File, f.Line = c.placeOfError(name, err)
	}
	if f.Instead = manual(name, err); f.File == c.path {
		f.Instead = cmp.Or(written.Misread(c.body, f.Line, err), f.Instead)
	}
	return f
}

// quoted is a word of the Corefile in an error.
var quoted = regexp.MustCompile(`"([^"]+)"`)

// placeOfError returns the place of an error of a plugin that names none: of the second directive if the
// plugin may be used once, of the line with the word that it quotes, or of the first directive.
func (c *judge) placeOfError(name string, err error) (file string, no int) {
	m := quoted.FindStringSubmatch(err.Error())
	for _, b := range c.blocks() {
		all := b.directives[name]
		if errors.Is(err, plugin.ErrOnce) && len(all) > 1 {
			return all[1].file, all[1].no
		}
		for _, d := range all {
			for _, l := range append([]line{d.line}, d.properties...) {
				if m != nil && slices.Contains(l.words, m[1]) {
					return l.file, l.no
				}
			}
		}
	}
	return c.placeOf(name)
}

// manual says where to read what CoreDNS accepts.
func manual(name string, err error) string {
	switch {
	case strings.Contains(err.Error(), "Unknown directive"):
		return "Write the name of a plugin: coredns -plugins prints them all."
	case isOurs(name):
		return "Write what the page of the plugin lists: plugin/clusterdns/README.md, plugin/k8s_external/README.md or plugin/k8s_gateway/README.md."
	case name != "":
		return "Write what https://coredns.io/plugins/" + name + " lists."
	}
	return "Mend this line: https://coredns.io/manual/configuration says how a Corefile is written."
}

func isOurs(name string) bool {
	return slices.Contains([]string{"kubernetes", "clusterdns", "k8s_external", "k8s_gateway"}, name)
}

// placeOf returns the place of the only directive of a plugin, or of the first.
func (c *judge) placeOf(name string) (file string, no int) {
	for _, b := range c.blocks() {
		if d := b.first(name); d != nil {
			return d.file, d.no
		}
	}
	return c.path, 0
}

// blocks returns the server blocks, none if the Corefile could not be read.
func (c *judge) blocks() []*block {
	if c.text == nil {
		return nil
	}
	return c.text.blocks
}

// lineOfKey returns the line of the last server block with a zone that CoreDNS cannot serve, or 0. key begins
// with the zone as CoreDNS writes it.
func (c *judge) lineOfKey(key string) (no int) {
	_, key = parse.Transport(key)
	for _, b := range c.blocks() {
		if slices.ContainsFunc(b.zones, func(zone string) bool { return strings.HasPrefix(key, zone+":") }) {
			no = b.line
		}
	}
	return no
}

var (
	// logLine is a line of the log that a plugin wrote.
	logLine = regexp.MustCompile(`(?m)^\[(WARNING|INFO)\] (?:plugin/([a-z0-9_]+): )?(.*)$`)
	// logPlace is the place that our plugins begin a text with.
	logPlace = regexp.MustCompile(`^(\S+):(\d+): (.*)$`)
)

// logged adds what plugins say of the Corefile while they are set up. Only ours write of it at level INFO.
func (c *judge) logged(text string) {
	for _, m := range logLine.FindAllStringSubmatch(text, -1) {
		level, name, what := m[1], m[2], m[3]
		ours := isOurs(name)
		if level == "INFO" && !ours {
			continue
		}
		f := Finding{Severity: Warning, Rule: "said-at-start", What: what, Instead: "Mend or remove this line: a start writes the same into its log."}
		f.File, f.Line = c.placeOf(name)
		if !ours { // mostly of files, which this machine need not have
			f.Severity, f.Instead = Note, "Nothing, if the server's Pod has what this machine has not."
			if pattern, ok := strings.CutPrefix(what, "No files matching import glob pattern: "); ok {
				f.Line = c.text.lineOfImport(pattern)
			}
		}
		if p := logPlace.FindStringSubmatch(what); p != nil {
			f.File, f.What = p[1], p[3]
			f.Line, _ = strconv.Atoi(p[2])
		}
		if level == "INFO" {
			f.Severity, f.Instead = Note, "Nothing, if you can spare what that costs."
		}
		f.What += "."
		c.add(f)
	}
}

// addShortfall adds why the sockets do not answer.
func (c *judge) addShortfall(state, server string, reason error) {
	if all, ok := reason.(interface{ Unwrap() []error }); ok {
		for _, one := range all.Unwrap() {
			c.addShortfall(state, server, one)
		}
		return
	}
	f := Finding{
		File: c.path, Severity: Note, Rule: "sockets",
		What:    fmt.Sprintf("The fast path %s at %s: %s.", state, server, reason),
		Instead: "Nothing, if you can spare the CPU; doc/fast-path.md lists the lines beside which questions are answered at the sockets.",
	}
	var o *corefile.Obstacle
	if errors.As(reason, &o) {
		f.File, f.Line = fileOf(c.path, o.At), o.At.Line
	}
	c.add(f)
}

// unset is a variable of the environment in a Corefile.
var unset = regexp.MustCompile(`\{\$([^}\s]+)\}|\{%([^}\s%]+)%\}`)

// whole returns the findings that no server block has.
func (c *judge) whole() []Finding {
	return slices.Concat(c.environment(), c.migration(), c.probes())
}

// environment returns the findings about variables that are not set.
func (c *judge) environment() (found []Finding) {
	for i, text := range strings.Split(string(c.text.body), "\n") {
		text, _, _ = strings.Cut(text, "#")
		for _, m := range unset.FindAllStringSubmatch(text, -1) {
			name := m[1] + m[2]
			if _, set := os.LookupEnv(name); !set {
				found = append(found, Finding{
					File: c.path, Line: i + 1, Severity: Warning, Rule: "variable",
					What:    "The environment has no " + name + ", so CoreDNS reads nothing in its place.",
					Instead: "Set " + name + " as the server's Pod has it, then check again.",
				})
			}
		}
	}
	return found
}
