package differential

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/coredns/caddy/caddyfile"
)

// The ports of a process are those of the Corefile plus one of these numbers. They stay below
// 32768, from where on the kernel gives ports to connections, such as the API server's to etcd.
const (
	stockPorts = 10000
	ourPorts   = 17500
	chainPorts = 12000 // of our process without the fast path
	// behindPorts is added to those of the block behind.
	behindPorts = 5000
)

const (
	dnsPort     = 53
	readyPort   = 8181
	metricsPort = 9153
)

// listeners are the plugins that listen, with their default ports. Their other arguments
// are delays at the end, which only take time.
var listeners = map[string]int{"health": 8080, "ready": readyPort, "prometheus": metricsPort, "pprof": 6053}

// text returns the Corefile of a process whose ports begin at base. It has one more block:
// the plugins before and after ours, without ours, which shows the answer to a question
// that falls through. It also gets the plugins that report on the process.
func (c *corefile) text(base int) string {
	var b strings.Builder
	for i, block := range c.blocks {
		tokens := maps.Clone(block.Tokens)
		if i == c.main {
			tokens["ready"] = []caddyfile.Token{{Text: "ready"}}
			if len(tokens["prometheus"]) == 0 {
				tokens["prometheus"] = []caddyfile.Token{{Text: "prometheus"}}
			}
		}
		writeBlock(&b, block.Keys, tokens, base)
	}
	behind := maps.Clone(c.blocks[c.main].Tokens)
	for _, name := range slices.Concat(slices.Collect(maps.Keys(listeners)), []string{pluginName, "k8s_external"}) {
		delete(behind, name)
	}
	writeBlock(&b, []string{fmt.Sprintf(".:%d", c.port)}, behind, base+behindPorts)
	return b.String()
}

func writeBlock(b *strings.Builder, keys []string, directives map[string][]caddyfile.Token, base int) {
	for i, key := range keys {
		if i > 0 {
			b.WriteString(" ")
		}
		b.WriteString(moved(key, dnsPort, base))
	}
	b.WriteString(" {\n")
	for _, name := range slices.Sorted(maps.Keys(directives)) {
		if port, ok := listeners[name]; ok {
			fmt.Fprintf(b, "%s %s\n", name, moved(listenAddress(directives[name]), port, base))
		} else {
			writeTokens(b, directives[name])
		}
	}
	b.WriteString("}\n")
}

// moved returns the key of a server block, or an address, with another port.
func moved(key string, port, base int) string {
	host, own := splitPort(key, port)
	return fmt.Sprintf("%s:%d", host, base+own)
}

// splitPort splits the port off the end of a key. A key without one has the default port.
func splitPort(key string, port int) (host string, own int) {
	if at := portPattern.FindStringIndex(key); at != nil {
		if n, err := strconv.Atoi(key[at[0]+1:]); err == nil {
			return key[:at[0]], n
		}
	}
	return key, port
}

var portPattern = regexp.MustCompile(`:[0-9]+$`)

// listenAddress returns the address in the arguments of a plugin that listens, or "".
func listenAddress(tokens []caddyfile.Token) string {
	if len(tokens) > 1 && strings.Contains(tokens[1].Text, ":") {
		return tokens[1].Text
	}
	return ""
}

// writeTokens writes a directive, or several of one name, with their lines.
func writeTokens(b *strings.Builder, tokens []caddyfile.Token) {
	for i, token := range tokens {
		switch {
		case i == 0:
		case token.Line != tokens[i-1].Line || token.File != tokens[i-1].File:
			b.WriteString("\n")
		default:
			b.WriteString(" ")
		}
		b.WriteString(quoted(token.Text))
	}
	b.WriteString("\n")
}

// quoted returns a word with the quotes that a Corefile needs.
func quoted(word string) string {
	if word == "" || strings.ContainsAny(word, " \t\n\"#") {
		return `"` + strings.ReplaceAll(word, `"`, `\"`) + `"`
	}
	return word
}
