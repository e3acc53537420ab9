package check

import (
	"fmt"
	"slices"

	"github.com/coredns/corefile-migration/migration"
)

// migration returns the findings about what kubeadm does not migrate to another release of CoreDNS. kubeadm has
// the same library.
func (c *judge) migration() (found []Finding) {
	if !c.servesCluster() {
		return nil
	}
	versions := migration.ValidVersions()
	if len(versions) < 2 {
		return nil
	}
	from, to := versions[len(versions)-2], versions[len(versions)-1]
	notices, err := migration.Unsupported(from, to, string(c.text.body))
	if err != nil {
		return nil
	}
	for _, n := range notices {
		what := "the plugin " + n.Plugin
		if n.Option != "" {
			what = fmt.Sprintf("%s in %s", n.Option, n.Plugin)
		}
		f := Finding{
			File: c.path, Line: c.lineOf(n.Plugin, n.Option), Severity: Note, Rule: "kubeadm",
			What:    fmt.Sprintf("kubeadm does not know %s, and stops the preflight of an upgrade that changes the release of CoreDNS.", what),
			Instead: "Nothing, if no kubeadm upgrades this cluster; else see doc/install.md, or pass --ignore-preflight-errors=CoreDNSUnsupportedPlugins.",
		}
		found = append(found, f)
	}
	return found
}

// lineOf returns the line of a plugin's option, of the plugin, or of an import.
func (c *judge) lineOf(name, option string) int {
	for _, b := range c.text.blocks {
		for _, d := range b.directives[name] {
			if d.file != c.path {
				continue
			}
			if option == "" {
				return d.no
			}
			if i := slices.IndexFunc(d.properties, func(l line) bool { return l.words[0] == option }); i >= 0 {
				return d.properties[i].no
			}
		}
	}
	return c.text.lineOfWord(name)
}
