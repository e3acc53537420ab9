package live

var namespaceSteps = []step{
	{
		title: "created",
		apply: `
{apiVersion: v1, kind: Namespace, metadata: {name: town}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: town}, spec: {clusterIP: 10.96.0.10, ports: [{port: 80}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: one, namespace: town}, spec: {containers: [{name: one, image: one}]},
  status: {phase: Running, podIPs: [{ip: 10.10.0.1}], podIP: 10.10.0.1}}
`,
		want: answers{
			"A town.svc.cluster.local":           noData,
			"A town.pod.cluster.local":           noData,
			"A web.town.svc.cluster.local":       "NOERROR 10.96.0.10",
			"A 10-10-0-1.town.pod.cluster.local": "NOERROR 10.10.0.1",
			"PTR 10.96.0.10":                     "NOERROR web.town.svc.cluster.local.",
		},
	},
	{
		title:  "deleted",
		remove: []string{"Namespace town"},
		want: answers{
			"A town.svc.cluster.local":           noName,
			"A town.pod.cluster.local":           noName,
			"A web.town.svc.cluster.local":       noName,
			"A 10-10-0-1.town.pod.cluster.local": noName,
			"PTR 10.96.0.10":                     noName,
		},
	},
	{
		title: "created again, around what is still there",
		apply: `{apiVersion: v1, kind: Namespace, metadata: {name: town}}`,
		want: answers{
			"A web.town.svc.cluster.local":       "NOERROR 10.96.0.10",
			"A 10-10-0-1.town.pod.cluster.local": "NOERROR 10.10.0.1",
			"PTR 10.96.0.10":                     "NOERROR web.town.svc.cluster.local.",
		},
	},
}

var serviceSteps = []step{
	{
		title: "ClusterIP",
		apply: `
{apiVersion: v1, kind: Namespace, metadata: {name: mall}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: mall}, spec: {clusterIP: 10.96.0.20, ports: [{name: http, port: 80}]}}
`,
		want: answers{
			"A web.mall.svc.cluster.local":              "NOERROR 10.96.0.20",
			"AAAA web.mall.svc.cluster.local":           noData,
			"SRV _http._tcp.web.mall.svc.cluster.local": "NOERROR 0 100 80 web.mall.svc.cluster.local.",
			"PTR 10.96.0.20":                            "NOERROR web.mall.svc.cluster.local.",
		},
	},
	{
		title: "ports changed",
		apply: `{apiVersion: v1, kind: Service, metadata: {name: web, namespace: mall}, spec: {clusterIP: 10.96.0.20, ports: [{name: https, port: 443}]}}`,
		want: answers{
			"A web.mall.svc.cluster.local":               "NOERROR 10.96.0.20",
			"SRV _http._tcp.web.mall.svc.cluster.local":  noName,
			"SRV _https._tcp.web.mall.svc.cluster.local": "NOERROR 0 100 443 web.mall.svc.cluster.local.",
			"SRV _tcp.web.mall.svc.cluster.local":        noData,
		},
	},
	{
		title: "dual-stack",
		apply: `
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: mall},
  spec: {ipFamilyPolicy: RequireDualStack, clusterIP: 10.96.0.20, clusterIPs: [10.96.0.20, "fd00:10:96::20"], ports: [{name: https, port: 443}]}}
`,
		want: answers{
			"A web.mall.svc.cluster.local":    "NOERROR 10.96.0.20",
			"AAAA web.mall.svc.cluster.local": "NOERROR fd00:10:96::20",
			"PTR 10.96.0.20":                  "NOERROR web.mall.svc.cluster.local.",
			"PTR fd00:10:96::20":              "NOERROR web.mall.svc.cluster.local.",
		},
	},
	{
		title:  "another clusterIP",
		remove: []string{"Service mall/web"},
		apply:  `{apiVersion: v1, kind: Service, metadata: {name: web, namespace: mall}, spec: {clusterIP: 10.96.0.21, ports: [{name: http, port: 80}]}}`,
		want: answers{
			"A web.mall.svc.cluster.local":    "NOERROR 10.96.0.21",
			"AAAA web.mall.svc.cluster.local": noData,
			"PTR 10.96.0.21":                  "NOERROR web.mall.svc.cluster.local.",
			"PTR 10.96.0.20":                  noName,
			"PTR fd00:10:96::20":              noName,
		},
	},
	{
		title:  "ExternalName",
		remove: []string{"Service mall/web"},
		apply: `
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: mall}, spec: {type: ExternalName, externalName: www.example.org}}
---
{apiVersion: v1, kind: Service, metadata: {name: inn, namespace: mall}, spec: {clusterIP: 10.96.0.22, ports: [{port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: alias, namespace: mall}, spec: {type: ExternalName, externalName: inn.mall.svc.cluster.local}}
`,
		want: answers{
			"A web.mall.svc.cluster.local":              "NOERROR www.example.org.",
			"CNAME web.mall.svc.cluster.local":          "NOERROR www.example.org.",
			"A alias.mall.svc.cluster.local":            "NOERROR 10.96.0.22 inn.mall.svc.cluster.local.",
			"SRV _http._tcp.web.mall.svc.cluster.local": noName,
			"PTR 10.96.0.21":                            noName,
		},
	},
	{
		title: "another externalName",
		apply: `
{apiVersion: v1, kind: Service, metadata: {name: alias, namespace: mall}, spec: {type: ExternalName, externalName: no.mall.svc.cluster.local}}
`,
		want: answers{"A alias.mall.svc.cluster.local": "NXDOMAIN no.mall.svc.cluster.local. soa"},
	},
	{
		title:  "headless",
		remove: []string{"Service mall/web"},
		apply: `
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: mall}, spec: {clusterIP: None, ports: [{name: http, port: 80}]}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: web-1, namespace: mall, labels: {kubernetes.io/service-name: web}},
  addressType: IPv4, ports: [{name: http, port: 8080}], endpoints: [{addresses: [10.20.0.1]}, {addresses: [10.20.0.2]}]}
`,
		want: answers{
			"A web.mall.svc.cluster.local":              "NOERROR 10.20.0.1 10.20.0.2",
			"A 10-20-0-1.web.mall.svc.cluster.local":    "NOERROR 10.20.0.1",
			"SRV _http._tcp.web.mall.svc.cluster.local": "NOERROR 0 50 8080 10-20-0-1.web.mall.svc.cluster.local. 0 50 8080 10-20-0-2.web.mall.svc.cluster.local.",
			"PTR 10.20.0.1":                             "NOERROR 10-20-0-1.web.mall.svc.cluster.local.",
		},
	},
	{
		title:  "ClusterIP again, with the endpoints of before",
		remove: []string{"Service mall/web"},
		apply:  `{apiVersion: v1, kind: Service, metadata: {name: web, namespace: mall}, spec: {clusterIP: 10.96.0.20, ports: [{name: http, port: 80}]}}`,
		want: answers{
			"A web.mall.svc.cluster.local":           "NOERROR 10.96.0.20",
			"A 10-20-0-1.web.mall.svc.cluster.local": "NOERROR 10.20.0.1",
			"PTR 10.96.0.20":                         "NOERROR web.mall.svc.cluster.local.",
			"PTR 10.20.0.1":                          "NOERROR 10-20-0-1.web.mall.svc.cluster.local.",
		},
	},
	{
		title: "ExternalName without being deleted",
		apply: `{apiVersion: v1, kind: Service, metadata: {name: web, namespace: mall}, spec: {type: ExternalName, externalName: www.example.org}}`,
		want: answers{
			"A web.mall.svc.cluster.local":           "NOERROR www.example.org.",
			"A 10-20-0-1.web.mall.svc.cluster.local": noName,
			"PTR 10.96.0.20":                         noName,
			"PTR 10.20.0.1":                          noName,
		},
	},
	{
		title:  "deleted",
		remove: []string{"Service mall/web", "Service mall/alias", "Service mall/inn"},
		want: answers{
			"A web.mall.svc.cluster.local":   noName,
			"A alias.mall.svc.cluster.local": noName,
			"A inn.mall.svc.cluster.local":   noName,
			"PTR 10.96.0.22":                 noName,
			"PTR 10.20.0.1":                  noName,
		},
	},
}
