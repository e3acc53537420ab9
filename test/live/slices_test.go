package live

var sliceSteps = []step{
	{
		title: "before its Service",
		apply: `
{apiVersion: v1, kind: Namespace, metadata: {name: farm}}
---
{apiVersion: v1, kind: Service, metadata: {name: mark, namespace: farm}, spec: {clusterIP: None, ports: [{port: 80}]}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: db-1, namespace: farm, labels: {kubernetes.io/service-name: db}},
  addressType: IPv4, ports: [{name: sql, port: 5432}], endpoints: [{addresses: [10.30.0.1]}]}
---
# Its address tells that the slice before it has been seen.
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: mark-1, namespace: farm, labels: {kubernetes.io/service-name: mark}},
  addressType: IPv4, ports: [], endpoints: [{addresses: [10.30.0.9]}]}
`,
		want: answers{
			"A mark.farm.svc.cluster.local": "NOERROR 10.30.0.9",
			"A db.farm.svc.cluster.local":   noName,
			"PTR 10.30.0.1":                 noName,
		},
	},
	{
		title: "and then its Service",
		apply: `{apiVersion: v1, kind: Service, metadata: {name: db, namespace: farm}, spec: {clusterIP: None, ports: [{name: sql, port: 5432}]}}`,
		want: answers{
			"A db.farm.svc.cluster.local":             "NOERROR 10.30.0.1",
			"SRV _sql._tcp.db.farm.svc.cluster.local": "NOERROR 0 100 5432 10-30-0-1.db.farm.svc.cluster.local.",
			"PTR 10.30.0.1":                           "NOERROR 10-30-0-1.db.farm.svc.cluster.local.",
		},
	},
	{
		title: "endpoint added that is not ready",
		apply: `
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: db-1, namespace: farm, labels: {kubernetes.io/service-name: db}},
  addressType: IPv4, ports: [{name: pg, port: 5432}], endpoints: [{addresses: [10.30.0.1]}, {addresses: [10.30.0.2], conditions: {ready: false}}]}
`,
		want: answers{
			"SRV _pg._tcp.db.farm.svc.cluster.local": "NOERROR 0 100 5432 10-30-0-1.db.farm.svc.cluster.local.",
			"A db.farm.svc.cluster.local":            "NOERROR 10.30.0.1",
			"PTR 10.30.0.2":                          noName,
		},
	},
	{
		title: "ready changes from one endpoint to the other",
		apply: `
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: db-1, namespace: farm, labels: {kubernetes.io/service-name: db}},
  addressType: IPv4, ports: [{name: pg, port: 5432}],
  endpoints: [{addresses: [10.30.0.1], conditions: {ready: false}}, {addresses: [10.30.0.2], conditions: {ready: true}}]}
`,
		want: answers{
			"A db.farm.svc.cluster.local":           "NOERROR 10.30.0.2",
			"A 10-30-0-1.db.farm.svc.cluster.local": noName,
			"PTR 10.30.0.1":                         noName,
			"PTR 10.30.0.2":                         "NOERROR 10-30-0-2.db.farm.svc.cluster.local.",
		},
	},
	{
		title: "hostname set",
		apply: `
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: db-1, namespace: farm, labels: {kubernetes.io/service-name: db}},
  addressType: IPv4, ports: [{name: pg, port: 5432}], endpoints: [{addresses: [10.30.0.2], hostname: db-0}]}
`,
		want: answers{
			"A db-0.db.farm.svc.cluster.local":       "NOERROR 10.30.0.2",
			"A 10-30-0-2.db.farm.svc.cluster.local":  noName,
			"SRV _pg._tcp.db.farm.svc.cluster.local": "NOERROR 0 100 5432 db-0.db.farm.svc.cluster.local.",
			"PTR 10.30.0.2":                          "NOERROR db-0.db.farm.svc.cluster.local.",
		},
	},
	{
		title: "several slices and both families",
		apply: `
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: db-2, namespace: farm, labels: {kubernetes.io/service-name: db}},
  addressType: IPv4, ports: [{name: pg, port: 5432}], endpoints: [{addresses: [10.30.0.3], hostname: db-1}]}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: db-3, namespace: farm, labels: {kubernetes.io/service-name: db}},
  addressType: IPv6, ports: [{name: pg, port: 5432}], endpoints: [{addresses: ["fd00:30::2"], hostname: db-0}, {addresses: ["fd00:30::3"]}]}
`,
		want: answers{
			"A db.farm.svc.cluster.local":               "NOERROR 10.30.0.2 10.30.0.3",
			"AAAA db.farm.svc.cluster.local":            "NOERROR fd00:30::2 fd00:30::3",
			"A db-0.db.farm.svc.cluster.local":          "NOERROR 10.30.0.2",
			"AAAA db-0.db.farm.svc.cluster.local":       "NOERROR fd00:30::2",
			"AAAA db-1.db.farm.svc.cluster.local":       noData,
			"AAAA fd00-30--3.db.farm.svc.cluster.local": "NOERROR fd00:30::3",
			"A 10-30-0-3.db.farm.svc.cluster.local":     noName,
			"AAAA _pg._tcp.db.farm.svc.cluster.local":   "NOERROR fd00:30::2 fd00:30::3",
			"SRV _pg._tcp.db.farm.svc.cluster.local":    "NOERROR 0 25 5432 db-0.db.farm.svc.cluster.local. 0 25 5432 db-1.db.farm.svc.cluster.local. 0 25 5432 fd00-30--3.db.farm.svc.cluster.local.",
			"SRV _pg._udp.db.farm.svc.cluster.local":    noName,
			"PTR 10.30.0.2":                             "NOERROR db-0.db.farm.svc.cluster.local.",
			"PTR 10.30.0.3":                             "NOERROR db-1.db.farm.svc.cluster.local.",
			"PTR fd00:30::2":                            "NOERROR db-0.db.farm.svc.cluster.local.",
			"PTR fd00:30::3":                            "NOERROR fd00-30--3.db.farm.svc.cluster.local.",
			"PTR fd00:30::4":                            noName,
		},
	},
	{
		title: "moved to another Service",
		apply: `
{apiVersion: v1, kind: Service, metadata: {name: old, namespace: farm}, spec: {clusterIP: None, ports: [{name: pg, port: 5432}]}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: db-2, namespace: farm, labels: {kubernetes.io/service-name: old}},
  addressType: IPv4, ports: [{name: pg, port: 5432}], endpoints: [{addresses: [10.30.0.3], hostname: db-1}]}
`,
		want: answers{
			"A db.farm.svc.cluster.local":       "NOERROR 10.30.0.2",
			"A old.farm.svc.cluster.local":      "NOERROR 10.30.0.3",
			"A db-1.db.farm.svc.cluster.local":  noName,
			"A db-1.old.farm.svc.cluster.local": "NOERROR 10.30.0.3",
			"PTR 10.30.0.3":                     "NOERROR db-1.old.farm.svc.cluster.local.",
		},
	},
	{
		title: "given to no Service at all",
		apply: `
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: db-2, namespace: farm, labels: {}},
  addressType: IPv4, ports: [{name: pg, port: 5432}], endpoints: [{addresses: [10.30.0.3], hostname: db-1}]}
`,
		want: answers{
			"A old.farm.svc.cluster.local": noName,
			"PTR 10.30.0.3":                noName,
		},
	},
	{
		title:  "one deleted",
		remove: []string{"EndpointSlice farm/db-1"},
		want: answers{
			"A db.farm.svc.cluster.local":    noData,
			"AAAA db.farm.svc.cluster.local": "NOERROR fd00:30::2 fd00:30::3",
			"PTR 10.30.0.2":                  noName,
		},
	},
	{
		title:  "all deleted",
		remove: []string{"EndpointSlice farm/db-2", "EndpointSlice farm/db-3"},
		want: answers{
			"AAAA db.farm.svc.cluster.local":      noName,
			"AAAA db-0.db.farm.svc.cluster.local": noName,
			"PTR fd00:30::2":                      noName,
		},
	},
}
