package live

import (
	"maps"
	"strings"
	"testing"
)

// world is a namespace with a name of every kind. Worlds with the same name and octet are
// states of one world: most of their answers are the same, and the others tell the states
// apart.
type world struct {
	namespace string
	octet     string // part of all its addresses
	turn      string // address of a name whose address changes
	early     bool   // has the Service that is removed
	late      bool   // has the Service that is added
}

// The states before and after a change.
func (w world) before() world { return world{w.namespace, w.octet, "1", true, false} }
func (w world) after() world  { return world{w.namespace, w.octet, "2", false, true} }

// fill fills in the variables of a text.
func (w world) fill(text string) string {
	return strings.NewReplacer("NS", w.namespace, "OCTET", w.octet, "TURN", w.turn).Replace(text)
}

const worldObjects = `
{apiVersion: v1, kind: Namespace, metadata: {name: NS}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: NS},
  spec: {ipFamilyPolicy: RequireDualStack, clusterIP: 10.96.0.OCTET, clusterIPs: [10.96.0.OCTET, "fd00:10:96::OCTET"], ports: [{name: http, port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: out, namespace: NS}, spec: {type: ExternalName, externalName: www.example.org}}
---
{apiVersion: v1, kind: Service, metadata: {name: db, namespace: NS}, spec: {clusterIP: None, ports: [{name: sql, port: 5432}]}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: db-4, namespace: NS, labels: {kubernetes.io/service-name: db}},
  addressType: IPv4, ports: [{name: sql, port: 5432}], endpoints: [{addresses: [10.OCTET.0.1], hostname: db-0}, {addresses: [10.OCTET.0.2], hostname: db-1}]}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: db-6, namespace: NS, labels: {kubernetes.io/service-name: db}},
  addressType: IPv6, ports: [{name: sql, port: 5432}], endpoints: [{addresses: ["fd00:OCTET::1"], hostname: db-0}]}
---
{apiVersion: v1, kind: Pod, metadata: {name: db-0, namespace: NS}, spec: {containers: [{name: db, image: db}]},
  status: {phase: Running, podIP: 10.OCTET.0.1, podIPs: [{ip: 10.OCTET.0.1}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: turn, namespace: NS}, spec: {clusterIP: None, ports: [{port: 80}]}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: turn-4, namespace: NS, labels: {kubernetes.io/service-name: turn}},
  addressType: IPv4, ports: [], endpoints: [{addresses: [10.OCTET.1.TURN], hostname: it}]}
---
`

const (
	earlyObject = `{apiVersion: v1, kind: Service, metadata: {name: early, namespace: NS}, spec: {clusterIP: 10.96.1.OCTET, ports: [{port: 80}]}}`
	lateObject  = `{apiVersion: v1, kind: Service, metadata: {name: late, namespace: NS}, spec: {clusterIP: 10.96.2.OCTET, ports: [{port: 80}]}}`
)

func (w world) objects() string {
	text := worldObjects
	if w.early {
		text += earlyObject + "\n---\n"
	}
	if w.late {
		text += lateObject
	}
	return w.fill(text)
}

// stable are the answers that all states of a world share.
var stable = answers{
	"A web.NS.svc.cluster.local":               "NOERROR 10.96.0.OCTET",
	"AAAA web.NS.svc.cluster.local":            "NOERROR fd00:10:96::OCTET",
	"SRV _http._tcp.web.NS.svc.cluster.local":  "NOERROR 0 50 80 web.NS.svc.cluster.local.",
	"TXT web.NS.svc.cluster.local":             noData,
	"PTR 10.96.0.OCTET":                        "NOERROR web.NS.svc.cluster.local.",
	"PTR fd00:10:96::OCTET":                    "NOERROR web.NS.svc.cluster.local.",
	"A out.NS.svc.cluster.local":               "NOERROR www.example.org.",
	"A db.NS.svc.cluster.local":                "NOERROR 10.OCTET.0.1 10.OCTET.0.2",
	"AAAA db.NS.svc.cluster.local":             "NOERROR fd00:OCTET::1",
	"A db-0.db.NS.svc.cluster.local":           "NOERROR 10.OCTET.0.1",
	"AAAA db-1.db.NS.svc.cluster.local":        noData,
	"PTR 10.OCTET.0.2":                         "NOERROR db-1.db.NS.svc.cluster.local.",
	"PTR fd00:OCTET::1":                        "NOERROR db-0.db.NS.svc.cluster.local.",
	"A 10-OCTET-0-1.NS.pod.cluster.local":      "NOERROR 10.OCTET.0.1",
	"A 10-OCTET-0-2.NS.pod.cluster.local":      noName,
	"A never.NS.svc.cluster.local":             noName,
	"AAAA web.never.svc.cluster.local":         noName,
	"A www.example.org.NS.svc.cluster.local":   noName,
	"PTR 10.OCTET.0.3":                         noName,
	"A NS.svc.cluster.local":                   noData,
	"TXT dns-version.cluster.local":            `NOERROR "1.1.0"`,
	"A web.NS.svc.cluster.local.cluster.local": noName,
}

func (w world) answers() answers {
	all := answers{
		"A turn.NS.svc.cluster.local":    "NOERROR 10.OCTET.1.TURN",
		"A it.turn.NS.svc.cluster.local": "NOERROR 10.OCTET.1.TURN",
		"PTR 10.OCTET.1.1":               noName,
		"PTR 10.OCTET.1.2":               noName,
		"A early.NS.svc.cluster.local":   noName,
		"PTR 10.96.1.OCTET":              noName,
		"A late.NS.svc.cluster.local":    noName,
		"PTR 10.96.2.OCTET":              noName,
	}
	maps.Copy(all, stable)
	all["PTR 10.OCTET.1."+w.turn] = "NOERROR it.turn.NS.svc.cluster.local."
	if w.early {
		all["A early.NS.svc.cluster.local"] = "NOERROR 10.96.1.OCTET"
		all["PTR 10.96.1.OCTET"] = "NOERROR early.NS.svc.cluster.local."
	}
	if w.late {
		all["A late.NS.svc.cluster.local"] = "NOERROR 10.96.2.OCTET"
		all["PTR 10.96.2.OCTET"] = "NOERROR late.NS.svc.cluster.local."
	}
	filled := answers{}
	for question, answer := range all {
		filled[w.fill(question)] = w.fill(answer)
	}
	return filled
}

// absent returns the answers while the world does not exist.
func (w world) absent() answers {
	all := w.answers()
	for question := range all {
		if strings.Contains(question, w.namespace) || strings.HasPrefix(question, "PTR") {
			all[question] = noName
		}
	}
	return all
}

// change turns the world from its state before into its state after.
func (w world) change(t *testing.T, c *cluster) {
	t.Helper()
	c.remove(t, "Service "+w.namespace+"/early")
	c.apply(t, w.after().objects())
}
