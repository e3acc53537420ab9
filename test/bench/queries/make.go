package queries

import (
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/bench/oracle"
)

// set returns a set with the questions in an order without pattern, always the same.
func (m *maker) set(name, title string, questions []Question) Set {
	m.random.Shuffle(len(questions), func(i, j int) { questions[i], questions[j] = questions[j], questions[i] })
	return Set{Name: name, Title: title, Questions: questions}
}

func (m *maker) services(qtype uint16) []Question {
	var all []Question
	for _, service := range m.virtual {
		all = append(all, Question{m.oracle.ServiceName(service), qtype})
	}
	return all
}

func (m *maker) headlessA() []Question {
	var all []Question
	for _, service := range m.headless {
		all = append(all, Question{m.oracle.ServiceName(service), dns.TypeA})
	}
	return all
}

func (m *maker) largest() []Question {
	return []Question{{m.oracle.ServiceName(m.shape.Services - 1), dns.TypeA}}
}

func (m *maker) srv() []Question {
	all := m.services(dns.TypeSRV)
	for i := range all {
		all[i].Name = "_http._tcp." + all[i].Name
	}
	return all
}

func (m *maker) ptr() []Question {
	var all []Question
	for _, service := range m.virtual {
		for _, rr := range m.oracle.Records(m.oracle.ServiceName(service), dns.TypeA) {
			if name, err := dns.ReverseAddr(rr.(*dns.A).A.String()); err == nil {
				all = append(all, Question{name, dns.TypePTR})
			}
		}
	}
	return all
}

func (m *maker) outside() []Question {
	var all []Question
	for _, owner := range m.oracle.Owners(oracle.Outside) {
		if strings.HasPrefix(owner, "host-") {
			all = append(all, Question{owner, dns.TypeA})
		}
	}
	return all
}

// sites are names that programs look up, with fewer dots than "ndots:5" requires.
var sites = []string{"api.github.example", "www.example.com", "storage.eu-west-1.cloud.example", "registry.example.org", "login.example.net"}

// searched returns what a Pod's resolver asks for before the name that was meant: each
// element of the search path, A and AAAA. The other common case is a Service of another
// namespace, looked up as "name.namespace".
func (m *maker) searched(n int) []Question {
	var all []Question
	for i := 0; len(all) < n; i++ {
		namespace := m.shape.NamespaceName(m.random.IntN(m.shape.Namespaces))
		site := sites[i%len(sites)]
		names := []string{
			site + "." + namespace + ".svc." + oracle.Domain, site + ".svc." + oracle.Domain, site + "." + oracle.Domain,
		}
		if i%3 == 0 {
			names = []string{strings.TrimSuffix(m.oracle.ServiceName(m.service()), "svc."+oracle.Domain) + namespace + ".svc." + oracle.Domain}
		}
		for _, name := range names {
			all = append(all, Question{name, dns.TypeA}, Question{name, dns.TypeAAAA})
		}
	}
	return all[:n]
}

func (m *maker) service() int { return m.virtual[m.random.IntN(len(m.virtual))] }

// mix returns what a cluster's DNS is asked: 60 % for names that the search path makes, 25
// % for Services, A and AAAA, 10 % for headless ones, and 5 % for names outside.
func (m *maker) mix() []Question {
	services := slices.Concat(m.services(dns.TypeA), m.services(dns.TypeAAAA))
	return slices.Concat(
		m.searched(mixSize*60/100),
		m.some(services, mixSize*25/100),
		m.some(m.headlessA(), mixSize*10/100),
		m.some(m.outside(), mixSize*5/100),
	)
}

// some returns n of the questions, some of them more than once.
func (m *maker) some(questions []Question, n int) []Question {
	picked := make([]Question, n)
	for i := range picked {
		picked[i] = questions[m.random.IntN(len(questions))]
	}
	return picked
}
