package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/miekg/dns"
)

// suite is the file of cases. Corefiles and zone files are shared by name.
type suite struct {
	Meta      json.RawMessage
	Corefiles map[string]string
	Zonefiles map[string]string
	Cases     []testCase
}

// testCase is one question with its answer. The fields are all that the file
// has, so that reading it strictly finds a rule that nobody follows.
type testCase struct {
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

// group is the cases that one start of the server serves.
type group struct {
	test     string
	corefile string // with placeholders
	upstream string // zone file, or empty
	zonefile string // zone file, or empty
	cases    []testCase
}

// replayed are the tests of the suite, with the number of their cases: none may
// get lost on the way.
var replayed = map[string]int{
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

// Cases of other plugins (kubernetai) and of a deployment stand in the same file.
const idPrefix = "kubernetes/"

func total(tests map[string]int) int {
	sum := 0
	for _, n := range tests {
		sum += n
	}
	return sum
}

func loadSuite(t *testing.T) *suite {
	t.Helper()
	text, err := os.ReadFile("testdata/ci-cases.json")
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	s := new(suite)
	if err := decoder.Decode(s); err != nil {
		t.Fatal(err)
	}
	return s
}

// groups are the cases to replay by Corefile, in the file's order.
func (s *suite) groups() ([]group, error) {
	var groups []group
	index := map[string]int{}
	for _, c := range s.Cases {
		if replayed[c.Test] == 0 || !strings.HasPrefix(c.ID, idPrefix) {
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
		if g.upstream != groups[i].upstream || g.zonefile != groups[i].zonefile {
			return nil, fmt.Errorf("%s: other zone files than the cases before with the same Corefile", c.ID)
		}
		groups[i].cases = append(groups[i].cases, c)
	}
	return groups, nil
}

func (s *suite) newGroup(c testCase) (g group, err error) {
	g.test = c.Test
	if g.corefile, err = text(s.Corefiles, c.Corefile); err != nil {
		return g, err
	}
	if g.upstream, err = text(s.Zonefiles, c.Upstream); err != nil {
		return g, err
	}
	g.zonefile, err = text(s.Zonefiles, c.Zonefile)
	return g, err
}

func text(texts map[string]string, name string) (string, error) {
	text, ok := texts[name]
	if !ok && name != "" {
		return "", fmt.Errorf("no text with the name %q", name)
	}
	return text, nil
}

// name is what the case is called within its test.
func (c *testCase) name() string { return c.ID[strings.LastIndexByte(c.ID, '/')+1:] }

// wireName is what dig +search in the client's pod puts on the wire first: a
// name with fewer than ndots dots (5, and no name of the suite has more) gets
// the first suffix of the pod's search path, unless it ends with a dot.
func (c *testCase) wireName() string {
	switch {
	case c.WireQname != "":
		return c.WireQname
	case dns.IsFqdn(c.Qname):
		return c.Qname
	}
	return c.searchName()
}

func (c *testCase) searchName() string {
	return c.Qname + "." + c.ClientNamespace + ".svc.cluster.local."
}
