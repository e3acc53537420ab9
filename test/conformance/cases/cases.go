package cases

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/miekg/dns"
)

//go:embed testdata/ci-cases.json
var data []byte

// Suite is the file of cases. Cases refer to Corefiles and zone files by name.
type Suite struct {
	Meta      json.RawMessage
	Corefiles map[string]string
	Zonefiles map[string]string
	Cases     []Case
}

// Case is one question with its answer. It has all fields of the file, so that strict
// parsing finds a rule that the code ignores.
type Case struct {
	ID              string
	File            string
	Line            int
	Test            string
	Subtest         string
	Desc            string
	Note            string
	Requires        string
	Corefile        string
	Upstream        string // name of the zone file that the server's upstream serves
	Zonefile        string // name of the zone file that the server reads
	Phase           string
	ClientNamespace string `json:"client_namespace"`

	Qname     string
	WireQname string `json:"wire_qname"`
	Qtype     string

	Compare         string
	Rcode           string
	Answers         []string
	Authority       []string
	Additional      []string
	AnswerCount     int    `json:"answer_count"`
	AdditionalCount int    `json:"additional_count"`
	TargetRegex     string `json:"target_regex"`
}

// NewPhase is the Phase of cases that are asked after the new objects have been created.
const NewPhase = "after creating newObjects"

// Group is the cases for one start of the server.
type Group struct {
	Test     string
	Corefile string // with placeholders
	Upstream string // zone file, or empty
	Zonefile string // zone file, or empty
	Cases    []Case
}

// Tests are the tests of the suite, with their number of cases, so that none gets lost.
var Tests = map[string]int{
	"TestAXFR":                          1,
	"TestAXFRPods":                      1,
	"TestKubernetesA":                   11,
	"TestKubernetesAutopath":            5,
	"TestKubernetesEndpointPodNames":    2,
	"TestKubernetesFallthrough":         3,
	"TestKubernetesFallthroughFiltered": 2,
	"TestKubernetesNSExposed":           2,
	"TestKubernetesPTR":                 6,
	"TestKubernetesPodsInsecure":        2,
	"TestKubernetesPodsVerified":        2,
	"TestKubernetesSRV":                 1,
	"TestKubernetesSecureAPI":           1,
}

// The same file has cases of other plugins (kubernetai) and of a deployment.
const idPrefix = "kubernetes/"

// Load reads the data.
func Load() (*Suite, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	s := new(Suite)
	return s, decoder.Decode(s)
}

// Groups returns the cases of Tests by Corefile, in the file's order.
func (s *Suite) Groups() ([]Group, error) {
	var groups []Group
	index := map[string]int{}
	for _, c := range s.Cases {
		if Tests[c.Test] == 0 || !strings.HasPrefix(c.ID, idPrefix) {
			continue
		}
		g, err := s.newGroup(c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.ID, err)
		}
		i, ok := index[c.Corefile]
		if !ok {
			i = len(groups)
			index[c.Corefile] = i
			groups = append(groups, g)
		}
		if g.Upstream != groups[i].Upstream || g.Zonefile != groups[i].Zonefile {
			return nil, fmt.Errorf("%s: other zone files than the cases before with the same Corefile", c.ID)
		}
		groups[i].Cases = append(groups[i].Cases, c)
	}
	return groups, nil
}

func (s *Suite) newGroup(c Case) (g Group, err error) {
	g.Test = c.Test
	if g.Corefile, err = text(s.Corefiles, c.Corefile); err != nil {
		return g, err
	}
	if g.Upstream, err = text(s.Zonefiles, c.Upstream); err != nil {
		return g, err
	}
	g.Zonefile, err = text(s.Zonefiles, c.Zonefile)
	return g, err
}

func text(texts map[string]string, name string) (string, error) {
	text, ok := texts[name]
	if !ok && name != "" {
		return "", fmt.Errorf("no text with the name %q", name)
	}
	return text, nil
}

// Name returns the name of the case within its test.
func (c *Case) Name() string { return c.ID[strings.LastIndexByte(c.ID, '/')+1:] }

// IsTransfer reports whether the case asks for a whole zone.
func (c *Case) IsTransfer() bool { return c.Compare == transferRule }

// WireName returns the first name that dig +search sends in the client's Pod: a name with
// fewer than ndots dots (5, and no name of the suite has more) gets the first suffix of the
// Pod's search path, unless it ends with a dot.
func (c *Case) WireName() string {
	switch {
	case c.WireQname != "":
		return c.WireQname
	case dns.IsFqdn(c.Qname):
		return c.Qname
	}
	return c.searchName()
}

func (c *Case) searchName() string {
	return c.Qname + "." + c.ClientNamespace + ".svc.cluster.local."
}
