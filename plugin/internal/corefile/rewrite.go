package corefile

import (
	"errors"
	"fmt"
	"strings"

	"github.com/miekg/dns"
)

// applyRewrite leaves every question that a rule matches to the plugin. Rules work on what
// earlier rules have made of a question, but a question that no rule matches stays as it is.
func applyRewrite(rc *ruleContext) error {
	for d := rc.dispenser(); d.Next(); {
		args := d.RemainingArgs()
		if len(args) < 2 { // CoreDNS reads a block then
			for d.NextBlock() {
				args = append(args, d.Val())
			}
		}
		rule := strings.Join(args, " ")
		c, err := rc.rewrites(args)
		if err != nil {
			return fmt.Errorf("with the rule %q, which %w", rule, err)
		}
		if c == nil {
			continue
		}
		if err := rc.add(c, fmt.Sprintf("with the rule %q, which matches all names", rule)); err != nil {
			return err
		}
	}
	return nil
}

// rewrites returns the claim of a rule, or nil if the rule changes none of our answers. An
// error says why the rule may concern every question.
func (rc *ruleContext) rewrites(args []string) (claim, error) {
	if len(args) > 0 && (strings.EqualFold(args[0], "stop") || strings.EqualFold(args[0], "continue")) {
		args = args[1:]
	}
	if len(args) < 2 {
		return nil, errors.New("is too short")
	}
	kind, args := strings.ToLower(args[0]), args[1:]
	switch kind {
	case "name":
		return rewritesName(args, 2) // FROM TO
	case "ttl":
		return rewritesName(args, 2) // NAME TTL
	case "rcode":
		return rewritesName(args, 3) // NAME FROM TO
	case "type":
		return rewritesType(args[0])
	case "class":
		return nil, rewritesClass(args[0])
	case "cname":
		rc.conditions.unrepeated = true // changes aliases, which only the cache's replies have
		return nil, nil
	case "edns0":
		return nil, errors.New("changes the EDNS options of every question")
	}
	return nil, errors.New("is of an unknown kind")
}

// rewritesName returns the claim of a rule for a name. The way to match stands first if there
// are more arguments than the shortest form has.
func rewritesName(args []string, shortest int) (claim, error) {
	if len(args) == shortest {
		return match("exact", args[0])
	}
	return match(strings.ToLower(args[0]), args[1])
}

func rewritesType(text string) (claim, error) {
	from, ok := dns.StringToType[strings.ToUpper(text)]
	if !ok {
		return nil, errors.New("names an unknown type")
	}
	return ofType(from), nil
}

// rewritesClass returns an error for the only class of questions that the sockets answer.
func rewritesClass(text string) error {
	if from, ok := dns.StringToClass[strings.ToUpper(text)]; !ok || from == dns.ClassINET {
		return errors.New("changes the class IN")
	}
	return nil
}
