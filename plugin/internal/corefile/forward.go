package corefile

import (
	"strconv"

	"github.com/coredns/coredns/core/dnsserver"
)

// MaxConcurrent returns how many questions the plugin forward in the block of a
// configuration handles at a time, the largest number if there are several, or 0 if there
// is no limit. It refuses more questions, from any client.
func MaxConcurrent(server *dnsserver.Config, blocks []Block) int {
	for i := range blocks {
		if !blocks[i].has(server) {
			continue
		}
		greatest := 0
		tokens := blocks[i].Tokens["forward"]
		for j := range tokens[:max(0, len(tokens)-1)] {
			if tokens[j].Text == "max_concurrent" {
				n, _ := strconv.Atoi(tokens[j+1].Text) // CoreDNS refuses what is no number
				greatest = max(greatest, n)
			}
		}
		return greatest
	}
	return 0
}
