package live

var podSteps = []step{
	{
		title: "created, without an address",
		apply: `
{apiVersion: v1, kind: Namespace, metadata: {name: east}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: west}}
---
{apiVersion: v1, kind: Pod, metadata: {name: one, namespace: east}, spec: {containers: [{name: one, image: one}]}}
`,
		want: answers{
			"A west.pod.cluster.local":           noData,
			"A 10-40-0-1.east.pod.cluster.local": noName,
		},
	},
	{
		title: "gets its addresses",
		apply: `
{apiVersion: v1, kind: Pod, metadata: {name: one, namespace: east}, spec: {containers: [{name: one, image: one}]},
  status: {phase: Running, podIP: 10.40.0.1, podIPs: [{ip: 10.40.0.1}, {ip: "fd00:40::1"}]}}
`,
		want: answers{
			"A 10-40-0-1.east.pod.cluster.local":     "NOERROR 10.40.0.1",
			"AAAA 10-40-0-1.east.pod.cluster.local":  noData,
			"AAAA fd00-40--1.east.pod.cluster.local": "NOERROR fd00:40::1",
			"A 10-40-0-1.west.pod.cluster.local":     noName,
			"A 10-40-0-2.east.pod.cluster.local":     noName,
			"PTR 10.40.0.1":                          noName, // a Pod without a Service has no reverse name
		},
	},
	{
		title: "becomes an endpoint",
		apply: `
{apiVersion: v1, kind: Service, metadata: {name: db, namespace: east}, spec: {clusterIP: None, ports: [{port: 80}]}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: db-1, namespace: east, labels: {kubernetes.io/service-name: db}},
  addressType: IPv4, ports: [], endpoints: [{addresses: [10.40.0.1], targetRef: {kind: Pod, namespace: east, name: one}}]}
`,
		want: answers{
			"A 10-40-0-1.east.pod.cluster.local": "NOERROR 10.40.0.1",
			"PTR 10.40.0.1":                      "NOERROR 10-40-0-1.db.east.svc.cluster.local.",
		},
	},
	{
		title:  "has succeeded",
		remove: []string{"EndpointSlice east/db-1"},
		apply: `
{apiVersion: v1, kind: Pod, metadata: {name: one, namespace: east}, spec: {containers: [{name: one, image: one}]},
  status: {phase: Succeeded, podIP: 10.40.0.1, podIPs: [{ip: 10.40.0.1}, {ip: "fd00:40::1"}]}}
`,
		want: answers{
			"A 10-40-0-1.east.pod.cluster.local":     noName,
			"AAAA fd00-40--1.east.pod.cluster.local": noName,
			"PTR 10.40.0.1":                          noName,
		},
	},
	{
		title: "its address is used again in another namespace",
		apply: `
{apiVersion: v1, kind: Pod, metadata: {name: two, namespace: west}, spec: {containers: [{name: two, image: two}]},
  status: {phase: Running, podIP: 10.40.0.1, podIPs: [{ip: 10.40.0.1}]}}
`,
		want: answers{
			"A 10-40-0-1.west.pod.cluster.local": "NOERROR 10.40.0.1",
			"A 10-40-0-1.east.pod.cluster.local": noName,
		},
	},
	{
		title:  "the old one is deleted",
		remove: []string{"Pod east/one"},
		apply: `
# Its name tells that the end of the one before it has been seen.
{apiVersion: v1, kind: Pod, metadata: {name: mark, namespace: west}, spec: {containers: [{name: mark, image: mark}]},
  status: {phase: Running, podIP: 10.40.0.3, podIPs: [{ip: 10.40.0.3}]}}
`,
		want: answers{
			"A 10-40-0-3.west.pod.cluster.local": "NOERROR 10.40.0.3",
			"A 10-40-0-1.west.pod.cluster.local": "NOERROR 10.40.0.1",
			"A 10-40-0-1.east.pod.cluster.local": noName,
		},
	},
	{
		title:  "deleted",
		remove: []string{"Pod west/two"},
		want: answers{
			"A 10-40-0-1.west.pod.cluster.local": noName,
			"A 10-40-0-1.east.pod.cluster.local": noName,
		},
	},
}
